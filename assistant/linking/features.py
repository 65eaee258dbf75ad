"""Which catalogue features a question speaks of, and how a number becomes a condition on one.

Lexical: names and synonyms of the catalogue, longest first. A band ('45-54', '75-99K', '3+') is compared
by its bounds: 'over 55' takes the bands that lie wholly above 55.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf

from assistant.linking import lexicon
from assistant.linking.numbers import Number
from assistant.linking.own_attributes import OwnAttributes
from assistant.linking.own_words_zh import OwnNames
from assistant.linking.spans import Span, free
from segments.definition import FeatureCondition, Value
from segments.features import Catalogue, Feature, FeatureType

_WINDOWED = re.compile(
    r"^(spend|orders|coupons_redeemed|campaigns_received)_\d+d$|^(spend|share)_(?!trend|lifetime).*_365d$|^private_label"
)
"""Windowed measures are said as events ("spent over $500 last quarter"), which take any window."""


@dataclass(frozen=True)
class FeatureMention:
    """Words of the question and the feature they name; `condition` when the words say the value too."""

    span: Span
    text: str
    feature: str
    condition: FeatureCondition | None = None


_PHRASES: tuple[tuple[str, str, str, str, Value | tuple[Value, ...]], ...] = (
    (
        r"(?:two|2)[- ]adults?(?: households?| homes?| families)?,? (?:without|with no|and no|but no|no) (?:any )?(?:kids|children)",
        r"(?:两|二|2)个?(?:大人|成年?人)(?:的家庭)?(?:，)?(?:且)?(?:没有?|无)(?:孩子|小孩|娃)",
        "household_composition",
        "=",
        "2 Adults No Kids",
    ),
    (
        r"single[- ](?:parents?|moms?|dads?|mothers?|fathers?)",
        r"单亲",
        "household_composition",
        "=",
        "1 Adult Kids",
    ),
    (
        r"known not to have (?:kids|children)|(?:without|no|where (?:there )?is no|don['’]?t have|do not have|have no|has no|with no|not having)\s+(?:any\s+)?(?:kids|children|child"
        r"|little ones)|child(?:less|[- ]free)|kid[- ]free|non[- ]parents",
        r"(?:还|都)?没有?(?:生|带|养)?(?:过)?(?:孩子|小孩|娃|子女)|无(?:孩|子女|小孩)|丁克|膝下无子",
        "has_children",
        "=",
        False,
    ),
    (
        r"(?:with|have|has|having|got|w/)\s+(?:a\s+|any\s+|some\s+|the\s+|at least one\s+|their\s+)?(?:kids?|child(?:ren)?"
        r"|little ones)|parents|famil(?:y|ies) with (?:kids|children)|kids at home|children at home|families"
        r"|parent households|moms|dads",
        r"(?<!没)(?:有|养着?)(?:孩子|小孩|娃|子女)|(?<!没)(?:当|做)(?:爸|妈|爹)|宝爸|宝妈|爸妈|妈妈们|爸爸们|带(?:孩子|娃|小孩)|家长|父母|(?:有孩|亲子)家庭",
        "has_children",
        "=",
        True,
    ),
    (
        r"unmarried|not married|singles|single (?:people|customers|shoppers|adults)|are single|who['’]?s single",
        r"未婚|单身(?!人士以外)|(?:还|尚|都)?[没未](?:有)?(?:结过?婚|成家|嫁人|娶)|不是已婚",
        "marital_status",
        "=",
        "Unmarried",
    ),
    (r"married|couples", r"已婚|结了?婚|成了?家|有(?:配偶|老公|老婆)", "marital_status", "=", "Married"),
    (r"probable renters?", "可能租房", "home_ownership", "=", "Probable Renter"),
    (r"probable homeowners?", "可能有房", "home_ownership", "=", "Probable Homeowner"),
    (
        r"renters?|renting|who rents|rent(?:ing)? (?:their|a)? ?(?:home|place|apartment|house)|who rent|that rent|tenants|live(?:s|d)? (?:in|for|on) rent",
        r"租房(?:住|子)?(?:的)?|租客|租户|租屋|房客(?!户)|租着?房",
        "home_ownership",
        "=",
        "Renter",
    ),
    (
        r"home[- ]?owners?|own(?:s|ing)? (?:their|a|his|her|the)? ?(?:own )?(?:home|house|place|roof)(?: over (?:their|his|her) heads?)?",
        r"有(?:自己的?|自住)?(?:房(?!客(?!户))(?:子|产)?|住宅)|房主|屋主|业主|自有住房|自有房|买了房",
        "home_ownership",
        "=",
        "Homeowner",
    ),
    (
        r"seniors?|elderly|retirees|retired|pensioners",
        r"老年人?|老人家?|长者|退休|银发族?",
        "age",
        "=",
        "65+",
    ),
    (
        r"(?:live|living|lives) (?:alone|on their own)|single[- ]person|one[- ]person|solo (?:households?|shoppers?|dwellers?)",
        r"独居|(?:自己)?一个人(?:住|生活|过(?=[、，,的。]|日子))|单人家庭|一口之家",
        "household_size",
        "=",
        "1",
    ),
    (r"large (?:families|households)|big (?:families|households)", r"大家庭", "household_size", ">=", "4"),
    (
        r"(?:two|2)[- ](?:person|people|member) (?:households?|homes?)|just the two of them|live as a pair",
        r"(?:两|二|2)(?:个人|口人?)(?:过日子|住|生活|之家|的?家庭)|(?<!入)住(?:着|了)?(?:两|二|2)(?:个人|口)|(?:双|两|二)人(?:家庭|户)|二人世界|两口子",
        "household_size",
        "=",
        "2",
    ),
)

_ALIASES_EN: dict[str, tuple[str, ...]] = {
    "weekend_share_365d": ("weekend shoppers", "shop on weekends", "on the weekend", "saturdays", "sundays"),
    "evening_share_365d": ("evening shoppers", "evenings", "in the evening", "evening trips"),
    "morning_share_365d": ("morning shoppers", "mornings", "in the morning", "early birds", "morning trips"),
    "afternoon_share_365d": ("afternoon shoppers", "afternoons", "in the afternoon"),
    "night_share_365d": ("night shoppers", "night owls", "at night", "late at night", "nights"),
}


def level_bounds(level: str) -> tuple[float, float]:
    """'45-54' -> (45, 54), '65+' -> (65, inf), 'Under 15K' -> (0, 15000), '100-124K' -> (100000, 124999)."""
    scale = 1000.0 if "K" in level.upper() else 1.0
    numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", level)]
    if "under" in level.lower():
        return 0.0, numbers[0] * scale - 0.001
    if level.strip().endswith("+"):
        return numbers[0] * scale, inf
    high = numbers[-1] * scale
    return numbers[0] * scale, high + (scale - 1 if scale > 1 else 0)


def band_condition(
    feature: Feature, op: str, value: float, high: float | None = None
) -> FeatureCondition | None:
    """The condition on a band's levels for a number, or None when no level lies wholly inside."""
    bounds = [level_bounds(level) for level in feature.levels]
    if op == "between" and high is not None:
        inside = [
            i
            for i, (low, top) in enumerate(bounds)
            if low >= value and (top <= high + _slack(high) or (low == high and high < 1000))
        ]
        if not inside:
            inside = [i for i, (low, top) in enumerate(bounds) if low <= high and top >= value]
    elif op == ">=":
        inside = [i for i, (low, _) in enumerate(bounds) if low >= value]
    elif op == ">":
        # 'over 55' and a band that starts at 55: marketers mean the band. Counts (kids, people) are exact.
        exact = all(low == top for low, top in bounds[:-1])
        inside = [i for i, (low, _) in enumerate(bounds) if (low > value if exact else low >= value)]
    elif op == "<":
        inside = [i for i, (_, top) in enumerate(bounds) if top < value]
    elif op == "<=":
        inside = [i for i, (_, top) in enumerate(bounds) if top <= value + _slack(value)]
    else:
        inside = [i for i, (low, top) in enumerate(bounds) if low <= value <= top]
    if not inside:
        return None
    return _levels_condition(feature, inside)


