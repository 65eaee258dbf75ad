"""The language model's own words in an answer: a plan's first two sentences, and marketing copy.

A small model that quotes numbers mixes up what they mean, so it sees and writes no figure of a plan.
"""

from __future__ import annotations

import re

import prompts
from assistant.copywriter import write_copy
from assistant.llm import ChatModel
from assistant.saying import say
from assistant.tools import ToolResult
from campaigns.copy import BrandRules, to_markdown
from segments.explain import Language

PHRASED = frozenset({"plan_strategy"})
"""Tools whose answers open with a pitch by the language model, which may hold no figure at all."""


def marketing_copy(
    model: ChatModel, result: ToolResult, language: Language, banned: tuple[str, ...], short: bool = False
) -> str:
    """Two variants by the language model, or why none is shown. Raises LLMUnavailableError."""
    if result.strategy is None:
        return ""
    copies, left_out = write_copy(model, result.strategy, language, BrandRules(banned), short)
    if not copies:
        return say(
            language,
            "The language model wrote no copy that keeps the rules, so none is shown. Ask again, or write it yourself.",
            "语言模型写出的文案不符合规则，因此不予展示。可以再试一次，或自行撰写。",
        )
    missing = say(
        language,
        "One variant broke the rules and is left out.",
        "另一个版本不符合规则，已略去。",
    )
    return "\n\n".join([to_markdown(copies, language), *([missing] if left_out else [])])


def pitch(model: ChatModel, result: ToolResult, language: Language) -> str:
    """Two sentences by the language model that introduce a plan, or nothing when they hold a figure.

    The model is shown words, not figures: it cannot misquote what it has not seen.
    """
    if result.strategy is None:
        return ""
    facts = result.strategy.to_dict()
    offer = ", ".join(str(offer["name"]) for offer in facts["offers"])
    system = prompts.render("phrase_system.md", language="Chinese" if language == "zh" else "English")
    asked = f"Objective: {facts['objective']['goal'].replace('_', ' ')}\nOffer: a discount on {offer.lower()}"
    text = " ".join("".join(model.stream([("system", system), ("human", asked)])).split())
    whole = text[: max(text.rfind(mark) for mark in (".", "。", "!", "！")) + 1]
    return "" if _QUANTITY.search(whole) else _without_markup(whole)


_QUANTITY = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundreds?|thousands?|millions?|half|third|quarter|double|triple|twice|per ?cent)\b"
    r"|百分|[一二两三四五六七八九十百千万半]+(?:成|折|倍|位|个|元|块|天|周|月|年|次|半)",
    re.IGNORECASE,
)
"""A figure, in digits or in words: a pitch that holds one is not shown."""


def _without_markup(text: str) -> str:
    """What a model wrote is words: characters that a page would render are dropped."""
    return re.sub(r"[<>*_`#\[\]|]", "", text)
