"""What a message asks of the current segment's habits, where it says nothing else: where they shop, what they buy."""

from __future__ import annotations

import re

from assistant.back import bare
from assistant.spoken_requests import POLITE, POLITE_ZH, THEM, THEM_ZH

_OFTEN = r"(?: (?:usually|mostly|typically|normally|mainly|tend to|like to|prefer to))*"
_STORE = r"(?:stores?|shops?|branch(?:es)?|locations?|channels?)"
_SHOP = r"(?:shop|buy|go|come|order|purchase|visit|use)"
_MOST = r"(?: (?:at|in|from|to|through|most(?: often)?|the most|usually|mostly))*"
_PLACES = re.compile(
    rf"{POLITE}where do {THEM}{_OFTEN} {_SHOP}{_MOST}"
    rf"|{POLITE}(?:(?:at|in|through|to) )?(?:which|what) (?:of our )?{_STORE} do {THEM}{_OFTEN} {_SHOP}{_MOST}"
    rf"|{POLITE}what(?:['’]s| is| are) (?:their|its) (?:favou?rite|preferred|main|usual|most visited) {_STORE}"
    rf"|{POLITE}(?:and )?(?:in |at )?which {_STORE}(?: (?:are|is) (?:it|they|that))?"
    rf"|{POLITE}(?:their )?(?:top|main|favou?rite|preferred|usual) {_STORE}(?: (?:used|visited|by visits))?"
    rf"|{POLITE_ZH}{THEM_ZH}?(?:一般|通常|平时|大多|主要|都|最?常|喜欢)*[在去到从]"
    r"(?:哪里|哪儿|哪些?(?:家|个)?(?:门?店|渠道|地方)|什么(?:门?店|渠道|地方)|哪)"
    r"(?:都|最|会|常|来|去|购物|购买|买东西|买|下单|消费|光顾|逛)*(?:最?多)?的?呢?"
    rf"|{POLITE_ZH}{THEM_ZH}(?:最?常|最?爱|最?喜欢)去?的?(?:是)?(?:哪|什么)(?:些|家|个)*(?:门?店|渠道)"
    rf"|{POLITE_ZH}{THEM_ZH}的?(?:主要|常用|常去)?的?(?:购物)?(?:渠道|门店)(?:是|有)?(?:什么|哪些|哪家|分布)",
    re.IGNORECASE,
)
_GOODS_WORD = r"(?:products?|items?|categor(?:y|ies)|goods|things|stuff)"
_FAVOURITE = r"(?:favou?rite|top|main|usual|most[- ]bought|best[- ]selling)"
_IN_GENERAL = r"(?: (?:usually|mostly|typically|normally|the most|most(?: often)?|from us|here|in general))*"
_SPEND_ON = r"spend (?:(?:it|their money|money|the most) )?(?:mostly |most )?on"
_GOODS = re.compile(
    rf"{POLITE}what(?:['’]s| is| are) (?:their|its) {_FAVOURITE} {_GOODS_WORD}"
    rf"|{POLITE}what (?:else )?do {THEM}{_OFTEN} (?:buy|purchase|shop for|get|{_SPEND_ON}){_IN_GENERAL}"
    rf"|{POLITE}(?:what|which) {_GOODS_WORD} do {THEM}{_OFTEN} (?:buy|purchase|prefer|like|love){_IN_GENERAL}"
    rf"|{POLITE}what(?:['’]s| is) in their (?:baskets?|carts?|trolleys?)"
    rf"|{POLITE}what do {THEM}{_OFTEN} (?:put|have|throw|toss|pile) in(?:to)? their (?:baskets?|carts?|trolleys?)"
    rf"|{POLITE}(?:their )?{_FAVOURITE} (?:{_GOODS_WORD}|cats)(?: (?:bought|purchased|sold))?"
    rf"|{POLITE_ZH}{THEM_ZH}(?:一般|通常|平时|主要|都|最|经?常|喜欢|爱|会|偏好|在)*(?:购?买)?(?:些|点)?"
    r"(?:什么|哪些|啥)(?:商品|产品|东西|品类)(?:最?多)?(?:呢)?"
    rf"|{POLITE_ZH}{THEM_ZH}?(?:一般|通常|平时|主要|都|最|经?常|喜欢|爱|会|在|还)*(?:购?买)(?:些|点)?(?:什么|哪些|啥)(?:呢)?"
    rf"|{POLITE_ZH}{THEM_ZH}(?:购?买得?|消费)最多的?(?:商品|产品|东西|品类)?(?:是|有)?(?:什么|哪些|啥)(?:商品|产品|东西|品类)?",
    re.IGNORECASE,
)


def spoken_places(message: str) -> bool:
    """Whether a message asks where they shop, and nothing else."""
    return _PLACES.fullmatch(bare(message)) is not None


def spoken_goods(message: str) -> bool:
    """Whether a message asks what they buy, and nothing else."""
    return _GOODS.fullmatch(bare(message)) is not None
