"""A second reading of a message: a model that was fine-tuned on the segment language writes the segment as a sketch.

Two readers that fail differently: the linker misses words it has no rule for, the model invents. That both find the same
customers is evidence that both are right. Where they differ the model is asked again, a little differently, until two
readings agree, at most twice; all readings are run, those that find the same customers count as one, and what most say and
what leaves least unsaid is taken.
How many agree is the answer's confidence; at low confidence the next reading is told beside it with its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from assistant.linking.candidates import Candidate
from assistant.linking.link import Confidence, Link
from assistant.linking.linker import Linker
from assistant.llm import ChatModel, TunedModel, tuned
from assistant.plan import ON_SEGMENT
from assistant.sketch import asked, from_sketch, sketch_schema, without_year
from segments.canonical import fingerprint
from segments.check import issues, validate
from segments.codec import to_json
from segments.definition import FeatureCondition, Node, conditions
from segments.edit import change, fewer_of
from segments.errors import DefinitionError, ModelRetryError
from segments.vocabulary import Vocabulary

LINKED, DOUBTED, SKETCHED, DRAWN, AGAINST = 1.2, 0.2, 2.0, 1.0, 0.5
"""What a reading weighs: the linker's, the same where it could not explain a word, the model's likeliest sketch and the one
drawn, each times the probability that the model gave to it; and what each thing takes away that a reading leaves unsaid or
makes up. So a sketch that the model is rather sure of leads, unless two others agree or it leaves much unsaid; where the
linker explained every word, a sketch that contradicts the message does not count. Of 616 requests that no pair was learned
from (nine authors whose others were) 520 are read right so with every sketch believed alike, 509 by the first sketch alone,
186 by the linker, and 488 with the weights that the adapter of version 0.13 had. Of 66 of these where linker and sketch
differ, the sketch is right in 3 of 9 below a probability of a half and in 50 of 57 above it."""


SURE = 0.5
"""From which probability on a sketch may lose an event or an absence that the linker read: these may be said otherwise
(days since the last purchase, whose last purchase was in September), or be read wrongly by the linker."""


DRAWS = 2
"""Further sketches at most, as long as no two readings find the same: of 57 held voices one gives 45 right, two 47 (a third
none more), and 1.8 sketches a message instead of 1.7."""


FAVOUR = 0.15
"""What a reading of an edit beside the segment's own words has ahead of one beside the messages that led to it, in
probability: of 33 held edits 23 are read right with 0.1 to 1, 21 without it, of 66 dev conversations 56 with 0.1 or 0.2,
55 without it, 54 with 1."""


def describes(link: Link, current: Node | None) -> bool:
    """Whether a message describes a segment anew, so that there is something to read twice."""
    defines = not link.intents.destructive and set(link.intents.tools) <= set(ON_SEGMENT)
    edits = current is not None and (link.asked == "refine_segment" or link.edits)
    if not defines or link.missing or (edits and link.asked != "define_segment"):
        return False
    if link.asked == "define_segment":
        return True
    measures = not link.unknown and _AMOUNT.search(link.message) is not None
    return link.reading is not None or ((link.about_customers or measures) and not link.intents.tools)


_AMOUNT = re.compile(
    r"\d|\b(?:half|dozen|never|not|no|two|three|twice)\b|[一二两三四五六七八九十百千万半没未]"
)
"""'12+ units in three weeks', 'never mailed': said without a word of customers, and nothing of it is unknown."""


def doubtful(link: Link) -> bool:
    """Whether the linker's reading says itself that it is not the whole message."""
    return link.reading is None or bool(link.unused or link.unknown)


@dataclass(frozen=True)
class Sketch:
    """node: the segment; None when the sketch means nothing here. probability: that the model gave to it, 0 to 1."""

    node: Node | None
    probability: float


MUCH = 0.4
"""How much surer of others the reading beside the segment's words must be than the one beside the messages is of whom the
edit finds, to lead all the same."""


Fits = Callable[[Sketch, set[str], set[str], bool], bool]
"""Whether a reading of an edit is what its words may mean: the sketch, whom it finds, who was found before, and whether
both readings find them with some certainty."""


