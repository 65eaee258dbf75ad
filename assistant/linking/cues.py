"""The words that carry a question's structure: verbs, negations, connectives, vague words. Data, no logic."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segments.definition import EventCondition, FeatureCondition, Node, Window


def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Cues in the order they are looked for: an earlier match keeps its words from the later ones.
ENGLISH: dict[str, re.Pattern[str]] = {
    "quiet": _rx(
        r"\b(?:(?:went|gone|going|been|have gone|has gone|fell|fallen|stayed|are|is|were|turned|went all)\s+)?"
        r"(?:quiet|silent|inactive|dormant|lapsed|lapsing|disappeared|vanished|gone cold|ghosted us|gone missing"
        r"|churned|gone away|stopped (?:shopping|buying|coming|ordering|visiting)(?!\s+\w+ (?:at|in)\b)"
        r"|drifted away|dropped off|stayed away|fallen off|gone dark|not (?:been )?back|asleep|idle)\b"
        r"|\b(?:not|n['’]?t|never)\s+(?:been\s+)?active\b"
        r"|\b(?:haven['’]?t|hasn['’]?t|have not|has not|didn['’]?t|did not|not)\s+"
        r"(?:been (?:seen|back|in|around|by)|stopped by|dropped by|come back|came back|returned|seen|shown up|come in|visited|heard from|laid eyes on)\b"
        r"|(?:(?<=\bwho )|(?<=\bthat )|(?<=\bhave )|(?<=\bwho've ))left\b(?: us)?(?=\s*(?:$|[,.;?!]|(?:and|but|since|recently|lately)\b))|\bleft us\b"
        r"|\bno (?:activity|purchases?|orders?|visits?|trips?|transactions?|shopping)\b"
        r"|\bnothing\b(?: (?:from them|at all|bought|purchased))?"
        r"|\bwithout (?:a |any )?(?:purchases?|orders?|visits?|buying anything|shopping|activity)\b"
    ),
    "last_purchase": _rx(
        r"\b(?:last|latest|most recent)(?:ly)? (?:purchased?|bought|order(?:ed)?|shop(?:ped)?(?! (?:in|at)\b)|visit(?:ed)?|transaction|trip"
        r"|shopping trip)\b(?: (?:was|is|were))?"
    ),
    "first_purchase": _rx(
        r"\b(?:first (?:purchased?|bought|order(?:ed)?|shopped|visit(?:ed)?)|joined|signed up|acquired|became (?:a )?customers?|started (?:shopping|buying))\b"
    ),
    "neg": _rx(
        r"\b(?:never|not|no longer|without|except(?: for)?|excluding|exclude|excludes|leave out|leaving out|nor|neither"
        r"|none|minus|hardly ever|kick(?:ing)? out|stopped|quit|skip(?:ped)?|avoid(?:ed|ing|s)?|aren['’]?t|isn['’]?t|don['’]?t|doesn['’]?t|didn['’]?t"
        r"|haven['’]?t|hasn['’]?t|won['’]?t|weren['’]?t|wasn['’]?t|havent|hasnt|didnt|dont|doesnt|arent|yet to|zero|no)\b"
    ),
    "redeem": _rx(
        r"(?<!non-)(?<!non )\brespon(?:d(?:ed|s|ing)?|ders?)\b|\breact(?:ed|s|ing)?(?= to\b)|\b(?:redeem(?:ed|ing|s)?|coupon(?:s|ers?)?|vouchers?|redemptions?)\b"
    ),
    "campaign": _rx(
        r"\b(?:(?:received?|were sent|was sent|got|been sent|targeted (?:by|with)|exposed to|reached by|mailed|contacted"
        r"|sent)\b(?:(?!\bno\b)[^,.;]){0,25}?\b)?(?:campaigns?|mailings?|mailers?|mailouts?|direct mail)\b"
        r"|\b(?:received?|got|were sent|sent|mailed)\b[^,.;]{0,15}?\bflyers?\b"
    ),
    "spend": _rx(
        r"\b(?:rang up|ring(?:s|ing)? up|laid out|spent|spends?|spending|spenders?|paid|worth|revenue|sales|shelled out|dropped)\b"
    ),
    "purchase": _rx(
        r"\b(?:bought|buy(?:s|ing|ers?)?|purchas(?:ed?|es|ing|ers?)|ordered|orders?|ordering|shop(?:ped|s|pers?|ping)?"
        r"|visit(?:ed|s)?|transact(?:ed|ions?)|pick(?:ed|s|ing)? up|stock(?:ed|ing|s)? up on|trips?|consume[sd]?|grab(?:bed|s|bing)?|tried|try|fill(?:ed|s|ing)? up"
        r"|took(?! place)(?= \d)|made purchases|came in|come in|c[ao]mes?(?= (?:last|this|on|during|in) )|c[ao]mes? (?:back|again|by(?= (?:in|on|during|fewer|more|at|less|within|since)))|c[ao]mes? (?:in|here|to (?:us|the store))|(?:been|be) (?:here|in(?= (?:the|at|more|over|within|since|during))|to (?=\d))|(?:been )?seen(?= (?:in|within|over|during|since|at least))|active(?= (?:in|over|within|during|at least|on|since|from|after)\b)|(?:are|is|were|really) into|fans?|lovers?|drinkers|eaters)\b"
    ),
    "mostly": _rx(
        r"\b(?:mostly|mainly|majority|usually|primarily|predominantly|tend to|prefer(?:s|red)?|largely|typically"
        r"|more than half|over half|most of)\b"
    ),
    "high": _rx(
        r"\b(?:high|higher|large|big|heavy|heavily|lots? of|a lot|above[- ]average|strong|frequent|many)\b"
    ),
    "low": _rx(r"\b(?:low|lower|small|tiny|light|little|few|below[- ]average|weak|hardly any)\b"),
    "or": _rx(
        r"\bor\b(?! (?:less|more|fewer|better|so|above|below|older|younger|higher|lower|sooner|longer)\b)"
    ),
    "either": _rx(r"\beither\b"),
    "but": _rx(r"\b(?:but|yet|however|though|although|while|whereas)\b"),
    "and": _rx(r"\b(?:and|as well as|plus|also)\b|&"),
    "break": _rx(
        r"[,;?!:()—–]|(?<=\s)-(?=\s)|(?<=\s)=(?=\s+(?:at |more |over |fewer |less |[a-z]{3,}))|\.(?!\d)|\b(?:who|(?<!before )(?<!after )(?<!than )(?<!of )(?<!in )(?<!since )that|which|whose|(?<!orders )(?<!order )(?<!trips )(?<!trip )(?<!baskets )(?<!visits )with(?! us\b)|then|where)\b"
    ),
}

CHINESE: dict[str, re.Pattern[str]] = {
    "quiet": _rx(
        r"(?:就)?(?:都|一直)?(?:没有?|未(?!来))(?:再)?(?:来过?|发生(?:过)?(?:任何)?(?:购买|消费|交易|订单)(?:行为)?|冒泡|露面|露过面|影儿?|到店|光顾|回来|出现|下单|下过单|购物|消费|活动|动静|买东西|买过东西|购买(?:过)?(?:任何(?:东西|商品))?"
        r"|任何(?:购买|消费))(?:过|了)?(?=$|[，。,；;、？?的了但且并而或]|\s)"
        r"|沉默|流失|不活跃|沉睡|静默|安静|消失|不再来|不来了|失联|没动静"
    ),
    "last_purchase": _rx(
        r"(?:最近一次|最后一次|上次|上一次)(?:购买|购物|下单|消费|来店|到店|光顾|来(?!自)|露面)(?:是)?(?:在)?"
    ),
    "first_purchase": _rx(r"首次购买|第一次购买|首单|注册|加入"),
    "neg_after": _rx(
        r"(?:的|者)?(?:那些|那批|这些)?(?:客户|顾客|人群?|家庭|用户)?(?:统统|通通|全部|一律|一概|都|全|均|也)*(?:给我|予以)?"
        r"(?:剔掉|剔除|排除|去掉|除外|除去|不要|不算|筛掉|滤掉|踢掉|刨掉|刨除|扔掉|拿掉|去除|删掉|不考虑|不看)(?:掉|在外|出去)?(?:了|吧)?(?=$|[，。；,！!])"
    ),
    "neg": _rx(
        r"从来没有?|从来不|从未|从没|从不|没有|没|未(?!来)|零(?=消费|购买|订单|下单|交易|光顾)|不曾|除了|除去|除外|排除|去掉|剔除|剔掉|剔走|剔|筛掉|滤掉|刨除|刨去|刨掉|拿掉|拿走|摘掉|撇开|抛开|刨开|不含|不包括|不要|不买|不是|并非|不再|不(?![同错管论限])|无(?![论限])|非(?!常)"
    ),
    "redeem": _rx(
        r"(?:使用|用|兑换|核销|领用)(?:了|过)?(?=[^，。]{0,8}券)|优惠券|用券|券|核销|响应(?!率)|回应|反应(?!率)"
    ),
    "campaign": _rx(
        r"收到(?:过|了)?(?=[^，。活]{0,6}[\d一二两三四五六七八九十]+[次个])|(?:收到|接收|参与|触达)?(?:过|了)?(?=[^，。]{0,6}活动)(?:营销)?(?<!做)(?<!搞)(?<!办)(?<!划)(?<!没)活动|营销活动|(?:收到|接到|收)(?:过|了)?(?:我们的?)?(?:营销|推广|促销|广告)?邮件|邮寄|推广活动|直邮"
    ),
    "spend": _rx(r"消费|花费|花(?!生|卉|束|椰|草)|支出|开销|开支|销售额|贡献|掏了?|砸了?"),
    "purchase": _rx(
        r"购买|买|购入|购置|购得|选购|冒泡|露面|出现(?!在)|碰(?=过|了|的|$|[，。,])|跑(?=[^，。]{0,4}[趟次])|去过|去了|采购|入手|囤|拿过|来了|来(?=[^，。]{0,4}[次趟回])|进店|上门|下单|购物|光顾|来过|(?<![带以原近后从本未起出看一咋么])来(?=的|$|[，。、,])|来店|到店|复购|回购|订购|逛"
    ),
    "mostly": _rx(r"主要|多在|常在|总在|爱在|专挑|大多|大部分|通常|多数|一半以上|过半|偏好|喜欢|习惯"),
    "high": _rx(r"较高|很高|高|大量|很多|经常|频繁|多次|重度"),
    "low": _rx(r"较低|很低|低|很少|少量|轻度"),
    "or": _rx(r"或者|或是|或|要么|还是"),
    "but": _rx(r"但是|但|而(?!且)|不过|然而|却(?!不到|超过|低于|高于|不足|只有|少于|多于|至少|不超)|可是"),
    "and": _rx(r"并且|而且|以及|同时|和|且|并|又(?!来|到)|与|及|还(?!不到|不足|没到)"),
    "break": _rx(
        r"[，。；;,？?！!、：:]|的(?=[^，。]{0,12}(?:客户|顾客|人|家庭|用户))|(?<!此)后(?!来)(?!再?[没未])"
    ),
}


@dataclass(frozen=True)
class Vague:
    """A word without a number of its own, and how it is read unless the marketer says otherwise.

    quantile: the condition's value is that quantile of the feature over all customers (`node` holds the
    operator and a value that is replaced); None: the node as it is.
    """

    en: re.Pattern[str]
    zh: re.Pattern[str]
    node: Node
    quantile: float | None = None


_BUYERS_EN = r"(?:customers?|shoppers?|people|households?|clients?|buyers?|folks|ones)"


def _vague(en: str, zh: str, node: Node, quantile: float | None = None) -> Vague:
    return Vague(_rx(en), _rx(zh), node, quantile)


VAGUE: tuple[Vague, ...] = (
    _vague(
        r"\b(?:big|heavy|high|top|biggest|highest|free|generous|lavish)[- ]spend(?:ers?|ing)\b|\bwhales\b|\bhigh rollers\b"
        r"|\b(?:splash|splurge)s?(?: out)?\b(?! on)|\b(?:not afraid|happy|willing|ready) to spend\b(?! (?:over|more|at|<sign>|\d))",
        r"高消费(?:客户|人群|者)?|大客户|高额消费|(?<!最)(?:很|特别|比较)?(?:舍得|肯|愿意|敢)(?:为[^，。]{1,6})?(?:花钱|消费|掏钱)的?(?:客户|顾客|人|那些|那批人)?"
        r"|出手(?:阔绰|大方)的?(?:客户|顾客|人)?|(?:花钱|消费)(?:大方|阔绰|大手大脚)的?(?:客户|顾客|人)?|大手大脚的?(?:客户|顾客|人)?|大手笔的?(?:客户|顾客|人)?",
        FeatureCondition("spend_365d", ">=", 0),
        0.8,
    ),
    _vague(
        rf"\b(?:best|good|great|valuable|most valuable|high[- ]value|vip|top|important|premium) {_BUYERS_EN}\b|\bvips?\b|\b{_BUYERS_EN} (?:with|of) the (?:highest|biggest|greatest) (?:(?:predicted|expected|future) )?(?:life-?time )?(?:value|clv|ltv)\b",
        r"(?:最好|优质|高价值|重要|核心|最有价值|最值钱|价值最高|好)的?(?:客户|顾客|用户)|高价值(?=[但且而又，,、却])|VIP",
        FeatureCondition("spend_365d", ">=", 0),
        0.8,
    ),
    _vague(
        rf"\b(?:loyal|regular|frequent) {_BUYERS_EN}\b|\bregulars\b|\b(?:shop|buy|come|visit)(?:s|ing)? (?:very )?(?:often|frequently)\b",
        r"(?:忠诚|忠实|常来)的?(?:老?客户|顾客|用户)|常客",
        FeatureCondition("orders_365d", ">=", 0),
        0.8,
    ),
    _vague(
        r"\b(?:bargain hunters?|deal[- ]seekers?|deal hunters?|price[- ]sensitive|discount lovers?|discount hunters?)\b",
        r"爱打折|价格敏感|喜欢打折|爱优惠",
        FeatureCondition("discount_rate_365d", ">=", 0),
        0.8,
    ),
    _vague(
        r"\b(?:heavy|frequent|big|avid) coupon(?:ers?| users?| redeemers?| clippers?)\b|\bcoupons? (?:a lot|heavily|frequently|very often|all the time)\b",
        r"(?:重度|经常|频繁)(?:使用|用)?(?:优惠)?券(?:的)?(?:用户|客户|人)?|用券大户",
        FeatureCondition("coupons_redeemed_365d", ">=", 5),
    ),
    _vague(
        r"\b(?:coupon (?:users?|redeemers?|clippers?|lovers?)|couponers?)\b",
        r"用券(?:客户|用户|人群)|优惠券用户",
        FeatureCondition("coupons_redeemed_365d", ">=", 1),
    ),
    _vague(
        rf"\b(?:new|newer|recently acquired) {_BUYERS_EN}\b|\bnewcomers?\b|\bnewbies\b",
        r"新(?:客户|客|顾客|用户)",
        FeatureCondition("tenure_days", "<=", 90),
    ),
    _vague(
        rf"\b(?:active|current) {_BUYERS_EN}\b|\b(?:bought|shopped|purchased|ordered) recently\b"
        rf"|\brecent(?:ly)? (?:active|buyers?|purchasers?|shoppers?|customers)\b",
        r"活跃(?:客户|用户|顾客)|最近(?:来过|买过|购买过|消费过)的?",
        EventCondition("purchase", window=Window(30, 0)),
    ),
    _vague(
        r"\b(?:at[- ]risk(?: of (?:leaving|churning|lapsing|losing))?|in danger of (?:leaving|churning|lapsing)|slipping(?: away)?"
        r"|(?:about|likely|going|set) to (?:churn|leave|lapse|quit|stop (?:buying|shopping|coming))(?: us)?(?: soon)?"
        r"|(?:on the (?:verge|brink|point) of|thinking (?:of|about)|close to) (?:leaving|churning|quitting)(?: us)?"
        r"|(?:may|might|could) (?:soon )?(?:leave|churn|quit)(?: us)?(?: soon)?|(?:we(?:['’]re| are) )?about to lose"
        r"|overdue(?! by| ratio))\b",
        r"逾期(?:了)?的?(?=客户|顾客|$)(?<!逾期比)|该来没来|有流失风险|即将流失|快要流失|流失风险|(?:快要?|即将|就要|将要|可能会?|有可能会?|打算|准备)(?:流失|离开|离我们而去|走掉?|跑掉|不来)了?(?:的(?=客户|顾客|用户|人))?",
        FeatureCondition("overdue_ratio", ">", 2),
    ),
    _vague(
        r"\b(?:large|big|bigger|huge) baskets?\b(?! of)",
        r"(?:大|较大)的?(?:客单|购物篮)",
        FeatureCondition("basket_value_365d", ">=", 0),
        0.8,
    ),
    _vague(
        rf"\b(?:occasional|infrequent|rare) {_BUYERS_EN}\b|\brarely shop\b",
        r"偶尔(?:来|购买|购物)的?(?:客户|顾客)?|低频(?:客户|顾客)?",
        FeatureCondition("orders_365d", "<=", 0),
        0.2,
    ),
)

STOP_EN = frozenset(
    """a an and any are as at be been but by can could customer customers did do does each ever every find for from
    get give had has have he her him his how household households i in into is it its just know list look looking
    many me more most much my need new now of off on one only or other our out over people per please pull purchase
    purchases quick show shoppers shopper shop shops so some than that the their them themselves there these they
    this those through time times to told total up us use used using want was we were what when where which who
    whose will with would you your buy buyers bought spend spending spent order orders last past week month year
    quarter day days weeks months years also all about us both either neither nor not no never yet still least
    under between above below half share percent money value values basket baskets average number count category
    categories department departments brand brands product products item items store stores segment segments
    group groups audience list target best good top high low regular regulars make change set instead include
    exclude drop remove add keep narrow widen like similar same then again back come came comes went gone go
    quiet active inactive people's let's hey hi thanks thank hello please ok okay well actually too very really
    who's that's haven't hasn't didn't don't doesn't aren't isn't won't home own owns income age aged old older
    young younger kid kids children child married single rent renters homeowners size family families weekend
    weekends morning evening night afternoon evenings mornings nights coupon coupons campaign campaigns discount
    discounts offer offers deal deals promotion promotions budget plan strategy weather everyday date free mail
    single large small big extra regular special special value fresh fun pay paid card cards gift help back
    work study first second third next previous before after during within since until around twice once
    anything something nothing everyone anyone someone everything different mostly mainly usually sure think
    dollars bucks worth made making makes least exactly fewer less greater max min maximum minimum
    ones live lives gas' leans lean say says saw see adult adults person persons couple couples
    """.split()
)
"""Words that never name an item on their own."""
