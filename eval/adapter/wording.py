"""Plain words of a definition: what `explain` says, with goods and calendar times as people say them.

Whoever puts drafts into people's words reads these: 'bought wine last quarter' and not the catalogue's names and days.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from segments.definition import ItemFilter, Node, Window
from segments.explain import Language, explain
from segments.features import Catalogue
from segments.words_en import English
from segments.words_zh import Chinese

_PLACED = re.compile(
    r"(?:in|since|between|before|after|during|last|this|from|until|till|on|over|within|the past|past|by|ever)\b",
    re.I,
)


def wording(
    node: Node,
    catalogue: Catalogue,
    language: Language,
    currency: str,
    goods: Mapping[ItemFilter, str],
    times: Mapping[Window, str],
) -> str:
    """The definition in plain words. goods, times: how the request says them; what it does not name is explained."""
    text = explain(node, catalogue, language, currency)
    words = Chinese(catalogue, currency) if language == "zh" else English(catalogue, currency)
    named = {words.items(items): said for items, said in goods.items()}
    for window, said in times.items():
        placed = language == "zh" or _PLACED.match(said)
        named[words.window(window)] = said if placed else f"in {said}"
    for explained in sorted(named, key=len, reverse=True):
        text = text.replace(explained, named[explained])
    return text
