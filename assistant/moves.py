"""A message that first goes to another segment of the conversation, and then says more: 'go with those, but spend 800',
'scrap that, leave out who used a coupon', 'back to the first one, but 90 days', 就用这批，不过要55岁以上."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assistant.back import KEPT_TURNS, spoken_back
from assistant.linking.link import Link, is_chinese
from assistant.turn import State
from segments.codec import from_json, to_json
from segments.definition import Node, conditions
from segments.edit import add

CHANGES = ("define_segment", "refine_segment")
"""What the last turn did, where 'scrap that' means its change."""


@dataclass(frozen=True)
class Move:
    """state: what it changes of the conversation's. said: what is left to read of the message; empty where it says no
    more than where to go."""

    state: State
    said: str


def moved(question: str, state: State, link: Callable[[str, Node], Link]) -> Move:
    """Where a message goes before it says more; nowhere, and all of it is left, for most. link: links a message beside a
    segment."""
    current, trail, history = state.get("current"), state.get("trail", []), state.get("history", [])
    if not current or spoken_back(question) is not None:
        return Move({}, question)
    chinese = is_chinese(question)
    part = _counted_part(state)
    if part is not None:
        whole = from_json(current)
        said, both = _rest(_TAKEN, question), to_json(add(whole, part))
        if said is not None or _changes_part(question, whole, part, link):
            kept = [*trail, current][-KEPT_TURNS:]
            left = question if said is None else said
            return Move({"current": both, "trail": kept, "led": []} if both != current else {}, left)
    undone = _rest(_UNDONE, question) if trail and _changed(history) else None
    if undone is not None:
        if not undone:
            return Move({}, "撤销" if chinese else "undo")
        return Move({"current": trail[-1], "trail": trail[:-1], "led": state.get("led", [])[:-1]}, undone)
    again = _rest(_FIRST, question) if trail and len(trail) < KEPT_TURNS else None
    if again is not None:
        if not again:
            return Move({}, "第一个分群" if chinese else "the first segment")
        return Move({"current": trail[0], "trail": [*trail, current], "led": []}, again)
    return Move({}, question)


def _changed(history: list[dict[str, Any]]) -> bool:
    """Whether the last turn changed the segment, so that 'scrap that' means its change."""
    before, last = [{}, {}, *history][-2:]
    return last.get("tool") in CHANGES and last.get("definition") != before.get("definition")


def _counted_part(state: State) -> Node | None:
    """The part of the current segment that the last turn counted; None where it counted none."""
    called, last = state.get("called", []), (state.get("history") or [{}])[-1]
    if not called or called[-1]["name"] != "count_part" or last.get("tool") != "count_part":
        return None
    return from_json(called[-1]["arguments"]["part"])


def part_asked_of(question: str, state: State) -> Node | None:
    """The part that was counted last, where a message asks of it: 'and of those, how many came twice?'."""
    return _counted_part(state) if _OF_PART.match(question) else None


def _changes_part(question: str, whole: Node, part: Node, link: Callable[[str, Node], Link]) -> bool:
    """Whether a message changes what was said of the part: 'how many of them have not come for 30 days?', then 'make the
    30 days two weeks'."""
    said = set(conditions(part)) - set(conditions(whole))
    edits = link(question, add(whole, part)).edits
    return bool(edits) and all(edit.kind == "change" and edit.target in said for edit in edits)


def _rest(pattern: re.Pattern[str], question: str) -> str | None:
    """What a message says after what a pattern finds at its start, however often; None where that is not there."""
    match, rest = pattern.match(question), question
    if match is None:
        return None
    while match is not None:
        rest = rest[match.end() :].lstrip(" ,.;:!，。；：！—–-")
        match = pattern.match(rest)
    return _POLITE.sub("", rest).strip(" ,.!，。！")


