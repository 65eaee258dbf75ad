"""Uplift: planted effects are found, figures are scikit-uplift's, and targeting is never called causal."""

import importlib
import warnings

import numpy as np
import pandas as pd
import pytest

from eval.bench.uplift import PUBLISHED, hillstrom
from propensity.uplift.learners import LEARNERS, Study, treatment_weights
from propensity.uplift.measure import measure, policy_value
from propensity.uplift.study import GROUPS, cross_fitted, group_of, group_shares, study_campaign
from segments.errors import DataError
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared" / "data"
COUNT = 6000


def planted(seed: int = 3, targeted: float = 0.0, count: int = COUNT) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers with columns a..e, and their true effects: `a` says who is persuaded and who is put off.

    targeted: how strongly treatment follows `b`, which also makes customers respond anyway.
    """
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(count, 5)), columns=list("abcde"))
    frame.index = pd.Index([f"c{i}" for i in range(count)], name="customer_id")
    effect = np.where(frame["a"] > 0.5, 0.3, np.where(frame["a"] < -1.0, -0.2, 0.0))
    untreated = 1 / (1 + np.exp(-frame["b"])) * 0.5 + 0.2
    chance = 1 / (1 + np.exp(-targeted * frame["b"]))
    frame["treated"] = (random.random(count) < chance).astype(int)
    answer = np.clip(untreated + effect * frame["treated"], 0, 1)
    frame["response"] = (random.random(count) < answer).astype(int)
    return frame, effect


def as_study(frame: pd.DataFrame) -> Study:
    features = frame[list("abcde")].to_numpy(dtype="float32")
    treated = frame["treated"].to_numpy()
    return Study(features, treated, frame["response"].to_numpy(), np.full(len(frame), treated.mean()))


@pytest.fixture(scope="module")
def randomised():
    frame, effect = planted()
    return (
        frame,
        effect,
        study_campaign(
            frame[list("abcde")], frame["treated"], frame["response"], frame[list("abcde")], randomised=True
        ),
    )


@pytest.fixture(scope="module")
def targeted():
    frame, effect = planted(targeted=1.5)
    return (
        frame,
        effect,
        study_campaign(frame[list("abcde")], frame["treated"], frame["response"], frame[list("abcde")]),
    )


@pytest.mark.parametrize("name", LEARNERS)
def test_every_learner_finds_planted_effects_on_customers_it_did_not_see(name):
    frame, effect = planted()
    study = as_study(frame)
    effects = cross_fitted(study, LEARNERS[name])
    assert np.corrcoef(effects, effect)[0, 1] > 0.6
    found = measure(effects, study.treated, study.response, treatment_weights(study))
    assert found.qini.low > 0
    assert 0.2 < found.top_uplift.value < 0.35, "the top 31 % are the persuadable, planted at 0.3"


def test_scores_without_meaning_measure_nothing():
    frame, _ = planted()
    study = as_study(frame)
    noise = np.random.default_rng(0).normal(size=COUNT)
    found = measure(noise, study.treated, study.response, np.ones(COUNT))
    assert found.qini.low < 0 < found.qini.high
    assert found.auuc.low < 0 < found.auuc.high


def test_figures_are_those_of_scikit_uplift_ties_too():
    pytest.importorskip("sklift")
    metrics = importlib.import_module("sklift.metrics")
    frame, effect = planted()
    study = as_study(frame)
    noisy = effect + np.random.default_rng(1).normal(scale=0.1, size=COUNT)
    for scores in (noisy, np.round(noisy, 1)):
        found = measure(scores, study.treated, study.response, np.ones(COUNT))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            qini = metrics.qini_auc_score(study.response, scores, study.treated)
            auuc = metrics.uplift_auc_score(study.response, scores, study.treated)
        assert found.qini.value == pytest.approx(qini, abs=1e-9)
        assert found.auuc.value == pytest.approx(auuc, abs=1e-9)
    top = metrics.uplift_at_k(study.response, noisy, study.treated, strategy="overall", k=0.3)
    assert measure(noisy, study.treated, study.response, np.ones(COUNT)).top_uplift.value == pytest.approx(
        top, abs=1e-4
    )


def test_a_policy_is_worth_what_was_planted():
    frame, effect = planted(count=40_000)
    study = as_study(frame)
    found = policy_value(effect, study.treated, study.response, np.ones(len(effect)))
    gain = np.clip(effect, 0, None).mean()
    assert found.treated_share == pytest.approx((effect > 0).mean())
    assert found.gain.low < gain < found.gain.high
    assert found.everyone.low < effect.mean() < found.everyone.high
    assert found.over_everyone.low > 0, "leaving out those who are put off pays"
    dear = policy_value(effect, study.treated, study.response, np.ones(len(effect)), value=10, cost=5)
    assert dear.treated_share == 0
    assert dear.gain.value == 0


def test_a_study_tells_what_treating_only_those_who_pay_is_worth(randomised):
    _, effect, found = randomised
    best = np.clip(effect, 0, None).mean()
    assert effect.mean() < found.policy.gain.value < best + 0.02
    assert found.policy.everyone.value == pytest.approx(found.measures.average.value, abs=0.01)
    assert found.policy.over_everyone.low > 0


def test_responding_because_of_it_is_separated_from_responding_anyway(randomised):
    frame, effect, found = randomised
    shares = group_shares(found.customers)
    assert tuple(shares) == GROUPS
    assert np.allclose(shares.sum(axis=1), 1)
    assert shares["persuadable"].mean() == pytest.approx(np.clip(effect, 0, None).mean(), abs=0.03)
    groups = group_of(found.customers)
    assert (groups[effect == 0.3] == "persuadable").mean() > 0.9
    assert (groups[effect == -0.2] == "do_not_disturb").mean() > 0.7
    anyway = found.customers["untreated"].rank(pct=True)
    assert anyway[frame["b"] > 1].mean() > 0.75


def test_a_randomised_test_is_causal_and_a_targeted_campaign_never_is(randomised, targeted):
    assert randomised[2].balance.causal
    assert randomised[2].balance.targeting_auc == pytest.approx(0.5, abs=0.03)
    balance = targeted[2].balance
    assert not balance.causal
    assert balance.targeting_auc > 0.75
    assert balance.differences.index[0] == "b"
    assert balance.largest_before > 0.8
    assert balance.largest_after < 0.15
    assert balance.overlap < 0.9


def test_a_randomised_test_whose_arms_differ_is_not_believed():
    frame, _ = planted(targeted=1.5)
    features = frame[list("abcde")]
    found = study_campaign(features, frame["treated"], frame["response"], features, randomised=True)
    assert not found.balance.causal


def test_weighting_takes_the_measured_targeting_out(targeted):
    frame, effect, found = targeted
    arms = frame.groupby("treated")["response"].mean()
    naive, average = arms[1] - arms[0], found.measures.average
    assert naive - effect.mean() > 0.1, "those who buy anyway were mailed"
    assert average.value == pytest.approx(effect.mean(), abs=0.04)
    assert np.corrcoef(found.customers["effect"], effect)[0, 1] > 0.6


def test_too_small_a_campaign_is_refused_with_what_it_would_take():
    frame, _ = planted(count=300)
    features, treated = frame[list("abcde")], pd.Series([1] * 50 + [0] * 250, frame.index)
    with pytest.raises(
        DataError, match=r"of the 50 customers reached, \d+ responded; .* at least 100 reached"
    ):
        study_campaign(features, treated, frame["response"], features)
    with pytest.raises(DataError, match="0 responded"):
        study_campaign(features, frame["treated"], frame["response"] * 0, features)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data sets are not here (../shared/data)")
def test_hillstrom_is_ordered_as_well_as_published():
    study = hillstrom(SHARED)
    found = measure(
        cross_fitted(study, LEARNERS["X"]), study.treated, study.response, np.ones(len(study.treated))
    )
    assert found.top_uplift.value >= PUBLISHED["uplift@30 %"]
    assert found.qini.value >= PUBLISHED["Qini"]
    assert found.average.value == pytest.approx(0.0452, abs=0.0002)
