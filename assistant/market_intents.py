"""Words that ask about goods, orders and campaigns rather than about customers, and what they name.

Such a message describes no segment: where these words stand, no other tool is offered.
"""

from __future__ import annotations

import re
from typing import Any


def _rx(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_NOBODY = (
    r"^(?![^?]*\b(?:who|whose|customers?|people|shoppers?|households?|buyers?|folks|segments?|audiences?)\b)"
)
"""At the start of a message that speaks of no customers."""
_NOBODY_ZH = r"^(?![^？?]*(?:客户|顾客|用户|会员|人群|分群|的人|谁|家庭))"
_PLACE = (
    r"(?:displays?|displayed|mailers?|fl[iy]ers?|circulars?|end[- ]?caps?|end of (?:the |an )?aisle|(?:front|back) page|"
    r"shel(?:f|ves)(?![- ]stable)|store ?front|aisle)"
)
_PLACE_ZH = r"(?:陈列|堆头|端架|货架|海报|传单|邮报|封面|版面)"
_PAYS = r"(?:works?|sells?|more|best|better|most|boost\w*|help\w*|worth|matters?|effective|where|effect|relationship|influence)"
_PAYS_ZH = r"(?:哪[个里种儿些]|最|更|多卖|有[效用]|适合)"
_MAILINGS = r"(?:(?:e-?)?mails?|mailings?|campaigns?|messages?|contacts?|touch(?:es)?)"
_UNITS = r"(?:units?|items?|pieces|packs?|boxes|cases|bottles|cans)"
_UNITS_ZH = r"[件瓶包盒袋箱罐]"

MARKET_CUES: dict[str, re.Pattern[str]] = {
    "bought_together": _rx(
        r"\bbundled? (?:up |together )?(?:well |best )?with\b(?= \w+[^.?!]*\?|[^.?!]{1,30}$)|\bbuyers also (?:buy|get|purchase|pick up)\b"
        r"|买.{1,10}的(?:人|客户|顾客)[^。？?]{0,4}(?:还|也)(?:会|都|常|经常|通常|往往|总)?(?:一起|一块儿?|同时|顺便|搭着)?(?:购买|买)(?:什么|哪些|啥|点)|和(?:什么|啥|哪些)[^。？?]{0,6}(?:捆绑|搭售)|同一个?(?:购物篮|购物车|订单)[^。？?]{0,4}[？?]?$|"
        r"^(?![^?]*\b(?:who|customers|people|shoppers|households|buyers|folks)\b)[^?]*\b(?:bought|sold|purchased|sells?|buy|goes?) (?:best |well )?(?:together|alongside|hand in hand)\b|\baffinit(?:y|ies)\b[: ](?!index)|\b(?:throw|put|toss|pop|take|land)s? in(?:to)? the(?:ir)? (?:same )?(?:cart|basket|trolley)s? (?:along )?with\b|\bgo(?:es)? hand in hand with\b|连带(?:商品|品类|率|什么|啥)|顺(?:带|便|手)买|(?:和|与|跟).{1,8}(?:同时|一起|一块儿?)购?买的(?:商品|东西|品类)|同时购买的(?:商品|东西|品类)|"
        r"\b(?:what|which (?:other )?(?:products?|items?|categories|things|goods))\b(?! (?:kind|sort|type)s? of (?:customers|people|shoppers))[^.?!]{0,40}\b(?:together|along ?with|alongside|goes? (?:well )?with|same basket)\b"
        r"|\bwhat (?:else )?(?:sells|sold|is sold|goes|is bought) (?:(?:well|best|most|along|together) )*(?:with|alongside)\b"
        r"|\bmarket[- ]basket\b|\bbasket analysis\b|\bbought[- ]together\b|\bassociation rules?\b"
        r"|(?:什么(?!样|人)|哪些(?!客户|顾客|用户|会员|人|家庭)|啥)[^。？?]{0,12}(?:一起|搭配着?|同时|连带)(?:购买|买|卖)|购物篮分析|关联规则|关联购买|连带销售"
        r"|\b(?:what|which \w+)\b[^.?!]{0,20}\bin the (?:same )?(?:basket|cart|trolley)\b|\bbest (?:partner|companion|pairing)\b|\bbundle ideas?\b|\bpair(?:s|ed|ing)? (?:well|best) with\b"
        r"|(?:一起|同时|搭着|顺手)买的?(?:是什么|有哪些|是啥)|购物篮[^。？?]{0,10}(?:搭配|组合)|搭(?:什么|啥)(?![^。？?]{0,6}推)|会顺手买|(?<!想做个)组合装|常见的?搭配"
    ),
    "forecast_demand": _rx(
        rf"\brisk of (?:running out|a stock-?out|going out of stock)\b|\bhow (?:much|many)\b[^.?!]{{0,30}}\bshould (?:store|shop|branch) #?\w+ (?:re-?)?(?:order|stock)\b|\b(?:about|going|likely) to (?:run|sell) out\b|\bsafety stock\b|\bhow many units of\b[^.?!]{{1,30}}\b(?:will|would|are going to|gonna)\b|\bre-?order (?:point|level)\b"
        rf"|\b(?:will|are|is) \d[\d,]* (?:{_UNITS} )?(?:of )?[^.?!]{{1,50}}\b(?:last|enough|suffice)\b|\d\s*{_UNITS_ZH}[^。？?]{{0,12}}(?:够|撑|卖[得不]?完)|要补货|安全库存|(?:订|补|进)货(?:量|点)|"
        r"\bfcst\b|\bforecast\b[^.?!]{0,30}\b(?:units|soup|demand|sales)\b|\bhow (?:much|many)\b[^.?!]{0,40}\b(?:will|shall|are|would) (?:we|i|you)(?: going to| gonna)? (?:sell?|need|shift|move)\b|\bhow (?:much|many)\b[^.?!]{0,40}\b(?:we|i) (?:will|would|shall|are going to|am going to) (?:sell?|need|shift|move)\b|\bhow (?:much|many)\b[^.?!]{0,40}\bam i (?:going to|gonna) (?:sell|need)\b|\b(?:need|have) to (?:re-?order|re-?stock|order more)\b|\b(?:run|running) (?:out of|short of|low on)\b(?=[^?]*\b(?:weeks?|months?|soon|stock)\b)|备货|(?:接下来|未来|下个?月|下周)[^。？?]{0,10}(?:好不好卖|好卖|卖得|能卖)|(?:好不好卖|好卖吗|卖得动)|"
        r"\bforecast(?:s|ing)?\b[^.?!]{0,30}\b(?:demand|sales|units|volumes?)\b|\b(?:demand|sales) (?:forecasts?|outlook)\b|\bpredict\b[^.?!]{0,15}\b(?:demand|sales)\b"
        r"|\bhow (?:much|many)\b[^.?!]{0,40}\b(?:will|are) we (?:going to )?(?:sell|need)\b|\bhow (?:much|many)\b[^.?!]{0,40}\b(?:should|do|must) we (?:re-?)?(?:order|stock)\b"
        r"|\b(?:should|must) (?:we|i) re-?(?:order|stock)\b|\bstock-?outs?\b|\bwill\b[^.?!]{0,40}\b(?:in stock|stock|on hand)\b[^.?!]{0,20}\b(?:last|be enough)\b|\bwill we run out of\b"
        r"|(?:需求|销量|销售量)的?预测|预测[^。？?]{0,15}(?:需求|销量|销售量)|(?:该|要|需要|应该)(?:补|订|进)多少货?|(?:会不会|要不要|需要)(?:缺货|断货|补货)|(?:缺货|断货)风险|库存[^。？?]{0,12}(?:够|撑)|(?:未来|接下来)[^。？?]{0,8}(?:会|能|要)卖出?多少"
        r"|\b(?:will|are) (?:\w+ ){1,3}sales (?:go|going|rise|fall|grow|drop)\b|\b(?:sales|demand)\b[^.?!]{0,25}\b(?:next|coming) (?:week|month|quarter|year)\b"
        r"|备多少货|(?:要|该|得)备[^。？?]{0,4}货|会卖到?多少|(?:能|会)卖(?:出)?多少|卖得(?:怎么样|如何)[^。？?]{0,4}(?:下|未来)"
    ),
    "find_anomalies": _rx(
        r"\bcoupons?\b[^.?!]{0,20}\b(?:abused|misused|exploited|gamed)\b|\bgaming\b[^.?!]{0,15}\b(?:coupons?|offers?|promo\w*|discounts?|system|us)\b|\bbehav\w+ (?:very |so )?(?:oddly|strangely|weirdly|suspiciously|unusually)\b"
        r"|\b(?:any|are there|do we have|spot|detect)\b[^.?!]{0,20}\b(?:re-?sellers?|scalpers?)\b|券[^。？?]{0,8}(?:滥用|盗用)|有没有[^。？?]{0,6}(?:黄牛|倒卖)|"
        r"\b(?:anything|something|any) (?:\w+ )?(?:fishy|dodgy|shady|funny business|irregularit\w+)\b|\b(?:fishy|dodgy|shady)[- ](?:looking )?(?:orders?|customers?|transactions?|coupons?)|\b(?:abus(?:e|es|ed|ing)|cheat(?:s|ing|ed)?|misus\w+|exploit\w*|scamm?\w*)\b[^.?!]{0,25}\b(?:coupons?|promo\w*|offers?|discounts?|system|us)\b|(?:有没有|有人|有谁)[^。？?]{0,6}薅(?:我们|咱们?)?(?:的)?羊毛(?!党)|(?:异常|可疑)[^。？?]{0,8}(?:排查|检查|订单|交易)|(?:钻空子|刷券|套利)|"
        r"\bsuspicious\b|\bfraud(?:ulent|sters?|s)?\b|\banomal(?:y|ies|ous)\b|\boutliers?\b|\bcoupon abuse\b"
        r"|\b(?:odd|strange|weird|abnormal|unusual)(?:[- ]looking)? (?:orders?|customers?|coupons?|baskets?|transactions?|redemptions?)\b"
        r"|\b(?:orders?|customers?|coupons?|transactions?|redemptions?)\b[^.?!]{0,12}\blooks? (?:odd|strange|weird|off|abnormal|unusual)\b"
        r"|可疑|欺诈|作弊|薅羊毛(?:风险|行为|检测)|(?:有没有|有人)[^。？?]{0,6}薅羊毛|刷单|异常的?(?:订单|客户|优惠券|券|交易|核销|用户)|(?:客户|订单|优惠券|交易|核销)[^。？?]{0,4}异常|异常检测"
        r"|\banything (?:odd|strange|weird|off|unusual)\b|\b(?:sudden(?:ly)?|out of nowhere|unexplained)\b[^.?!]{0,25}\b(?:jump\w*|drop\w*|spik\w*|surg\w*|fell|rose)|\b(?:jump\w*|drop\w*|spik\w*|surg\w*)\b[^.?!]{0,12}\b(?:suddenly|out of nowhere)\b"
        r"|不对劲|不(?:太|大)?正常|反常|被薅|薅得|(?:数据|销售|消费)[^。？?]{0,6}异常|突然(?:飙升|暴涨|暴跌|下滑|猛增)"
    ),
    "placement_effect": _rx(
        rf"{_NOBODY}(?=[^?]*\b{_PLACE}\b)(?=[^?]*\b{_PAYS}\b)|{_NOBODY_ZH}(?=[^？?]*{_PLACE_ZH})(?=[^？?]*{_PAYS_ZH})|"
        r"\b(?:flyer|flier|mailer|display|end ?cap|circular|front page|shelf)\b[^.?!]{0,30}\b(?:do(?:es)? anything|make a difference|effect|impact|lift)\b|\b(?:display|mailer|flyer|placement) (?:effect|impact|lift)\b|(?:陈列|堆头|端架|货架|海报|传单|宣传单)[^。？?]{0,6}(?:管用|有效|灵不灵|起作用|好使)|"
        r"\b(?:do|does|did|are|is)\b[^.?!]{0,40}\b(?:mailers?|fl[iy]ers?|circulars?|displays?|end ?caps?|shelf (?:positions?|placements?))\b[^.?!]{0,30}\b(?:help|work|boost|lift|increase|raise|drive|pay off|effective|sell)"
        r"|\b(?:effects?|impact|lift|influence) of (?:the |our |in-store )?(?:mailers?|fl[iy]ers?|circulars?|displays?|shelf|placements?)\b|\b(?:mailer|display|placement|shelf) (?:effects?|impact|lift)\b"
        r"|(?:邮件广告|海报|传单|宣传单|陈列|堆头|端架|货架)[^。？?]{0,20}(?:有(?:没有)?(?:帮助|效果|用|影响)|效果|影响|提升|拉动)"
        r"|\b(?:display|end[- ](?:cap|of[- ]aisle)|front page|inside page|mailer|shelf)\b[^.?!]{0,60}\b(?:worth it|sells? more|move more|make a difference|matter)\b"
        r"|(?:陈列|堆头|端架|货架|封面|宣传单)[^。？?]{0,16}(?:差多少|带动|有没有用|值不值|最大)"
    ),
    "mail_frequency": _rx(
        rf"\b(?:ideal|optimal|best|right) (?:number|amount|frequency) of {_MAILINGS}\b|\b(?:cap|limit|restrict)\b[^.?!]{{0,15}}\bhow often\b[^.?!]{{0,25}}\b(?:contact|mail|e-?mail|messag)|\b(?:after|at) how many {_MAILINGS}\b|\b(?:at what point|when) (?:do|will|does) (?:more|extra|further|additional|another) {_MAILINGS}\b"
        rf"|\bhow frequent(?:ly)?\b[^.?!]{{0,40}}\b{_MAILINGS}\b"
        r"|\b(?:would|does|will|should) (?:we |it )?(?:help |pay )?(?:to )?(?:contact|mail|e-?mail|messag)(?:ing|e)? (?:(?:them|people|customers|everyone) )?(?:more|less) (?:often|frequently)\b|(?:多久|隔多久|多长时间)(?:联系|触达|打扰|发|推送)[^。？?]{0,5}一?次"
        r"|^(?![^?]*\b(?:who|whose|that)\b)[^?]*\b(?:contact|mail|e-?mail|messag)ing\b[^.?!]{0,20}\btoo (?:often|much|frequently)\b"
        r"|(?:活动|邮件|短信|推送)发?得?(?:太|过)?多了?[^。？?]{0,10}(?:反感|厌烦|疲劳|烦人|适得其反|反作用)|(?:限制|控制)[^。？?]{0,4}(?:触达|发送|营销|推送)的?(?:频[率次]|次数)|第(?:几|多少)次(?:活动|邮件|短信|触达|营销)[^。？?]{0,10}(?:下降|减弱|没用|饱和|递减)|"
        r"^(?![^?]*\b(?:who|whose|(?:customers|people|those) (?:that|with))\b)[^?]*\btoo many (?:e-?mails?|mailings?|campaigns?|messages|texts|sms)\b|\b(?:am i|are we|do we|is it) (?:over-?mail|pester|bombard|spam)(?:ing)?\b|\bhow often\b[^.?!]{0,30}\b(?:contact|mail|e-?mail|message|write to|reach out)\b|(?:一个?[月周年]|每[月周年])(?:发|推|做|搞)(?:几|多少)[次封条]|"
        r"\bhow many (?:e-?)?(?:mails?|mailings?|campaigns?|messages|contacts|touches)\b[^.?!]{0,30}\b(?:too many|enough|optimal|ideal|at most|best|should we send|per month)\b|\bfrequency cap(?:s|ping)?\b|\bresponse curve\b"
        r"|\b(?:mail|e-?mail|contact|campaign|message) fatigue\b|\bhow often (?:should|can|may) we (?:mail|e-?mail|contact|message|write)\b"
        r"|(?:多少|几)[封次个条](?:营销)?(?:邮件|活动|短信|推送|触达|营销)[^。？?]{0,6}(?:太多|合适|过多|最好|才够)|频[次率]上限|(?:触达|营销)疲劳(?![:：])|响应曲线"
    ),
    "review_sentiment": _rx(
        rf"{_NOBODY}[^?]*\b(?:worst|best|bad|good|negative|positive|poor)\b[^.?!]{{0,12}}\breviews?\b|\bhow (?:are|were) (?:the |our )?reviews\b|\bhow (?:do|did) (?:our |the |my )?(?:customers|people|shoppers|buyers|they|folks) feel about\b"
        rf"|{_NOBODY_ZH}[^？?]*(?:差评|好评)(?:最多|最少)|大家对[^。？?]{{1,10}}(?:看法|感受|意见)|(?:评论|评价)里?[^。？?]{{0,6}}(?:负面|正面|情绪)|"
        r"\bwhat (?:do|did|are|were) (?:folks|everyone|everybody|our \w+|the public)(?: all)? (?:say|saying|think|thinking|complain|complaining)\b|\b(?:complain|complaints?) (?:about )?(?:most|the most)\b|\bwhat do \w+ complain\b|\bgoing by (?:their|the) reviews\b|的口碑[。？?]?$|对.{1,12}的(?:评价|看法|意见|反馈)[。？?]?$|汇总[^。？?]{0,10}评[价论]|"
        r"\bwhat (?:do|did|are|were) (?:the |our |my )?(?:customers?|people|shoppers?|buyers?|users?|reviewers?|reviews?|they|these (?:customers|people|shoppers))(?: all)? (?:say|saying|think|thinking|complain|complaining|writ(?:e|ing) in)\b"
        r"|\b(?:customer |product |our )?reviews? (?:say|sentiment|summary|analysis)\b|\bsentiment\b|\bsummari[sz]e (?:the |our |all )*(?:customer |product )?reviews\b"
        r"|\bhow (?:is|are|was|were)\b(?![^.?!]*\b(?:customers?|segments?|shoppers?|they)\b)[^.?!]{0,40}\b(?:reviewed|rated)\b|\bwhat (?:are|were) (?:the |their |our )?(?:main |most common |usual |biggest )?complaints?\b"
        r"|\b(?:main|top|common|any|biggest) complaints? about\b|\bwhat (?:is|are) (?:being )?said about\b"
        r"|(?:顾客|客户|用户|买家|消费者|大家|他们|她们|人们)们?都?(?:怎么|如何|怎样)(?:评价|看待?|说|评论|点评)|(?:怎么|如何)评价|评价(?:怎么样|如何|好不好|怎样|咋样)|(?:评论|评价|点评)[里中]?[^。？?的]{0,6}(?:说了?(?:什么|啥)|分析|总结|汇总)"
        r"|口碑(?:怎么样|如何|好不好|怎样|咋样)|情感分析|(?:主要|最多|常见)的?(?:抱怨|投诉|差评|槽点|不满)(?!的)|(?:抱怨|投诉|吐槽)了?(?:什么|啥|哪些|最多)|(?:好评|差评)(?:率|占比|多不多|有多少)|对[^。？?]{1,20}(?:有什么|有哪些)(?:看法|意见|评价|抱怨|反馈)"
    ),
}
MARKET_TOOLS = tuple(MARKET_CUES)

_OF_THEM = _rx(
    r"\b(?:they|them|these (?:customers|people|shoppers)|this segment)\b|他们|她们|这些(?:客户|人)|这个分群"
)
_STORE = _rx(r"\b(?:at|in|for|of) store\s+#?(\w+)|\bstore\s+#?(\d+)|(\d+)\s*号?(?:店|门店)|门店\s*(\d+)")
_STOCK = _rx(
    r"(\d[\d,]*)\s*(?:units?|items?|pieces|packs?|boxes)?(?: of [\w /&-]{1,30}?)? (?:in stock|on hand)\b|\bstock of (\d[\d,]*)|库存(?:是|有|为|还有|只有)?\s*(\d[\d,]*)"
    rf"|(\d[\d,]*) {_UNITS} of\b|(\d[\d,]*)\s*{_UNITS_ZH}"
)
_COUPONS = _rx(r"\bcoupons?\b|\bredemptions?\b|\bvouchers?\b|券|核销")
_ORDERS = _rx(r"\borders?\b|\btransactions?\b|\bbaskets?\b|\bpurchases\b|订单|交易|刷单")
_TRADE = _rx(
    r"\b(?:boost\w*|lift\w*|stock\w*|on hand|displays?|mailers?|fl[iy]ers?|circulars?|end ?caps?|shelf|forecast\w*|demand|sales|units?|together|alongside|baskets?|suspicious|fraud\w*|anomal\w+|outliers?|odd|weird)\b"
    r"|\b(?:reviews?|reviewed|reviewers?|sentiment|complain\w*|say|saying|said|think\w*|rated|received|praise|dislike)\b"
    r"|评[价论]|点评|口碑|抱怨|投诉|吐槽|[好差]评率?|看法|意见|反馈|情感分析"
    r"|邮件广告|海报|传单|宣传单|陈列|堆头|端架|货架|需求|销量|销售量|库存|一起|搭配|可疑|欺诈|异常"
)


def market_tool(message: str) -> str | None:
    """The one market tool that a message asks for."""
    return next((tool for tool, cue in MARKET_CUES.items() if cue.search(message)), None)


def without_trade_words(message: str) -> str:
    """The message without the words, stores and stocks that a market tool reads, so that goods are left."""
    for pattern in (_STOCK_NUMBER, _STORE, _TRADE):
        message = pattern.sub(lambda match: " " * len(match.group()), message)
    return message


_STOCK_NUMBER = _rx(
    rf"\d[\d,]*(?=\s*(?:{_UNITS}|in stock|on hand)\b)|\d[\d,]*\s*{_UNITS_ZH}|"
    r"(?<=stock of )\d[\d,]*|库存[^。？?\d]{0,3}\d[\d,]*\s*[件瓶包盒袋个]?"
)


def market_arguments(tool: str, message: str) -> dict[str, Any]:
    """store, stock, kind, and whether it is asked of the current segment."""
    found: dict[str, Any] = {}
    if tool == "find_anomalies":
        found["kind"] = (
            "coupon" if _COUPONS.search(message) else "order" if _ORDERS.search(message) else "customer"
        )
    if tool == "forecast_demand":
        store, stock = _STORE.search(message), _STOCK.search(message)
        if store is not None:
            found["store"] = next(group for group in store.groups() if group)
        if stock is not None:
            found["stock"] = float(next(group for group in stock.groups() if group).replace(",", ""))
    if tool in ("bought_together", "review_sentiment") and _OF_THEM.search(message):
        found["of_them"] = True
    return found
