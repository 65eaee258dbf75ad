"""Bodies of the tools that ask about goods, orders and campaigns rather than about a segment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, cast

from assistant.reviews import scorer_figures
from insights import frequency, placement
from insights.demand import store_key
from insights.signals import Kind
from segments.errors import DefinitionError
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms

KINDS = ("customer", "order", "coupon")
OF_A_PERSON = ("customer", "order")
"""Kinds of which one is one person's."""


def together(rooms: Rooms, members: Sequence[str] | None, categories: Sequence[str]) -> Evidence:
    """Rules of what is bought together."""
    found = rooms.market.together(members, categories)
    return Evidence("", "bought_together", found.figures(), tuple(found.rows()))


def products(rooms: Rooms, members: Sequence[str]) -> tuple[Evidence, Evidence]:
    """Next best products, and how such lists did on days not seen."""
    found, test = rooms.market.products(members), rooms.market.ranking
    return (
        Evidence("", "recommend_items", found.figures(), tuple(found.rows())),
        Evidence("", "ranking_test", test.figures(), tuple(test.rows())),
    )


def demand(rooms: Rooms, category: str, store: str | None, stock: float | None) -> Evidence:
    """Demand of a category, everywhere or in a store."""
    model = rooms.market.demand(store)
    found = model.demand(category if store is None else store_key(category, store), stock)
    named = Figure("key", found.key, "text", "series", "序列")
    return Evidence(
        "", "forecast_demand", (named, *found.figures(), *model.test_figures()), tuple(found.rows())
    )


def anomalies(rooms: Rooms, kind: str) -> Evidence:
    """How many customers, orders or coupons are odd and why, and the oddest coupons.

    A customer or an order is a single person's: of these nobody hears which they are, or what is odd of one; few are not
    counted.
    """
    found = rooms.market.anomalies(_known(kind))
    smallest = rooms.disclosure.k
    figures = tuple(
        replace(figure, value=f"<{smallest}")
        if kind in OF_A_PERSON and isinstance(figure.value, int) and 0 < figure.value < smallest
        else figure
        for figure in found.figures()
    )
    return Evidence("", "find_anomalies", figures, () if kind in OF_A_PERSON else tuple(found.rows()))


def export_anomalies(rooms: Rooms, kind: str) -> Evidence:
    """The oddest customers (by the source's own ids), orders or coupons with their reasons, for who may export them."""
    found = rooms.market.anomalies(_known(kind))
    rows = found.rows()
    if kind == "customer":
        # Whoever is past the retention period has no id of the source any more.
        kept = [row for row in rows if row["id"] in rooms.vault]
        ids = rooms.vault.source_ids([row["id"] for row in kept])
        rows = [row | {"id": own} for row, own in zip(kept, ids, strict=True)]
    return Evidence("", "export_anomalies", found.figures(), tuple(rows))


def _known(kind: str) -> Kind:
    if kind not in KINDS:
        raise DefinitionError(
            f"kind: '{kind}' is not known; give one of {', '.join(KINDS)}.",
            f"kind：不认识“{kind}”；请给出{'、'.join(KINDS)}之一。",
        )
    return cast(Kind, kind)


def placement_effect(rooms: Rooms, category: str) -> tuple[Evidence, ...]:
    """Display and mailer effects in a category, of single displays where known, with the warning that they are observed."""
    found, apart = rooms.market.placement(category), rooms.market.positions(category)
    named = Figure("category", category, "text", "category", "品类")
    whole = Evidence(
        "", "placement_effect", (named, *found.figures()), tuple(found.rows()), placement.WARNING
    )
    if apart is None or not apart.effects:
        return (whole,)
    return whole, Evidence("", "display_positions", apart.figures(), tuple(apart.rows()))


def review_sentiment(
    rooms: Rooms, members: Sequence[str] | None, goods: Sequence[str]
) -> tuple[Evidence, ...]:
    """What reviews say, of goods or of everything; the items that fall behind; what the language model made of some."""
    reviews = rooms.market.reviews
    told, read = reviews.told(goods, members, rooms.disclosure.k)
    named = Figure("goods", ", ".join(goods), "text", "goods", "商品")
    figures = (named, *told.figures(), *scorer_figures(reviews.about))
    found = [Evidence("", "review_sentiment", figures, tuple(told.rows()))]
    if told.items:
        rows = tuple(asdict(item) | {"name": reviews.name_of(item.item_id)} for item in told.items)
        praise = (
            Figure(
                f"{item.item_id}.praise",
                item.praise,
                "share",
                "praise",
                "好评占比",
                item.low,
                item.high,
                0.95,
            )
            for item in told.items
        )
        counts = (
            Figure(f"{item.item_id}.reviews", item.reviews, "count", "reviews", "评论数")
            for item in told.items
        )
        found.append(Evidence("", "reviewed_items", (*praise, *counts), rows))
    if read is not None:
        found.append(Evidence("", "reviews_read", read.figures(), tuple(read.rows())))
    return tuple(found)


def mail_frequency(rooms: Rooms) -> Evidence:
    """The response curve of campaigns a month, with the warning that it is observed."""
    found = rooms.market.frequency
    capped = Figure("capped", str(found.capped), "text", "whether a cap shows", "是否出现上限")
    return Evidence("", "mail_frequency", (*found.figures(), capped), tuple(found.rows()), frequency.WARNING)
