"""What is said before what is asked: 'We have too much frozen pizza. Who bought ...?', '鲜花放不住。过去半年买过花的,列个单子'.

People give their reason first. Its goods and times are no conditions, so the sentences of reason that come before the
sentence that asks are left unread. A sentence that says anything about customers, or how much, is no reason.
"""

from __future__ import annotations

import re

_ENDS_EN = re.compile(r"(?<=[.!?…])\s+(?=\S)")
_REASON_EN = re.compile(
    r"(?:so |well,? |okay,? |ok,? )?(?:i(?:'m|'ve| am| have| cut| like| love| always| thought)?|we(?:'ve|'re| have| are)?|my|our|it(?:'s)?"
    r"|this|there(?:'s| is| are| were)|some(?:body|one)|the [a-z' -]{3,30}? (?:is|are|was|were|has|have|had|ran|went|came)"
    r"|[a-z]+ (?:is|are|was|has) (?:become|been|getting|so|too|very)|first come)\b",
    re.I,
)
_ABOUT_CUSTOMERS_EN = re.compile(
    r"\b(?:who|whom|whose|which|those|customers?|shoppers?|households?|buyers?|anyone|anybody|everyone|everybody|folks|ones"
    r"|members?|they|them|their|want|need|looking for|after|list|find|segment|only|at least|more than|less than|over \d"
    r"|under \d|with us|mailed|sent|lost)\b|[$£€%]|\d{2}",
    re.I,
)
_ASKS_EN = re.compile(
    r"(?:so,? |and |well,? |okay,? |ok,? |now,? )*(?:who(?:'s|m|se)?|which (?:of our )?(?:customers?|shoppers?|households?|people|ones)|what customers"
    r"|(?:may|can|could) i (?:have|see|get)|(?:can|could|would|will) you (?:please )?(?:find|give|get|show|list|pull)"
    r"|i'?(?:d| would) (?:like|love|want)|(?:please )?(?:give|find|get|show|list|pull) (?:me |us )?(?:up )?(?:the|a|all|any|every|those|people|customers|shoppers|households|folks))\b",
    re.I,
)
_REFERS_EN = re.compile(
    r"\b(?:(?:bought|buys?|had|used|took|gets?|got|purchased|of|from|for|in|at|to|with) (?:it|them|that|those|these|there)\b(?! (?:month|week|year|time|day))|they|them)\b",
    re.I,
)
_REFERS_ZH = re.compile(r"那个|那家|那款|它|他们|她们|这个(?!月|季|周|星期)")

_ENDS_ZH = re.compile(
    r"(?<=[。！？!?])|(?<=，)(?=把[^，。]*(?:找|挑|列|拉|筛)出)|(?<=，)(?=我?想(?:知道|看看|了解|问问?)(?:一下)?(?:谁|哪些|有谁))|(?<=：)"
)
_CONDITION_ZH = re.compile(
    r"近|最近|过去|去年|今年|上个?月|上季|以上|以下|以内|超过|不到|至少|不足|低于|高于|买过|没买|下过单|客户|顾客|用户|会员|人群|的人|那些|[\d一二三四五六七八九十百]+(?:次|单|块|元|岁|张|%)"
)
_ASKS_ZH = re.compile(
    r"哪些|哪几|有谁|是谁|谁(?=买|在|花|来|用)|名单|单子|清单|找出|挑出|列出|拉[一个出]|筛|给我|算进来|挑出来|找来|找给|列个"
)


_PURPOSE_EN = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|so|well|now|right|hi|yeah)\W+)*"
    r"(?:we(?:['’](?:re|ll|ve|d)| are| will| want| plan| need| have)?|i(?:['’](?:m|ll|ve|d)| am| want| will| need)|this is|it['’]?s|it is|that['’]?s"
    r"|(?:my|the|our) (?:boss|manager|team|store|ceo|supplier|client)s?)\b(?:(?!\b(?:who|whose|customers?|shoppers?|people|households?|over|under|above|below|gone|drop|remove|add|include|income|spend|spent)\b)[^.;?!\d])*?"
    r"(?:,|\s[–—-])?\s*\b(?:so|therefore|hence|thus)\b,?\s+(?=(?:i (?:want|need) |we (?:want|need) |please |kindly |just |it['’]s |let['’]s )*"
    r"(?:only|just|drop|leave|keep|exclude|remove|restrict|limit|narrow|they|those|add|make)\b(?!.*\b(?:that|both|those|it|them)\W*$))",
    re.IGNORECASE,
)
_WHAT_FOR_ZH = r"(?=[^，,。；;？?！!吗]*(?:准备|打算|计划|想[做搞推办发]|要[做搞推办发寄送上开]|搞(?:特价|活动|促销)|主打|主推|做(?:活动|促销|召回|唤回|唤醒)))"
_SAYS_WHO_ZH = r"\d|近|过去|去年|上个?月|上季|买过|没[买来]|的人|客户|顾客|吗|男|女|岁"
_PURPOSE_ZH = re.compile(
    rf"^\W*{_WHAT_FOR_ZH}(?![^，,。；;？?！!]*(?:{_SAYS_WHO_ZH}|人群|只))[^，,。；;？?！!]{{2,24}}[，,。]\s*"
    r"(?:(?:所以|因此|故|那么?|就|咱们?|我们?|请|先|得)*(?=只[要留看发选圈保给]|仅[保限留])|(?:所以|因此|那就?)(?=[^，,。]{2,}))"
    r"|^\W*(?:老板|领导|上面|经理|运营)(?:说|讲|要求|让|想)"
    rf"(?![^，,。；;？?！!]*(?:{_SAYS_WHO_ZH}|只要|加上|去掉|不要|换|收入))[^，,。；;？?！!]{{2,24}}[，,。]\s*(?=[^，,。]*(?:就行|即可|就可以|才行|就好)[。！!]?$)"
)
"""'We're planning a winback, so keep only ...', 下周寿司搞特价，所以只要 ...: what for, and then the change."""


def without_purpose(text: str, chinese: bool) -> str:
    """A change of a segment without what it is for, whose goods, campaigns and coupons are no conditions."""
    match = (_PURPOSE_ZH if chinese else _PURPOSE_EN).match(text)
    return text if match is None else text[match.end() :]


def asked_part(text: str, chinese: bool) -> str:
    """The text from the first sentence that is no mere reason for what a later one asks; the whole text without one."""
    sentences = [part for part in (_ENDS_ZH if chinese else _ENDS_EN).split(text) if part.strip()]
    place = 0
    while place < len(sentences) - 1 and _reason(sentences[place], chinese):
        place += 1
    rest = sentences[place:]
    asks = _asks_zh if chinese else _asks_en
    return (" " if not chinese else "").join(rest) if place and asks(rest) else text


def _reason(sentence: str, chinese: bool) -> bool:
    if chinese:
        return not _CONDITION_ZH.search(sentence) and not _ASKS_ZH.search(sentence)
    return bool(_REASON_EN.match(sentence)) and not _ABOUT_CUSTOMERS_EN.search(sentence)


def _asks_en(rest: list[str]) -> bool:
    """Whether the first sentence asks on its own: with a request, something to ask for, and nothing it refers back to."""
    asked = _ASKS_EN.match(rest[0])
    return bool(asked) and len(rest[0].split()) > 5 and not _REFERS_EN.search(rest[0])


def _asks_zh(rest: list[str]) -> bool:
    whole = "".join(rest)
    return (
        bool(_ASKS_ZH.search(whole)) and bool(_CONDITION_ZH.search(rest[0])) and not _REFERS_ZH.search(whole)
    )
