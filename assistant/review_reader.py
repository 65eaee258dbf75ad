"""One review labelled by the language model, under a schema.

A review is data. It reaches the model as a JSON text, apart from the instructions, and the answer can be nothing but
labels: a review that gives orders can at most have itself labelled wrongly.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import prompts
from insights.lexicon import ASPECTS
from insights.opinions import NEITHER, WHOLE
from segments.errors import ModelRetryError

if TYPE_CHECKING:
    from assistant.llm import ChatModel

MOST_CHARACTERS = 800
"""Of a review that are read: what is said after them is seldom something else, and takes seconds to read."""
LABELS = {"praise": 1.0, "complaint": 0.0, "neither": NEITHER}
SILENT = "not mentioned"
OVERALL = "overall"


def schema() -> dict[str, Any]:
    """What an answer may be: a label for the whole and for each aspect."""
    kinds = {OVERALL: [*LABELS], **{aspect: [*LABELS, SILENT] for aspect in ASPECTS}}
    return {
        "type": "object",
        "properties": {name: {"type": "string", "enum": labels} for name, labels in kinds.items()},
        "required": [*kinds],
        "additionalProperties": False,
    }


def messages(text: str) -> list[tuple[str, str]]:
    """What the model is asked: the instructions, and the review as JSON without what a chat template takes for a mark."""
    said = text[:MOST_CHARACTERS].replace("<|", "< |").replace("|>", "| >")
    return [
        ("system", prompts.load("review_system.md")),
        ("human", json.dumps({"review": said}, ensure_ascii=False)),
    ]


def read_review(model: ChatModel, text: str) -> dict[str, float]:
    """Praise (1), complaint (0) or neither (0.5) by aspect, WHOLE for the review.

    Asks once more where the answer is none of the labels; raises ModelRetryError where that one is neither,
    LLMUnavailableError.
    """
    asked = messages(text)
    try:
        return _labels(model.json(asked, schema()))
    except ModelRetryError as error:
        return _labels(model.json([*asked, ("human", str(error))], schema()))


def _labels(answer: dict[str, Any]) -> dict[str, float]:
    found = {}
    for name in (OVERALL, *ASPECTS):
        label = answer.get(name)
        if label == SILENT and name != OVERALL:
            continue
        if label not in LABELS:
            raise ModelRetryError(f'"{name}" must be one of {", ".join(LABELS)}; got {str(label)[:40]!r}.')
        found[WHOLE if name == OVERALL else name] = LABELS[label]
    return found
