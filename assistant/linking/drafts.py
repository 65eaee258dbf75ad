"""Clauses made whole: verbs, negation, items and times carried from one clause to the next.

'bought soup and crackers last month' says its verb and its time once; 'bananas, apples or grapes bought in
the last 10 days' says them at the end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.linking.clauses import Clause, Reading
from assistant.linking.elision_zh import SAME_TIME_ZH, in_the_time_said, take_the_unsaid
from assistant.linking.features import FeatureMention, fits
from assistant.linking.here import EVENT_WORDS
from assistant.linking.items import ItemMention
from assistant.linking.occasions import ALWAYS, SHARE_OF_OCCASION, together
from assistant.linking.windows import TimeMention
from segments.definition import ComparisonCondition, EventQuantity, ItemFilter, Occasion, Window
from segments.features import Catalogue, FeatureType

_WHO = re.compile(
    r"\b(?:customers?|shoppers?|people|households?|buyers?|clients?|users?|folks|who|everyone|anyone)\b|客户|顾客|用户|人",
    re.IGNORECASE,
)


def _habit_or_occasion(draft: Draft) -> None:
    """'in the evening' is when something was bought, unless a share or a habit is spoken of; 'a quarter of orders
    after 10pm' is a share."""
    clause = draft.clause
    percent = any(number.unit == "percent" for number in clause.numbers)
    habit = percent or "mostly" in clause.flags
    if draft.occasion and habit:
        for name, occasion in SHARE_OF_OCCASION.items():
            start = occasion.hours[0] if occasion.hours else None
            if draft.occasion == occasion or (
                start is not None and draft.occasion.hours is not None and draft.occasion.hours[0] == start
            ):
                said = clause.occasions
                span = said[0].span if said else (clause.start, clause.end)
                clause.features.append(FeatureMention(span, "", name))
                draft.occasion = ALWAYS
                return
    counted = any(number.unit in ("times", "orders") for number in clause.numbers)
    event = draft.kind in ("purchase", "spend", "") and (draft.items or (draft.kind and counted))
    if habit or not event or draft.occasion:
        return
    for mention in list(clause.features):
        occasion_ = SHARE_OF_OCCASION.get(mention.feature)
        if occasion_ is not None and mention.condition is None:
            clause.features.remove(mention)
            draft.occasion = together((draft.occasion, occasion_))


