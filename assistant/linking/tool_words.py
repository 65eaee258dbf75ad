"""Misspelt words of what is asked for ('recomend', 'campain'), put right before a message is read: the words of goods and
customers are put right where they are linked."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from assistant.linking import lexicon
from assistant.linking.spans import blanked
from assistant.linking.spelling import SHORTEST, Speller

_NAMES = re.compile(
    r"[\"“「《].*?[\"”」》]|(?<!\w)['‘].*?['’](?!\w)|\b(?:as|called|named|name it|call it|under)\s.*$",
    re.IGNORECASE,
)
"""What may be a name, which nobody spells for another."""
_WORD = re.compile(rf"(?<![\w'’@./-])[A-Za-z]{{{SHORTEST},}}(?![\w'’@/-])")


def spelt(message: str, known: Collection[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The message with misspelt words of requests put right, and those words with their corrections. known: words in lower
    case that are right as they stand."""
    found = []
    for match in _WORD.finditer(blanked(message, [name.span() for name in _NAMES.finditer(message)])):
        word = match.group()
        inside = match.start() > 0 and word[0].isupper()  # 'Danone' is a name
        better = None if inside or word.lower() in known else _speller().correct(word.lower())
        if better is not None and better != word.lower():
            found.append((match.span(), word, better))
    text = message
    for (start, end), _, better in reversed(found):
        text = text[:start] + better + text[end:]
    return text, tuple((word, better) for _, word, better in found)


@cache
def _speller() -> Speller:
    return Speller(lexicon.words("asked_en.txt"))