_POLITE = re.compile(
    r"(?:\s*\b(?:please|pls|thanks?|thank you|cheers|ta|instead)\b\W*)+$|(?:谢谢|多谢|吧|哈)+\W*$",
    re.IGNORECASE,
)
"""At the end of what is left: nothing to read. 'Instead' is of what was undone, and so of nothing that is still there."""
_WELL = (
    r"\W{0,3}(?:(?:ok(?:ay)?|fine|cool|great|brilliant|perfect|good|right|yes|yeah|yep|nice|lovely|sure|alright|well|no+|nah|nope|hmm?|wait"
    r"|hang on|hold on|oops|oh|sorry|actually|my bad|then)\b\W{0,3}){0,6}"
)
_FINE_ZH = r"\W{0,3}(?:(?:ok|好的?吧?|行了?吧?|可以|嗯|得|没问题|不错|啊)\W{0,3}){0,6}"
_WELL_ZH = (
    r"\W{0,3}(?:(?:ok|好吧?|行吧?|嗯|呃|额|哎呀?|不对|不是|算了|等[等下]|啊|抱歉|不好意思)\W{0,3}){0,6}"
)
_MORE = r"(?=\W*$|\s*[,.;:!–—-]|\s+(?:but|and|though|except|with|minus|plus|instead)\b)"
_TAKEN = re.compile(
    rf"{_WELL}(?:(?:let['’]?s|we['’]ll|i['’]ll|we|i|please|pls|just)\s+)*"
    r"(?:go|use|take|keep|have|run|roll|stick|work|continue|proceed|narrow)(?: (?:ahead|on|it down|it|down))?(?: (?:with|to))? (?:just |only )?"
    r"(?:(?:those|these)(?: (?:ones|people|folks|customers|shoppers))?|'?em|them|(?:that|this) (?:lot|group|bunch|one|part))"
    rf"(?: (?:then|please|pls|only))*{_MORE}"
    rf"|{_FINE_ZH}(?:那?就|那)?(?:要|用|留下?|锁定|圈定?|按|拿|选|取|保留|定|是)?(?:这|那|它|他|她)(?:[些批群拨波]|们|部分|几[个位])(?:人|客户|顾客|用户)?"
    r"(?:(?:了|吧|建|来|做|为准|就行)+(?=\W*$|[，,。；;!！])|(?=\W*$)|(?<=[要用留下定圈按拿选取就]这[些批群拨波])(?=[，,。；;!！])|(?<=[要用留下定圈按拿选取就]那[些批群拨波])(?=[，,。；;!！])"
    r"|(?<=[要用留下定圈按拿选取就][它他她]们)(?=[，,。；;!！]))"
    r"(?![，,。；;!！\s]*(?:不要|去掉|剔|排除|删|有?多少|几[个位]|谁))",
    re.IGNORECASE,
)
_UNDONE = re.compile(
    rf"{_WELL}(?:(?:scrap|forget|ignore|undo|cancel|disregard|never ?mind|reverse|revert)"
    r" (?:that|this|(?:that|the|my|this) (?:last|previous) (?:one|bit|change|edit|step|part|thing|message|request)"
    r"|what i (?:just |last )?(?:said|asked)(?: last)?)|take that back)"
    rf"{_MORE}"
    rf"|{_WELL_ZH}(?:(?:刚才|刚刚|刚|上面|上|前面)(?:那|的|一)*(?:句|条|步|个|次|轮|改动|修改|操作)?(?:就|都)?"
    r"(?:当我?没说|不算|作废|撤销|撤回|撤掉|取消|忽略|别管|不要)|(?:撤销|撤回|取消|忽略)(?:刚才|刚刚|刚|上面|上)(?:那|的|一)*(?:句|条|步|个|次|改动|修改|操作)?)"
    r"(?:了|吧)*(?=[，,。；;!！])",
    re.IGNORECASE,
)
_FIRST = re.compile(
    rf"{_WELL}(?:let['’]?s |please |can we )?(?:(?:(?:go|get|take (?:it|me|us)) )?back to|return to|revert to) (?:(?:the|my|our) )?"
    r"(?:(?:very )?(?:first|original|initial)(?: (?:one|version|segment|group|audience|list|ask|request))?"
    r"|what (?:i|we) (?:had|asked for|started with|began with)(?: (?:at|in))?(?: the)?(?: very)?(?: (?:start|beginning|first))?"
    r"|(?:very )?(?:start|beginning))"
    r"(?=\s*[,.;:–—-]|\s+(?:but|only|with|and|just)\b)"
    r"|\W*(?:还是|那就?|算了|要不|请|咱们?|帮我)*(?:回到?|退回到?|退到|恢复到?|用回)(?:最开始|最初|一开始|开头|最早|第一(?=[版个次]))的?那?(?:版|个|次|种|条)?(?:分群|人群|版本)?"
    r"(?:吧|好了)?[，,。]+(?:不过|但是?|只是|就是|然后)?",
    re.IGNORECASE,
)
_OF_PART = re.compile(
    r"\W*(?:and |then |ok(?:ay)?,? )*(?:out )?of (?:those|these)\b|\W*(?:那)?(?:这|那)[些批群](?:人)?(?:里面?|中|当中)又",
    re.IGNORECASE,
)
