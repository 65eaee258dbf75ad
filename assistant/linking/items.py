"""Which items a question speaks of: its words matched to the departments, categories, brands and product
names of this workspace, through plurals, abbreviations of the retail trade, synonyms and Chinese words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from assistant.linking import lexicon
from assistant.linking.own_words_zh import named_values
from assistant.linking.spans import Span, blanked, free
from indexes.text import unread
from segments.definition import ItemFilter
from segments.ports import TextEncoder

GENERIC = frozenset(
    "product products misc miscellaneous all other others food foods care needs fluid domestic imported "
    "packaged general supplies supply item items goods accessories and the of".split()
)
"""Words of a category's name that do not change what it is."""
DENSE_THRESHOLD = 0.55
"""Cosine of MiniLM above which an unknown item word means a category; below, it is said to be unknown."""

PRIVATE_LABEL = r"private[- ]label|own[- ]labels?|store[- ]brands?|own[- ]brands?|private[- ]brands?|house[- ]brands?|自有品牌|自营品牌|自家(?:的)?(?:品牌|牌子)"
NATIONAL = r"national[- ]brands?|name[- ]brands?|big brands|branded|全国品牌|全国性品牌|名牌"


def stem(word: str) -> str:
    """The singular, roughly: enough to match 'beers' with 'beer', 'cookies' with 'cookie'."""
    word = lexicon.table("abbreviations.tsv").get(word, word)
    if len(word) > 4 and word.endswith("ies") and word not in ("cookies", "movies", "brownies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "sses", "xes", "toes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(text: str) -> tuple[str, ...]:
    """The stemmed words of a text, in order."""
    return tuple(stem(word) for word in re.findall(r"[a-z0-9]+", text.lower().replace("'", "")))


def absent_words() -> frozenset[str]:
    """English words that ask for an attribute retail data seldom has ('women'): never a product on their own."""
    return lexicon.words("absent_en.txt")


def chatter() -> frozenset[str]:
    """English words that carry no condition and name no product."""
    return lexicon.words("chatter_en.txt")


@cache
def _synonyms() -> dict[str, str]:
    """The usual words for goods, and the many that are said now and then."""
    return lexicon.table("goods_en.tsv") | lexicon.table("synonyms_en.tsv")


@dataclass(frozen=True)
class ItemMention:
    """Words of the question and the items they mean."""

    span: Span
    text: str
    items: ItemFilter


@dataclass(frozen=True)
class _Value:
    field: str
    value: str
    parts: tuple[frozenset[str], ...]
    words: frozenset[str]


def _value(field: str, value: str) -> _Value:
    parts = tuple(frozenset(stems(part)) - GENERIC for part in re.split(r"[/:]| - | & ", value))
    return _Value(field, value, tuple(part for part in parts if part), frozenset(stems(value)))


class ItemLinker:
    """Finds items in questions. Built once for a workspace.

    values: item field -> its values, largest spend first; names: product names, most bought first.
    """

    def __init__(
        self, values: Mapping[str, Sequence[str]], names: Sequence[str], encoder: TextEncoder | None = None
    ) -> None:
        self._values = [_value(f, v) for f in ("department", "category") for v in values.get(f, ())]
        self._brands = values.get("brand", ())
        self._all = values
        self._names = [frozenset(stems(name)) for name in names]
        self._name_words = frozenset().union(*self._names) if self._names else frozenset()
        self._encoder = encoder
        self._vectors: np.ndarray | None = None

    def find(
        self, text: str, chinese: bool, taken: Sequence[Span], stop: frozenset[str]
    ) -> list[ItemMention]:
        """Every mention outside the `taken` spans, longest first; `stop` words never name an item."""
        found = self._brand_mentions(text)
        if chinese:
            found += [m for m in self.own_words(text) if free(m.span, taken)]
        busy = [*taken, *(mention.span for mention in found)]
        if chinese:
            return sorted(found + self._find_chinese(text, busy), key=lambda m: m.span)
        words = [(m.group().lower(), m.span()) for m in re.finditer(r"[A-Za-z][A-Za-z&]*(?:'[a-z]+)?", text)]
        for length in (4, 3, 2, 1):
            for start in range(len(words) - length + 1):
                run = words[start : start + length]
                span = (run[0][1][0], run[-1][1][1])
                known = " ".join(word for word, _ in run) in _synonyms()
                edge_stops = {run[0][0], run[-1][0]} & stop and not known
                if edge_stops or "'" in run[-1][0] or not free(span, busy):
                    continue
                if not _contiguous(text[span[0] : span[1]]) or (not known and _joins_two(run)):
                    continue
                items = self.lookup(" ".join(word for word, _ in run))
                if not known and not self._one_thing([word for word, _ in run], items):
                    continue
                if _DEPARTMENT.match(text, span[1]):
                    items = self._department(" ".join(word for word, _ in run)) or items
                if length == 1 and run[0][0] in absent_words() and not _bought(text, span):
                    continue
                plain_word = items.text or run[0][0] in _PLAIN_WORDS
                if length == 1 and plain_word and not _names_product(text, span):
                    continue
                if _HAS.search(text[: span[0]]):
                    continue
                if items:
                    found.append(ItemMention(span, text[span[0] : span[1]], items))
                    busy.append(span)
        return sorted(found, key=lambda mention: mention.span)

    def exact(self, text: str) -> list[ItemMention]:
        """Items in the words of `explain`: 'category COFFEE or TEAS with brand Private', 'products named “ramen”'."""
        found = []
        for match in self._exact.finditer(text):
            fields: dict[str, tuple[str, ...]] = {}
            for field, values in self._by_field.items():
                said = re.search(
                    rf"\b{field} ((?:{_one_of(values)})(?: or (?:{_one_of(values)}))*)", match[0], re.I
                )
                if said is not None:
                    named = re.findall(_one_of(values), said[1], re.IGNORECASE)
                    fields[field] = tuple(next(v for v in values if v.lower() == n.lower()) for n in named)
            found.append(ItemMention(match.span(), match[0], ItemFilter(**fields)))
        for match in _NAMED_PRODUCTS.finditer(text):
            found.append(
                ItemMention(match.span(), match[0], ItemFilter(text=tuple(_QUOTED.findall(match[0]))))
            )
        return found

    @cached_property
    def _by_field(self) -> dict[str, list[str]]:
        fields = {f: [v.value for v in self._values if v.field == f] for f in ("department", "category")}
        return {field: values for field, values in (fields | {"brand": list(self._brands)}).items() if values}

    @cached_property
    def _exact(self) -> re.Pattern[str]:
        one = "|".join(
            rf"{field} (?:{_one_of(values)})(?: or (?:{_one_of(values)}))*"
            for field, values in self._by_field.items()
        )
        return re.compile(rf"\b(?:{one})(?: with (?:{one}))*" if one else r"(?!)", re.IGNORECASE)

    def own_words(self, text: str) -> list[ItemMention]:
        """Items as answers in Chinese name them: by field and value, or by a quoted name."""
        return [ItemMention(span, text[slice(*span)], items) for span, items in named_values(text, self._all)]

    def _brand_mentions(self, text: str) -> list[ItemMention]:
        found = []
        for pattern, brand in ((PRIVATE_LABEL, "Private"), (NATIONAL, "National")):
            if brand in self._brands:
                for match in re.finditer(rf"(?:{pattern})", text, re.IGNORECASE):
                    found.append(ItemMention(match.span(), match.group(), ItemFilter(brand=(brand,))))
        return found

    def _find_chinese(self, text: str, taken: list[Span]) -> list[ItemMention]:
        found: list[ItemMention] = []
        busy = [*taken, *(match.span() for match in _NOT_ITEMS_ZH.finditer(text))]
        for span, english in said_goods_zh(text):
            items = self.lookup(english) if free(span, busy) else ItemFilter()
            if items:
                found.append(ItemMention(span, text[slice(*span)], items))
                busy.append(span)
        for match in re.finditer(r"(?<![A-Za-z_])[A-Za-z][A-Za-z /&]+(?!\w)", text, re.ASCII):
            items = self.lookup(match.group().strip().lower())
            if items and free(match.span(), busy):
                found.append(ItemMention(match.span(), match.group(), items))
        return found

    def search_text(self, words: str) -> str | None:
        """What the text encoder is asked to find what words in Chinese mean: themselves where it reads Chinese, else what
        the lexicon calls these goods in English; None where it does not know all of them."""
        if self._encoder is not None and not unread([words], self._encoder):
            return words
        rest, found = words, list[tuple[int, str]]()
        for span, english in said_goods_zh(words):
            if rest[slice(*span)] == words[slice(*span)]:
                found.append((span[0], english.split("|")[0]))
                rest = blanked(rest, [span])
        left = _NO_GOODS_ZH.sub("", rest).strip()
        return " ".join(english for _, english in sorted(found)) if found and not left else None

    def lookup(self, phrase: str) -> ItemFilter:
        """The items a phrase names; an empty filter when it names none."""
        synonyms = _synonyms()
        if phrase not in synonyms and " " in phrase and f"{phrase}s" in synonyms:
            phrase = f"{phrase}s"
        targets = synonyms.get(phrase, phrase).split("|")
        if phrase not in synonyms and self._is_product_name(phrase):
            return ItemFilter(text=(phrase,))
        named = [self._named(target) for target in targets]
        if phrase in synonyms and any(named):
            return merged([items for items in named if items])
        return named[0] or self._in_names(phrase) or self._in_names(targets[0])

    def called(self, words: str) -> ItemFilter:
        """The category of exactly this name ('gift & fruit baskets'), whatever its single words mean."""
        said = words.lower().strip()
        named = [v for v in self._values if v.field == "category" and v.value.lower() == said]
        return ItemFilter(category=(named[0].value,)) if named else ItemFilter()

    def _one_thing(self, words: Sequence[str], items: ItemFilter) -> bool:
        """Whether words with an 'and' between them name one thing ('cold and flu'), not two ('clocks and wall clocks')."""
        at = _joined_at(words, _AND)
        if at is None or not items:
            return True
        apart = self.lookup(" ".join(words[:at])), self.lookup(" ".join(words[at + 1 :]))
        if not items.text:
            # 'Tea and coffee' are TEAS and COFFEE, though one rare category holds both words.
            others = all(apart) and not any(set(items.values) & set(part.values) for part in apart)
            return not others and any(_SLASHED.search(value) for value in items.values)
        return not all(apart)

    def _department(self, phrase: str) -> ItemFilter:
        """The department of exactly this name ('the meat department')."""
        whole = frozenset(stems(phrase))
        return ItemFilter(
            department=tuple(v.value for v in self._values if v.field == "department" and v.words == whole)
        )

    def _named(self, phrase: str) -> ItemFilter:
        whole = frozenset(stems(phrase))
        wanted = whole - GENERIC or whole
        if not wanted:
            return ItemFilter()
        exact = [value for value in self._values if value.words == whole and whole != wanted]
        if exact:
            # 'imported wine' is that category, not every wine.
            return ItemFilter(**{exact[0].field: (exact[0].value,)})
        scored = [(self._score(wanted, value), value) for value in self._values]
        best = max((score for score, _ in scored), default=0.0)
        if best < 0.8:
            return ItemFilter()
        chosen = [value for score, value in scored if score >= best - 1e-9]
        # 'cookies' is a rare category COOKIES and a large one COOKIES/CONES: a larger near-match is meant too.
        first = min(self._values.index(value) for value in chosen)
        chosen += [
            v
            for score, v in scored
            if 0.95 <= score < best and self._values.index(v) < first and v.field == "category"
        ]
        # The same name as a department and as a category: the department holds the category.
        field = "department" if any(v.field == "department" for v in chosen) else "category"
        names = tuple(value.value for value in chosen if value.field == field)
        return ItemFilter(department=names) if field == "department" else ItemFilter(category=names)

    @staticmethod
    def _score(wanted: frozenset[str], value: _Value) -> float:
        if wanted == value.words or value.parts == (wanted,):
            return 1.0
        joined = frozenset().union(*value.parts) if value.parts else frozenset()
        if wanted == joined:
            return 0.98
        if value.parts and wanted == value.parts[0]:
            return 0.95
        if wanted in value.parts:
            return 0.88
        if len(wanted) >= 2 and wanted <= joined:
            return 0.85
        return 0.0

    def _is_product_name(self, phrase: str) -> bool:
        """A product name of two words or more that is no category of its own, e.g. 'peanut butter'."""
        wanted = frozenset(stems(phrase))
        if len(wanted) < 2 or wanted not in self._names:
            return False
        return max((self._score(wanted - GENERIC, value) for value in self._values), default=0.0) < 0.98

    def _in_names(self, phrase: str) -> ItemFilter:
        wanted = frozenset(stems(phrase))
        if (
            wanted <= GENERIC | absent_words()
            or not wanted <= self._name_words
            or (len(wanted) == 1 and len(phrase) < 4)
        ):
            return ItemFilter()
        hits = sum(wanted <= name for name in self._names)
        return ItemFilter(text=(phrase,)) if hits else ItemFilter()

    def seldom(self, phrase: str) -> bool:
        """Whether a phrase is one word that the name of one product holds, and no other: 'park and ride' finds a ride."""
        wanted = frozenset(stems(phrase))
        return len(wanted) == 1 and sum(wanted <= name for name in self._names) <= 1

    @cached_property
    def words(self) -> frozenset[str]:
        """Words that departments, categories and the usual synonyms are made of: what a slip of the pen may mean."""
        synonyms = {word for phrase in lexicon.table("synonyms_en.tsv") for word in phrase.split()}
        return frozenset().union(*(value.words for value in self._values), synonyms)

    @property
    def name_words(self) -> frozenset[str]:
        """Words that product names are made of."""
        return self._name_words

    def nearest_name(self, word: str, text: str) -> str | None:
        """The category that an unknown word means, by the meaning of its name, where the text says what was
        bought ('bought lager' -> 'beers ales'); None when no category is near enough, or without an encoder."""
        if self._encoder is None or not re.search(rf"{_BOUGHT}\s+(?:\w+\s+)?{re.escape(word)}\b", text, re.I):
            return None
        categories = [value for value in self._values if value.field == "category"]
        if not categories:
            return None
        names = [" ".join(stems(value.value)) for value in categories]
        if self._vectors is None:
            self._vectors = self._encoder.encode(names)
        scores = self._vectors @ self._encoder.encode([word])[0]
        best = int(np.argmax(scores))
        return names[best] if float(scores[best]) >= DENSE_THRESHOLD else None


@cache
def _longest_zh() -> int:
    """Signs of the longest Chinese word for goods."""
    return max(map(len, lexicon.table("items_zh.tsv")))


def said_goods_zh(text: str) -> list[tuple[Span, str]]:
    """Where the text has Chinese words for goods, longest first, and what they are in English. Some overlap."""
    known = lexicon.table("items_zh.tsv")
    ends = ((start, min(_longest_zh(), len(text) - start)) for start in range(len(text)))
    spans = [(start, start + length) for start, most in ends for length in range(1, most + 1)]
    found = [(span, known[word]) for span in spans if (word := text[slice(*span)]) in known]
    return sorted(found, key=lambda one: (one[0][0] - one[0][1], one[0][0]))


_AND = ("and", "or")
_SLASHED = re.compile(r"\b(?:and|or)\b|[/&:,-]", re.IGNORECASE)
"""What stands in the name of a category that is made of two."""
_DEPARTMENT = re.compile(r"\s+(?:department|dept)\b", re.IGNORECASE)
_QUOTED = re.compile(r"[“\"]([^”\"]+)[”\"]")
_NAMED_PRODUCTS = re.compile(
    r"\bproducts named [“\"][^”\"]+[”\"](?:(?:,| or|, or) [“\"][^”\"]+[”\"])*", re.IGNORECASE
)


def _one_of(values: Sequence[str]) -> str:
    return "|".join(rf"{re.escape(value)}(?![\w/])" for value in sorted(values, key=len, reverse=True))


_NOT_ITEMS_ZH = re.compile(
    "有机会|有机率|花[费销掉]|花了|开花|火鸡(?=.{0,2}节)|感恩|油然|奶奶|水平|糖尿病|米粉丝|饼图|汤姆"
    "|面包(?=[括含邮])|面条(?=[件款])|意面(?=[临板对])|意粉(?=丝)|[家文餐护]具(?=体)|家电(?=话)|维护发|[另此]外套|手套(?=路)|手表(?=[现示达明])"
    "|有空调(?=整|一下)|亮相机会|键盘(?=点)|点心(?=意|急)|[西丝]瓜(?=分)|生抽(?=[奖取检])|沉淀|数据线(?=上)|结果[冻仁]|果然|人口红|窗口红"
    "|方便当|花生(?=日)|报纸(?=质)|安排球|牛排(?=名)|挂钩|地毯(?=式)|套餐|白菜(?=价)|割韭菜|加鸡腿|心灵鸡汤|鸭梨山|掉馅饼|大跌眼镜|橄榄型|大家加油"
    "|不可乐观|肉眼|酒店|请你喝(?:奶?茶|咖啡)|到U盘|页面点|全面点|电子表格|生日卡点"
)
"""Chinese words that hold an item's word and mean something else."""
OF_GOODS_ZH = "类|的|产品|商品|东西|用品|食品|相关|方面|等"
"""What may follow a name of goods and leaves it what it is."""
_NO_GOODS_ZH = re.compile(f"{OF_GOODS_ZH}|和|与|以及|及|或者?")
"""What may stand beside the names of goods and adds nothing to what they are."""
_BOUGHT = r"\b(?:bought|buy(?:s|ing|ers?)?|purchas(?:ed?|es|ing)|order(?:ed|ing)|spen[dt](?:ing)? on|of|into)"
_INTRODUCES = re.compile(
    r"(?:bought|buys?|buying|purchas\w+|ordered|orders?|of|on|for|some|any|no|not|and|or|without|(?:are|is|really|money) into|loves?|likes?|like|up"
    r"|grab\w*|tried|touch\w*|gets?|getting|but|never|only|with|plus|instead|also|both|either|nor|fresh"
    r"|,|\d|times|units|bottles|packs|cans)\s+$",
    re.IGNORECASE,
)
"""What stands before a product's name. One word alone ('down', 'station') names a product only there."""


_BUYERS = re.compile(
    r"\s+(?:buyers?|shoppers?|lovers?|fans?|drinkers?|eaters?|purchasers?|purchases|sales|people|folks|crowd|households|customers|clients)\b",
    re.I,
)


def _bought(text: str, span: Span) -> bool:
    """Whether the text says that it was bought, not merely that customers have it."""
    return bool(
        re.search(rf"{_BOUGHT}\s+(?:\w+\s+)?$", text[: span[0]], re.I) or _BUYERS.match(text, span[1])
    )


def _names_product(text: str, span: Span) -> bool:
    """Whether one word that is only part of a product's name stands where a product would."""
    if not text[: span[0]].strip() and re.match(
        r"\s*(?:[,:]|and\b|or\b|&|yes\b|never\b|at least\b|since\b|in\b|on\b|over\b|\d|$)", text[span[1] :]
    ):
        return True
    return bool(_INTRODUCES.search(text[: span[0]]) or _BUYERS.match(text, span[1]))


_PLAIN_WORDS = frozenset({"hand", "hands", "body", "paper", "party", "seasonal", "natural", "international"})
"""Words of a category's name that mostly mean something else: a name only where a product would stand."""
_HAS = re.compile(r"\b(?:has|have|having|owns?|got)\s+an?\s+$", re.IGNORECASE)
"""'who has a pet?' says what people have at home, not what they bought."""


def _joins_two(run: Sequence[tuple[str, Span]]) -> bool:
    """Whether the words are two things ('food and cat food') rather than the name of one ('cold and flu')."""
    words = [word for word, _ in run]
    at = _joined_at(words, (*_AND, "but", "not", "with", "plus"))
    return at is not None and (set(map(stem, words[:at])) <= GENERIC or "food" in words[:at])


def _joined_at(words: Sequence[str], joints: Sequence[str]) -> int | None:
    """The place of the first word that joins others."""
    return next((place for place, word in enumerate(words) if word in joints), None)


def _contiguous(text: str) -> bool:
    return re.search(r"[,.;:?!()]", text) is None


_OR = re.compile(
    r"\s*(?:,\s*)?(?:\b(?:or|and/or|and|plus)\b|,|/|&|或者?|和|跟|与|及|以及|还是|、|，)\s*(?:(?:some|any|the|a)\s+)?",
    re.IGNORECASE,
)


def alternatives(text: str, mentions: Sequence[ItemMention]) -> list[ItemFilter]:
    """The goods of mentions that any of them may be: one filter, or more where names of different kinds stand in a list,
    since fields of a filter narrow each other ('hot dogs or charcoal': a category, and a word of products' names)."""
    groups: list[list[ItemMention]] = []
    for mention in mentions:
        listed = groups and _OR.fullmatch(text[groups[-1][-1].span[1] : mention.span[0]])
        if listed or not groups:
            groups.append([mention])
        else:
            groups[-1].append(mention)
    brands = tuple(dict.fromkeys(brand for m in mentions for brand in m.items.brand))
    kinds = dict[tuple[bool, ...], list[ItemFilter]]()
    for group in groups:
        goods = replace(merged([mention.items for mention in group]), brand=())
        if goods:
            kinds.setdefault((bool(goods.department), bool(goods.category), bool(goods.text)), []).append(
                goods
            )
    return [replace(merged(filters), brand=brands) for filters in kinds.values()] or [
        ItemFilter(brand=brands)
    ]


def merged(filters: Sequence[ItemFilter]) -> ItemFilter:
    """Alternatives of one field are one filter; a brand narrows the rest ('store-brand soup')."""

    def values(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for items in filters for value in getattr(items, name)))

    return ItemFilter(values("department"), values("category"), values("brand"), values("text"))
