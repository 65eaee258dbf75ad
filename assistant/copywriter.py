"""Copy by the language model: one call a variant, checked, and repaired at most once."""

from __future__ import annotations

import json

import prompts
from assistant.llm import ChatModel
from campaigns.copy import (
    ANGLES,
    EXAMPLE_FACTS,
    EXAMPLES,
    PARTS,
    BrandRules,
    Copy,
    facts,
    lengths_of,
    problems,
    schema,
)
from campaigns.plan import Strategy
from segments.errors import ModelRetryError
from segments.explain import Language

MAX_REPAIRS = 1


def write_copy(
    model: ChatModel, strategy: Strategy, language: Language, rules: BrandRules, short: bool = False
) -> tuple[tuple[Copy, ...], tuple[str, ...]]:
    """(variants that hold the rules, why others were left out). short: half as long. Raises LLMUnavailableError."""
    copies: list[Copy] = []
    left_out: list[str] = []
    for variant in ANGLES:
        draft, wrong = _draft(model, strategy, language, rules, variant, short)
        if not wrong and any(draft["subject"] == other.subject for other in copies):
            wrong = ["subject: is the same as the other variant's."]
        if wrong:
            left_out.append(f"{variant}: {' '.join(wrong)}")
        else:
            copies.append(Copy(variant, *(draft[part].strip() for part in PARTS)))
    return tuple(copies), tuple(left_out)


def _draft(
    model: ChatModel, strategy: Strategy, language: Language, rules: BrandRules, variant: str, short: bool
) -> tuple[dict[str, str], list[str]]:
    lengths = {part: str(most) for part, most in lengths_of(language, short).items()}
    system = prompts.render(
        "copy_system.md",
        language="Simplified Chinese" if language == "zh" else "English",
        angle=ANGLES[variant][language == "zh"],
        banned=", ".join(rules.words),
        **lengths,
    )
    example = json.dumps(EXAMPLES[variant][language], ensure_ascii=False)
    shown = [("system", system), ("human", EXAMPLE_FACTS[language]), ("ai", example)]
    asked = [*shown, ("human", facts(strategy, language))]
    messages = asked
    wrong: list[str] = []
    draft: dict[str, str] = {}
    for _ in range(1 + MAX_REPAIRS):
        try:
            draft = model.json(messages, schema(language, short))
            wrong = problems(draft, strategy, language, rules, short)
        except ModelRetryError as error:
            draft, wrong = {}, [str(error)]
        if not wrong:
            break
        said = json.dumps(draft, ensure_ascii=False)
        messages = [*asked, ("ai", said), ("human", "Write it again. " + " ".join(wrong))]
    return draft, wrong
