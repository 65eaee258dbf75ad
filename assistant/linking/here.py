"""What happens in this workspace and where: its kinds of events, and its channels by name ('in Germany', '法国的客户')."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.linking import lexicon
from assistant.linking.campaigns import CampaignMention, named_campaigns
from assistant.linking.occasions import OccasionMention
from segments.definition import Occasion
from segments.ports import Outcome

EVENT_WORDS: dict[str, tuple[str, str]] = {
    "return": (
        r"\b(?:returned|returns?|returning|refund(?:ed|s)?|(?:sent|brought|gave) (?:\w+ ){0,3}back)\b",
        r"退货|退[过了]货?|退款|退换",
    ),
    "add_to_cart": (
        r"\b(?:added?|adds|adding|put|puts) (?=.{0,40}\bto cart\b)|\bcarted\b|\bto cart\b|\badd-to-carts?\b",
        r"加购(?:物车)?|加入(?:了)?购物车|放进购物车",
    ),
    "view": (
        r"\b(?:view(?:ed|s|ing)?|look(?:ed|s|ing)? at|brows(?:ed|es|ing|e)|page ?views?)\b",
        r"浏览|看[过了]",
    ),
    "search": (r"\bsearch(?:ed|es|ing)?(?: for)?\b", r"搜索|搜[过了]"),
    "review": (r"\b(?:review(?:ed|s)?|rated|left (?:a )?(?:review|rating)s?)\b", r"评价|评论|打[过了]分"),
    "ad_click": (r"\bclick(?:ed|s)?(?: on)?(?: an?| the| our)? ads?\b|\bad clicks?\b", r"点击?[过了]?广告"),
}
"""How events besides purchases, coupons and campaigns are said, in English and Chinese."""
_RETURNS = re.compile(
    r"\b(\d+\+?|or more|more|any|no|of|few|fewer|many|most|zero|single|one|two|three|four|five|ten) returns?\b",
    re.IGNORECASE,
)
_CART = re.compile(
    r"\b(?:in|into|to) (?:the |their |a )?(?:shopping )?(?:cart|basket|bag|trolley)\b", re.IGNORECASE
)
USUAL = frozenset({"purchase", "coupon_redeem", "exposure"})


@dataclass(frozen=True)
class Here:
    """events: the kinds that happened here. channels: where, as the data name it. outcomes: the workspace's own.
    campaigns: by name, in order of their beginning."""

    events: frozenset[str] = USUAL
    channels: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    campaigns: tuple[str, ...] = ()

    def event_words(self, chinese: bool) -> list[tuple[str, re.Pattern[str]]]:
        """(event, its words) of the events here that the linker's own cues do not say."""
        return self._event_words[chinese]

    @cached_property
    def _event_words(self) -> tuple[list[tuple[str, re.Pattern[str]]], ...]:
        """In English, in Chinese."""
        known = [(event, words) for event, words in EVENT_WORDS.items() if event in self.events]
        return tuple([(event, re.compile(words[i], re.IGNORECASE)) for event, words in known] for i in (0, 1))

    def said_plainly(self, text: str) -> str:
        """'5 or more returns in a year' are goods brought back here, not customers; 'in the cart' is not yet bought."""
        if "return" in self.events:
            text = _RETURNS.sub(r"\1 refunds", text)
        return _CART.sub("to cart", text) if "add_to_cart" in self.events else text

    def named_campaigns(self, text: str) -> list[CampaignMention]:
        """The campaigns of this workspace that a text names."""
        return named_campaigns(text, self.campaigns)

    def places(self, text: str, chinese: bool) -> list[OccasionMention]:
        """Channels said by name, those of a list together."""
        found: list[OccasionMention] = []
        listed, one = self._chinese if chinese else self._english
        for match in listed.finditer(text) if self._names else ():
            values = tuple(dict.fromkeys(self._names[name.lower()] for name in one.findall(match.group())))
            found.append(OccasionMention(match.span(), Occasion(channel=values)))
        return found

    @cached_property
    def _names(self) -> dict[str, str]:
        """Every name of a channel in small letters -> the channel. Numbers are said as stores."""
        names = {value.lower(): value for value in self.channels if not re.fullmatch(r"[\d.]+", value)}
        for row in lexicon.rows("countries.tsv"):
            known = [name for name in _spelt(row) if name.lower() in names]
            for other in _spelt(row) if known else ():
                names.setdefault(other.lower(), names[known[0].lower()])
        return names

    def _one(self, chinese: bool) -> str:
        names = sorted(self._names, key=len, reverse=True)
        return "|".join(re.escape(n) if chinese else _word(n) for n in names)

    @cached_property
    def _english(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """A list of names with what leads to it, and one name."""
        one = self._one(chinese=False)
        joint = r"(?:\s*,\s*(?:or |and )?|\s+or\s+|\s+and\s+|\s*/\s*)(?:from |in |the )*"
        lead = r"(?:\b(?:in|from|of|across|living in|based in)\s+(?:the\s+)?)?"
        return re.compile(rf"{lead}(?:{one})(?:{joint}(?:{one}))*", re.I), re.compile(one, re.I)

    @cached_property
    def _chinese(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        one = self._one(chinese=True)
        return re.compile(rf"(?:{one})(?:[、和或及](?:{one}))*", re.I), re.compile(one, re.I)


def _word(name: str) -> str:
    """A name as a word; one of two or three letters only in capitals ('US', not 'with us')."""
    return (
        rf"(?<!\w)(?-i:{re.escape(name.upper())})(?!\w)"
        if len(name) <= 3
        else rf"(?<!\w){re.escape(name)}(?!\w)"
    )


def _spelt(row: Iterable[str]) -> list[str]:
    return [name.strip() for cell in row for name in cell.split("|") if name.strip()]


def here(
    events: Collection[str],
    channels: Collection[str],
    outcomes: Iterable[Outcome] = (),
    campaigns: Sequence[str] = (),
) -> Here:
    """What a workspace holds, the channels in a stable order; campaigns in order of their beginning."""
    return Here(frozenset(events) | {"purchase"}, tuple(sorted(channels)), tuple(outcomes), tuple(campaigns))
