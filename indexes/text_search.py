"""Customers by a text: who cares about 'organic food', by the same vectors as lookalikes.

The text is compared with the items' texts; the customers who give most of their spend to the nearest items
are the example, and the index ranks everyone by their direction.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np
import pandas as pd

from indexes.behaviour import item_texts
from indexes.index import CustomerIndex, Match
from indexes.text import unread
from segments.errors import NotFoundError, UserError
from segments.ports import TextEncoder

ITEM_TEXTS = 20
"""Item texts, nearest to the text, that stand for it."""
LEAST_SIMILARITY = 0.3
"""Cosine below which an item text has nothing to do with the text (all-MiniLM-L6-v2)."""
EXAMPLES = 0.02
"""Share of the customers who are the example."""


class ItemTexts:
    """The texts of items (item_id, department, category, name), each encoded once."""

    def __init__(self, items: pd.DataFrame, encoder: TextEncoder) -> None:
        self.of = pd.Series(item_texts(items).to_numpy(), index=items["item_id"])
        self._encoder = encoder

    @cached_property
    def _vectors(self) -> pd.DataFrame:
        texts = pd.Index(self.of.unique())
        return pd.DataFrame(self._encoder.encode(list(texts)), index=texts)

    def near(self, text: str) -> pd.Series:
        """Cosine of the item texts nearest to the text, nearest first. Raises UserError for a text in a language that the
        encoder does not read, NotFoundError when no item is near."""
        if unread([text], self._encoder):
            raise UserError(
                f"text: the text encoder here reads no Chinese, so '{text}' cannot be searched for; give it in English, or "
                "name a category or a product as bought.",
                f"text：这里的文本编码器不懂中文，无法按“{text}”搜索；请改用英文，或按购买过的品类、商品名称筛选，例如：买过婴儿食品的客户。",
            )
        cosines = self._vectors @ self._encoder.encode([text.lower()])[0]
        near = cosines[cosines >= LEAST_SIMILARITY].sort_values(ascending=False, kind="stable")
        if near.empty:
            raise NotFoundError(
                f"text: no item here is like '{text}'; name a product or a category.",
                f"text：这里没有像“{text}”的商品；请给出商品或品类的名称。",
            )
        return near.head(ITEM_TEXTS)


def customers_near(
    text: str,
    index: CustomerIndex,
    purchases: pd.DataFrame,
    items: ItemTexts,
    top: int,
    within: Collection[str] | None = None,
) -> list[Match]:
    """The `top` customers whose behaviour is nearest to those who care most about a text; only of those within.

    purchases: customer_id, item_id, value. Raises NotFoundError when no item is near, or nobody bought one.
    """
    near = items.near(text)
    weights = items.of.map(near).fillna(0.0)
    rows = purchases[purchases["customer_id"].isin(index.customer_ids)]
    value = np.log1p(rows["value"].clip(lower=0))
    own = (value * rows["item_id"].map(weights).astype(float).fillna(0.0)).groupby(rows["customer_id"]).sum()
    share = own / np.maximum(value.groupby(rows["customer_id"]).sum(), 1e-9)
    count = max(1, round(EXAMPLES * len(index)))
    examples = share[share > 0].sort_values(ascending=False, kind="stable").head(count)
    if examples.empty:
        raise NotFoundError(
            f"text: nobody bought what is like '{text}' ({near.index[0]}).",
            f"text：没有人买过像“{text}”的商品（{near.index[0]}）。",
        )
    direction = index.vectors_of(list(examples.index)).mean(axis=0) - index.matrix().mean(axis=0)
    return index.search(direction / max(float(np.linalg.norm(direction)), 1e-9), top, within=within)
