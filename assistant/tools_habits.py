"""What a segment does as a rule, counted over what its members bought in the last year: where they shop, what they buy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from segments.errors import DefinitionError
from segments.issues import Issue
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

HABIT_DAYS = 365
SHOWN = 8


def profile_places(rooms: Rooms, members: Sequence[str]) -> Evidence:
    """In which stores or channels the members ordered in the last year, most orders first, beside everyone.

    A place where fewer than k of them ordered is not shown. Raises DefinitionError where no place is known.
    """
    orders = _last_year(rooms).dropna(subset=["channel"]).drop_duplicates("order_id")
    inside = orders[orders["customer_id"].isin(list(members))]
    if inside.empty:
        raise DefinitionError.of(Issue("no_places", days=HABIT_DAYS))
    figures = [Figure("orders", len(inside), "orders", "orders of the last year", "最近一年的订单数")]
    mine, all_ = (each["channel"].value_counts(normalize=True) for each in (inside, orders))
    for place, name in enumerate(_large(inside, "channel", mine, rooms.disclosure.k)):
        en, zh = (f"store {name}", f"门店 {name}") if name.isdigit() else (name, name)
        figures += _beside(f"place.{place}", float(mine[name]), float(all_[name]), en, zh)
    return Evidence("", "profile_places", tuple(figures))


def profile_goods(rooms: Rooms, members: Sequence[str]) -> Evidence:
    """What the members spent most on in the last year, by category (where goods have none, by name), beside everyone.

    What fewer than k of them bought is not shown. Raises DefinitionError where nobody bought anything.
    """
    items = rooms.items.set_index("item_id")
    goods = items["category"].fillna(items["name"])
    bought = _last_year(rooms)
    bought = bought.assign(goods=bought["item_id"].map(goods))
    inside = bought[bought["customer_id"].isin(list(members))]
    spent = float(inside["value"].sum())
    if spent <= 0:
        raise DefinitionError.of(Issue("no_goods", days=HABIT_DAYS))
    figures = [Figure("spent", spent, "currency", "spent in the last year", "最近一年的消费额")]
    mine, all_ = (_shares(each) for each in (inside, bought))
    for place, name in enumerate(_large(inside, "goods", mine, rooms.disclosure.k)):
        figures += _beside(f"goods.{place}", float(mine[name]), float(all_[name]), name, name)
    return Evidence("", "profile_goods", tuple(figures))


def _last_year(rooms: Rooms) -> pd.DataFrame:
    as_of, bought = pd.Timestamp(rooms.warehouse.as_of), rooms.purchases
    return bought[(bought["ts"] < as_of) & (bought["ts"] >= as_of - pd.Timedelta(days=HABIT_DAYS))]


def _shares(bought: pd.DataFrame) -> pd.Series:
    return bought.groupby("goods")["value"].sum() / bought["value"].sum()


def _large(rows: pd.DataFrame, by: str, shares: pd.Series, k: int) -> list[str]:
    """The names of the largest shares, of those that at least k customers make up."""
    people = rows.groupby(by)["customer_id"].nunique()
    ranked = shares.sort_index().sort_values(ascending=False, kind="stable").index
    return [str(name) for name in ranked if people[name] >= k][:SHOWN]


def _beside(name: str, share: float, everyone: float, en: str, zh: str) -> list[Figure]:
    return [Figure(name, share, "share", en, zh), Figure(f"{name}.everyone", everyone, "share", en, zh)]
