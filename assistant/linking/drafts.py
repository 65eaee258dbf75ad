"""Clauses made whole: verbs, negation, items and times carried from one clause to the next.

'bought soup and crackers last month' says its verb and its time once; 'bananas, apples or grapes bought in
the last 10 days' says them at the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from assistant.linking.clauses import Clause, Reading
from assistant.linking.items import ItemMention
from assistant.linking.windows import TimeMention
from segments.definition import Window
from segments.features import Catalogue, FeatureType

_SAME_TIME = re.compile(r"in_that_time|同期|在此期间|这段时间|同一时期")
_SINCE_THEN = re.compile(
    r"\bsince(?: then)?\s*[?.!]*\s*$|\bafter(?:wards?| that)\b|此后|之后就?(?:没|未|再)|后来", re.IGNORECASE
)
_EXCEPT = re.compile(
    r"except|exclud|without|other than|leave out|leaving out|minus|not\b|neither|nor\b|除了|排除|去掉|剔除|除去|不要|不含|不包括",
    re.IGNORECASE,
)
"""Negations that reach over to the next clause ('except those who ...')."""
_ON_IT = re.compile(r"\b(?:on|into|for) (?:it|them|those|that)\b", re.IGNORECASE)
_DID_BEFORE = re.compile(r"\bdid (?:so )?(?:before|earlier|previously)\b", re.IGNORECASE)
_WORTH = re.compile(r"\bworth\b", re.IGNORECASE)
_USED_ONE = re.compile(r"\bus(?:ed?|ing) (?:one|any|them)\b", re.IGNORECASE)


@dataclass
class Draft:
    """A clause with what it takes from its neighbours. `inherited`: its verb is the clause's before."""

    clause: Clause
    kind: str = ""
    negative: bool = False
    items: list[ItemMention] | None = None
    window: TimeMention | None = None
    inherited: bool = False


def drafts(reading: Reading, catalogue: Catalogue) -> list[Draft]:
    """The clauses that say something, in reading order."""
    clauses = _bracketed(reading)
    kinds = [_kind(clause) for clause in clauses]
    trailing = _verb_at_the_end(clauses, kinds)
    _listed(reading.text, clauses)
    made: list[Draft] = []
    carried_neg, leading = False, None
    for place, clause in enumerate(clauses):
        kind, previous = kinds[place], made[-1] if made else None
        said = reading.text[clause.start : clause.end]
        negative = "neg" in clause.flags or carried_neg
        carried_neg = False
        window = clause.windows[0] if clause.windows else _borrowed(said, previous)
        if previous is not None and clause.items and _favourites(previous, clause, catalogue):
            previous.items = [*(previous.items or []), *clause.items]
            continue
        if not kind and previous is not None and previous.kind == "redeem" and _USED_ONE.search(said):
            kind = "redeem"
        if not clause.content and kind in ("", "purchase", "spend"):
            if window is not None and kind == "":
                target = next((d for d in reversed(made) if d.window is None and (d.kind or d.items)), None)
                if target is not None and not negative:
                    for earlier in made:
                        # '..., in the last 60 days' at the end is the time of everything that has none.
                        if earlier.window is None and (earlier is target or earlier.kind == "purchase"):
                            earlier.window = window
                    continue
                # 'in October, ...' or 'yet in November not once': a time on its own is that of what follows.
                if not made or not negative:
                    leading = window
                    continue
            if kind == "" or (window is None and not made and kind):
                carried_neg = negative and kind == "" and bool(_EXCEPT.search(said))
                if kind == "" and not (negative and window is not None):
                    continue
        if (
            leading is not None
            and window is not None
            and kind in ("purchase", "quiet")
            and "and" in clause.joins
        ):
            # 'in July and August they bought': two times for one verb.
            made.append(Draft(clauses[place - 1], kind, negative, [], leading))
            leading = None
        if previous is not None and previous.window is not None and _DID_BEFORE.search(said):
            # '... not in the last 90 days, but did before that'
            earlier_kind = "purchase" if previous.kind == "quiet" else previous.kind
            until = replace(
                previous.window, window=Window(None, previous.window.window.start or 0), gap=False
            )
            made.append(Draft(clause, earlier_kind, False, list(previous.items or []), until))
            continue
        draft = Draft(clause, kind, negative, list(clause.items), window)
        if (
            not clause.content
            and kind == ""
            and previous is not None
            and previous.kind in ("redeem", "campaign")
        ):
            draft.kind = previous.kind
        elif not clause.content and kind == "" and previous is not None and previous.kind == "purchase":
            draft.items = list(previous.items or [])
        if kind == "spend" and not clause.items and previous is not None and _ON_IT.search(said):
            draft.items, draft.window = list(previous.items or []), draft.window or previous.window
        if previous is not None and (place in trailing or _goes_on(clause, kind, previous)):
            if place not in trailing:
                draft.kind = previous.kind
            draft.inherited = True
            if not negative and "but" not in clause.joins:
                draft.negative = previous.negative
            if _widens(draft, previous):
                previous.items = [*(previous.items or []), *clause.items]
                previous.clause.end = clause.end
                previous.window = previous.window or window
                if window is not None:
                    _share_window(made, previous, window)
                continue
            if previous.window is not None and window is None and not (negative and not previous.negative):
                draft.window = previous.window
            elif window is not None and previous.window is None:
                _share_window([*made, draft], draft, window)
        if draft.window is None and leading is not None:
            draft.window = leading
            leading = leading if not made else None
        if previous is not None and _counts_again(draft, previous, said):
            previous.clause.numbers += clause.numbers
            previous.window = previous.window or window
            continue
        made.append(draft)
    return made


