"""Experiments from assignment to verdict: planted effects, a real randomised test, a real observed campaign."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from campaigns.assign import bands_of
from campaigns.experiment import Experiment, make_experiment
from campaigns.measure import Measurement, measure, past_campaign, read_experiment
from campaigns.verdict import tell
from segments.errors import DataError, DefinitionError

if TYPE_CHECKING:
    from tests.campaigns.conftest import Slice

HILLSTROM = Path(__file__).parents[3] / "shared" / "data" / "hillstrom" / "hillstrom.csv.gz"
START = date(2024, 3, 1)


@pytest.fixture(scope="module")
def hillstrom() -> pd.DataFrame:
    if not HILLSTROM.exists():
        pytest.skip("shared/data/hillstrom is not here")
    return pd.read_csv(HILLSTROM)


def arms_of(table: pd.DataFrame, treatment: str, outcome: str) -> pd.DataFrame:
    two = table[table["segment"].isin([f"{treatment} E-Mail", "No E-Mail"])]
    return pd.DataFrame(
        {
            "arm": np.where(two["segment"] == "No E-Mail", "holdout", "contact"),
            "outcome": two[outcome].astype(float),
            "before": two["history"],
            "stratum": two["history_segment"],
        }
    )


def effect_of(treatment: str, table: pd.DataFrame) -> Measurement:
    return measure(arms_of(table, treatment, "visit"), kind="share", holdout_share=0.5)


def test_hillstrom_visits_are_those_published(hillstrom: pd.DataFrame) -> None:
    # MineThatData's own figures: visits 18.28 % of men's, 15.14 % of women's, 10.62 % of nobody mailed.
    for treatment, mean, points in (("Mens", 0.1828, 0.0766), ("Womens", 0.1514, 0.0452)):
        found = effect_of(treatment, hillstrom)
        assert found.plain.mean_contact == pytest.approx(mean, abs=5e-5)
        assert found.plain.difference == pytest.approx(points, abs=5e-5)
        assert found.primary.low < points < found.primary.high
        assert found.primary.difference == pytest.approx(points, abs=0.001)
        assert found.verdict == "gain"
        assert found.ratio is not None
        assert not found.ratio.mismatch
        assert abs(found.imbalance or 0) < 0.03, "it was randomised"
        assert found.variance_left is not None
        assert 0.98 < found.variance_left < 1
        assert len(found.strata) == hillstrom["history_segment"].nunique() == 7


def test_hillstrom_between_its_two_untouched_halves_finds_nothing(hillstrom: pd.DataFrame) -> None:
    quiet = hillstrom[hillstrom["segment"] == "No E-Mail"].reset_index(drop=True)
    names = pd.Series("all", index=[f"c{i}" for i in quiet.index])
    arms = [arm for _, arm in make_experiment("aa", START, names, holdout_share=0.5).arms.values()]
    table = pd.DataFrame({"arm": arms, "outcome": quiet["spend"], "before": quiet["history"]})
    found = measure(table, holdout_share=0.5)
    assert found.verdict == "none"
    assert found.primary.p_value > 0.05


def shop(count: int = 900, gain: float = 0.0, seed: int = 5) -> tuple[Experiment, pd.DataFrame]:
    """Customers with habits of their own; those contacted spend `gain` a day more from the start on."""
    random = np.random.default_rng(seed)
    names = [f"c{i:04d}" for i in range(count)]
    habit = random.gamma(1.0, 4.0, count)
    strata = pd.Series(np.where(habit > np.median(habit), "high", "low"), index=names)
    made = make_experiment("spring", START, strata, holdout_share=0.3, contact_cost=0.5, gross_margin=0.25)
    treated = np.array([made.arms[name][1] == "contact" for name in names])
    rows = []
    for day in range(-30, 30):
        spend = random.gamma(2.0, habit / 2 + 1e-9) + gain * treated * (day >= 0)
        moment = pd.Timestamp(START + timedelta(days=day)) + pd.Timedelta(hours=12)
        rows.append(pd.DataFrame({"customer_id": names, "ts": moment, "value": spend}))
    return made, pd.concat(rows, ignore_index=True)


def test_a_planted_effect_is_found_with_its_profit() -> None:
    made, purchases = shop(gain=0.4)
    found = read_experiment(made, purchases, made.end)
    assert found.final
    assert found.verdict == "gain"
    assert found.primary.low < 12 < found.primary.high, "30 days at 0.4 a day"
    assert found.variance_left is not None
    assert found.variance_left < 0.2, "spend is mostly habit, which is known"
    plain, better = found.plain, found.primary
    assert better.high - better.low < 0.6 * (plain.high - plain.low)
    assert found.profit is not None
    assert found.profit[0] == pytest.approx((better.difference * 0.25 - 0.5) * better.contact)
    assert found.heterogeneity > 0.01, "everybody gained alike"


def test_no_effect_is_told_with_what_would_have_been_found() -> None:
    made, purchases = shop(gain=0.0)
    found = read_experiment(made, purchases, made.end)
    assert found.verdict == "none"
    assert "No difference was found" in tell(found, "en")
    assert "4 times in 5" in tell(found, "en")


def test_early_looks_are_wider_noted_and_refused_when_hopeless() -> None:
    made, purchases = shop(gain=0.4)
    with pytest.raises(DefinitionError, match="nothing to measure yet"):
        read_experiment(made, purchases, START)
    with pytest.raises(DefinitionError, match=r"too early.*from day 5 on"):
        read_experiment(made, purchases, START + timedelta(days=2))
    early = read_experiment(made, purchases, START + timedelta(days=15))
    assert not early.final
    assert early.primary.level > 0.99
    assert "early look on day 15" in tell(early, "en")
    made = made.looked(START + timedelta(days=15)).looked(START + timedelta(days=15))
    assert made.looks == (START + timedelta(days=15),)
    final = read_experiment(made, purchases, made.end + timedelta(days=300))
    assert 0.95 < final.primary.level < 0.96, "the look has cost a little"
    assert final.days == 30


def test_a_lopsided_loss_of_customers_forbids_a_verdict() -> None:
    table = pd.DataFrame(
        {"arm": ["contact"] * 600 + ["holdout"] * 150, "outcome": np.r_[np.ones(600), np.zeros(150)]}
    )
    found = measure(table, holdout_share=0.3)
    assert found.verdict == "mismatch"
    assert "Do not trust" in tell(found, "en")
    assert "不可信" in tell(found, "zh")
    assert "revenue" not in tell(found, "en")


def test_every_number_of_the_words_is_a_figure_and_chinese_is_written_as_chinese() -> None:
    made, purchases = shop(gain=0.4)
    for moment in (made.end, START + timedelta(days=15)):
        found = read_experiment(made, purchases, moment)
        figures = [
            x
            for f in found.figures()
            for x in (f.value, f.low, f.high, f.level)
            if isinstance(x, int | float)
        ]
        known = {f"{abs(x):,.{digits}f}" for x in figures for digits in (0, 2, 3)}
        known |= {f"{abs(x):.{digits}%}".rstrip("%") for x in figures for digits in (0, 1)}
        for language in ("en", "zh"):
            words = tell(found, language, "€")
            assert "€" in words
            numbers = set(re.findall(r"\d(?:[\d,]*\d)?(?:\.\d+)?", words)) - {"4", "5"}
            assert numbers <= known, (language, numbers - known)
        assert not re.search(r"[一-鿿][,;:()]|[,;:()][一-鿿]", tell(found, "zh"))
    with pytest.raises(DefinitionError, match="'fr'"):
        tell(found, "fr")


def test_bad_tables_are_told_plainly() -> None:
    table = pd.DataFrame({"arm": ["contact"] * 20 + ["holdout"] * 5, "outcome": 1.0})
    with pytest.raises(DataError, match="arm 'holdout': not enough data, 5 customers"):
        measure(table)
    table = pd.DataFrame({"arm": ["contact"] * 20 + ["holdout"] * 20, "outcome": [2.0] * 39 + [np.nan]})
    with pytest.raises(DataError, match="some customers have none"):
        measure(table)
    with pytest.raises(DataError, match="0 or 1"):
        measure(table.fillna(2.0), kind="share")


def test_an_experiment_survives_the_disk(tmp_path: Path) -> None:
    made, _ = shop(60)
    made = made.looked(START + timedelta(days=9))
    file = tmp_path / "spring.json"
    file.write_text(json.dumps(made.to_dict()))
    assert Experiment.from_dict(json.loads(file.read_text())) == made
    with pytest.raises(DataError, match="changed by hand"):
        Experiment.from_dict({"name": "x"})


def test_extending_keeps_every_arm_and_the_share() -> None:
    made, _ = shop(300)
    new = pd.Series(["high", "low"] * 100, index=[f"n{i}" for i in range(200)])
    more = made.extended(new)
    assert {c: more.arms[c] for c in made.arms} == dict(made.arms)
    assert len(more.customers("holdout")) == 150
    exported = more.export_rows()
    assert len(exported) == 500
    assert sum(row["arm"] == "holdout" for row in exported) == 150
    assert {row["customer_id"]: (row["tier"], row["arm"]) for row in exported} == dict(more.arms)


def test_bad_settings_are_told_all_together() -> None:
    strata = pd.Series("all", index=["a", "b", "c"])
    with pytest.raises(DefinitionError, match=r"metric.*horizon_days.*holdout_share"):
        make_experiment("x", START, strata, metric="clicks", horizon_days=0, holdout_share=1.0)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="an arm empty"):
        make_experiment("x", START, strata, holdout_share=0.01)


def test_a_past_campaign_is_told_as_observed(journey: Slice) -> None:
    """Complete Journey's campaign 13, the largest: chosen customers, so no cause may be claimed."""
    start = journey.campaigns.set_index("campaign_id").loc["13", "start"].date()
    reached = set(journey.exposures.loc[journey.exposures["campaign_id"] == "13", "customer_id"])
    strata = bands_of(journey.features["spend_365d"], journey.features["recency_days"])
    found = past_campaign("13", start, 30, reached, strata, journey.purchases, journey.as_of)
    assert not found.randomised
    assert found.ratio is None
    assert found.primary.contact == len(reached & set(strata.index))
    assert (found.imbalance or 0) > 0.5, "those mailed were the better customers before"
    assert found.plain.difference > 2 * found.primary.difference, (
        "most of the plain difference is who they are"
    )
    for language, words in (("en", "not what it caused"), ("zh", "非因果")):
        assert words in tell(found, language)
        assert "profit" not in tell(found, language)
    with pytest.raises(DefinitionError, match="not over"):
        past_campaign("23", date(2017, 12, 28), 30, reached, strata, journey.purchases, journey.as_of)
    with pytest.raises(DefinitionError, match="not enough data"):
        past_campaign("26", date(2017, 1, 5), 30, reached, strata, journey.purchases, journey.as_of)
    json.dumps(found.to_dict())
