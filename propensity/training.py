"""Train, test and register the models of a workspace; a finished one is not trained again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import pandas as pd

from propensity import evaluate as ev
from propensity.candidate import Candidate, Card, Lineage, card
from propensity.category_training import train_categories
from propensity.choices import Choices, trained_by
from propensity.declared import Declared, answers, each_outcome, to_json
from propensity.drift import reference
from propensity.families import NAMED
from propensity.family_model import train_family
from propensity.matrices import Matrices
from propensity.model import (
    BLEND,
    BOOSTED,
    COUPONS,
    CUSTOMERS,
    Settings,
    constant,
    labels_of,
    train,
    validation_cuts,
)
from propensity.next_action import ACTIONS, NextActionModel, train_next
from propensity.outcomes import CUSTOMER_OUTCOMES, POOLED, model_name
from propensity.plan import TemporalPlan, temporal_plan
from propensity.promotion import FIRST, LABEL, Contest, contest
from propensity.registry import Registry
from propensity.served import Model, dated, load, scores
from propensity.tables import OutcomeTables
from propensity.versions import IN_USE, Version, Versions
from segments.errors import ChecksumError, DataError, NotBuiltError, NotFoundError
from segments.ports import NextAction, Progress, SequenceEncoders, Snapshot, silent

CODE = (
    "alike calibrate candidate category_training dataset declared drift evaluate families family_model learned linear "
    "matrices model next_action normal_scores outcomes plan registry served training"
).split()


def code_version() -> str:
    """12 hex digits over the source of this room and LightGBM's version."""
    digest = hashlib.sha256(lgb.__version__.encode())
    for name in CODE:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return digest.hexdigest()[:12]


def train_all(
    tables: OutcomeTables,
    folder: Path,
    progress: Progress = silent,
    outcomes: Sequence[str] | None = None,
    declared: Sequence[Declared] = (),
    sequences: SequenceEncoders | None = None,
) -> list[Card]:
    """Train what is missing and return the cards of all models in `folder`.

    outcomes: names to train (default: all; any category stands for the pooled category model). declared: the
    workspace's own outcomes. sequences: needed where a family on sequences was chosen. May be interrupted at any point:
    what is finished stays. A model of before stays in use where the new one is worse beyond chance.
    """
    trainer = Trainer(tables, Registry(folder), code_version(), declared, sequences)
    wanted = [name for name in trainer.names if name != POOLED or tables.categories]
    if outcomes is not None:
        chosen = {model_name(name) for name in outcomes}
        wanted = [name for name in wanted if name in chosen]
    missing = [name for name in wanted if not trainer.done(name)]
    for place, name in enumerate(missing):
        trainer.train(name, _part(progress, place, len(missing)))
    if outcomes is None:
        trainer.finish(wanted)
    progress(1.0, "propensity models ready")
    return Registry(folder).cards()


def _part(progress: Progress, place: int, parts: int) -> Progress:
    return lambda done, what: progress((place + done) / parts, what)


