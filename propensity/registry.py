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
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from propensity.candidate import Candidate, Card, Lineage
from propensity.declared import Declared, each_outcome, read_outcomes
from propensity.drift import Reference
from propensity.model import CalibratedModel
from propensity.next_action import NextActionModel, OneAnswer
from propensity.outcomes import CATEGORY_PREFIX, CUSTOMER_OUTCOMES, POOLED, model_name, parse
from propensity.promotion import LABEL
from propensity.served import load
from segments.errors import ChecksumError, NotBuiltError, StorageError
from segments.ports import Outcome

CONTENTS = "contents.json"
"""Names of the models that a finished training left; no model's manifest can have this name."""


class Registry:
    """The models of one workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._scores: dict[str, tuple[str, pd.DataFrame]] = {}

    def commit(self, candidate: Candidate) -> None:
        """Put a model in use, whole or not at all; raises StorageError."""
        name = candidate.name
        parts = {"model": candidate.model, "scores": _parquet(candidate.scores)}
        if candidate.trial is not None:
            parts["trial"] = candidate.trial
        if candidate.tested is not None:
            parts["tested"] = _parquet(candidate.tested)
        if candidate.reference is not None:
            parts["reference"] = json.dumps(candidate.reference).encode()
        manifest: dict[str, Any] = {"name": name, "cards": [card.to_dict() for card in candidate.cards]}
        if candidate.asked is not None:
            manifest["asked"] = candidate.asked
        if candidate.checked is not None:
            manifest["checked"] = asdict(candidate.checked)
        try:
            self._write(name, manifest, parts)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            what = "The disk is full" if full else f"Cannot write ({error.strerror})"
            raise StorageError(
                f"{what} while saving the model {name} in {self.folder}; free some space or make it "
                "writable, then run: segassist build"
            ) from error

    def _write(self, name: str, manifest: dict[str, Any], parts: dict[str, bytes]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for part, content in parts.items():
            digest = hashlib.sha256(content).hexdigest()
            file = f"{slug(name)}.{part}.{digest[:12]}"
            _write(self.folder / file, content)
            manifest[part] = {"file": file, "sha256": digest}
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        _write(self._manifest_path(name), json.dumps(manifest, ensure_ascii=False, indent=1).encode())
        kept = {manifest[part]["file"] for part in parts}
        for path in self.folder.glob(f"{slug(name)}.*.*"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def candidate(self, name: str) -> Candidate:
        """Everything that `commit` wrote of a model. Raises NotBuiltError, ChecksumError."""
        manifest = self._manifest(name)
        parts = set(_parts(manifest))

        def table(part: str) -> pd.DataFrame:
            return pd.read_parquet(io.BytesIO(self._read(manifest, part)))

        return Candidate(
            name,
            self._read(manifest, "model"),
            table("scores"),
            tuple(_card(data) for data in manifest["cards"]),
            self._read(manifest, "trial") if "trial" in parts else None,
            table("tested") if "tested" in parts else None,
            json.loads(self._read(manifest, "reference")) if "reference" in parts else None,
            manifest.get("asked"),
            Lineage(**manifest["checked"]) if "checked" in manifest else None,
        )

    def forget(self, customer: str) -> bool:
        """Take a customer out of the scores and tests of every model; whether any named them. Raises StorageError."""
        named = False
        for path in sorted(self.folder.glob("*.json")):
            if path.name == CONTENTS:
                continue
            candidate = self.candidate(self._manifest_at(path)["name"])
            scores, tested = candidate.scores, candidate.tested
            in_tested = tested is not None and customer in tested.index
            if customer in scores.index or in_tested:
                named = True
                rest = tested.drop(index=customer) if tested is not None and in_tested else tested
                left = scores.drop(index=customer, errors="ignore")
                self.commit(replace(candidate, scores=left, tested=rest))
        return named

    def has(self, name: str, data_hash: str, code_version: str) -> bool:
        """Whether a sound model of that name was trained on this data by this code, or preferred to one that was."""
        try:
            manifest = self._sound(name)
        except (NotBuiltError, ChecksumError):
            return False
        made = manifest.get("checked", manifest["cards"][0])
        return bool(made["data_hash"] == data_hash and made["code_version"] == code_version)

    def has_any(self, name: str) -> bool:
        """Whether there is a model of that name, sound or not."""
        return self._manifest_path(name).exists()

    def finish(self, names: Sequence[str]) -> None:
        """Write down which models there are (an outcome that never happened has none), and drop the other ones."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.folder / CONTENTS, json.dumps(sorted(names)).encode())
        kept = {slug(name) for name in names}
        for manifest in self.folder.glob("*.json"):
            # Not parsed: a damaged model of an outcome that is no longer declared must not stop a build.
            if manifest.name == CONTENTS or manifest.stem in kept or b'"asked"' not in manifest.read_bytes():
                continue
            manifest.unlink()
            for path in self.folder.glob(f"{manifest.stem}.*.*"):
                path.unlink(missing_ok=True)

    def names(self) -> tuple[str, ...]:
        """The models that belong here. Raises NotBuiltError (missing), ChecksumError (damaged)."""
        path = self.folder / CONTENTS
        if not path.exists():
            raise NotBuiltError(
                f"There are no propensity models in {self.folder}; run: segassist build",
                "还没有倾向模型；请管理员运行：segassist build",
            )
        try:
            return tuple(str(name) for name in json.loads(path.read_bytes()))
        except (ValueError, TypeError) as error:
            raise _damaged(path) from error

    def check(self) -> None:
        """Read every model that belongs here. Raises NotBuiltError (missing), ChecksumError (damaged)."""
        for name in self.names():
            self._sound(name)

    def cards(self) -> list[Card]:
        """Every card, customer outcomes first. Raises NotBuiltError when nothing is trained."""
        names = [outcome.name for outcome in CUSTOMER_OUTCOMES] + [POOLED]
        found = [name for name in names if self._manifest_path(name).exists()] + [*self._own]
        if not found:
            raise NotBuiltError(
                f"There are no propensity models in {self.folder}; run: segassist build",
                "还没有倾向模型；请管理员运行：segassist build",
            )
        return [_card(data) for name in found for data in self._manifest(name)["cards"]]

    def card(self, outcome: str) -> Card:
        """The outcome's card; that of `purchase_30d:*` for a category too small to have its own."""
        name = self._resolve(outcome)
        cards = [_card(data) for data in self._manifest(model_name(name))["cards"]]
        return next((card for card in cards if card.outcome == name), cards[0])

    def outcome(self, name: str) -> Outcome:
        """The outcome of that name, read from the disk only where the name alone does not tell.

        Raises NotFoundError, and of a category before its model is trained NotBuiltError.
        """
        if name.strip().startswith(CATEGORY_PREFIX):
            pooled = [str(column) for column in self._score_table(POOLED).columns]
            return parse(name, [column.removeprefix(CATEGORY_PREFIX) for column in pooled])
        given = any(outcome.name == name.strip() for outcome in CUSTOMER_OUTCOMES)
        return parse(name, (), () if given else self._declared)

    def declaration(self, model: str) -> Declared | None:
        """What the workspace declared that a model answers; None for an outcome that every workspace has.

        Raises NotBuiltError, ChecksumError.
        """
        return _declaration(self._manifest(model))

    def model(self, outcome: str) -> CalibratedModel | OneAnswer:
        """The served model behind an outcome."""
        name = self._resolve(outcome)
        manifest = self._manifest(model_name(name))
        found = load(self._read(manifest, "model"))
        return found.answer(name) if isinstance(found, NextActionModel) else found

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
            raise NotBuiltError(
                f"{name} was not tested on its own; see: segassist models",
                f"{name}没有单独测试过；见：segassist models",
            )
        return pd.DataFrame(
            {"score": table[name].astype("float64"), "label": table[LABEL + name].astype("int8")}
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
        return names + tuple(outcome.name for outcome in self._declared)

    @property
    def _own(self) -> dict[str, Declared]:
        """What the workspace declared and has a model of, by model name."""
        found: dict[str, Declared] = {}
        for path in sorted(self.folder.glob("*.json")):
            if path.name != CONTENTS and b'"asked"' in path.read_bytes():
                declared = _declaration(self._manifest_at(path))
                if declared is not None:
                    found[declared.name] = declared
        return found

    @property
    def _declared(self) -> tuple[Outcome, ...]:
        return tuple(outcome for declared in self._own.values() for outcome in each_outcome(declared))

    def _score_table(self, model: str) -> pd.DataFrame:
        manifest = self._manifest(model)
        digest = manifest["scores"]["sha256"]
        if self._scores.get(model, ("",))[0] != digest:
            self._scores[model] = (digest, pd.read_parquet(io.BytesIO(self._read(manifest, "scores"))))
        return self._scores[model][1]

    def _resolve(self, outcome: str) -> str:
        return outcome if outcome == POOLED else self.outcome(outcome).name

    def _manifest_path(self, name: str) -> Path:
        return self.folder / f"{slug(name)}.json"

    def _manifest(self, name: str) -> dict[str, Any]:
        path = self._manifest_path(name)
        if not path.exists():
            raise NotBuiltError(
                f"There is no model of {name} in {self.folder}; run: segassist build",
                f"还没有{name}的模型；请管理员运行：segassist build",
            )
        return self._manifest_at(path)

    def _sound(self, name: str) -> dict[str, Any]:
        """A model's manifest, once all that it names was read. Raises NotBuiltError (missing), ChecksumError (damaged)."""
        manifest = self._manifest(name)
        for part in _parts(manifest):
            self._read(manifest, part)
        return manifest

    def _manifest_at(self, path: Path) -> dict[str, Any]:
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


def _parts(manifest: dict[str, Any]) -> list[str]:
    return [part for part, value in manifest.items() if isinstance(value, dict) and "file" in value]


def _declaration(manifest: dict[str, Any]) -> Declared | None:
    asked = manifest.get("asked")
    return read_outcomes([asked], (), f"the model of {manifest['name']}")[0] if asked is not None else None


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


def slug(name: str) -> str:
    """A model's name as a file's."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower().replace("*", "category")).strip("_")


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
