"""Who is contacted and who is held out: by hash, stratified and stable, and the checks that it holds.

The hash of a campaign's salt and the customer's id orders the customers of a stratum; nothing else
decides, so the same campaign gives the same arms on every machine and another campaign gives arms that
have nothing to do with them (Kohavi, Tang and Xu 2020, Trustworthy Online Controlled Experiments,
chapter 4).
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy.stats import binomtest, chisquare

from campaigns.effects import difference_of_means
from segments.errors import DefinitionError

Arm = Literal["contact", "holdout"]
ARMS: tuple[Arm, ...] = get_args(Arm)
BANDS = 3
MISMATCH = 0.001
"""A ratio of arms less likely than this is no accident (Kohavi, Tang and Xu 2020, chapter 21)."""


def bands_of(value: pd.Series, recency: pd.Series, bands: int = BANDS) -> pd.Series:
    """Stratum by customer_id: 'value v, recency r', each band 1 (lowest) to `bands` of equal size.

    value: currency; recency: days. Ties are split in the order of the ids, a missing recency counts as
    the longest, a missing value as 0.
    """
    table = pd.DataFrame({"value": value.fillna(0.0), "recency": recency.fillna(np.inf)}).sort_index()
    ranks = table.rank(method="first").sub(1).mul(bands).floordiv(max(1, len(table))).add(1).astype(int)
    names = "value " + ranks["value"].astype("str") + ", recency " + ranks["recency"].astype("str")
    return names.reindex(value.index)


def assign(
    strata: Mapping[str, Hashable] | pd.Series,
    holdout_share: float,
    salt: str,
    fixed: Mapping[str, str] | None = None,
) -> pd.Series:
    """Arm ('contact' or 'holdout') by customer_id.

    strata: customer_id -> stratum. The counts differ from the share by less than one in each stratum and
    in all. fixed: arms that are given already and stay (customers of an experiment that is extended);
    they count toward the share of their stratum. Raises DefinitionError for a share outside [0, 1).
    """
    if not 0 <= holdout_share < 1:
        raise DefinitionError(
            f"The holdout share must be at least 0 and below 1, not {holdout_share}.",
            f"对照比例至少为0且小于1，而给的是{holdout_share}。",
        )
    table = pd.DataFrame({"stratum": pd.Series(strata).astype("str")})
    kept = pd.Series(dict(fixed or {}), dtype=object).reindex(table.index)
    table["kept"] = kept.eq("holdout").where(kept.notna(), None)
    table["order"] = [hashlib.sha256(f"{salt}:{customer}".encode()).hexdigest() for customer in table.index]
    table = table.sort_values(["stratum", "order"])
    sizes = table.groupby("stratum", sort=True).size()
    bounds = np.floor(sizes.to_numpy().cumsum() * holdout_share + 0.5).astype(int)
    wanted = pd.Series(np.diff(bounds, prepend=0), index=sizes.index)
    held_already = table["kept"].eq(True).groupby(table["stratum"]).sum()
    new = table[table["kept"].isna()]
    place = new.groupby("stratum").cumcount()
    held = place < new["stratum"].map(wanted - held_already.reindex(wanted.index, fill_value=0))
    table.loc[new.index, "kept"] = held
    arms = pd.Series(
        np.where(table["kept"].astype(bool), "holdout", "contact"), index=table.index, name="arm"
    )
    return arms.reindex(pd.Series(strata).index)


@dataclass(frozen=True)
class SampleRatio:
    """Customers of each arm whose outcome arrived, and how likely such a ratio is by chance."""

    contact: int
    holdout: int
    holdout_share: float
    p_value: float

    @property
    def mismatch(self) -> bool:
        """Whether the arms lost customers unequally: the comparison is then not to be trusted."""
        return self.p_value < MISMATCH


def sample_ratio(contact: int, holdout: int, holdout_share: float) -> SampleRatio:
    """Chi-square test of the counts against the share that was assigned (0 < share < 1)."""
    total = contact + holdout
    expected = [total * (1 - holdout_share), total * holdout_share]
    return SampleRatio(contact, holdout, holdout_share, float(chisquare([contact, holdout], expected).pvalue))


@dataclass(frozen=True)
class AACheck:
    """How often a comparison of arms that were treated alike claims a difference.

    rate: false alarms over runs, with a 99 % Clopper-Pearson interval; it should hold `alpha`.
    """

    runs: int
    false_alarms: int
    alpha: float
    low: float
    high: float

    @property
    def rate(self) -> float:
        """False alarms over runs."""
        return self.false_alarms / self.runs

    @property
    def passed(self) -> bool:
        """Whether the rate is no higher than promised: too few alarms only cost power."""
        return self.low <= self.alpha


def aa_check(
    before: pd.Series,
    strata: pd.Series,
    holdout_share: float,
    salt: str,
    *,
    runs: int = 200,
    alpha: float = 0.05,
) -> AACheck:
    """Assign `runs` times with other salts and compare what happened before, when nobody was treated.

    before: metric of the time before the campaign by customer_id, as `strata`. Raises DefinitionError
    when either arm would have fewer than 2 customers.
    """
    values = before.reindex(strata.index).fillna(0.0).to_numpy(float)
    alarms = 0
    for run in range(runs):
        held = (assign(strata, holdout_share, f"{salt}:aa:{run}") == "holdout").to_numpy()
        if min(held.sum(), (~held).sum()) < 2:
            raise DefinitionError(
                f"A holdout share of {holdout_share} leaves an arm with fewer than 2 customers.",
                f"对照比例{holdout_share}会使某一组不足2名客户。",
            )
        alarms += difference_of_means(values[~held], values[held]).p_value < alpha
    low, high = binomtest(alarms, runs).proportion_ci(0.99)
    return AACheck(runs, alarms, alpha, float(low), float(high))
