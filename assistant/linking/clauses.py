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
from assistant.linking.items import ItemLinker, ItemMention
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


def _family(match: re.Match[str]) -> str:
    """'households of 3 or more' -> '3 or more person households'."""
    if not re.fullmatch(r"\d|one|two|three|four|five|six", match[2], re.I):
        return match.group()
    more = match[3] or ("or more" if match.group().endswith("+") else "")
    return f"{match[2]} {more if more.startswith('or') else ''} person households"


_NORMAL_EN: tuple[tuple[re.Pattern[str], Any], ...] = (
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


def normalise(text: str, chinese: bool) -> str:
    """Spellings of numbers made plain; full-width digits and signs made half-width."""
    if chinese:
        text = re.sub(
            r"(?:在)?(?:未来|将来|接下来|今后)的?\s*(?:\d+|[一二两三四五六七八九十]+)\s*个?[天周月](?:之?内|以内|里)?",
            "",
            text,
        )
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
    named = items.find(text, chinese, taken(), STOP_EN)
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
