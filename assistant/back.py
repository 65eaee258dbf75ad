"""Messages that go back to an earlier segment of the conversation: 'undo', 'the first segment', '撤销'."""

from __future__ import annotations

import re

from assistant.linking.numbers import ORDINALS, to_number

KEPT_TURNS = 50
PLACE = rf"{'|'.join(ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)"
PLACE_ZH = r"\d{1,2}|[一二三四五六七八九十]"
"""A place in a list: 'second', '2nd', '二'."""
_BEFORE = re.compile(
    r"(?:please |ok,? |no,? |actually,? |hm+,? |wait,? |oops,? |sorry,? )*"
    r"(?:(?:undo|revert|reverse)(?: (?:that|this|it|(?:the |my |that )?(?:last|previous) (?:change|edit|step|one)))?"
    r"|take (?:that|this|it) back|(?:go |take (?:me |us )?)?(?:one step |a step )?back|step back)"
    r"(?: to (?:the |my |our )?(?:previous|last|former|earlier)(?: (?:one|segment|group|audience|version))?| to before(?: that)?)?"
    r"(?:,? please)?"
    r"|(?:请|麻烦|帮我|我要|我想|不对|不是|不行|算了|错了|哎呀?|嗯|[，,])*(?:撤销|撤回|回退|退回|返回|还原|恢复|回到|退)(?:到|一下|吧)*"
    r"(?:(?:刚才|刚刚|之前|上一?|前一?|最后一?|最近一?|这一?)的?(?:步|次|个)?的?(?:那个|那步)?(?:修改|操作|改动|编辑|步骤|分群|人群|版本|状态)?)?"
    r"(?:吧|了|好吗)?",
    re.IGNORECASE,
)
_ALONE = frozenset({"back", "返回", "还原", "恢复", "回到", "退", "退回"})
"""Too little said to be sure of what."""
_NUMBERED = re.compile(
    r"(?:please )?(?:(?:(?:go |take me |switch )?back to|return to|show(?: me)?|open|use|take) )?(?:the|our|my) "
    rf"(?P<en>{PLACE}|original) (?:segment|audience|group)"
    r"(?: (?:of|in) (?:this|the|our) (?:chat|conversation)| again| we had)*(?:,? please)?"
    r"|(?:please )?(?:(?:go |take me |switch )?back to|return to) (?:the|our|my) "
    rf"(?P<one>{PLACE}|original)(?: (?:one|version|definition))?(?: again| we had)*(?:,? please)?"
    rf"|(?:请|帮我)*(?:回到|返回|显示|打开|看看?|用)?(?:本次|这次)?(?:对话|会话)?(?:中|里)?的?第(?P<zh>{PLACE_ZH})个(?:分群|人群)"
    rf"|(?:请|帮我)*(?:回到|返回|退回到?|恢复到?)第(?P<zh_one>{PLACE_ZH})个(?:吧)?",
    re.IGNORECASE,
)


def bare(message: str) -> str:
    """A message in single spaces without the marks at its ends, for patterns of whole messages."""
    return " ".join(message.split()).strip(" .!?。！？")


def spoken_back(message: str) -> int | None:
    """Which segment of the conversation a message goes back to: 0 for the one before, else its number from 1; None for
    a message that says anything besides."""
    said = bare(message)
    if said.casefold() not in _ALONE and _BEFORE.fullmatch(said):
        return 0
    match = _NUMBERED.fullmatch(said)
    if match is None:
        return None
    return number_of(next(said for said in match.groups() if said))


_COMPARED = re.compile(
    rf"\b(?:with|to|against|from|versus|vs\.?) (?:the|our|my) (?P<en>{PLACE}|original)"
    r"(?: (?:one|segment|audience|group|version))?[ .?!]*$"
    rf"|[和与跟同](?:最初的?)?第(?P<zh>{PLACE_ZH})个(?:分群|人群)?(?=比|对比|相比|有|的|$|[。？！?!])",
    re.IGNORECASE,
)


def spoken_other(message: str) -> int | None:
    """The number, from 1, of the conversation's segment that a message compares with: 'compare it with the first one'."""
    match = _COMPARED.search(message)
    return None if match is None else number_of(next(said for said in match.groups() if said))


_ONE = re.compile(
    rf"\b(?:the|that) (?P<n>{PLACE})(?: one\b|(?=[ ?.!]*$))|第(?P<zh>{PLACE_ZH})个(?!分群|人群|条件)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?:and |now |ok(?:ay)?,? |then )*(?:what about |how about )?the cluster \d+[ ?.!]*|(?:那|再|看看)*第\d+类(?:呢|吧)?[？?。！!]*",
    re.IGNORECASE,
)


def as_cluster(message: str) -> str:
    """'Tell me about the second one' as 'tell me about the cluster 2', for natural segments that were just numbered; 'and
    the third?' asks about it."""

    def cluster(match: re.Match[str]) -> str:
        if match["n"]:
            return f"the cluster {number_of(match['n'])}"
        return f"第{number_of(match['zh'])}类"

    said = _ONE.sub(cluster, message)
    if said != message and _BARE.fullmatch(said.strip()):
        number = re.search(r"\d+", said)
        assert number is not None
        return f"第{number[0]}类有什么特点？" if "类" in said else f"tell me about the cluster {number[0]}"
    return said


def number_of(word: str) -> int:
    """'second', '2nd', '二' as 2; 'original' as 1."""
    word = word.lower()
    if word == "original":
        return 1
    if word in ORDINALS:
        return ORDINALS.index(word) + 1
    return int(word[:-2]) if word[-1:].isalpha() and word.isascii() else int(to_number(word))
