"""Trained models on disk: the model, its scores, its cards, what it said of the test cut and what it learned on.

`<slug>.json` is written last and names the other files with their SHA-256, so a half-written model
is never used; files that no manifest names are left-overs and are removed by the next save.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from propensity.drift import Reference
from propensity.model import PropensityModel
from propensity.outcomes import CATEGORY_PREFIX, CUSTOMER_OUTCOMES, POOLED, model_name, parse
from segments.errors import ChecksumError, NotBuiltError, StorageError

CONTENTS = "contents.json"
"""Names of the models that a finished training left; no model's manifest can have this name."""


@dataclass(frozen=True)
class Card:
    """What a model is and how it did, dates in ISO form.

    The figures are those of the model trained on `train_cuts` and tested on `test_cut`; the served model
    has the same rounds and calibration, fitted on `served_cuts`, and scores customers as of `scored_as_of`.
    The card of `purchase_30d:*` has the mean AUC over its `categories` largest categories.
    """

    outcome: str
    model: str
    train_cuts: tuple[str, ...]
    validation_cuts: tuple[str, ...]
    test_cut: str
    customers: int
    positives: int
    auc: float
    auc_low: float
    auc_high: float
    level: float
    ece: float
    ece_bins: int
    brier: float
    lift_top_decile: float
    baseline_auc: float
    baseline_ece: float
    baseline_features: tuple[str, ...]
    features: tuple[str, ...]
    rounds: int
    calibration: str
    served_cuts: tuple[str, ...]
    scored_as_of: str
    data_hash: str
    code_version: str
    created: str
    categories: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