_SAME_TIME = re.compile(r"in_that_time|同期|在此期间|这段时间|同一时期")
_EARLIER = re.compile(
    r"\bthat (?:earlier|former|first|previous|prior) (?:period|quarter|month|year|stretch|window)\b", re.I
)
_SINCE_THEN = re.compile(
    r"\bsince(?: then)?\s*[?.!]*\s*$|\bafter(?:wards?| that)\b|此后|之后就?(?:没|未|再)|后来", re.IGNORECASE
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


@dataclass
class Draft:
    """A clause with what it takes from its neighbours. `inherited`: its verb is the clause's before."""

    clause: Clause
    kind: str = ""
    negative: bool = False
    items: list[ItemMention] | None = None
    window: TimeMention | None = None
    occasion: Occasion = ALWAYS
    inherited: bool = False


@dataclass
class _Course:
    """What the clauses so far leave for the next: drafts, a negation alone, a time said ahead of its verb."""

    text: str
    made: list[Draft]
    carried_negation: bool = False
    leading: TimeMention | None = None
    when: Occasion = ALWAYS

    @property
    def previous(self) -> Draft | None:
        """The draft before."""
        return self.made[-1] if self.made else None


@dataclass
class _Step:
    """One clause at work: `draft` is what it means so far, `text` what it says, `before` the clause before.

    ends_list: its verb holds for the items listed before it.
    """

    draft: Draft
    text: str
    before: Clause
    ends_list: bool

    @property
    def joins(self) -> frozenset[str]:
        """The connectives before the clause."""
        return self.draft.clause.joins


def drafts(reading: Reading, catalogue: Catalogue) -> list[Draft]:
    """The clauses that say something, in reading order."""
    clauses = _bracketed(reading, catalogue)
    if reading.chinese:
        in_the_time_said(clauses)
    kinds = [_kind(clause) for clause in clauses]
    trailing = _verb_at_the_end(clauses, kinds)
    _listed(reading.text, clauses)
    course = _Course(reading.text, [])
    for place, clause in enumerate(clauses):
        text = reading.text[clause.start : clause.end]
        parted = place > 0 and re.search(r"[:：]", reading.text[clauses[place - 1].end : clause.start])
        carried = course.carried_negation and "but" not in clause.joins and not parted
        negative = "neg" in clause.flags or carried
        course.carried_negation = False
        window = clause.windows[0] if clause.windows else _borrowed(text, course.previous)
        occasion = together([mention.occasion for mention in clause.occasions])
        draft = Draft(clause, kinds[place], negative, list(clause.items), window, occasion)
        step = _Step(draft, text, clauses[place - 1], place in trailing)
        if not any(rule(course, step, catalogue) for rule in _RULES):
            course.made.append(draft)
    if course.when and clauses and _WHO.search(reading.text):
        # 'customers in Germany': who bought there.
        course.made.append(Draft(clauses[-1], "purchase", False, [], None, course.when))
    _share_times(course.made, reading)
    if reading.chinese:
        take_the_unsaid(course.made, reading)
    for draft in course.made:
        _habit_or_occasion(draft)
    return _without_titles(course.made, reading)


# Each rule looks at one clause and what came before; True: the clause is dealt with and becomes no draft itself.
def _second_favourite(course: _Course, step: _Step, catalogue: Catalogue) -> bool:
    """'favourite department is produce or meat': the second value of the same feature."""
    previous, clause = course.previous, step.draft.clause
    if previous is None or not clause.items:
        return False
    asked = [mention for mention in previous.clause.features if mention.condition is None]
    category = any(catalogue[mention.feature].type is FeatureType.CATEGORY for mention in asked)
    if not (category and previous.items and "or" in clause.joins and _only_items(clause)):
        return False
    previous.items = [*previous.items, *clause.items]
    return True


def _used_one(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _occasion_alone(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _time_alone(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _nothing_said(course: _Course, step: _Step, _: Catalogue) -> bool:
    """A clause of connectives only; 'except' hands its negation on to the next."""
    draft = step.draft
    if draft.clause.content or draft.kind:
        return False
    course.carried_negation = draft.negative and bool(_EXCEPT.search(step.text))
    return not (draft.negative and draft.window is not None)


def _two_times(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'in July and August they bought': two times for one verb."""
    draft = step.draft
    shops = draft.kind in ("purchase", "quiet") and "and" in step.joins
    if course.leading is not None and draft.window is not None and shops:
        course.made.append(Draft(step.before, draft.kind, draft.negative, [], course.leading))
        course.leading = None
    return False


def _did_before(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'... not in the last 90 days, but did before that'."""
    previous = course.previous
    if previous is None or previous.window is None or not _DID_BEFORE.search(step.text):
        return False
    draft = step.draft
    if draft.clause.numbers or draft.kind not in ("", "purchase", previous.kind):
        return False
    kind = "purchase" if previous.kind in ("quiet", "") else previous.kind
    since = draft.window.window.start if draft.window is not None and draft.window.calendar else None
    until = replace(previous.window, window=Window(since, previous.window.window.start or 0), gap=False)
    negative = draft.negative and not re.search(r"\bdid\b", step.text, re.IGNORECASE)
    course.made.append(Draft(draft.clause, kind, negative, draft.items or list(previous.items or []), until))
    return True


def _pronoun(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _of_each(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _still_came(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'spent under $75 in December, though they did come in': in the time said before."""
    draft, previous = step.draft, course.previous
    alone = not draft.clause.content and draft.window is None and not draft.negative
    if previous is not None and alone and draft.kind == "purchase" and "but" in step.joins:
        draft.window = previous.window
    return False


def _of_the_same(course: _Course, step: _Step, _: Catalogue) -> bool:
    """A negated time alone repeats what was said: 'redeemed coupons this year but not in the last month'."""
    draft, previous = step.draft, course.previous
    if previous is None or draft.clause.content or draft.kind:
        return False
    if previous.kind in ("redeem", "campaign"):
        draft.kind = previous.kind
    elif previous.kind == "purchase":
        draft.items = list(previous.items or [])
    return False


def _of_the_compared(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _nothing_since(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _counted_in_time(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _spent_on_it(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'bought soup and spent over $20 on it'."""
    draft, previous = step.draft, course.previous
    if draft.kind == "spend" and not draft.clause.items and previous is not None and _ON_IT.search(step.text):
        draft.items, draft.window = list(previous.items or []), draft.window or previous.window
    return False


def _more_items(course: _Course, step: _Step, _: Catalogue) -> bool:
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


def _time_ahead(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'in October, ...': a time said ahead holds for the first clause without one, and the next."""
    if step.draft.window is None and course.leading is not None:
        step.draft.window = course.leading
        course.leading = course.leading if not course.made else None
    return False


def _counted_again(course: _Course, step: _Step, _: Catalogue) -> bool:
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


_ALTOGETHER = re.compile(
    r"\b(?:combined|altogether|together|between them|in total|taken together)\b|合计|加起来|一共|总共|总计|共计|加在一起",
    re.I,
)


def _summed(course: _Course, step: _Step, _: Catalogue) -> bool:
    """'cigarettes, beer and spirits, over $800 combined': one sum over everything listed before."""
    draft = step.draft
    if not (draft.clause.numbers and _ALTOGETHER.search(step.text)) or draft.negative:
        return False
    listed = []
    while course.made and _only_items(course.made[-1].clause) and not course.made[-1].negative:
        listed.append(course.made.pop())
    for earlier in reversed(listed):
        draft.items = [*(draft.items or []), *(earlier.items or [])]
        draft.window = draft.window or earlier.window
        draft.clause.start = min(draft.clause.start, earlier.clause.start)
    return False


_RULES = (
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
    _counted_again,
)


_MEANING = re.compile(
    r"(?:[(（,，:：;；—–-]|\b(?:like|say|i mean|meaning|that is|i\.?e\.?|maybe|around|about|roughly|with|at|or so|so|well|namely)\b"
    r"|就是说?|也就是|大概|比如|算|应该|占比?|比例|比重)[\s,，:：]*$",
    re.IGNORECASE,
)
"""What stands between words and the number that makes them exact."""


def _bracketed(reading: Reading, catalogue: Catalogue) -> list[Clause]:
    """'morning people (50 % or more of trips)', 'tiny baskets, like below $15': a number on its own is that of
    the feature before it."""
    out: list[Clause] = []
    for clause in (clause.copy() for clause in reading.clauses):
        _take_count(reading.text, out, clause)
        only_numbers = clause.numbers and not (
            clause.items or clause.features or clause.trends or clause.tops or clause.vague or clause.windows
        )
        opened = (
            _MEANING.search(reading.text[: min(n.span[0] for n in clause.numbers)]) if only_numbers else None
        )
        unset = [f for f in out[-1].features if f.condition is None] if out else []
        fit = any(fits(catalogue[f.feature], n) for f in unset for n in clause.numbers)
        if opened and fit and not out[-1].numbers and "neg" not in clause.flags:
            out[-1].numbers += clause.numbers
            out[-1].end = clause.end
            if all(number.op in ("<", "<=") for number in clause.numbers):
                # 'not the weekend crowd: under 15 % of trips': the number says it again.
                out[-1].flags.discard("neg")
        else:
            out.append(clause)
    return out


def _take_count(text: str, out: list[Clause], clause: Clause) -> None:
    """'four trips with soft drinks and four with bag snacks': the number before 'with' counts what follows it."""
    before = out[-1] if out else None
    if before is None or not (_only_items(clause) and text[: clause.start].lower().endswith("with")):
        return
    unit = next((n.unit for c in reversed(out) for n in c.numbers if n.unit in ("times", "orders")), None)
    alone = before.numbers and not (before.items or before.features or before.windows or before.flags)
    if alone and unit is not None and all(number.unit in ("", unit) for number in before.numbers):
        clause.numbers += [replace(number, unit=unit) for number in before.numbers]
        clause.joins, clause.start = before.joins | (clause.joins - {"break"}), before.start
        out.pop()


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
    if _SAME_TIME.search(said) or SAME_TIME_ZH.search(said):
        return previous.window
    ended = previous.window.window.end
    if ended > 0 and _SINCE_THEN.search(said):
        return replace(previous.window, window=Window(ended, 0), gap=False, first=None, last=None)
    return None


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


_TIMED = ("purchase", "spend", "redeem", "campaign", *EVENT_WORDS)
_EVER = re.compile(
    r"\b(?:ever|never|at (?:any|some) (?:time|point)|in total|all[- ]time|lifetime|overall)\b|从来|从未|从没|曾经?|累计|总共|一共|历史",
    re.I,
)


def _without_titles(made: list[Draft], reading: Reading) -> list[Draft]:
    """'Beer regulars: 6 or more beer trips last quarter': a title is made exact by what follows, and adds nothing."""
    kept = []
    colon = re.search(r"[:：](?!\d)|(?<=\s)=(?=\s)", reading.text)
    for place, draft in enumerate(made):
        rest = made[place + 1 :]
        clause = draft.clause
        vague = not (
            clause.numbers
            or clause.features
            or clause.trends
            or clause.tops
            or draft.window
            or draft.negative
        )
        title = not (
            clause.numbers or clause.trends or clause.tops or any(f.condition for f in clause.features)
        )
        timed = draft.window is None or any(d.window for d in rest)
        before = colon is not None and clause.end <= colon.start()
        titled = before and title and timed and any(_says_event(d, draft) for d in rest)
        wanted = {item.items for item in draft.items or []}
        again = bool(wanted) and any(
            wanted <= {item.items for item in d.items or []}
            and (d.window or d.clause.numbers)
            and "break" in made[place + 1].clause.joins
            for d in rest
        )
        if not (titled or (vague and again and (clause.vague or draft.kind in ("", "purchase")))):
            kept.append(draft)
    return kept


def _says_event(draft: Draft, title: Draft) -> bool:
    """Whether a draft makes a title exact; who the customers are says nothing of the items in a title."""
    clause = draft.clause
    bought = draft.items or clause.numbers or clause.trends or draft.kind in ("quiet", "redeem", "campaign")
    return bool(bought or (clause.features and not title.items))


def _share_times(made: Sequence[Draft], reading: Reading) -> None:
    """A time at the edge of coordinated verbs is that of all: English says it last ('bought soup and redeemed a
    coupon in May'), Chinese first ('5月买过汤且用过券'). A comma or a new 'who' between them parts them."""

    def open_(draft: Draft) -> bool:
        said = reading.text[draft.clause.start : draft.clause.end]
        return draft.window is None and timed(draft) and _EVER.search(said) is None

    def timed(draft: Draft) -> bool:
        return draft.kind in _TIMED or (draft.kind == "" and bool(draft.items) and not draft.clause.features)

    pairs = list(itertools.pairwise(made))
    for first, second in pairs if reading.chinese else reversed(pairs):
        taker, giver = (second, first) if reading.chinese else (first, second)
        joined = second.clause.joins and second.clause.joins <= {"and", "but"}
        if "but" in second.clause.joins and second.negative and not first.negative:
            # 'bought yogurt in the last 90 days, but did not buy milk': the same days, in both languages.
            taker, giver = (second, first) if second.window is None else (first, second)
            joined = second.clause.joins <= {"and", "but", "break"} and bool(first.items and second.items)
        if not joined or not open_(taker) or giver.window is None or giver.window.gap or not timed(giver):
            continue
        if giver.negative and not taker.negative:
            continue
        taker.window = giver.window


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
    other = next((event for event in EVENT_WORDS if event in flags), None)
    if other is not None:
        return other
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
