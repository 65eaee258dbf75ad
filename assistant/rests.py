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
        if item.tool == "discover_segments":
            lines += of_groups(item, currency)
            continue
        said = [figure for name, figure in figures.items() if name not in _WORDS and _is_said(figure)]
        if said:
            lines.append(_figures(said[:SHOWN], currency))
    return list(dict.fromkeys(lines))


def of_groups(item: Evidence, currency: str) -> list[Line]:
    """Of natural segments: how many, how far apart and how stable they are, why so many, what density clustering sees."""
    figures = named(item)
    told = _figures([figures[name] for name in ("segments", "silhouette", "stability")], currency)
    why, why_zh, dense, dense_zh = item.notes
    return [
        told,
        (f"why this many: {why}", f"为什么分成这么多类：{why_zh}"),
        (
            "how stability is tried: grouped anew without a fifth of the customers, several times, and compared",
            "稳定性的检验方法：多次去掉五分之一的客户重新分群，再比较结果",
        ),
        (f"with no number given: {dense}", f"不指定类数时：{dense_zh}"),
    ]


HEADS = {
    "answer": ("The last answer rests on:", "上一个回答依据的是："),
    "groups": ("The natural segments shown last rest on:", "最近一次自然分群的依据是："),
}


def why(lines: Sequence[Sequence[str]], of: str = "answer") -> ToolResult:
    """The lines as an answer. of: a key of HEADS."""
    heads = HEADS[of]
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
