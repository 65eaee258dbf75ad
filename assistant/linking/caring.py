"""Who cares about what words mean: 'the 200 customers most into organic baby things', '对有机婴儿用品最感兴趣的200位客户'.

The default encoder reads English alone: Chinese words are searched for by what the lexicon of goods calls them in English,
and told where it does not know them.

The words need not be those of a category: they are compared with what the items are, and customers with who buys these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assistant.linking.numbers import EN_NUMBER, ZH_NUMBER, to_number
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


_WHO_ZH = r"(?:客户|顾客|用户|会员|家庭|买家|消费者|人)"
_MEANT_ZH = r"(?P<text>[^，。；;、？?！!：:\s]{1,20}?)"
_N_ZH = rf"(?:前?(?P<n>{ZH_NUMBER})\s*[位名个户]?)"
_CHINESE = tuple(
    re.compile(pattern)
    for pattern in (
        # '对有机婴儿用品最感兴趣的200位客户', '谁对烧烤最上心'
        rf"对{_MEANT_ZH}(?:最|特别|非常|很|比较|更|都|会)*(?:感兴趣|有兴趣|上心|着迷|痴迷)(?:的{_N_ZH}?{_WHO_ZH}?)?",
        # '热衷烧烤的客户', '最关注健康零食的50位顾客'
        rf"(?:最|特别|非常)?(?:热衷于?|痴迷于?|沉迷于?|钟情于?|最关注|最关心|最在意|最在乎){_MEANT_ZH}的{_N_ZH}?{_WHO_ZH}",
    )
)
InEnglish = Callable[[str], str | None]
"""What a text encoder is asked instead of words in Chinese; None where that is not known."""


def caring(text: str, chinese: bool, in_english: InEnglish) -> Iterator[Pattern]:
    """Every such condition of a message."""
    if chinese:
        for match, meant in _said_zh(text, in_english):
            if meant is not None:
                count = int(to_number(match["n"])) if match["n"] else DEFAULT_TOP
                yield Pattern(match.span(), SimilarityCondition(max(count, 1), text=meant))
        return
    for match in _ENGLISH.finditer(text):
        count = int(to_number(match["n"])) if match["n"] else DEFAULT_TOP
        if count >= 1 and not _MADE.search(text, 0, match.start("text")):
            yield Pattern(match.span(), SimilarityCondition(count, text=match["text"].strip()))


def unsearchable(text: str, in_english: InEnglish) -> tuple[str, ...]:
    """What a message in Chinese wants searched for by its meaning, and cannot be."""
    return tuple(match["text"] for match, meant in _said_zh(text, in_english) if meant is None)


def _said_zh(text: str, in_english: InEnglish) -> Iterator[tuple[re.Match[str], str | None]]:
    for pattern in _CHINESE:
        for match in pattern.finditer(text):
            yield match, in_english(match["text"])
