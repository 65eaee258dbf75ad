"""A retailer's own attributes of customers by their declared words: 'gold members', 'subscribed to the newsletter', '金卡会员'.

What is said with the attribute's name is meant ('tier gold'); a level said alone is, unless it is a word that a question
has anyway ('other', 'new', 'store'). A yes-no attribute is meant by its name; who has not, is said by the negations that
turn any condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.linking.cues import STOP_EN
from assistant.linking.spans import Span, free
from segments.catalogue import standard_catalogue
from segments.definition import FeatureCondition
from segments.features import Catalogue, Feature, FeatureType

Found = tuple[Span, str, FeatureCondition | None]
"""Where, of which feature, and the condition where the words say one."""
_AMBIGUOUS = STOP_EN | frozenset(
    """none unknown other yes no true false web site online offline store mail email phone post call medium middle mid
    standard basic normal default first second third early late small large big free paid open closed mr mrs ms
    morning evening weekend male man men""".split()
)
"""Levels that a question may hold without meaning them."""
_IS_EN = r"\s*(?:is|are|was|of|as|in|=|:|being)?\s*(?:an?\s+|the\s+)?"
_OR = r"\s*(?:,\s*or|,|/|\bor\b|\band\b)\s*(?:an?\s+)?"
_OR_ZH = r"\s*(?:、|或者?|和|及(?!以))\s*"


class OwnAttributes:
    """The attributes of a catalogue that a retailer declared, by their words. Built once for a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        standard = standard_catalogue()
        own = [
            feature for feature in catalogue if feature.attribute and standard.get(feature.name) != feature
        ]
        self._flags = [feature for feature in own if feature.type is FeatureType.BOOLEAN]
        self._levelled = [feature for feature in own if feature.levels]
        self._since = [feature for feature in own if feature.unit == "days"]
        self._levels = {c: [(_with_levels(f, chinese=c), f) for f in self._levelled] for c in (False, True)}

    def __bool__(self) -> bool:
        """Whether there is any to be found by its words."""
        return bool(self._flags or self._levelled or self._since)

    def find(self, text: str, chinese: bool, taken: Iterable[Span]) -> list[Found]:
        """Every mention: levels, yes or no, and dates, which a time said with them compares.

        taken: spans in which a level said alone is none.
        """
        found: list[Found] = []
        busy: list[Span] = []

        def claim(
            span: Span, feature: Feature, condition: FeatureCondition | None, *, named: bool = True
        ) -> None:
            if free(span, busy) and (named or free(span, taken)):
                found.append((span, feature.name, condition))
                busy.append(span)

        for pattern, feature in self._levels[chinese]:
            for match in pattern.finditer(text):
                condition = _condition(feature, match, chinese)
                if condition is not None:
                    claim(match.span(), feature, condition, named=_named(match))
        for feature in self._flags:
            for match in _names(feature, chinese).finditer(text):
                claim(match.span(), feature, FeatureCondition(feature.name, "=", True))
        for feature in self._since:
            for match in _names(feature, chinese).finditer(text):
                claim(match.span(), feature, None)
        return found


def _words(feature: Feature, chinese: bool) -> list[str]:
    words = (feature.zh, *feature.synonyms_zh) if chinese else (feature.en, *feature.synonyms_en)
    return sorted({*words, feature.name, feature.name.replace("_", " ")}, key=len, reverse=True)


def _names(feature: Feature, chinese: bool) -> re.Pattern[str]:
    said = "|".join(re.escape(word) for word in _words(feature, chinese))
    return re.compile(said if chinese else rf"(?<!\w)(?:{said})(?:s|es)?(?!\w)", re.IGNORECASE)


def _ways(feature: Feature, chinese: bool) -> dict[str, str]:
    """How a level may be said, in small letters -> the level."""
    ways = {level.lower(): level for level in feature.levels}
    if chinese:
        ways |= {zh.lower(): level for zh, level in zip(feature.levels_zh, feature.levels, strict=False)}
    return ways


def _with_levels(feature: Feature, *, chinese: bool) -> re.Pattern[str]:
    ways = sorted(_ways(feature, chinese), key=len, reverse=True)
    one = "|".join(map(re.escape, ways))
    names = "|".join(map(re.escape, _words(feature, chinese)))
    band = feature.type is FeatureType.BAND
    if chinese:
        least = (
            r"|(?P<up>\s*(?:及|或|和)?(?:以上|更高))|(?P<down>\s*(?:及|或|和)?(?:以下|更低))" if band else ""
        )
        return re.compile(
            rf"(?:(?P<name>{names})\s*(?P<not>不)?(?:为|是|在|等于|[:：=])?\s*(?P<least>至少(?:为|是)?|最低)?\s*)?"
            rf"(?P<one>{one})(?:(?P<list>(?:{_OR_ZH}(?:{one}))+){least})?",
            re.IGNORECASE,
        )
    more = (
        r"|\s*(?:or|and)\s+(?:(?P<up>above|higher|better|more|up|over)|(?P<down>below|lower|less|under))\b"
        if band
        else ""
    )
    return re.compile(
        rf"(?:(?<!\w)(?P<name>{names}){_IS_EN}(?P<not>not\s+)?)?"
        rf"(?P<least>\b(?:at least|minimum|from)\s+(?:an?\s+)?)?(?P<most>\b(?:at most|up to)\s+(?:an?\s+)?)?"
        rf"(?<![\w-])(?P<one>{one})(?:s)?(?![\w-])(?:(?P<list>(?:{_OR}(?:{one})(?![\w-]))+){more})?"
        rf"(?P<after>\s+(?:{names})s?(?!\w))?",
        re.IGNORECASE,
    )


def _named(match: re.Match[str]) -> bool:
    """Whether the level is said with its attribute's name."""
    said = match.groupdict()
    return bool(said.get("name") or said.get("after"))


def _condition(feature: Feature, match: re.Match[str], chinese: bool) -> FeatureCondition | None:
    ways, said = _ways(feature, chinese), match.groupdict()
    first = match["one"].lower()
    plain = len(first) < (2 if chinese else 3) or first in _AMBIGUOUS or first.isdecimal()
    if not _named(match) and plain:
        return None
    if match["list"]:
        rest = re.split(_OR_ZH if chinese else _OR, match["list"].strip(), flags=re.IGNORECASE)
        levels = (first, *(level.strip().lower() for level in rest if level and level.strip()))
        values = tuple(dict.fromkeys(ways[level] for level in levels))
        return FeatureCondition(feature.name, "not_in" if said.get("not") else "in", values)
    if feature.type is FeatureType.BAND and (said.get("least") or said.get("up")):
        return FeatureCondition(feature.name, ">=", ways[first])
    if feature.type is FeatureType.BAND and (said.get("most") or said.get("down")):
        return FeatureCondition(feature.name, "<=", ways[first])
    return FeatureCondition(feature.name, "!=" if said.get("not") else "=", ways[first])
