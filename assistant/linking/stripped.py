"""A message without what is said to tools: names, customers, two dates, what it compares with, what is to be foreseen. What is
left describes customers."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from assistant.change_intents import SpokenChange, spoken_change
from assistant.intents import (
    cued,
    spoken_acquisition,
    spoken_ahead,
    spoken_customer,
    spoken_name,
    spoken_plan,
)
from assistant.linking.clauses import named_items
from assistant.linking.foreseen import foreseen
from assistant.linking.likely import MOST_LIKELY
from assistant.linking.link import is_chinese
from assistant.linking.persuaded import persuaded
from assistant.linking.reader import Reader
from assistant.linking.rewrite import plain
from assistant.linking.spans import blanked
from assistant.linking.trend import trends
from assistant.market_intents import MARKET_TOOLS, market_tool, without_trade_words
from segments.definition import Node

_BY = re.compile(
    r"\b(?:their|its|the) (\w+(?: \w+){0,2}) (?:distribution|breakdown)\b|\b(?:by|of|over|across) (?:their |its |the )?([A-Za-z][\w ]*)[.?!]?\s*$|按(?:照)?(.{1,12}?)(?:来)?(?:拆分|细分|分布|分组|统计|看看|[拆分](?:一下)?(?=[。？?！!]?$))"
    r"|(?<=的)(.{1,12}?)分布",
    re.IGNORECASE,
)
"""What a breakdown is by."""
_BREAK = re.compile(
    r"\b(?:break|split|group|count)(?= (?:it|this|that|them|these|those|the|by|down)\b)", re.IGNORECASE
)
_AGAINST = re.compile(
    r"\b(?:different from|differ from|compared? (?:to|with|against)|stack up against|versus|vs\.?|overlap with|against|next to|and)(?=\s)"
    r"|与|跟|和|同",
    re.IGNORECASE,
)
_CHOSEN_FROM = re.compile(
    r"\b(?:from )?(?:among|amongst|within|out of|only from|only among|limited to|restricted to)\b(?P<en>.+)"
    r"|[在从](?P<zh>[^，,。]{2,40}?)(?:之中|当中|里面|中|里)(?=[，,]?.*(?:找|像|相似|类似|扩展))",
    re.IGNORECASE,
)
"""'find 500 people like them among beer buyers', '在有孩子的家庭里找100个像他们的人'."""
_QUOTED = re.compile(
    r"(?<!products named )(?<!” or )(?<!名称含)(?<!名称带)(?<!名称里有)(?<!名为)(?<!”或)(?<!”、)[\"“「《].{1,60}?[\"”」》]",
)
"""A name in quotation marks, unless it is a product's ('名称含“shampoo”或“toothpaste”的商品')."""
_COUNTS = re.compile(
    r"[\d一二两三四五六七八九十]\s*(?:天|日|周|个?月|次|趟|单|笔|元|块|%)|\d\s*(?:days?|times|weeks?|%)",
    re.IGNORECASE,
)
_LIKELY = re.compile(
    r"\b(?:likely|likelihood|will|would|chances?|odds|probabilit\w+|propensit\w+|predict|expect\w*)\b",
    re.IGNORECASE,
)
_OUTLOOK = re.compile(
    r"\b(?:to|will|would)\s+(?:buy|shop|purchase|order|come|return|redeem|visit|use)\b.*$"
    r"|\b(?:buy|shop|order|come|return|purchase)\s+(?:again|back)\b.*$",
    re.IGNORECASE | re.DOTALL,
)
"""What a question about probability asks for, as against whom it asks about."""
_AGAINST_BEFORE = re.compile(
    r"\b(?:vs\.?|versus|compared (?:to|with|against))\s*(?:the\s+)?(?:prior|previous|preceding|before|earlier|last|two before"
    r"|p\d+[dwm]\b|\d+\s*(?:days?|d|weeks?|months?)?\s*before|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b)"
    r"|(?:vs\.?|对比|相比|比较)\s*(?:prior|前|之前|上)\s*\d*",
    re.IGNORECASE,
)
"""'L90D vs prior 90D', 'Dec vs Nov': a time against another."""
_BUYING = re.compile(
    r"(?:\b(?:buy|buys|buying|buyers of|bought|purchas\w+|order(?:ed|ing)|spen[dt]\w* on)|买[过了的]?|购买[过了的]?)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Stripped:
    """text: what is left, its places as in the message. name: of a segment. change: two dates to compare. by: the words of
    what a breakdown is by. other: what the message compares with. among: whom lookalikes are chosen from. asks: the text
    without whom a campaign would move, so that what it asks of the future and of uplift is a question. outlook: whether what is
    to be foreseen was taken out; ahead: the categories of it.
    """

    text: str
    name: str | None
    change: SpokenChange | None
    by: str | None
    other: Node | None
    among: Node | None
    asks: str
    outlook: bool
    ahead: tuple[str, ...]


def strip(message: str, saved: Collection[str], chinese: bool, asked: str | None, reader: Reader) -> Stripped:
    """The message without what is said to tools. saved: names of segments. asked: the tool that it is known to ask for."""
    name, text = _name_blanked(message, [each for each in saved if _is_name(each, message, reader)])
    said_at, customer = spoken_customer(text)
    if customer is not None:
        text = blanked(text, [said_at])
    if asked in MARKET_TOOLS or (asked is None and market_tool(text) is not None):
        text = without_trade_words(text)
    change = spoken_change(text, chinese, reader.as_of)
    if change is not None:
        text = blanked(text, change.spans)
    # 'Most persuadable by campaign 18' says whom, and is no question about what is to come.
    asks = blanked(text, [pattern.span for pattern in persuaded(text, chinese)])
    text = blanked(text, [*spoken_ahead(asks), *spoken_acquisition(text), *spoken_plan(text)])
    other = among = None
    if cued("compare_segments", without_trends(text, chinese), asked):
        text, other = _compared(text, chinese, reader)
    if cued("find_lookalikes", text, asked):
        text, among = _chosen_from(text, chinese, reader)
    by = _BY.search(text) if cued("breakdown_segment", text, asked) else None
    if by is not None:
        text = blanked(text, [by.span(), *(verb.span() for verb in _BREAK.finditer(text))])
    whole, ahead = text, tuple[str, ...]()
    if cued("score_propensity", text, asked) and not MOST_LIKELY.search(text):
        said = plain(text, chinese)
        if not any(foreseen(said, chinese, lambda goods: named_items(goods, chinese, reader.items))):
            whole = said
            text, ahead = _without_outlook(said, chinese, reader)
    phrase = None if by is None else next(group for group in by.groups() if group)
    return Stripped(text, name, change, phrase, other, among, asks, text != whole, ahead)


def _name_blanked(message: str, saved: Collection[str]) -> tuple[str | None, str]:
    """The segment's name that a message says, and the message without it (positions stay)."""
    span, name = spoken_name(message)
    for known in sorted(saved, key=len, reverse=True):
        place = message.casefold().find(known.casefold())
        if place >= 0 and (name is None or known.casefold() in name.casefold()):
            span, name = (place, place + len(known)), known
            break
    text = message
    if name is not None:
        text = blanked(message, [span])
    # What else is quoted is a name too, not a condition; one that counts ('“任意3天内来了4趟”') is a condition.
    quoted = (match for match in _QUOTED.finditer(text) if not _COUNTS.search(match.group()))
    return name, blanked(text, (match.span() for match in quoted))


def without_trends(text: str, chinese: bool) -> str:
    """The text with changes over time blanked: 'compared to the quarter before' compares no segments."""
    text = plain(text, chinese)
    spans = [trend.span for trend in trends(text, chinese)]
    return blanked(text, [*spans, *(match.span() for match in _AGAINST_BEFORE.finditer(text))])


def _is_name(saved: str, message: str, reader: Reader) -> bool:
    """Whether a message that holds a saved segment's name means it: 'who is over 55?' is not about 'Over 55'."""
    place = message.casefold().find(saved.casefold())
    of_goods = place >= 0 and (market_tool(message) or _BUYING.search(message[:place]))
    if of_goods and named_items(saved, is_chinese(saved), reader.items):
        return False  # 'Forecast demand for Soup', 'who bought Soup', whatever segment is called so
    if place < 0 or message[place : place + len(saved)] == saved or spoken_name(message)[1] is not None:
        return place >= 0
    reading, _ = reader.corrected(saved, is_chinese(saved))
    return not reader.conditions(reading)


def _compared(text: str, chinese: bool, reader: Reader) -> tuple[str, Node | None]:
    """The text up to what is compared with, and what that is; the whole text when it names no customers."""
    for match in _AGAINST.finditer(text):
        found = reader.described(text[match.end() :], chinese)
        if found is not None:
            return text[: match.start()], found
    return text, None


def _chosen_from(text: str, chinese: bool, reader: Reader) -> tuple[str, Node | None]:
    """The text without the group that lookalikes are chosen from, and that group; the whole text without one."""
    for match in _CHOSEN_FROM.finditer(text):
        said = "zh" if match["zh"] else "en"
        found = reader.described(match[said], chinese)
        if found is not None:
            return blanked(text, [match.span()]), found
    return text, None


def _without_outlook(text: str, chinese: bool, reader: Reader) -> tuple[str, tuple[str, ...]]:
    """The text without what is to be predicted ('... to buy beer in two weeks'), and that one's categories."""
    asked = _LIKELY.search(text)
    match = _OUTLOOK.search(text, asked.start()) if asked else None
    if match is None:
        return text, ()
    ahead = reader.read(match.group(), chinese)
    found = [c for clause in ahead.clauses for item in clause.items for c in item.items.category]
    return text[: match.start()], tuple(found)
