"""What a clause takes from the clauses before it: one small rule for each way of leaving something unsaid.

Each rule looks at one clause and what came before; True: the clause is dealt with and becomes no draft itself.
"""

from __future__ import annotations

import re
from dataclasses import replace

from assistant.linking.clauses import Clause
from assistant.linking.draft import Course, Draft, Step, only_items
from assistant.linking.here import EVENT_WORDS
from assistant.linking.items import ItemMention
from assistant.linking.occasions import ALWAYS
from assistant.linking.windows import TimeMention
from segments.definition import ComparisonCondition, EventQuantity, ItemFilter, Window
from segments.features import Catalogue, FeatureType

_EARLIER = re.compile(
    r"\b(?:that|the|said) (?:earlier|former|first|previous|prior) (?:period|quarter|month|year|stretch|window)\b",
    re.I,
)
_EXCEPT = re.compile(
    r"except|exclud|without|other than|leave out|leaving out|minus|not\b|neither|nor\b|除了|排除|去掉|剔除|除去|不要|不含|不包括",
    re.IGNORECASE,
)
"""Negations that reach over to the next clause ('except those who ...')."""
_ON_IT = re.compile(r"\b(?:on|into|for) (?:it|them|those|that)\b", re.IGNORECASE)
_DID_BEFORE = re.compile(
    r"\bdid (?:so )?(?:before|earlier|previously)\b|\b(?:before|prior to) (?:that|then|it|this)\b|\bbeforehand\b"
    r"|\b(?:earlier|previously)(?= (?:in 20\d\d|in the year|this year|that year)\b)|在此?那?之前(?=[没未也都就曾有买来])|此前",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"\b(?:bought|buy(?:s|ing)?|purchased|had|got|tried|picked up|ordered|taken|take|touch(?:ed|es)?)\s+(?:some|any|it|them|one|ones|those|this|that|either)\b"
    r"|^\W*(?:none|not any|but none|some)\b|\b(?:none|not any|some|any) (?:before|since|after|in|over|during)\b|买过?(?:它|这个|这些|那个)|[没未]有?再?买[过了]?(?=的|$|[，。 ])",
    re.IGNORECASE,
)
"""'bought some since October, none before that': the items said before."""
_OFTEN = re.compile(
    r"\b(?:a lot|often|regular(?:ly|s)?|frequent(?:ly)?|heav(?:y|ily)|all the time|loads)\b|经常|常|很多|频繁",
    re.I,
)
_THE_ONE = re.compile(r"\b(?:ones?|kind|version|stuff|equivalent)\b|的(?=$|[，。])", re.IGNORECASE)
_EACH = re.compile(
    r"\b(?:each|apiece|of both|both of them|for both)\b|各(?!种|类|个)|分别|每样|每种", re.IGNORECASE
)
_WORTH = re.compile(r"\bworth\b", re.IGNORECASE)
_USED_ONE = re.compile(r"\bus(?:ed?|ing) (?:one|any|them)\b", re.IGNORECASE)


def _second_favourite(course: Course, step: Step, catalogue: Catalogue) -> bool:
    """'favourite department is produce or meat': the second value of the same feature."""
    previous, clause = course.previous, step.draft.clause
    if previous is None or not clause.items:
        return False
    asked = [mention for mention in previous.clause.features if mention.condition is None]
    category = any(catalogue[mention.feature].type is FeatureType.CATEGORY for mention in asked)
    if not (category and previous.items and "or" in clause.joins and only_items(clause)):
        return False
    previous.items = [*previous.items, *clause.items]
    return True


def _used_one(course: Course, step: Step, _: Catalogue) -> bool:
    """'redeemed a coupon in May but not used one since'."""
    previous = course.previous
    if (
        not step.draft.kind
        and previous is not None
        and previous.kind == "redeem"
        and _USED_ONE.search(step.text)
    ):
        step.draft.kind = "redeem"
    return False


def _occasion_alone(course: Course, step: Step, _: Catalogue) -> bool:
    """A clause of only days, hours or a store: that of what stands before it, else of what follows."""
    draft = step.draft
    if draft.clause.content or draft.kind in ("redeem", "campaign") or not draft.occasion:
        if not draft.occasion and course.when and (draft.kind or draft.items):
            draft.occasion, course.when = course.when, ALWAYS
        return False
    target = next((d for d in reversed(course.made) if d.items or d.kind in ("purchase", "spend")), None)
    if draft.negative and target is not None:
        # 'bought beer on weekends and never from Monday to Friday': the same, on other days.
        draft.kind, draft.items = "purchase", list(target.items or [])
        draft.window = draft.window or target.window
        course.made.append(draft)
        return True
    if draft.kind:
        return False
    if target is None or target.occasion:
        course.when = draft.occasion
    else:
        target.occasion = draft.occasion
    return draft.window is None


