"""A question cut into clauses: what each says (verb, negation, items, numbers, times, features).

Order of search matters: times before numbers (a '30' of 'last 30 days' is no amount), numbers before
features ('3 kids'), all of them before item words; every part of the text is claimed once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from assistant.linking.cues import CHINESE, ENGLISH, STOP_EN, VAGUE, Vague
from assistant.linking.features import FeatureLinker, FeatureMention
from assistant.linking.items import ItemLinker, ItemMention, chatter
from assistant.linking.numbers import Number, Span, numbers, spelt_out, to_number
from assistant.linking.trend import Top, Trend, tops, trends
from assistant.linking.windows import TimeMention, windows

_CONNECTIVES = ("or", "either", "but", "and", "break")
_FLAGS = (
    "neg",
    "quiet",
    "last_purchase",
    "first_purchase",
    "redeem",
    "campaign",
    "spend",
    "purchase",
    "mostly",
    "high",
    "low",
)


@dataclass
class Clause:
    """One clause. `joins` are the connectives before it; `flags` the cues inside it."""

    joins: frozenset[str]
    start: int
    end: int = 0
    flags: set[str] = field(default_factory=set)
    items: list[ItemMention] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    windows: list[TimeMention] = field(default_factory=list)
    features: list[FeatureMention] = field(default_factory=list)
    trends: list[Trend] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    vague: list[Vague] = field(default_factory=list)

    @property
    def event(self) -> bool:
        """Whether it has a verb of its own that says an event."""
        return bool(self.flags & {"quiet", "redeem", "campaign", "spend", "purchase", "last_purchase"})

    @property
    def content(self) -> bool:
        """Whether it says anything besides connectives, negation and times."""
        return bool(
            self.items
            or self.numbers
            or self.features
            or self.trends
            or self.tops
            or self.vague
            or self.flags & {"quiet", "redeem", "campaign", "last_purchase", "first_purchase"}
        )


@dataclass(frozen=True)
class Reading:
    """The clauses of a question, and the spans of its text that were understood."""

    text: str
    chinese: bool
    clauses: tuple[Clause, ...]
    claimed: tuple[Span, ...]

    def unclaimed(self) -> str:
        """The text with everything understood blanked out."""
        chars = list(self.text)
        for start, end in self.claimed:
            chars[start:end] = " " * (end - start)
        return "".join(chars)


def _below(low: str, unit: str | None, high: str) -> str | None:
    """'at least one coupon but fewer than five' -> 'between 1 and 4 coupon'; None for words that are no numbers."""
    try:
        return f"between {to_number(low):g} and {to_number(high) - 1:g} {unit or ''}"
    except (KeyError, ValueError, IndexError):
        return None


def _family(match: re.Match[str]) -> str:
    """'households of 3 or more' -> '3 or more person households'."""
    if not re.fullmatch(r"\d|one|two|three|four|five|six", match[2], re.I):
        return match.group()
    more = match[3] or ("or more" if match.group().endswith("+") else "")
    return f"{match[2]} {more if more.startswith('or') else ''} person households"


_NORMAL_EN: tuple[tuple[re.Pattern[str], Any], ...] = (
    (
        re.compile(
            r"\b(\d+|"
            + "|".join(("five", "ten", "fifteen", "twenty"))
            + r") (?:items|products|things)( or more| or fewer)? (?:an?|per|each|every) (?:trip|order|basket|visit|shop)\b",
            re.I,
        ),
        r"basket size of \1\2",
    ),
    (
        re.compile(
            r"\b(?:a |one )?(?:visit|trip|order|purchase)s? every (\w+) days?(?: or (?:better|less|sooner))?",
            re.I,
        ),
        r"purchase interval of \1 days or less",
    ),
    (re.compile(r"\bone (?:trip|order|visit)s? in (?:every )?ten\b", re.I), "10% of trips"),
    (re.compile(r"\boverdue by a factor of (\w+)( or more)?", re.I), r"at least \1 times their usual gap"),
    (re.compile(r"\b(?:small|little|young) (kids|children)\b", re.I), r"\1"),
    (
        re.compile(r"\b(?:just )?one other person\b|\btwo in the (?:house|home)(?:hold)?\b", re.I),
        "2 person households",
    ),
    (
        re.compile(
            r"\bonly (?:ever )?(bought|shopped|purchased|ordered|visited)(?: with us| here)? once\b", re.I
        ),
        r"\1 exactly 1 times",
    ),
    (
        re.compile(
            r"\b(?:but|and|who) (?:no longer|don't|do not) (?:do|buy (?:it|them|any))(?: so)?(?: any ?more)?\b(?=\s*(?:$|[.,;?!]))",
            re.I,
        ),
        "but not in the last 90 days",
    ),
    (
        re.compile(r"\brecency (?=(?:of |is )?(?:under|over|below|above|less|more|at|within|up)\b)", re.I),
        "recency_days ",
    ),
    (
        re.compile(r"\bat least (\w+) (?:(\w+) )?(?:but|and) (?:fewer|less) than (\w+)\b", re.I),
        lambda m: _below(m[1], m[2], m[3]) or m[0],
    ),
    (
        re.compile(
            r"\b(?:once|one trip|a visit|a trip) every (\w+) days? or (?:less|longer)(?: often)?\b", re.I
        ),
        r"purchase interval of at least \1 days",
    ),
    # Shorthand of analysts.
    (re.compile(r"\bL(\d+)\s?D\b", re.I), r"in the last \1 days"),
    (re.compile(r"\bL(\d+)\s?W\b", re.I), r"in the last \1 weeks"),
    (re.compile(r"\bL(\d+)\s?M\b"), r"in the last \1 months"),
    (re.compile(r"\b(?:last|past|previous) (?:12|twelve) months\b", re.I), "last 365 days"),
    (re.compile(r"\bHH size\b", re.I), "household size"),
    (re.compile(r"\bHHs?\b"), "households"),
    (re.compile(r"\bw/o\b", re.I), "without"),
    (re.compile(r"\bw/(?=\s?\w)", re.I), "with "),
    (re.compile(r"\b(?:avg|ave)\b\.?", re.I), "average"),
    (re.compile(r"\b(?:LTV|CLV|lifetime value)\b", re.I), "lifetime spend"),
    (re.compile(r"\bPL\b"), "private label"),
    (re.compile(r"\bqty\s*(>=|<=|>|<|=)?\s*(\d+)", re.I), r"\1 \2 units"),
    (re.compile(r"\b(?:last|latest) txns?\b", re.I), "last purchase"),
    (re.compile(r"\btxns?\b", re.I), "orders"),
    (re.compile(r"\bexcl\.?(?=\s)", re.I), "excluding"),
    (re.compile(r"\bincl\.?(?=\s)", re.I), "including"),
    (re.compile(r"#\s?of\b|\bno\. of\b", re.I), "number of"),
    (re.compile(r"\b(\d+)\s?d\b(?!\w)"), r"\1 days"),
    (re.compile(r"\brecency\s*(<=|<|>=|>|=)", re.I), r"recency_days \1"),
    (
        re.compile(
            r"^(?:please |kindly )?(?:remove|exclude|drop|take out)\s+([^.?!]+?)\s+from (?:the )?(?:set|list|group|pool)?(?: of)?\s*((?:customers?|shoppers?|households?|people|those|everyone|anyone)\b.+?)\.?$",
            re.I,
        ),
        r"\2, excluding \1",
    ),
    # What the speaker took back is not meant: 'over $200... scratch that, just the parents'.
    (
        re.compile(
            r"^.*\b(?:scratch that|strike that|no,? wait|wait,? no|on second thought)\b[\s,.:;-]*",
            re.I | re.S,
        ),
        "",
    ),
    (
        re.compile(
            r"\b(?:(?:in|within|over|during)\s+)?(?:the\s+)?(?:next|coming)\s+(?:\w+\s+)?(?:days?|weeks?|months?)\b",
            re.I,
        ),
        "",
    ),
    (
        re.compile(r"^\s*(?:good )?(?:morning|afternoon|evening)\s*(?:all|team|everyone)?\s*[!,.]\s*", re.I),
        "",
    ),
    (
        re.compile(
            r"\bat least ([$]?[\d,.]+\s?[k%]?)\s*(?:\w+\s+)?(?:but|and|though)\s+(?:at most|no more than|not more than|up to|a maximum of)\s+([$]?[\d,.]+\s?[k%]?)",
            re.I,
        ),
        r"between \1 and \2",
    ),
    (
        re.compile(
            r"\b(?:(?:been )?(?:shopping|buying) with us|been (?:a )?customers?|customers?(?: of ours)?|with us) for (?=(?:at least|over|more than|less than|under|longer than)?\s*\w+ (?:days?|weeks?|months?|years?)\b)",
            re.I,
        ),
        "tenure of ",
    ),
    (re.compile(r"\bnumber one\b|#1\b", re.I), "top"),
    (
        re.compile(
            r"\b(\d+) days?(?: (or (?:less|fewer|more)))? between (?:visits|trips|orders|purchases|shops)\b",
            re.I,
        ),
        r"purchase interval of \1 days \2",
    ),
    (
        re.compile(
            r"\bwithout (?=(?:ever )?(?:buying|purchasing|ordering|shopping|visiting|redeeming)\b)", re.I
        ),
        "but not ",
    ),
    (re.compile(r"\bby (?:a |one )?half\b", re.I), "by 50%"),
    (re.compile(r"\bby (?:a|one) third\b", re.I), "by 33%"),
    (re.compile(r"\bby (?:a|one) quarter\b", re.I), "by 25%"),
    (re.compile(r"\bonce or twice\b", re.I), "1 to 2 times"),
    (re.compile(r"\btwice\b", re.I), "2 times"),
    (re.compile(r"\b(more than|over|at least|less than|only|just|exactly) once\b", re.I), r"\1 1 times"),
    (re.compile(r"\btwo[- ]thirds\b", re.I), "67%"),
    (re.compile(r"\b(?:a|one)[- ]third (of (?:their|the|all))", re.I), r"33% \1"),
    (re.compile(r"\b(?:a|one) quarter (of (?:their|the|all))", re.I), r"25% \1"),
    (
        re.compile(r"\b(more than|over|at least|less than|under) half (?:of |the )?(their|the|all|of)", re.I),
        r"\1 50% of \2",
    ),
    (re.compile(r"[’‘]"), "'"),
    (
        re.compile(
            r"\b(households?|families|family) of (\w+)(?: (or more|or fewer|or less|people|plus)\b|\+)?", re.I
        ),
        _family,
    ),
    (re.compile(r"\b(?:a|one) fifth (of (?:their|the|all))", re.I), r"20% \1"),
    (re.compile(r"\b(under|over)-(\d+)s?\b", re.I), r"\1 \2"),
    (re.compile(r"\bin their ([2-6])0s\b", re.I), r"aged \g<1>0 to \g<1>9"),
    (re.compile(r"\bsix[- ]figures?(?: incomes?| salar(?:y|ies))?\b", re.I), "income of at least 100K"),
    (
        re.compile(
            r"(\d+ ?(?:%|percent)) of (?:their |all )?(?:spend(?:ing)?|purchases|money|orders) or more", re.I
        ),
        r"at least \1 of spend",
    ),
    (
        re.compile(r"\b(?:in|during|over) (?:that|the same) (?:time|period|window|span)\b", re.I),
        "in_that_time",
    ),
    (re.compile(r"\brather than [\w ]+?(?=[,.;?!]|$)", re.I), ""),
)


_YEAR_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
_NORMAL_ZH: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"L(\d+)\s?D\b", re.I), r"最近\1天"),
    (re.compile(r"百分之([零一二两三四五六七八九十百\d.]+)"), lambda m: f"{to_number(m[1]):g}%"),
    (re.compile(r"[二〇零一三四五六七八九]{4}(?=年)"), lambda m: m[0].translate(_YEAR_DIGITS)),
    (
        re.compile(r"([一二三四五六七八九]?[十百][一二三四五六七八九]?十?[一二三四五六七八九]?)(?=天)"),
        lambda m: f"{to_number(m[1]):g}",
    ),
    (re.compile(r"租赁|租住"), "租房"),
    (re.compile(r"个(及以上|以上|或以上|或更多)(?=的?(?:孩子|小孩|娃))"), r"\1个"),
    (re.compile(r"俩(?=个?月|周|星期)"), "两个"),
    (re.compile(r"仨(?=个?月|周|星期)"), "三个"),
    (re.compile(r"(?:往上|起步)"), "以上"),
    (re.compile(r"(?<=[\d一二三四五六七八九十百千万])(?:往下)"), "以下"),
    (re.compile(r"别(?=低于|少于|超过|多于|高于)"), "不"),
    (re.compile(r"介于"), ""),
    (re.compile(r"此前|先前"), "之前"),
    # English words of the trade inside Chinese.
    (re.compile(r"\bQ([1-4])\b", re.I), r"\1季度"),
    (re.compile(r"\blifetime spend\b|\bLTV\b", re.I), "累计消费"),
    (re.compile(r"\bAOV\b", re.I), "客单价"),
    (re.compile(r"\bprivate[- ]label\b", re.I), "自有品牌"),
    (re.compile(r"\bweekends?\b", re.I), "周末"),
    (re.compile(r"\bcoupons?\b", re.I), "优惠券"),
    (re.compile(r"\bcampaigns?\b", re.I), "营销活动"),
    (re.compile(r"\bkids?\b|\bchildren\b", re.I), "孩子"),
    (re.compile(r"有\s+孩子"), "有孩子"),
    (re.compile(r"\bfamil(?:y|ies)\b|\bhouseholds?\b", re.I), "家庭"),
    (re.compile(r"\bcustomers?\b|\bshoppers?\b", re.I), "客户"),
    (re.compile(r"\brecency\b", re.I), "上次购买"),
    (re.compile(r"\boverdue(?: ratio)?\b", re.I), "逾期"),
    (re.compile(r"\bspend(?:ing)?\b", re.I), "消费"),
    (re.compile(r"\borders?\b", re.I), "订单"),
    (re.compile(r"(\d\d)\+(?=\s*的)"), r"\1岁以上"),
)


def normalise(text: str, chinese: bool) -> str:
    """Spellings of numbers made plain; full-width digits and signs made half-width."""
    if chinese:
        text = re.sub(
            r"(?:在)?(?:未来|将来|接下来|今后)的?\s*(?:\d+|[一二两三四五六七八九十]+)\s*个?[天周月](?:之?内|以内|里)?",
            "",
            text,
        )
        for pattern, plain in _NORMAL_ZH:
            text = pattern.sub(plain, text)
        wide = "０１２３４５６７８９％＄"
        text = text.translate(str.maketrans(wide, "0123456789%$"))
        text = re.sub(
            r"(?<![分])([一二三四五六七八九\d])成(?!为|交|员)",
            lambda m: f"{int(to_number(m[1])) * 10}%",
            text,
        )
        text = re.sub(r"(超过|多于|大于|至少)一半", r"\1 50%", text)
        return re.sub(r"(?<!的)(?<!到)(?<!了)一半(?=以上)", "50%", text)
    for pattern, plain in _NORMAL_EN:
        text = pattern.sub(plain, text)
    return spelt_out(text)


def read(question: str, chinese: bool, as_of: date, features: FeatureLinker, items: ItemLinker) -> Reading:
    """Cut a question into clauses."""
    text = normalise(question, chinese)
    found: list[tuple[Span, str, object]] = []

    def claim(kind: str, mentions: Sequence[object]) -> None:
        found.extend((mention.span, kind, mention) for mention in mentions)  # type: ignore[attr-defined]

    def taken() -> list[Span]:
        return [span for span, _, _ in found]

    claim("trends", trends(text, chinese))
    claim("tops", tops(text, chinese))
    for vague in VAGUE:
        for match in (vague.zh if chinese else vague.en).finditer(text):
            if _free(match.span(), taken()):
                found.append((match.span(), "vague", vague))
    claim("windows", [m for m in windows(text, chinese, as_of) if _free(m.span, taken())])
    phrases = features.find(text, chinese, taken())
    claim("features", [m for m in phrases if m.condition is not None])
    claim("numbers", numbers(text, chinese, taken()))
    claim("features", features.find(text, chinese, taken()))
    named = items.find(text, chinese, taken(), STOP_EN | chatter())
    if chinese:
        claim("items", named)
    for kind, pattern in (CHINESE if chinese else ENGLISH).items():
        for match in pattern.finditer(text):
            if _free(match.span(), taken()) and match.group():
                found.append((match.span(), kind, None))
    if not chinese:
        claim("items", [m for m in named if _free(m.span, taken())])
    found.sort(key=lambda entry: entry[0])
    return Reading(text, chinese, _cut(found, len(text)), tuple(taken()))


def _cut(found: list[tuple[Span, str, object]], length: int) -> tuple[Clause, ...]:
    clauses = [Clause(frozenset(), 0)]
    for span, kind, payload in found:
        current = clauses[-1]
        if kind in _CONNECTIVES:
            if current.content or current.flags or current.windows:
                current.end = span[0]
                clauses.append(Clause(frozenset({kind}), span[1]))
            else:
                current.joins |= {kind}
                current.start = span[1]
        elif kind in _FLAGS:
            current.flags.add(kind)
            current.end = span[1]
        else:
            getattr(current, kind).append(payload)
            current.end = span[1]
    clauses[-1].end = length
    return tuple(clause for clause in clauses if clause.content or clause.flags or clause.windows)


def _free(span: Span, busy: Sequence[Span]) -> bool:
    return not any(span[0] < end and start < span[1] for start, end in busy)