def _slack(bound: float) -> float:
    """'up to 74K' takes the band that ends at 74,999."""
    return 999.0 if bound >= 1000 else 0.999


def _levels_condition(feature: Feature, inside: list[int]) -> FeatureCondition:
    first, last = feature.levels[inside[0]], feature.levels[inside[-1]]
    if len(inside) == 1:
        return FeatureCondition(feature.name, "=", first)
    if inside[-1] == len(feature.levels) - 1:
        return FeatureCondition(feature.name, ">=", first)
    if inside[0] == 0:
        return FeatureCondition(feature.name, "<=", last)
    return FeatureCondition(feature.name, "between", (first, last))


def number_condition(feature: Feature, number: Number) -> FeatureCondition | None:
    """A number of the question on a feature; no comparison said means 'at least' (bands: exactly)."""
    if feature.type is FeatureType.BAND:
        return band_condition(feature, number.op or "=", number.value, number.high)
    if not feature.numeric:
        return None
    scale = 0.01 if feature.type is FeatureType.SHARE and number.unit == "percent" else 1.0
    # 'one store' is exactly one; 'zero' likewise; any other bare number is a floor.
    value, op = (
        round(number.value * scale, 6),
        number.op or ("=" if number.value <= 1 and feature.type is not FeatureType.SHARE else ">="),
    )
    if feature.type is FeatureType.SHARE and not 0 <= value <= 1:
        return None
    if op == "between" and number.high is not None:
        return FeatureCondition(feature.name, op, (_whole(value), _whole(round(number.high * scale, 6))))
    return FeatureCondition(feature.name, op, _whole(value))


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


