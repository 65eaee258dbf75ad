"""Which family of models a build trains for an outcome: the default until a comparison, or a person, chose another.

`choices/<outcome>.json` in the folder of the models says which, since when, why, and what the rivals did.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from propensity.compare import Comparison
from propensity.families import NAMED, SEARCHED
from propensity.model import BOOSTED, Settings
from propensity.registry import slug
from propensity.tuning import TUNED
from segments.atomic import write_text
from segments.errors import DataError


@dataclass(frozen=True)
class Choice:
    """outcome: its name. family: of `propensity.families`. words: why. settings: fields of `Settings` other than the
    family's own: of LightGBM that were searched for, or the steps of training a sequence encoder.
    folds, customers, rows: the comparison (`propensity.compare.Row`, best first), empty for a choice by hand."""

    outcome: str
    family: str
    words: str
    decided: str
    settings: dict[str, Any] | None = None
    folds: tuple[str, ...] = ()
    customers: int = 0
    rows: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


def trained_by(choice: Choice, base: Settings) -> Settings:
    """How a build trains the chosen family. base: the outcome's default, whose cuts and calibration stay."""
    made = replace(NAMED[choice.family].settings or base, **(choice.settings or {}))
    return replace(
        made,
        family=choice.family,
        folds=base.folds,
        step_days=base.step_days,
        calibration=base.calibration,
    )


def chosen(outcome: str, found: Comparison, searched: Settings | None, steps: int = 0) -> Choice:
    """What a comparison chose. searched: the settings of its `lightgbm_searched`, if it had that family; steps: of training
    its families on sequences."""
    own = found.chosen == SEARCHED and searched is not None
    settings: dict[str, Any] | None = {name: getattr(searched, name) for name in TUNED} if own else None
    if not own and NAMED[found.chosen].sequence:
        settings = {"steps": steps}
    return Choice(
        outcome,
        BOOSTED if own else found.chosen,
        found.verdict,
        _today(),
        settings,
        tuple(cut.isoformat() for cut in found.folds),
        found.customers,
        tuple(asdict(row) for row in found.rows),
    )


def by_hand(outcome: str, family: str) -> Choice:
    """A person's choice. Raises DataError for a family that there is not."""
    if family not in NAMED:
        raise DataError(f"family: '{family}' is not one of {', '.join(NAMED)}, or default.")
    return Choice(outcome, family, "Chosen by hand.", _today())


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


class Choices:
    """The choices of one workspace's models."""

    def __init__(self, models: Path) -> None:
        self._folder = models / "choices"

    def of(self, outcome: str) -> Choice | None:
        """What was chosen; None for the default. Raises DataError for a file that cannot be read."""
        path = self._path(outcome)
        return _read(path) if path.exists() else None

    def all(self) -> tuple[Choice, ...]:
        """Every choice. Raises DataError for one that cannot be read."""
        return tuple(_read(path) for path in sorted(self._folder.glob("*.json")))

    def keep(self, choice: Choice) -> None:
        """The next build trains this family."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._path(choice.outcome), json.dumps(choice.to_dict(), ensure_ascii=False, indent=1))

    def drop(self, outcome: str) -> bool:
        """The next build trains the default; whether there was another choice."""
        path = self._path(outcome)
        known = path.exists()
        path.unlink(missing_ok=True)
        return known

    def _path(self, outcome: str) -> Path:
        return self._folder / f"{slug(outcome)}.json"


def _read(path: Path) -> Choice:
    try:
        data = json.loads(path.read_bytes())
        choice = Choice(**data | {"folds": tuple(data["folds"]), "rows": tuple(data["rows"])})
        if slug(choice.outcome) != path.stem or choice.family not in NAMED:
            raise ValueError(f"outcome '{choice.outcome}', family '{choice.family}'")
        trained_by(choice, Settings())
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is damaged ({error}); compare again (segassist models compare), or go back to the default with: "
            f"segassist models choose {path.stem} default"
        ) from error
    return choice
