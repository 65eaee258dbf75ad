"""One review labelled by the language model, under a schema.

A review is data. It reaches the model as a JSON text, apart from the instructions, and the answer can be nothing but
labels: a review that gives orders can at most have itself labelled wrongly. Clauses that order a reader are left out before
(a small model obeyed 21 of 25), and the instructions show what is left to be labelled.
"""

from __future__ import annotations

import json
import re
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
LABEL_WORDS = r"(praise|complaints?|positive|negative|neither|好评|差评|中评|正面|负面|积极|消极|表扬|投诉)"
ORDERS = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,30}\b(instructions?|prompts?|rules|before|above|previous|earlier)\b"
    rf"|\b(answer|output|label(led)?|classify|classified|tag(ged)?)\b.{{0,30}}{LABEL_WORDS}"
    r"|\b(system|assistant|developer)\s*[:：]"
    r"|(忽略|无视|忘记|忘掉|不要理会).{0,8}(指令|指示|提示|要求|规则|以上|之前|前面)"
    rf"|(回答|输出|标注|标记|标为|判为|归为|归类|分类).{{0,8}}{LABEL_WORDS}"
    r"|(系统|助手)\s*[:：]",
    re.IGNORECASE,
)
"""A clause that speaks to whoever labels, not of the purchase."""


def schema() -> dict[str, Any]:
    """What an answer may be: a label for the whole and for each aspect."""
    kinds = {OVERALL: [*LABELS], **{aspect: [*LABELS, SILENT] for aspect in ASPECTS}}
    return {
        "type": "object",
        "properties": {name: {"type": "string", "enum": labels} for name, labels in kinds.items()},
        "required": [*kinds],
        "additionalProperties": False,
    }


def without_orders(text: str) -> str:
    """The review without clauses that order its reader; empty where nothing else is left."""
    clauses = re.findall(r"[^.!?,;。！？，；、\n]+[.!?,;。！？，；、\n]*", text)
    return "".join(clause for clause in clauses if not ORDERS.search(clause)).strip()


def messages(text: str) -> list[tuple[str, str]]:
    """What the model is asked: the instructions, and the review as JSON without what a chat template takes for a mark."""
    said = without_orders(text)[:MOST_CHARACTERS].replace("<|", "< |").replace("|>", "| >")
    return [
        ("system", prompts.load("review_system.md")),
        ("human", json.dumps({"review": said}, ensure_ascii=False)),
    ]


def read_review(model: ChatModel, text: str) -> dict[str, float]:
    """Praise (1), complaint (0) or neither (0.5) by aspect, WHOLE for the review; neither where it is nothing but orders.

    Asks once more where the answer is none of the labels; raises ModelRetryError where that one is neither,
    LLMUnavailableError.
    """
    if not without_orders(text):
        return {WHOLE: NEITHER}
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
