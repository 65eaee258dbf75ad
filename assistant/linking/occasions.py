"""Days of the week, hours and stores of a question: 'on Fridays or Saturdays', 'after 10pm', 'in store 367'.

An occasion says when or where an event happened; a share ('60 % of orders on weekends') is a feature's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.linking.numbers import EN_NUMBER, to_number
from assistant.linking.occasions_zh import occasions_zh
from assistant.linking.spans import Span, free
from segments.catalogue import PARTS
from segments.definition import WEEKDAYS, Occasion

ALWAYS = Occasion()
_PART_HOURS = {str(part): hours for part, hours in PARTS.items()}
SHARE_OF_OCCASION: dict[str, Occasion] = {
    f"{part}_share_365d": Occasion(hours=hours) for part, hours in _PART_HOURS.items()
} | {"weekend_share_365d": Occasion(weekdays=("sat", "sun"))}
"""The occasion whose share of orders a feature counts."""


@dataclass(frozen=True)
class OccasionMention:
    """Words of the question and the days, hours or stores they mean."""

    span: Span
    occasion: Occasion


def occasions(text: str, chinese: bool) -> list[OccasionMention]:
    """Every occasion said, left to right; words for parts of the day alone are left to the features."""
    found = _chinese(text) if chinese else _english(text)
    return _merged(text, sorted(found, key=lambda mention: mention.span))


def _chinese(text: str) -> list[OccasionMention]:
    found: list[OccasionMention] = []
    for span, occasion in occasions_zh(text):
        if free(span, (m.span for m in found)):
            found.append(OccasionMention(span, occasion))
    return found


def together(found: Sequence[Occasion]) -> Occasion:
    """Occasions that hold at once: days, hours and stores of all."""
    out = Occasion()
    for one in found:
        out = replace(
            out,
            weekdays=out.weekdays or one.weekdays,
            hours=out.hours or one.hours,
            channel=out.channel or one.channel,
        )
    return out


_LONG = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_SHORT = r"(?:mon|tues?|weds?|thurs?|thu|fri|sat|sun)"
_DAY = rf"(?:(?<!black )(?<!cyber )(?<!good )(?:{_LONG}|{_SHORT})\b\.?)"
_JOIN = r"(?:\s*(?:,\s*(?:and|or)|,|/|&|\band/or\b|\band\b|\bor\b)\s*(?:on\s+)?(?:an?\s+)?)"
_LEAD = r"(?:(?:\b(?:only\s+)?on|\bevery|\beach)\s+)?(?:an?\s+|the\s+)?"
_RANGE = re.compile(
    rf"(?:\bfrom\s+)?{_LEAD}\b(?P<a>{_DAY})[\s-]*(?:-|–|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\btill\b)[\s-]*(?P<b>{_DAY})",
    re.IGNORECASE,
)
_LIST = re.compile(
    rf"{_LEAD}\b(?P<days>{_DAY}(?:{_JOIN}{_DAY})*)(?:\s+(?P<part>morning|afternoon|evening|night|nite)s?)?\b",
    re.IGNORECASE,
)
_WORKDAYS = re.compile(
    r"\b(?:(?:on|during)\s+)?(?:week[- ]?days?|working days|work[- ]?days)\b", re.IGNORECASE
)
_HALF = r"(?P<{0}m>a\.?m\.?|p\.?m\.?|o'?clock|h(?:rs?|ours)?)"
_TIME = rf"(?P<{{0}}>\d{{{{1,2}}}}|noon|midnight|{EN_NUMBER.replace('{', '{{').replace('}', '}}')})(?::(?P<{{0}}c>00))?(?:\s*{_HALF}(?![a-z]))?"
_A, _B = _TIME.format("a"), _TIME.format("b")
_OF_DAY = r"(?:\s+(?:in the|at)\s+(?P<part>morning|afternoon|evening|night))?"
_HOURS = (
    ("between", rf"\b(?:between|from)\s+{_A}\s*(?:-|–|and|to|until|till)\s*{_B}{_OF_DAY}"),
    ("between", rf"(?<![\d$.-])\b{_A}\s*(?:-|–|to|until|till)\s*{_B}{_OF_DAY}(?![\d%])"),
    ("since", rf"\b(?:after|from|past|starting at)\s+{_A}{_OF_DAY}(?:\s+(?:on(?:wards?)?|or later))?(?![\d%])"),
    ("since", rf"(?<![\d$])\b{_A}{_OF_DAY}\s+(?:or|and)\s+(?:later|after|onwards?)"),
    ("until", rf"\b(?:before|until|by)\s+{_A}{_OF_DAY}(?![\d%])"),
)  # fmt: skip
_PATTERNS = tuple((how, re.compile(pattern, re.IGNORECASE)) for how, pattern in _HOURS)
_STORE = re.compile(
    r"\b(?:(?:in|at|from)\s+)?(?:the\s+)?(?:store|branch|shop|location)s?\s*(?:no\.?|number|nr\.?|#)?\s*#?(?P<n>\d{1,5}\b(?:\s*(?:,|and|or|&|/)\s*#?\d{1,5}\b)*)(?!\s*(?:%|times|days|stores))",
    re.IGNORECASE,
)


def _english(text: str) -> list[OccasionMention]:
    found: list[OccasionMention] = []

    def add(span: Span, occasion: Occasion | None) -> None:
        if occasion and free(span, (m.span for m in found)):
            found.append(OccasionMention(span, occasion))

    for match in _RANGE.finditer(text):
        first, last = _weekday(match["a"]), _weekday(match["b"])
        count = (last - first) % 7 + 1
        add(match.span(), Occasion(weekdays=tuple(WEEKDAYS[(first + i) % 7] for i in range(count))))
    for match in _WORKDAYS.finditer(text):
        add(match.span(), Occasion(weekdays=WEEKDAYS[:5]))
    for match in _LIST.finditer(text):
        days = re.findall(_DAY, match["days"], re.IGNORECASE)
        short = len(days) == 1 and not re.fullmatch(_LONG, days[0], re.IGNORECASE)
        if short and not re.match(r"\W*(?:only\s+)?(?:on|every|each)\b", match.group(), re.IGNORECASE):
            continue  # 'sat', 'sun' and 'wed' are words too.
        part = (match["part"] or "").lower().replace("nite", "night")
        named = tuple(day for day in WEEKDAYS if day in {WEEKDAYS[_weekday(day)] for day in days})
        add(match.span(), Occasion(weekdays=named, hours=_PART_HOURS.get(part)))
    for how, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            add(match.span(), _hours(how, match))
    for match in _STORE.finditer(text):
        add(match.span(), Occasion(channel=tuple(re.findall(r"\d+", match["n"]))))
    return found


def _weekday(word: str) -> int:
    return WEEKDAYS.index(word.lower()[:3])


def _hours(how: str, match: re.Match[str]) -> Occasion | None:
    """The hours of a match, or None when its numbers are no times of the day."""
    groups = match.groupdict()
    said = any(groups.get(name) for name in ("am", "bm", "ac", "bc", "part")) or any(
        (groups.get(name) or "").lower() in ("noon", "midnight") for name in ("a", "b")
    )
    if not said:
        return None
    part = (groups.get("part") or "").lower()
    half = {"morning": "am", "afternoon": "pm", "evening": "pm", "night": "pm"}.get(part, "")
    if how == "until" and groups["a"].lower() == "noon":
        return None  # 'before noon' is the morning, a feature's word.
    second = _hour(groups["b"], groups.get("bm") or half) if groups.get("b") else None
    first = _hour(groups["a"], groups.get("am") or ("" if groups.get("ac") else groups.get("bm") or half))
    if first is None or (groups.get("b") and second is None):
        return None
    if how == "between":
        low, high = first, 24 if second == 0 else second
    else:
        low, high = (first, 24) if how == "since" else (0, first)
    return None if high is None or low == high or low > 23 else Occasion(hours=(low, high))


def _hour(said: str, half: str) -> int | None:
    word = said.lower()
    if word in ("noon", "midnight"):
        return 12 if word == "noon" else 0
    number = to_number(word)
    if not number.is_integer() or number > 24:
        return None
    hour, after_noon = int(number), half.lower().startswith("p")
    if after_noon and hour < 12:
        return hour + 12
    return 0 if half.lower().startswith("a") and hour == 12 else hour


def _merged(text: str, found: list[OccasionMention]) -> list[OccasionMention]:
    """'beer, Fri or Sat, 5pm or later': what stands side by side is one occasion."""
    out: list[OccasionMention] = []
    for mention in found:
        before = out[-1] if out else None
        if before is not None and re.fullmatch(r"[\s,]*(?:and\s+)?", text[before.span[1] : mention.span[0]]):
            whole = together((before.occasion, mention.occasion))
            if {before.occasion, mention.occasion} & {whole}:
                out.append(mention)  # Both say days, or both hours: two occasions.
                continue
            out[-1] = OccasionMention((before.span[0], mention.span[1]), whole)
        else:
            out.append(mention)
    return out
