"""Clauses made whole: verbs, negation, items and times carried from one clause to the next.

'bought soup and crackers last month' says its verb and its time once; 'bananas, apples or grapes bought in
the last 10 days' says them at the end.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.linking.clauses import Clause, Reading
from assistant.linking.draft import Course, Draft, Step, only_items
from assistant.linking.draft_rules import RULES
from assistant.linking.elision_zh import SAME_TIME_ZH, in_the_time_said, take_the_unsaid
from assistant.linking.features import FeatureMention, fits
from assistant.linking.here import EVENT_WORDS
from assistant.linking.occasions import ALWAYS, SHARE_OF_OCCASION, together
from assistant.linking.windows import TimeMention
from segments.definition import Window
from segments.features import Catalogue

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


def drafts(reading: Reading, catalogue: Catalogue) -> list[Draft]:
    """The clauses that say something, in reading order."""
    clauses = _bracketed(reading, catalogue)
    if reading.chinese:
        in_the_time_said(clauses)
    _or_counted(clauses)
    kinds = [_kind(clause) for clause in clauses]
    trailing = _verb_at_the_end(clauses, kinds)
    _listed(reading.text, clauses)
    course = Course(reading.text, [])
    for place, clause in enumerate(clauses):
        text = reading.text[clause.start : clause.end]
        parted = place > 0 and re.search(r"[:：]", reading.text[clauses[place - 1].end : clause.start])
        carried = course.carried_negation and "but" not in clause.joins and not parted
        negative = "neg" in clause.flags or carried
        course.carried_negation = False
        told = reading.before if course.previous is None else course.previous.window
        window = clause.windows[0] if clause.windows else _borrowed(text, told)
        occasion = together([mention.occasion for mention in clause.occasions])
        draft = Draft(clause, kinds[place], negative, list(clause.items), window, occasion)
        step = Step(draft, text, clauses[place - 1], place in trailing)
        if not any(rule(course, step, catalogue) for rule in RULES):
            course.made.append(draft)
    if course.when and clauses and _WHO.search(reading.text):
        # 'customers in Germany': who bought there.
        course.made.append(Draft(clauses[-1], "purchase", False, [], None, course.when))
    _share_campaigns(course.made, reading.text)
    _share_times(course.made, reading)
    if reading.chinese:
        take_the_unsaid(course.made, reading)
    for draft in course.made:
        _habit_or_occasion(draft)
    return _without_titles(course.made, reading)


_SAME_TIME = "in_that_time"
"""What the rewriting rules make of 'in the same period'."""
_SINCE_THEN = re.compile(
    r"\bsince(?: then)?\s*[?.!]*\s*$|\bafter(?:wards?| that)\b|此后|之后就?(?:没|未|再)|后来", re.IGNORECASE
)


def _borrowed(said: str, told: TimeMention | None) -> TimeMention | None:
    """'in that time' and 'nothing since' speak of the time said before."""
    if told is None:
        return None
    if _SAME_TIME in said or SAME_TIME_ZH.search(said):
        return told
    ended = told.window.end
    if ended > 0 and _SINCE_THEN.search(said):
        return replace(told, window=Window(ended, 0), gap=False, first=None, last=None)
    return None


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
    if before is None or not (only_items(clause) and text[: clause.start].lower().endswith("with")):
        return
    unit = next((n.unit for c in reversed(out) for n in c.numbers if n.unit in ("times", "orders")), None)
    alone = before.numbers and not (before.items or before.features or before.windows or before.flags)
    if alone and unit is not None and all(number.unit in ("", unit) for number in before.numbers):
        clause.numbers += [replace(number, unit=unit) for number in before.numbers]
        clause.joins, clause.start = before.joins | (clause.joins - {"break"}), before.start
        out.pop()


def _or_counted(clauses: list[Clause]) -> None:
    """'cat food or cat litter on six trips or more': one number over what 'or' joins."""
    for place in range(len(clauses) - 2, -1, -1):
        clause, after = clauses[place], clauses[place + 1]
        joined = only_items(clause) and after.items and after.joins == {"or"} and not clause.flags
        if not joined or not after.numbers or after.flags & {"neg", "redeem", "campaign"} or clause.windows:
            continue
        if min(number.span[0] for number in after.numbers) > max(item.span[1] for item in after.items):
            after.items = [*clause.items, *after.items]
            after.start, after.joins = clause.start, clause.joins
            del clauses[place]


def _verb_at_the_end(clauses: list[Clause], kinds: list[str]) -> set[int]:
    """Places of clauses whose verb also holds for the items listed before; those become purchases too."""
    trailing = set()
    for place in range(len(clauses) - 2, -1, -1):
        after = clauses[place + 1]
        follows = kinds[place + 1] == "purchase" and after.items and not after.flags & {"neg"}
        if (
            kinds[place] == ""
            and follows
            and only_items(clauses[place])
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
        if "or" in after.joins and only_items(clause) and re.fullmatch(r"\s*[,、]\s*", between):
            clause.joins |= {"or"}


_NOTHING_OF = re.compile(r"\W*(?:nothing|none|no)\b", re.IGNORECASE)
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


_CAMPAIGN_ALONE = re.compile(
    r"[\s,]*(?:(?:not|nor|or|and|but|from|of|for)\s+)*(?:campaign|mailing)s?\b|[，,]?(?:不是|没有?|而不是)?活动",
    re.IGNORECASE,
)


def _share_campaigns(made: Sequence[Draft], text: str) -> None:
    """'Got campaign 18 but did not respond': to that one."""
    for first, second in itertools.pairwise(made):
        said = text[second.clause.start : second.clause.end]
        if first.kind == "redeem" and first.clause.campaigns and _CAMPAIGN_ALONE.match(said):
            second.kind = "redeem"  # 'coupons from campaign 13 but not campaign 18'
        kinds = (first.kind, second.kind)
        if kinds == ("campaign", "redeem") and not second.clause.campaigns and second.window is None:
            second.clause.campaigns = list(first.clause.campaigns)


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
        opened = reading.text[second.clause.start : second.clause.end]
        nothing = "and" in second.clause.joins and second.items and _NOTHING_OF.match(opened)
        if nothing and second.negative and not first.negative and second.window is None:
            # 'five trips in the last 90 days and nothing from produce': of those days.
            taker, giver, joined = second, first, second.clause.joins <= {"and", "break"}
        elif "but" in second.clause.joins and second.negative and not first.negative:
            # 'bought yogurt in the last 90 days, but did not buy milk': the same days, in both languages.
            taker, giver = (second, first) if second.window is None else (first, second)
            joined = second.clause.joins <= {"and", "but", "break"} and bool(first.items and second.items)
        if not joined or not open_(taker) or giver.window is None or giver.window.gap or not timed(giver):
            continue
        if giver.negative and not taker.negative:
            continue
        taker.window = giver.window


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