_UNIT_FEATURES = {
    "stores": "stores_365d",
    "categories": "categories_365d",
    "kids": "kids_count",
    "people": "household_size",
    "years": "age",
    "per_order": "basket_value_365d",
}
"""Units that alone name the feature."""


def fits(feature: Feature, number: Number) -> bool:
    """Whether a number's unit can be a value of the feature."""
    unit = number.unit
    if feature.type is FeatureType.SHARE:
        return unit == "percent" or (unit == "" and number.op is not None and 0 < number.value <= 1)
    if feature.name == "age":
        return unit in ("years", "") and number.value < 120
    if feature.name == "income":
        return unit in ("money", "") and number.value >= 1000
    if feature.name in ("kids_count", "household_size"):
        return unit in ("kids", "people", "") and number.value < 20
    if feature.unit == "currency":
        return unit in ("money", "") or (unit == "per_order" and feature.name.startswith("basket_value"))
    if feature.unit in ("items", "ratio"):
        return unit in ("units", "", "times")
    if feature.numeric:
        return unit in (feature.unit, "") or (feature.unit == "days" and unit == "")
    return False


class FeatureLinker:
    """Finds features in questions. Built once for a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._english = self._table(chinese=False)
        self._chinese = self._table(chinese=True)
        self._english_phrases = self._phrases(chinese=False)
        self._chinese_phrases = self._phrases(chinese=True)
        self._own = OwnNames(catalogue)
        self._declared = OwnAttributes(catalogue)
        self.has_declared = bool(self._declared)

    def _table(self, *, chinese: bool) -> list[tuple[re.Pattern[str], str]]:
        pairs: list[tuple[str, str]] = []
        for feature in self.catalogue:
            pairs.append((feature.name, feature.name))
            if _WINDOWED.match(feature.name) or feature.name in ("recency_days", "spend_trend_30d"):
                continue
            words = feature.synonyms_zh if chinese else feature.synonyms_en
            words += () if chinese else _ALIASES_EN.get(feature.name, ())
            pairs += [(word, feature.name) for word in words]
        pairs.sort(key=lambda pair: -len(pair[0]))
        return [(_pattern(word, chinese), name) for word, name in pairs]

    @cached_property
    def _whole_names(self) -> list[tuple[re.Pattern[str], str]]:
        """The catalogue's own names, as `explain` writes them, longest first."""
        pairs = sorted(((_without_brackets(f.en), f.name) for f in self.catalogue), key=lambda p: -len(p[0]))
        return [(_pattern(words, chinese=False), name) for words, name in pairs if len(words.split()) > 2]

    def whole_names(self, text: str) -> list[FeatureMention]:
        """Features said by their full name, whose times and items are part of it ('... in the last 365 days')."""
        found: list[FeatureMention] = []
        for pattern, name in self._whole_names:
            for match in pattern.finditer(text):
                # 'yogurt spend in the last 180 days' is of yogurt.
                alone = not _WINDOWED.match(name) or re.search(r"\bhave\s+$", text[: match.start()])
                if alone and free(match.span(), [mention.span for mention in found]):
                    found.append(FeatureMention(match.span(), match.group(), name))
        return found

    def named(self, text: str, chinese: bool) -> str | None:
        """The one feature that a phrase names ('age', 'spend', '家庭人数'); of several windows, the year's."""
        if not chinese:
            # 'the time since their last purchase' is 'days since last purchase'.
            text = re.sub(
                r"\b(?:time|number of days|length of time)(?= since)", "days", text, flags=re.IGNORECASE
            )
            text = re.sub(r"\b(?:their|its|his|her|the) ", "", text, flags=re.IGNORECASE)
        best: tuple[int, bool, str] | None = None
        for feature in self.catalogue:
            words = (
                feature.synonyms_zh if chinese else (*feature.synonyms_en, *_ALIASES_EN.get(feature.name, ()))
            )
            for word in (feature.name, *words):
                if _pattern(word, chinese).search(text):
                    found = (len(word), feature.name.endswith("_365d"), feature.name)
                    best = found if best is None or found[:2] > best[:2] else best
        return None if best is None else best[2]

    def _phrases(self, *, chinese: bool) -> list[tuple[re.Pattern[str], str]]:
        rows = lexicon.rows("features_zh.tsv" if chinese else "features_en.tsv")
        return [(_phrase(row[0], chinese), row[1]) for row in rows if row[1] in self.catalogue]

    def phrases(self, text: str, chinese: bool, taken: Sequence[Span]) -> list[FeatureMention]:
        """Mentions by the lexicon's phrases, some of which hold a number word ('一单能买')."""
        found: list[FeatureMention] = []
        for pattern, name in self._chinese_phrases if chinese else self._english_phrases:
            for match in pattern.finditer(text):
                if free(match.span(), [*taken, *(mention.span for mention in found)]):
                    found.append(FeatureMention(match.span(), match.group(), name))
        return found

    def find(self, text: str, chinese: bool, taken: Sequence[Span]) -> list[FeatureMention]:
        """Every mention outside the `taken` spans, left to right."""
        found: list[FeatureMention] = []
        busy = list(taken)
        for english, zh, name, op, value in _PHRASES:
            if not self._has(name, value):
                continue
            pattern = zh if chinese else rf"\b(?:{english})\b"
            for match in re.finditer(pattern, text, re.IGNORECASE):
                if free(match.span(), busy):
                    condition = FeatureCondition(name, op, value)
                    found.append(FeatureMention(match.span(), match.group(), name, condition))
                    busy.append(match.span())
        for pattern_, name in self._chinese if chinese else self._english:
            for match in pattern_.finditer(text):
                if free(match.span(), busy):
                    found.append(
                        FeatureMention(match.span(), match.group(), name, self._level(name, match.group()))
                    )
                    busy.append(match.span())
        found += self._levels(text, busy)
        return sorted(found, key=lambda mention: mention.span)

    def _has(self, name: str, value: Value | tuple[Value, ...]) -> bool:
        """Whether a feature can have a value: a retailer may declare it otherwise."""
        feature = self.catalogue.get(name)
        values = value if isinstance(value, tuple) else (value,)
        if feature is None or feature.type is FeatureType.BOOLEAN:
            return feature is not None and isinstance(value, bool)
        return all(one in feature.levels for one in values)

    def _level(self, name: str, word: str) -> FeatureCondition | None:
        feature = self.catalogue[name]
        if feature.type is FeatureType.CATEGORY and feature.levels:
            for level in feature.levels:
                if level.lower() == word.lower():
                    return FeatureCondition(name, "=", level)
        return None

    def levels(self, text: str, taken: Sequence[Span]) -> list[FeatureMention]:
        """Bands, and levels said with the feature's name, outside the `taken` spans; 'homeowner' alone is a word."""
        found = self._levels(text, list(taken))
        return [
            mention
            for mention in found
            if self.catalogue[mention.feature].type is FeatureType.BAND
            or mention.text.lower().startswith(_without_brackets(self.catalogue[mention.feature].en).lower())
        ]

    def _levels(self, text: str, busy: list[Span]) -> list[FeatureMention]:
        """Levels said as such, alone or joined: 'income 50-74K or above', 'age from 35-44 to 45-54', '2 Adults Kids'."""
        found = []
        for feature, pattern in self._level_patterns:
            for match in pattern.finditer(text):
                if not free(match.span(), busy):
                    continue
                levels = tuple(
                    next(level for level in feature.levels if level.lower() == said.lower())
                    for said in re.findall(
                        rf"(?<![\w$-])(?:{_either(feature.levels)})(?!\w)", match.group(), re.I
                    )
                )
                found.append(
                    FeatureMention(match.span(), match.group(), feature.name, _joined(feature, levels, match))
                )
                busy.append(match.span())
        return found

    @cached_property
    def _level_patterns(self) -> list[tuple[Feature, re.Pattern[str]]]:
        patterns = []
        for feature in self.catalogue:
            long = [level for level in feature.levels if len(level) >= 4]
            if not long:
                continue
            # A short level ('65+') stands only beside a long one, or beside the feature's own name.
            head = re.escape(_without_brackets(feature.en))
            one, any_ = _either(long), _either(feature.levels)
            pattern = (
                rf"(?:{head}\s+(?P<not>not\s+)?(?:in\s+|from\s+)?(?:{any_})|(?:\bfrom\s+)?(?<![\w$-])(?:{one}))(?!\w)"
                rf"(?:(?P<to>\s+(?:to|through|up to(?: and including)?|and)\s+|\s*[-–]\s*)(?:{any_})(?!\w)|(?P<list>(?:\s*(?:,|,?\s*or)\s+(?:{any_})(?!\w))+))?"
                r"(?P<more>\s+(?:or|and)\s+(?:above|older|higher|more|up|over|upwards?)\b)?(?P<less>\s+(?:or|and)\s+(?:below|younger|lower|less|under)\b)?"
            )
            patterns.append((feature, re.compile(pattern, re.IGNORECASE)))
        return patterns

    def own_words(self, text: str) -> list[FeatureMention]:
        """Mentions by the names and levels with which answers in Chinese speak of features."""
        found = [FeatureMention(s, text[slice(*s)], c.feature, c) for s, c in self._own.conditions(text)]
        busy = [mention.span for mention in found]
        names = [(span, name) for span, name in self._own.names(text) if free(span, busy)]
        return found + [FeatureMention(span, text[slice(*span)], name) for span, name in names]

    def declared(self, text: str, chinese: bool, taken: Sequence[Span]) -> list[FeatureMention]:
        """Mentions of the attributes that the retailer's mapping declares."""
        found = self._declared.find(text, chinese, taken)
        return [FeatureMention(span, text[slice(*span)], name, condition) for span, name, condition in found]

    def by_unit(self, unit: str) -> Feature | None:
        """The feature that a unit alone names ('5 stores')."""
        return self.catalogue.get(_UNIT_FEATURES.get(unit, ""))


