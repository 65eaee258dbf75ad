"""What the last answer rests on, for whoever asks 'why?': whom it is about, its main figures, and what was assumed.

Nothing is computed anew and nothing is explained that the tools did not find: the lines are those of the answer's evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.grounding import display, named
from assistant.tools import ToolResult
from segments.ports import Evidence, Figure

SHOWN = 6
"""Figures of each tool; all of them are in the evidence of the answer itself."""
_WORDS = frozenset({"definition_en", "definition_zh", "as_of", "doubts_en", "doubts_zh"})
Line = tuple[str, str]
"""In English and Chinese."""


def rests_on(evidence: Sequence[Evidence], currency: str) -> list[Line]:
    """The lines of an answer's evidence."""
    lines: list[Line] = []
    for item in evidence:
        figures = named(item)
        if "definition_en" in figures:
            lines.append(_whom(figures))
        if item.tool == "assumptions":
            lines += [(note, note) for note in item.notes]
            continue
        said = [figure for name, figure in figures.items() if name not in _WORDS and _is_said(figure)]
        if said:
            lines.append(_figures(said[:SHOWN], currency))
    return list(dict.fromkeys(lines))


def why(lines: Sequence[Sequence[str]]) -> ToolResult:
    """The lines as an answer."""
    heads = ("The last answer rests on:", "上一个回答依据的是：")
    texts = [f"{head}\n" + "\n".join(f"- {line[i]}" for line in lines) for i, head in enumerate(heads)]
    notes = tuple(dict.fromkeys(text for line in lines for text in line))
    return ToolResult((Evidence("e1", "say_why", notes=notes),), texts=(texts[0], texts[1]))


def _whom(figures: dict[str, Figure]) -> Line:
    as_of = figures["as_of"].value
    return (
        f"whom it is about: {figures['definition_en'].value}, as of {as_of}",
        f"说的是谁：{figures['definition_zh'].value}，截至 {as_of}",
    )


def _is_said(figure: Figure) -> bool:
    return figure.unit != "text" or len(str(figure.value)) <= 40


def _figures(figures: Sequence[Figure], currency: str) -> Line:
    shown = [(figure, display(figure, currency)) for figure in figures]
    return (
        "; ".join(f"{figure.label_en}: {value}" for figure, value in shown),
        "；".join(f"{figure.label_zh}：{value}" for figure, value in shown),
    )
