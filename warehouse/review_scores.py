"""What reviews say, in the warehouse: of each review and aspect how likely it is praise, and what told so."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from segments.ports import Progress, silent
from warehouse.connection import connect
from warehouse.store import FILE, replacing
from warehouse.write import read_meta, write_meta


def write_scores(
    folder: Path, scores: pd.DataFrame, about: Mapping[str, Any], progress: Progress = silent
) -> None:
    """Keep what reviews say, in the place of what was kept before.

    scores: review, aspect, praise (0..1), scorer. about: how they were made, as JSON takes it.
    """
    with replacing(folder / FILE) as partial:
        progress(0.0, "copying the warehouse")
        shutil.copyfile(folder / FILE, partial)
        with connect(partial) as connection:
            connection.register("arriving", scores)
            connection.execute(
                "CREATE OR REPLACE TABLE review_scores AS SELECT review, r.customer_id, r.ts, r.item_id, n.aspect, "
                "n.praise, n.scorer FROM arriving n JOIN reviews r USING (review) ORDER BY r.item_id, n.aspect, review"
            )
            connection.unregister("arriving")
            write_meta(connection, read_meta(connection) | {"reviews": dict(about)})
            # Else it may wait in the log beside the file, which does not move with it.
            connection.execute("CHECKPOINT")
    progress(1.0, "done")
