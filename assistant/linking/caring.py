"""Who cares about what words mean: 'the 200 customers most into organic baby things'. English alone: the default encoder
makes nothing of Chinese, whose goods the clauses find by their synonyms.

The words need not be those of a category: they are compared with what the items are, and customers with who buys these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.linking.numbers import EN_NUMBER, to_number
from assistant.linking.patterns import Pattern
from segments.definition import SimilarityCondition

DEFAULT_TOP = 100
"""Customers, where the message names no number; the answer tells it."""
_WHO = r"(?:customers|shoppers|people|households|members|folks|those)"
_MEANT = (
    r"(?P<text>(?:(?!\b(?:who|that|with|but|and|or|in\s+the|over\s+the|last|this|since)\b)[^,.?!;:\n]){3,60})"
)
_ENGLISH = re.compile(
    rf"(?:\b(?:the|top|our)\s+)*(?:(?P<n>{EN_NUMBER})\s+)?\b(?:{_WHO}\s+(?:(?:who|that)\s+)?|who\s+)(?:is\s+|are\s+|'s\s+)?"
    rf"(?:(?:the\s+)?most\s+|really\s+|very\s+much\s+|(?:the\s+)?keenest\s+)?(?:into|keen\s+on|passionate\s+about|"
    rf"cares?\s+(?:the\s+)?most\s+(?:about|for))\s+{_MEANT}",
    re.IGNORECASE,
)
_MADE = re.compile(
    r"\b(?:split|divide|group|cluster|segment|turn|break|sort|put|cut|carve|convert|organi[sz]e)\b",
    re.IGNORECASE,
)
"""'Split our customers into groups': what is made of them, not what they care about."""


def caring(text: str) -> Iterator[Pattern]:
    """Every such condition of a message."""
    for match in _ENGLISH.finditer(text):
        count = int(to_number(match["n"])) if match["n"] else DEFAULT_TOP
        if count >= 1 and not _MADE.search(text, 0, match.start("text")):
            yield Pattern(match.span(), SimilarityCondition(count, text=match["text"].strip()))
