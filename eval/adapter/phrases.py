"""How a change of a segment is put into plain words."""

from __future__ import annotations

import random
from typing import Any

from assistant.sketch import ITEMS, WHEN
from segments.explain import Language

CHANGES: dict[str, dict[Language, tuple[str, ...]]] = {
    "add": {
        "en": (
            "only those who {new}",
            "and they also {new}",
            "of these, the ones who {new}",
            "narrow it to people who {new}",
            "keep those who {new}",
            "which of them {new}?",
        ),
        "zh": ("只要{new}的", "再加一个条件：{new}", "其中{new}的有哪些？", "还要{new}", "缩小到{new}的"),
    },
    "exclude": {
        "en": (
            "without those who {new}",
            "exclude anyone who {new}",
            "but not people who {new}",
            "leave out those who {new}",
            "drop everybody who {new}",
        ),
        "zh": ("排除{new}的", "不要{new}的", "去掉{new}的人", "剔除{new}的"),
    },
    "swap": {
        "en": (
            "instead of those who {old}: those who {new}",
            "not who {old}, I meant who {new}",
            "replace '{old}' by '{new}'",
            "forget who {old}, take those who {new}",
        ),
        "zh": ("把“{old}”换成“{new}”", "不是{old}的，是{new}的", "{old}这条不要了，改成{new}"),
    },
    "remove": {
        "en": (
            "whether they {old} or not doesn't matter",
            "drop the condition that they {old}",
            "take out '{old}'",
            "they need not have: {old}",
            "forget about '{old}'",
        ),
        "zh": ("去掉“{old}”这个条件", "不管是不是{old}", "{old}这条不要了", "不用限定{old}"),
    },
    "widen": {
        "en": (
            "and also include those who {new}",
            "add people who {new} too, even if they are not in there",
            "or those who {new}",
            "let in anybody who {new} as well",
        ),
        "zh": ("{new}的也算进来", "或者{new}的也可以", "把{new}的也加进来", "再加上{new}的人"),
    },
    "goods": {
        "en": (
            "the same for {goods}",
            "make it {goods} instead of {old_goods}",
            "{goods}, not {old_goods}",
            "swap {old_goods} for {goods}",
            "sorry, I meant {goods}",
        ),
        "zh": ("换成{goods}", "不是{old_goods}，是{goods}", "{goods}的呢？", "把{old_goods}改成{goods}"),
    },
    "amount": {
        "en": (
            "make it {value}",
            "{value} instead of {old_value}",
            "change {old_value} to {value}",
            "with {value}?",
            "move the bar from {old_value} to {value}",
        ),
        "zh": ("改成{value}", "{old_value}改成{value}", "换成{value}呢？", "门槛调到{value}"),
    },
    "time": {
        "en": (
            "make that {time}",
            "{time} instead",
            "the same, but {time}",
            "what about {time}?",
            "over {time}",
        ),
        "zh": ("改成{time}", "时间换成{time}", "{time}呢？", "还是一样，但看{time}"),
    },
    "rank": {
        "en": ("of them {new}", "just those who {new}", "cut it down to those who {new}"),
        "zh": ("只要其中{new}的", "取他们中{new}的"),
    },
    "anew": {
        "en": (
            "start over: who {new}?",
            "forget that. people who {new}",
            "new question: customers who {new}",
            "something else, those who {new}",
        ),
        "zh": ("重新来：{new}的客户", "算了，看{new}的人", "换个问题：哪些人{new}？"),
    },
}
"""By what an edit does to the segment; {old}, {new}: conditions in plain words."""


def said(
    draw: random.Random,
    kind: str,
    language: Language,
    old_words: str,
    new_words: str,
    old: dict[str, Any],
    new: dict[str, Any],
) -> str:
    """The change in one of its phrases. old, new: the sketches whose words are given."""
    old, new = (sketch.get("not", sketch) for sketch in (old, new))
    return draw.choice(CHANGES[kind][language]).format(
        old=old_words,
        new=new_words,
        goods=new.get(ITEMS),
        old_goods=old.get(ITEMS),
        value=new.get("value"),
        old_value=old.get("value"),
        time=_time(new, language),
    )


def _time(sketch: dict[str, Any], language: Language) -> str:
    if WHEN in sketch:
        return str(sketch[WHEN])
    days = sketch.get("from_days_ago")
    return f"最近{days}天" if language == "zh" else f"the last {days} days"
