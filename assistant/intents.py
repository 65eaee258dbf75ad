"""Which tools a message can mean, by its words, and the arguments that are plain numbers or names.

This narrows the schema of the turn: a tool whose words are absent is not offered to the model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.change_intents import DIFF, asks_change
from assistant.linking.numbers import EN_NUMBER, MONEY, SIGN, ZH_NUMBER, Number, to_number
from assistant.linking.spans import blanked
from assistant.market_intents import MARKET_TOOLS, market_arguments, market_tool
from assistant.one_customer import EXPLAIN
from assistant.ranked_value import asks_ranked_value

TOOLS = (
    "define_segment",
    "refine_segment",
    "profile_segment",
    "find_lookalikes",
    "score_propensity",
    EXPLAIN,
    "estimate_uplift",
    "customer_value",
    "discover_segments",
    "recommend_products",
    "plan_strategy",
    "assign_holdout",
    "measure_campaign",
    "compare_plans",
    "backtest_strategy",
    "dial_lookalikes",
    "write_copy",
    "save_plan",
    "show_segment",
    "compare_segments",
    "trend_segment",
    DIFF,
    "breakdown_segment",
    "overlap_segments",
    "list_segments",
    "save_segment",
    "delete_segment",
    *MARKET_TOOLS,
    "clarify",
    "refuse",
)


_BY_FEATURE = (
    r" by (?:age|income|sex|gender|store|region|channel|home|household|family|department|city|country|tenure)"
)


def _rx(pattern: str) -> re.Pattern[str]:
    """<money> stands for an amount in any currency, <sign> for the sign of one, <by feature> for what asks to break down."""
    for blank, meant in (("<money>", MONEY), ("<sign>", SIGN), ("<by feature>", _BY_FEATURE)):
        pattern = pattern.replace(blank, meant)
    return re.compile(pattern, re.IGNORECASE)


CUES: dict[str, re.Pattern[str]] = {
    "find_lookalikes": _rx(
        r"\blals?\b|\b(?:dig up|find|get|give|show|fetch)\b[^.?!]{0,20}\bmore (?:of the same|of (?:them|these|those))\b|\bwho else\b[^.?!]{0,20}\blike (?:them|these|those|this|him|her|household|customer|my|our)\b|[跟和与像](?:他们|她们|这些人?|这群人|这批人|这拨人)[^。？?，,]{0,6}(?:差不多|一样|相似|类似|相近)|(?:(?:往外|向外|再|客|人)扩(?:展|充|量)?(?:出|到|个)?|扩(?:展|充|大)?(?:到|至|成|为))\s*[\d一二两三四五六七八九十百]+|[跟和与同][^。？?，,]{1,20}(?:习惯|行为|口味|方式)[^。？?，,]{0,4}(?:最|很|比较)?(?:接近|相近|差不多)|相近(?:的)?(?:客户|顾客|人)|"
        r"look[- ]?alikes?|\b(?:behav(?:e|es|ing)|act(?:s|ing)?|shop(?:s|ping)?) (?:just |exactly )?like\b|\b(?:similar to|resemble) (?!<sign>)|\b(?:like|similar to|resembl\w+) (?:customer|household|shopper|client|buyer)\b|\b(?:people|customers?|shoppers?|households?|others?|more|folks|ones|buyers)\b[^.?!]{0,25}\b(?:like|similar to|resembl\w+)"
        r"\s+(?:them|these|those|this|him|her|that|it|my|our)\b|\bsimilar (?:people|customers?|shoppers?|households?|profiles?|ones|audience)"
        r"|\bmore like (?:them|these|this|those)|\bresembl|\bclones?\b|\bexpand (?:this|the|that) (?:audience|segment)"
        r"|\b(?:shop|buy|behave|act|spend|look)s? (?:a lot |much |just |very much |rather )?(?:like|the way)\b(?! (?:to|this week|they))|\b(?:alike|comparable|kindred|twins?|dead ringers?|spitting image)\b"
        r"|\bmore (?:customers|shoppers|people|households) (?:just )?like\b|相似|类似|相近的?(?:人|客户|顾客|用户)|同款(?:人|客户|顾客)|差不多的?(?:人|客户|顾客|用户|家庭)|长得像|[跟和与].{1,20}一样的(?:人|客户|顾客)|[跟和与].{1,20}(?:很|最|差不多|比较)?像|照着?(?:他们|她们|这些人?|这群人?)[^。？?]{0,4}找|像(?:他们|她们|这些|这群|这样|(?:客户|顾客|用户|会员|家庭)\s*(?:编号|ID|号)?\s*\d|\d+\s*号)|同类(?:客户|人群)|扩展(?:人群|受众)"
    ),
    "score_propensity": _rx(
        r"\bp\([^)]{1,30}\)|\bprob\b|\bgonna (?:buy|come|return|redeem|shop|order)|\bwhat (?:are|is) (?:the )?(?:chances?|odds|prospects?)\b|\bdo you (?:reckon|think) (?:they|these|those)\b|\bwill (?:we|i) see (?:them|these|those)\b|\bhow (?:probable|sure)\b|复购率(?:多少|多高|会)|把握(?:多大|有多大)|"
        r"\b(?:score|rate) (?:them|these|those|this|it|the (?:segment|group|audience))\b|打分|评分(?!为|[^。？，]{0,3}[\d高低])|\b(?:how )?likely\b|\blikelihood\b|\bprobabilit|\b(?:sure|certain) to (?:buy|shop|come|return|redeem|order)\b|\baccording to (?:your|the) model|\bpropensit|\b(?:apt|prone|bound|poised|set) to (?:buy|come|return|redeem|shop|churn)\b|\bchances?\b|\bodds\b|\bwill (?:they|these|those|this|any of them|he|she|it)"
        r"(?! be (?:mailed|sent))\b|\bwould (?:they|these) (?:come|buy|return|redeem)|\bpredict|\bcome back\b|\bcoming back\b|\bexpected to (?:buy|return|redeem)"
        r"|\bgoing to (?:buy|come|return|redeem|shop)|有多大(?:机会|把握|概率)|机会有多大|几成(?:机会|把握)|会不会|可能性|概率|几率|(?<![都常总才])会(?:再|回来|复购|回购|购买|买|用|使用|来)|回头|预测|有多大可能|多大可能|倾向"
    ),
    "estimate_uplift": _rx(
        r"\bwould\b(?! (?:you|like)\b)(?=[^.?!]{1,40}\bhave (?:bought|come|shopped|ordered|purchased)\b[^.?!]{0,12}\bwithout (?:it\b|(?:(?:the|a|an|our|that|this) )?(?:coupon|campaign|mailing|e-?mail|offer|voucher|promotion|discount)))|\b(?:(?:was|were|is|are|be|been|got) )?(?:persuaded|swayed|convinced|won over) by (?:the |our |this |that |last )*(?:campaign|mailing|coupon|offer)s?\b(?:\s*#?[A-Za-z]*\d+)?|\b(?:contact|mail|e-?mail|target|campaign|coupon|offer|writ)(?:ing|s)?\b[^.?!]{0,20}\bbackfires?\b|不发券也[^。？?]{0,3}(?:买|来)|发券[^。？?]{0,4}(?:反而|反倒)[^。？?]{0,3}不[买来]|"
        r"\b(?:buy|bought|purchas\w*|respond\w*|shop|comes?|came|orders?)s? (?:only|just|purely|solely) (?:because|if|when)\b[^.?!]{0,12}\b(?:mail|contact|email|target|write|send|campaign|coupon|offer|voucher)|\bonly (?:buys?|responds?|comes?|shops?|orders?|purchases?)\b[^.?!]{0,10}\b(?:because of|thanks to|due to)\b|\b(?:would|will)(?:['’]ve| have)? (?:come|bought|buy|shop(?:ped)?|ordered?|purchased?)(?: in| from us)? (?:anyway|regardless|in any case|no matter)|\bpersuadab\w+|\bincremental\w*\b[^.?!]{0,20}\b(?:coupon|campaign|mailing|response)|增量效果|(?:增量|净)(?:贡献|提升)|自然(?:购买|转化)(?:的)?(?:人|客户)?|"
        r"\b(?:(?:would|will|do|does|did|might|could|only|just) )*(?:buy|bought|purchas\w*|respond\w*|shop|come|came|order)\s+(?:back )?(?:only |just |purely |simply |solely )?(?:because of|thanks to|due to|on account of)"
        r"\s+(?:(?:the|a|an|our|that|this|last|past|previous|latest|such) )*(?:coupons?|campaign|mailings?|e-?mails?|offers?|vouchers?|promotions?|discounts?|it|them)\b(?:\s+(?:campaign|mailing|e-?mail|offer))?(?:\s+#?[A-Za-z]*\d+)?"
        r"|\buplift\b(?: (?:of|from|by) (?:the )?(?:last |past )?(?:coupon |campaign )*(?:\s*#?[A-Za-z]*\d+)?| (?:did|does|has|had) (?:the )?(?:campaign|mailing)\s*#?[A-Za-z]*\d+(?: (?:have|had|bring|brought|cause|give|make|show))?)?|(?:营销)?活动\s*\d+号?对(?:谁|哪些|什么)(?:人|客户|顾客)?[^。？?]{0,3}(?:有效|有用|管用|起作用|见效)|\bpersuadables?\b|\bsleeping dogs?\b|\b(?:would |will )?(?:have )?(?:buy|bought|shop|purchase) (?:from us )?anyway\b"
        r"|\b(?:need|needs|needed) (?:a|the) (?:coupon|voucher|discount|nudge|push) to (?:buy|come|shop)"
        r"|(?:只会|才会|会|只)?(?:因为|由于|因|靠)(?:这个|那个|上次|收到|有|了|我们的?)*(?:活动|优惠券?|折扣券?|促销|券|折扣|邮件|营销活动)(?:\s*\d+)?(?:才|就)会?(?:购买|下单|消费|买|来)|(?:只会|才会|会)因为?(?:活动|优惠券?|促销|券|折扣|邮件|营销活动)(?:\s*\d+)?而?(?:购买|下单|消费|买|来)|因(?:为)?(?:这次|该)?(?:活动|优惠券?|促销|券|折扣|邮件|营销活动)而(?:来|购买|下单|消费|买)(?:的|者)?|没有?(?:优惠)?券也会(?:购买|买|来)|本就会(?:购买|下单|买|来)(?:的|者)?|增益|被?(?:优惠|营销)?说服|被(?:营销)?活动\s*\d+号?(?:说服|打动|撬动|影响)|被(?:优惠券?|券|活动|促销|折扣|营销)(?:打动|撬动|影响)|本来就会(?:购买|买|来)"
        r"|\bonly buy (?:if|when|with)\b[^.?!]{0,20}\b(?:coupon|voucher|discount|offer)\b|\b(?:coupon|voucher|discount|offer) (?:actually |really )?(?:makes?|made) a difference\b|\bincremental (?:response|lift|sales|effect)\b|\bsure things?\b"
        r"|不发券就不买|发了券才会?买|增量(?:最大|最高|效果)|发券[^。？?]{0,6}适得其反"
    ),
    "customer_value": _rx(
        r"\b(?:how much|what)(?: money| revenue| income| business)? (?:will|would|are|is)\b(?=[^.?!]{3,60}\b(?:spend(?:ing)?|bring in|bring us|generate|be worth)(?: with us| for us| us)? (?:over|in|within|during|for|next|this coming)\b)|\b(?:expected|predicted|projected) (?:revenue|spend(?:ing)?|sales|turnover)(?= (?:from|of|for)\b)|\bnext[- ]year(?:['’]s)? (?:revenue|spend(?:ing)?)(?= (?:from|of)\b)|"
        r"^\s*(?:what(?:'s| is)? )?(?:the |their )?(?:clv|cltv|ltv)\b[^<>=]{0,25}$|\b(?:clv|cltv|ltv)\b[^<>=]{0,15}\b(?:on|of|for) (?:them|they|these|those|th(?:is|at|e) \w+)\b|\b(?:what|how much) (?:revenue|spend(?:ing)?|sales|money|value|income|business)\b[^?]{0,12}\b(?:expect|see|get|make|earn|bring|generate|anticipate)\b|(?:未来|今后|接下来|以后)[^。？?]{0,8}(?:LTV|CLV|价值)|以后[^。？?]{0,8}(?:花|带来|贡献|买)多少|(?:值|贡献)多少钱|"
        r"(?<!net )\bworth\b(?: to us)?(?=\s*(?:[?.!]?\s*$|on average\b|over\b|within\b|during\b|across\b|next\b|(?:in|for) the (?:next|coming)\b))"
        r"|\b(?:what|how (?:much|high|big)|estimate|predict|forecast|calculate|compute|their|its)\b[^.?!,]{0,25}?\blife-?time value\b(?: of)?|\b(?:their|its|the|what(?:'s| is)?|estimate|predict|forecast)\s+(?:the |their |its |expected |predicted )*(?:clv|cltv|ltv|future value)\b(?!\s*[<>=]|\s+(?:over|above|under|below) <sign>)(?: of)?|\bhow much (?:will|would|are) (?:they|these|those|he|she)\b[^?]{0,20}?\bspend(?:ing)?\b"
        r"|(?:会|能|大概|大约|总共|一共|还)*(?:值|价值)(?:是)?(?:多少|几)(?:钱|元|美元)?|(?:终身|终生|生命周期|未来)价值(?:是|有|为|大概)*(?:多少|多大|多高)|(?:预测|估算|估计)[^。？，]{0,12}价值|(?:会|能|可|将|预计|还)+(?:再)?(?:花|消费|贡献|带来|创造|产生|买)(?:出|掉)?多少(?:消费|钱|收入|销售额?|价值|利润|金额)?"
        r"|\b(?:expected |predicted )?future value\b|\blife-?time value of\b"
        r"|(?:贡献|带来)多少(?:钱|收入|销售)|(?:LTV|CLV)(?:是|有|为|大概)*(?:多少|多大|多高)|(?:终身|终生|未来)价值(?=[把最前排])|以后价值高|(?:预计|预测|估计)[^。？?，,]{0,16}(?:消费|花|花费|贡献|带来|买)多少"
    ),
    "recommend_products": _rx(
        r"\bwhat (?:will|would|might|do)\b[^.?!]{3,60}\b(?:want|buy|need|purchase|order) next\b|(?:下一步|接下来|下次)[^。？?]{0,6}(?:买|想要|需要)(?:什么|啥|哪些)|"
        r"\banything else\b[^.?!]{0,20}\b(?:fancy|like|want|need|enjoy|buy|interest)|\bwhat else (?:could|can|should|might|would) (?:we|i|you|they)\b|推(?:些|点|个)?(?:啥|品|哪些|什么)|(?:该|能|可以)(?:给他们)?(?:推|卖|推荐)(?:些|点)?(?:什么|啥)|"
        r"\brecommend(?:ation)?s?\b(?! (?:a )?(?:strategy|campaign|plan|budget))|\bnext best\b|\bcross[- ]sell\b|\bwhat (?:else )?(?:should|could|can|might) (?:we|i) (?:recommend|sell|suggest|promote|push|pitch|cross)"
        r"|\bwhat (?:products?|items?|categories)\b|\bwhich (?:products?|items?|categories)\b|\bwhat (?:else )?(?:would|do|might|will) they (?:like|want|buy next|need)|\bsuggest(?:ions?)? (?:some )?(?:products?|items?)|\bproducts? (?:to|should)"
        r"|\bup-?sell|\bpair(?:s|ed)? well\b|\bgo(?:es)? (?:down )?well with\b|\bwhat (?:else )?(?:to|can|could|should|would) (?:we |i )?(?:sell|pitch|push|promote|feature)\b|种草.{0,4}(?:商品|产品|东西)|推什么|卖什么|推点|再卖|还能卖|带什么货|搭配(?:什么|销售)|推荐|交叉销售|下一件|适合他们|还会(?:喜欢|想买)|可能喜欢|什么(?:商品|产品|品类)|哪些(?:商品|产品|品类)"
    ),
    "plan_strategy": _rx(
        r"^\s*(?:please |let['’]s |i(?:'d like| want| need) to |help me )*(?:get|make|have|encourage|nudge|persuade|convince|motivate) (?:people|customers|them|these|those|more of them) (?:to )?(?:use|redeem|buy|come|spend|shop|try)\b|"
        r"\bhow (?:do|should|can|could|might|would|shall) (?:we|i)\b[^.?!]{0,15}\b(?:coax|lure|tempt|entice|nudge|convince|persuade|encourage|motivate|stop|prevent|bring|lift|grow|save|turn|make|talk|woo)\b[^.?!]{0,15}\b(?:them|they|these|those|th(?:is|at|e) \w+)\b|\bhow (?:would|should|do) you go about\b|\bwhat (?:do|would|should|can) (?:you|we|i) (?:advise|suggest|recommend|propose)\b[^.?!]{0,20}\b(?:do|to (?:bring|win|get|keep))|\b(?:re)?activation (?:plan|idea|campaign)|\b(?:game|action|retention|winback|win-back|growth) (?:plan|play)\b|\bwhat(?:'s| is| would be) (?:our|the|your|a good) (?:\w+ )?(?:play|move|approach)\b|[咋怎](?:么|样)?(?:才)?(?:能)?(?:把|让|叫|使)(?:他们|她们|这些人|这群人|这帮人|人)[^。？?]{0,10}(?:回|来|买|留)|(?:拉|弄|劝|哄|唤)回来?|(?:支|出)(?:个|点)?招|怎么(?:留|维护|盘活|运营)|"
        r"\bstrateg|\bcampaign (?:plan|idea|for)|\bplan (?:a|me|the|out|for)|\bmarketing plan\b|\bplan\?|<money> (?:across|behind|to play with)\b|\bbudget\b|\bwhat (?:do|should|can|could|would) (?:we|i) (?:offer|do|send|give|spend)|\bwin(?:ning)?(?: them|[- ])?\s?back\b|\bre[- ]?activat|\bre[- ]?engage"
        r"|\bhow (?:do|should|can|could|would) (?:we|i) (?:target|reach|approach|market|get|win|retain|keep|spend|treat|best|engage)|\bpromotion plan|\boffer (?:them|these|those)|\bretention (?:plan|offer)|\bspend (?:it|the|this|that|my|our) (?:budget|money)?\b.{0,20}\bon them|\bdesign (?:a|an|me)"
        r"|\bwith <money>(?!\w)(?!.*\bbask)|\b(?:got|have|put|use) (?:a )?<money> (?:budget|to)|\b(?:recommend|suggest|propose|draft|give me|outline|sketch|need|want|build|create|come up with) (?:us |me )?(?:an?|some|the|your) (?:\w+ )?(?:approach|plan|strategy|campaign|tactics?|offers?|play|action plan|game plan|promotion|promo)\b"
        r"|\b(?:we|i)(?:'ve| have|'ve got)? (?:got |have )?(?:about |around |roughly )?<money> (?:for|to|left|set aside|available)\b|\bhow (?:to|best to) (?:win|get|bring|keep|reach|target|engage|reactivate|spend)\b|\bwhat would you do\b|\bbest way to (?:win|get|bring|keep|reach|target|engage|spend)\b"
        r"|(?:用|拿|花)<money>[^。？，]{0,8}(?:做|搞|办)(?:个|一?场|点)?(?:活动|促销|营销)|出(?:个|一?份|一套|点)(?:方案|计划|主意|招)|(?:该|要|能)?怎么(?:搞|办|让|促|提升|拉|唤醒|激励|触达|花)|如何(?:提高|提升|让|促|激励|触达|吸引)|(?:有|拨|批)了?.{0,6}预算|(?:给|提)(?:点|些|个|几条)建议|策略|方案|预算|活动计划|营销计划|怎么(?:营销|挽回|召回|激活|留住|做|花)|如何(?:营销|挽回|召回|激活|留住)|给他们(?:什么|发)|提供什么|什么(?:优惠|offer)|召回|挽回"
        r"|\bwhat (?:should|must|can)(?: we| i)? (?:not|never) do\b|\bwhat (?:shouldn't|should(?: we| i)? not|not to|mustn't) (?:we |i )?do\b|\bwhat (?:should|do|must) (?:we|i) avoid\b"
        r"|(?:有什么|什么|哪些)(?:是)?(?:事)?(?:不该|不能|不要|不应该?|别)(?:做|干)|(?:不该|不能|不要|不应该?|别|不宜)(?:做|干)(?:什么|哪些)|(?:要|应)?避免(?:做)?(?:什么|哪些)"
    ),
    "profile_segment": _rx(
        r"\bmakes? (?:them|they|these|those|th(?:is|at|e) \w+)\b[^?.!]{0,20}\b(?:different|special|tick|unique|distinct)|\b(?:portrait|picture|snapshot|rundown) of (?:them|they|these|those|th(?:is|at|e) \w+)|\b(?:sort|kind|type) of (?:people|folks|customers?|shoppers?) (?:are|is|were) (?:they|these|those|my|our)|\bwhat(?:['’]re| are) (?:them|they|these|those|th(?:is|at|e) \w+)\b[^?.!]{0,15}\blike\b|(?:都)?是?(?:些)?啥样|啥(?:样|特征|画像)|什么路数|(?:主要)?特征(?:是|有)?(?:什么|哪些|如何)?|人群(?:画像|概况)|概述|"
        r"\bprofile\b|\btypical (?:of|about|for)\b|\bwhat are\b[^?]{3,60}\blike\b\s*\??$|\bwhat do\b[^?]{3,40}\blook like\b|\bdescribe\b|\bwho are (?:they|these|those)|\bwhat (?:are|do) (?:they|these (?:people|customers|folks)|those) (?:like|look like|have in common|all about)|\bwhat(?: makes| is| sets|'s)\b[^?]{0,30}\b(?:different|special|apart|distinct|unusual|unique|stand out)|\bstand out\b|\btell me (?:more )?about(?: (?:them|these|this|those|the)|\s*[?.!]?\s*$)|\bcharacteri[sz]"
        r"|\bcharacteristics\b|\bhow (?:do they|are they|does this|is this) (?:differ|different|compare)|\bbreak ?down\b|\bsets? them apart|\bin common\b|\bdig into\b|\binsights?\b|\bpersona of\b|\bwhat (?:sort|kind|type)s? of (?:people|customers?|shoppers?|folks|households?|families|person) (?:buys?|are|is|shops?|gets?|goes|go|do|does|would|spends?|redeems?|comes?|uses?|picks?)\b|\bpaint (?:me )?a picture\b|\bwhat do we know about\b|\bget to know\b|\bwhat (?:defines|distinguishes|characterises|characterizes)\b|\bsum(?:marise|marize| up)\b.{0,20}\b(?:them|these|this|those|group|segment)\b"
        r"|(?:都)?是些?什么(?:样的?)?人|长什么样|什么来头|人群特点|了解一下.{0,10}(?:客户|顾客|人|他们)|有啥(?:特点|特征|不同|共同)|什么(?:特点|特征)|画像|特征|特点|有什么不同|描述|什么样|分析一下|区别|共同点|介绍一下"
    ),
    "discover_segments": _rx(
        r"\b(?:group|cluster|segment|bucket|sort|split) (?:up )?(?:the |our |my |all )*(?:customers?|shoppers|households|people|everyone|everybody|buyers|(?:customer )?base)\b[^.?!]{0,12}\bby (?:how they|what they|the way they|their (?:shopping|buying|purchas\w+|behaviou?r|habits?)|behaviou?r|(?:shopping|buying|purchase) (?:behaviou?r|habits?|patterns?))|(?:自动|帮我)[^。？?]{0,4}(?:找出|找到|发现|识别|挖掘)[^。？?]{0,6}(?:群体|客群|细分人群|类型)|按(?:照)?(?:购物|购买|消费)?(?:行为|习惯)[^。？?]{0,8}分(?:个|一下|下|成|为)?(?:群|类|组|层)|给(?:客户|顾客|用户|所有人|大家)[^。？?]{0,6}分(?:个|一下|下|分)?(?:群|类|组)|"
        r"\bhow many (?:natural |distinct |behaviou?ral |different )?(?:groups|clusters|types|kinds)\b(?: of (?:customers|shoppers|buyers))? (?:are there|do (?:we|our customers|they) (?:really |actually )?(?:have|fall into|form))(?! saved| so far| already)|"
        r"\b(?:sort|split|divide|put|group|bucket|carve|slice) (?:them|our|my|all|the|every\w*)\b[^.?!]{0,25}\binto\b[^.?!]{0,15}\b(?:types?|groups?|clusters?|buckets?|segments?|kinds?|tribes?)\b|\bnatural (?:customer |shopper |buyer )?(?:groups?|segments?|clusters?|types?)\b|分(?:成|为|出)?[\d一二两三四五六七八九十几]+(?:个)?(?:群|类|组|层|群体)|(?:分成|分为)(?:哪)?几(?:个|种|类|群|拨)|(?:自动|智能)(?:划分|分层|分类)|"
        r"\b(?:what|which) (?:sort|kind|type)s? of (?:customers|shoppers|people|buyers) (?:have|do) we|\b(?:discover|cluster|natural(?:ly occurring)? (?:segments?|groups?|clusters?)|split (?:our|my|the|all|everyone)(?![^.?!]{0,20}<by feature>)|divide (?:our|my|the|all|everyone)(?![^.?!]{0,20}<by feature>)|segment (?:our|my|all|the) (?:entire |whole )?(?:customers?|base|audience|shoppers|customer base|data)\b(?!<by feature>)|group (?:our|my|all|the) customers(?!<by feature>)|kinds? of (?:customers|shoppers)|types? of (?:customers|shoppers)|personas\b)"
        r"|\bwhat (?:groups|segments|clusters|types|kinds)\b|\b(?:find|show|give|identify|make|create) (?:me )?(?:\w+ )?(?:natural |distinct |main |key )?(?:segments|clusters|groups)\b(?! (?:i|we) (?:have )?saved)|分成.{0,6}(?:人设|类型|群|组|类)|几种(?:人设|类型)|聚类|自然分群|分成\w{0,4}[类组群]|划分|发现.{0,6}(?:分群|群体|细分)|自动分群|哪几类|几类客户|哪些类型"
    ),
    "save_segment": _rx(
        r"\bhang on to (?:this|it|that)\b|\bkeep (?:this|it|that)\b[^.?!]{0,30}\b(?:under|as|called|named)\b|(?:^|[，,。 ])(?:请)?存\s?(?![在货量])(?=[\w“「\"])|(?:给我|帮我|先)留着|留着[，,]|取名|"
        r"\bsave\b(?! (?:for|those|the (?:ones|people)|anyone))|\bstore (?:this|it|that|the segment)|\bname (?:this|it)\b|\bkeep (?:this|it|that)(?: one)? (?:as|under)\b|\bbookmark|保存|存为|存成|命名为|存下来|存一下"
    ),
    "list_segments": _rx(
        r"\bls segments?\b|\b(?:which|what|how many) (?:segments?|audiences?|groups?|lists?)\b[^.?!]{0,25}\b(?:so far|already|saved|stored|built|made|created|on file|(?:right )?now|at the moment)\b|\b(?:which|what) (?:segments?|audiences?) (?:are|is) there\b|已(?:经)?(?:存|保存|建|创建)(?:好|过|了)?的?(?:分群|人群|人群包|受众)|存(?:过|了|下)(?:的)?(?:哪些|什么|几个)?(?:分群|人群|人群包|受众)|(?:建|做)(?:过|了)(?:哪些|几个)(?:分群|人群)|"
        r"\blist\b[^.?!]{0,25}\bsegments?\b|\b(?:which|what) segments? (?:do|have|did) (?:we|i)|\b(?:my|our|all(?: the)?|the) saved segments?|\b(?:saved|existing|stored) (?:segments|audiences|groups|lists)\b|\bwhat (?:have|did) (?:we|i) (?:saved?|stored?)\b|\b(?:segments|audiences) (?:that )?(?:we|i)(?:'ve| have)? (?:already )?(?:saved|have|built|stored)\b|\bshow (?:me )?(?:all |my |the |our )*(?:saved )?segments\b|存(?:过|了|下)(?:的)?(?:哪些|什么|几个)|有哪些(?:存好|保存)?.{0,4}(?:分群|人群|受众)|(?:分群|人群|受众)(?:列表|清单)|列出.{0,8}(?:分群|人群|受众)|列出.{0,8}分群|有哪些.{0,6}分群|已保存的?.{0,3}分群|所有分群|我的分群|保存了哪些"
    ),
    "delete_segment": _rx(
        r"\b(?:rm|drop|bin|scrap|trash)\b[^.?!]{0,15}\bsegment\b|(?:删|去)(?:掉|了|除)[^。？]{0,12}(?:这个|那个)?(?:分群|人群)|"
        r"\b(?:delete|remove|erase|discard|get rid of)\b[^.?!]{0,30}\bsegment|\bdelete (?:the )?['\"“]|\bdelete (?:it|this|that)\b|删除.{0,12}分群|删掉.{0,12}分群|删除[“\"「']"
    ),
    "show_segment": _rx(
        r"\bhow (?:exactly |precisely )?(?:is|was|did you) (?:this|that|the|it)\b[^.?!]{0,20}\bdefined?\b|\b(?:the|which|what) (?:conditions?|criteria|rules?|filters?)\b[^.?!]{0,20}\b(?:used?|using|behind|apply|applied|in use)\b|(?:调出|翻出|找出)[^。？]{0,8}分群|用(?:了|的)(?:什么|哪些)条件|条件(?:是|有)(?:什么|哪些)|"
        r"\b(?:show|display|open|load|see|view|pull up|what(?:'s| is) (?:in|the definition of))\b[^.?!]{0,30}\b(?:segment|definition|sql|query|conditions)|\bcurrent segment\b|\bhow (?:is|was) (?:this|that|the|it)\b[^.?!]{0,20}\bdefined\b|\b(?:this|that|the) segment (?:is |was )?defined\b|\bhow many (?:are there|people are|customers are|is that|are (?:in|they))|\bwhat(?:'s| is) (?:the )?(?:sql|definition|size|current)|\bwhere are we\b|\bwhat do we have (?:now|so far)|\bhow big is (?:it|this|that|the)|显示.{0,10}分群|打开.{0,10}分群|查看.{0,10}(?:分群|定义)|当前(?:这个)?分群|怎么定义|有多少人|现在.{0,6}多少|看看?.{0,6}(?:定义|SQL|sql)"
    ),
    "trend_segment": _rx(
        r"\b(?:is|are) th(?:is|at|e) (?:segment|audience|group|crowd|lot|bunch|base|list) (?:growing|shrinking|getting (?:bigger|larger|smaller)|up|down)\b|\b(?:has|have) (?:it|they|these|th(?:is|at|e) \w+) (?:been )?(?:getting (?:bigger|larger|smaller)|growing|grown|shrinking|shrunk)\b|\bsize (?:trend|history|by month|over)\b|\b(?:growing|bigger) or (?:shrinking|smaller)\b|(?:人数|规模)(?:的)?(?:曲线|变动)|越来越(?:多|少)了?(?:吗|没)|(?:在)?(?:涨|跌)(?:了)?(?:吗|没|还是)|"
        r"\btrend(?:s|ing)?\b(?! (?:of|in) (?:spend|orders?|purchases?)\b)|\bover time\b|\bhow (?:has|have|did) (?:it|this|that|they|the (?:segment|audience|group|size))\b[^?]{0,20}\b(?:chang|grow|grew|mov|develop|shr[iu]nk)"
        r"|\b(?:is|are) (?:it|this|they|these|those|the (?:segment|audience|group)) (?:growing|shrinking|getting (?:bigger|larger|smaller))\b|(?:他们|人数|规模|分群|人群)(?:是?在|有没有|有)?(?:增长|增加|减少|萎缩)(?:了)?(?:吗|么|没有)|\bhistory of (?:this|the) segment|(?:人数|数量|客户数|规模)(?:的)?(?:变化|趋势|走势|增减)|变化(?:情况|如何|怎样|怎么样|趋势)|变(?:多|少)了(?:吗|没有|还是)|人数(?:是)?(?:多|少|涨|跌|增加|减少)了|(?:分群|人群|规模).{0,6}(?:变化|趋势|走势)|趋势(?:如何|怎么样|怎样)|随时间"
    ),
    "breakdown_segment": _rx(
        r"^\s*(?:and |now |ok |then |so )?by (?:their )?(?:[a-z]+ ?){1,3}[?.!]*\s*$|\b(?:their|its|the|show|me) (?:\w+ ){1,3}(?:mix|split|make-?up|composition)\s*[?.!]*$|\b(?:splits?|distributed) (?:out )?(?:across|over|between|by)\b|\bbr(?:ea|a)ke? (?:it|this|that|them|these|those) down\b|按.{1,12}(?:拆|分|看|统计)(?:一下)?[。？?！!]?$|(?:各|不同)(?:年龄|收入|门店)[^。？]{0,4}(?:占比|多少|分布)|"
        r"\bbreak (?:it|this|that|them|these|those|the (?:segment|audience|group)) (?:down|out|up) by\b|\bsplit (?:it|this|that|them|these|those|the (?:segment|audience|group))(?: up)? by\b|\bbreakdown (?:of \w+ )?by\b|\bdistribution (?:of|by|over|across)\b|\bgroup (?:it|them|these|those) by\b|\b(?:their|its|the) (?:\w+ ){1,3}(?:distribution|breakdown)\b|\b(?:split|broken down|break ?down|breakdown|grouped|sliced?) by\b|\b(?:split|divide|segment|group) (?:up )?(?:our|my|all|the|everyone)(?: (?:the|our))?(?: (?:customers?|shoppers|households|people|(?:customer )?base))? by\b(?! (?:how|what|the way|(?:their )?(?:behav|shop|buy|purchas)))"
        r"|按.{1,12}(?:拆分|细分|分布|分组|看看|统计)|.{1,12}分布"
    ),
    "overlap_segments": _rx(
        r"\b(?:saved|my|our|these) segments\b[^.?!]{0,25}\b(?:same|shared?|common|duplicat\w+)\b|(?:分群|人群|存的)[^。？]{0,10}(?:重合|重叠|重复|交集|交叉)|\boverlap (?:matrix|table)\b|"
        r"\boverlaps?\b[^.?!]{0,30}\b(?:saved|segments)\b|\b(?:saved|my|our) segments\b[^.?!]{0,20}\boverlap|\b(?:duplicate|redundant|near[- ]duplicate) segments?\b|分群.{0,8}(?:重叠|重复|交集)|(?:重叠|重复).{0,6}分群"
    ),
    "compare_segments": _rx(
        r"\b(?:next to|side by side|alongside|set against|as opposed to) (?:the|our|my|those|people|customers|folks|with)\b|\bdifferences? (?:is |are |there (?:is|are) |lies? )?between\b|\bput\b[^.?!]{3,50}\b(?:next to|against|beside)\b|\bagainst (?:the |our |my )?(?:\w+ ){1,4}(?:: |- )?what (?:differs|is different)|对照(?!组|实验)|比一下|比一比|比比看|差别大不大|有(?:啥|何|什么)(?:区别|差别|不同)|"
        r"\bcompare\b|\bhow (?:do|does|are|is)\b[^?]{3,60}\b(?:stack up|differ(?:ent)?) (?:from|against|to)\b|\bversus\b|\bvs\.?\b|\bdifference between\b|\bhow (?:do|does) (?:this|they|it|these|that) (?:segment )?(?:compare|stack up|differ)|\boverlap\b|有什么不一样|有何不同|不一样在哪|差在哪|差异|差别|对比|比较|相比之下|重叠|和.{1,20}(?:有什么|的)(?:区别|差别|不同)"
    ),
}

CAMPAIGN_CUES: dict[str, re.Pattern[str]] = {
    "save_plan": _rx(
        r"\b(?:save|keep|store)\b[^.?!]{0,10}\b(?:that|this|the) plan\b|"
        r"\b(?:save|keep|store|export)\b[^.?!]{0,15}\b(?:plan|strategy|campaign)\b|(?:保存|导出|存下)[^。？！]{0,8}(?:方案|策略|计划)|(?:方案|策略|计划)[^。？！]{0,4}(?:保存|存[为成下])"
    ),
    "measure_campaign": _rx(
        r"\bcampaigns?\s+(?:#|no\.?\s*|number\s+)?\w+\s+(?:lift|results?|roi|performance|effect|outcome|impact|recap|review|debrief)\b|\bhow['’]d\b[^?]{0,40}\b(?:do|go|perform|work)\b|\bhow['’]?d it (?:do|go|perform|work)\b|\bwhat did\b[^?.!]{0,15}\b(?:campaign|mailing|test|experiment)\b[^?.!]{0,15}\b(?:return|bring|achieve|deliver|yield|earn|make|do|get|change)\b|\b(?:campaign|mailing|test|experiment)\b[^?.!]{0,20}\bbring\b[^?.!]{0,15}\bin\b|\b(?:was|were)\b[^?.!]{0,25}\b(?:campaign|mailing|test|experiment)\b[^?.!]{0,15}\b(?:worth it|success\w*|profitable|any good)\b|(?:活动|实验|测试)[^。？?]{0,8}(?:复盘|赚|亏|回本|有没有用|有用吗|转化|战果)|复盘[^。？?]{0,8}(?:活动|实验|测试)|"
        r"\bhow (?:did|has|have|is|was|are)\b(?! (?:the |our |my |total |overall )*(?:sales|business|revenue|turnover|things|trade)\b)[^?]{0,60}\b(?:do|done|doing|perform(?:ed|ing)?|go|going|work(?:ed|ing)?|land)\b(?=\s*[?.!]?\s*$)"
        r"|\b(?:results?|outcome|lift|effect|impact) of\b[^?]{0,30}\b(?:campaign|test|experiment|mailing|promotion)\b|\bdid\b[^?]{0,40}\b(?:campaign|test|experiment|mailing)\b[^?]{0,30}\b(?:work|change (?:any|some)thing|make a difference|achieve (?:any|some)thing|help)\b"
        r"|(?:活动|实验|测试|邮件).{0,16}(?:效果|结果|表现|成效|成绩|战绩|收效|回报|业绩|怎么样|如何)|(?:效果|结果|表现|成效)(?:如何|怎么样|怎样)"
        r"|\bhow much\b[^?]{0,50}\b(?:because of|from) (?:the )?(?:campaign|mailing) #?\w+|\bcampaigns?\b[^.?!]{0,40}\b(?:really brought|brought in|pay(?:s|ed)? (?:off|for itself)|paid off)\b|\bredemption rate of (?:the )?campaign"
        r"|收到[^。？?]{0,6}活动的?[^。？?]{0,8}没收到|活动[^。？?]{0,10}(?:划算|带来多少|拉动)"
    ),
    "assign_holdout": _rx(
        r"\ba\s*/\s*b\b|\b\d{1,2}\s*/\s*\d{1,2} (?:test|split|a/?b|hold)|\b(?:keep|hold|leave|set) (?:some|a few|part|one in|a (?:share|tenth|fifth|quarter|third|portion)|\d+ ?(?:%|percent)?)\b[^.?!]{0,25}\b(?:back|out|aside|unmailed)\b|\btest(?:ed)? (?:this |it |them )?properly\b|留(?:出|下)?[^。？?，,]{0,8}(?:做|当|作)?对照|对照(?:组)?(?:比例|分组)|(?:空白|对照)组|"
        r"\ba\s*/\s*b[- ]tests?\b|\bab[- ]tests?\b|\bsplit[- ]tests?\b|\bhold[- ]?outs?\b|\bcontrol group\b|\btreatment (?:and|group)|\brandomi[sz]ed?\b|\b(?:run|set up|start|create) (?:an? )?(?:experiment|test)\b"
        r"|[aA]\s*/?\s*[bB]\s*(?:测试|实验)|对照组|实验组|对照实验|随机分组|分组实验"
        r"|\b\d{1,2}\s*/\s*\d{1,2} (?:test|split)\b|随机(?:留|抽|分)[^。？?]{0,10}(?:对照|不发|两组)|留[^。？?]{0,8}(?:不发|做对照)"
    ),
    "compare_plans": _rx(
        r"\bsame\b[^.?!]{0,20}<money>|\b(?:doubl|halv|tripl|rais|increas|cut|reduc|lower|slash)\w*\b[^.?!]{0,15}\bbudget\b|\bif (?:i|we) (?:could |can )?(?:scrape together|find|had|got|get|put in|spent|spend)\b[^.?!]{0,15}<money>|预算(?:如果|若|要是)?(?:翻|加|提|升|涨|降|减|砍|调|增|改|变)[^。？?]{0,6}(?:倍|<money>|\d)|"
        r"^\s*(?:and |but |ok,? )?(?:what about |how about )?with \d[\d,.]*k? instead\b|<money>(?!\w)[^.?!]{0,20}\binstead\b|\binstead\b[^.?!]{0,25}<money>|\bwhat if\b[^.?!]{0,30}(?:\bbudget\b|<money>)|\b(?:different|another|bigger|smaller|larger) budget\b"
        r"|(?:换成|改成|改为|如果|要是|若)[^。？！]{0,10}(?:预算|<money>)"
    ),
    "backtest_strategy": _rx(
        r"\b(?:if|had) (?:we|i)(?:['’]d| had)? (?:done|run|tried|sent) (?:this|it|that)\b|历史回测|回溯(?:测试|检验)|"
        r"\bback-?\s?test|\bwould (?:it|this|that) have worked\b|回测|过去.{0,6}会(?:怎样|如何)"
    ),
    "dial_lookalikes": _rx(
        r"\b(?:look-?alikes?|lal)\b[^.?!]{0,20}\b(?:size|reach|scale)\b[^.?!]{0,12}\b(?:quality|lift|similarity|precision)\b|\bhow far\b[^.?!]{0,30}\blook-?alike|"
        r"\blook-?\s?alike dial\b|\bhow (?:far|large|big|many)\b[^?]{0,40}\blook-?\s?alikes?\b|\bhow far can (?:i|we) (?:expand|grow|stretch)|相似人群刻度|(?:相似人群|扩展).{0,8}(?:多大|多少|到多)"
    ),
    "write_copy": _rx(
        r"\b(?:write|draft|compose|word|whip up|knock up|knock out|come up with)\b[^.?!]{0,40}\b(?:e-?mail|sms|text(?: message)?|copy|subject lines?|newsletter|advertising text|advert|ad text)\b|\bsubj(?:ect)?s?\.? lines?\b|(?:编|来|拟|写|搞|出)(?:个|条|段|封|点|一)[^。？！]{0,8}(?:短信|文案|邮件|推送|话术)|"
        r"\b(?:write|draft|compose|word)\b[^.?!]{0,30}\b(?:e-?mails?|sms|texts?|messages?|copy|subject lines?|newsletter)\b|\b(?:e-?mail|ad|marketing) copy\b|\bsubject lines?\b"
        r"|(?:写|拟|起草|撰写)[^。？！]{0,10}(?:邮件|短信|文案|标题|主题)|(?:邮件|短信|营销)文案"
        r"|(?:写|拟|起草|撰写)[^。？！]{0,16}(?:推文|推送|朋友圈|开头|广告语)"
    ),
}
"""Asked of a campaign in its own words; where one of these is meant, tools with wider words are not."""

WHO_ARE_THEY = _rx(r"\bwho are (?:they|these|those)\b|他们是谁|都是谁")
"""Asks for a profile of the current segment; after a description it only asks for the segment."""

DESTRUCTIVE = _rx(
    r"\b(?:drop|truncate|wipe|erase|destroy|purge)\b[^.?!]{0,40}\b(?:table|database|data|customers?|records?|warehouse|everything|history|index|transactions?|db|events?|rows?|schema)\b"
    r"|\bdelete\b[^.?!]{0,40}\b(?:tables?|database|data|customers?|households?|records?|warehouse|everything|history|transactions?|accounts?|all|everyone|everybody|rows?|events?|purchases?|coupons?|users?)\b"
    r"|\b(?:update|insert into|alter)\s+\w+\s+(?:set|values|table)|\brm -rf\b|\b(?:set|change|overwrite|modify|edit|reset) (?:all |every |everyone'?s? )?(?:the |their |all )?(?:prices?|customer (?:data|records?)|ages?|incomes?|transactions?|purchase history)\b"
    r"|删除(?!.{0,12}分群)(?!.{0,8}条件).{0,12}(?:客户|数据|表|记录|数据库|交易|订单|一切|所有)|清空|删库|销毁|抹掉|把.{0,8}(?:数据|客户|记录|表).{0,4}(?:删|清)"
)


@dataclass(frozen=True)
class Intents:
    """The tools whose words the message has, and arguments read from it."""

    tools: tuple[str, ...]
    destructive: bool = False
    top: int | None = None
    k: int | None = None
    budget: float | None = None
    name: str | None = None
    goal: str | None = None
    outcome: str | None = None
    customer: str | None = None
    feature: str | None = None
    campaign: str | None = None
    weeks: float | None = None
    holdout: float | None = None
    margin: float | None = None
    discount: float | None = None
    arguments: dict[str, Any] = field(default_factory=dict)


_ACQUIRE = re.compile(
    r"\b(?:acquir\w+|acquisition|attract|recruit)\b"
    r"|\b(?:get|gain|win|find|bring|reach|add|land)\b(?: (?:me|us|in|over|some|many|\d[\d,]*))* (?:new|more|other|additional)"
    r" (?:customers?|people|shoppers?|households?|buyers?|ones)\b"
    r"|\b(?:plan|run|design|build|make|create|draft|start)(?: (?:me|us))? (?:an?|the|some) (?:[\w-]+ )?(?:campaign|strategy|plan)\b(?: to)?"
    r"|拉新|获客|获取|(?:新|更多|其他)的?(?:客户|顾客|用户|买家)",
    re.IGNORECASE,
)
"""Of lookalikes with a budget or a plan: that these are whom the plan is for."""
_BUDGET_ZH = _rx(r"(?:用|拿|花|以|按)<money>")
_GOALS = (
    (
        "win_back",
        r"\bwin\b.{0,12}\bback\b|\bwin-?back\b|re-?activat|re-?engage|lapsed|bring them back|get them back|挽回|召回|唤回|激活.{0,4}(?:沉睡|流失)|重新激活",
    ),
    ("retain", r"\bretain|retention|keep them|loyal|留住|留存|保留"),
    (
        "grow_basket",
        r"\bgrow\b.{0,15}\bbasket|bigger baskets?|basket size|spend more|average order|提高客单|提升客单|客单价",
    ),
    ("cross_sell", r"cross[- ]?sell|交叉销售"),
    (
        "activate_coupon",
        r"coupon (?:use|usage|redemption|activation)|us(?:e|ing) (?:more |their |our |the )?coupons|redeem|用券|优惠券使用|核销",
    ),
)
_NAME = re.compile(
    r"[\"“「《]([^\"”」》]{1,60})[\"”」》]|(?<!\w)['‘]([^'’]{1,60})['’](?!\w)"
    r"|\bsave\s*[:=]\s*(?P<short>[A-Za-z0-9][\w \-&]{0,50})|(?:^|[，,])\s*存\s+(?P<short_zh>[^\s，。？！,.?!]{1,30})"
    r"|\b(?:as|called|named|name it|call it|under the name|segment(?! (?:as|called|named|definition|sql|with|that|for|of|is|was|i|we|and)\b))\s+(?:the\s+)?(?!(?:an? )?(?:hold-?outs?|control)(?: group)? (?:called|named|as|and)\b)([A-Za-z0-9][\w \-&]{0,50}?)(?:[.?!,]|$| please| and )"
    r"|(?:(?:方案|策略|计划|分群)为|存为|存成|保存为|保存成|命名为|叫做|叫|名为|取名)[:：]?\s*([^\s，。？！,.?!“「《]{1,30})"
)
_NO_NAME = re.compile(
    r"(?:an? |the )?(?:hold-?outs?|control)(?: group)?|(?:a |the )?(?:plan|segment)|对照组?", re.IGNORECASE
)
"""'Keep 10 % as holdout' says what for."""
NAMING = ("save_segment", "delete_segment", "show_segment", "compare_segments")
"""Tools whose messages name a segment."""
_OPENING = re.compile(
    r"\s*(?:please |(?:can|could) you |let['’]s |let us )*(?:open|load|show(?: me)?|pull up|go(?: back)? to|bring (?:up|back)|reopen|switch to)"
    r"\s+(?:my |the |our )?(?:saved )?(?:segment )?['\"‘“]?$|\s*(?:请|帮我|麻烦)*(?:把|将|打开|载入|加载|显示|查看|看看|调出)(?:分群)?[“「《\"]?$",
    re.IGNORECASE,
)

_OPENED = re.compile(
    r"(?:segment|group|audience|again|please|now|for me|would you|will you|thanks|[ ,])*"
    r"|(?:分群|人群)?(?:给我)?(?:调出来|打开|拿出来|找出来|显示出来|载入|加载)?(?:看看|看一下|一下|吧)*",
    re.IGNORECASE,
)
"""What may follow the name."""


def opens(message: str, name: str) -> bool:
    """Whether a message only asks for the saved segment of that name: 'open Beer parents'."""
    place = message.casefold().find(name.casefold())
    rest = message[place + len(name) :].strip(" .!?。！？'\"’”」》")
    return (
        place >= 0 and _OPENED.fullmatch(rest) is not None and _OPENING.fullmatch(message[:place]) is not None
    )


NAMING_CAMPAIGN = ("save_plan", "assign_holdout", "measure_campaign")
_CAMPAIGN_NAME = re.compile(
    r"\b(?:campaign|test|experiment|mailing)\s+(?:#|no\.?\s*|number\s+)?(\d[\w-]*)\b|(?:活动|实验|测试)\s*(\d[A-Za-z0-9_-]*)|第?\s*([\d一二两三四五六七八九十百]+)\s*号\s*(?:的)?(?:营销)?(?:活动|实验|测试)",
    re.I,
)
_DAYS14 = re.compile(
    r"two weeks|2 weeks|14 days|fortnight|next week|两周|2周|14天|十四天|下周|一周|purchase_14d", re.I
)
_COUPON = re.compile(r"coupon|redeem|voucher|券|核销", re.I)


_PEOPLE = r"(?:customers|households|families|shoppers|people|buyers|clients|guests|members|folks)"
_CUSTOMER = re.compile(
    # 'families like household 718' are any households.
    rf"(?:\b{_PEOPLE} (?:(?:who|that) )?(?:are )?(?:(?:most|very|just|much) )?(?=(?:like|similar|alike|resembl)))?"
    r"\b(?:like|to|as|of|resembl(?:e|es|ing))\s+(?:customer|household|shopper|client|buyer|member)\s+(?:#|no\.?\s*|number\s+|id\s+)?([A-Za-z]*\d[A-Za-z0-9_-]*)\b"
    r"|(?:客户|家庭|用户|顾客|会员)\s*(?:编号|ID|id|号)?\s*(\d[A-Za-z0-9_-]*)|(\d[A-Za-z0-9_-]*)\s*号\s*(?:客户|家庭|用户|顾客|会员)",
    re.IGNORECASE,
)


def spoken_customer(message: str) -> tuple[tuple[int, int], str | None]:
    """The one customer (source id) that lookalikes are wanted of, with its place."""
    match = _CUSTOMER.search(message) if CUES["find_lookalikes"].search(message) else None
    return (match.span(), match[1] or match[2] or match[3]) if match else ((0, 0), None)


AHEAD = ("estimate_uplift", "customer_value")
"""Tools that speak of what is to come: what their words and their horizon say is no condition."""
_HORIZON = re.compile(
    rf"\b(?:(?:over|in|within|for|during|across) )?(?:the )?(?:next|coming|following) (?:(?P<en>{EN_NUMBER}|an?|few) )?(?P<unit>year|quarter|month|week|day)s?\b"
    rf"|(?:在)?(?:未来|今后|接下来|往后|之后)(?:的)?(?P<zh>{ZH_NUMBER}|半)?个?(?P<unit_zh>年|季度|季|月|周|星期|天|日)(?:内|里|中|以内)?|明年|下一年"
    r"|下一?个?(?P<next_zh>季度|季|月|周|星期)",
    re.IGNORECASE,
)
_WEEKS = {"year": 52.0, "quarter": 13.0, "month": 52 / 12, "week": 1.0, "day": 1 / 7}
_UNITS_ZH = {
    "年": "year",
    "季度": "quarter",
    "季": "quarter",
    "月": "month",
    "周": "week",
    "星期": "week",
    "天": "day",
    "日": "day",
}
_COUNTS = {"a": 1.0, "an": 1.0, "few": 3.0, "半": 0.5}
"""Counts that are no number words."""
_CAMPAIGN = re.compile(
    r"\b(?:campaign|mailing)\s+#?([A-Za-z]*\d\w*)|(?:营销)?活动\s*(\d+)|第?\s*([\d一二两三四五六七八九十百]+)\s*号\s*(?:的)?(?:营销)?活动",
    re.IGNORECASE,
)


_CAMPAIGN_ZH = re.compile(
    r"(?<!收到)(?<!收到[过了])(?:第?\s*[\d一二两三四五六七八九十百]+\s*号\s*(?:的)?(?:营销)?活动"
    r"|(?:营销)?活动\s*[\d一二两三四五六七八九十百]+\s*号?(?=(?:的|所?带来的?|所?产生的?)?(?:平均|总体?|整体|真实|净|客户)*(?:增益|增量)|[里中]?有?多少[^。？?，,]{0,6}(?:因|靠)))"
)
"""Of whom a past campaign moved: which campaign, and not who received it."""


def _digits(name: str) -> str:
    """'十三' -> '13': campaigns are numbered in digits."""
    return f"{to_number(name):g}" if re.fullmatch(r"[一二两三四五六七八九十百]+", name) else name


_WITHOUT = re.compile(
    r"\bwould\b(?! (?:you|like)\b)[^.?!]{1,40}?\b(?P<said>have (?:bought|come|shopped|ordered|purchased)\b[^.?!]{0,12}\bwithout"
    r" (?:it\b|(?:(?:the|a|an|our|that|this) )?(?:coupon|campaign|mailing|e-?mail|offer|voucher|promotion|discount)s?(?:\s*#?\d+)?))",
    re.IGNORECASE,
)
"""What would have been without a campaign: nobody who did not receive it."""


def spoken_ahead(message: str) -> list[tuple[int, int]]:
    """Where a message speaks of what is to come, for a tool that foresees: the question and its horizon."""
    ranked = asks_ranked_value(message)  # what is most valuable stays, as a rank
    asked = (tool for tool in AHEAD if not (ranked and tool == "customer_value"))
    spans = [match.span() for tool in asked for match in CUES[tool].finditer(message)]
    if spans:
        spans += [match.span("said") for match in _WITHOUT.finditer(message)]
    if spans or ranked:
        spans += [match.span() for pattern in (_HORIZON, _CAMPAIGN_ZH) for match in pattern.finditer(message)]
    return spans


def spoken_acquisition(message: str) -> list[tuple[int, int]]:
    """Where a message says that a plan is to acquire lookalikes: whom to get is no condition of who is there."""
    planned = CUES["plan_strategy"].search(message) or _BUDGET_ZH.search(message)
    if CUES["find_lookalikes"].search(message) and planned:
        return [match.span() for match in _ACQUIRE.finditer(message)]
    return []


_PLANNED = re.compile(
    r"\b(?:get|make|have|encourage|nudge|persuade|convince|motivate) (?:people|customers|them|these|those|more of them) (?:to )?(?:use|redeem)"
    r" (?:more |their |our |the )?coupons\b|"
    r"\b(?:plan|run|design|build|make|create|draft|start|launch|propose|suggest|prepare|need|want|give|send)(?: (?:me|us|them|these|those))?"
    r" (?:an?|the|some|another) (?:[\w-]+ ){0,2}?campaign(?: plan| strategy)?\b(?!\s*#?\d)"
    r"|(?:(?:做|出|来|搞|要|制定|设计|策划)(?:一?[个份套场])?)?(?:营销)?活动的?(?:方案|计划|策略)",
    re.IGNORECASE,
)


def spoken_plan(message: str) -> list[tuple[int, int]]:
    """Where a message asks for a campaign's plan: that campaign is yet to come, and nobody received it."""
    return [match.span() for match in _PLANNED.finditer(message)]


