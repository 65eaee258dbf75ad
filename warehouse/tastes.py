"""Tastes in the warehouse: how near each item is to each, as columns of items, from which features are computed."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from segments.ports import Progress, silent
from segments.tastes import Taste, to_json
from warehouse.connection import connect
from warehouse.store import FILE, Warehouse, replacing, write_features
from warehouse.write import read_meta, write_meta

PREFIX = "taste_"


def write_tastes(
    folder: Path, tastes: Sequence[Taste], near: pd.DataFrame, progress: Progress = silent
) -> None:
    """Keep these tastes, in the place of those before, and compute the feature mart with them.

    near: item_id and each taste's `column`, cosines.
    """
    with replacing(folder / FILE) as partial:
        progress(0.0, "copying the warehouse")
        shutil.copyfile(folder / FILE, partial)
        with connect(partial) as connection:
            before = [row[0] for row in connection.execute("DESCRIBE items").fetchall()]
            for column in before:
                if column.startswith(PREFIX):
                    connection.execute(f'ALTER TABLE items DROP COLUMN "{column}"')
            if tastes:
                connection.register("arriving", near[["item_id", *(taste.column for taste in tastes)]])
                connection.execute(
                    "CREATE OR REPLACE TABLE items AS SELECT i.*, n.* EXCLUDE (item_id) FROM items i "
                    "LEFT JOIN arriving n USING (item_id) ORDER BY item_id"
                )
                connection.unregister("arriving")
            write_meta(connection, read_meta(connection) | {"tastes": [to_json(taste) for taste in tastes]})
        progress(0.3, "computing the feature mart")
        write_features(partial)
    progress(1.0, "done")


@dataclass(frozen=True)
class Nearest:
    """A taste's items: how many are near enough to count, the nearest, and the nearest of those that do not count."""

    taste: Taste
    items: int
    within: tuple[str, ...]
    beyond: tuple[str, ...]


def nearest(warehouse: Warehouse, taste: Taste, show: int = 5) -> Nearest:
    """What a taste's threshold lets in and what it leaves out, by kinds of item ('department | category | name')."""
    items = warehouse.fetch(warehouse.table("items"))
    texts = items[["department", "category", "name"]].fillna("").agg(" | ".join, axis=1)
    cosines = items[taste.column].fillna(-1.0)
    kinds = cosines.groupby(texts).max().sort_values(ascending=False, kind="stable")
    counting = kinds >= taste.near
    return Nearest(
        taste,
        int((cosines >= taste.near).sum()),
        tuple(kinds[counting].index[:show]),
        tuple(kinds[~counting].index[:show]),
    )
