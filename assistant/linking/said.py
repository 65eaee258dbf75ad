"""What a wording says, apart from how it is put together: two wordings of one request say the same.

The language model may put a request into plainer words; what it dropped or made up shows here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.linking.cues import CHINESE, ENGLISH, STOP_EN
from assistant.linking.features import FeatureLinker
from assistant.linking.items import ItemLinker, chatter
from assistant.linking.numbers import numbers
from assistant.linking.rewrite import plain
from assistant.linking.windows import windows
from segments.definition import Window
from segments.features import Attribute

_COUNTING = frozenset({1.0, 2.0})
"""'at least one', 'both': said or left out without a difference."""


@dataclass(frozen=True)
class Said:
    """The numbers (shares as such), times, goods and attributes of persons of a wording, and whether it denies
    anything. How customers behave may be said in other words; who they are may not be made up."""

    numbers: frozenset[float]
    times: frozenset[Window]
    items: frozenset[str]
    attributes: frozenset[str]
    negative: bool

    @staticmethod
    def of(text: str, chinese: bool, as_of: date, features: FeatureLinker, items: ItemLinker) -> Said:
        """What a text says."""
        text = plain(text, chinese)
        times = windows(text, chinese, as_of)
        taken = [time.span for time in times]
        values = [
            value / 100 if number.unit == "percent" else value
            for number in numbers(text, chinese, taken)
            for value in (number.value, number.high)
            if value is not None
        ]
        named = [mention.items for mention in items.find(text, chinese, taken, STOP_EN | chatter())]
        goods = [g for i in named for g in (*i.department, *i.category, *i.brand, *i.text)]
        spoken = [features.catalogue[mention.feature] for mention in features.find(text, chinese, taken)]
        cues = CHINESE if chinese else ENGLISH
        return Said(
            frozenset(round(value, 4) for value in values) - _COUNTING,
            frozenset(time.window for time in times),
            frozenset(goods),
            frozenset(feature.name for feature in spoken if isinstance(feature.computation, Attribute)),
            any(cues[kind].search(text) is not None for kind in ("neg", "quiet")),
        )