def spoken_weeks(message: str) -> float | None:
    """The horizon that a message says ('over the next six months'), in weeks."""
    match = _HORIZON.search(message)
    if match is None:
        return None
    count, unit = (
        match["en"] or match["zh"],
        (match["unit"] or _UNITS_ZH.get(match["unit_zh"] or match["next_zh"] or "", "year")).lower(),
    )
    if count is None:
        return _WEEKS[unit]
    count = count.lower()
    return (_COUNTS.get(count) or to_number(count)) * _WEEKS[unit]


def spoken_name(message: str) -> tuple[tuple[int, int], str | None]:
    """The segment's name that a message says ('save this as Gas fans'), with its place."""
    campaign = any(CAMPAIGN_CUES[tool].search(message) for tool in NAMING_CAMPAIGN)
    if not campaign and not any(CUES[tool].search(message) for tool in NAMING):
        return (0, 0), None
    match = (_CAMPAIGN_NAME.search(message) if campaign else None) or _NAME.search(message)
    if match is None:
        return (0, 0), None
    group = next(i for i, said in enumerate(match.groups(), 1) if said)
    if _NO_NAME.fullmatch(match[group].strip()):
        return (0, 0), None
    return match.span(group), _digits(match[group].strip())


_FORESEEN = re.compile(
    r"\b(?:probabilit\w+|likel\w+|odds|chances?|propensit\w+)\b[^,.;?!]*\b(?:buy|purchas|order|shop|com|return)\w*[^,.;?!]*",
    re.IGNORECASE,
)
"""What is to be foreseen, apart from what else the message says of coupons."""


