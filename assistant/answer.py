"""The answer stage: words over evidence, in the marketer's language.

The plain rendering holds every figure. Where words matter (a profile, a plan), the language model leads
with two or three sentences; a number in them that the evidence lacks, and they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import prompts
from assistant.grounding import display, label, ungrounded
from assistant.linking.linker import Link
from assistant.llm import ChatModel
from segments.explain import Language
from segments.ports import Evidence, Figure

PHRASED = frozenset({"plan_strategy", "profile_segment"})
"""Tools whose answers open with sentences by the language model."""
MAX_BULLETS = 12
_HIDDEN = {"definition_en", "definition_zh", "population", "as_of", "size_before", "seed_size", "top"}


def _say(language: Language, en: str, zh: str) -> str:
    return zh if language == "zh" else en


def plain(evidence: Sequence[Evidence], language: Language, currency: str, min_group: int) -> str:
    """The answer without a language model: the segment in a sentence, then the figures."""
    parts = []
    for item in evidence:
        figures = {figure.name: figure for figure in item.figures}
        if "definition_en" in figures:
            parts.append(_segment(item, figures, language, currency, min_group))
        else:
            parts.append(_figures(item, language, currency))
    return "\n\n".join(part for part in parts if part)


def _segment(
    item: Evidence, figures: dict[str, Figure], language: Language, currency: str, min_group: int
) -> str:
    size = int(figures["size"].value)
    words = str(figures[f"definition_{language}"].value)
    everyone, as_of = display(figures["population"], currency), figures["as_of"].value
    if size == 0:
        return _say(language, f"No customer matches: {words} (as of {as_of}).", f"没有符合条件的客户：{words}（截至 {as_of}）。")
    if size < min_group:
        return _say(
            language,
            f"Fewer than {min_group} customers match: {words} (as of {as_of}). Groups this small are not shown.",
            f"符合条件的客户少于 {min_group} 位：{words}（截至 {as_of}）。人数过少，不予展示。",
        )
    share = display(figures["share"], currency)
    text = _say(
        language,
        f"**{display(figures['size'], currency)} customers** ({share} of {everyone}): {words}, as of {as_of}.",
        f"**{display(figures['size'], currency)} 位客户**（占 {everyone} 位的 {share}）：{words}，截至 {as_of}。",
    )
    before = figures.get("size_before")
    if before is not None and int(before.value) >= min_group:
        shown = display(before, currency)
        text += _say(language, f" Before the edit: {shown}.", f"修改前为 {shown} 位。")
    seed = figures.get("seed_size")
    if seed is not None:
        shown = display(seed, currency)
        text += _say(language, f" They behave most like the {shown} seed customers.", f"他们的行为与 {shown} 位种子客户最相似。")
    return text


def _figures(item: Evidence, language: Language, currency: str) -> str:
    lines = [
        f"- {label(figure, language)}: {display(figure, currency)}"
        for figure in item.figures
        if figure.name not in _HIDDEN
    ][:MAX_BULLETS]
    if item.tool == "list_segments":
        lines += [f"- **{row['name']}** (v{row['version']}): {row['size']}; {row['words']}" for row in item.rows]
    return "\n".join(lines)


def assumptions(link: Link, nodes: Sequence[Any], language: Language) -> list[str]:
    """What the message left open and how it was read, each as a sentence."""
    said = []
    for text in link.dates:
        said.append(_say(language, f"I took {text}.", f"我把“{text.replace(' = ', '”理解为 ').replace(' to ', ' 至 ')}。"))
    readings = {candidate.reading for candidate in link.candidates if candidate.node in nodes}
    readings |= {edit.reading for edit in link.edits if edit.node in nodes}
    sentences = {
        "quiet": ("I took 'quiet' as no purchase in the window shown.", "“沉默”按所示时间窗内无购买理解。"),
        "vague": ("You gave no threshold, so I chose the one shown; say another and I will change it.",
                  "您没有给出阈值，我采用了所示的值；需要可以修改。"),
        "most": ("I took 'mostly' as more than half.", "“主要”按超过一半理解。"),
        "top": ("The threshold shown is where the top customers begin.", "所示阈值即头部客户的起点。"),
        "ever": ("You gave no time window, so I counted the whole history.", "您没有给出时间范围，因此按全部历史计算。"),
    }
    said += [_say(language, *sentences[reading]) for reading in sorted(readings) if reading in sentences]
    return said


def phrase(model: ChatModel, evidence: Sequence[Evidence], language: Language, currency: str) -> Iterator[str]:
    """Sentences by the language model over the facts, piece by piece (ungrounded ones included: check)."""
    facts = [
        f"{label(figure, language)}: {display(figure, currency)}"
        for item in evidence
        for figure in item.figures
        if figure.name not in _HIDDEN
    ][:14]
    system = prompts.render("phrase_system.md", language="Chinese" if language == "zh" else "English")
    yield from model.stream([("system", system), ("human", "Facts:\n" + "\n".join(facts))])


def grounded_lead(
    model: ChatModel, evidence: Sequence[Evidence], language: Language, currency: str
) -> str:
    """The model's sentences when every number in them is in the evidence, else nothing."""
    text = " ".join("".join(phrase(model, evidence, language, currency)).split())
    whole = text[: max(text.rfind(mark) for mark in (".", "。", "!", "！")) + 1]
    return "" if ungrounded(whole, evidence, currency) else whole
