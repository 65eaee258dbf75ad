"""What was bought: the values of each item field, by spend."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pandas as pd

ITEM_FIELDS = ("department", "category", "brand")


def item_values(
    events: ir.Table, items: ir.Table, fetch: Callable[[ir.Table], pd.DataFrame]
) -> dict[str, tuple[str, ...]]:
    """department, category and brand values that somebody bought, by spend, largest first."""
    bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
    values = {}
    for name in ITEM_FIELDS:
        spend = bought.filter(bought[name].notnull()).group_by(name).aggregate(spend=bought.value.sum())
        values[name] = tuple(fetch(spend.order_by([ibis.desc("spend"), name]))[name])
    return values
