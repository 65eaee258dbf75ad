"""A name of goods that stands alone, as a sketch has it: '狗' is dog food there, 'christmas' what is sold for it, and '咖啡滤纸' is no
coffee."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.linking import lexicon
from assistant.linking.items import OF_GOODS_ZH, ItemMention

_ADDS_NOTHING = re.compile(
    r"^(?:[罐瓶袋散盒桶大小]装|[大小整]包|一?整[包瓶盒袋罐箱])|(?:[的类等]|产品|商品|东西|相关|方面|系列|单品|品类|部门|专柜|货架)+$"
)
_OF_GOODS = re.compile(
    rf"{OF_GOODS_ZH}|制品|系列|单品|品类|部门|专柜|货架|[罐瓶袋散盒桶大小]装|[大小整]包|整?[包瓶盒袋罐箱]"
)


def alone(words: str) -> str | None:
    """What a word that is too short to be looked for in a message means where nothing but goods can stand, in English."""
    known = lexicon.table("goods_alone.tsv")
    said = words.lower().strip()
    if said in lexicon.table("items_zh.tsv"):
        return None
    return known.get(said) or known.get(_ADDS_NOTHING.sub("", said))


def other_thing(words: str, mentions: Sequence[ItemMention]) -> bool:
    """Whether the words end with what no mention holds: the last part says what it is, the parts before of which kind."""
    end = max((mention.span[1] for mention in mentions), default=len(words))
    return len(re.findall(r"[一-鿿]", _OF_GOODS.sub("", words[end:]))) > 1
