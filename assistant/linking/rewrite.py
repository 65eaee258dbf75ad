"""Wordings made plain before anything is read: number words, fractions, analysts' shorthand, what was taken back.

The rules are data (`lexicon/rewrite_en.tsv`, `rewrite_zh.tsv`), tried in order; a replacement `{name}` is what
the function of that name here makes of the match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from assistant.linking import lexicon
from assistant.linking.numbers import spelt_out, to_number

_WIDE = str.maketrans("０１２３４５６７８９％＄", "0123456789%$")
_YEAR_DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")

Replacement = str | Callable[[re.Match[str]], str]


def plain(text: str, chinese: bool) -> str:
    """The text with every rewriting rule of its language applied."""
    text = text.translate(_WIDE)
    for pattern, replacement in _rules("rewrite_zh.tsv" if chinese else "rewrite_en.tsv"):
        text = pattern.sub(replacement, text)
    return text if chinese else spelt_out(text)


@cache
def _rules(name: str) -> tuple[tuple[re.Pattern[str], Replacement], ...]:
    rows = (row for row in lexicon.rows(name) if len(row) > 1)
    return tuple((re.compile(row[0], re.IGNORECASE), _replacement(row[1])) for row in rows)


def _replacement(said: str) -> Replacement:
    call = re.fullmatch(r"\{(\w+)\}(.*)", said)
    if call is None:
        return said
    function, tail = _FUNCTIONS[call[1]], call[2]
    return lambda match: function(match) + tail


def _below(match: re.Match[str]) -> str:
    """'at least one coupon but fewer than five' -> 'between 1 and 4 coupon'; words that are no numbers stay."""
    try:
        return f"between {to_number(match[1]):g} and {to_number(match[3]) - 1:g} {match[2] or ''}"
    except (KeyError, ValueError, IndexError):
        return match[0]


def _family(match: re.Match[str]) -> str:
    """'households of 3 or more' -> '3 or more person households'."""
    if not re.fullmatch(r"\d|one|two|three|four|five|six", match[2], re.IGNORECASE):
        return match[0]
    more = match[3] or ("or more" if match[0].endswith("+") else "")
    return f"{match[2]} {more if more.startswith('or') else ''} person households"


_PARTS = {
    "half": 2,
    "third": 3,
    "tercile": 3,
    "quarter": 4,
    "quartile": 4,
    "fifth": 5,
    "quintile": 5,
    "sixth": 6,
}
_PARTS |= {"tenth": 10, "decile": 10, "percentile": 100}


def _percent(share: float) -> str:
    return f"{round(100 * share):g}%"


def _fraction(match: re.Match[str]) -> str:
    """'a third' -> '33%', 'three-quarters' -> '75%'."""
    words = re.findall(r"[a-z]+", match[0].lower())
    count = {"two": 2, "three": 3, "four": 4, "nine": 9}.get(words[0], 1)
    lead = match[1] if len(match.groups()) > 1 and match[1] else ""
    return lead + _percent(count / _PARTS[words[-1].removesuffix("s")])


_FUNCTIONS: dict[str, Callable[[re.Match[str]], str]] = {
    "below": _below,
    "family": _family,
    "fraction": _fraction,
    "fraction_zh": lambda match: _percent(to_number(match[2]) / to_number(match[1])),
    "quantile": lambda match: f"{match[1]} {_percent(1 / _PARTS[match[2].lower()])}",
    "ratio": lambda match: f"{_percent(to_number(match[1]) / to_number(match[2]))} of ",
    "times": lambda match: f"{dict(once=1, twice=2, thrice=3)[match[1].lower()]} or more times",
    "number": lambda match: f"{to_number(match[1]):g}",
    "tenths": lambda match: f"{to_number(match[1]) * 10:g}%",
    "year": lambda match: match[0].translate(_YEAR_DIGITS),
}