class Trainer:
    """Trains the models of one workspace from shared point-in-time matrices."""

    def __init__(
        self,
        tables: OutcomeTables,
        registry: Registry,
        version: str,
        declared: Sequence[Declared] = (),
        sequences: SequenceEncoders | None = None,
    ) -> None:
        self._tables, self._registry, self._versions = tables, registry, Versions(registry)
        self._version, self._choices = version, Choices(registry.folder)
        self._asked: dict[str, Declared] = {each.name: each for each in (*CUSTOMER_OUTCOMES, *declared)}
        self._own = {each.name for each in declared}
        self._matrices = Matrices(tables, sequences)

    @property
    def names(self) -> list[str]:
        """The models there should be."""
        own = [name for name in self._asked if name in self._own]
        return [*(name for name in self._asked if name not in self._own), POOLED, *own]

    def done(self, name: str) -> bool:
        """Whether a sound model is in use that was trained, or preferred to one trained, on this data by this code."""
        lineage = self._lineage(name)
        return self._registry.has(name, lineage.data_hash, lineage.code_version)

    def finish(self, wanted: Sequence[str]) -> None:
        """Write down which models there are, and drop those of outcomes no longer declared."""
        self._registry.finish([name for name in wanted if self.done(name)])

    def train(self, name: str, progress: Progress) -> None:
        """Train, test, refit and score the model of that name; put it in use unless it is worse than the one there.

        One that was damaged is put back from its version's copy where that is of this data and code.
        """
        if self._put_back(name):
            progress(1.0, f"{name}: what was damaged is put back from its version's copy")
            return
        candidate = self._candidate(name, progress)
        if candidate is None:
            return
        judged = self._judge(candidate)
        version = self._versions.offer(candidate, judged)
        if not judged.promoted:
            self._keep(name, self._registry.candidate(name))
            progress(1.0, f"{name}: version {version.number} was refused: {judged.words}")

    def _put_back(self, name: str) -> bool:
        """Whether the copy of the version in use was made by this code on this data, and is in use again."""
        try:
            used = [version for version in self._versions.of(name) if version.status == IN_USE]
            copies = [self._versions.registry_of(version).candidate(name) for version in used[-1:]]
        except (NotFoundError, NotBuiltError, ChecksumError):
            return False
        lineage = self._lineage(name)
        for copy in copies:
            if lineage == Lineage(copy.cards[0].data_hash, copy.cards[0].code_version):
                self._registry.commit(copy)
                return True
        return False

    def back(self, name: str, number: int | None = None) -> Version:
        """Put an earlier version in use, scoring today's customers.

        Raises NotFoundError when there is none, or it answers what is no longer declared; InternalError.
        """
        version, candidate = self._versions.earlier(name, number)
        if candidate.asked != self._declaration(name):
            raise NotFoundError(
                f"Version {version.number} of {name} was made for another declaration than today's, so it cannot be put "
                "back in use.",
                f"{name}的第{version.number}版是按另一种声明训练的，不能重新启用。",
            )
        self._keep(name, candidate)
        return self._versions.mark_in_use(version)

    def rescore(self, name: str) -> None:
        """Score today's customers with the model in use. Raises NotBuiltError for one that other code made."""
        candidate = self._registry.candidate(name)
        made = candidate.checked or candidate.cards[0]
        if made.code_version != self._lineage(name).code_version:
            raise NotBuiltError(f"The model {name} is of another version; run: segassist build")
        self._keep(name, candidate)

    def _keep(self, name: str, candidate: Candidate) -> None:
        """Put a model of before in use with scores as of today, so that the next build leaves it there."""
        as_of = self._tables.as_of
        now = scores(self._matrices, name, load(candidate.model), self._asked.get(name), as_of)
        cards = tuple(replace(each, scored_as_of=as_of.isoformat()) for each in candidate.cards)
        self._registry.commit(replace(candidate, scores=now, cards=cards, checked=self._lineage(name)))

    def _judge(self, candidate: Candidate) -> Contest:
        name = candidate.name
        if not self._registry.has_any(name) or candidate.tested is None:
            return FIRST
        cut = date.fromisoformat(candidate.cards[0].test_cut)

        def rival() -> pd.DataFrame:
            used = self._registry.candidate(name)
            if used.trial is None or used.asked != candidate.asked:
                raise NotBuiltError("it was made by an older version or for another question")
            return scores(self._matrices, name, load(used.trial), self._asked.get(name), cut)

        return contest(candidate.tested, rival)

    def _lineage(self, name: str) -> Lineage:
        version = self._version
        if name in self._own:
            version = hashlib.sha256(f"{version}{to_json(self._asked[name])}".encode()).hexdigest()[:12]
        if name != POOLED and (settings := self._settings(self._asked[name])) != settings_of(
            self._asked[name]
        ):
            reads = self._matrices.sequences.version if NAMED[settings.family].sequence else ""
            version = hashlib.sha256(f"{version}{settings}{reads}".encode()).hexdigest()[:12]
        return Lineage(self._tables.data_hash, version)

    def _settings(self, asked: Declared) -> Settings:
        """How an outcome's model is trained: as a comparison or a person chose, or by default."""
        choice = self._choices.of(asked.name)
        return settings_of(asked) if choice is None else trained_by(choice, settings_of(asked))

    def _declaration(self, name: str) -> dict[str, Any] | None:
        """What the workspace declares of that name, as JSON; None for an outcome that every workspace has."""
        return to_json(self._asked[name]) if name in self._own else None

    def _candidate(self, name: str, progress: Progress) -> Candidate | None:
        if name == POOLED:
            plan = temporal_plan(self._tables.first_day, self._tables.as_of)
            return train_categories(self._matrices, plan, self._lineage(name), progress)
        return self._customers(self._asked[name], progress)

    def _plan(self, asked: Declared, settings: Settings) -> TemporalPlan:
        longest = max(outcome.horizon_days for outcome in (*CUSTOMER_OUTCOMES, asked))
        try:
            return temporal_plan(self._tables.first_day, self._tables.as_of, longest, settings.step_days)
        except DataError as error:
            if asked.name not in self._own:
                raise
            raise DataError(
                f"outcomes: '{asked.name}' looks {asked.horizon_days} days ahead, and the history is too short to learn "
                f"and to test that: {error}"
            ) from error

    def _customers(self, asked: Declared, progress: Progress) -> Candidate | None:
        name, settings = asked.name, self._settings(asked)
        plan = self._plan(asked, settings)
        held = validation_cuts(plan.train, asked.horizon_days, settings)
        encoder, begun = b"", 0.0
        if NAMED[settings.family].sequence:
            # Before the cuts that the head is calibrated on, so that none of them is judged by what its encoder has seen.
            encoder = self._matrices.sequences.train(
                settings.family, held[0], settings.steps, _part(progress, 0, 2)
            )
            begun = 0.5
        snapshots = {}
        cuts = sorted({*plan.served, plan.test})
        for place, cut in enumerate(cuts):
            progress(begun + (0.6 - begun) * place / len(cuts), f"{name}: what was known on {cut}")
            snapshots[cut] = self._matrices.snapshot(asked, cut, encoder)
        progress(0.6, f"{name}: training")
        training, test = [snapshots[cut] for cut in plan.train], snapshots[plan.test]
        if any(constant(chosen) for chosen in (training, [test])):
            progress(1.0, f"{name}: the data has no such event to learn from, so there is no model")
            return None
        trial = dated(self._matrices, learn(asked, training, settings, encoder), asked, plan.test)
        progress(0.8, f"{name}: testing on {plan.test}")
        results, said = judge_model(asked, trial, training, test)
        progress(0.85, f"{name}: training the served model")
        refitted = trial.refitted([snapshots[cut] for cut in plan.served], settings)
        model = dated(self._matrices, refitted, asked, plan.as_of)
        lineage = self._lineage(name)
        cards = tuple(
            card(each, name, result, model, plan, held, lineage) for each, result in results.items()
        )
        learned = reference([snapshots[cut].features[list(model.features)] for cut in plan.served])
        now = scores(self._matrices, name, model, asked, plan.as_of)
        progress(1.0, f"{name}: AUC {cards[0].auc:.3f}")
        own = self._declaration(name)
        return Candidate(name, model.to_bytes(), now, cards, trial.to_bytes(), said, learned, own)


