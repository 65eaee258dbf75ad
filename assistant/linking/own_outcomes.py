"""The workspace's own outcomes by their labels: 'who is likely to leave a review?', '谁会写评价'.

An outcome is meant when a message asks what is to come and says every telling word of the outcome's label or name;
of several, the one with the most words. How far ahead it looks is declared, so days are no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.linking.items import stem
from assistant.linking.spans import Span
from segments.ports import Outcome

_ASKED = re.compile(
    r"\b(?:likely|likeliest|likelihood|will|would|going to|expected to|chances?|odds|probabilit\w+|propensit\w+|predict\w*)\b",
    re.IGNORECASE,
)
_LEAD = re.compile(r"\b(?:to|will|would)\b", re.IGNORECASE)
_OTHERS = re.compile(r"\b(?:who|whose|that|which)\b", re.IGNORECASE)
_ASKED_ZH = re.compile(r"会(?:不会)?|可能性?|概率|几率|机率|机会|倾向|预测")
_USUAL = frozenset(
    "within in next of the a an or and no not their any first day days week month buy purchase shop order redeem coupon"
    " customer".split()
)
"""Words that tell no outcome of one's own from those that every workspace has."""
_USUAL_ZH = re.compile(r"\d+\s*[天日周](?:之?内)?|未来|发生|可能|会|[，。、的\s]")
_WORD = re.compile(r"[A-Za-z]+")


def own_outcome(message: str, chinese: bool, outcomes: Sequence[Outcome]) -> tuple[str, Span] | None:
    """The name of the outcome that a message asks about, and where its words stand, if it is one of these."""
    find = _said_zh if chinese else _said
    found = [(size, outcome.name, span) for outcome in outcomes for size, span in find(message, outcome)]
    if not found:
        return None
    _, name, span = max(found, key=lambda each: each[0])
    return name, span


def _said(message: str, outcome: Outcome) -> Iterator[tuple[int, Span]]:
    asked = _ASKED.search(message)
    if asked is None:
        return
    # 'How likely are those who bought shoes to churn?': what is to come stands after the last 'to', not after 'who'.
    start = max([asked.end(), *(lead.start() for lead in _LEAD.finditer(message, asked.end()))])
    after = {stem(word.group().lower()): word for word in _WORD.finditer(message, start)}
    for phrase in (outcome.label_en, outcome.name.replace("_", " ")):
        # A single letter is the unit of a horizon ('60d').
        words = {stem(word.lower()) for word in _WORD.findall(phrase) if len(word) > 1} - _USUAL
        if not words or not words <= after.keys():
            continue
        end = max(after[word].end() for word in words)
        if not _OTHERS.search(message, start, end):
            yield len(words), (start, end)


def _said_zh(message: str, outcome: Outcome) -> Iterator[tuple[int, Span]]:
    phrase = _USUAL_ZH.sub("", outcome.label_zh)
    place = message.find(phrase)
    if len(phrase) >= 2 and place >= 0 and _ASKED_ZH.search(message):
        start = place - 1 if message[:place].endswith("会") else place
        yield len(phrase), (start, place + len(phrase))