def _either(levels: Sequence[str]) -> str:
    return "|".join(sorted(map(re.escape, levels), key=len, reverse=True))


def _without_brackets(words: str) -> str:
    return re.sub(r"\s*\([^)]*\)", "", words)


def _joined(feature: Feature, levels: tuple[str, ...], match: re.Match[str]) -> FeatureCondition:
    """The condition that levels and the words between and after them say."""
    name = feature.name
    if match["not"]:
        return FeatureCondition(name, "!=", levels[0])
    if len(levels) > 1:
        if match["to"] and feature.type is FeatureType.BAND:
            return FeatureCondition(name, "between", (levels[0], levels[-1]))
        return FeatureCondition(name, "in", tuple(dict.fromkeys(levels)))
    if feature.type is FeatureType.BAND and (match["more"] or match["less"]):
        return FeatureCondition(name, ">=" if match["more"] else "<=", levels[0])
    return FeatureCondition(name, "=", levels[0])


def _phrase(pattern: str, chinese: bool) -> re.Pattern[str]:
    return re.compile(pattern if chinese else rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)


def _pattern(word: str, chinese: bool) -> re.Pattern[str]:
    if chinese:
        return re.compile(re.escape(word))
    # 'before noon' and 'before-noon' are one word to a reader.
    spelt = r"[\s-]".join(map(re.escape, word.split(" ")))
    return re.compile(rf"(?<!\w){spelt}(?:s|es)?(?!\w)", re.IGNORECASE)