def _time_alone(course: Course, step: Step, _: Catalogue) -> bool:
    """A clause of only a time: that of what stands before it ('..., in the last 60 days'), else of what follows."""
    draft = step.draft
    if draft.clause.content or draft.kind or draft.window is None:
        return False
    target = next(
        (
            d
            for d in reversed(course.made)
            if d.window is None and (d.kind or d.items or d.clause.patterns or d.clause.tops)
        ),
        None,
    )
    if target is not None and not draft.negative:
        for earlier in course.made:
            if earlier.window is None and (earlier is target or earlier.kind == "purchase" or earlier.items):
                earlier.window = draft.window
        return True
    if not course.made or not draft.negative:
        course.leading = draft.window
        return True
    return False


def _nothing_said(course: Course, step: Step, _: Catalogue) -> bool:
    """A clause of connectives only; 'except' hands its negation on to the next."""
    draft = step.draft
    if draft.clause.content or draft.kind:
        return False
    course.carried_negation = draft.negative and bool(_EXCEPT.search(step.text))
    return not (draft.negative and draft.window is not None)


def _two_times(course: Course, step: Step, _: Catalogue) -> bool:
    """'in July and August they bought': two times for one verb."""
    draft = step.draft
    shops = draft.kind in ("purchase", "quiet") and "and" in step.joins
    if course.leading is not None and draft.window is not None and shops:
        course.made.append(Draft(step.before, draft.kind, draft.negative, [], course.leading))
        course.leading = None
    return False


def _did_before(course: Course, step: Step, _: Catalogue) -> bool:
    """'... not in the last 90 days, but did before that'."""
    previous = course.previous
    if previous is None or previous.window is None or not _DID_BEFORE.search(step.text):
        return False
    draft = step.draft
    if draft.clause.patterns or draft.clause.numbers or draft.kind not in ("", "purchase", previous.kind):
        return False
    kind = "purchase" if previous.kind in ("quiet", "") else previous.kind
    since = draft.window.window.start if draft.window is not None and draft.window.calendar else None
    until = replace(previous.window, window=Window(since, previous.window.window.start or 0), gap=False)
    negative = draft.negative and not re.search(r"\bdid\b", step.text, re.IGNORECASE)
    course.made.append(Draft(draft.clause, kind, negative, draft.items or list(previous.items or []), until))
    return True


def _pronoun(course: Course, step: Step, _: Catalogue) -> bool:
    """'liquor newcomers: bought some since October, none before that': 'some' is what was named before."""
    draft, previous = step.draft, course.previous
    if previous is not None and previous.items and draft.items and _THE_ONE.search(step.text):
        brands = {name for item in draft.items for name in item.items.brand}
        if brands and all(item.items == ItemFilter(brand=item.items.brand) for item in draft.items):
            # 'national-brand yogurt but never the store-brand one'
            draft.items = [
                replace(item, items=replace(item.items, brand=tuple(sorted(brands))))
                for item in previous.items
            ]
    alone = not draft.items and not draft.clause.features and draft.kind in ("", "purchase")
    if previous is not None and previous.items and alone and _PRONOUN.search(step.text):
        draft.items, draft.kind = list(previous.items), "purchase"
    return False


def _of_each(course: Course, step: Step, _: Catalogue) -> bool:
    """'crisps and fizzy drinks, at least 8 trips for each': one count for every item listed before."""
    draft = step.draft
    if not (draft.clause.numbers and not draft.items and _EACH.search(step.text)):
        return False
    listed = [
        d for d in course.made if d.items and not d.clause.numbers and d.kind in ("", "purchase", "spend")
    ]
    for earlier in listed:
        earlier.clause.numbers += draft.clause.numbers
        earlier.kind = earlier.kind or "purchase"
        earlier.window = earlier.window or draft.window
    return bool(listed)


