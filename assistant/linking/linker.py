"""The link stage: everything of a message that exists here, ready to be planned over."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Literal

import pandas as pd

from assistant.change_intents import DIFF, spoken_change
from assistant.intents import (
    CUES,
    DESTRUCTIVE,
    NAMING,
    WHO_ARE_THEY,
    Intents,
    cued,
    opens,
    read_intents,
    spoken_acquisition,
    spoken_ahead,
    spoken_customer,
    spoken_name,
    spoken_outcome,
    spoken_plan,
)
from assistant.linking.candidates import Candidate, Quantile, candidates, propensity_candidate
from assistant.linking.caring import unsearchable
from assistant.linking.clauses import Reading, named_items, read
from assistant.linking.clusters import numbered
from assistant.linking.cues import STOP_EN
from assistant.linking.edits import Edit, propose
from assistant.linking.features import FeatureLinker
from assistant.linking.foreseen import foreseen
from assistant.linking.here import Here
from assistant.linking.items import ItemLinker, absent_words, chatter, stem
from assistant.linking.left_out import left_out, made_up
from assistant.linking.numbers import Number
from assistant.linking.own_outcomes import own_outcome
from assistant.linking.periods import MONTHS
from assistant.linking.persuaded import persuaded
from assistant.linking.rewrite import plain
from assistant.linking.scope import readings
from assistant.linking.spans import blanked
from assistant.linking.spelling import KnowsWords, Speller
from assistant.linking.tool_words import spelt
from assistant.linking.topics import topics
from assistant.linking.trend import trends
from assistant.linking.unknown import missing, unknown_words
from assistant.linking.windows import TimeMention, iter_labels, windows
from assistant.market_intents import MARKET_TOOLS, market_tool, without_trade_words
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
from segments.explain import Language
from segments.features import Catalogue, Favourite
from segments.ports import TextEncoder


def is_chinese(text: str) -> bool:
    """Whether the message is written in Chinese: any Han characters, unless English words prevail."""
    han = len(re.findall(r"[一-鿿]", text))
    return han > 0 and han >= len(re.findall(r"[A-Za-z]{2,}", text)) / 2


_BY = re.compile(
    r"\b(?:their|its|the) (\w+(?: \w+){0,2}) (?:distribution|breakdown)\b|\b(?:by|of|over|across) (?:their |its |the )?([A-Za-z][\w ]*)[.?!]?\s*$|按(?:照)?(.{1,12}?)(?:来)?(?:拆分|细分|分布|分组|统计|看看|[拆分](?:一下)?(?=[。？?！!]?$))"
    r"|(?<=的)(.{1,12}?)分布",
    re.IGNORECASE,
)
"""What a breakdown is by."""
_BREAK = re.compile(
    r"\b(?:break|split|group|count)(?= (?:it|this|that|them|these|those|the|by|down)\b)", re.IGNORECASE
)


Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Link:
    """What a message holds: `reading`, the segment it describes, and `edits` e1, e2, ... of the current one.

    candidates: the conditions that the reading is made of. alternative: the same conditions with 'or' read
    the other way, where that is another segment. other: what the message compares with.
    unknown: content words that nothing here explains; missing: those that ask for what the data lacks.
    unused: numbers, times and goods that no condition holds. dates: calendar readings to state. corrected: words read as others.
    categories, goods: of the items that it names, the categories, and the values of any field and words of names.
    among: whom lookalikes are chosen from. confidence: what a second reading says of this one; None when there was none.
    asked: the tool that the message is known to ask for; None where its words have to say it.
    unsearchable: words that are to be searched for by their meaning, in a language that the text encoder does not read.
    """

    language: Language
    message: str
    candidates: tuple[Candidate, ...]
    reading: Node | None
    alternative: Node | None
    edits: tuple[Edit, ...]
    intents: Intents
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    goods: tuple[str, ...] = ()
    other: Node | None = None
    among: Node | None = None
    confidence: Confidence | None = None
    asked: str | None = None
    unsearchable: tuple[str, ...] = ()

    @property
    def about_customers(self) -> bool:
        """Whether the message speaks of customers at all."""
        return bool(_CUSTOMERS.search(self.message))

    @property
    def names_customers(self) -> bool:
        """Whether the message names customers by a noun, so that it is no question about anything else."""
        return bool(_NAMED_CUSTOMERS.search(self.message))

    @property
    def means_them(self) -> bool:
        """Whether the message speaks of the current segment, if there is one."""
        return bool(_THEM.search(self.message))

    def edit(self, number: str) -> Edit:
        """The edit of an id such as 'e1'."""
        return self.edits[int(number[1:]) - 1]


_MORE_TIME = re.compile(
    r"\d|\b(?:days?|weeks?|weekends?|fortnights?|months?|quarters?|years?|half|early|late|mid|before|after|since|until|from|between)\b"
    rf"|\b(?:{'|'.join(MONTHS)})\b|[周月日年季半初末底前后]",
    re.IGNORECASE,
)
"""What says when: left over, it would be lost."""
_FROM_MONTH = re.compile(rf"\s*from (?:{'|'.join(MONTHS)})\s*", re.IGNORECASE)
_CUSTOMERS = re.compile(
    r"\b(?:customers?|shoppers?|people|persons?|households?|buyers?|users?|members?|clients?|folks|who|whom|whose|them|they"
    r"|their|those|these|ones|segments?|audience|everyone|anyone)\b|客户|顾客|用户|会员|人|他们|她们|家庭|分群",
    re.IGNORECASE,
)
_THEM = re.compile(
    r"\b(?:they|them|their|these|those|th(?:is|at) (?:group|lot|bunch|crowd|segment|audience))\b|他们|她们|[这那](?:些|群|帮|拨|批|伙)人?",
    re.IGNORECASE,
)
_NAMED_CUSTOMERS = re.compile(
    r"\b(?:customers?|custs?|shoppers?|people|ppl|persons?|households?|buyers?|clients?|folks|segments?|audiences?|spenders?|vips?|regulars"
    r"|loyalists?|whales?|hunters?|(?:customer|loyal|our|client) base|ones|target group"
    r"|some(?:one|body)|any(?:one|body))\b"
    r"|客户|顾客|用户|会员|客人|买家|客群|人群|分群|的人|羊毛党|消费者|大客|[熟散老新]客",
    re.IGNORECASE,
)


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
        self._here = here or Here()
        self.catalogue, self.as_of = catalogue, as_of
        self._table = features
        self._features = FeatureLinker(catalogue)
        self._values = item_values
        self._items = ItemLinker(item_values, item_names, encoder)
        self._encoder = encoder

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
        link = replace(self._linked(message, current, saved, discovery, asked), asked=asked)
        return replace(link, corrected=(*corrected, *link.corrected)) if corrected else link

    def spelt(self, message: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The message with misspelt words of requests put right, and those words with their corrections."""
        if is_chinese(message) or not isinstance(self._encoder, KnowsWords):
            return message, ()
        return spelt(message, self._right)

    @cached_property
    def _right(self) -> frozenset[str]:
        """Words that are no slip of the pen."""
        english = self._encoder.words if isinstance(self._encoder, KnowsWords) else frozenset[str]()
        return english | self._own_words | self._items.name_words

    @cached_property
    def _own_words(self) -> frozenset[str]:
        """Words of the question, of what is said around it, of what the data lack, and of goods."""
        return STOP_EN | chatter() | absent_words() | self._items.words

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
        own = own_outcome(message, is_chinese(message), self._here.outcomes)
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
        name, text = _name_blanked(message, [each for each in saved if self._is_name(each, message)])
        said_at, customer = spoken_customer(text)
        if customer is not None:
            text = blanked(text, [said_at])
        if asked in MARKET_TOOLS or (asked is None and market_tool(text) is not None):
            text = without_trade_words(text)
        change = spoken_change(text, chinese, self.as_of)
        if change is not None:
            text = blanked(text, change.spans)
        # 'Most persuadable by campaign 18' says whom, and is no question about what is to come.
        ahead_of = blanked(text, [pattern.span for pattern in persuaded(text, chinese)])
        text = blanked(text, [*spoken_ahead(ahead_of), *spoken_acquisition(text), *spoken_plan(text)])
        other = among = None
        if cued("compare_segments", _without_trends(text, chinese), asked):
            text, other = self._compared(text, chinese)
        if cued("find_lookalikes", text, asked):
            text, among = self._chosen_from(text, chinese)
        by = _BY.search(text) if cued("breakdown_segment", text, asked) else None
        if by is not None:
            text = blanked(text, [by.span(), *(verb.span() for verb in _BREAK.finditer(text))])
        spoken, ahead = text, tuple[str, ...]()
        if cued("score_propensity", text, asked) and not _MOST_LIKELY.search(text):
            spoken = whole = plain(text, chinese)
            if any(foreseen(whole, chinese, lambda said: named_items(said, chinese, self._items))):
                spoken = text
            else:
                text, ahead = self._without_outlook(whole, chinese)
        reading, corrected = self._read(text, chinese)
        reading = replace(reading, before=None if current is None else _time_of(current))
        quantile: Quantile = self.quantile
        numbers = [number for clause in reading.clauses for number in clause.numbers]
        intents = read_intents(message, numbers, asked)
        tools_asked = intents.tools
        if change is not None and intents.tools == (DIFF,):
            between = {"earlier": change.earlier, "later": change.later, "dated": change.dated}
            intents = replace(intents, arguments=between)
        if own is not None:
            tools = dict.fromkeys([*intents.tools, "score_propensity"])
            intents = replace(intents, outcome=own, tools=tuple(tools))
        for clause in reading.clauses:
            clause.numbers = [number for number in clause.numbers if not _argument(number, intents)]
        mentions = [item.items for clause in reading.clauses for item in clause.items]
        probable = _probable(text, reading, intents, mentions)
        found = candidates(reading, self._features, quantile)
        if name is not None:
            intents = replace(intents, name=name)
        if name in saved and opens(message, str(name)):
            intents = replace(intents, tools=("show_segment",))
        if by is not None:
            phrase = next(group for group in by.groups() if group)
            intents = replace(intents, feature=self._features.named(phrase, chinese))
        if text == spoken and own is None:
            found = [candidate for candidate in found if not _is_argument(candidate, intents, message)]
        if name in saved and not set(NAMING) & set(intents.tools):
            found.append(Candidate(MemberOf(str(name)), 0, 0))
        if len(clusters) > 1 and CUES["compare_segments"].search(message):
            clusters, other = clusters[:1], clusters[1]
        if clusters:
            found.append(Candidate(AnyOf(tuple(clusters)) if len(clusters) > 1 else clusters[0], 0, 0))
        said_whole = [p.condition for clause in reading.clauses for p in clause.patterns]
        ranked = any(isinstance(condition, PropensityCondition) for condition in said_whole)
        likely = probable or (
            None if ranked else _most_likely(message, reading, intents, mentions, len(self._table))
        )
        if asked == "score_propensity":
            likely = None
        if ranked:
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "score_propensity"))
        if any(isinstance(c, UpliftCondition) for c in said_whole) and not CUES["estimate_uplift"].search(
            ahead_of
        ):
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "estimate_uplift"))
        counted = [] if likely is None else self._counted(likely)
        if likely is not None:
            found = [
                c
                for c in found
                if c.reading not in ("top", "rank") and (own or not _speaks_of(c.node, likely.node))
            ]
            found.append(likely)
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "score_propensity"))
        compares_periods = other is None and any(isinstance(c, ComparisonCondition) for c in said_whole)
        if compares_periods or not CUES["compare_segments"].search(_without_trends(message, chinese)):
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "compare_segments"))
        if found and WHO_ARE_THEY.search(message):
            intents = replace(intents, tools=tuple(t for t in intents.tools if t != "profile_segment"))
        if asked is not None:
            intents = replace(intents, tools=tools_asked)
        edits = propose(reading, found, current) if current is not None else ()
        if intents.tools and not found:
            edits = tuple(edit for edit in edits if edit.kind == "remove")
        unknown = unknown_words(reading)
        if any(edit.kind == "remove" for edit in edits):
            # '把孩子的条件去掉': the word names what goes.
            unknown = tuple(word for word in unknown if not topics(word))
        read_as = [*readings(reading.text, found), None, None]
        described = read_as[0] is not None or current is not None or bool(intents.tools)
        return Link(
            "zh" if chinese else "en",
            message,
            tuple(found),
            read_as[0],
            read_as[1],
            tuple(edits),
            intents,
            unknown,
            missing(reading.text, unknown, chinese, described),
            self._left_out(reading, found, edits, intents, counted),
            tuple(
                iter_labels(
                    _used([w for clause in reading.clauses for w in clause.windows], [c.node for c in found])
                )
            ),
            corrected,
            ahead or tuple(category for items in mentions for category in items.category),
            tuple(dict.fromkeys(value for items in mentions for value in items.values)),
            other,
            among,
            unsearchable=unsearchable(text, self._items.search_text) if chinese and not found else (),
        )

    def _about_one(self, message: str, customer: str) -> Link:
        """A message that asks what a model says of one customer: whom, and which outcome."""
        chinese = is_chinese(message)
        goods = named_items(message, chinese, self._items)
        own = own_outcome(message, chinese, self._here.outcomes)
        leaving = outcome_of_leaving(self._here.outcomes) if leaves(message) else None
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
        reading, _ = self._read(message, is_chinese(message))
        goods = {mention.items: mention.text for clause in reading.clauses for mention in clause.items}
        times = windows(reading.text, reading.chinese, self.as_of)
        return goods, {time.window: time.text for time in times if time.calendar}

    def dates(self, message: str, node: Node) -> tuple[str, ...]:
        """The calendar times of a message that a definition holds, with their dates."""
        reading, _ = self._read(message, is_chinese(message))
        return tuple(iter_labels(_used(windows(reading.text, reading.chinese, self.as_of), [node])))

    @property
    def events(self) -> frozenset[str]:
        """The kinds of events that happened in the workspace."""
        return self._here.events

    def disagreement(self, link: Link, node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a message says that a definition does not hold, and what the definition holds that nobody said."""
        reading, _ = self._read(link.message, link.language == "zh")
        lost = left_out(reading, [node], self.as_of, *_arguments(link.intents))
        return lost, made_up(reading, node, self.as_of)

    def goods(self, words: str) -> ItemFilter:
        """The goods that a few words name, brand and kind together; an empty filter when they name none, some of a list
        ('A or B') are unknown, or they are of different kinds (a category, and a word of products' names)."""
        whole = named_items(words, is_chinese(words), self._items) or self._items.lookup(words.lower())
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
        chinese = is_chinese(words)
        said = plain(words, chinese)
        # 'December' is a time here, in a message it may be anything; 'from December' has no end where nothing follows.
        begun = f"{said} on" if _FROM_MONTH.fullmatch(said) else said
        for text in (begun, f"in {said}"):
            found = windows(text, chinese, self.as_of)
            if len(found) == 1 and not _MORE_TIME.search(blanked(text, [found[0].span])):
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
        return left_out(reading, nodes, self.as_of, [*taken, *counted], budget) if nodes else ()

    def _counted(self, likely: Candidate) -> list[float]:
        """The number of customers that a likeliest share stands for."""
        node = likely.node
        share = (
            node.top_share if isinstance(node, PropensityCondition) and likely.reading == "share" else None
        )
        return [] if share is None else [float(round(share * len(self._table)))]

    def _is_name(self, saved: str, message: str) -> bool:
        """Whether a message that holds a saved segment's name means it: 'who is over 55?' is not about 'Over 55'."""
        place = message.casefold().find(saved.casefold())
        of_goods = place >= 0 and (market_tool(message) or _BUYING.search(message[:place]))
        if of_goods and named_items(saved, is_chinese(saved), self._items):
            return False  # 'Forecast demand for Soup', 'who bought Soup', whatever segment is called so
        if place < 0 or message[place : place + len(saved)] == saved or spoken_name(message)[1] is not None:
            return place >= 0
        reading, _ = self._read(saved, is_chinese(saved))
        return not candidates(reading, self._features, self.quantile)

    def _read(self, text: str, chinese: bool) -> tuple[Reading, tuple[tuple[str, str], ...]]:
        """The reading of a text, after unknown words that are misspelt or mean a known item were put right."""
        reading = read(text, chinese, self.as_of, self._features, self._items, self._here)
        if chinese or not (_CUSTOMERS.search(text) or candidates(reading, self._features, self.quantile)):
            return reading, ()
        corrected = []
        for word in unknown_words(reading):
            if word in absent_words():
                continue
            better = self._spelt(word)
            if better is None:
                better = self._items.nearest_name(word, text)
            if better is not None and better not in (word, stem(word)):
                corrected.append((word, better))
        for word, better in corrected:
            text = re.sub(rf"\b{re.escape(word)}\b", better, text, flags=re.IGNORECASE)
        if corrected:
            reading = read(text, chinese, self.as_of, self._features, self._items, self._here)
        return reading, tuple(corrected)

    def _spelt(self, word: str) -> str | None:
        """The known word that a misspelt one is: of the trade and the question, else of a product's name."""
        if isinstance(self._encoder, KnowsWords) and word in self._encoder.words:
            return None
        for speller in self._spellers:
            for spelling in (word, stem(word)):
                found = speller.correct(spelling)
                if found is not None:
                    return found
        return None

    @cached_property
    def _spellers(self) -> tuple[Speller, Speller]:
        words = set(self._own_words)
        for feature in self.catalogue:
            words |= {word for phrase in feature.synonyms_en for word in phrase.lower().split()}
        return Speller(words), Speller(words | self._items.name_words)

    def _without_outlook(self, text: str, chinese: bool) -> tuple[str, tuple[str, ...]]:
        """The text without what is to be predicted ('... to buy beer in two weeks'), and that one's categories."""
        asked = _LIKELY.search(text)
        match = _OUTLOOK.search(text, asked.start()) if asked else None
        if match is None:
            return text, ()
        ahead = read(match.group(), chinese, self.as_of, self._features, self._items, self._here)
        found = [c for clause in ahead.clauses for item in clause.items for c in item.items.category]
        return text[: match.start()], tuple(found)

    def _compared(self, text: str, chinese: bool) -> tuple[str, Node | None]:
        """The text up to what is compared with, and what that is; the whole text when it names no customers."""
        for match in _AGAINST.finditer(text):
            found = self._described(text[match.end() :], chinese)
            if found is not None:
                return text[: match.start()], found
        return text, None

    def _chosen_from(self, text: str, chinese: bool) -> tuple[str, Node | None]:
        """The text without the group that lookalikes are chosen from, and that group; the whole text without one."""
        for match in _CHOSEN_FROM.finditer(text):
            said = "zh" if match["zh"] else "en"
            found = self._described(match[said], chinese)
            if found is not None:
                return blanked(text, [match.span()]), found
        return text, None

    def _described(self, text: str, chinese: bool) -> Node | None:
        """The segment that a part of a message describes; None when it describes none."""
        reading = read(text, chinese, self.as_of, self._features, self._items, self._here)
        found = candidates(reading, self._features, self.quantile)
        return readings(text, found)[0] if found else None


_AGAINST = re.compile(
    r"\b(?:different from|differ from|compared? (?:to|with|against)|stack up against|versus|vs\.?|overlap with|against|next to|and)(?=\s)"
    r"|与|跟|和|同",
    re.IGNORECASE,
)


_CHOSEN_FROM = re.compile(
    r"\b(?:from )?(?:among|amongst|within|out of|only from|only among|limited to|restricted to)\b(?P<en>.+)"
    r"|[在从](?P<zh>[^，,。]{2,40}?)(?:之中|当中|里面|中|里)(?=[，,]?.*(?:找|像|相似|类似|扩展))",
    re.IGNORECASE,
)
"""'find 500 people like them among beer buyers', '在有孩子的家庭里找100个像他们的人'."""


_BUYING = re.compile(
    r"(?:\b(?:buy|buys|buying|buyers of|bought|purchas\w+|order(?:ed|ing)|spen[dt]\w* on)|买[过了的]?|购买[过了的]?)\s*$",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"(?<!products named )(?<!” or )(?<!名称含)(?<!名称带)(?<!名称里有)(?<!名为)(?<!”或)(?<!”、)[\"“「《].{1,60}?[\"”」》]",
)
"""A name in quotation marks, unless it is a product's ('名称含“shampoo”或“toothpaste”的商品')."""


_COUNTS = re.compile(
    r"[\d一二两三四五六七八九十]\s*(?:天|日|周|个?月|次|趟|单|笔|元|块|%)|\d\s*(?:days?|times|weeks?|%)",
    re.IGNORECASE,
)


def _arguments(intents: Intents) -> tuple[list[float], float | None]:
    """The numbers of a message that tools take, not conditions: how many, and what may be spent."""
    if not intents.tools:
        return [], None
    return [float(value) for value in (intents.top, intents.k) if value is not None], intents.budget


def _name_blanked(message: str, saved: Collection[str]) -> tuple[str | None, str]:
    """The segment's name that a message says, and the message without it (positions stay)."""
    span, name = spoken_name(message)
    for known in sorted(saved, key=len, reverse=True):
        place = message.casefold().find(known.casefold())
        if place >= 0 and (name is None or known.casefold() in name.casefold()):
            span, name = (place, place + len(known)), known
            break
    text = message
    if name is not None:
        text = blanked(message, [span])
    # What else is quoted is a name too, not a condition; one that counts ('“任意3天内来了4趟”') is a condition.
    quoted = (match for match in _QUOTED.finditer(text) if not _COUNTS.search(match.group()))
    return name, blanked(text, (match.span() for match in quoted))


_MOST_LIKELY = re.compile(
    r"\b(?:most likely|likeliest|highest (?:predicted )?(?:probability|chance|propensity|likelihood|odds)|best (?:chance|odds)"
    r"|(?:by|on|in|of|for) (?:their |the |our )?(?:predicted |model(?:led)? )?(?:probability|likelihood|propensity|chances?|odds)(?: score)?)\b"
    r"|\b(?:who|which (?:of (?:our|the|my) )?(?:customers|shoppers|people|households|buyers)) (?:will|are going to|is going to)"
    r"(?: (?:most|very|probably|likely|soon))* (?:buy|purchase|order|redeem|return|shop|come back)\b(?! (?:only|just)\b)(?![^.?!]*\b(?:because|anyway|without|regardless|if|thanks to)\b)"
    r"|(?:谁|哪些(?:客户|顾客|用户|会员|家庭|人)?)(?:最?(?:可能|有可能))?(?:将会?|会(?!员))(?![^。？?]*(?:因|才|靠|也会))[^。？?，,]{0,8}(?:购买|买|下单|回来|复购|用券)"
    r"|最有?(?:可能|机会|希望)|(?:概率|可能性|几率|机率|倾向)(?:最[高大])?(?=.{0,20}前|最)|最大(?:概率|可能)",
    re.IGNORECASE,
)


_SHARE_LIKELY = re.compile(
    r"(\d+(?:\.\d+)?)\s?(?:%|percent)(?: of (?:our |the |all )?\w+)?(?: who are| that are)? most likely",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"\b(?:likely|likelihood|will|would|chances?|odds|probabilit\w+|propensit\w+|predict|expect\w*)\b",
    re.IGNORECASE,
)
_OUTLOOK = re.compile(
    r"\b(?:to|will|would)\s+(?:buy|shop|purchase|order|come|return|redeem|visit|use)\b.*$"
    r"|\b(?:buy|shop|order|come|return|purchase)\s+(?:again|back)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
"""What a question about probability asks for, as against whom it asks about."""


def _most_likely(
    message: str, reading: Reading, intents: Intents, mentions: list[ItemFilter], population: int
) -> Candidate | None:
    """'the 10 % most likely to buy', 'the 100 likeliest': a condition on a model's probability, not a question about it."""
    if not _MOST_LIKELY.search(message):
        return None
    outcome = outcome_of(intents, [category for items in mentions for category in items.category])
    tops = [top.share for clause in reading.clauses for top in clause.tops if top.share]
    numbers = [number for clause in reading.clauses for number in clause.numbers]
    said = _SHARE_LIKELY.search(message)
    shares = [n.value / 100 for n in numbers if n.unit == "percent" and n.op is None]
    share = float(said[1]) / 100 if said else next(iter([*tops, *shares]), None)
    count = _count_said(reading) if share is None else None
    if count is not None and count < population:
        return propensity_candidate(outcome, count / population, counted=True)
    return propensity_candidate(outcome, share)


LEAST_COUNT = 10
"""Of customers, said without a comparison: a smaller number is one of persons in a household as often."""


def _count_said(reading: Reading) -> int | None:
    """How many customers a message asks for; that number is no condition then."""
    for clause in reading.clauses:
        if top := next((top.count for top in clause.tops if top.count), None):
            return top
        for number in clause.numbers:
            counts = (
                number.op is None and number.unit in ("people", "customers") and number.value >= LEAST_COUNT
            )
            if counts and number.value.is_integer():
                clause.numbers.remove(number)
                return int(number.value)
    return None


def _probable(
    message: str, reading: Reading, intents: Intents, mentions: list[ItemFilter]
) -> Candidate | None:
    """'over 80 % likely to buy', '购买概率不低于0.9': a floor on a model's probability."""
    for clause in reading.clauses:
        said = _PROBABILITY.search(reading.text[clause.start : clause.end])
        for number in clause.numbers if said else ():
            value = number.value / 100 if number.unit == "percent" else number.value
            if number.unit in ("percent", "") and 0 < value < 1 and number.op in (">", ">="):
                clause.numbers.remove(number)
                outcome = outcome_of(intents, [category for items in mentions for category in items.category])
                return Candidate(PropensityCondition(outcome, min_probability=round(value, 4)), 0, 0)
    return None


def outcome_of(intents: Intents, categories: Sequence[str]) -> str:
    """The outcome asked about: the workspace's own, a category's purchase when one is named, a purchase or redemption."""
    outcome = intents.outcome or "purchase_30d"
    any_purchase = outcome in ("purchase_14d", "purchase_30d")
    return f"purchase_30d:{categories[0]}" if categories and any_purchase else outcome


_PROBABILITY = re.compile(
    r"\b(?:probabilit\w+|likelihood|propensit\w+|chances?|odds|likely|sure|certain)\b|概率|可能性|几率|机率|倾向",
    re.IGNORECASE,
)


def _speaks_of(node: Node, likely: Node) -> bool:
    """Whether a condition only repeats what is to be predicted ('buy beer', 'redeem a coupon')."""
    return (
        isinstance(node, EventCondition)
        and isinstance(likely, PropensityCondition)
        and (
            node.event == ("coupon_redeem" if likely.outcome.startswith("coupon") else "purchase")
            and node.window.start is None
            and node.measure == "count"
        )
    )


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


def _without_trends(text: str, chinese: bool) -> str:
    """The text with changes over time blanked: 'compared to the quarter before' compares no segments."""
    text = plain(text, chinese)
    spans = [trend.span for trend in trends(text, chinese)]
    return blanked(text, [*spans, *(match.span() for match in _AGAINST_BEFORE.finditer(text))])


_AGAINST_BEFORE = re.compile(
    r"\b(?:vs\.?|versus|compared (?:to|with|against))\s*(?:the\s+)?(?:prior|previous|preceding|before|earlier|last|two before"
    r"|p\d+[dwm]\b|\d+\s*(?:days?|d|weeks?|months?)?\s*before|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b)"
    r"|(?:vs\.?|对比|相比|比较)\s*(?:prior|前|之前|上)\s*\d*",
    re.IGNORECASE,
)
"""'L90D vs prior 90D', 'Dec vs Nov': a time against another."""


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
