"""What of a message nothing here explains: words that are only talk, words that name what the data lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.intents import CAMPAIGN_CUES, CUES
from assistant.linking import lexicon
from assistant.linking.calendar_days import MONTHS
from assistant.linking.clauses import Reading
from assistant.linking.cues import STOP_EN
from assistant.linking.items import absent_words, chatter

_STOP_ZH = re.compile(
    r"[的了吗呢吧啊呀过着是在有和与及或且并又还也都就才只再把给让将被从到对于里中内外上下前后之间以及个位名家些们这那哪谁什么怎样如何多少几请帮我你他她它您"
    r"咱想要看找查列出告诉一下最近过去近所有全部客户顾客用户人群人家庭会员名单消费者购买买花费支出金额总共一共至少最多超过大于小于少于不到以上以下"
    r"年月日天周次单元块件张岁口占比率例数量平均每但却而后如果那么谢谢你好能不能可以可能需要应该现在目前其中同时另外此外此时时候比较更很非常太最"
    r"做出来去回改成换为成加上减掉留下保留只看去掉排除不要没无未从来曾经一直经常总是通常主要大多分群群体细分条件定义目标受众活动营销优惠券优惠券预算策略方案"
    r"推荐产品商品东西相似类似概率保存删除显示对比打折折扣品牌品类类别部门门店店铺订单购物下订逛街刚已经正好左右大约差不多大概]"
)


def unknown_words(reading: Reading) -> tuple[str, ...]:
    """Content words outside everything that was understood: what the data may not have."""
    rest = reading.unclaimed()
    for cue in (*CUES.values(), *CAMPAIGN_CUES.values()):
        rest = cue.sub(lambda match: " " * len(match.group()), rest)
    if reading.chinese:
        absent = [word for word in lexicon.words("absent_zh.txt") if word in rest]
        for word in absent:
            rest = rest.replace(word, " ")
        pieces = re.findall(r"[一-鿿]{2,}", _STOP_ZH.sub(" ", rest))
        return tuple(dict.fromkeys([*sorted(absent), *pieces]))
    words = re.findall(r"[a-z][a-z'-]{2,}", rest.lower())
    known = STOP_EN | chatter()
    return tuple(dict.fromkeys(word.strip("'") for word in words if word.strip("'") not in known))


_ASKS_FOR = (
    r"(?:with|whose|having|wearing|named|called|living|who (?:have|has|had) (?:an?|no|any)|by|from|near|use|uses|using)"
    r"(?:\s+(?:an?|the|their|our|its))?(?:\s+[\w'-]+)?\s+"
)
_OF_PEOPLE = r"\s+(?:customers?|shoppers?|people|households?|buyers?|users|families|folks)\b"
_WHO = (
    r"(?:^|[,;:(]\s*|\b(?:all|any|only|just|the|which|what|how many|many|of|are|about|for|to|find|show|list|get|give|pull|target"
    r"|and|or|not|no|are there|single|young|older|married)\s+)"
)
_WHO_DO = r"(?=\s+(?:who|that|which|with|w/|&|and|aged?|over|under|in their|from|between|buying|shopping|having|not)\b|\s*(?:[,.?!]|$))"
_DID = (
    r"\b(?:who(?:['’]ve|['’]d)?|that|they|ever|never|not|haven['’]t|hasn['’]t|didn['’]t|don['’]t|have|has|had|and|but|or)\s+"
    r"(?:(?:ever|never|once|also|not|only|have|has|had|just)\s+)*"
)
_CAME_BACK = r"(?!\s+(?:for|to|within|again|after|later|since|the|all|those|customers|households|only)\b)"
"""'Returned for a second purchase', 'rank them and return the top 20' give nothing back."""
_PEOPLE = frozenset(
    "women men females males girls boys ladies gentlemen students graduates smokers vegans vegetarians diabetics immigrants"
    " influencers followers subscribers".split()
)
_DEEDS = frozenset(
    "open opens opened click clicks clicked unsubscribed vote voted drive drives viewed browsed reviewed complained return returns"
    " returned refunded subscribed searched abandoned".split()
)
_OWN = r"(?:(?:an?|the|our|any|his|her|their)\s+)?"
_ATTRIBUTE = rf"\b(?:with|without|whose|by|from|near|in|via|their|share|have|has|use|uses|using|within \d+|\d+)\s+{_OWN}"
_OF_THEIRS = r"(?=\s+(?:is|are|was|were|number|numbers|nos?|code|codes|score|address|provider|status|type)\b|\s*(?:[,.?!)]|$|\bor\b|\band\b))"
_ATTRIBUTE_OR_PLACE = rf"\b(?:with|without|w/o?|at|in|from|near|via|through|have|has|having|had|use[ds]?|using|owns?|holds?|takes?)\s+{_OWN}(?:[\w-]+\s+)?"
_ENDS = r"(?=\s+(?:degree|account|card|users?|but|who|that|which|with|over|under|w/|as)\b|\s*(?:[,.?!)&]|$|\b(?:or|and)\b))"
_CONTACT = frozenset(
    "email emails e-mail e-mails sms phone phones mobile newsletter app push notification website web online whatsapp wechat"
    " 短信 邮件 邮箱 电话 微信 手机 朋友圈 公众号 小程序".split()
)
"""Ways to reach customers, which are said of a campaign as often as of what customers have."""
_OWN_DEEDS = (
    r"speak|speaks|speaking|work|works|working|worked|stud(?:y|ies|ying|ied)|drives?|driving|(?:live|lives|living)(?! (?:alone|with|together))|resid(?:e|es|ing)(?! in (?:owned|own|rented|probably))|based"
    r"|follows?|following|(?:pays?|paid|payed|paying) (?:by|with|via|using|through|in)|vote[ds]?|subscribed?|unsubscribed?|clicked|opened|browsed?|(?:looked at|visited|viewed) (?:our |the |my )?(?:web\w*|site|pages?|app|profile|blog)"
    r"|complain(?:ed|s)?|download(?:ed)?|install(?:ed)?|sign(?:ed)? up|registered|commutes?|graduated|rides?|acquired|referred|recommended"
    r"|came (?:to us )?(?:via|through|from|by)|come (?:to us )?(?:via|through|from|by)|found us"
)
"""What people do outside of the shop, or before it."""
_DOES = re.compile(
    r"\b(?:who(?:['’](?:s|re|ve))?|that|which|and|or|but|not|people|customers?|shoppers?|clients?|folks|buyers?|everyone|everybody|anyone|those"
    r"|households?|persons?|ones|members|they|them)\s+"
    r"(?:(?:are|is|were|was|have|has|had|do|does|did|currently|also|never|not|ever|only|all|just|mainly|mostly|don['’]t|doesn['’]t|didn['’]t)\s+)*"
    rf"(?:{_OWN_DEEDS})\b(?:\s+(?!(?:and|or|but|who|that|which)\b)[\w@'-]+){{0,4}}",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"\b(?:(?:in|near|around|outside|across)|(?:[Cc]ustomers?|[Pp]eople|[Ss]hoppers?|[Ff]olks|[Cc]lients?|[Hh]ouseholds|[Tt]hose|ones) from)"
    r"\s+(?:the\s+)?(?P<what>[A-Z][\w'-]{2,}(?:\s+[A-Z][\w'-]+)*)"
)
"""A name of a place, as it is written."""
_SAYS_WHO = re.compile(
    r"\b(?:who|whose|that|which|customers?|people|shoppers?|folks|clients?|households?|buyers?|owners?|those|ones|everyone|anyone)\b",
    re.IGNORECASE,
)
_MONTHS = frozenset(word for month in MONTHS for word in (month, month[:3]))
_QUALITIES = frozenset(
    "loyalty potential promise interest engagement affinity opportunity commitment growth value quality importance enthusiasm behaviour behavior needs relationship trust attention spirit wallet style".split()
)
"""What a marketer must still put in words of the data: asked back, not missing."""
_ZH_BEFORE = r"(?:[按用是]|根据|住在|来自|没有?|有|为|未|打开|点开?|收到|过|通过|从|其?家庭|导出|和|与)"
_ZH_AFTER = r"(?:的|客户|顾客|用户|会员|人群|家庭|买家|消费者|客人|为|是|等于|超过|大于|小于|低于|高于|数|过的|付款|支付|号|里|打来)"
_ZH_HAS = r"(?:[加爱在当装养住]|拥有|关注|属于)"
_ZH_ENDS = r"(?:下单|[且并又、，,或在]|过来|来的|$)"
_ZH_LIVES = re.compile(r"家住|住在")


def missing(text: str, unknown: Sequence[str], chinese: bool, described: bool) -> tuple[str, ...]:
    """The unknown words that ask for something the data lacks, so that leaving them out would answer another question.

    They name a common attribute that no feature here has (the words of one that exists are not unknown), or stand where
    the last sentence says what the customers are or do ('with X', 'whose X', 'X customers'). described: whether the message
    describes customers by what the data do have, or asks for a tool. Then a word that is only unknown is told and not used, as people say much
    around what they want, and one that names an attribute must stand as one: 'women who bought beer', not 'our meat man says'.
    """
    names = lexicon.words("absent_zh.txt") if chinese else absent_words() | _PEOPLE | _DEEDS
    if chinese:
        return tuple(word for word in unknown if word in names and (not described or _asked_zh(word, text)))
    beyond = _of_their_life(text)
    return tuple(
        word
        for word in unknown
        if word in beyond or (_asked(word, text) if described else _said_of_whom(word, text))
        if word in names or not described or word in beyond
    )


def _of_their_life(text: str) -> frozenset[str]:
    """The words that say where customers live and what they do outside of the shop: 'who speak French', 'in Manchester'."""
    found = []
    for sentence in re.split(r"(?<=[.?!])\s+", text):
        if _SAYS_WHO.search(sentence):  # 'For a talk in Lyon.' is about nobody
            found += [match.group() for match in _DOES.finditer(sentence)]
            found += [match["what"] for match in _PLACE.finditer(sentence)]
    return frozenset(word for said in found for word in re.findall(r"[a-z][a-z'-]+", said.lower())) - _MONTHS


def _said_of_whom(word: str, text: str) -> bool:
    """Whether a word, in a message that describes nobody by what the data have, says whom it is about."""
    if word in absent_words():
        return not re.match(
            rf"(?:please\s+)?{re.escape(word)}\s+(?:me\s+|us\s+)?(?:all|the|those|every|customers)\b",
            text,
            re.IGNORECASE,
        )
    last = re.split(r"[.?!]\s+(?=\w)", text.strip())[-1]
    # 'Neglected customers', 'who seem unhappy' are for the marketer to put in words of the data.
    asked = rf"\b{_ASKS_FOR}{re.escape(word)}\b"
    return word not in _QUALITIES and re.search(asked, last, re.IGNORECASE) is not None


def _asked(word: str, text: str) -> bool:
    """Whether a word that names an attribute says what the customers are, have or did."""
    said = re.escape(word)
    ways = [rf"\b{said}{_OF_PEOPLE}", rf"{_ATTRIBUTE}{said}{_OF_THEIRS}", rf"\bwithin [\w-]+ {said}\b"]
    if word not in _CONTACT:
        ways.append(rf"{_ATTRIBUTE_OR_PLACE}{said}{_ENDS}")
    if word in _PEOPLE:
        ways.append(rf"{_WHO}{said}{_WHO_DO}")
    if word in _DEEDS:
        ways.append(rf"{_DID}{said}\b{_CAME_BACK}")
    return any(re.search(way, text, re.IGNORECASE) for way in ways)


def _asked_zh(word: str, text: str) -> bool:
    if _ZH_LIVES.fullmatch(word):
        return True
    said = re.escape(word)
    ways = rf"{_ZH_BEFORE}{said}|{said}{_ZH_AFTER}"
    if word not in _CONTACT:
        ways += rf"|{_ZH_HAS}{said}|{said}{_ZH_ENDS}"
    return re.search(ways, text) is not None