@dataclass
class _Reading:
    """node: the first that was read of those that find the same customers. lacking: the message's words it leaves unsaid.
    made_up: what it says and the message does not. lost: whether an event or an absence that the linker read is not in it.
    untimely: whether a time said by both its ends ('between 2 and 4 weeks ago') is not in it: the model takes their units
    for others, however sure it is. probability: of its likeliest sketch."""

    node: Node
    lacking: tuple[str, ...]
    made_up: tuple[str, ...]
    lost: bool
    untimely: bool = False
    votes: float = 0.0
    probability: float = 0.0
    readers: set[str] = field(default_factory=set)

    @property
    def doubts(self) -> int:
        """How much of the message it leaves unsaid, or says besides."""
        return len(self.lacking) + len(self.made_up) + self.lost

    @property
    def score(self) -> tuple[float, bool, float]:
        return self.votes - AGAINST * self.doubts, "linker" in self.readers, self.probability

    @property
    def contradicts(self) -> bool:
        """Whether it says something else in the place of what was said."""
        return (self.lost and self.probability < SURE) or bool(self.lacking and self.made_up) or self.untimely

    @property
    def agreed(self) -> bool:
        return len(self.readers) > 1


@dataclass(frozen=True)
class SecondReader:
    """members: the members of a definition as of the workspace's date, to compare two readings by."""

    linker: Linker
    model: ChatModel
    vocabulary: Vocabulary
    members: Callable[[Node], Collection[str]]

    def joined(self, link: Link) -> Link:
        """The link, read again; as it was without a tuned model. Raises LLMUnavailableError."""
        model = tuned(self.model)
        return (
            link
            if model is None
            else self.chosen(link, lambda draw: self.sketched(model, link.message, draw))
        )

    def chosen(self, link: Link, sketch: Callable[[int], Sketch]) -> Link:
        """The link with the reading that most agree on, and the confidence in it. sketch: the n-th of the message."""
        first = link.reading
        if first is not None and issues(first, self.vocabulary):
            first = None  # it contradicts itself, so nobody belongs
        found = dict[frozenset[str], _Reading]()
        if first is not None:
            self._vote(found, link, first, DOUBTED if doubtful(link) else LINKED, "linker")
        for draw, votes in enumerate((SKETCHED, *(DRAWN,) * DRAWS)):
            made = sketch(draw)
            if made.node is not None:
                sure = votes * made.probability
                self._vote(found, link, made.node, sure, f"sketch {draw}", made.probability)
            if any(reading.agreed for reading in found.values()):
                if draw == 0:
                    return replace(link, confidence="high")
                break
        ranked = sorted(found.values(), key=lambda reading: reading.score, reverse=True)
        if first is not None and not doubtful(link):
            ranked = [reading for reading in ranked if "linker" in reading.readers or not reading.contradicts]
        return self._led(link, first, ranked)

    def _vote(
        self,
        found: dict[frozenset[str], _Reading],
        link: Link,
        node: Node,
        votes: float,
        reader: str,
        probability: float = 0.0,
    ) -> None:
        who = self.members(node)
        members = _alike(who, node)
        if members not in found:
            lacking, made_up = self.linker.disagreement(link, node)
            lost = link.reading is not None and not said_outright(link.reading) <= said_outright(node)
            untimely = not self.linker.spans_of_time(link.message).isdisjoint(lacking)
            made = _Reading(node, lacking, made_up, lost, untimely)
            if not who and reader != "linker" and (probability < SURE or made.doubts):
                return  # few ask for nobody
            found[members] = made
        reading = found[members]
        reading.votes += votes
        reading.probability = max(reading.probability, probability)
        reading.readers.add(reader)

    def _led(self, link: Link, first: Node | None, ranked: list[_Reading]) -> Link:
        """The link with the leading reading, and the next one beside it unless two agree on the leader."""
        if not ranked:
            return link if link.reading is None else replace(link, confidence="low")
        leader, *others = ranked
        if first is None and not leader.agreed and link.asked != "define_segment":
            return link  # 'who won the cup?': one sketch alone reads something into everything
        confidence: Confidence = "medium" if leader.agreed else "low"
        other = others[0].node if others and not leader.agreed else None
        if leader.node == first:
            return replace(link, alternative=other or link.alternative, confidence=confidence)
        return replace(
            link,
            candidates=(Candidate(leader.node, 0, len(link.message)),),
            reading=leader.node,
            alternative=other,
            edits=(),
            unknown=(),
            unused=leader.lacking,
            dates=self.linker.dates(link.message, leader.node),
            confidence=confidence,
        )

    def edited(
        self,
        link: Link,
        current: Node,
        told: str,
        led: str,
        edit: Node | None,
        fits: Fits,
    ) -> tuple[Node, bool] | None:
        """The segment after a message that edits the current one, and whether both readings find it; the edit's own where
        one of them speaks for it, None where neither is one.

        The message is read beside the segment's own words (told), and where that finds others than the edit does, beside
        the messages that led to the segment (led, empty where none did). A reading that finds whom the edit finds speaks
        for the edit, unless the first is much surer of others; one that finds those of before, or nobody unless both say
        so, or does not fit the edit's own words, is none; of two others the likelier is taken, with some favour for the
        first. Raises LLMUnavailableError.
        """
        model = tuned(self.model)
        if model is None:
            return None
        before, edits = self._found(current), self._found(edit)
        readings = list[tuple[Sketch, Node, set[str]]]()
        for beside in (told, led) if led else (told,):
            sketch = self._banded(self.sketched(model, f"{beside} {link.message}"), link)
            found = self._found(sketch.node)
            surer = readings[0][0].probability if readings else 0.0
            if edit is not None and found and found == edits and sketch.probability > surer - MUCH:
                return edit, False
            if sketch.node is not None and found != before and (not found or found != edits):
                readings.append((sketch, sketch.node, found))
        agreed = len(readings) > 1 and len({_alike(found, node) for _, node, found in readings}) == 1
        twice = agreed and min(sketch.probability for sketch, _, _ in readings) >= SURE
        fitting = [
            (sketch.probability + favour, node)
            for (sketch, node, found), favour in zip(readings, (FAVOUR, 0.0), strict=False)
            if (found or twice) and fits(sketch, found, before, twice)
        ]
        return (max(fitting, key=lambda one: one[0])[1], agreed) if fitting else None

    def _banded(self, sketch: Sketch, link: Link) -> Sketch:
        """The sketch with the words' own reading of the bands that are said: 'over 55' is 55-64 and above, of which the
        model often writes one band."""
        if sketch.node is None:
            return sketch
        leaves = [leaf for each in link.candidates for leaf in conditions(each.node)]
        said = {leaf.feature: leaf for leaf in leaves if isinstance(leaf, FeatureCondition)}
        node = sketch.node
        for leaf in list(conditions(node)):
            if not isinstance(leaf, FeatureCondition) or leaf.op != "=":
                continue
            words = said.get(leaf.feature)
            if words is not None and words.op in (">=", "<=") and words.value == leaf.value:
                node = change(node, leaf, words)
        return replace(sketch, node=node)

    def _found(self, node: Node | None) -> set[str]:
        return set() if node is None else set(self.members(node))

    def sketched(self, model: TunedModel, message: str, draw: int = 0) -> Sketch:
        """The segment as the tuned model reads it. draw: 0 for the likeliest way, other numbers for others."""
        try:
            said, probability = model.weighed(asked(message), self.schema, draw)
            said = without_year(said, message)
            node = fewer_of(from_sketch(said, self.linker.goods, self.linker.time, self.linker.level))
            validate(node, self.vocabulary)
        except (ModelRetryError, DefinitionError):
            return Sketch(None, 0.0)
        return Sketch(node, probability)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """What a sketch may be here."""
        outcomes = self.vocabulary.outcomes or ()
        return sketch_schema(self.vocabulary.catalogue, sorted(self.linker.events), sorted(outcomes))


def _alike(members: Collection[str], node: Node) -> frozenset[str]:
    """What is equal for readings that find the same customers; nobody is found by two only where both say the same."""
    return frozenset(members) or frozenset({fingerprint(node)})


_ABSENCE = ("recency_days", "overdue_ratio")
"""Features that say how long nothing was bought."""


def said_outright(node: Node) -> set[str]:
    """What a definition holds that words say outright and nothing else stands for: channels, events other than
    purchases, and that something did not happen."""
    found = set[str]()

    def look(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else ():
            if key in ("event", "repeat", "first", "last") and value != "purchase":
                found.add(f"event {value}")
            elif key == "channel":
                found.update(f"channel {channel}" for channel in value)
            if key in ("not", "then_not", "without", "last") or (key == "feature" and value in _ABSENCE):
                found.add("absence")
            look(value)
        for value in part if isinstance(part, list) else ():
            look(value)

    look(to_json(node))
    return found
