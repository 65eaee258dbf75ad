"""A second reading of a message: a model that was fine-tuned on the segment language writes the segment as a sketch.

Two readers that fail differently: the linker misses words it has no rule for, the model invents. So a sketch counts
only when it holds everything that the message says and nothing else; where the linker left something out it is taken,
where both hold and their audiences differ, the marketer is told of both with their sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from assistant.linking.candidates import Candidate
from assistant.linking.linker import Link, Linker
from assistant.llm import ChatModel, tuned
from assistant.plan import ON_SEGMENT
from assistant.sketch import asked, from_sketch, sketch_schema
from segments.check import issues, validate
from segments.definition import Node
from segments.errors import DefinitionError, ModelRetryError
from segments.vocabulary import Vocabulary


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
class SecondReader:
    """members: the members of a definition as of the workspace's date, to compare two readings by."""

    linker: Linker
    model: ChatModel
    vocabulary: Vocabulary
    members: Callable[[Node], Collection[str]]

    def joined(self, link: Link) -> Link:
        """The link, read again. Raises LLMUnavailableError."""
        return self.taken(link, self.sketched(link.message))

    def taken(self, link: Link, node: Node | None) -> Link:
        """The link with a sketch's segment as its reading, as its other reading, or unchanged."""
        if node is None or self.linker.disagreement(link, node):
            return link
        first = link.reading
        if first is not None and issues(first, self.vocabulary):
            first = None  # it contradicts itself, so nobody belongs
        if first is not None and set(self.members(first)) == set(self.members(node)):
            return link
        if first is not None and not link.unused:
            # A word that nothing explains is weak evidence: of 41 such readings of three voices 34 were right.
            return replace(link, alternative=node)
        made = (Candidate(node, 0, len(link.message)),)
        return replace(
            link, candidates=made, reading=node, alternative=first, edits=(), unknown=(), unused=()
        )

    def sketched(self, message: str) -> Node | None:
        """The segment as the tuned model reads it; None without such a model, or when its sketch means nothing here."""
        model = tuned(self.model)
        if model is None:
            return None
        try:
            node = from_sketch(model.json(asked(message), self.schema), self.linker.goods, self.linker.time)
            validate(node, self.vocabulary)
        except (ModelRetryError, DefinitionError):
            return None
        return node

    @cached_property
    def schema(self) -> dict[str, Any]:
        """What a sketch may be here."""
        outcomes = self.vocabulary.outcomes or ()
        return sketch_schema(self.vocabulary.catalogue, sorted(self.linker.events), sorted(outcomes))