def settings_of(asked: Declared) -> Settings:
    """How an outcome's model is trained before families were compared."""
    if isinstance(asked, NextAction):
        return ACTIONS
    return COUPONS if asked.event == "coupon_redeem" else CUSTOMERS


def learn(asked: Declared, snapshots: Sequence[Snapshot], settings: Settings, encoder: bytes = b"") -> Model:
    """Train a model of an outcome, or of which action comes first. encoder: as for `train_family`."""
    if isinstance(asked, NextAction):
        names = [outcome.name for outcome in answers(asked)]
        return train_next(snapshots, asked.horizon_days, names, settings)
    if settings.family not in (BOOSTED, BLEND):
        return train_family(snapshots, asked.horizon_days, settings, encoder)
    return train(snapshots, asked.horizon_days, settings)


def judge_model(
    asked: Declared, model: Model, training: Sequence[Snapshot], test: Snapshot
) -> tuple[dict[str, ev.Evaluation], pd.DataFrame]:
    """How each outcome did on the test cut, the mean over a next action's answers first; and what was said."""
    said: dict[str, pd.Series] = {}
    results: dict[str, ev.Evaluation] = {}
    samples = []
    for place, outcome in enumerate(each_outcome(asked)):
        past, held = list(training), test
        if isinstance(model, NextActionModel):
            past, held = [_only(each, place) for each in training], _only(test, place)
            predicted = model.predict_all(test.features)[outcome.name]
        else:
            predicted = model.predict(test.features)
        known = labels_of(held)
        if known.min() == known.max():
            continue
        baseline = ev.baseline_scores(past, test.features)
        results[outcome.name] = ev.evaluate(known, predicted.to_numpy(), baseline)
        said |= {outcome.name: predicted, LABEL + outcome.name: pd.Series(known, predicted.index)}
        if isinstance(asked, NextAction):
            samples.append(ev.bootstrap_auc(known, predicted.to_numpy()))
    if isinstance(asked, NextAction):
        results = {asked.name: ev.mean(results, samples)} | results
    return results, pd.DataFrame(said)


def _only(snapshot: Snapshot, answer: int) -> Snapshot:
    """The snapshot with 1 for one answer of a next action and 0 for all others."""
    known = pd.Series(labels_of(snapshot) == answer, snapshot.features.index)
    return replace(snapshot, labels=known.astype("int8"))
