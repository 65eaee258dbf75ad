"""A second reading of a message that the first left in doubt: the language model puts it into plain words, and those
are linked as any message is.

The model only words; which conditions exist and what they mean is the linker's. A wording that drops or adds a
number, a time, goods or a negation is not taken. Both readings are run, and where their audiences differ the
marketer is told of both, with their sizes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import prompts
from assistant.linking.linker import Link, Linker
from assistant.llm import ChatModel
from assistant.plan import ON_SEGMENT
from segments.definition import Node
from segments.errors import ModelRetryError

MAX_CHARACTERS = 400
SCHEMA = {
    "type": "object",
    "properties": {"customers": {"type": "string", "maxLength": MAX_CHARACTERS}},
    "required": ["customers"],
    "additionalProperties": False,
}


def doubtful(link: Link, current: Node | None) -> bool:
    """Whether a message that describes a segment was not understood whole."""
    defines = not link.intents.destructive and set(link.intents.tools) <= set(ON_SEGMENT)
    if not defines or link.missing or (current is not None and link.edits):
        return False
    if link.reading is None:
        return link.about_customers and not link.intents.tools
    return bool(link.unused or link.unknown)


@dataclass(frozen=True)
class SecondReader:
    """members: the members of a definition as of the workspace's date, to compare two readings by."""

    linker: Linker
    model: ChatModel
    members: Callable[[Node], Collection[str]]

    def joined(self, link: Link, current: Node | None = None, saved: Collection[str] = ()) -> Link:
        """The link, read by the plainer words where those leave less out; else with them as the other reading.

        Raises LLMUnavailableError. A wording that is no answer, or not of the same things, changes nothing.
        """
        words = self._reworded(link)
        if words is None or not self.linker.say_the_same(link.message, words):
            return link
        second = self.linker.link(words, current, saved)
        if second.reading is None or second.unused or second.unknown:
            return link
        if link.reading is None:
            return _with(link, second, None)
        if set(self.members(link.reading)) == set(self.members(second.reading)):
            return link
        if link.unused:
            return _with(link, second, link.reading)
        return replace(link, alternative=second.reading)

    def _reworded(self, link: Link) -> str | None:
        messages = [("system", prompts.load("reword_system.md"))]
        for example in prompts.examples(f"reword_{link.language}.jsonl"):
            messages.append(("human", example["input"]))
            messages.append(("ai", json.dumps(example["output"], ensure_ascii=False)))
        try:
            answer = self.model.json([*messages, ("human", link.message)], SCHEMA)
        except ModelRetryError:
            return None
        words = answer.get("customers")
        return words.strip() if isinstance(words, str) and words.strip() else None


def _with(link: Link, second: Link, alternative: Node | None) -> Link:
    """The message's link with the second reading's conditions."""
    return replace(
        link,
        candidates=second.candidates,
        reading=second.reading,
        alternative=alternative,
        edits=second.edits,
        unknown=(),
        missing=(),
        unused=(),
        dates=second.dates,
        categories=second.categories,
    )
