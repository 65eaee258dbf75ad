"""Natural segments of all customers, found by behaviour, as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexes.clusters import discover
from segments.codec import to_json
from segments.definition import InCluster
from segments.ports import Evidence, Figure

if TYPE_CHECKING:
    from assistant.rooms import Rooms


def discover_segments(rooms: Rooms, k: int | None) -> Evidence:
    """Natural segments as evidence; the discovery is kept, so that a definition may name its clusters."""
    events, items = rooms.warehouse.table("events"), rooms.warehouse.table("items")
    bought = events.filter(events.type == "purchase").inner_join(items, "item_id")
    excluded = list(rooms.workspace.settings.exclude_categories)
    if excluded:  # coupons and deposits are nobody's taste
        bought = bought.filter(bought.category.isnull() | ~bought.category.isin(excluded))
    spend = bought.group_by("customer_id", "category").aggregate(value=bought.value.sum())
    currency = rooms.workspace.settings.currency
    found = discover(rooms.index, rooms.warehouse.features(), rooms.warehouse.fetch(spend), k, currency)
    version = rooms.discoveries.keep(found, rooms.index.as_of)
    figures: list[Figure] = [
        Figure("segments", len(found.clusters), "count", "natural segments", "自然分群数"),
        Figure(
            "silhouette",
            round(found.silhouette, 3),
            "ratio",
            "silhouette (separation, -1 to 1)",
            "轮廓系数",
        ),
        Figure(
            "stability",
            round(found.stability, 2),
            "ratio",
            "agreement under resampling (1: the same)",
            "重抽样一致性",
        ),
    ]
    rows = []
    for cluster in found.clusters:
        number = cluster.number
        figures.append(
            Figure(
                f"size_{number}",
                cluster.size,
                "customers",
                f"{number}. {cluster.name_en}",
                f"{number}. {cluster.name_zh}",
            )
        )
        rows.append(
            {
                "number": number,
                "name": cluster.name_en,
                "name_zh": cluster.name_zh,
                "size": cluster.size,
                "share": round(cluster.share, 4),
                "persona": cluster.persona_en,
                "persona_zh": cluster.persona_zh,
                "definition": to_json(InCluster(version, number)),
                "categories": [{"category": c, "index": round(i, 2)} for c, i in cluster.categories],
            }
        )
    why, dense = found.reason, found.density.reason
    notes = (str(why), why.zh, str(dense), dense.zh)
    return Evidence("", "discover_segments", tuple(figures), tuple(rows), notes)
