"""What the insights know of one workspace beyond its segments, made when first asked and kept.

Demand by category and store, what sells together, oddities, placements, the response curve of campaigns, what reviews say.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from assistant.ranking import kept_test
from assistant.reviews import Reviews
from indexes.neighbours import distances
from insights.anomalies import Anomalies, find_anomalies
from insights.demand import DemandModel, category_demand
from insights.frequency import FrequencyCurve, frequency_curve
from insights.item_model import ItemModel, barred, build_model
from insights.placement import Placement, placement_effect
from insights.positions import Positions, position_effects
from insights.ranking_test import RankingTest, evaluate
from insights.recommend import Recommendations, recommend
from insights.rules import Rules, bought_together
from insights.signals import Kind, Signals, coupon_signals, customer_signals, order_signals, with_behaviour
from segments.errors import NotFoundError

if TYPE_CHECKING:
    from assistant.rooms import Rooms

PLACEMENTS = "placements"
"""Table of display and mailer shares (item_id, week, units, display, mailer), where the source has them."""
POSITIONS = "positions"
"""Table of stores by position (item_id, week, display, mailer, stores, units), where the source tells positions apart."""


class Market:
    """The insights of one workspace; thread-safe, each model made once."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._lock = threading.RLock()
        self._demand: dict[str, DemandModel] = {}
        self._anomalies: dict[Kind, Anomalies] = {}

    def warm(self) -> None:
        """Make what the most frequent question, for products to recommend, would otherwise wait for."""
        with self._lock:
            self._products  # noqa: B018

    @property
    def _excluded(self) -> Collection[str]:
        return self._rooms.workspace.settings.exclude_categories

    @cached_property
    def _goods(self) -> pd.DataFrame:
        """Purchases of goods: fuel, coupons and deposits left out."""
        items, purchases = self._rooms.items, self._rooms.purchases
        out = items.loc[barred(items, list(self._excluded)), "item_id"]
        return purchases[~purchases["item_id"].isin(set(out))]

    @cached_property
    def ranking(self) -> RankingTest:
        """The rankers of products on the last 30 days, which decide which is used."""
        return kept_test(self._rooms.workspace, self._test)

    def _test(self) -> RankingTest:
        members = list(self._goods["customer_id"].unique())
        as_of = self._rooms.warehouse.as_of
        return evaluate(members, self._rooms.purchases, self._rooms.items, as_of, exclude=self._excluded)

    @cached_property
    def _products(self) -> ItemModel:
        rooms, method = self._rooms, self.ranking.best.method
        return build_model(
            rooms.purchases,
            rooms.items,
            rooms.warehouse.as_of,
            "product",
            exclude=self._excluded,
            method=method,
        )

    def products(self, members: Sequence[str]) -> Recommendations:
        """Next best products, by the ranker that did best on the last 30 days."""
        rooms = self._rooms
        with self._lock:
            return recommend(
                members, rooms.purchases, rooms.items, rooms.warehouse.as_of, model=self._products
            )

    def together(self, members: Sequence[str] | None, focus: Sequence[str]) -> Rules:
        """What members (everyone when None) buy together; with focus, what goes with these categories."""
        rooms = self._rooms
        with self._lock:
            who = rooms.purchases["customer_id"].unique() if members is None else members
            return bought_together(
                list(who), rooms.purchases, rooms.items, focus=focus, exclude=self._excluded
            )

    def demand(self, store: str | None = None) -> DemandModel:
        """The demand model of all categories, or of all categories in a store (a channel of the data)."""
        rooms = self._rooms
        if store is not None and store not in set(rooms.purchases["channel"]):
            raise NotFoundError(
                f"store: there is no store '{store}'; name one of the data's.",
                f"store：没有门店“{store}”；请给出数据中的门店。",
            )
        with self._lock:
            if (store or "") not in self._demand:
                stores = () if store is None else (store,)
                self._demand[store or ""] = category_demand(
                    rooms.purchases, rooms.items, rooms.warehouse.as_of, exclude=self._excluded, stores=stores
                )
            return self._demand[store or ""]

    def anomalies(self, kind: Kind) -> Anomalies:
        """The oddest customers, orders or coupons."""
        with self._lock:
            if kind not in self._anomalies:
                self._anomalies[kind] = find_anomalies(self._signals(kind))
            return self._anomalies[kind]

    def _signals(self, kind: Kind) -> Signals:
        rooms = self._rooms
        if kind == "order":
            return order_signals(self._goods)
        if kind == "coupon":
            campaigns = rooms.warehouse.fetch(rooms.warehouse.table("campaigns"))
            return coupon_signals(rooms.redemptions, rooms.exposures, campaigns)
        signals = customer_signals(self._goods, rooms.redemptions)
        return with_behaviour(signals, distances(rooms.index))

    def placement(self, category: str) -> Placement:
        """What display and mailer positions go with, in one category."""
        rooms = self._rooms
        if PLACEMENTS not in rooms.warehouse.connection.list_tables():
            raise NotFoundError(
                "This workspace has no record of display and mailer positions, so their effect cannot be told.",
                "这个工作区没有陈列和邮报位置的记录，看不出它们的效果。",
            )
        known = self._of_category(PLACEMENTS, category)
        # Weeks of an item without a row are weeks without a sale and without a position.
        pairs = [known["item_id"].unique(), known["week"].unique()]
        every = pd.MultiIndex.from_product(pairs, names=["item_id", "week"])
        whole = known.set_index(["item_id", "week"]).reindex(every, fill_value=0.0)
        return placement_effect(whole.reset_index())

    def positions(self, category: str) -> Positions | None:
        """What single display positions go with, in one category; None where the source does not tell them apart."""
        if POSITIONS not in self._rooms.warehouse.connection.list_tables():
            return None
        return position_effects(self._of_category(POSITIONS, category))

    def _of_category(self, name: str, category: str) -> pd.DataFrame:
        items, warehouse = self._rooms.items, self._rooms.warehouse
        table = warehouse.table(name)
        ids = items.loc[items["category"] == category, "item_id"].tolist()
        return warehouse.fetch(table.filter(table.item_id.isin(ids)))

    @cached_property
    def frequency(self) -> FrequencyCurve:
        """The response curve of campaigns a month."""
        rooms = self._rooms
        return frequency_curve(rooms.exposures, rooms.redemptions, rooms.purchases, rooms.warehouse.as_of)

    @cached_property
    def reviews(self) -> Reviews:
        """What customers say in reviews."""
        return Reviews(self._rooms.warehouse, self._rooms.items)
