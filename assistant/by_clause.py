"""Several changes in one message, each read in what the one before left: 'lose the cheese and stretch it to 120 days'."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from assistant.linking.edits import CLAUSES, Edit
from assistant.linking.link import Link
from assistant.plan import edited, likeliest_edits
from segments.definition import Node

_PARTS = re.compile(
    r"\s*[;,.]\s+(?:(?:and|but|then|also|plus)\s+)*|\s+(?:and|but|then)\s+(?=(?:please |also |then |just )*(?:make|stretch|extend|push|move|set|drop|lose|remove"
    r"|bin|scrap|only|add|change|raise|lower|bump|cut|swap|leave|exclude|include|keep|that|they|at least|over|under|more|fewer|less|\d))"
    r"|\s*[，；。]\s*(?:另外|然后|并且|而且|同时|并|再|且|就)*",
    re.IGNORECASE,
)


def by_clause(
    link: Link,
    current: Node,
    linked: Callable[[str, Node], Link],
    unsaid: Callable[[Node], Collection[str]],
) -> Link | None:
    """The link with one edit that is every clause's; None where the message has one clause or leaves no choice, its likeliest
    edits leave nothing unsaid of it, one of the clauses changes nothing, or they leave as much unsaid. Of 329 conversations it
    is made at the end of 10, where it is right in 7 and the likeliest edits in 1. linked: links a clause as one that edits a
    segment. unsaid: the message's words that a segment leaves unsaid."""
    clauses = [part for part in _PARTS.split(link.message) if part.strip(" .!?。！？")]
    settled = all(edit.settled for edit in link.edits) and not link.unused
    if len(clauses) < 2 or settled:
        return None
    left = unsaid(edited(likeliest_edits(link, current), link, current))
    if not left:
        return None
    segment = current
    for clause in clauses:
        part = linked(clause, segment)
        plan = likeliest_edits(part, segment)
        if not plan.edits or part.intents.tools:
            return None
        segment = edited(plan, part, segment)
    if len(unsaid(segment)) >= len(left):
        return None
    edit = Edit("change", segment, current, source=CLAUSES)
    return replace(link, edits=(edit,), unused=(), unknown=())
