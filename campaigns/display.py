"""How a number is written in a plan or a result, in English and Chinese alike."""

from __future__ import annotations

from collections.abc import Callable


def money(value: float, currency: str) -> str:
    """Two decimals, thousands separators and the sign of the currency: '-$1,234.50'."""
    return f"{'-' if round(value, 2) < 0 else ''}{currency}{abs(value):,.2f}"


def share(value: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{value:.1%}"


def points(value: float) -> str:
    """A difference of two shares in percentage points."""
    return f"{value * 100:.2f} pp"


def span(low: float, high: float, show: Callable[[float], str]) -> str:
    """An interval."""
    return f"{show(low)} – {show(high)}"


def difference(kind: str, value: float, currency: str) -> str:
    """A difference of two shares or of two means, with digits enough to see small ones."""
    return points(value) if kind == "share" else money(value, currency)
