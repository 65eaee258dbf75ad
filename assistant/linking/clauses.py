"""A question cut into clauses: what each says (verb, negation, items, numbers, times, features).

Order of search matters: times before numbers (a '30' of 'last 30 days' is no amount), numbers before
features ('3 kids'), all of them before item words; every part of the text is claimed once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from assistant.linking.campaigns import CampaignMention, of_campaign
from assistant.linking.caring import caring
from assistant.linking.cues import CHINESE, ENGLISH, STOP_EN, VAGUE, Vague
from assistant.linking.features import FeatureLinker, FeatureMention
from assistant.linking.foreseen import foreseen
from assistant.linking.here import EVENT_WORDS, Here
from assistant.linking.items import ItemLinker, ItemMention, alternatives, chatter
from assistant.linking.numbers import Number, numbers
from assistant.linking.occasions import OccasionMention, occasions
from assistant.linking.patterns import Pattern, patterns
from assistant.linking.patterns_zh import patterns_zh
from assistant.linking.persuaded import persuaded
from assistant.linking.ranks import Top, ranks
from assistant.linking.ranks_zh import SHARE_OF_GOODS, bare_tops_zh, tops_zh
from assistant.linking.rewrite import plain
from assistant.linking.spans import Span, blanked, free
from assistant.linking.trend import Trend, trends
from assistant.linking.windows import TimeMention, windows
from segments.definition import ItemFilter

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
    *EVENT_WORDS,
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
    occasions: list[OccasionMention] = field(default_factory=list)
    features: list[FeatureMention] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    trends: list[Trend] = field(default_factory=list)
    tops: list[Top] = field(default_factory=list)
    vague: list[Vague] = field(default_factory=list)
    campaigns: list[CampaignMention] = field(default_factory=list)

    def copy(self) -> Clause:
        """A clause of its own, whose lists can be changed."""
        return replace(
            self,
            flags=set(self.flags),
            items=list(self.items),
            numbers=list(self.numbers),
            windows=list(self.windows),
            occasions=list(self.occasions),
            features=list(self.features),
        )

    @property
    def event(self) -> bool:
        """Whether it has a verb of its own that says an event."""
        return bool(
            self.flags & {"quiet", "redeem", "campaign", "spend", "purchase", "last_purchase", *EVENT_WORDS}
        )

    @property
    def says_verb(self) -> bool:
        """Whether it is complete without what follows: what was bought or a feature's value was said."""
        bought = self.flags & {"purchase", "spend"} and (
            self.items or self.numbers or self.windows or self.occasions
        )
        return bool(bought or any(mention.condition is not None for mention in self.features))

    @property
    def content(self) -> bool:
        """Whether it says anything besides connectives, negation and times."""
        return bool(
            self.items
            or self.numbers
            or self.features
            or self.patterns
            or self.trends
            or self.tops
            or self.vague
            or self.flags & {"quiet", "redeem", "campaign", "last_purchase", "first_purchase", *EVENT_WORDS}
        )


@dataclass(frozen=True)
class Reading:
    """The clauses of a question, and the spans of its text that were understood.

    before: the time said last before the question; None where none was."""

    text: str
    chinese: bool
    clauses: tuple[Clause, ...]
    claimed: tuple[Span, ...]
    before: TimeMention | None = None

    def unclaimed(self) -> str:
        """The text with everything understood blanked out."""
        return blanked(self.text, self.claimed)