def spoken_outcome(message: str) -> str:
    """Of the outcomes that every workspace has, the one that a message asks about."""
    foreseen = _FORESEEN.search(message)
    if _COUPON.search(foreseen.group() if foreseen else message):
        return "coupon_redeem_30d"
    return "purchase_14d" if _DAYS14.search(message) else "purchase_30d"


NO_TOOL = ("define_segment", "refine_segment", "clarify", "refuse")
"""Asked for without words of their own: by a description, an edit, or neither."""


def cued(tool: str, text: str, asked: str | None = None) -> bool:
    """Whether a text asks for a tool: by its words, unless it is known which tool is asked for."""
    return bool(CUES[tool].search(text)) if asked is None else asked == tool


def read_intents(message: str, found: Sequence[Number], asked: str | None = None) -> Intents:
    """Cues and arguments of a message. asked: the tool that it is known to ask for, whatever its words are cues of."""
    destroys = bool(DESTRUCTIVE.search(message))
    market = asked if asked in MARKET_TOOLS else market_tool(message) if asked is None else None
    if market is not None and not destroys:
        return Intents((market,), arguments=market_arguments(market, message))
    if (asks_change(message) if asked is None else asked == DIFF) and not destroys:
        return Intents((DIFF,))
    destructive = destroys and not CUES["delete_segment"].search(message)
    place, name = spoken_name(message)
    # 'Loyalty push' is what the plan is called, not what it is for; 'kids winback' asks for no plan.
    unnamed = message if name is None else blanked(message, [place])
    campaign = None
    if asked is None:
        campaign = next((name for name, pattern in CAMPAIGN_CUES.items() if pattern.search(message)), None)
        if campaign == "compare_plans" and not any(n.value >= 1 for n in found):
            campaign = None
        by_words = tuple(tool for tool, pattern in CUES.items() if pattern.search(unnamed))
        tools = (campaign,) if campaign else by_words
    else:
        tools = () if asked in NO_TOOL else (asked,)
    counts = [
        n for n in found if n.op is None and n.value >= 1 and n.unit in ("people", "customers", "", "units")
    ]
    top = next((int(n.value) for n in counts if n.value.is_integer()), None)
    k = next(
        (
            int(n.value)
            for n in found
            if n.unit in ("segments", "customers", "people", "units", "") and 2 <= n.value <= 20
        ),
        None,
    )
    money = next((n.value for n in found if n.unit == "money"), None)
    if money is None and {"plan_strategy", "compare_plans"} & set(tools):
        money = next((n.value for n in found if n.unit == "" and n.value >= 100), None)
    goal = next((goal for goal, pattern in _GOALS if re.search(pattern, unnamed, re.IGNORECASE)), None)
    acquires = asked in (None, "plan_strategy", "find_lookalikes") and spoken_acquisition(unnamed)
    if campaign is None and acquires:
        goal, tools = "acquire_lookalikes", ("plan_strategy",)
    _, customer = spoken_customer(message)
    shares = (n.value / 100 for n in found if n.unit == "percent" and 0 < n.value < 100)
    holdout = next(shares, None) if "assign_holdout" in tools else None
    past = _CAMPAIGN.search(message)
    if (
        asked is None
        and goal == "cross_sell"
        and campaign is None
        and ("plan_strategy" in tools or _BUDGET_ZH.search(message))
    ):
        # 'Cross-sell to them with $4,000' is no question of what to recommend.
        tools = (
            *(tool for tool in tools if tool not in ("recommend_products", "plan_strategy")),
            "plan_strategy",
        )
    if "list_segments" in tools:
        # 'What segments do we have so far?' looks for none that nobody knows yet.
        tools = tuple(tool for tool in tools if tool != "discover_segments")
    if asked is None and not destroys and asks_ranked_value(unnamed):
        tools = tuple(dict.fromkeys([*tools, "customer_value"]))
    if set(AHEAD) & set(tools):
        # 'Would they', 'will they': the words of a propensity, inside a question about something else.
        tools = tuple(tool for tool in tools if tool != "score_propensity")
    return Intents(
        tools,
        destructive,
        top,
        k,
        money,
        name,
        goal,
        spoken_outcome(message),
        customer,
        campaign=_digits(past[1] or past[2] or past[3]) if past else None,
        weeks=spoken_weeks(message),
        holdout=holdout,
    )
