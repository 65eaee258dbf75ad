"""Where a text or a stored byte string speaks of one customer: by pseudonym, or by the retailer's own id.

An id that is short and all digits is a customer's only where it is called one ("customer 100", `"customer": "100"`):
another 100 is a price. A longer id, or one with letters, counts wherever it stands by itself.
"""

from __future__ import annotations

import re
from typing import Any

ERASED = "[erased]"
SURE = 6
"""Characters from which an id of digits alone counts wherever it stands."""
_CALLED = (
    r"(?:customers?|clients?|households?|members?|shoppers?|buyers?|users?|source_id|客户|顾客|会员|用户|家庭)"
    r"[^0-9A-Za-z]{0,4}(?:(?:id|no|number|编号)[^0-9A-Za-z]{1,4})?"
)
# A byte that tells a stored text's length (MessagePack, from 32 characters on) may look like a letter before it.
_ALONE = r"(?:(?<![0-9A-Za-z_])|(?<=\xd9.)|(?<=\xda..))"


class Mention:
    """One customer, found in texts and in bytes."""

    def __init__(self, customer: str, source_id: str) -> None:
        one = re.escape(source_id)
        sure = len(source_id) >= SURE or not source_id.isdigit()
        self.needles = (customer, source_id)
        """Texts without one of which nothing speaks of the customer."""
        before = _ALONE if sure else _CALLED
        pattern = f"({before})(?:{one})(?![0-9A-Za-z_])|{re.escape(customer)}"
        self._text = re.compile(pattern, re.IGNORECASE | re.DOTALL)
        standing = f"(?<![0-9A-Za-z])(?:{one}|{re.escape(customer)})(?![0-9A-Za-z])"
        self._standing = re.compile(standing.encode(), re.IGNORECASE)
        self._bytes = re.compile(pattern.encode(), re.IGNORECASE | re.DOTALL)

    def within(self, content: bytes) -> bool:
        """Whether stored bytes speak of the customer."""
        return self._bytes.search(content) is not None

    def may_be_within(self, content: bytes) -> bool:
        """Whether the id stands anywhere in it, be it a price: for what may be lost without harm."""
        return self._standing.search(content) is not None

    def without(self, value: Any, key: str = "") -> Any:
        """A JSON value with `ERASED` in the place of the customer; key: the name it stands under."""
        if isinstance(value, dict):
            return {self.without(name): self.without(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.without(one, key) for one in value]
        if key in ("customer", "customers") and str(value) in self.needles:
            return ERASED
        if isinstance(value, str):
            return self._text.sub(lambda found: f"{found[1] or ''}{ERASED}", value)
        return value