def read(
    question: str,
    chinese: bool,
    as_of: date,
    features: FeatureLinker,
    items: ItemLinker,
    here: Here | None = None,
) -> Reading:
    """Cut a question into clauses. here: what happens in the workspace, and where."""
    here = here or Here()
    text = plain(here.said_plainly(question), chinese)
    found: list[tuple[Span, str, object]] = []

    def claim(kind: str, mentions: Sequence[object]) -> None:
        found.extend((mention.span, kind, mention) for mention in mentions)  # type: ignore[attr-defined]

    def taken() -> list[Span]:
        return [span for span, _, _ in found]

    if features.has_declared:
        # Goods of that very name are goods, unless the attribute is named.
        claim("features", features.declared(text, chinese, [m.span for m in items.exact(text)]))
    claim("patterns", [m for m in persuaded(text, chinese) if free(m.span, taken())])
    claim("patterns", [m for m in caring(text, chinese, items.search_text) if free(m.span, taken())])
    ahead = foreseen(text, chinese, lambda said: named_items(said, chinese, items))
    claim("patterns", [m for m in ahead if free(m.span, taken())])
    if chinese:
        ranked = [t for t in tops_zh(text) if t.feature in features.catalogue or t.feature == SHARE_OF_GOODS]
        claim("tops", [top for top in ranked if free(top.span, taken())])
        claim("features", [m for m in features.own_words(text) if free(m.span, taken())])
        whole = patterns_zh(text, as_of, lambda said: named_items(said, chinese, items))
        claim("patterns", [m for m in whole if free(m.span, taken())])
    named = here.named_campaigns(text)
    said_whole = patterns(text, chinese, as_of, lambda said: named_items(said, chinese, items), here.events)
    said_whole = [replace(m, condition=of_campaign(m.condition, m.span, named)) for m in said_whole]
    claim("patterns", [m for m in said_whole if free(m.span, taken())])
    claim("campaigns", [m for m in named if free(m.span, taken())])
    if chinese:
        claim("trends", [m for m in trends(text, chinese) if free(m.span, taken())])
        claim("tops", [m for m in bare_tops_zh(text) if free(m.span, taken())])
        claim("items", [m for m in items.own_words(text) if free(m.span, taken())])
    else:
        claim("tops", [m for m in ranks(text) if free(m.span, taken())])
        claim("items", [m for m in items.exact(text) if free(m.span, taken())])
        claim("features", features.levels(text, taken()))
        claim("features", [m for m in features.whole_names(text) if free(m.span, taken())])
        claim("trends", [m for m in trends(text, chinese) if free(m.span, taken())])
    for vague in VAGUE:
        for match in (vague.zh if chinese else vague.en).finditer(text):
            if free(match.span(), taken()):
                found.append((match.span(), "vague", vague))
    claim("occasions", [m for m in here.places(text, chinese) if free(m.span, taken())])
    claim("occasions", [m for m in occasions(text, chinese) if free(m.span, taken())])
    claim("windows", [m for m in windows(text, chinese, as_of) if free(m.span, taken())])
    phrases = features.find(text, chinese, taken())
    claim("features", [m for m in phrases if m.condition is not None])
    claim("features", features.phrases(text, chinese, taken()))
    claim("numbers", numbers(text, chinese, taken()))
    claim("features", features.find(text, chinese, taken()))
    for event, words in here.event_words(chinese):
        found += [(m.span(), event, None) for m in words.finditer(text) if free(m.span(), taken())]
    goods = items.find(text, chinese, taken(), STOP_EN | chatter())
    if chinese:
        claim("items", goods)
    else:
        # 'cold and flu' is one name: its 'and' joins nothing.
        claim("items", [m for m in goods if _JOINED.search(m.text)])
    for kind, pattern in (CHINESE if chinese else ENGLISH).items():
        for match in pattern.finditer(text):
            if free(match.span(), taken()) and match.group():
                found.append((match.span(), kind, None))
    if not chinese:
        claim("items", [m for m in goods if free(m.span, taken())])
    found.sort(key=lambda entry: entry[0])
    return Reading(text, chinese, _cut(found, len(text), chinese), tuple(taken()))


def named_items(said: str, chinese: bool, items: ItemLinker) -> ItemFilter:
    """The items that a few words name; nothing when they name none, or goods of different kinds."""
    found = alternatives(said, items.find(said, chinese, [], STOP_EN | chatter()))
    return found[0] if len(found) == 1 else ItemFilter()


_JOINED = re.compile(r"\b(?:and|or)\b|&", re.IGNORECASE)


def _cut(found: list[tuple[Span, str, object]], length: int, chinese: bool) -> tuple[Clause, ...]:
    clauses = [Clause(frozenset(), 0)]
    for span, kind, payload in found:
        current = clauses[-1]
        if kind in _CONNECTIVES:
            if current.content or current.flags or current.windows or current.occasions:
                current.end = span[0]
                clauses.append(Clause(frozenset({kind}), span[1]))
            else:
                current.joins |= {kind}
                current.start = span[1]
        elif kind == "neg_after":
            _negate_said(clauses)
            current.end = span[1]
        elif kind in _FLAGS:
            again = chinese and "neg" in current.flags and current.flags & {"redeem", "campaign"}
            if kind == "neg" and (current.says_verb or again):
                # 'bought dog food, never cat food': a negation opens a clause once the one before has its verb.
                current.end = span[0]
                current = Clause(frozenset({"and"}), span[0])
                clauses.append(current)
            current.flags.add(kind)
            current.end = span[1]
        else:
            if chinese and kind == "windows" and current.says_verb and current.windows:
                # Chinese says the time first: a second one opens a clause.
                current.end = span[0]
                current = Clause(frozenset({"and"}), span[0])
                clauses.append(current)
            getattr(current, kind).append(payload)
            current.end = span[1]
    clauses[-1].end = length
    return tuple(c for c in clauses if c.content or c.flags or c.windows or c.occasions)


def _negate_said(clauses: list[Clause]) -> None:
    """'买过烟的统统剔掉': a negation that ends its sentence turns all of it."""
    for clause in reversed(clauses):
        clause.flags ^= {"neg"}
        if clause.joins & {"break", "but"}:
            break