def _still_came(course: Course, step: Step, _: Catalogue) -> bool:
    """'spent under $75 in December, though they did come in': in the time said before."""
    draft, previous = step.draft, course.previous
    alone = not draft.clause.content and draft.window is None and not draft.negative
    if previous is not None and alone and draft.kind == "purchase" and "but" in step.joins:
        draft.window = previous.window
    return False


def _of_the_same(course: Course, step: Step, _: Catalogue) -> bool:
    """A negated time alone repeats what was said: 'redeemed coupons this year but not in the last month'."""
    draft, previous = step.draft, course.previous
    if previous is None or draft.clause.content or draft.kind:
        return False
    if previous.kind in ("redeem", "campaign"):
        draft.kind = previous.kind
    elif previous.kind == "purchase":
        draft.items = list(previous.items or [])
    return False


def _of_the_compared(course: Course, step: Step, _: Catalogue) -> bool:
    """'units of milk fell ..., having bought at least 10 units in Q3': of what was compared, in the time said."""
    draft, previous = step.draft, course.previous
    said = [p.condition for p in previous.clause.patterns] if previous is not None else []
    compared = next((c for c in said if isinstance(c, ComparisonCondition)), None)
    if compared is None or draft.items or not draft.clause.numbers or isinstance(compared.right, str):
        return False
    if {number.unit for number in draft.clause.numbers} == {"units"}:
        draft.kind = "purchase"
        draft.items = [ItemMention((0, 0), "", compared.right.items)] if compared.right.items else []
    if draft.window is None and _EARLIER.search(step.text):
        windows = [q.window for q in (compared.left, compared.right) if isinstance(q, EventQuantity)]
        earlier = max(windows, key=lambda window: window.end)
        draft.window = TimeMention((0, 0), earlier, "")
    return False


def _nothing_since(course: Course, step: Step, _: Catalogue) -> bool:
    """'five or more cookie trips, then nothing since 1 September': nothing of what was said before."""
    draft, previous = step.draft, course.previous
    if previous is None or not previous.items or draft.kind != "quiet" or draft.items:
        return False
    said = _NOTHING.search(step.text)
    if said is not None and draft.window is not None and draft.window.calendar and not draft.clause.features:
        draft.items = list(previous.items)
    return False


_NOTHING = re.compile(
    r"\b(?:nothing|none)\b(?!\s+(?:at all|whatsoever|else))[^,;]*?\b(?:since|from|after)\b", re.IGNORECASE
)


def _counted_in_time(course: Course, step: Step, _: Catalogue) -> bool:
    """'none in October, but at least one in September': the event said before, in another time."""
    draft, previous, clause = step.draft, course.previous, step.draft.clause
    bare = clause.numbers and {number.unit for number in clause.numbers} == {""}
    only = not (clause.items or clause.features or clause.trends or clause.tops or clause.vague)
    if previous is None or draft.kind or not (bare and only and draft.window):
        return False
    if previous.kind in ("quiet", "purchase", "redeem", "campaign"):
        draft.kind = "purchase" if previous.kind == "quiet" else previous.kind
        draft.items = list(previous.items or [])
        clause.numbers = [replace(number, unit="times") for number in clause.numbers]
    return False


def _spent_on_it(course: Course, step: Step, _: Catalogue) -> bool:
    """'bought soup and spent over $20 on it'."""
    draft, previous = step.draft, course.previous
    if draft.kind == "spend" and not draft.clause.items and previous is not None and _ON_IT.search(step.text):
        draft.items, draft.window = list(previous.items or []), draft.window or previous.window
    return False


def _more_items(course: Course, step: Step, _: Catalogue) -> bool:
    """A clause that only names items goes on with the verb, the negation and the time of the one before."""
    draft, previous = step.draft, course.previous
    if previous is None or not (step.ends_list or _goes_on(draft.clause, draft.kind, previous)):
        return False
    if re.search(
        r"[)）]\s*(?:or|and|或者?|且)\s*[(（]",
        course.text[previous.clause.start : draft.clause.start + 2],
        re.I,
    ):
        return False
    if not step.ends_list:
        draft.kind = previous.kind
    draft.inherited = True
    if not draft.negative and "but" not in step.joins:
        draft.negative = previous.negative
    window = draft.window
    if _widens(draft, previous):
        previous.items = [*(previous.items or []), *draft.clause.items]
        previous.clause.end = draft.clause.end
        previous.window = previous.window or window
        if window is not None:
            _share_window(course.made, previous, window)
        return True
    if previous.window is not None and window is None and not (draft.negative and not previous.negative):
        draft.window = previous.window
    elif window is not None and previous.window is None:
        _share_window([*course.made, draft], draft, window)
    return False