class Registry:
    """The models of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scores: dict[str, tuple[str, pd.DataFrame]] = {}

    def save(
        self,
        name: str,
        model: PropensityModel,
        scores: pd.DataFrame,
        cards: list[Card],
        tested: pd.DataFrame | None = None,
        reference: Reference | None = None,
    ) -> None:
        """Commit a model, its scores (customers by outcomes) and its cards; raises StorageError.

        tested: probabilities and labels of the test cut, by customer_id, columns `<outcome>` and `label:<outcome>`.
        reference: the training columns' distributions (`propensity.drift`).
        """
        parts = {"model": model.to_bytes(), "scores": _parquet(scores)}
        if tested is not None:
            parts["tested"] = _parquet(tested)
        if reference is not None:
            parts["reference"] = json.dumps(reference).encode()
        manifest: dict[str, Any] = {"name": name, "cards": [card.to_dict() for card in cards]}
        with _saving(name, self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for part, content in parts.items():
                digest = hashlib.sha256(content).hexdigest()
                file = f"{_slug(name)}.{part}.{digest[:12]}"
                _write(self.folder / file, content)
                manifest[part] = {"file": file, "sha256": digest}
            self._commit(name, manifest)

    def scored_on(self, name: str) -> str:
        """The hash of the data that a model's scores are of."""
        manifest = self._manifest(name)
        return str(manifest.get("scored_on", manifest["cards"][0]["data_hash"]))

    def rescore(self, name: str, scores: pd.DataFrame, as_of: str, data_hash: str) -> None:
        """Put scores of later data as of a date (ISO) in the place of a model's. Raises as `save`."""
        manifest = self._manifest(name)
        content = _parquet(scores)
        digest = hashlib.sha256(content).hexdigest()
        manifest["scores"] = {"file": f"{_slug(name)}.scores.{digest[:12]}", "sha256": digest}
        manifest["scored_on"] = data_hash
        for card in manifest["cards"]:
            card["scored_as_of"] = as_of
        with _saving(name, self.folder):
            _write(self.folder / manifest["scores"]["file"], content)
            self._commit(name, manifest)

    def _commit(self, name: str, manifest: dict[str, Any]) -> None:
        """Write the manifest last, then remove what it does not name."""
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        whole = manifest | {"sha256": hashlib.sha256(text.encode()).hexdigest()}
        _write(self._manifest_path(name), json.dumps(whole, ensure_ascii=False, indent=1).encode())
        kept = {manifest[part]["file"] for part in _parts(manifest)}
        for path in self.folder.glob(f"{_slug(name)}.*.*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def names(self) -> tuple[str, ...]:
        """The models that belong here. Raises NotBuiltError (missing), ChecksumError (damaged)."""
        path = self.folder / CONTENTS
        if not path.exists():
            raise NotBuiltError(f"There are no propensity models in {self.folder}; run: segassist build")
        try:
            return tuple(str(name) for name in json.loads(path.read_bytes()))
        except (ValueError, TypeError) as error:
            raise _damaged(path) from error

    def has(self, name: str, data_hash: str, code_version: str) -> bool:
        """Whether a sound model of that name was trained on this data by this code."""
        try:
            manifest = self._manifest(name)
            for part in _parts(manifest):
                self._read(manifest, part)
        except (NotBuiltError, ChecksumError):
            return False
        card = manifest["cards"][0]
        return bool(card["data_hash"] == data_hash and card["code_version"] == code_version)

    def finish(self, names: Sequence[str]) -> None:
        """Write down which models there are: an outcome that never happened has none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / CONTENTS, json.dumps(sorted(names)).encode())

    def check(self) -> None:
        """Read every model that belongs here. Raises NotBuiltError (missing), ChecksumError (damaged)."""
        for name in self.names():
            manifest = self._manifest(name)
            for part in _parts(manifest):
                self._read(manifest, part)

    def cards(self) -> list[Card]:
        """Every card, customer outcomes first. Raises NotBuiltError when nothing is trained."""
        names = [outcome.name for outcome in CUSTOMER_OUTCOMES] + [POOLED]
        found = [name for name in names if self._manifest_path(name).exists()]
        if not found:
            raise NotBuiltError(f"There are no propensity models in {self.folder}; run: segassist build")
        return [_card(data) for name in found for data in self._manifest(name)["cards"]]

    def card(self, outcome: str) -> Card:
        """The outcome's card; that of `purchase_30d:*` for a category too small to have its own."""
        name = self._resolve(outcome)
        cards = [_card(data) for data in self._manifest(model_name(name))["cards"]]
        return next((card for card in cards if card.outcome == name), cards[0])

    def model(self, outcome: str) -> PropensityModel:
        """The served model behind an outcome."""
        content = self._read(self._manifest(model_name(self._resolve(outcome))), "model")
        return PropensityModel.from_bytes(content)

    def scores(self, outcome: str) -> pd.Series:
        """Probabilities of every customer as of `scored_as_of`, indexed by customer_id.

        Raises NotFoundError (unknown outcome), NotBuiltError (not trained), ChecksumError (damaged).
        """
        name = self._resolve(outcome)
        series: pd.Series = self._score_table(model_name(name))[name]
        return series

    def tested(self, outcome: str) -> pd.DataFrame:
        """Columns `score` and `label` of the customers of the test cut, by customer_id.

        Raises NotBuiltError for an outcome that was not tested, or whose model an older version trained.
        """
        name = self._resolve(outcome)
        table = pd.read_parquet(io.BytesIO(self._read(self._manifest(model_name(name)), "tested")))
        if name not in table:
            raise NotBuiltError(f"{name} was not tested on its own; see: segassist models")
        return pd.DataFrame(
            {"score": table[name].astype("float64"), "label": table[f"label:{name}"].astype("int8")}
        )

    def reference(self, outcome: str) -> Reference:
        """The distributions that the served model learned on. Raises as `tested` does."""
        manifest = self._manifest(model_name(self._resolve(outcome)))
        found: Reference = json.loads(self._read(manifest, "reference"))
        return found

    def outcomes(self) -> tuple[str, ...]:
        """The names of all outcomes that can be answered."""
        names = tuple(o.name for o in CUSTOMER_OUTCOMES if self._manifest_path(o.name).exists())
        if self._manifest_path(POOLED).exists():
            names += tuple(self._score_table(POOLED).columns)
        return names

    def _score_table(self, model: str) -> pd.DataFrame:
        manifest = self._manifest(model)
        digest = manifest["scores"]["sha256"]
        if self._scores.get(model, ("",))[0] != digest:
            self._scores[model] = (digest, pd.read_parquet(io.BytesIO(self._read(manifest, "scores"))))
        return self._scores[model][1]

    def _resolve(self, outcome: str) -> str:
        if outcome == POOLED or not outcome.strip().startswith(CATEGORY_PREFIX):
            return outcome if outcome == POOLED else parse(outcome, ()).name
        categories = [name.removeprefix(CATEGORY_PREFIX) for name in self._score_table(POOLED).columns]
        return parse(outcome, categories).name

    def _manifest_path(self, name: str) -> Path:
        return self.folder / f"{_slug(name)}.json"

    def _manifest(self, name: str) -> dict[str, Any]:
        path = self._manifest_path(name)
        if not path.exists():
            raise NotBuiltError(f"There is no model of {name} in {self.folder}; run: segassist build")
        try:
            manifest: dict[str, Any] = json.loads(path.read_bytes())
            digest = manifest.pop("sha256")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path) from error
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise _damaged(path)
        return manifest

    def _read(self, manifest: dict[str, Any], part: str) -> bytes:
        if part not in manifest:
            raise NotBuiltError(
                f"The model of {manifest['name']} was made by an older version; run: segassist build"
            )
        path = self.folder / manifest[part]["file"]
        if not path.exists():
            raise _damaged(path)
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != manifest[part]["sha256"]:
            raise _damaged(path)
        return content


@contextmanager
def _saving(name: str, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno == errno.ENOSPC
        what = "The disk is full" if full else f"Cannot write ({error.strerror})"
        raise StorageError(
            f"{what} while saving the model {name} in {folder}; free some space or make it "
            "writable, then run: segassist build"
        ) from error


def _parts(manifest: dict[str, Any]) -> list[str]:
    return [part for part, value in manifest.items() if isinstance(value, dict) and "file" in value]


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.astype("float32").to_parquet(buffer)
    return buffer.getvalue()


def _damaged(path: Path) -> ChecksumError:
    return ChecksumError(
        f"{path} is damaged (it is not what was written); train it again with: segassist build"
    )


def _card(data: dict[str, Any]) -> Card:
    known = {field.name for field in fields(Card)}
    values: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in data.items() if k in known
    }
    try:
        return Card(**values)
    except TypeError as error:
        raise NotBuiltError(
            f"The model of {data.get('outcome')} was made by an older version; run: segassist build"
        ) from error


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("*", "category")).strip("_")


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
