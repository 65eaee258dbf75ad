"""Figures in words: how a figure is shown, and the check that a text shows no other.

A number in an answer is grounded when the evidence shows the same number, in a figure, in the words of
the definition or in a row. Everything else is an invention and the text is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from segments.amounts import number
from segments.explain import Language
from segments.ports import Evidence, Figure

_NUMBER = re.compile(r"(?<![A-Za-z_0-9.])[-+]?\d[\d,]*(?:\.\d+)?")


PERCENT = frozenset({"share", "probability", "ratio"})
"""Units that may be shown as per cent."""
MAX_RATIO = 10.0


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


def numbers_in(text: str) -> list[str]:
    """The numbers of a text as written, without signs and thousands separators."""
    return [match.group().replace(",", "").lstrip("+-") for match in _NUMBER.finditer(text)]


def _values(evidence: Iterable[Evidence]) -> tuple[list[float], set[str]]:
    """Raw values that may be shown (shares also as percent), and numbers inside words, as written."""
    raw: list[float] = []
    words: list[str] = []
    for item in evidence:
        for figure in item.figures:
            numbers = (figure.value, figure.low, figure.high, figure.level)
            values = [abs(v) for v in numbers if isinstance(v, int | float)]
            raw += values
            if figure.unit in PERCENT:
                raw += [value * 100 for value in values]
            elif figure.level is not None:
                raw.append(figure.level * 100)
            words += [figure.label_en, figure.label_zh, str(figure.value)]
        for row in item.rows:
            _collect(list(row.values()), raw, words)
        words += item.notes
    return raw, {n for text in words for n in numbers_in(text)}


def _collect(values: Iterable[Any], raw: list[float], words: list[str]) -> None:
    for value in values:
        if isinstance(value, dict):
            _collect(value.values(), raw, words)
        elif isinstance(value, list | tuple):
            _collect(value, raw, words)
        elif isinstance(value, int | float):
            raw.append(abs(value))
            # A row does not say its units; only small broken numbers can be shares.
            if isinstance(value, float) and abs(value) <= MAX_RATIO:
                raw.append(abs(value) * 100)
        else:
            words.append(str(value))


def ungrounded(text: str, evidence: Sequence[Evidence]) -> list[str]:
    """The numbers of a text that the evidence does not show; empty when the text is grounded.

    A number is grounded when a value of the evidence rounds to it at the precision it is written with.
    """
    raw, words = _values(evidence)
    found = []
    for number_ in numbers_in(text):
        digits = len(number_.partition(".")[2])
        value = float(number_)
        if number_ not in words and not any(abs(r - value) <= 0.5 * 10**-digits + 1e-9 for r in raw):
            found.append(number_)
    return sorted(set(found))


def named(evidence: Evidence) -> dict[str, Figure]:
    """The figures by name."""
    return {figure.name: figure for figure in evidence.figures}


def displayed(evidence: Evidence, currency: str) -> dict[str, str]:
    """Each figure as an answer shows it, by name."""
    return {figure.name: display(figure, currency) for figure in evidence.figures}


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
