"""The controls of the visual editor: numbers, choices and items, each named by the place and the field that it changes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from segments.definition import WEEKDAYS, ItemFilter, Occasion, Window
from segments.edit import Place
from segments.parameters import FractionParameter, WholeParameter, plain
from serving.page.editor_actions import from_place
from serving.page.html import button
from serving.page.session import Session
from serving.views import Choices

ITEM_FIELDS = ("department", "category", "brand", "text")
LABELS = {
    "value": "edit.value",
    "low": "edit.low",
    "high": "edit.high",
    "start": "edit.begin",
    "end": "edit.end",
    "within_days": "edit.within",
    "factor": "edit.factor",
    "times": "edit.times",
    "from_hour": "edit.from_hour",
    "to_hour": "edit.to_hour",
    "top": "edit.top",
}


OPEN = ("start", "within_days", "from_hour", "to_hour")
"""Numbers that may be left out: no bound."""


class Controls:
    """Draws single controls. A dotted field is that of a part of the condition; `of` says to people which part."""

    def __init__(self, session: Session, choices: Choices) -> None:
        self.session, self.say, self.choices = session, session.say, choices

    def _label(self, key: str) -> str:
        return f'<span class="label">{escape(self.say(key))}</span>'

    def _unit(self, unit: str) -> str:
        shown = self.session.currency if unit == "currency" else self.say.unit(unit)
        return f'<span class="unit">{escape(shown)}</span>'

    def _number(self, place: Place, field: str, value: object, percent: bool = False, *, of: str = "") -> str:
        """A number, or a parameter by its name where the workspace keeps some. percent: of a share, 0..1."""
        at, kept = from_place(place), isinstance(value, WholeParameter | FractionParameter)
        shown = "" if value is None else value
        if isinstance(value, WholeParameter | FractionParameter):
            shown = value.name
        elif percent and isinstance(value, int | float):
            shown = f"{value * 100:g}"
        elif isinstance(value, float):
            shown = f"{value:.15g}"
        name = field.rpartition(".")[2]
        ever = f' placeholder="{escape(self.say("edit.ever"))}"' if name in OPEN else ""
        label = f"{of} {self.say(LABELS[name])}".strip()
        of_type = 'type="number" step="any"'
        if kept or self.choices.parameters:
            of_type = 'type="text" class="number" list="all-parameter" autocomplete="off"'
        box = (
            f'<input {of_type} data-do="set" data-place="{at}" data-field="{field}" '
            f'data-key="{at}:{field}" aria-label="{escape(label)}" value="{escape(str(shown))}"{ever}>'
        )
        if not kept:
            return box
        meaning = f"{plain(value) * 100:g}" if percent else f"{plain(value):.15g}"
        return f'{box}<span class="unit">= {meaning}</span>'

    def _select(
        self,
        place: Place,
        field: str,
        options: Sequence[tuple[str, str]],
        chosen: str | tuple[str, ...],
        label: str,
        *,
        do: str = "set",
        css: str = "",
    ) -> str:
        at, many = from_place(place), isinstance(chosen, tuple)
        picked = set(chosen) if isinstance(chosen, tuple) else {chosen}
        rows = "".join(
            f'<option value="{escape(value)}"{" selected" if value in picked else ""}>{escape(words)}</option>'
            for value, words in options
        )
        multiple = f' multiple size="{min(4, max(2, len(options)))}"' if many else ""
        return (
            f'<select class="{css}" data-do="{do}" data-place="{at}" data-field="{field}" data-key="{at}:{field}" '
            f'aria-label="{escape(label)}"{multiple}>{rows}</select>'
        )

    def _said(self, place: Place, field: str, text: str, label: str) -> str:
        at = from_place(place)
        return (
            f'<input type="text" class="wide" data-do="set" data-place="{at}" data-field="{field}" '
            f'data-key="{at}:{field}" aria-label="{escape(label)}" value="{escape(text)}">'
        )

    def _window(self, window: Window, place: Place, before: str = "", of: str = "") -> str:
        start = self._number(place, f"{before}start", window.start, of=of)
        end = self._number(place, f"{before}end", window.end, of=of)
        begin, to, ago = (escape(self.say(f"edit.{word}")) for word in ("from", "to", "ago"))
        return f'<span class="window">{begin}{start}{to}{end}{ago}</span>'

    def _items(self, items: ItemFilter, place: Place, before: str = "", of: str = "") -> str:
        picks = "".join(
            self._pick(place, name, getattr(items, name), before, of, free=name == "text")
            for name in ITEM_FIELDS
        )
        return f'<div class="items">{escape(self.say("edit.items"))} {picks}</div>'

    def _pick(
        self, place: Place, name: str, values: Sequence[str], before: str, of: str, free: bool = False
    ) -> str:
        """Values as chips that can be taken out, and a field for one more. free: any text, not one of a list."""
        at = from_place(place)
        label = f"{of} {self.say(f'item.{name}')}".strip()
        chips = "".join(
            f'<span class="chip item">{escape(self._item(name, value))}'
            + button(
                "✕",
                "set",
                title=self.say("edit.drop", what=value),
                place=at,
                field=f"{before}drop.{name}",
                value=value,
                key=f"{at}:{before}{name}.drop",
            )
            + "</span>"
            for value in values
        )
        source = "" if free else f' list="all-{name}"'
        return (
            f'<span class="pick">{chips}<input type="text" data-do="set" data-place="{at}" '
            f'data-field="{before}pick.{name}" data-key="{at}:{before}{name}" aria-label="{escape(label)}" '
            f'placeholder="{escape(self.say(f"item.{name}"))}…"{source}></span>'
        )

    def _item(self, name: str, value: str) -> str:
        """A value as its chip says it: a campaign with what and when it was."""
        about = self.choices.campaigns.get(value) if name == "campaign" else None
        return f"{value} · {about}" if about else value

    def _occasion(self, occasion: Occasion, place: Place, before: str = "", of: str = "") -> str:
        """On which days, hours, channels and of which campaigns: folded away until it says something."""
        at, say = from_place(place), self.say
        days = "".join(self._day(day, day in occasion.weekdays, at, before, of) for day in WEEKDAYS)
        first, last = occasion.hours or (None, None)
        hours = (
            f'<span class="window">{escape(say("edit.hours"))}'
            f"{self._number(place, f'{before}from_hour', first, of=of)}–"
            f"{self._number(place, f'{before}to_hour', last, of=of)}</span>"
        )
        named = "".join(
            self._pick(place, name, getattr(occasion, name), before, of) for name in ("channel", "campaign")
        )
        key = f"{at}:{before}occasion"
        return (
            f'<details class="occasion" data-key="{key}"{" open" if occasion else ""}>'
            f'<summary data-key="{key}.summary">{escape(say("edit.occasion"))}</summary>'
            f'<div class="items">{days}{hours}{named}</div></details>'
        )

    def _day(self, day: str, chosen: bool, at: str, before: str, of: str) -> str:
        name = self.say(f"day.{day}")
        return (
            f'<label class="day"><input type="checkbox" data-do="set" data-place="{at}" '
            f'data-field="{before}weekday.{day}" data-key="{at}:{before}{day}" '
            f'aria-label="{escape(f"{of} {name}".strip())}"{" checked" if chosen else ""}>{escape(name)}</label>'
        )
