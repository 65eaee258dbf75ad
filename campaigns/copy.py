"""Marketing copy of a plan: what a writer is told, the form it answers in, and the checks of what it wrote.

A language model writes; nothing here trusts it. A draft that breaks a rule is told so once and then not
shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from campaigns.display import share
from campaigns.goals import GOAL_WORDS, Goal
from campaigns.plan import Strategy
from campaigns.words import Language

OCCASIONS: dict[Goal, tuple[str, str]] = {
    "win_back": ("it has been a while, and we miss them", "好久不见，十分想念"),
    "retain": ("a thank-you to good customers", "感谢老顾客"),
    "activate_coupon": ("a coupon that is easy to use", "一张好用的优惠券"),
    "cross_sell": ("something they may not have tried yet", "可能还没尝试过的好物"),
    "grow_basket": ("a treat on their next trip", "下次购物的小惊喜"),
    "acquire_lookalikes": ("something that shoppers like them enjoy", "与您口味相近的顾客都喜欢的好物"),
}
"""A goal as the customer may hear it; what the retailer wants is not for them."""
PARTS = ("subject", "body", "sms")
LENGTHS: dict[Language, dict[str, int]] = {
    "en": {"subject": 60, "body": 300, "sms": 140},
    "zh": {"subject": 24, "body": 120, "sms": 60},
}
"""Characters. A subject longer than that is cut on a phone; an SMS holds 160 (70 in Chinese), less the
sender's opt-out line."""
ANGLES: dict[str, tuple[str, str]] = {
    "A": ("the saving comes first", "先说优惠"),
    "B": (
        "the product and how good it tastes or works come first, then the saving",
        "先说商品的好处，再说优惠",
    ),
}
EXAMPLE_FACTS: dict[Language, str] = {
    "en": "Occasion: a thank-you to good customers\nProducts: tea, biscuits\nOffer: a coupon for 35% off",
    "zh": "由头：感谢老顾客\n商品：茶叶、饼干\n优惠：优惠券减35%",
}
EXAMPLES: dict[str, dict[Language, dict[str, str]]] = {
    "A": {
        "en": {
            "subject": "35% off tea and biscuits, with our thanks",
            "body": "Thank you for shopping with us. Here is a coupon for 35% off tea and biscuits on your next visit.",
            "sms": "With our thanks: a coupon for 35% off tea and biscuits on your next visit.",
        },
        "zh": {
            "subject": "感谢有您，茶叶饼干减35%",
            "body": "感谢您一直光顾。送您一张优惠券：茶叶、饼干减35%，下次到店即可使用。",
            "sms": "感谢老顾客：茶叶、饼干减35%，下次到店可用。",
        },
    },
    "B": {
        "en": {
            "subject": "A warm cup of tea and a crisp biscuit",
            "body": "Fresh tea and crisp biscuits make a good afternoon. As a thank-you, your coupon takes 35% off.",
            "sms": "Fresh tea, crisp biscuits, and a thank-you coupon for 35% off.",
        },
        "zh": {
            "subject": "一杯好茶，配上香脆饼干",
            "body": "好茶配香脆的饼干，正是午后的滋味。感谢您的光顾，优惠券减35%。",
            "sms": "好茶配脆饼干，感谢老顾客，优惠券减35%。",
        },
    },
}
"""By variant, what a writer is shown before its own facts; a figure of it in a draft is none of the plan's."""
CLAIMS = ("free", "guarantee", "guaranteed", "lowest price", "half price", "risk-free", "winner", "last chance",
          "免费", "保证", "最低价", "半价", "全网最低", "中奖", "最后机会")  # fmt: skip
"""Promises that no plan makes; banned in every workspace, beside its own words."""


@dataclass(frozen=True)
class BrandRules:
    """A retailer's own rules: words that must not appear, in any language."""

    banned: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The retailer's words and the promises that no plan makes."""
        return (*CLAIMS, *self.banned)


@dataclass(frozen=True)
class Copy:
    """One variant."""

    variant: str
    subject: str
    body: str
    sms: str


