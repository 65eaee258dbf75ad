"""The controls of the visual editor: numbers, choices and items, each named by the place and the field that it changes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from segments.definition import ItemFilter, Window
from segments.edit import Place
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
}


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
        at = from_place(place)
        shown = "" if value is None else value
        if percent and isinstance(value, int | float):
            shown = f"{value * 100:g}"
        elif isinstance(value, float):
            shown = f"{value:.15g}"
        name = field.rpartition(".")[2]
        ever = f' placeholder="{escape(self.say("edit.ever"))}"' if name in ("start", "within_days") else ""
        label = f"{of} {self.say(LABELS[name])}".strip()
        return (
            f'<input type="number" step="any" data-do="set" data-place="{at}" data-field="{field}" '
            f'data-key="{at}:{field}" aria-label="{escape(label)}" value="{escape(str(shown))}"{ever}>'
        )

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

    def _window(self, window: Window, place: Place, before: str = "", of: str = "") -> str:
        start = self._number(place, f"{before}start", window.start, of=of)
        end = self._number(place, f"{before}end", window.end, of=of)
        begin, to, ago = (escape(self.say(f"edit.{word}")) for word in ("from", "to", "ago"))
        return f'<span class="window">{begin}{start}{to}{end}{ago}</span>'

    def _items(self, items: ItemFilter, place: Place, before: str = "", of: str = "") -> str:
        at, out = from_place(place), ""
        for name in ITEM_FIELDS:
            label = f"{of} {self.say(f'item.{name}')}".strip()
            chips = "".join(
                f'<span class="chip item">{escape(value)}'
                + button(
                    "✕",
                    "set",
                    title=self.say("edit.drop", what=value),
                    place=at,
                    field=f"{before}drop.{name}",
                    value=value,
                )
                + "</span>"
                for value in getattr(items, name)
            )
            source = f' list="all-{name}"' if name != "text" else ""
            out += (
                f'<span class="pick">{chips}<input type="text" data-do="set" data-place="{at}" '
                f'data-field="{before}pick.{name}" data-key="{at}:{before}{name}" aria-label="{escape(label)}" '
                f'placeholder="{escape(self.say(f"item.{name}"))}…"{source}></span>'
            )
        return f'<div class="items">{escape(self.say("edit.items"))} {out}</div>'
