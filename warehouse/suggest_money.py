"""Money as files write it: '$1,234.50', '1.234,50 €', '30元', EUR: which currency, and how the amount is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from warehouse.connection import identifier

SYMBOLS = {
    **{"USD": "$", "EUR": "€", "GBP": "£", "CNY": "¥", "RMB": "¥", "JPY": "¥", "INR": "₹"},
    **{
        code: f"{code} "
        for code in "CHF CAD AUD SEK NOK DKK PLN CZK HUF HKD TWD SGD KRW BRL MXN ZAR TRY NZD".split()
    },
}
"""Currency code -> what is put before an amount."""
_SIGNS = {"$": "$", "€": "€", "£": "£", "¥": "¥", "￥": "¥", "元": "¥", "₹": "₹"}
_SIGN = "|".join([*map(re.escape, _SIGNS), *SYMBOLS])
_AMOUNT = re.compile(rf"-?\s*(?P<before>{_SIGN})?\s*-?\d[\d.,' ]*\s*(?P<after>{_SIGN})?", re.IGNORECASE)
_COMMA = re.compile(r",\d{1,2}\D*$")
_POINT = re.compile(r"\.\d{1,2}\D*$")


def written_amounts(examples: Sequence[str]) -> bool:
    """Whether texts are amounts with a currency or a decimal comma."""
    matches = [_AMOUNT.fullmatch(text.strip()) for text in examples]
    if not examples or not all(matches):
        return False
    return any(m and (m["before"] or m["after"]) for m in matches) or any(map(_COMMA.search, examples))


def amount(column: str, examples: Sequence[str]) -> str:
    """SQL of the amounts that a column of texts holds."""
    bare = f"regexp_replace({identifier(column)}, '[^0-9,.-]', '', 'g')"
    if any(map(_COMMA.search, examples)) and not any(map(_POINT.search, examples)):
        return f"replace(replace({bare}, '.', ''), ',', '.')::DOUBLE"
    return f"replace({bare}, ',', '')::DOUBLE"


def sign_of(name: str, examples: Sequence[str]) -> str | None:
    """The sign of the currency that amounts, or else their column's name, tell; None where they tell none or several."""
    said = {
        sign
        for match in map(_AMOUNT.fullmatch, (text.strip() for text in examples))
        if match and (sign := match["before"] or match["after"])
    }
    if not said:
        said = {
            word
            for word in re.findall(rf"[A-Za-z]+|{'|'.join(map(re.escape, _SIGNS))}", name)
            if word in _SIGNS or word.upper() in SYMBOLS
        }
    signs = {_SIGNS.get(one) or SYMBOLS[one.upper()] for one in said}
    return signs.pop() if len(signs) == 1 else None
