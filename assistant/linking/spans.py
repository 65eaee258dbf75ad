"""Places in a text: whether they meet, and the text without them."""

from __future__ import annotations

import re
from collections.abc import Iterable

Span = tuple[int, int]
"""Characters from, to (not included)."""


def meet(one: Span, other: Span) -> bool:
    """Whether two places have a character in common."""
    return one[0] < other[1] and other[0] < one[1]


def free(span: Span, busy: Iterable[Span]) -> bool:
    """Whether a place meets none of the busy ones."""
    return not any(meet(span, other) for other in busy)


def after_last(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Where the last match between two places ends; the first place where there is none."""
    return max((match.end() for match in pattern.finditer(text, start, end)), default=start)


def blanked(text: str, spans: Iterable[Span], fill: str = " ") -> str:
    """The text with what stands at the places replaced by blanks; all other places stay."""
    chars = list(text)
    for start, end in spans:
        chars[start:end] = fill * (end - start)
    return "".join(chars)
