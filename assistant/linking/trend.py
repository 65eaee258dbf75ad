"""Comparisons of a customer with their own past: 'spending half of what they did', '消费下降了一半'."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.linking.numbers import DIGITS, EN_NUMBER, SIGN, to_number
from assistant.linking.spans import Span, free
from segments.definition import FeatureCondition


@dataclass(frozen=True)
class Trend:
    """A trend condition that the words state."""

    span: Span
    condition: FeatureCondition


_BEFORE = (
    r"(?:(?:(?:as )?compared (?:to|with|against)|relative to|against|than|versus|vs\.?|over|from|in|on|of|to)\s+)?"
    r"(?:(?:what\s+)?(?:they (?:did|used to|spent|were|had|once did)(?: (?:spend|before|in))*"
    r"|it was|before(?:hand)?|usual(?:ly)?|previously|their usual|the (?:three|3) (?:months )?before"
    r"|(?:the |their |its )?(?:one before|level|previous|prior|preceding|last|earlier|quarter|period|three months|3 months|90 days)"
    r"(?:\s+(?:of|the|in|one|quarter|period|level|spell|stretch|window|three months|3 months|90 days|before(?: that)?|prior|earlier))*|earlier|last quarter|normal))*"
)
_WHAT = (
    r"(?P<what>com(?:e|es|ing) (?:in|by)|spend(?:s|ing)?|spent|orders?|ordering|shop(?:s|ping)?|visit(?:s|ing)?|buy(?:s|ing)?"
    r"|purchas(?:es?|ing)|trips?|frequency|baskets?|sales|revenue|outlay)(?: (?:count|volume|level|amount|total|frequency|number)s?)?"
)
_DOWN = (
    r"(?:dropp?(?:ed|ing|s)?(?: off)?|f[ae]ll(?:en|ing|s)?(?: off)?|fell(?: off)?|declin(?:ed|ing|es?)|decreas(?:ed|ing|es?)"
    r"|shr[aiu]nk(?:ing)?|down|slid(?:ing)?|slipp(?:ed|ing)|cut(?: back)?|reduc(?:ed|ing)|sank|sunk|plunged|tumbled|tanked"
    r"|contracted|softened|slow(?:ed|ing)(?: down)?|dwindl(?:ed|ing)|tail(?:ed|ing) off|dipped|lost)"
)
_UP = (
    r"(?:increas(?:ed|ing|es?)|gr[eo]w(?:n|ing|s)?|r[aio]se(?:n)?|rising|up(?! to)|climb(?:ed|ing)|jumped|surged|soared|went up|gone up"
    r"|pick(?:ed|ing) up|improved|expanded|gain(?:ed|ing)|accelerat(?:ed|ing))"
)
_ADV = (
    r"(?:\s+(?:has|have|had|'s|went|goes|gone|going|been|is|are|was|were|got|by|at least|more than|over|about|off|some"
    r"|significantly|a lot|sharply|noticeably|steadily|clearly|roughly|around|nearly|almost|that|which|whose|just|really|,))*"
)

_EN = (
    (
        re.compile(
            rf"\b{_WHAT}\s+(?:is\s+|are\s+|was\s+|at most\s+|no more than\s+|barely\s+|at\s+|about\s+|only\s+|less than\s+|under\s+)*(?P<half>half)(?: or less)?\s+(?:of\s+|as much\s*|as often\s*)?"
            rf"(?:as\s+)?{_BEFORE}",
            re.I,
        ),
        lambda m: ("<" if re.search(r"less than|under", m.group()) else "<=", 0.5),
    ),
    (
        re.compile(rf"\b(?:halved|cut) (?:their|its) {_WHAT}(?: in half)?(?:\s+{_BEFORE})?", re.I),
        lambda m: ("<=", 0.5),
    ),
    (
        re.compile(
            rf"\b{_WHAT}{_ADV}\s+{_DOWN}{_ADV}\s*(?P<n>{DIGITS})\s?(?:%|percent)(?:\s+or more)?(?:\s+{_BEFORE})?",
            re.I,
        ),
        lambda m: (
            "<="
            if "at least" in m.group()
            or "or more" in m.group()
            or not re.search(r"more than|over ", m.group().split(m["n"])[0])
            else "<",
            1 - float(m["n"]) / 100,
        ),
    ),
    (
        # 'came in at least 25 % short of the preceding ninety'
        re.compile(
            rf"\b{_WHAT}\b[^.;?]{{0,50}}?(?P<more>more than |over )?(?P<n>{DIGITS})\s?(?:%|percent)(?:\s+or more)?\s+"
            r"(?:short of|below|under|behind|shy of|down on|off|(?P<up>above|ahead of|up on|higher than|beyond))\s+(?:the |their |its )?(?:preceding|previous|prior|earlier)\b(?: (?:ninety|90|thirty|three|quarter|days|months|period|level))*",
            re.I,
        ),
        lambda m: (
            (">" if m["more"] else ">=", 1 + float(m["n"]) / 100)
            if m["up"]
            else ("<" if m["more"] else "<=", 1 - float(m["n"]) / 100)
        ),
    ),
    (
        # 'order count at most 60 % of the previous 90 days''
        re.compile(
            rf"\b{_WHAT}\b[^.;?,]{{0,30}}?(?P<op>at most|no more than|up to|under|below|less than|at least|over|more than|only|just|<=?|>=?)?\s*(?P<n>{DIGITS})\s?(?:%|percent)\s+"
            r"of\s+(?:what (?:they|it)\b[\w ]{0,25}|(?:the |their )?(?:preceding|previous|prior|earlier)\b(?: (?:ninety|90|thirty|three|quarter|days'?|months'?|period|level))*)",
            re.I,
        ),
        lambda m: (
            {
                "under": "<",
                "below": "<",
                "less than": "<",
                "<": "<",
                "at least": ">=",
                ">=": ">=",
                "over": ">",
                "more than": ">",
                ">": ">",
            }.get((m["op"] or "").lower(), "<="),
            float(m["n"]) / 100,
        ),
    ),
    (
        # The reference ahead of the change: 'spend trend: last 90 days vs the prior 90 days down >= 40%'.
        re.compile(
            rf"\b{_WHAT}\b[^.;?!]{{0,40}}?(?:vs\.?|versus|compared (?:to|with)|against)\s+(?:the )?(?:prior|previous|preceding|last|earlier)"
            rf"[\w ]{{0,20}}?\s+(?:{_DOWN}|(?P<up>{_UP})){_ADV}\s*(?P<g>[<>]=?|≥|≤)?\s*(?P<n>{DIGITS})\s?(?:%|percent)(?:\s+or more)?",
            re.I,
        ),
        lambda m: (
            (
                ">=" if m["g"] != ">" and not re.search("more than|over", m.group()) else ">",
                1 + float(m["n"]) / 100,
            )
            if m["up"]
            else (
                "<=" if m["g"] != ">" and not re.search("more than|over", m.group()) else "<",
                1 - float(m["n"]) / 100,
            )
        ),
    ),
    (
        re.compile(
            rf"\b{_WHAT}{_ADV}\s+{_UP}{_ADV}\s*(?P<n>{DIGITS})\s?(?:%|percent)(?:\s+or more)?(?:\s+{_BEFORE})?",
            re.I,
        ),
        lambda m: (
            ">=" if not re.search(r"more than|over ", m.group().split(m["n"])[0]) else ">",
            1 + float(m["n"]) / 100,
        ),
    ),
    (
        re.compile(
            rf"\b{_WHAT}\s+(?:at least\s+)?(?P<n>{DIGITS})\s?(?:%|percent)\s+(?P<d>less|fewer|more)(?:\s+often)?\s*{_BEFORE}",
            re.I,
        ),
        lambda m: (
            ("<=", 1 - float(m["n"]) / 100) if m["d"].lower() != "more" else (">=", 1 + float(m["n"]) / 100)
        ),
    ),
    (
        re.compile(
            rf"\b{_WHAT}[^,.;?]{{0,40}}?\s+(?:is|are|was|were)\s+(?:at least |more than |over )?(?P<n>{DIGITS})\s?(?:%|percent)\s+(?P<d>less|fewer|more|higher|lower)(?:\s+often)?\s*(?:than\s+(?:in\s+)?)?{_BEFORE}",
            re.I,
        ),
        lambda m: (
            (">=", 1 + float(m["n"]) / 100)
            if m["d"].lower() in ("more", "higher")
            else ("<=", 1 - float(m["n"]) / 100)
        ),
    ),
    (
        re.compile(
            rf"\b{_WHAT}\s+(?:at least |more than )?(?:2 times|double|two times)\s+(?:as (?:much|often)\s*(?:as\s+)?|what\s+)?{_BEFORE}(?:\s*in {_BEFORE})?",
            re.I,
        ),
        lambda m: (">" if "more than" in m.group() else ">=", 2.0),
    ),
    (
        re.compile(rf"\bnow {_WHAT} (?:much |a lot )?(?P<d>less|fewer|more)(?: often)?\b", re.I),
        lambda m: (">" if m["d"].lower() == "more" else "<", 1.0),
    ),
    (
        re.compile(
            rf"\b(?:doubled|twice) (?:their |its )?{_WHAT}(?:\s+{_BEFORE})?|\b(?P<what2>spend(?:ing)?) (?:has )?(?:doubled)(?:\s+{_BEFORE})?",
            re.I,
        ),
        lambda m: (">=", 2.0),
    ),
    (
        re.compile(
            rf"\b{_WHAT}\s+(?:much\s+|a lot\s+)?(?:less|fewer)(?:\s+often|\s+frequently)?\s+(?:than\s+(?!{SIGN}|{EN_NUMBER})|compared|lately|recently|now){_BEFORE}[^,.;?]{{0,40}}?(?=$|[,.;?]|\band\b|\bbut\b|\bwho\b)",
            re.I,
        ),
        lambda m: ("<", 1.0),
    ),
    (
        re.compile(
            rf"\b{_WHAT}\s+(?:much\s+|a lot\s+)?more(?:\s+often|\s+frequently)?\s+(?:than\s+(?!{SIGN}|{EN_NUMBER})|compared|lately|recently|now){_BEFORE}[^,.;?]{{0,40}}?(?=$|[,.;?]|\band\b|\bbut\b|\bwho\b)",
            re.I,
        ),
        lambda m: (">", 1.0),
    ),
    (
        re.compile(
            rf"\b{_WHAT}{_ADV}\s+(?:{_DOWN})\b(?:\s+{_BEFORE})?|\b(?:declining|falling|shrinking|decreasing|dropping)\s+{_WHAT.replace('?P<what>', '?P<what2>')}",
            re.I,
        ),
        lambda m: ("<", 1.0),
    ),
    (
        re.compile(
            rf"\b{_WHAT}{_ADV}\s+(?:{_UP})\b(?:\s+{_BEFORE})?|\b(?:growing|rising|increasing)\s+{_WHAT.replace('?P<what>', '?P<what2>')}",
            re.I,
        ),
        lambda m: (">", 1.0),
    ),
)
_ZH_WHAT = r"(?:(?:最近|近)(?:90天|三个月|3个月|30天|一个月)(?:的|里)?)?(?P<what>消费|花费|花钱?|支出|开销|订单|下单|购买频率|购物次数|购买次数|来店次数|来店|频率|买得?)(?:金额|额|数|量|次数)?(?:得|的)?"
_ZH_DOWN = r"(?:下降|减少|下滑|下跌|降低|缩水|缩减|萎缩|变少|滑落|减|降|少|跌|掉)"
_ZH_UP = r"(?:增长|增加|上升|上涨|提高|提升|攀升|变多|涨|升|多)"
_ZH_THAN = r"(?:(?:在|正在|呈|有所|明显|大幅|整体|都|就|已经|环比|同比|，)*)(?:比|较|与|和|跟)?(?:最近|近)?(?:之前的?90天|之前的?三个月|前三个月|之前|更早|上一个季度||以前|上个?季度|前一个?季度|前90天|前30天|前一个?月|上个月|过去|上一?季|此前)?(?:相比|的)?"
_ZH = (
    (
        re.compile(
            rf"{_ZH_WHAT}{_ZH_THAN}(?:不到|少于|低于|只有|减少到|降到|降至|跌到)?(?:{_ZH_THAN})?(?:的)?一半|{_ZH_WHAT.replace('?P<what>', '?P<what2>')}{_ZH_THAN}(?:减半|腰斩)"
        ),
        lambda m: ("<" if re.search("不到|少于|低于", m.group()) else "<=", 0.5),
    ),
    (
        re.compile(
            rf"{_ZH_WHAT}{_ZH_THAN}(?:至少)?{_ZH_DOWN}(?:了|掉|去)*(?:至少|超过)?(?:(?P<n>{DIGITS})\s?[%％]|一半)(?:以上)?"
        ),
        lambda m: ("<" if "超过" in m.group() else "<=", 1 - float(m["n"] or 50) / 100),
    ),
    (
        re.compile(
            rf"{_ZH_WHAT}{_ZH_THAN}(?:至少)?{_ZH_UP}(?:了|出)*(?:至少|超过)?(?P<n>{DIGITS})\s?[%％](?:以上)?"
        ),
        lambda m: (">" if "超过" in m.group() else ">=", 1 + float(m["n"]) / 100),
    ),
    (re.compile(rf"{_ZH_WHAT}{_ZH_THAN}(?:翻倍|翻了一倍|翻番)"), lambda m: (">=", 2.0)),
    (
        re.compile(
            rf"{_ZH_WHAT}(?:在|正在|呈|有所|明显)?{_ZH_THAN}(?:下降|减少|下滑|降低|变少|越来越少|少(?=的|了|$))(?:了|的)?"
        ),
        lambda m: ("<", 1.0),
    ),
    (
        re.compile(
            rf"{_ZH_WHAT}(?:在|正在|呈|有所|明显)?{_ZH_THAN}(?:增长|增加|上升|变多|越来越多)(?:了|的)?"
        ),
        lambda m: (">", 1.0),
    ),
)
_ZH_LESS_NOW = (
    (
        re.compile(
            r"(?:最近|近来|近期|如今|现在)?(?:反而|却|也|都|就)?(?P<what>来|花|买)得?(?:越来越|明显|比(?:以前|之前|过去))?少了(?!\d|[一二两三四五六七八九十])"
            r"|(?P<what2>来|花|买)得(?:没有?|不如)(?:以前|之前|过去|从前)(?:那么|那样)?(?:勤|多|频繁)了?"
        ),
        lambda m: ("<", 1.0),
    ),
)
_OVERDUE = re.compile(
    rf"\b(?P<over>more than|over|at least)?\s*(?:(?P<twice>double|twice)|(?P<n>{DIGITS}|three|four|five)\s?(?:x|times))\s+(?:as long as\s+)?(?:their|the)\s+(?:own\s+)?(?:usual|normal|average|typical)\s+(?:gap|interval|cycle)",
    re.I,
)
_ORDERS = re.compile(r"^[来买]$|order|com(?:e|ing) |shop|visit|trip|frequen|buy|purchas|订单|频率|次数", re.I)
_MONTH = re.compile(r"month|30 days|月|30天", re.I)


def trends(text: str, chinese: bool) -> list[Trend]:
    """Every trend the words state, none overlapping."""
    found: list[Trend] = []
    for match in _OVERDUE.finditer(text):
        op = ">=" if (match["over"] or "").lower() == "at least" else ">"
        times = to_number(match["n"]) if match["n"] else 2.0
        value = int(times) if times.is_integer() else times
        found.append(Trend(match.span(), FeatureCondition("overdue_ratio", op, value)))
    for pattern, read in (*_ZH, *_ZH_LESS_NOW) if chinese else _EN:
        for match in pattern.finditer(text):
            if not free(match.span(), (t.span for t in found)):
                continue
            groups = match.groupdict()
            what = groups.get("what") or groups.get("what2") or ""
            op, value = read(match)
            name = "orders_trend_90d" if _ORDERS.search(what) else "spend_trend_90d"
            three = re.search(r"three months|3 months|三个月|3个月", match.group(), re.I)
            if name == "spend_trend_90d" and _MONTH.search(match.group()) and not three:
                name = "spend_trend_30d"
            number = round(value, 4)
            end = match.start() + len(match.group().rstrip())
            condition = FeatureCondition(name, op, int(number) if number.is_integer() else number)
            found.append(Trend((match.start(), end), condition))
    return found
