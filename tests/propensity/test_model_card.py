"""Model cards: curves that are right, groups large enough to show, one file that needs nothing else."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from propensity.model import CUSTOMERS, train
from propensity.model_card import build_card, curves, fairness, family, to_html
from propensity.registry import Registry
from segments.errors import ChecksumError, NotBuiltError
from tests.propensity.conftest import sample_card, save, snapshots

COUNT = 3000
INDEX = pd.Index([f"c{i}" for i in range(COUNT)], name="customer_id")


@pytest.fixture(scope="module")
def tested() -> pd.DataFrame:
    random = np.random.default_rng(1)
    score = random.beta(2, 3, COUNT)
    return pd.DataFrame({"score": score, "label": (random.random(COUNT) < score).astype(int)}, INDEX)


@pytest.fixture(scope="module")
def groups(tested) -> pd.DataFrame:
    age = np.where(np.arange(COUNT) < 40, "65+", np.where(np.arange(COUNT) % 2 == 0, "19-24", "25-34"))
    return pd.DataFrame({"age": age}, INDEX)


def test_curves_hold_what_they_should(tested):
    labels, scores = tested["label"].to_numpy(), tested["score"].to_numpy()
    found = {
        name: (np.array(line["x"]), np.array(line["y"])) for name, line in curves(labels, scores).items()
    }
    assert np.trapezoid(found["roc"][1], found["roc"][0]) == pytest.approx(
        roc_auc_score(labels, scores), abs=0.005
    )
    assert np.abs(found["reliability"][0] - found["reliability"][1]).max() < 0.08, "drawn as said: calibrated"
    x, y = found["gains"]
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    top = labels[np.argsort(-scores)][: COUNT // 10].sum() / labels.sum()
    assert y[10] == pytest.approx(top, abs=1e-4)
    assert found["lift"][1][9] == pytest.approx(10 * top, abs=1e-3)
    assert found["lift"][1][-1] == 1


def test_groups_are_judged_apart_and_small_ones_are_not_shown(tested, groups):
    harmed = tested.copy()
    young = (groups["age"] == "19-24").to_numpy()
    harmed.loc[young, "score"] = np.random.default_rng(2).random(young.sum())
    rows = {row["value"]: row for row in fairness(harmed, groups)}
    assert set(rows) == {"19-24", "25-34"}
    assert rows["19-24"]["auc"] < 0.6 < rows["25-34"]["auc"]
    assert rows["19-24"]["ece"] > 2 * rows["25-34"]["ece"]
    assert rows["25-34"]["rate"] == pytest.approx(rows["25-34"]["mean_score"], abs=0.05)


def test_a_card_is_json_and_one_file_without_a_script_or_a_link(tested, groups):
    card = sample_card("purchase_30d:<b>BEER</b>", test_cut="2017-11-01")
    drivers = pd.Series(np.linspace(1, 0, 30), [f"f{i}" for i in range(30)])
    content = build_card(card, "LightGBM & more", tested, groups, drivers)
    assert json.loads(json.dumps(content, allow_nan=False))["card"]["data_hash"] == card.data_hash
    assert list(content["drivers"]) == [f"f{i}" for i in range(20)]
    page = to_html(content)
    assert page.count("data:image/svg+xml;base64,") == 6
    assert not re.search(r"<script|https?://", page)
    assert "<b>BEER" not in page
    assert "&lt;b&gt;BEER" in page
    for said in ("LightGBM &amp; more, ", "2017-11-01", card.data_hash, card.code_version, "19-24"):
        assert said in page


def test_a_blend_is_called_one(model):
    assert family(model) == "LightGBM"
    blend = train(snapshots(), 30, replace(CUSTOMERS, linear=0.5))
    assert family(blend) == "LightGBM and, at 50% of the log-odds, logistic regression"


def test_what_was_tested_and_learned_on_is_kept_with_the_model(tmp_path, model, tested):
    registry, name = Registry(tmp_path), "purchase_30d"
    scores, said = (
        tested[["score"]].rename(columns={"score": name}),
        tested.rename(columns={"score": name, "label": f"label:{name}"}),
    )
    save(
        tmp_path,
        name,
        model,
        scores,
        [sample_card(name)],
        said,
        {"a": {"edges": [0.0], "shares": [0.5, 0.5, 0.0]}},
    )
    pd.testing.assert_frame_equal(
        registry.tested(name), tested.astype({"label": "int8"}), check_exact=False, rtol=1e-6
    )
    assert registry.reference(name)["a"]["edges"] == [0.0]
    part = next(tmp_path.glob("*.tested.*"))
    part.write_bytes(part.read_bytes()[:-1])
    assert not registry.has(name, "2017-11-01", "2017-11-01")
    with pytest.raises(ChecksumError):
        registry.tested(name)


def test_a_model_of_an_older_version_says_what_to_run(tmp_path, model, tested):
    registry, name = Registry(tmp_path), "purchase_30d"
    save(tmp_path, name, model, tested[["score"]].rename(columns={"score": name}), [sample_card(name)])
    with pytest.raises(NotBuiltError, match="older version; run: segassist build"):
        registry.tested(name)
