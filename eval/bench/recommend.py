"""Next best products and categories on days not seen: every ranker against popularity and item-kNN.

    python -m eval.bench.recommend [--workspace DIR]

Lists are made from what was bought before a cut and scored on the 30 days after it: recall@20 and NDCG@10,
once of what the customer had not bought in the 30 days before ('new', what a recommendation is for), once
of everything they bought ('all'). The last 30 days are the test; the 30 days before them are what a method
may be chosen by. Intervals (95 %) are by bootstrap over customers.
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from assistant.workspace import DEFAULT, open_workspace
from insights.ranking_test import NAMES, RankingTest, evaluate
from warehouse.store import Warehouse

TARGET = 1.3
"""Times popularity, and at least item-kNN, as the issue asks."""


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, default=DEFAULT)
    workspace = open_workspace(parser.parse_args().workspace)
    warehouse = Warehouse(workspace.warehouse)
    purchases = warehouse.events("purchase", "customer_id", "item_id", "ts")
    items = warehouse.fetch(warehouse.table("items"))
    members, excluded = sorted(purchases["customer_id"].unique()), workspace.settings.exclude_categories
    earlier = warehouse.as_of - timedelta(days=30)
    console = Console(width=120)
    for level in ("product", "category"):
        chosen = evaluate(members, purchases, items, earlier, level, exclude=excluded).best.method
        for repeats in (False, True):
            test = evaluate(
                members, purchases, items, warehouse.as_of, level, exclude=excluded, repeats=repeats
            )
            console.print(_table(test, chosen))
            ours, knn = test.score(chosen), test.score("item_knn")
            for name, ratio, against in (
                ("recall@20", ours.recall_ratio, ours.recall / knn.recall),
                ("NDCG@10", ours.ndcg_ratio, ours.ndcg / knn.ndcg),
            ):
                met = "met" if ratio >= TARGET and against >= 1 else "MISSED"
                console.print(
                    f"{name} of {NAMES[chosen][0]}: {ratio:.2f}x popularity (target {TARGET}), "
                    f"{against:.2f}x item-kNN (target 1): {met}"
                )


def _table(test: RankingTest, chosen: str) -> Table:
    kind = "all they bought" if test.repeats else "new to them"
    table = Table(title=f"{test.level}, {kind}; cut {test.cut}, {test.customers} customers")
    for name in ("method", "recall@20 (95 %)", "x popularity", "NDCG@10 (95 %)", "x popularity"):
        table.add_column(name)
    for s in test.scores:
        name = NAMES[s.method][0] + (" (chosen before)" if s.method == chosen else "")
        cells = (
            (s.recall, s.recall_interval, 4),
            (s.recall_ratio, s.recall_ratio_interval, 2),
            (s.ndcg, s.ndcg_interval, 4),
            (s.ndcg_ratio, s.ndcg_ratio_interval, 2),
        )
        table.add_row(name, *(f"{v:.{d}f} ({low:.{d}f}-{high:.{d}f})" for v, (low, high), d in cells))
    return table


if __name__ == "__main__":
    main()
