"""Every version of every model, with where it came from and why it is in use or not; back to an earlier one.

`versions/<model>/<number>/` is a registry of its own with the model, its scores and its cards as they were when it was
made; `versions/<model>/ledger.json` is written after it. What is in use lies in the registry above.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from propensity.candidate import Candidate
from propensity.promotion import FIRST, Contest
from propensity.registry import Registry, slug
from segments.atomic import write_text
from segments.errors import ChecksumError, NotFoundError

KEPT = 5
"""Versions of a model that are kept; the one in use is never dropped."""
IN_USE, REPLACED, REFUSED = "in use", "replaced", "refused"


@dataclass(frozen=True)
class Version:
    """One training of one model. features: hash of the names of its columns. contest: against the one then in use."""

    model: str
    number: int
    status: str
    created: str
    data_hash: str
    features: str
    code_version: str
    test_cut: str
    auc: float
    ece: float
    brier: float
    contest: Contest

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


class Versions:
    """The versions of the models of one registry."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._folder = registry.folder / "versions"

    def names(self) -> tuple[str, ...]:
        """The models that have versions. Raises ChecksumError."""
        found = []
        for path in sorted(self._folder.glob("*/ledger.json")):
            try:
                found += [str(version["model"]) for version in json.loads(path.read_bytes())[:1]]
            except (ValueError, KeyError, TypeError) as error:
                raise _damaged(path) from error
        return tuple(found)

    def of(self, model: str) -> tuple[Version, ...]:
        """A model's versions, oldest first; none before it was trained with versions. Raises ChecksumError."""
        path = self._ledger(model)
        if not path.exists():
            return ()
        try:
            rows = json.loads(path.read_bytes())
            return tuple(Version(**row | {"contest": Contest(**row["contest"])}) for row in rows)
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(path) from error

    def registry_of(self, version: Version) -> Registry:
        """What a version left. Raises NotFoundError when it is no longer kept."""
        folder = self._place(version.model, version.number)
        if not folder.exists():
            raise NotFoundError(
                f"Version {version.number} of {version.model} is no longer kept.",
                f"{version.model}的第{version.number}版已不再保留。",
            )
        return Registry(folder)

    def offer(self, candidate: Candidate, judged: Contest = FIRST) -> Version:
        """Keep a new model as the next version, and put it in use when its contest promoted it. Where the ledger was
        damaged it begins anew."""
        name = candidate.name
        try:
            earlier = self.of(name)
        except ChecksumError:
            earlier = ()
            judged = replace(
                judged, words=f"{judged.words}; what was before is not known: the ledger was damaged"
            )
        number = earlier[-1].number + 1 if earlier else 1
        status = IN_USE if judged.promoted else REFUSED
        version = _version(candidate, number, status, judged)
        place = self._place(name, number)
        shutil.rmtree(place, ignore_errors=True)  # of a run that was cut off before its ledger
        Registry(place).commit(candidate)
        # The ledger first: cut off in between, the next build finds another model in use and trains again.
        self._write(name, (*(_retired(earlier) if judged.promoted else earlier), version))
        if judged.promoted:
            self._registry.commit(candidate)
        return version

    def earlier(self, model: str, number: int | None = None) -> tuple[Version, Candidate]:
        """A version to go back to and what it left: the given one, or the last that was in use before this one.

        Raises NotFoundError when there is none.
        """
        versions = self.of(model)
        if number is None:
            found = [v for v in versions if v.status == REPLACED]
        else:
            found = [v for v in versions if v.number == number and v.status != IN_USE]
        if not found:
            known = ", ".join(f"{v.number} ({v.status})" for v in versions) or "none"
            wanted = "earlier version" if number is None else f"other version {number}"
            raise NotFoundError(
                f"There is no {wanted} of {model} to go back to; its versions: {known}.",
                f"{model}没有可以退回的版本；它的版本：{known}。",
            )
        return found[-1], Registry(self._place(model, found[-1].number)).candidate(model)

    def mark_in_use(self, version: Version) -> Version:
        """Write down that a version is in use again."""
        words = f"put back in use on {datetime.now(UTC):%Y-%m-%d}; before: {version.contest.words}"
        back = replace(version, status=IN_USE, contest=replace(version.contest, words=words))
        rest = [back if v.number == version.number else v for v in _retired(self.of(version.model))]
        self._write(version.model, tuple(rest))
        return back

    def forget(self, customer: str) -> bool:
        """Take a customer out of what every version left; whether any named them."""
        folders = sorted(path for path in self._folder.glob("*/*") if path.is_dir())
        return sum(Registry(folder).forget(customer) for folder in folders) > 0

    def _write(self, model: str, versions: tuple[Version, ...]) -> None:
        dropped = [v for v in versions[:-KEPT] if v.status != IN_USE]
        kept = [v for v in versions if v not in dropped]
        path = self._ledger(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps([v.to_dict() for v in kept], ensure_ascii=False, indent=1))
        for version in dropped:
            shutil.rmtree(self._place(model, version.number), ignore_errors=True)

    def _ledger(self, model: str) -> Path:
        return self._folder / slug(model) / "ledger.json"

    def _place(self, model: str, number: int) -> Path:
        return self._folder / slug(model) / str(number)


def _damaged(path: Path) -> ChecksumError:
    return ChecksumError(
        f"{path} is damaged, so the versions before are not known; the next training of the model begins it anew: "
        "segassist build"
    )


def _retired(versions: tuple[Version, ...]) -> tuple[Version, ...]:
    return tuple(replace(v, status=REPLACED) if v.status == IN_USE else v for v in versions)


def _version(candidate: Candidate, number: int, status: str, judged: Contest) -> Version:
    card = candidate.cards[0]
    return Version(
        candidate.name,
        number,
        status,
        card.created,
        card.data_hash,
        hashlib.sha256("\n".join(card.features).encode()).hexdigest()[:12],
        card.code_version,
        card.test_cut,
        card.auc,
        card.ece,
        card.brier,
        judged,
    )
