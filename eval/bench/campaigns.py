"""Campaign measurement on a real randomised test, against the plain comparison, in one run.

    python -m eval.bench.campaigns [--data FILE] [--runs 2000]

Hillstrom's e-mail test (64,000 customers, three arms): the effect of each mailing on visits and spend as
the measurement tells it, the gain of the adjustment over the plain interval (ratio of variances), the
coverage of both intervals when the test is run anew on resampled halves of the untouched arm with a
planted effect, and the false alarms of daily looks with and without the spending rule.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from campaigns.effects import adjusted, difference_of_means
from campaigns.measure import measure
from campaigns.monitor import look_alpha

DATA = Path(__file__).parents[3] / "shared" / "data" / "hillstrom" / "hillstrom.csv.gz"
ARMS = {"Mens E-Mail": "men's", "Womens E-Mail": "women's"}
PUBLISHED = {"Mens E-Mail": 0.0766, "Womens E-Mail": 0.0452}
"""Visits against nobody mailed, from MineThatData's tables."""
COVARIATES = ("history", "recency", "mens", "womens", "newbie")
PLANTED = 0.05
SEED = 17


def effects(data: pd.DataFrame, console: Console) -> None:
    """Visits and spend of both mailings, plain and adjusted."""
    table = Table(
        "mailing", "outcome", "published", "plain", "adjusted", "variance left", "ratio of the arms p"
    )
    for arm, name in ARMS.items():
        two = data[data["segment"].isin([arm, "No E-Mail"])]
        for outcome in ("visit", "spend"):
            frame = pd.DataFrame({"arm": np.where(two["segment"] == arm, "contact", "holdout")})
            frame["outcome"] = two[outcome].to_numpy(float)
            for column in COVARIATES:
                frame[f"before_{column}"] = two[column].to_numpy(float)
            found = measure(frame, kind="share" if outcome == "visit" else "mean", holdout_share=0.5)
            assert found.ratio is not None
            assert found.variance_left is not None
            published = f"{PUBLISHED[arm]:.4f}" if outcome == "visit" else "–"
            table.add_row(
                name,
                outcome,
                published,
                *(f"{e.difference:.4f} ({e.low:.4f} – {e.high:.4f})" for e in (found.plain, found.primary)),
                f"{found.variance_left:.3f}",
                f"{found.ratio.p_value:.2f}",
            )
    console.print(table)


def coverage(data: pd.DataFrame, runs: int, console: Console) -> None:
    """How often 95 % intervals hold a planted effect, in tests resampled from customers nobody mailed."""
    quiet = data[data["segment"] == "No E-Mail"]
    visit, before = quiet["visit"].to_numpy(float), quiet[list(COVARIATES)].to_numpy(float)
    random = np.random.default_rng(SEED)
    hits, widths = np.zeros(2), np.zeros(2)
    for _ in range(runs):
        places = random.integers(0, len(visit), 2000)
        treated = random.permutation(2000) < 1000
        outcome = visit[places] + PLANTED * treated
        clean, _ = adjusted(outcome, before[places], treated)
        for i, values in enumerate((outcome, clean)):
            effect = difference_of_means(values[treated], values[~treated])
            hits[i] += effect.low <= PLANTED <= effect.high
            widths[i] += effect.high - effect.low
    error = 1.96 * (0.95 * 0.05 / runs) ** 0.5
    table = Table("interval", f"coverage of 95 % (± {error:.3f})", "width against plain")
    for name, hit, width in zip(
        ("plain (Welch)", "adjusted (CUPED)"), hits / runs, widths / widths[0], strict=True
    ):
        table.add_row(name, f"{hit:.3f}", f"{width:.3f}")
    console.print(table)


def looks(runs: int, console: Console) -> None:
    """False alarms when nothing happens and somebody looks every day of 30."""
    random = np.random.default_rng(SEED)
    alarms = np.zeros(2)
    for _ in range(runs):
        rate = random.gamma(0.5, 2.0, (200, 1))
        spend = random.poisson(rate, (200, 30)).cumsum(axis=1)
        treated = random.permutation(200) < 100
        p = [difference_of_means(spend[treated, d], spend[~treated, d]).p_value for d in range(30)]
        shares = [(d + 1) / 30 for d in range(30)]
        spend_rule = [look_alpha(share, shares[:d], 0.05) for d, share in enumerate(shares)]
        alarms += [any(x < 0.05 for x in p), any(x < a for x, a in zip(p, spend_rule, strict=True))]
    table = Table("daily looks", "false alarms (0.05 promised)")
    table.add_row("plain p-values (baseline)", f"{alarms[0] / runs:.3f}")
    table.add_row("alpha spending", f"{alarms[1] / runs:.3f}")
    console.print(table)


def main() -> None:
    """Run all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--runs", type=int, default=2000)
    given = parser.parse_args()
    console = Console(width=150)
    data = pd.read_csv(given.data)
    effects(data, console)
    coverage(data, given.runs, console)
    looks(max(100, given.runs // 10), console)


if __name__ == "__main__":
    main()
