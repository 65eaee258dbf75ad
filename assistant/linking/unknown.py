"""What of a message nothing here explains: words that are only talk, words that name what the data lacks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.intents import CAMPAIGN_CUES, CUES
from assistant.linking import lexicon
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
    r"(?:with|whose|having|wearing|named|called|living|who(?:'re|'s)?(?: are| is| have| has| had)?|by|from|near|use|uses|using)"
    r"(?:\s+(?:an?|the|their|our|its))?(?:\s+[\w'-]+)?\s+"
)
_OF_PEOPLE = r"\s+(?:customers?|shoppers?|people|households?|buyers?|users|families|folks)\b"
_WHO = (
    r"(?:^|[,;:(]\s*|\b(?:all|any|only|just|the|which|what|how many|many|of|are|about|for|to|find|show|list|get|give|pull|target"
    r"|and|or|not|no|are there|single|young|older|married)\s+)"
)
_WHO_DO = r"(?=\s+(?:who|that|which|with|aged?|over|under|in their|from|between|buying|shopping|having|not)\b|\s*(?:[,.?!]|$))"
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
_ATTRIBUTE = r"\b(?:with|without|whose|by|from|near|in|via|their|share|have|has|use|uses|using|within \d+|\d+)\s+(?:an?\s+|the\s+|our\s+|any\s+)?"
_OF_THEIRS = r"(?=\s+(?:is|are|was|were|number|numbers|nos?|code|codes|score|address|provider|status|type)\b|\s*(?:[,.?!)]|$|\bor\b|\band\b))"
_ZH_BEFORE = r"(?:[按用是]|根据|住在|来自|没有?|有|为|未|打开|点开?|收到|过|通过|从|其?家庭|导出|和|与)"
_ZH_AFTER = r"(?:的|客户|顾客|用户|会员|人群|家庭|买家|消费者|客人|为|是|等于|超过|大于|小于|低于|高于|数|过的|付款|支付|号|里|打来)"


def missing(text: str, unknown: Sequence[str], chinese: bool, described: bool) -> tuple[str, ...]:
    """The unknown words that ask for something the data lacks, so that leaving them out would answer another question.

    They name a common attribute that no feature here has (the words of one that exists are not unknown), or stand where
    the last sentence says what the customers are or do ('with X', 'whose X', 'X customers'). described: whether the message
    describes customers by what the data do have. Then a word that is only unknown is told and not used, as people say much
    around what they want, and one that names an attribute must stand as one: 'women who bought beer', not 'our meat man says'.
    """
    names = lexicon.words("absent_zh.txt") if chinese else absent_words()
    if chinese:
        return tuple(word for word in unknown if word in names and (not described or _asked_zh(word, text)))
    last = re.split(r"[.?!]\s+(?=\w)", text.strip())[-1]
    found = []
    for word in unknown:
        said = re.escape(word)
        if described:
            asked = word in names and _asked(word, text)
        else:
            asked = word in names or bool(
                re.search(rf"\b{_ASKS_FOR}{said}\b|\b{said}{_OF_PEOPLE}", last, re.IGNORECASE)
            )
        if asked:
            found.append(word)
    return tuple(found)


def _asked(word: str, text: str) -> bool:
    """Whether a word that names an attribute says what the customers are, have or did."""
    said = re.escape(word)
    ways = [rf"\b{said}{_OF_PEOPLE}", rf"{_ATTRIBUTE}{said}{_OF_THEIRS}", rf"\bwithin [\w-]+ {said}\b"]
    if word in _PEOPLE:
        ways.append(rf"{_WHO}{said}{_WHO_DO}")
    if word in _DEEDS:
        ways.append(rf"{_DID}{said}\b{_CAME_BACK}")
    return any(re.search(way, text, re.IGNORECASE) for way in ways)


def _asked_zh(word: str, text: str) -> bool:
    said = re.escape(word)
    return re.search(rf"{_ZH_BEFORE}{said}|{said}{_ZH_AFTER}", text) is not None
