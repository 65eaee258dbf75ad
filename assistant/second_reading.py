"""A second reading of a message: a model that was fine-tuned on the segment language writes the segment as a sketch.

Two readers that fail differently: the linker misses words it has no rule for, the model invents. So both readings are
run: that they find the same customers is evidence that both are right. Where they differ the sketch is taken if the
model was sure enough of it, it holds everything that the message says and nothing else; the other reading is told with
its size unless the model was surer still. A sketch that is not taken is told beside the linker's reading where it fits
the message no worse. What came of it is the answer's confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from assistant.linking.candidates import Candidate
from assistant.linking.linker import Link, Linker
from assistant.llm import ChatModel, TunedModel, tuned
from assistant.plan import ON_SEGMENT
from assistant.sketch import asked, from_sketch, sketch_schema
from segments.check import issues, validate
from segments.codec import to_json
from segments.definition import Node
from segments.errors import DefinitionError, ModelRetryError
from segments.vocabulary import Vocabulary

TAKEN, SURE = 0.1, 0.5
"""The probability that the model gave to its sketch, from which on it is taken, and taken for certain. Of 53 sketches of
three voices new to both readers that held what the message says and differed from the linker's reading, 2 of 12 below
TAKEN were right, 12 of 24 between, and 15 of 17 from SURE on."""


def describes(link: Link, current: Node | None) -> bool:
    """Whether a message describes a segment anew, so that there is something to read twice."""
    defines = not link.intents.destructive and set(link.intents.tools) <= set(ON_SEGMENT)
    if not defines or link.missing or (current is not None and link.edits):
        return False
    return link.reading is not None or (link.about_customers and not link.intents.tools)


def doubtful(link: Link) -> bool:
    """Whether the linker's reading says itself that it is not the whole message."""
    return link.reading is None or bool(link.unused or link.unknown)


@dataclass(frozen=True)
class Sketch:
    """node: the segment; None when the sketch means nothing here. probability: that the model gave to it, 0 to 1."""

    node: Node | None
    probability: float


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
        return link if model is None else self.taken(link, self.sketched(model, link.message))

    def taken(self, link: Link, sketch: Sketch) -> Link:
        """The link with the sketch's segment as its reading or unchanged, and the confidence in it."""
        first, node = link.reading, sketch.node
        if first is not None and issues(first, self.vocabulary):
            first = None  # it contradicts itself, so nobody belongs
        read = set(self.members(first)) if first is not None else set()
        sketched = set(self.members(node)) if node is not None else set()
        if node is not None and first is not None and read == sketched:
            return replace(link, confidence="high")
        empty = bool(read) and not sketched  # nobody asks for nobody
        lost = node is not None and first is not None and not _said(first) <= _said(node)
        if node is None or empty or lost:
            return self._doubted(link)
        unlike = self.linker.disagreement(link, node)
        if unlike or sketch.probability < TAKEN:
            fits = first is not None and len(unlike) <= len(self.linker.disagreement(link, first))
            return self._doubted(link, node if fits else None)
        sure = sketch.probability >= SURE
        return replace(
            link,
            candidates=(Candidate(node, 0, len(link.message)),),
            reading=node,
            alternative=None if sure else first,
            edits=(),
            unknown=(),
            unused=(),
            dates=self.linker.dates(link.message, node),
            confidence="high" if sure else "medium",
        )

    @staticmethod
    def _doubted(link: Link, other: Node | None = None) -> Link:
        """The linker's reading with low confidence, `other` told beside it; a link without one as it is."""
        if link.reading is None:
            return link
        return replace(link, alternative=other or link.alternative, confidence="low")

    def sketched(self, model: TunedModel, message: str) -> Sketch:
        """The segment as the tuned model reads it."""
        try:
            said, probability = model.weighed(asked(message), self.schema)
            node = from_sketch(said, self.linker.goods, self.linker.time)
            validate(node, self.vocabulary)
        except (ModelRetryError, DefinitionError):
            return Sketch(None, 0.0)
        return Sketch(node, probability)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """What a sketch may be here."""
        outcomes = self.vocabulary.outcomes or ()
        return sketch_schema(self.vocabulary.catalogue, sorted(self.linker.events), sorted(outcomes))


def _said(node: Node) -> set[str]:
    """What a definition holds that words say outright and nothing else stands for: channels, events other than
    purchases, and that something did not happen."""
    found = set[str]()

    def look(part: Any) -> None:
        for key, value in part.items() if isinstance(part, dict) else ():
            if key in ("event", "repeat", "first", "last") and value != "purchase":
                found.add(f"event {value}")
            elif key == "channel":
                found.update(f"channel {channel}" for channel in value)
            elif key in ("not", "then_not", "without") or (key, value) == ("feature", "recency_days"):
                found.add("absence")
            look(value)
        for value in part if isinstance(part, list) else ():
            look(value)

    look(to_json(node))
    return found