def lengths_of(language: Language, short: bool = False) -> dict[str, int]:
    """The most characters of each part; half as many where it is to be short."""
    return {part: most // 2 if short else most for part, most in LENGTHS[language].items()}


def schema(language: Language, short: bool = False) -> dict[str, Any]:
    """JSON Schema of a draft."""
    lengths = lengths_of(language, short)
    return {
        "type": "object",
        "properties": {
            part: {"type": "string", "minLength": 1, "maxLength": lengths[part]} for part in PARTS
        },
        "required": list(PARTS),
        "additionalProperties": False,
    }


def facts(strategy: Strategy, language: Language) -> str:
    """All that a writer is told of a plan: occasion, things offered, discount. No figure of any customer."""
    zh = language == "zh"
    occasion = OCCASIONS[strategy.objective.goal][zh]
    # Of 'CANDY - CHECKLANE' a customer knows the candy.
    names = ("、" if zh else ", ").join(offer.name.split(" - ")[0].lower() for offer in offered(strategy))
    depth = share(strategy.offers[0].depth).replace(".0%", "%")
    if zh:
        return f"由头：{occasion}\n商品：{names}\n优惠：优惠券减{depth}"
    return f"Occasion: {occasion}\nProducts: {names}\nOffer: a coupon for {depth} off"


def offered(strategy: Strategy) -> tuple[Any, ...]:
    """The offers that somebody gets, those of most customers first."""
    counts: dict[str, int] = {}
    for tier in strategy.tiers:
        for name, count in tier.offers:
            counts[name] = counts.get(name, 0) + count
    return tuple(sorted((o for o in strategy.offers if o.name in counts), key=lambda o: -counts[o.name]))


_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_SPOKEN = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy"
    r"|eighty|ninety|hundred|thousand|half|third|quarter|double|triple|twice|per ?cent)\b"
    r"|百分之|[一二两三四五六七八九十百千万半]+(?:成|折|倍|元|块|天|周|个月|年)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\[[^\]]*\]|\{[^}]*\}|<[^>]*>|\bX{2,}\b|_{2,}|%[A-Za-z_]+%|【[^】]*(?:姓名|名称|链接)[^】]*】"
)
_LINK = re.compile(r"https?:|www\.|\b\w+\.(?:com|cn|net|org)\b", re.IGNORECASE)
_MARKUP = re.compile(r"[*`#|<>{}\[\]]")
_CHINESE = re.compile("[\u4e00-\u9fff]")


def problems(
    draft: Mapping[str, Any],
    strategy: Strategy,
    language: Language,
    rules: BrandRules,
    short: bool = False,
) -> list[str]:
    """What is wrong with a draft, each as a sentence for its writer; empty when it may be shown."""
    found: list[str] = []
    allowed = {number.rstrip("0").rstrip(".") if "." in number else number
               for number in _NUMBER.findall(facts(strategy, language))}  # fmt: skip
    for part in PARTS:
        text = draft.get(part)
        if not isinstance(text, str) or not text.strip():
            found.append(f"{part}: is missing.")
            continue
        most = lengths_of(language, short)[part]
        if len(text) > most:
            found.append(f"{part}: has {len(text)} characters; at most {most}.")
        if len(text) == most and text[-1].isalnum():  # no schema lets a writer go on
            found.append(f"{part}: is cut off; write fewer words.")
        found += [
            f"{part}: '{n}' is not a figure of the plan." for n in _NUMBER.findall(text) if n not in allowed
        ]
        found += [f"{part}: '{n}' is not a figure of the plan." for n in _SPOKEN.findall(text)]
        goal = GOAL_WORDS[strategy.objective.goal][language == "zh"]
        if goal.lower() in text.lower():
            found.append(f"{part}: '{goal}' is the retailer's aim, not for customers.")
        found += [f"{part}: '{word}' must not be used." for word in rules.words if _has(text, word)]
        for pattern, what in ((_PLACEHOLDER, "a placeholder"), (_LINK, "a link"), (_MARKUP, "markup")):
            if match := pattern.search(text):
                found.append(f"{part}: '{match[0]}' is {what}; write none.")
        if bool(_CHINESE.search(text)) != (language == "zh"):
            found.append(f"{part}: must be written in {'Chinese' if language == 'zh' else 'English'}.")
    return found


def _has(text: str, word: str) -> bool:
    if _CHINESE.search(word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def to_markdown(copies: tuple[Copy, ...], language: Language) -> str:
    """The variants, each part on its line."""
    names = ("主题", "正文", "短信") if language == "zh" else ("Subject", "Body", "SMS")
    colon = "：" if language == "zh" else ": "
    return "\n\n".join(
        "\n".join(
            [f"**{'版本' if language == 'zh' else 'Variant'} {copy.variant}**"]
            + [f"- {name}{colon}{getattr(copy, part)}" for name, part in zip(names, PARTS, strict=True)]
        )
        for copy in copies
    )
