"""Whom a segment's members can be reached by: consent by channel, as the customers table tells it."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import pandas as pd

from segments.definition import Node
from segments.errors import NotFoundError
from warehouse.audience import Audiences
from warehouse.suppression import small

PREFIX = "reach_"
"""The columns of customers that hold consent are called so, with the channel's name after it."""


def channels(audiences: Audiences) -> tuple[str, ...]:
    """The channels whose consent is known; none where the customers table has no such columns."""
    columns = audiences.warehouse.table("customers").columns
    return tuple(column.removeprefix(PREFIX) for column in columns if column.startswith(PREFIX))


def check_channel(audiences: Audiences, channel: str) -> None:
    """Raise NotFoundError for a channel whose consent is not known."""
    known, asked = channels(audiences), channel[:80]
    if channel not in known:
        there = ", ".join(known) or "none: map them as reach of [[customers]]"
        zh = "、".join(known) or "没有，请在映射的 [[customers]] 中用 reach 指定"
        raise NotFoundError(
            f"channel: the consent to '{asked}' is not known; channels are {there}.",
            f"channel：不知道客户是否同意“{asked}”；可用的渠道：{zh}。",
        )


def reachable(audiences: Audiences, definition: Node) -> dict[str, int]:
    """Members by channel who agreed to it. Whose consent is not known is not reachable."""
    known = channels(audiences)
    if not known:
        return {}
    customers = audiences.warehouse.table("customers")
    among = customers.semi_join(audiences.expression(definition), "customer_id")
    counts = {name: among[PREFIX + name].fill_null(False).cast("int64").sum().fill_null(0) for name in known}
    row = audiences.warehouse.fetch(among.aggregate(**counts)).iloc[0]
    return {name: int(row[name]) for name in known}


def members_by(audiences: Audiences, definition: Node, channel: str) -> list[str]:
    """The members who agreed to a channel, sorted. Raises NotFoundError for a channel that is not known."""
    check_channel(audiences, channel)
    customers = audiences.warehouse.table("customers")
    agreed = customers.filter(customers[PREFIX + channel].fill_null(False))
    found = agreed.semi_join(audiences.expression(definition), "customer_id")
    table: pd.DataFrame = audiences.warehouse.fetch(found.select("customer_id").order_by(ibis._.customer_id))
    return list(table["customer_id"])


def without_few(counts: Mapping[str, int], size: int, k: int) -> dict[str, int | None]:
    """Members reached by each channel, None where those who agreed or the rest of the members are fewer than k."""
    return {
        channel: None if small(count, k) or small(size - count, k) else count
        for channel, count in counts.items()
    }