def _bracketed(reading: Reading) -> list[Clause]:
    """'morning people (50 % or more of trips)': a number in brackets is that of what stands before them."""
    out: list[Clause] = []
    for clause in reading.clauses:
        only_numbers = clause.numbers and not (
            clause.items or clause.features or clause.trends or clause.tops or clause.vague or clause.windows
        )
        opened = reading.text[: clause.start].rstrip().endswith(("(", "（"))
        unset = out and any(feature.condition is None for feature in out[-1].features)
        if only_numbers and opened and unset and not out[-1].numbers:
            out[-1].numbers += clause.numbers
            out[-1].end = clause.end
        else:
            out.append(clause)
    return out


def _only_items(clause: Clause) -> bool:
    said = clause.numbers or clause.features or clause.trends or clause.tops or clause.vague
    return bool(clause.items) and not said and not clause.flags & {"neg", "redeem", "campaign", "mostly"}


def _verb_at_the_end(clauses: list[Clause], kinds: list[str]) -> set[int]:
    """Places of clauses whose verb also holds for the items listed before; those become purchases too."""
    trailing = set()
    for place in range(len(clauses) - 2, -1, -1):
        after = clauses[place + 1]
        follows = kinds[place + 1] == "purchase" and after.items and not after.flags & {"neg"}
        if (
            kinds[place] == ""
            and follows
            and _only_items(clauses[place])
            and after.joins <= {"or", "and", "break"}
        ):
            kinds[place] = "purchase"
            trailing.add(place + 1)
    return trailing


def _listed(text: str, clauses: list[Clause]) -> None:
    """'apples, pears or grapes': a comma alone is the word that ends its list."""
    for place in range(len(clauses) - 2, 0, -1):
        clause, after = clauses[place], clauses[place + 1]
        between = text[clauses[place - 1].end : clause.start]
        if "or" in after.joins and _only_items(clause) and re.fullmatch(r"\s*[,、]\s*", between):
            clause.joins |= {"or"}


def _borrowed(said: str, previous: Draft | None) -> TimeMention | None:
    """'in that time' and 'nothing since' speak of the time said before."""
    if previous is None or previous.window is None:
        return None
    if _SAME_TIME.search(said):
        return previous.window
    ended = previous.window.window.end
    if ended > 0 and _SINCE_THEN.search(said):
        return replace(previous.window, window=Window(ended, 0), gap=False, first=None, last=None)
    return None


def _favourites(previous: Draft, clause: Clause, catalogue: Catalogue) -> bool:
    """'favourite department is produce or meat': the second value of the same feature."""
    asked = [mention for mention in previous.clause.features if mention.condition is None]
    category = any(catalogue[mention.feature].type is FeatureType.CATEGORY for mention in asked)
    return category and bool(previous.items) and "or" in clause.joins and _only_items(clause)


def _goes_on(clause: Clause, kind: str, previous: Draft) -> bool:
    """Whether a clause only names items, for the verb that was said before."""
    asks = any(mention.condition is None and mention.feature for mention in clause.features)
    listed = previous.kind == "" and bool(previous.items) and "or" in clause.joins
    return (
        kind == "" and (listed or previous.kind in ("purchase", "spend")) and bool(clause.items) and not asks
    )


def _counts_again(draft: Draft, previous: Draft, said: str) -> bool:
    """'bought soup, but only once or twice', 'bought produce, say less than $40 worth': a number of what was
    said before."""
    clause = draft.clause
    alone = not (
        clause.items or clause.features or clause.trends or clause.tops or clause.vague or draft.negative
    )
    units = {number.unit for number in clause.numbers}
    times = units == {"times"} and draft.kind in ("", "purchase")
    worth = units == {"money"} and _WORTH.search(said) is not None
    return alone and (times or worth) and bool(previous.items) and not previous.clause.numbers


def _share_window(drafts: list[Draft], draft: Draft, window: TimeMention) -> None:
    """A time said once at the end holds for the items listed before it under the same verb."""
    for earlier in reversed(drafts):
        if earlier is draft:
            if not draft.inherited:
                return
            continue
        if earlier.window is None and earlier.kind in ("purchase", "spend"):
            earlier.window = window
        if not earlier.inherited:
            return


def _widens(draft: Draft, previous: Draft) -> bool:
    """'soup or crackers': alternatives of one condition; '$20 on soup and crackers': one sum."""
    own = draft.clause.numbers or draft.clause.features or draft.clause.vague or draft.clause.trends
    if own or not previous.items:
        return False
    if "or" in draft.clause.joins and draft.negative == previous.negative and "neg" not in draft.clause.flags:
        return True
    return bool(previous.clause.numbers) and "and" in draft.clause.joins and "neg" not in draft.clause.flags


def _kind(clause: Clause) -> str:
    flags = clause.flags
    units = {number.unit for number in clause.numbers}
    if "quiet" in flags:
        return "quiet"
    if "last_purchase" in flags:
        return "last_purchase"
    if "first_purchase" in flags:
        return "first_purchase"
    if "redeem" in flags or "coupons" in units:
        return "redeem"
    if "campaign" in flags or "campaigns" in units:
        return "campaign"
    if "spend" in flags:
        return "spend"
    currency = any(
        f.condition is None
        and (
            "spend" in f.feature or "basket" in f.feature or "discount" in f.feature or f.feature == "income"
        )
        for f in clause.features
    )
    if "money" in units and not currency:
        return "spend"
    if "purchase" in flags or units & {"orders"} or (units & {"times"} and (clause.items or clause.windows)):
        return "purchase"
    return ""
