"""Reads a text with what one workspace knows: its features, goods, events, channels and date; slips of the pen put right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from assistant.linking.candidates import Candidate, Quantile, candidates
from assistant.linking.clauses import Reading, read
from assistant.linking.cues import STOP_EN
from assistant.linking.features import FeatureLinker
from assistant.linking.here import Here
from assistant.linking.items import ItemLinker, absent_words, chatter, stem
from assistant.linking.link import is_chinese, of_customers
from assistant.linking.scope import readings
from assistant.linking.spelling import KnowsWords, Speller
from assistant.linking.spelling_zh import spelt_zh
from assistant.linking.tool_words import spelt
from assistant.linking.unknown import unknown_words
from segments.definition import Node
from segments.features import Catalogue
from segments.ports import TextEncoder


@dataclass(frozen=True)
class Reader:
    """quantile: the q-quantile of a feature over all customers. encoder: its words are no slips of the pen."""

    catalogue: Catalogue
    features: FeatureLinker
    items: ItemLinker
    here: Here
    as_of: date
    quantile: Quantile
    encoder: TextEncoder | None = None

    def read(self, text: str, chinese: bool) -> Reading:
        """The reading of a text as it stands."""
        return read(text, chinese, self.as_of, self.features, self.items, self.here)

    def conditions(self, reading: Reading) -> list[Candidate]:
        """The conditions that a reading holds."""
        return candidates(reading, self.features, self.quantile)

    def described(self, text: str, chinese: bool) -> Node | None:
        """The segment that a part of a message describes; None when it describes none."""
        found = self.conditions(self.read(text, chinese))
        return readings(text, found)[0] if found else None

    def corrected(self, text: str, chinese: bool) -> tuple[Reading, tuple[tuple[str, str], ...]]:
        """The reading of a text, after unknown words that are misspelt or mean a known item were put right."""
        reading = self.read(text, chinese)
        if chinese or not (of_customers(text) or self.conditions(reading)):
            return reading, ()
        corrected = []
        for word in unknown_words(reading):
            if word in absent_words():
                continue
            better = self._spelt(word)
            if better is None:
                better = self.items.nearest_name(word, text)
            if better is not None and better not in (word, stem(word)):
                corrected.append((word, better))
        for word, better in corrected:
            text = re.sub(rf"\b{re.escape(word)}\b", better, text, flags=re.IGNORECASE)
        return (self.read(text, chinese) if corrected else reading), tuple(corrected)

    def spelt(self, message: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The message with misspelt words of requests put right, and those words with their corrections."""
        if is_chinese(message):
            return spelt_zh(message)
        if not isinstance(self.encoder, KnowsWords):
            return message, ()
        return spelt(message, self._right)

    @cached_property
    def _right(self) -> frozenset[str]:
        """Words that are no slip of the pen."""
        english = self.encoder.words if isinstance(self.encoder, KnowsWords) else frozenset[str]()
        return english | self._own_words | self.items.name_words

    @cached_property
    def _own_words(self) -> frozenset[str]:
        """Words of the question, of what is said around it, of what the data lack, and of goods."""
        return STOP_EN | chatter() | absent_words() | self.items.words

    def _spelt(self, word: str) -> str | None:
        """The known word that a misspelt one is: of the trade and the question, else of a product's name."""
        if isinstance(self.encoder, KnowsWords) and word in self.encoder.words:
            return None
        for speller in self._spellers:
            for spelling in (word, stem(word)):
                found = speller.correct(spelling)
                if found is not None:
                    return found
        return None

    @cached_property
    def _spellers(self) -> tuple[Speller, Speller]:
        words = set(self._own_words)
        for feature in self.catalogue:
            words |= {word for phrase in feature.synonyms_en for word in phrase.lower().split()}
        return Speller(words), Speller(words | self.items.name_words)
