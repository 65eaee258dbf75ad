"""The sequence encoder: learns, is resumed, sees nothing of the future, and encodes what it never saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from indexes.encoder.decision import TRAINED
from indexes.encoder.encoder import LearnedEncoder, joined, train_encoder
from indexes.encoder.evaluate import linear_head, score, tasks
from indexes.encoder.histories import after, before, day_number, histories, ranges
from indexes.encoder.network import Shape
from indexes.encoder.training import CHECKPOINT, CURVE, Training
from segments.errors import ChecksumError, DataError, NotBuiltError
from tests.indexes.planted import random_vectors

AS_OF = date(2017, 10, 1)
CUSTOMERS, DAYS = 80, 330
KINDS = ("FRUIT", "DIAPER", "BEER", "PET")
BOTH = pytest.mark.parametrize("kind", ["transformer", "lstm"])
TRAINING = Training(steps=40, customers=32, every=10, least_history=10)


class WordVectors:
    """A TextEncoder by the words of a text, so that tests say what is near to what."""

    name = "words"
    dimension = 24

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = [sum(self._word(word) for word in text.split()) for text in texts]
        matrix = np.array(rows, dtype=np.float32)
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def _word(self, word: str) -> np.ndarray:
        return np.random.default_rng(sum(word.encode())).normal(size=self.dimension)


def small(kind: str) -> Shape:
    return Shape(kind=kind, width=16, heads=2, layers=1, length=12, dimension=24)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def items() -> pd.DataFrame:
    rows = [(f"{kind}{n}", "FOOD", kind, f"{kind} number{n}") for kind in KINDS for n in range(6)]
    return pd.DataFrame(rows, columns=["item_id", "department", "category", "name"])


@pytest.fixture(scope="module")
def purchases(items: pd.DataFrame) -> pd.DataFrame:
    """Customer c buys mostly of kind c % 4, every 3 to 12 days; every fifth one stops a month before the end."""
    random = np.random.default_rng(5)
    rows = []
    for customer in range(CUSTOMERS):
        day = int(random.integers(0, 20))
        pace, last = 3 + customer % 10, DAYS - (60 if customer % 5 == 0 else 0)
        while day < last:
            for _ in range(int(random.integers(1, 4))):
                own = customer % 4 if random.random() < 0.85 else int(random.integers(4))
                rows.append(
                    (f"c{customer:02d}", f"{KINDS[own]}{random.integers(6)}", day, random.gamma(2, 5))
                )
            day += int(random.integers(1, 2 * pace))
    table = pd.DataFrame(rows, columns=["customer_id", "item_id", "day", "value"])
    table["ts"] = pd.Timestamp("2017-01-01 12:00") + pd.to_timedelta(table.pop("day"), unit="D")
    return table


@pytest.fixture(scope="module")
def ids(purchases: pd.DataFrame) -> list[str]:
    return sorted(purchases["customer_id"].unique())


@pytest.fixture(scope="module")
def trained(
    purchases: pd.DataFrame, items: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[LearnedEncoder, Path]]:
    out = {}
    for kind in ("transformer", "lstm"):
        folder = tmp_path_factory.mktemp(kind)
        out[kind] = (
            train_encoder(purchases, items, WordVectors(), AS_OF, folder, small(kind), TRAINING),
            folder,
        )
    return out


def test_ranges_are_laid_end_to_end() -> None:
    assert ranges(np.array([5, 0, 9]), np.array([2, 0, 3])).tolist() == [5, 6, 9, 10, 11]


def test_a_batch_holds_the_last_days_before_the_cut(
    purchases: pd.DataFrame, items: pd.DataFrame, ids: list[str]
) -> None:
    found = histories(purchases, items, ids)
    cut = day_number(AS_OF)
    batch = before(found, np.array([3, 7]), np.array([cut, cut - 100]), 5)
    for row, (customer, day) in enumerate(((3, cut), (7, cut - 100))):
        own = purchases[purchases["customer_id"] == ids[customer]]
        days = sorted({day_number(ts.date()) for ts in own["ts"]})
        expected = [day - d for d in days if d < day][-5:]
        assert batch.ages[row].tolist() == expected
        assert batch.last[row] == expected[-1]
        spent = own[
            own["ts"].dt.normalize() == pd.Timestamp("1970-01-01") + pd.Timedelta(days=day - expected[-1])
        ]
        assert batch.spend[row, -1] == pytest.approx(np.log1p(spent["value"].sum()), rel=1e-5)
    assert batch.weights.sum() == pytest.approx(10, abs=1e-4)


def test_a_short_history_is_padded_in_front(
    purchases: pd.DataFrame, items: pd.DataFrame, ids: list[str]
) -> None:
    found = histories(purchases, items, [*ids, "nobody"])
    first = int(found.days[found.starts[0]])
    batch = before(found, np.array([0, len(ids)]), np.array([first + 1, first + 1]), 4)
    assert batch.known.tolist() == [[False, False, False, True], [False] * 4]
    assert batch.ages[0].tolist() == [0, 0, 0, 1]


def test_targets_are_what_was_bought_from_the_cut_on(
    purchases: pd.DataFrame, items: pd.DataFrame, ids: list[str]
) -> None:
    found = histories(purchases, items, ids)
    cut = day_number(AS_OF)
    target = after(found, np.array([2]), np.array([cut]), 14, len(found.texts))[0]
    window = purchases[
        (purchases["customer_id"] == ids[2])
        & (purchases["ts"] >= pd.Timestamp(AS_OF))
        & (purchases["ts"] < pd.Timestamp(AS_OF) + pd.Timedelta(days=14))
    ]
    names = items.set_index("item_id").loc[window["item_id"], "name"].str.lower()
    assert {found.texts[i].split(" | ")[-1] for i in np.flatnonzero(target)} == set(names)


@BOTH
def test_training_learns(trained: dict[str, tuple[LearnedEncoder, Path]], kind: str) -> None:
    curve = json.loads((trained[kind][1] / CURVE).read_text())
    assert [point["step"] for point in curve] == [10, 20, 30, 40]
    assert curve[-1]["held_out"] < curve[0]["held_out"] - 0.05


@BOTH
def test_vectors_know_who_buys_what(
    trained: dict[str, tuple[LearnedEncoder, Path]],
    kind: str,
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    ids: list[str],
) -> None:
    made = trained[kind][0].encode(purchases, items, ids, AS_OF)
    assert made.customer_ids == tuple(ids)
    assert np.linalg.norm(made.matrix, axis=1) == pytest.approx(1, abs=1e-5)
    groups = np.array([int(customer[1:]) % 4 for customer in ids])
    cosines = made.matrix @ made.matrix.T
    np.fill_diagonal(cosines, -2)
    nearest = np.argsort(-cosines, axis=1)[:, :5]
    assert (groups[nearest] == groups[:, None]).mean() > 0.8


@BOTH
def test_the_future_changes_nothing(
    trained: dict[str, tuple[LearnedEncoder, Path]],
    kind: str,
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    ids: list[str],
) -> None:
    encoder = trained[kind][0]
    known = purchases[purchases["ts"] < pd.Timestamp(AS_OF)]
    with_future = encoder.encode(purchases, items, ids, AS_OF)
    assert with_future.matrix == pytest.approx(encoder.encode(known, items, ids, AS_OF).matrix, abs=1e-6)
    later = encoder.encode(purchases, items, ids, date(2017, 11, 1))
    assert np.abs(later.matrix - with_future.matrix).max() > 0.01


@BOTH
def test_an_item_never_seen_is_encoded_by_its_text(
    trained: dict[str, tuple[LearnedEncoder, Path]], kind: str, items: pd.DataFrame
) -> None:
    fresh = pd.DataFrame(
        [("new1", "FOOD", "BEER", "BEER number99"), ("new2", "FOOD", "PET", "PET number99")],
        columns=items.columns,
    )
    days = pd.date_range("2017-06-01", periods=10, freq="7D")
    table = pd.concat(
        pd.DataFrame({"customer_id": who, "item_id": item, "ts": days, "value": 10.0})
        for who, item in (("beer", "BEER1"), ("newbeer", "new1"), ("newpet", "new2"))
    )
    made = trained[kind][0].encode(table, pd.concat([items, fresh]), ["beer", "newbeer", "newpet"], AS_OF)
    beer, new_beer, new_pet = made.matrix
    assert beer @ new_beer > beer @ new_pet


@BOTH
def test_a_killed_training_goes_on_to_the_same_result(
    trained: dict[str, tuple[LearnedEncoder, Path]],
    kind: str,
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    tmp_path: Path,
) -> None:
    seen: list[float] = []

    def killed(share: float, _what: str) -> None:
        seen.append(share)
        if share >= 27 / 40:
            raise KeyboardInterrupt

    arguments = (purchases, items, WordVectors(), AS_OF, tmp_path, small(kind), TRAINING)
    with pytest.raises(KeyboardInterrupt):
        train_encoder(*arguments, killed)
    steps: list[str] = []
    again = train_encoder(*arguments, lambda _share, what: steps.append(what))
    assert len(steps) == 1 + 20
    assert again.name == trained[kind][0].name


def test_other_data_begin_anew(purchases: pd.DataFrame, items: pd.DataFrame, tmp_path: Path) -> None:
    training = Training(steps=2, customers=8, least_history=10)
    arguments = (items, WordVectors(), AS_OF, tmp_path, small("lstm"), training)
    before = train_encoder(purchases, *arguments)
    assert train_encoder(purchases, *arguments).name == before.name
    steps: list[str] = []
    dearer = purchases.assign(value=purchases["value"] * 3)
    assert train_encoder(dearer, *arguments, lambda _share, what: steps.append(what)).name != before.name
    assert len(steps) == 1 + 2


def test_a_damaged_checkpoint_is_told(purchases: pd.DataFrame, items: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"damaged")
    with pytest.raises(ChecksumError, match=r"checkpoint\.pt is damaged; remove it"):
        train_encoder(purchases, items, WordVectors(), AS_OF, tmp_path, small("lstm"), TRAINING)


def test_too_short_histories_are_told(purchases: pd.DataFrame, items: pd.DataFrame, tmp_path: Path) -> None:
    few = purchases[purchases["customer_id"].isin(sorted(purchases["customer_id"].unique())[:3])]
    with pytest.raises(DataError, match=r"Too few customers to train an encoder on: \d"):
        train_encoder(few, items, WordVectors(), AS_OF, tmp_path, small("lstm"), TRAINING)


def test_what_cannot_be_judged_is_told_before_anything_is_trained(
    purchases: pd.DataFrame, items: pd.DataFrame
) -> None:
    """Every purchase is of a product of its own, as in a shop of a long tail."""
    own = purchases.reset_index(drop=True).assign(item_id=lambda rows: [f"p{i}" for i in range(len(rows))])
    kinds = pd.Series(items["category"].to_numpy(), index=items["item_id"])
    goods = pd.DataFrame(
        {"item_id": own["item_id"], "category": purchases["item_id"].map(kinds).to_numpy()}
    ).assign(department="d", name="n")
    with pytest.raises(
        DataError, match=r"product: too few customers .* 2 such outcomes must have at least 10"
    ):
        tasks(own, goods, AS_OF)
    few = purchases["customer_id"].isin(purchases["customer_id"].unique()[:9])
    with pytest.raises(DataError, match="churn: too few customers"):
        tasks(purchases[few | (purchases["ts"] < "2017-06-01")], items, AS_OF)


def test_other_settings_begin_anew(
    purchases: pd.DataFrame, items: pd.DataFrame, trained: dict[str, tuple[LearnedEncoder, Path]]
) -> None:
    folder = trained["lstm"][1]
    steps: list[str] = []
    other = Training(steps=3, customers=8, least_history=10)
    shape = small("lstm")
    train_encoder(
        purchases,
        items,
        WordVectors(),
        AS_OF,
        folder / "other",
        shape,
        Training(steps=2, customers=8),
    )
    train_encoder(
        purchases,
        items,
        WordVectors(),
        AS_OF,
        folder / "other",
        shape,
        other,
        lambda _s, what: steps.append(what),
    )
    assert len(steps) == 1 + 3


def test_a_saved_encoder_gives_the_same_vectors(
    trained: dict[str, tuple[LearnedEncoder, Path]],
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    ids: list[str],
    tmp_path: Path,
) -> None:
    encoder, folder = trained["transformer"]
    again = LearnedEncoder.load(folder, WordVectors())
    assert again.name == encoder.name
    assert again.encode(purchases, items, ids, AS_OF).matrix == pytest.approx(
        encoder.encode(purchases, items, ids, AS_OF).matrix, abs=1e-6
    )
    with pytest.raises(NotBuiltError, match=r"run: segassist index train-encoder$"):
        LearnedEncoder.load(tmp_path, WordVectors())
    other = WordVectors()
    other.name = "another"
    with pytest.raises(DataError, match="'another' is not the text encoder"):
        LearnedEncoder.load(folder, other)


def test_vectors_side_by_side_have_the_mean_cosine() -> None:
    one, two = random_vectors(5, 8), random_vectors(5, 6, seed=2)
    both = joined(one, two)
    assert both.matrix @ both.matrix.T == pytest.approx(
        (one.matrix @ one.matrix.T + two.matrix @ two.matrix.T) / 2, abs=1e-6
    )
    assert both.encoder == "planted + planted"
    with pytest.raises(DataError, match="the same customers"):
        joined(one, random_vectors(6))


def test_no_purchases_are_told(purchases: pd.DataFrame, items: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="purchases"):
        train_encoder(purchases, items, WordVectors(), date(2016, 1, 1), tmp_path, small("lstm"), TRAINING)


def test_tasks_are_what_happened_after(purchases: pd.DataFrame, items: pd.DataFrame) -> None:
    found = tasks(purchases, items, AS_OF, 30)
    window = purchases[
        (purchases["ts"] >= pd.Timestamp(AS_OF))
        & (purchases["ts"] < pd.Timestamp(AS_OF) + pd.Timedelta(days=30))
    ]
    buyers = set(window["customer_id"])
    churn = found.labels["churn"].dropna()
    assert {customer for customer in churn.index if churn[customer] == 0} == set(churn.index) & buyers
    beer = found.labels["category:BEER"]
    assert set(beer[beer == 1].index) == set(window[window["item_id"].str.startswith("BEER")]["customer_id"])
    assert found.of("product")
    with pytest.raises(DataError, match="30 days beyond 2017-11-20"):
        tasks(purchases, items, date(2017, 11, 20), 30)


@BOTH
def test_vectors_that_know_more_are_judged_better(
    trained: dict[str, tuple[LearnedEncoder, Path]],
    kind: str,
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    ids: list[str],
) -> None:
    found = tasks(purchases, items, AS_OF)
    made = trained[kind][0].encode(purchases, items, ids, AS_OF)
    head = linear_head(made, found)
    scores = score(head, found)
    shuffled = made.matrix[np.random.default_rng(1).permutation(len(made.matrix))]
    chance = score(linear_head(made.__class__(made.customer_ids, shuffled, "shuffled", AS_OF), found), found)
    assert scores.category > 0.7
    assert abs(chance.category - 0.5) < 0.1
    assert 0 <= scores.novelty <= 1
    assert 0 < scores.diversity <= 1
    with pytest.raises(DataError, match="every customer"):
        linear_head(made.__class__(made.customer_ids[1:], made.matrix[1:], "x", AS_OF), found)
    turned = made.__class__(made.customer_ids[::-1], made.matrix[::-1], made.encoder, AS_OF)
    assert linear_head(turned, found).equals(head), "whose vector it is counts, not its place"


def test_a_damaged_encoder_is_told(tmp_path: Path) -> None:
    (tmp_path / TRAINED).write_bytes(b"damaged")
    with pytest.raises(ChecksumError, match=r"encoder\.pt is damaged; train it again"):
        LearnedEncoder.load(tmp_path, WordVectors())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_a_gpu_trains_in_mixed_precision(
    purchases: pd.DataFrame, items: pd.DataFrame, ids: list[str], tmp_path: Path
) -> None:
    encoder = train_encoder(purchases, items, WordVectors(), AS_OF, tmp_path, small("transformer"), TRAINING)
    assert next(encoder.network.parameters()).is_cuda
    assert np.isfinite(encoder.encode(purchases, items, ids, AS_OF).matrix).all()
