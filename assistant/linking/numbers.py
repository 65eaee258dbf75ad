"""Numbers with their comparison and unit, in English and Chinese: 'over $500', '至少3次', '30-40%'.

Tested on its own, so that no figure of a condition is left to the language model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.linking.spans import Span, blanked, free

_EN_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
}
_EN_WORDS |= {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_EN_WORDS |= {"hundred": 100, "a hundred": 100, "one hundred": 100, "two hundred": 200, "five hundred": 500}
_EN_WORDS |= {"a thousand": 1000, "one thousand": 1000, "a dozen": 12, "dozen": 12, "a couple of": 2}
_EN_WORDS |= {"half a dozen": 6, "a couple": 2}
_ZH_DIGITS = {
    "零": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}

_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_SIMPLE = "|".join([*(w for w in _EN_WORDS if " " not in w and w not in _SCALES), *_SCALES])
_SPELT = re.compile(
    rf"\b(?:(?:a|half a)\s+(?=hundred|thousand|million))?(?:{_SIMPLE})(?:[\s-]+(?:(?<=hundred\s)and\s+|(?<=thousand\s)and\s+)?(?:{_SIMPLE}))+\b|\ba\s+(?:thousand|million)\b",
    re.IGNORECASE,
)
_SCALED = re.compile(r"(\d[\d,]*(?:\.\d+)?)\s+(hundred|thousand|million)\b", re.IGNORECASE)


def spelt_out(text: str) -> str:
    """Number words of two words or more as digits: 'five thousand' -> '5000', '$1.5 million' -> '$1500000'.

    'thirty and sixty' are two numbers, 'two hundred and fifty' is one.
    """
    text = _SPELT.sub(lambda match: str(_spelt(match.group())), text)
    return _SCALED.sub(
        lambda match: f"{float(match[1].replace(',', '')) * _SCALES[match[2].lower()]:.0f}", text
    )


def _spelt(text: str) -> int:
    total = part = 0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "a":
            part = 1
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word != "and":
            part += _EN_WORDS[word]
    return total + part


_WORD = "|".join(sorted(map(re.escape, _EN_WORDS), key=len, reverse=True))
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
EN_NUMBER = rf"(?:(?<![A-Za-z_])(?:{DIGITS})(?:\s?[km]\b)?|\b(?:{_WORD})\b)"
# '3万5' is 35,000, but '10万2个孩子' two numbers.
ZH_NUMBER = (
    r"(?:\d+[万千]\d(?![\d.个次天件人名位岁口周月年种家单])|(?:"
    + DIGITS
    + r")\s?[千万kK]?|[零一二两三四五六七八九十百千万]+)"
)

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
SIGN = r"[$£€¥￥]"
# 'pounds of beef' are a weight.
_MONEY_EN = r"dollars?|bucks|usd|quid|pounds?\b(?! of\b)|gbp|euros?|eur|yuan|rmb|yen"
_MONEY_ZH = r"美元|美金|英镑|欧元|日元|人民币|元|块钱|块|刀"
MONEY = rf"(?:{SIGN}\s?[\d,.]*\d\s?[km万千]?|\d[\d,.]*\s?[km万千]?\s?(?:(?:{_MONEY_EN})\b|{_MONEY_ZH}))"
"""An amount in any currency: '$5,000', '£10k', '5000 pounds', '1万元'."""


def to_number(text: str) -> float:
    """'1,200' -> 1200, '5k' -> 5000, 'twelve' -> 12, '三十' -> 30, '2万' -> 20000."""
    text = text.strip().lower()
    if text in _EN_WORDS:
        return float(_EN_WORDS[text])
    scale = 1.0
    for suffix, factor in (("k", 1e3), ("m", 1e6), ("千", 1e3), ("万", 1e4)):
        if text.endswith(suffix) and text[0].isdigit():
            text, scale = text[: -len(suffix)].strip(), factor
    if tail := re.fullmatch(r"(\d+)([千万])(\d)", text):
        whole = 1e4 if tail[2] == "万" else 1e3
        return float(tail[1]) * whole + float(tail[3]) * whole / 10
    if text[0].isdigit():
        return float(text.replace(",", "")) * scale
    return float(_chinese(text))


def _chinese(text: str) -> int:
    total = section = digit = 0
    unit = 1
    for char in text:
        if char in _ZH_DIGITS:
            digit = _ZH_DIGITS[char]
            # 两千零五 is 2005, but 两千五 is 2500: a zero says that the last digit counts ones.
            unit = unit if digit else 1
        elif char == "万":
            total, section, digit, unit = (total + section + digit) * 10_000, 0, 0, 10_000
        else:
            unit = {"十": 10, "百": 100, "千": 1000}[char]
            section += max(digit, 1) * unit
            digit = 0
    return total + section + digit * (unit // 10 if unit > 10 and text[-1] in _ZH_DIGITS else 1)


@dataclass(frozen=True)
class Number:
    """A number of the question. op is None when no comparison was said; `high` only for between.

    unit: money, percent, times, orders, units, coupons, campaigns, days, years, stores, categories,
    people, kids, ratio or '' (not said).
    """

    span: Span
    value: float
    op: str | None = None
    high: float | None = None
    unit: str = ""
    thousands: bool = False


_MORE = r"(?:more(?: of(?= \d))?|greater|higher|bigger|larger|older|longer|above|over|beyond|in excess of|exceed(?:s|ing)?)"
_LESS = r"(?:less|fewer|lower|smaller|younger|shorter|below|under)"
_NO = r"(?:no|not|never|n't|isn't|aren't|doesn't|don't|didn't)(?:\s+(?:be|go|going|get|got|any|been|spend|spent|to))?"
_BEFORE_EN = {
    # A negated comparison is its complement: 'no higher than', "doesn't exceed", 'not below'.
    "<=": rf"{_NO}\s+{_MORE}(?:\s+th[ae]n)?|at (?:the )?(?:most|maximum)|up to|(?:a )?maximum(?: of)?|max(?: of)?|within|<=|≤"
    r"|capped at|less than or equal to|at or (?:below|under)|as (?:few|little) as",
    ">=": rf"{_NO}\s+{_LESS}(?:\s+th[ae]n)?|at (?:the very |the )?(?:least|minimum)|(?:a )?min(?:imum)?(?: of)?|>=|≥|from|starting at"
    r"|more than or equal to|at or (?:above|over)|as (?:many|much) as|a good|a solid",
    ">": rf"{_MORE}(?:\s+th[ae]n)?|upwards of|north of|past|topp(?:ed|ing)|surpass(?:ed|ing|es)?|>",
    "<": rf"{_LESS}(?:\s+th[ae]n)?|south of|<|short of|shy of|not even|didn't (?:even )?reach",
    "=": r"exactly|precisely|only|just|=|equal to|equals",
}
_AFTER_EN = {
    ">=": r"or (?:more(?! than)|above|older|higher|over|greater|better|bigger|larger|longer|up|beyond)"
    r"|and (?:up|over|above|older|more|beyond|higher)(?!\s+th[ae]n)|plus\b|\+|upwards?|(?:at )?(?:the )?(?:minimum|least)\b|min\b",
    "<=": r"or (?:less|fewer|below|younger|under|lower|smaller|shorter)|and (?:under|younger|below|less)|max(?:imum)?\b"
    r"|tops\b|at (?:the )?most\b",
}
_BEFORE_ZH = {
    "<=": r"不超过|没超过|未超过|不超|至多|最多|不多于|不高于|不大于|小于等于|少于等于|控制在|小于或等于|不超出|没到过",
    ">=": r"至少|不少于|不低于|最少|起码|不小于|大于等于|达到|达|满|超过或等于|大于或等于|够|不下|足足|少说",
    ">": r"超过|大于|多于|高于|超出|高过|(?<![用逛买来下花领收到做参去跑进推])过(?=\d|[一二两三四五六七八九十百千万])|破|逾|多过",
    "<": r"少于|低于|不到|小于|不足|未满|低过|不满|未达|没到|不够|未到|少过",
    "=": r"正好|刚好|恰好|等于|只有|仅|只(?=[买来用下有])|刚刚|整整",
}
_AFTER_ZH = {
    ">=": r"以上|及以上|或以上|或更多|起|及更多|或更高|甚至更多|多(?=$|[，。的])",
    "<=": r"以下|及以下|或以下|或更少|以内|之内|或更低",
}

_UNITS_EN = (
    ("percent", r"%|percent|per cent|pct"),
    (
        "per_order",
        r"(?:dollars? |bucks )?(?:an?|per|each|every) (?:order|trip|visit|basket|shop|transaction|purchase|time|go|pop)\b",
    ),
    ("money", _MONEY_EN),
    ("times", r"times|x\b|occasions"),
    (
        "orders",
        r"(?:different |separate )?(?:orders?|trips?|visits?|purchases|baskets|transactions|shopping (?:trips|occasions)|checkouts|receipts|tickets|shops(?= (?:or more )?(?:in|over|during|a\b)))",
    ),
    (
        "units",
        r"units?|items?|packs?|packets?|packages?|bottles?|cans?|products|pieces|boxes|cartons|bags|jars|loaves|gallons|tubs|bunches|cases|rolls|bars|pounds|lbs",
    ),
    ("coupons", r"(?:different )?(?:coupon redemptions?|coupons?|vouchers?|redemptions?)"),
    ("campaigns", r"(?:different )?(?:campaigns?|mailings?|mailers?|promotions)"),
    ("days", r"(?:different )?days?"),
    ("years", r"years?(?:[ -]olds?)?|yrs?(?:[ -]old)?|y/?o\b"),
    ("stores", r"(?:of (?:our|the|your) )?(?:different |distinct |single )?(?:stores?|shops?|locations?)"),
    ("categories", r"(?:different |distinct )?(?:categories|category)"),
    ("people", r"(?:people|persons?|members|person households?)|-person"),
    ("kids", r"(?:kids?|children|childs?)"),
    (
        "customers",
        r"(?:customers?|households|shoppers?|buyers|clients|guests|lookalikes|look-alikes|more people)",
    ),
    ("segments", r"(?:natural |different )?(?:segments?|groups?|clusters?|personas|tribes)"),
)
_UNITS_ZH = (
    ("percent", r"%|％|成"),
    ("money", _MONEY_ZH),
    ("times", r"次|回(?!购|来|头)|趟|遍"),
    ("orders", r"个?订单|单(?!独|身|亲|价|品)|笔"),
    ("coupons", r"张"),
    ("campaigns", r"[次个]?(?:营销)?活动"),
    ("years", r"周?岁"),
    ("days", r"天"),
    ("stores", r"家(?!里|庭|居|有)(?:不同的?)?(?:门?店)?|[个间](?:不同的?)?(?:门店|店铺?)"),
    ("categories", r"[个种类]?(?:不同的?)?(?:品类|类别|种类|商品类别)"),
    ("kids", r"个(?:及以上|以上|或以上|或更多|及更多)?(?:的)?(?:孩子|小孩|娃)"),
    ("people", r"口人?|口之家|人"),
    ("customers", r"[个位名](?:客户|顾客|人|用户|会员|家庭|相似)|位|名|户(?![外型籍口])"),
    (
        "segments",
        r"[个类组](?:自然)?(?:分群|群体|细分|类(?![似同近])|组|客群|人群)|[类组群](?=\s*(?:$|[，。,.？?！!]))",
    ),
    ("units", r"件|瓶|包|盒|袋|罐|桶|箱|份|支|颗|条|样(?!子)|斤|个"),
)


def _group(table: dict[str, str], prefix: str) -> str:
    return "|".join(f"(?P<{prefix}{i}>{pattern})" for i, pattern in enumerate(table.values()))


def _unit_group(table: tuple[tuple[str, str], ...]) -> str:
    # A unit is a whole word: 'shoppers' are no shops, 'personas' no persons.
    return "|".join(
        rf"(?P<u{i}>{pattern})(?:(?<![A-Za-z])|(?![A-Za-z]))" for i, (_, pattern) in enumerate(table)
    )


_RANGE_EN = re.compile(
    rf"(?:\b(?:between|from)\s+)?(?P<m>{SIGN}?)\s?(?P<a>{EN_NUMBER})\s?(?P<p1>%|k\b)?\s*"
    rf"(?:-|–|—|to|and|through|until|up to)\s*{SIGN}?\s?(?P<b>{EN_NUMBER})\s?(?P<p>%|percent)?\s*(?:{_unit_group(_UNITS_EN)})?",
    re.IGNORECASE,
)
_SINGLE_EN = re.compile(
    rf"(?:(?:{_group(_BEFORE_EN, 'b')})\s+(?:(?:of|the\s+age\s+of|age|about|around|roughly|like|say|a\s+total\s+of|some|an?(?=\s+\d))\s+)*|(?P<g>[<>]=?|≥|≤)\s?)?"
    rf"(?P<m>{SIGN}?)\s?(?P<a>{EN_NUMBER})(?:\s*(?:{_group(_AFTER_EN, 'a_')})(?!\w))?"
    rf"\s*-?(?:{_unit_group(_UNITS_EN)})?(?:\s*(?:{_group(_AFTER_EN, 'c_')})(?!\w))?",
    re.IGNORECASE,
)
_RANGE_ZH = re.compile(
    rf"(?P<m>{SIGN}?)(?P<a>{ZH_NUMBER})\s*(?:{_unit_group(_UNITS_ZH).replace('?P<u', '?P<v')})?\s*"
    rf"(?:到|至|-|–|—|~)\s*{SIGN}?(?P<b>{ZH_NUMBER})\s*(?:{_unit_group(_UNITS_ZH)})?(?:之间)?"
)
_ZH_VERB = r"(?:来)?(?:(?:购买|购物|消费|买|花|用|使用|下单|下|逛|来|收到|光顾|兑换|核销)(?:过|了)?)?"
_SINGLE_ZH = re.compile(
    rf"(?:(?:{_group(_BEFORE_ZH, 'b')}){_ZH_VERB})?\s*(?:了|过)?\s*(?P<m>{SIGN}?)(?P<a>{ZH_NUMBER})\s*"
    rf"(?:{_group(_AFTER_ZH, 'a_')})?\s*(?:{_unit_group(_UNITS_ZH)})?(?:{_group(_AFTER_ZH, 'c_')})?"
)
_IDIOMS_ZH = re.compile(
    r"一家家|一户户|一下|一些|一样|一起|一直|一般|统一|一共|唯一|一点|万一|十分|千万别|[两三四五六七八九十][项样者类]|一群|一批|一类|哪一|(?:最近|最后|上|第)一次|零食|零售|零钱|零花|百货|万圣|百事|七喜|三明治|五花肉|五谷|千层|百香果|八宝|一次性"
)


def numbers(text: str, chinese: bool, taken: list[Span]) -> list[Number]:
    """Every number outside the `taken` spans, left to right."""
    found: list[Number] = []
    busy = list(taken)
    if chinese:
        busy += [match.span() for match in _IDIOMS_ZH.finditer(text)]
    plain = blanked(text, taken, "\0")
    ranges, single = (_RANGE_ZH, _SINGLE_ZH) if chinese else (_RANGE_EN, _SINGLE_EN)
    for match in ranges.finditer(text):
        if free(match.span(), busy) and _plausible_range(match):
            found.append(_range(match, chinese, plain))
            busy.append(match.span())
    position = 0
    while (hit := single.search(text, position)) is not None:
        # A match that runs into a taken span may hide a number behind it: try again one step on.
        if not free(hit.span("a"), busy):
            position = max(hit.end("a"), hit.start() + 1)
            continue
        found.append(_single(hit, chinese, plain))
        busy.append(hit.span("a"))
        position = hit.end()
    return sorted(found, key=lambda number: number.span)


_COMPARED = re.compile(
    r"(?:\b(?:under|over|above|below|than|least|most|exceeding|minimum of|maximum of|up to)|[<>=≥≤])\s*$",
    re.IGNORECASE,
)
_OR_MORE = re.compile(
    r"\s*(?:\+|plus\b|or (?:more|less|fewer|better|above|below|over|under)\b)", re.IGNORECASE
)


def _plausible_range(match: re.Match[str]) -> bool:
    said, text = match.group().lower(), match.string
    listed = re.search(r"\band\b", said) and not said.startswith(("between", "from"))
    # 'under $15 and 80 or more orders' are two numbers.
    if listed and (_COMPARED.search(text[: match.start()]) or _OR_MORE.match(text, match.end())):
        return False
    low, high = to_number(match["a"]), to_number(match["b"])
    low *= _shared_scale(match["a"], match["b"])
    if high < 1000 <= high * 1000 and match["a"][-1:].lower() == "k":
        return True
    return low < high or match["b"][-1:].lower() == "k"


def _range(match: re.Match[str], chinese: bool, plain: str) -> Number:
    low, high = to_number(match["a"]), to_number(match["b"])
    thousands = match["b"][-1:].lower() == "k"
    if thousands and low < 1000:
        low *= 1000
    if chinese:
        low *= _shared_scale(match["a"], match["b"])
    unit = _unit(match, _UNITS_ZH if chinese else _UNITS_EN)
    unit = "money" if match["m"] else unit
    if not chinese and (match["p"] or match["p1"] == "%"):
        unit = "percent"
    if chinese and not unit:
        unit = next((name for i, (name, _) in enumerate(_UNITS_ZH) if match[f"v{i}"]), "")
    return Number(match.span(), low, "between", high, _noun(match, chinese, unit, plain), thousands)


def _shared_scale(low: str, high: str) -> float:
    """'五到七万五' is 50,000 to 75,000: the scale said last is that of both."""
    scale = next((char for char in "万千百" if char in high), "")
    if not scale or any(char in low for char in "万千百十") or to_number(low) >= 10:
        return 1
    return {"万": 10_000, "千": 1000, "百": 100}[scale]


def _single(match: re.Match[str], chinese: bool, plain: str) -> Number:
    before, after = (_BEFORE_ZH, _AFTER_ZH) if chinese else (_BEFORE_EN, _AFTER_EN)
    op = next((name for i, name in enumerate(before) if match[f"b{i}"]), None)
    for prefix in ("a_", "c_"):
        op = op or next((name for i, name in enumerate(after) if match[f"{prefix}{i}"]), None)
    if not chinese and match["g"]:
        op = {"≥": ">=", "≤": "<="}.get(match["g"], match["g"])
    unit = _unit(match, _UNITS_ZH if chinese else _UNITS_EN)
    if match["m"] and unit != "per_order":
        unit = "money"
    unit = _noun(match, chinese, unit, plain)
    value = to_number(match["a"])
    if chinese and unit == "times" and re.search("下单|下[了过]", match.group()):
        unit = "orders"
    if chinese and unit == "percent" and "成" in match.group():
        value *= 10
    thousands = match["a"].strip()[-1:].lower() == "k"
    return Number(match.span(), value, op, None, unit, thousands)


_NOUN_BEFORE_EN = re.compile(
    r"\b(?:(?P<orders>orders?|trips|visits|purchases|transactions)|(?P<coupons>coupons?(?: redeemed| used)?|redemptions)"
    r"|(?P<campaigns>campaigns?(?: received)?|mailings)|(?P<units>units|quantity))(?: (?:count|number|total))?\s*(?:[:=]|is|are|was|were)?\s*$",
    re.IGNORECASE,
)
_NOUN_BEFORE_ZH = re.compile(
    r"(?:(?P<orders>订单(?!金额|额|均)|下单|购买次数|购物次数|来店次数|到店次数|频次)|(?P<coupons>用券|核销|优惠券)|(?P<campaigns>活动)|(?P<units>件数|购买数量))"
    r"(?:数量?|次数|总数)?(?:在|为|是|：|:)?\s*$"
)
_NOUN_AFTER_ZH = re.compile(
    r"(?:及以上|以上|以下|以内)?的?(?:不同的?)?(?:(?P<stores>商店|门店|店铺|店(?!牌))|(?P<kids>孩子|小孩|娃)|(?P<categories>品类|类别|种类)|(?P<orders>订单)|(?P<coupons>优惠券|券)|(?P<campaigns>(?:营销)?活动))"
)


def _noun(match: re.Match[str], chinese: bool, unit: str, plain: str) -> str:
    """The unit that a noun beside the number says: 'orders >= 11', '订单不少于24', '七个以上的商店'."""
    if unit not in ("", "units"):
        return unit
    found = _NOUN_AFTER_ZH.match(plain, match.end()) if chinese else None
    if found is None and not unit:
        found = (_NOUN_BEFORE_ZH if chinese else _NOUN_BEFORE_EN).search(plain[: match.start()])
    return next((name for name, said in found.groupdict().items() if said), unit) if found else unit


def _unit(match: re.Match[str], table: tuple[tuple[str, str], ...]) -> str:
    return next((name for i, (name, _) in enumerate(table) if match[f"u{i}"]), "")
