"""Learners of uplift on Hillstrom's randomised e-mail test, against the published figure and each other.

    python -m eval.bench.uplift [--data DIR]

Women's e-mail against none, outcome: a visit within two weeks. Every customer is scored by models that were not
fitted on them (five folds); intervals are bootstraps over customers.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from propensity.uplift.learners import LEARNERS, Study
from propensity.uplift.measure import Estimate, measure
from propensity.uplift.study import cross_fitted

PUBLISHED = {"uplift@30 %": 0.068, "Qini": 0.056}
ARMS = {"Womens E-Mail": 1, "No E-Mail": 0}
COLUMNS = ["recency", "history", "mens", "womens", "newbie"]


def hillstrom(folder: Path) -> Study:
    """Women's e-mail against none."""
    data = pd.read_csv(folder / "hillstrom" / "hillstrom.csv.gz")
    data = data[data["segment"].isin(ARMS)]
    kinds = pd.get_dummies(data[["zip_code", "channel"]])
    features = np.column_stack([data[COLUMNS].to_numpy(), kinds.to_numpy()]).astype("float32")
    treated = data["segment"].map(ARMS).to_numpy()
    return Study(features, treated, data["visit"].to_numpy(), np.full(len(data), treated.mean()))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    study = hillstrom(parser.parse_args().data)
    table = Table(title=f"{len(study.treated):,} customers; published: {PUBLISHED}")
    for name in ("learner", "uplift@30 %", "of published", "Qini", "of published", "AUUC", "seconds"):
        table.add_column(name)
    for name, learner in LEARNERS.items():
        began = time.perf_counter()
        effects = cross_fitted(study, learner)
        seconds = time.perf_counter() - began
        found = measure(effects, study.treated, study.response, np.ones(len(effects)))
        table.add_row(
            name,
            _shown(found.top_uplift),
            f"{found.top_uplift.value / PUBLISHED['uplift@30 %']:.2f}",
            _shown(found.qini),
            f"{found.qini.value / PUBLISHED['Qini']:.2f}",
            _shown(found.auuc),
            f"{seconds:.1f}",
        )
    Console(width=150).print(table)


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} ({estimate.low:.3f} to {estimate.high:.3f})"


if __name__ == "__main__":
    main()
