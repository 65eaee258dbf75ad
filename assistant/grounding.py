"""Figures in words: how a figure is shown, and the check that a text shows no other.

A number in an answer is grounded when the evidence shows the same number, in a figure, in the words of
the definition or in a row. Everything else is an invention and the text is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from segments.explain import Language, number
from segments.ports import Evidence, Figure

_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d[\d,]*(?:\.\d+)?")


def display(figure: Figure, currency: str = "$") -> str:
    """A figure as an answer shows it, with its interval: '12.3 % (10.1 to 14.5 %)'."""
    shown = _value(figure.value, figure.unit, currency)
    if figure.low is None or figure.high is None:
        return shown
    low, high = (_value(edge, figure.unit, currency) for edge in (figure.low, figure.high))
    return f"{shown} ({low} – {high})"


def _value(value: float | int | str, unit: str, currency: str) -> str:
    if isinstance(value, str):
        return value
    if unit in ("share", "probability"):
        return f"{number(round(value * 100, 1))} %"
    if unit == "currency":
        digits = round(value, 2) if abs(value) < 100 else round(value)
        return f"-{currency}{number(-digits)}" if digits < 0 else f"{currency}{number(digits)}"
    if unit in ("customers", "orders", "items", "count") and float(value).is_integer():
        return number(value)
    return number(round(value, 2) if abs(value) < 100 else round(value, 1))


def label(figure: Figure, language: Language) -> str:
    """The figure's name in words."""
    return figure.label_zh if language == "zh" else figure.label_en


def numbers_in(text: str) -> set[str]:
    """The numbers of a text in one spelling: '1,200' and '1200.0' are the same."""
    return {_plain(match.group()) for match in _NUMBER.finditer(text)}


def _plain(text: str) -> str:
    value = float(text.replace(",", "").lstrip("+-"))
    return f"{value:.10g}"


def allowed_numbers(evidence: Iterable[Evidence], currency: str = "$") -> set[str]:
    """Every number that the evidence shows."""
    allowed: set[str] = set()
    for item in evidence:
        for figure in item.figures:
            allowed |= numbers_in(display(figure, currency))
            allowed |= numbers_in(f"{figure.label_en} {figure.label_zh}")
            for raw in (figure.value, figure.low, figure.high):
                if isinstance(raw, int | float):
                    allowed.add(_plain(f"{raw:.10f}"))
            if figure.level is not None:
                allowed |= numbers_in(number(round(figure.level * 100, 1)))
        for row in item.rows:
            allowed |= numbers_in(" ".join(str(value) for value in row.values()))
        allowed |= numbers_in(" ".join(item.notes))
    return allowed


def ungrounded(text: str, evidence: Sequence[Evidence], currency: str = "$") -> list[str]:
    """The numbers of a text that the evidence does not show; empty when the text is grounded."""
    return sorted(numbers_in(text) - allowed_numbers(evidence, currency))


def to_json(evidence: Evidence, currency: str = "$") -> dict[str, Any]:
    """Evidence as the machine interface prints it; each figure with its value and as displayed."""
    return {
        "id": evidence.id,
        "tool": evidence.tool,
        "figures": [_figure_json(figure, currency) for figure in evidence.figures],
        "rows": [dict(row) for row in evidence.rows],
        "notes": list(evidence.notes),
    }


def _figure_json(figure: Figure, currency: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "label": figure.label_en,
        "display": display(figure, currency),
    }
    if figure.low is not None and figure.high is not None:
        out |= {"low": figure.low, "high": figure.high, "level": figure.level}
    return out
