"""The fields that conditions share, read from JSON: items, window, occasion, choices and numbers.

Every reader appends one sentence for each mistake, naming the field's path, and returns what it could read.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from segments.definition import WEEKDAYS, ItemFilter, Occasion, Window
from segments.errors import Sentence

ITEM_FIELDS = ("department", "category", "brand", "text")
WINDOW_KEYS = frozenset({"from_days_ago", "to_days_ago"})
OCCASION_KEYS = frozenset({"weekdays", "hours", "channel", "campaign"})


class Fields:
    """One JSON object being read: its path, its content and the mistakes found so far."""

    def __init__(
        self, data: dict[str, Any], path: str, issues: list[Sentence], allowed: Collection[str]
    ) -> None:
        self.data, self.path, self.issues = data, path, issues
        self._before = len(issues)
        for key in data:
            if key not in allowed:
                names = sorted(allowed)
                self.wrong(
                    key,
                    f"not a field here; accepted are {', '.join(names)}",
                    f"这里没有这一项；可用{'、'.join(names)}",
                )

    @property
    def sound(self) -> bool:
        """Whether nothing wrong was found so far."""
        return len(self.issues) == self._before

    def wrong(self, key: str, en: str, zh: str) -> None:
        """Note a mistake of a field: what is wrong with it, without its name and the full stop."""
        self.issues.append(Sentence(f"{self.path}.{key}: {en}.", f"{self.path}.{key}：{zh}。"))

    def choice(self, key: str, accepted: Collection[str], default: str | None = None) -> Any:
        """One of a fixed set of words."""
        got = self.data.get(key, default)
        if got not in accepted or not isinstance(got, str):
            self.wrong(
                key,
                f"must be one of {', '.join(accepted)}; got {short(got)}",
                f"必须是{'、'.join(accepted)}之一，而给的是{short(got)}",
            )
        return got

    def whole(self, key: str, default: int | None, what: str, least: int | None = None) -> Any:
        """A whole number; a default of None makes it optional."""
        got = self.data.get(key, default)
        if got is None and default is None:
            return None
        if not isinstance(got, int) or isinstance(got, bool) or (least is not None and got < least):
            from_least, at_least = ("", "") if least is None else (f", at least {least}", f"，至少为{least}")
            self.wrong(
                key,
                f"must be a whole number of {what}{from_least}; got {short(got)}",
                f"必须是整数{at_least}，而给的是{short(got)}",
            )
        return got

    def flag(self, key: str) -> Any:
        """true or false, false when left out."""
        got = self.data.get(key, False)
        if not isinstance(got, bool):
            self.wrong(
                key, f"must be true or false; got {short(got)}", f"必须是 true 或 false，而给的是{short(got)}"
            )
        return got

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when left out."""
        values = self.data.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) and v.strip() for v in values):
            self.wrong(
                key,
                f"must be a list of texts; got {short(values)}",
                f"必须是文字的列表，而给的是{short(values)}",
            )
            return ()
        return tuple(values)

    def number(self, key: str, default: float | None = None) -> Any:
        """A number; a default of None makes it optional."""
        got = self.data.get(key, default)
        if not is_number(got) and not (got is None and default is None):
            self.wrong(key, f"must be a number; got {short(got)}", f"必须是数字，而给的是{short(got)}")
        return got

    def items(self) -> ItemFilter:
        """Which items."""
        data = self.data.get("items")
        if data is None:
            return ItemFilter()
        if not isinstance(data, dict):
            self.wrong(
                "items",
                f"must be an object with {', '.join(ITEM_FIELDS)}; got {short(data)}",
                f"必须是含有{'、'.join(ITEM_FIELDS)}的对象，而给的是{short(data)}",
            )
            return ItemFilter()
        inner = Fields(data, f"{self.path}.items", self.issues, ITEM_FIELDS)
        return ItemFilter(**{name: inner.texts(name) for name in ITEM_FIELDS})

    def window(self) -> Window:
        """From how many days ago to how many."""
        return Window(self.whole("from_days_ago", None, "days"), self.whole("to_days_ago", 0, "days"))

    def occasion(self) -> Occasion:
        """Weekdays, hours, channels and campaigns."""
        days = self.texts("weekdays")
        for day in days:
            if day not in WEEKDAYS:
                self.wrong(
                    "weekdays",
                    f"must be of {', '.join(WEEKDAYS)}; got {short(day)}",
                    f"只能是{'、'.join(WEEKDAYS)}，而给的是{short(day)}",
                )
        hours = self.data.get("hours")
        if hours is not None:
            if not (isinstance(hours, list) and len(hours) == 2 and all(type(h) is int for h in hours)):
                self.wrong(
                    "hours",
                    f"must be two whole hours, from and to, in 0..24; got {short(hours)}",
                    f"必须是0到24之间的两个整点（从、到），而给的是{short(hours)}",
                )
                hours = None
            else:
                hours = (hours[0], hours[1])
        return Occasion(days, hours, self.texts("channel"), self.texts("campaign"))


def occasion_json(occasion: Occasion) -> dict[str, Any]:
    """The fields of an occasion that say something."""
    out: dict[str, Any] = {}
    if occasion.weekdays:
        out["weekdays"] = list(occasion.weekdays)
    if occasion.hours is not None:
        out["hours"] = list(occasion.hours)
    if occasion.channel:
        out["channel"] = list(occasion.channel)
    if occasion.campaign:
        out["campaign"] = list(occasion.campaign)
    return out


def items_json(items: ItemFilter) -> dict[str, Any]:
    """The `items` field, left out when any item is meant."""
    given = {name: list(getattr(items, name)) for name in ITEM_FIELDS if getattr(items, name)}
    return {"items": given} if given else {}


def window_json(window: Window) -> dict[str, Any]:
    """The fields of a window that say something."""
    out: dict[str, Any] = {}
    if window.start is not None:
        out["from_days_ago"] = window.start
    if window.end:
        out["to_days_ago"] = window.end
    return out


def is_number(value: object) -> bool:
    """Whether a JSON value is a number (true and false are not)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def short(value: object) -> str:
    """A value for an error message."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
