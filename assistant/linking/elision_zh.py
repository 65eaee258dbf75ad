"""What a Chinese clause leaves unsaid because one before it said it: the object, the time, what is counted.

'咖啡断了的：上半年买过，下半年没买' names coffee once; '近30天复购的，至少下过3单' counts what the clause before said.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.linking.occasions import SHARE_OF_OCCASION, together

if TYPE_CHECKING:
    from assistant.linking.clauses import Clause, Reading
    from assistant.linking.draft import Draft

SAME_TIME_ZH = re.compile(
    r"(?:该|同一?个?)(?:季度|年|月|周|期|时段)|年度内|年内(?=[未没])|当[季月年](?!初|底|中)|期间(?!的)"
    r"|在?此期间|[这那]段时间|同一段?(?:时期|时间|时段|期间)"
)
"""Words for the time said before."""
_BARE = re.compile(r"(?:购买|买|碰)(?:过|了)?(?!东西|任何|[^\s，。,的者且并而])")
"""A verb of buying without its object."""
_BOUGHT_NOT = re.compile(r"[没未](?:有|曾|能|再)*(?:购买|买|碰)(?:过|了)?(?!东西|任何)")
_SINCE = re.compile(r"之后|此后|后来|从此|再也?[没未]")
_SPENT = {"spend_lifetime": "spend", "orders_lifetime": "purchase"}


def in_the_time_said(clauses: Sequence[Clause]) -> None:
    """'第四季度累计消费超过一千元' adds up the quarter, not all there ever was."""
    for clause in clauses:
        timed = [window for window in clause.windows if not (window.bare or window.gap)]
        for mention in list(clause.features) if timed else ():
            if mention.condition is None and mention.feature in _SPENT:
                clause.features.remove(mention)
                clause.flags.add(_SPENT[mention.feature])


def take_the_unsaid(made: list[Draft], reading: Reading) -> None:
    """Objects and counts that the drafts leave to those before them."""
    for draft in made:
        if draft.occasion and not (draft.kind or draft.items or draft.clause.features):
            draft.kind = "purchase"  # '周一、周三来的': to come is to buy.
        _never_then(draft, reading)
        _weekend_hours(draft)
    _done_with_what_was_listed(made, reading)
    title = _title(made, reading)
    for place, draft in enumerate(made):
        if place == 0 or draft.items or draft.clause.features or draft.kind not in ("purchase", "quiet"):
            continue
        said = reading.text[draft.clause.start : draft.clause.end]
        if "东西" in said or "任何" in said:
            continue
        if title is not None and title is not draft and _BARE.search(said):
            draft.items = list(title.items or [])
        elif _same_counted(made[place - 1], draft):
            draft.items = list(made[place - 1].items or [])
        elif _BOUGHT_NOT.search(said) and ("but" in draft.clause.joins or _SINCE.search(said)):
            named = next((d for d in reversed(made[:place]) if d.items and not d.negative), None)
            if named is not None:
                draft.items = list(named.items or [])
    _each_counted(made, reading)
    _counted_before(made)
    _share_the_time_ahead(made, reading)


_NEVER = re.compile(r"从来?[不没未]|从没|从未|没(?:有)?(?:在|于)|未曾")


def _never_then(draft: Draft, reading: Reading) -> None:
    """'从不在周末来' is about every purchase, not about a share of them."""
    said = reading.text[draft.clause.start : draft.clause.end]
    if not draft.negative or draft.clause.numbers or draft.items or not _NEVER.search(said):
        return
    for mention in list(draft.clause.features):
        if mention.condition is None and mention.feature in SHARE_OF_OCCASION:
            draft.clause.features.remove(mention)
            draft.kind, draft.occasion = "purchase", SHARE_OF_OCCASION[mention.feature]


def _weekend_hours(draft: Draft) -> None:
    """'周末上午十点前买面包': the weekend and the hours are one occasion."""
    clause = draft.clause
    if not draft.occasion.hours or draft.occasion.weekdays or "mostly" in clause.flags or clause.numbers:
        return
    for mention in list(clause.features):
        days = SHARE_OF_OCCASION.get(mention.feature)
        if mention.condition is None and days is not None and days.weekdays:
            clause.features.remove(mention)
            draft.occasion = together((draft.occasion, days))


def _done_with_what_was_listed(made: list[Draft], reading: Reading) -> None:
    """'香烟或啤酒，一年花500以上', '啤酒或咖啡，近60天买过': what was only named is what was bought."""
    for before, draft in list(itertools.pairwise(made)):
        named = before.items and before.kind == "" and not (before.window or before.clause.numbers)
        clause = draft.clause
        money = {number.unit for number in clause.numbers} <= {"money", ""} and clause.numbers
        alone = not (draft.items or clause.features or draft.negative or before.negative)
        bare = draft.kind == "purchase" and _BARE.search(reading.text[clause.start : clause.end])
        spent = (draft.kind == "spend" and money) or bare
        if named and spent and alone and not before.clause.features:
            draft.items = list(before.items or [])
            made.remove(before)


def _same_counted(before: Draft, draft: Draft) -> bool:
    """'上半年买咖啡5次以上，下半年减到2次以下': a count of its own time, of what was counted before."""
    counts = draft.clause.numbers and {n.unit for n in draft.clause.numbers} <= {"times", "orders"}
    own = draft.window is not None and not draft.clause.flags & {"purchase", "spend", "redeem", "campaign"}
    return bool(counts and own and before.items and before.clause.numbers and before.window)


def _title(made: Sequence[Draft], reading: Reading) -> Draft | None:
    """What stands before a colon and only names goods: what the sentence is about."""
    colon = re.search(r"[:：](?!\d)", reading.text)
    if colon is None or len(made) < 2:
        return None
    first = made[0]
    alone = first.items and not (first.clause.numbers or first.clause.windows)
    return first if alone and first.clause.end <= colon.start() + 1 else None


_EACH_OF = re.compile(r"各(?![种类个自])|分别|每样|每种")


def _each_counted(made: Sequence[Draft], reading: Reading) -> None:
    """'半年内买牛奶、鸡蛋、面包各5次以上': the count, and the time said first, hold for every one listed."""
    for place, last in enumerate(made):
        said = reading.text[last.clause.start : last.clause.end]
        if not (last.items and last.clause.numbers and _EACH_OF.search(said)):
            continue
        listed = [last]
        for before in reversed(made[:place]):
            if not before.items or before.clause.numbers or before.negative or before.clause.features:
                break
            listed.append(before)
        window = next((draft.window for draft in listed if draft.window is not None), None)
        for draft in listed:
            draft.clause.numbers = list(last.clause.numbers)
            draft.kind, draft.window = "purchase", draft.window or window


def _counted_before(made: list[Draft]) -> None:
    """'近30天复购的，至少下过3单': the number counts the orders of the time said before."""
    for before, draft in list(itertools.pairwise(made)):
        number = draft.clause.numbers
        alone = not (
            draft.items or draft.window or draft.negative or draft.clause.features or draft.clause.trends
        )
        plain = before.kind == "purchase" and before.window is not None and not before.negative
        said = before.items or before.clause.numbers or before.clause.features or before.clause.vague
        if number and alone and plain and not said and {n.unit for n in number} <= {"orders", "times"}:
            before.clause.numbers += number
            made.remove(draft)


_EVER = re.compile(r"从来|从未|从没|曾|累计|一共|历史|总共|一直|过[去往]")


def _share_the_time_ahead(made: Sequence[Draft], reading: Reading) -> None:
    """'近90天来过3次以上，用券超过5张': a time that opens the sentence holds for the counts that follow."""
    for giver, taker in itertools.pairwise(made):
        window = giver.window
        if window is None or window.gap or window.bare or taker.window is not None:
            continue
        said = reading.text[taker.clause.start : taker.clause.end]
        opens = window.span[0] - giver.clause.start <= 2
        kinds = ("purchase", "spend", "redeem", "campaign")
        counted = taker.clause.numbers and not taker.clause.features
        if opens and giver.kind in kinds and taker.kind in kinds and counted and not _EVER.search(said):
            taker.window = window
