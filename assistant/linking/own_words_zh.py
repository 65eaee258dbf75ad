"""What the house itself says in Chinese, read back: names of features with their levels, items by their values.

`segments.explain` writes '家庭收入段为 50-74K及以上' and '购买品类 DOG FOODS或CAT FOOD'; whoever copies an answer into
the next question means exactly that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from assistant.linking.rewrite import plain
from assistant.linking.spans import Span, free
from segments.definition import FeatureCondition, ItemFilter
from segments.features import Catalogue, Feature, FeatureType

_FIELDS = {"部门": "department", "品类": "category", "类别": "category", "品牌": "brand"}
_QUOTED = r"[“\"「](?P<text>[^”\"」]{1,60})[”\"」]"
_NAMED = re.compile(
    rf"(?:名称(?:中|里)?(?:包?含|带)有?|名(?:为|叫)|叫做?)\s*{_QUOTED}(?P<more>(?:\s*(?:或|、|和)\s*[“\"「][^”\"」]{{1,60}}[”\"」])*)\s*的?\s*(?:商品|产品|东西)?"
)
"""'名称含“shampoo”或“toothpaste”的商品'."""


class OwnNames:
    """Names of a catalogue's features as the house says them, and of their levels. Built once for a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        features = sorted(catalogue, key=lambda feature: -len(feature.zh))
        self._names = [(re.compile(re.escape(_said(f.zh))), f) for f in features if f.numeric]
        self._levels = [(_of_levels(f), f) for f in features if f.levels]

    def names(self, text: str) -> list[tuple[Span, str]]:
        """Every name of a number or share in full, and the feature it names."""
        found: list[tuple[Span, str]] = []
        for pattern, feature in self._names:
            for match in pattern.finditer(text):
                if free(match.span(), (span for span, _ in found)):
                    found.append((match.span(), feature.name))
        return found

    def conditions(self, text: str) -> list[tuple[Span, FeatureCondition]]:
        """Every feature said with its levels: one, one and beyond, from one to another, a list."""
        found = []
        for pattern, feature in self._levels:
            for match in pattern.finditer(text):
                condition = _condition(feature, match)
                if condition is not None:
                    found.append((match.span(), condition))
        return found


def _said(name: str) -> str:
    return plain(name, True)


def _of_levels(feature: Feature) -> re.Pattern[str]:
    said = {way for level in feature.levels for way in (_said(level), level)}
    levels = "|".join(re.escape(level) for level in sorted(said, key=len, reverse=True))
    names = "|".join(re.escape(_said(name)) for name in (feature.zh, *feature.synonyms_zh))
    return re.compile(
        rf"(?:{names})段?\s*(?P<is>不?(?:为|是|在)|[:：=])\s*(?P<a>{levels})岁?"
        rf"(?:\s*(?:到|至|-|~|—)\s*(?P<b>{levels})岁?(?:\s*之间)?"
        rf"|\s*(?P<up>及?以上|或更高)|\s*(?P<down>及?以下|或更低)|(?P<list>(?:\s*(?:、|或|和)\s*(?:{levels}))+))?",
        re.IGNORECASE,
    )


def _condition(feature: Feature, match: re.Match[str]) -> FeatureCondition | None:
    level = {way.lower(): level for level in feature.levels for way in (_said(level), level)}
    negated = match["is"].startswith("不")
    first = level[match["a"].lower()]
    if feature.type is FeatureType.BAND and match["b"]:
        return (
            None if negated else FeatureCondition(feature.name, "between", (first, level[match["b"].lower()]))
        )
    if match["list"]:
        rest = re.split(r"\s*[、或和]\s*", match["list"].strip())
        values = (first, *(level[name.strip().lower()] for name in rest if name.strip()))
        return FeatureCondition(feature.name, "not_in" if negated else "in", values)
    if feature.type is FeatureType.BAND and (match["up"] or match["down"]) and not negated:
        edge = feature.levels[-1] if match["up"] else feature.levels[0]
        op = "=" if first == edge else ">=" if match["up"] else "<="
        return FeatureCondition(feature.name, op, first)
    return FeatureCondition(feature.name, "!=" if negated else "=", first)


def named_values(text: str, values: Mapping[str, Sequence[str]]) -> list[tuple[Span, ItemFilter]]:
    """Items said by their field and value ('品类 DOG FOODS或CAT FOOD', '品牌 Private') or by a quoted name."""
    found: list[tuple[Span, ItemFilter]] = []
    for match in re.finditer("|".join(_FIELDS), text):
        field = _FIELDS[match.group()]
        names = {_said(value): value for value in values.get(field, ())}
        taken: list[str] = []
        end = match.end()
        while (value := _value_at(text, end, names, first=not taken)) is not None:
            taken.append(names[value[0]])
            end = value[1]
        if taken:
            items = ItemFilter(**{field: tuple(dict.fromkeys(taken))})
            before = found[-1] if found else None
            if before is not None and re.fullmatch(r"\s*且\s*", text[before[0][1] : match.start()]):
                found[-1] = ((before[0][0], end), replace(before[1], **{field: getattr(items, field)}))
            else:
                found.append(((match.start(), end), items))
    for match in _NAMED.finditer(text):
        more = re.findall(r"[“\"「]([^”\"」]{1,60})[”\"」]", match["more"])
        found.append(
            (match.span(), ItemFilter(text=(match["text"].lower(), *(word.lower() for word in more))))
        )
    return found


def _value_at(text: str, place: int, names: Mapping[str, str], *, first: bool) -> tuple[str, int] | None:
    """The longest value that stands at a place (after 'or' where it is not the first), and where it ends."""
    lead = re.compile(r"\s*[“\"]?" if first else r"\s*(?:或|、|和)\s*").match(text, place)
    if lead is None:
        return None
    at = lead.end()
    fitting = [name for name in names if text.startswith(name, at)]
    best = max(fitting, key=len, default=None)
    return None if best is None else (best, at + len(best))
