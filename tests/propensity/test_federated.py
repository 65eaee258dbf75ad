"""Stores that train together: as well as all rows in one place, and within a promise of privacy."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from opacus.accountants import RDPAccountant

from propensity.evaluate import auc
from propensity.federated.averaging import Averaging, joined, train_alone, train_federated
from propensity.federated.private import Privacy, clipped, message, noise_for, train_private
from propensity.federated.stores import (
    Store,
    logistic,
    mean_store_auc,
    network,
    probabilities,
    scaled,
    stores_of,
)
from segments.errors import UserError
from tests.propensity.conftest import snapshots

COLUMNS = ["a", "b", "c", "d", "e"]


def store(name: str, rows: int, seed: int) -> Store:
    """Customers of whom the first column says that they will and the second that they will not."""
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, 5)).astype("float32").clip(-2, 2)
    chance = 1 / (1 + np.exp(-2 * features[:, 0] + 1.5 * features[:, 1]))
    labels = (random.random(rows) < chance).astype("float32")
    ids = np.array([f"{name}{i}" for i in range(rows)], dtype=object)
    return Store(name, torch.from_numpy(features), torch.from_numpy(labels), ids)


@pytest.fixture(scope="module")
def stores() -> list[Store]:
    return [store(f"s{place}", 40 + 20 * place, place) for place in range(8)]


@pytest.fixture(scope="module")
def test() -> Store:
    return store("test", 3000, 99)


def area(model: torch.nn.Module, rows: Store) -> float:
    return auc(rows.labels.numpy(), probabilities(model, rows.features))


@pytest.mark.parametrize("start", [logistic(5), network(5)], ids=["logistic", "network"])
def test_together_is_nearly_as_good_as_in_one_place_and_better_than_alone(
    stores: list[Store], test: Store, start: torch.nn.Module
) -> None:
    together = area(train_federated(stores, start), test)
    alone = np.mean([area(train_alone(each, start), test) for each in stores])
    assert together > alone + 0.003
    assert together > area(train_alone(joined(stores), start), test) - 0.01


def test_one_store_with_itself_is_plain_training(stores: list[Store]) -> None:
    settings = Averaging(rounds=3)
    both = [train(stores[0]) for train in (lambda s: train_federated([s], logistic(5), settings), _alone)]
    for one, other in zip(both[0].parameters(), both[1].parameters(), strict=True):
        torch.testing.assert_close(one, other)


def _alone(rows: Store) -> torch.nn.Module:
    return train_alone(rows, logistic(5), Averaging(rounds=3))


def test_a_larger_store_counts_for_more(stores: list[Store]) -> None:
    settings = Averaging(rounds=1, rate=0.1)
    mixed = train_federated([stores[0], stores[7]], logistic(5), settings)
    locals_ = [train_federated([stores[7]], logistic(5), settings), mixed]
    assert len(stores[7]) > 4 * len(stores[0])
    gap = sum(
        float((a - b).detach().abs().sum()) for a, b in zip(*(m.parameters() for m in locals_), strict=True)
    )
    small = train_federated([stores[0]], logistic(5), settings)
    other = sum(
        float((a - b).detach().abs().sum())
        for a, b in zip(small.parameters(), mixed.parameters(), strict=True)
    )
    assert gap < other


def test_no_gradient_that_is_sent_is_longer_than_the_clip(stores: list[Store]) -> None:
    model, rows = network(5), stores[0]
    parameters = dict(model.named_parameters())
    detached = {name: value.detach() for name, value in parameters.items()}
    for place in range(10):
        one = slice(place, place + 1)
        sent = clipped(model, detached, rows.features[one], rows.labels[one], clip=0.05)
        norm = math.sqrt(sum(float((value**2).sum()) for value in sent.values()))
        assert norm <= 0.05 * (1 + 1e-5)
    # Without a bound the sum of the rows' gradients is the gradient of the sum.
    free = clipped(model, detached, rows.features, rows.labels, clip=1e9)
    said = model(rows.features).squeeze(1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(said, rows.labels, reduction="sum")
    for name, value in zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True):
        torch.testing.assert_close(free[name], value, atol=1e-4, rtol=1e-4)


def test_the_noise_keeps_the_promise_by_another_count() -> None:
    privacy = Privacy(3.0, steps=200)
    noise = noise_for(privacy)
    accountant = RDPAccountant()
    for _ in range(privacy.steps):
        accountant.step(noise_multiplier=noise, sample_rate=privacy.share)
    assert 2.5 < accountant.get_epsilon(privacy.delta) <= 3.01
    assert noise_for(Privacy(1.0, steps=200)) > noise


def test_the_noise_of_all_stores_adds_up_to_the_whole() -> None:
    empty = [Store(f"s{i}", torch.zeros(0, 5), torch.zeros(0), np.array([], dtype=object)) for i in range(25)]
    generator = torch.Generator().manual_seed(0)
    privacy, noise = Privacy(1.0, clip=2.0), 1.5
    sums = [
        sum(message(logistic(5), each, privacy, noise / 5, generator)["weight"] for each in empty)
        for _ in range(200)
    ]
    assert float(torch.stack(sums).std()) == pytest.approx(noise * privacy.clip, rel=0.1)


def test_privacy_costs_and_less_of_it_costs_more(stores: list[Store], test: Store) -> None:
    free = area(train_federated(stores, logistic(5)), test)
    loose, strict = (
        np.mean(
            [area(train_private(stores[4:], logistic(5), Privacy(e, steps=40, seed=s)), test) for s in (1, 2)]
        )
        for e in (8.0, 0.3)
    )
    assert free + 0.005 > loose > strict
    assert loose > 0.75


def test_every_customer_has_one_row_in_private_training() -> None:
    found = stores_of(snapshots(3), COLUMNS, pd.Series("s", snapshots(1)[0].features.index))
    assert len(found[0]) == 1200
    one = found[0].one_row_each(1)
    assert len(one) == len(set(one.customers)) == 400


def test_columns_are_scaled_without_looking_at_the_others() -> None:
    frame = pd.DataFrame({"a": [0.0, np.nan, 1e30, -3.0], "b": 1.0})
    alone = scaled(frame, ["a"])
    assert np.abs(alone).max() <= 2
    assert (scaled(frame.iloc[[3]], ["a"]) == alone[3]).all()
    assert alone[1] == 0


def test_stores_with_one_answer_are_left_out_of_the_mean(stores: list[Store]) -> None:
    sure = Store("sure", stores[0].features, torch.ones(len(stores[0])), stores[0].customers)
    scores = [each.features[:, 0].numpy() for each in (stores[0], sure)]
    expected = auc(stores[0].labels.numpy(), scores[0])
    assert mean_store_auc([stores[0], sure], scores) == pytest.approx(expected)


def test_a_promise_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="epsilon must be above 0; got 0"):
        noise_for(Privacy(0.0))
