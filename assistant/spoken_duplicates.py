"""Whether a message asks if the segment at hand is saved already, or nearly: read only where it says nothing else."""

from __future__ import annotations

import re

from assistant.back import bare
from assistant.spoken_requests import POLITE, POLITE_ZH

_THIS = (
    r"(?:it|this|that|them|these|those|this one|that one|"
    r"(?:this|that|the|my|our|the current|the present) (?:segment|definition|group|audience))"
)
_SAVED = (
    r"(?:(?:(?:any|one) of )?(?:(?:the|our|my|an?|any|another|some) )?(?:already )?(?:saved|existing|stored)"
    r" (?:segments?|ones?|definitions?|audiences?|groups?))"
)
_NEARLY = r"(?:nearly |almost |much |about |roughly |practically |basically |essentially |more or less )*"
_ALIKE = (
    rf"(?:{_NEARLY}(?:the same as|like|similar to|identical to|close to)"
    r"|(?:an? )?(?:near[- ]?|exact )?duplicates? of|overlap(?:s|ping)? with)"
)
_TWIN = r"(?:near[- ]?duplicates?|duplicates?|twins?)"
_TIME = r"(?: (?:already|before|yet|anywhere|so far|somewhere))*"
_ENGLISH = (
    rf"(?:is|are) {_THIS} (?:already )?{_ALIKE} {_SAVED}{_TIME}"
    rf"|(?:is|are) {_THIS} (?:an? )?{_TWIN}{_TIME}"
    rf"|(?:is|are|was|were) {_THIS} (?:already )?saved{_TIME}"
    rf"|(?:is|are) there (?:already )?(?:any |an? )?{_SAVED} (?:that (?:is|are) )?{_ALIKE} {_THIS}{_TIME}"
    rf"|(?:is|are) there (?:already )?(?:any |an? )?{_TWIN} of {_THIS}(?: (?:among|in|within) {_SAVED})?{_TIME}"
    rf"|(?:do|have|did) we (?:already )?(?:have|saved?|got) (?:a segment|one|something|anything) {_ALIKE} {_THIS}"
    rf"(?: saved)?{_TIME}"
    rf"|(?:have|did) we (?:already )?saved? {_THIS}{_TIME}|do we already have {_THIS}(?: saved)?{_TIME}"
    rf"|do we have {_THIS} saved{_TIME}"
    rf"|do we (?:already )?have {_SAVED} (?:that (?:is|are) )?{_ALIKE} {_THIS}{_TIME}"
    rf"|(?:does|do) {_THIS} (?:overlap with|duplicate|repeat) {_SAVED}{_TIME}"
    rf"|(?:(?:which|what|any) (?:of )?|do (?:any of )?){_SAVED} (?:is |are |that (?:is |are ))?{_ALIKE} {_THIS}"
    rf"|(?:find|show|list|look for|check for|search for) (?:me )?(?:the |any |all )*{_TWIN}(?: of {_THIS})?"
    rf"(?: (?:among|in|within) {_SAVED})?"
    rf"|(?:find|show|list) (?:me )?(?:the |any |all )*{_SAVED} (?:that (?:is|are) )?{_ALIKE} {_THIS}"
)
_THIS_ZH = r"(?:这个|当前|现在|目前|该|此)(?:的|这个)?(?:分群|人群|定义)?|它|他们|这群人"
_SAVED_ZH = r"(?:我们|我)?(?:已经?|之前|以前)?(?:保存|存)(?:过|了|好|下)?的?(?:分群|人群|那些|哪个|哪些)*"
_ALIKE_ZH = r"(?:几乎|差不多|基本上?|大致|高度|完全)?(?:一样|相同|重复|重合|重叠|雷同|类似|相似|相近|差不多)"
_CHINESE = (
    rf"(?:{_THIS_ZH})(?:是不是|是否)?(?:[和跟与同](?:{_SAVED_ZH})(?:中|里|当中)?的?(?:某个|哪个|哪些|任何一个|分群)*)"
    rf"(?:有没有|是不是|是否|有)?{_ALIKE_ZH}的?(?:吗|么|没有|呢)?"
    rf"|(?:有没有|有|是否有|查一下有没有|找一?下|找出)?(?:哪个|哪些|任何)?(?:{_SAVED_ZH})?(?:中|里|当中)?(?:有没有|有|哪个|哪些|是否有)*"
    rf"[和跟与同](?:{_THIS_ZH}){_ALIKE_ZH}的?(?:{_SAVED_ZH}|分群|人群)?(?:吗|么|呢)?"
    rf"|(?:{_THIS_ZH})(?:是不是|是否)?(?:已经|之前|以前)?(?:保存|存)过?了?(?:吗|么|没有|没)"
)
_ASKS = re.compile(rf"{POLITE}(?:{_ENGLISH})|{POLITE_ZH}(?:{_CHINESE})", re.IGNORECASE)


def spoken_duplicates(message: str) -> bool:
    """Whether a message asks which saved segments are nearly the same as the one at hand."""
    return _ASKS.fullmatch(bare(message)) is not None
