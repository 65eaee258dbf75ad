"""How good the assistant's questions are: whether the two readings it offers are apart, and hold the right one; whether
what it asks back can be answered. Rules only."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from segments.codec import from_json
from segments.definition import Node
from segments.errors import UserError

OPTIONS = re.compile(r"\bfor example\b|\bor\b|例如|比如|可以按|还是|或", re.IGNORECASE)
"""What offers something to choose from or to follow."""
QUOTED = re.compile(r"[\"“「'‘](.+?)[\"”」'’]")


def readings_apart(found: Collection[str], other: Collection[str]) -> float:
    """The share of the customers of either reading who are in only one of them (1 less Jaccard): 0 splits nothing."""
    mine, theirs = set(found), set(other)
    return len(mine ^ theirs) / len(mine | theirs) if mine | theirs else 0.0


def offered_apart(record: dict[str, Any], members: Callable[[Node], Collection[str]]) -> float | None:
    """`readings_apart` of an answer that offers another reading; None where it offers none. A reading that does not hold
    is no choice: 0."""
    if not record.get("other") or not record["found"]:
        return None
    try:
        found, other = (members(from_json(record[name])) for name in ("found", "other"))
    except UserError:
        return 0.0
    return readings_apart(found, other)


def answerable(question: str, turns: Collection[str]) -> float:
    """1 where a person knows what to answer: it asks, and it gives examples or a choice, or quotes what it is about from
    their own words."""
    asks = "?" in question or "？" in question
    said = " ".join(turns).casefold()
    quotes = any(part.casefold() in said for part in QUOTED.findall(question))
    return float(asks and (bool(OPTIONS.search(question)) or quotes))
