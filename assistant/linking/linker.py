"""The link stage: what a message says is found in one workspace, so that a turn can be planned over it."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

import pandas as pd

from assistant.change_intents import DIFF, undated_change
from assistant.intents import (
    CUES,
    DESTRUCTIVE,
    NAMING,
    WHO_ARE_THEY,
    Intents,
    opens,
    read_intents,
    spoken_outcome,
)
from assistant.linking.calendar_days import MONTHS
from assistant.linking.candidates import Candidate
from assistant.linking.caring import unsearchable
from assistant.linking.clauses import Reading, named_items
from assistant.linking.clusters import numbered
from assistant.linking.edits import Edit, propose
from assistant.linking.features import FeatureLinker
from assistant.linking.goods_alone import alone, other_thing
from assistant.linking.here import Here
from assistant.linking.items import ItemLinker
from assistant.linking.left_out import left_out, made_up
from assistant.linking.likely import counted, most_likely, probable, speaks_of
from assistant.linking.link import Link, is_chinese
from assistant.linking.numbers import Number
from assistant.linking.own_outcomes import own_outcome
from assistant.linking.preamble import without_purpose
from assistant.linking.reader import Reader
from assistant.linking.rewrite import plain, simplified
from assistant.linking.scope import readings
from assistant.linking.spans import blanked
from assistant.linking.stripped import Stripped, strip, without_trends
from assistant.linking.topics import topics
from assistant.linking.unknown import missing, unknown_words
from assistant.linking.windows import TimeMention, iter_labels, windows
from assistant.one_customer import EXPLAIN, REVERSED, asked_customer, leaves, outcome_of_leaving
from segments.definition import (
    AnyOf,
    ComparisonCondition,
    EventCondition,
    InCluster,
    ItemFilter,
    MemberOf,
    Node,
    Not,
    PropensityCondition,
    UpliftCondition,
    Window,
    conditions,
)
from segments.features import Catalogue, Favourite
from segments.ports import TextEncoder

_MORE_TIME = re.compile(
    r"\d|\b(?:days?|weeks?|weekends?|fortnights?|months?|quarters?|years?|half|early|late|mid|before|after|since|until|from|between)\b"
    rf"|\b(?:{'|'.join(MONTHS)})\b|[周月日年季半初末底前后]",
    re.IGNORECASE,
)
"""What says when: left over, it would be lost."""
_DAY = re.compile(r"^\s*(1[0-2]|0?[1-9])[./]([12]\d|3[01]|0?[1-9])(?![\d./])")
"""'2.14', '11/11': a day, where nothing but a time can stand."""
_BETWEEN, _BOTH = re.compile(r"\bbetween\b", re.IGNORECASE), re.compile(r"\band\b", re.IGNORECASE)
"""'between 1 and 14 February': what stands before a time with both its ends."""
_FROM_MONTH = re.compile(rf"\s*from (?:{'|'.join(MONTHS)})\s*", re.IGNORECASE)


class Linker:
    """Links messages to one workspace: its catalogue, item values, feature distribution and date."""

    def __init__(
        self,
        catalogue: Catalogue,
        features: pd.DataFrame,
        item_values: dict[str, tuple[str, ...]],
        item_names: Sequence[str],
        as_of: date,
        encoder: TextEncoder | None = None,
        here: Here | None = None,
    ) -> None:
        self.catalogue, self.as_of = catalogue, as_of
        self._table, self._values = features, item_values
        items = ItemLinker(item_values, item_names, encoder)
        self._reader = Reader(
            catalogue, FeatureLinker(catalogue), items, here or Here(), as_of, self.quantile, encoder
        )
        # Every reading of one message is compared with it, and none changes what was read.
        self._read = lru_cache(maxsize=8)(self._read_anew)

    def _read_anew(self, message: str, chinese: bool) -> Reading:
        reading, _ = self._reader.corrected(message, chinese)
        return reading

    def quantile(self, feature: str, q: float) -> float:
        """The q-quantile of a feature over all customers."""
        return float(self._table[feature].dropna().quantile(q))

    def link(
        self,
        message: str,
        current: Node | None = None,
        saved: Collection[str] = (),
        discovery: str | None = None,
        asked: str | None = None,
    ) -> Link:
        """Link one message, given the conversation's current segment, the names of saved ones, and the discovery
        whose natural segments it may name by number. asked: the tool that it is known to ask for; None: by its words."""
        message, corrected = self.spelt(message)
        if current is not None:
            message = without_purpose(message, is_chinese(message))
        link = replace(self._linked(message, current, saved, discovery, asked), asked=asked)
        return replace(link, corrected=(*corrected, *link.corrected)) if corrected else link

    def spelt(self, message: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The message with misspelt words of requests put right, and those words with their corrections."""
        return self._reader.spelt(message)

    def _linked(
        self,
        message: str,
        current: Node | None,
        saved: Collection[str],
        discovery: str | None,
        asked: str | None,
    ) -> Link:
        one = asked_customer(message, known=asked == EXPLAIN) if asked in (None, EXPLAIN) else None
        if one is not None and not DESTRUCTIVE.search(message):
            return self._about_one(message, one)
        own = own_outcome(message, is_chinese(message), self._reader.here.outcomes)
        clusters = numbered(message) if discovery is not None else []
        spans = [span for span, _ in clusters] + ([own[1]] if own else [])
        if not spans:
            return self._link(message, current, saved, asked=asked)
        named = [InCluster(str(discovery), number) for _, number in clusters]
        link = self._link(blanked(message, spans), current, saved, own[0] if own else None, named, asked)
        return replace(link, message=message)

    def _link(
        self,
        message: str,
        current: Node | None,
        saved: Collection[str],
        own: str | None = None,
        clusters: Sequence[InCluster] = (),
        asked: str | None = None,
    ) -> Link:
        """Link a message without the words of the outcome `own` of the workspace that it asks about, and of natural
        segments that it names."""
        chinese = is_chinese(message)
        bare = strip(message, saved, chinese, asked, self._reader)
        reading, corrected = self._reader.corrected(bare.text, chinese)
        reading = replace(reading, before=None if current is None else _time_of(current))
        intents = self._wanted(message, bare, reading, own, asked)
        for clause in reading.clauses:
            clause.numbers = [number for number in clause.numbers if not _argument(number, intents)]
        mentions = [item.items for clause in reading.clauses for item in clause.items]
        likely = probable(bare.text, reading, intents, mentions)
        found = self._reader.conditions(reading)
        if asked is None and bare.name in saved and opens(message, str(bare.name)):
            intents = replace(intents, tools=("show_segment",))
        if not bare.outlook and own is None:
            found = [candidate for candidate in found if not _is_argument(candidate, intents, message)]
        if bare.name in saved and not set(NAMING) & set(intents.tools):
            found.append(Candidate(MemberOf(str(bare.name)), 0, 0))
        other = bare.other
        if len(clusters) > 1 and CUES["compare_segments"].search(message):
            clusters, other = clusters[:1], clusters[1]
        if clusters:
            found.append(Candidate(AnyOf(tuple(clusters)) if len(clusters) > 1 else clusters[0], 0, 0))
        whole = [pattern.condition for clause in reading.clauses for pattern in clause.patterns]
        if asked == "score_propensity":
            likely = None
        elif likely is None and not any(isinstance(each, PropensityCondition) for each in whole):
            likely = most_likely(message, reading, intents, mentions, len(self._table))
        if likely is not None:
            found = [
                each
                for each in found
                if each.reading not in ("top", "rank") and (own or not speaks_of(each.node, likely.node))
            ]
            found.append(likely)
        if asked is None:
            compares = _compares(message, chinese) and (other is not None or not _of_two_times(whole))
            gone = _said_as_conditions(message, bare, whole, found, compares)
            intents = replace(intents, tools=tuple(tool for tool in intents.tools if tool not in gone))
        edits = propose(reading, found, current) if current is not None else ()
        if intents.tools and not found:
            edits = tuple(edit for edit in edits if edit.kind == "remove")
        unknown = unknown_words(reading)
        if any(edit.kind == "remove" for edit in edits):
            # '把孩子的条件去掉': the word names what goes.
            unknown = tuple(word for word in unknown if not topics(word))
        first, second, *_ = [*readings(reading.text, found), None, None]
        described = first is not None or current is not None or bool(intents.tools)
        people = [] if likely is None else counted(likely, len(self._table))
        said_when = [time for clause in reading.clauses for time in clause.windows]
        return Link(
            language="zh" if chinese else "en",
            message=message,
            candidates=tuple(found),
            reading=first,
            alternative=second,
            edits=tuple(edits),
            intents=intents,
            unknown=unknown,
            missing=missing(reading.text, unknown, chinese, described),
            unused=self._left_out(reading, found, edits, intents, people),
            dates=tuple(iter_labels(_used(said_when, [each.node for each in found]))),
            corrected=corrected,
            categories=bare.ahead or tuple(category for items in mentions for category in items.category),
            goods=tuple(dict.fromkeys(value for items in mentions for value in items.values)),
            guessed=tuple(
                word for items in mentions for word in items.text if self._reader.items.seldom(word)
            ),
            other=other,
            among=bare.among,
            unsearchable=unsearchable(bare.text, self._reader.items.search_text)
            if chinese and not found
            else (),
        )

    def _wanted(
        self, message: str, bare: Stripped, reading: Reading, own: str | None, asked: str | None
    ) -> Intents:
        """What the message wants of which tool, with what was stripped from it."""
        numbers = [number for clause in reading.clauses for number in clause.numbers]
        intents = read_intents(message, numbers, asked)
        change = bare.change or (undated_change(self.as_of) if asked == DIFF else None)
        if change is not None and intents.tools == (DIFF,):
            between = {"earlier": change.earlier, "later": change.later, "dated": change.dated}
            intents = replace(intents, arguments=between)
        if own is not None:
            tools = dict.fromkeys([*intents.tools, *(() if asked else ("score_propensity",))])
            intents = replace(intents, outcome=own, tools=tuple(tools))
        if bare.name is not None:
            intents = replace(intents, name=bare.name)
        if bare.by is not None:
            intents = replace(intents, feature=self._reader.features.named(bare.by, reading.chinese))
        return intents

    def _about_one(self, message: str, customer: str) -> Link:
        """A message that asks what a model says of one customer: whom, and which outcome."""
        chinese = is_chinese(message)
        goods = named_items(message, chinese, self._reader.items)
        own = own_outcome(message, chinese, self._reader.here.outcomes)
        leaving = outcome_of_leaving(self._reader.here.outcomes) if leaves(message) else None
        said = own[0] if own is not None else leaving or spoken_outcome(message)
        reverse = {REVERSED: True} if leaves(message) and own is None and leaving is None else {}
        intents = Intents((EXPLAIN,), outcome=said, customer=customer, arguments=reverse)
        return Link(
            "zh" if chinese else "en",
            message,
            (),
            None,
            None,
            (),
            intents,
            categories=tuple(goods.category) if goods else (),
        )

    def spoken(self, message: str) -> tuple[dict[ItemFilter, str], dict[Window, str]]:
        """The goods and the calendar times that a message names, with its own words for them."""
        reading = self._read(message, is_chinese(message))
        goods = {mention.items: mention.text for clause in reading.clauses for mention in clause.items}
        times = windows(reading.text, reading.chinese, self.as_of)
        return goods, {time.window: time.text for time in times if time.calendar}

    def dates(self, message: str, node: Node) -> tuple[str, ...]:
        """The calendar times of a message that a definition holds, with their dates."""
        reading = self._read(message, is_chinese(message))
        return tuple(iter_labels(_used(windows(reading.text, reading.chinese, self.as_of), [node])))

    def spans_of_time(self, message: str) -> frozenset[str]:
        """The times of a message that are said by both their ends, as days before today."""
        reading = self._read(message, is_chinese(message))
        times = windows(reading.text, reading.chinese, self.as_of)
        both = (time for time in times if time.window.start and time.window.end and not time.calendar)
        return frozenset(time.text.strip() for time in both)

    @property
    def events(self) -> frozenset[str]:
        """The kinds of events that happened in the workspace."""
        return self._reader.here.events

    def disagreement(self, link: Link, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a message says that a definition does not hold, and what the definition holds that nobody said."""
        reading = self._read(link.message, link.language == "zh")
        lost = left_out(
            reading, [node], self.as_of, *_arguments(link.intents), whole=_only_describes(link.intents)
        )
        return lost, made_up(reading, node, self.as_of)

    def goods(self, words: str) -> ItemFilter:
        """The goods that a few words name, brand and kind together; an empty filter when they name none, some of a list
        ('A or B') are unknown, or they are of different kinds (a category, and a word of products' names)."""
        chinese, items = is_chinese(words), self._reader.items
        words = simplified(words) if chinese else words
        english = alone(words)
        known = items.called(words) or (items.lookup(english) if english else ItemFilter())
        if known:
            return known
        if chinese and other_thing(words, items.find(words, True, [], frozenset())):
            return ItemFilter()
        whole = named_items(words, chinese, items) or items.lookup(words.lower())
        listed = re.split(r"\s+or\s+", words)
        if len(listed) == 1:
            return whole
        parts = [vars(self.goods(part)) for part in listed]
        if not all(any(part.values()) for part in parts):
            return ItemFilter()
        if all(set(part[kind]) <= set(vars(whole)[kind]) for part in parts for kind in part):
            return whole
        kinds = {tuple(kind for kind, values in part.items() if values) for part in parts}
        if len(kinds) > 1 or len(named := kinds.pop()) > 1:
            return ItemFilter()
        return ItemFilter(**{named[0]: tuple(dict.fromkeys(v for part in parts for v in part[named[0]]))})

    def level(self, feature: str, said: str) -> str | None:
        """A value of a feature as it is spelt here, whatever its case; None where the feature has no such value."""
        known = self._levels(feature)
        return next(
            (level for level in known if level.casefold() == said.casefold()), None if known else said
        )

    def _levels(self, name: str) -> Sequence[str]:
        """The values that a feature can have; none where they are numbers or not known."""
        feature = self.catalogue.get(name)
        if feature is None or feature.numeric:
            return ()
        if isinstance(feature.computation, Favourite):
            return self._values.get(feature.computation.column, ())
        return feature.levels

    def time(self, words: str) -> Window | None:
        """The one time that a few words name; None when they name none, several, or say more of it than was read."""
        words = _DAY.sub(r"\1月\2日", words)
        chinese = is_chinese(words)
        said = plain(words, chinese)
        # 'December' is a time here, in a message it may be anything; 'from December' has no end where nothing follows.
        begun = f"{said} on" if _FROM_MONTH.fullmatch(said) else said
        for text in (begun, f"in {said}"):
            found = windows(text, chinese, self.as_of)
            if len(found) != 1:
                continue
            rest = blanked(text, [found[0].span])
            if not _MORE_TIME.search(_BETWEEN.sub("", rest) if _BOTH.search(found[0].text) else rest):
                return found[0].window
        return None

    def _left_out(
        self,
        reading: Reading,
        found: Sequence[Candidate],
        edits: Sequence[Edit],
        intents: Intents,
        counted: list[float],
    ) -> tuple[str, ...]:
        """counted: numbers of customers that a condition holds as their share."""
        nodes = [c.node for c in found] + [edit.node for edit in edits if edit.node is not None]
        taken, budget = _arguments(intents)
        whole = not edits and _only_describes(intents)
        return left_out(reading, nodes, self.as_of, [*taken, *counted], budget, whole=whole) if nodes else ()


def _only_describes(intents: Intents) -> bool:
    """Whether a message asks for whom, and for nothing else."""
    return not intents.tools and not intents.destructive


def _arguments(intents: Intents) -> tuple[list[float], float | None]:
    """The numbers of a message that tools take, not conditions: how many, and what may be spent."""
    if not intents.tools:
        return [], None
    return [float(value) for value in (intents.top, intents.k) if value is not None], intents.budget


def _compares(message: str, chinese: bool) -> bool:
    """Whether a message compares segments, not a time with another."""
    return bool(CUES["compare_segments"].search(without_trends(message, chinese)))


def _of_two_times(whole: Sequence[Node]) -> bool:
    return any(isinstance(condition, ComparisonCondition) for condition in whole)


def _said_as_conditions(
    message: str, bare: Stripped, whole: Sequence[Node], found: Sequence[Candidate], compares: bool
) -> set[str]:
    """The tools whose words say whom, and ask for no tool. whole: the conditions that a pattern found as they stand."""
    gone = set() if compares else {"compare_segments"}
    if any(isinstance(each, PropensityCondition) for each in (*whole, *(c.node for c in found))):
        gone.add("score_propensity")
    uplift = any(isinstance(each, UpliftCondition) for each in whole)
    if uplift and not CUES["estimate_uplift"].search(bare.asks):
        gone.add("estimate_uplift")
    if found and WHO_ARE_THEY.search(message):
        gone.add("profile_segment")
    return gone


def _argument(number: Number, intents: Intents) -> bool:
    """Whether a number is a tool's: how many lookalikes, how much money to spend."""
    sought = "find_lookalikes" in intents.tools or intents.goal == "acquire_lookalikes"
    if sought and number.value == intents.top:
        return number.op is None and number.unit in ("", "people", "customers", "units")
    if number.unit == "percent" and intents.holdout is not None:
        return number.value == intents.holdout * 100
    return (
        bool({"plan_strategy", "compare_plans"} & set(intents.tools))
        and number.value == intents.budget
        and number.op is None
    )


def _is_argument(candidate: Candidate, intents: Intents, message: str) -> bool:
    """Whether the words are a tool's argument, not a condition: what will be bought, what may be spent."""
    node = candidate.node
    if isinstance(node, Not) and "recommend_products" in intents.tools and _NOT_YET.search(message):
        node = node.child
    if not isinstance(node, EventCondition):
        return False
    if "score_propensity" in intents.tools and node.event in ("purchase", "coupon_redeem"):
        cue = CUES["score_propensity"].search(message)
        return (
            cue is not None
            and candidate.end > cue.start()
            and node.window.end == 0
            and node.measure == "count"
        )
    if "recommend_products" in intents.tools and node.event == "purchase":
        return not node.items and node.measure == "count"
    return False


_NOT_YET = re.compile(r"(?:尚未|还没|没有?|未曾|未)(?:购买|买)过?(?:的|[、，,但而又])")
"""'推荐其尚未购买的商品': of the goods, not of the customers."""


def _time_of(current: Node) -> TimeMention | None:
    """The time that the current segment says last, which 'in that quarter' means where a message names none itself."""
    said = [
        c.window for c in conditions(current) if isinstance(c, EventCondition) and c.window.start is not None
    ]
    return TimeMention((0, 0), said[-1], "") if said else None


def _used(times: list[TimeMention], nodes: Sequence[Node]) -> list[TimeMention]:
    """The time expressions that a definition's window comes from."""
    found = (condition for node in nodes for condition in conditions(node))
    used = {condition.window for condition in found if isinstance(condition, EventCondition)}
    return [time for time in times if time.window in used]