def _time_ahead(course: Course, step: Step, _: Catalogue) -> bool:
    """'in October, ...': a time said ahead holds for the first clause without one, and the next."""
    if step.draft.window is None and course.leading is not None:
        step.draft.window = course.leading
        course.leading = course.leading if not course.made else None
    return False


def _counted_again(course: Course, step: Step, _: Catalogue) -> bool:
    """'bought soup, but only once or twice', 'bought produce, say less than $40 worth': a number of what was
    said before."""
    draft, previous, clause = step.draft, course.previous, step.draft.clause
    if previous is None or not previous.items or previous.clause.numbers:
        return False
    if draft.negative or previous.negative:
        return False
    alone = not (clause.items or clause.features or clause.trends or clause.tops or clause.vague)
    units = {number.unit for number in clause.numbers}
    times = units <= {"times", "orders", "units"} and bool(units) and draft.kind in ("", "purchase")
    said_often = _OFTEN.search(course.text[previous.clause.start : previous.clause.end])
    bare = not (clause.windows or clause.flags & {"purchase"})
    times = times and (bool({"times", "units"} & units) or bare or said_often is not None)
    worth = units == {"money"} and ("spend" not in clause.flags or _WORTH.search(step.text) is not None)
    worth = worth and (previous.window is None or draft.window is None)
    if not (alone and (times or worth)):
        return False
    previous.clause.numbers += clause.numbers
    previous.window = previous.window or draft.window
    return True


def _the_same_elsewhere(course: Course, step: Step, _: Catalogue) -> bool:
    """'at least ten orders at store 343, or at least ten at store 372', 'and at least one again in May': a number
    of what was counted before, at another place or time."""
    draft, clause = step.draft, step.draft.clause
    previous = next((d for d in reversed(course.made) if d.clause.numbers), None)
    other = clause.items or clause.features or clause.patterns or clause.trends or clause.tops or clause.vague
    if previous is None or previous.kind not in ("purchase", "redeem", "campaign") or draft.kind or other:
        return False
    if not (clause.numbers and (clause.windows or clause.occasions)) or draft.negative:
        return False
    counted = {n.unit for n in previous.clause.numbers} & {"times", "orders", "coupons", "campaigns", "units"}
    if len(counted) != 1 or any(number.unit or number.op is None for number in clause.numbers):
        return False
    clause.numbers = [replace(number, unit=next(iter(counted))) for number in clause.numbers]
    draft.kind, draft.items = previous.kind, list(previous.items or [])
    draft.window = draft.window or previous.window
    return False


_ALTOGETHER = re.compile(
    r"\b(?:combined|altogether|together|between them|in total|taken together)\b|合计|加起来|一共|总共|总计|共计|加在一起",
    re.I,
)


def _summed(course: Course, step: Step, _: Catalogue) -> bool:
    """'cigarettes, beer and spirits, over $800 combined': one sum over everything listed before."""
    draft = step.draft
    if not (draft.clause.numbers and _ALTOGETHER.search(step.text)) or draft.negative:
        return False
    listed = []
    while course.made and only_items(course.made[-1].clause) and not course.made[-1].negative:
        listed.append(course.made.pop())
    for earlier in reversed(listed):
        draft.items = [*(draft.items or []), *(earlier.items or [])]
        draft.window = draft.window or earlier.window
        draft.clause.start = min(draft.clause.start, earlier.clause.start)
    return False


RULES = (
    _second_favourite,
    _summed,
    _used_one,
    _of_each,
    _still_came,
    _did_before,
    _occasion_alone,
    _time_alone,
    _nothing_said,
    _two_times,
    _pronoun,
    _of_the_same,
    _of_the_compared,
    _nothing_since,
    _counted_in_time,
    _spent_on_it,
    _more_items,
    _time_ahead,
    _the_same_elsewhere,
    _counted_again,
)


def _goes_on(clause: Clause, kind: str, previous: Draft) -> bool:
    """Whether a clause only names items, for the verb that was said before."""
    asks = any(mention.condition is None and mention.feature for mention in clause.features)
    listed = previous.kind == "" and bool(previous.items) and "or" in clause.joins
    return (
        kind == ""
        and (listed or previous.kind in ("purchase", "spend", *EVENT_WORDS))
        and bool(clause.items)
        and not asks
    )


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
