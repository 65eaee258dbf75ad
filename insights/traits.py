"""What sets a segment apart: the features that differ most between its members and everyone else.

A trait is listed when its interval leaves out "no difference" even after Bonferroni's correction for
the number of comparisons made, so that a random group of customers shows no traits. Of features that
tell the same story (one measure over several windows, or ranks that correlate) the strongest stays.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from insights.effects import LOG_ODDS_TO_D, Effect, hedges_g, log_odds_ratio
from segments.features import Aggregate, Catalogue, Computation, Favourite, Feature, FeatureType, Ratio
from segments.ports import Figure

MAX_CORRELATION = 0.8
"""Two features whose ranks correlate more than this over everyone tell the same story."""


@dataclass(frozen=True)
class Trait:
    """One way in which members differ from all other customers.

    value: the category, band level or boolean it speaks of; None for a number. members, others: means,
    or shares of those with a known value. effect: Hedges' g for a number, log odds ratio for a value;
    strength is the same on the scale of g. index: share among members over share among everyone (values),
    or the ratio of the means (numbers, None where everyone's mean is not positive).
    """

    feature: str
    value: str | None
    unit: str
    members: float
    others: float
    index: float | None
    effect: float
    low: float
    high: float
    strength: float
    known: int
    known_others: int
    label_en: str
    label_zh: str


def trait_figures(trait: Trait, level: float) -> list[Figure]:
    """The numbers of a trait that may be quoted."""
    name = f"trait.{trait.feature}" + (f"={trait.value}" if trait.value is not None else "")
    en, zh = trait.label_en, trait.label_zh
    found = [
        Figure(name, trait.members, trait.unit, f"{en}, members", f"{zh},成员"),
        Figure(f"{name}.others", trait.others, trait.unit, f"{en}, everyone else", f"{zh},其他客户"),
        Figure(
            f"{name}.effect",
            trait.effect,
            "effect",
            f"{en}, {'standardised difference' if trait.value is None else 'log odds ratio'}",
            f"{zh},{'标准化差异' if trait.value is None else '对数优势比'}",
            trait.low,
            trait.high,
            level,
        ),
    ]
    known = f"members for whom it is known ({en})", f"已知成员数({zh})"
    found.append(Figure(f"{name}.known", trait.known, "customers", *known))
    if trait.index is not None:
        found.append(
            Figure(f"{name}.index", trait.index, "ratio", f"{en}, against everyone", f"{zh},与全体之比")
        )
    return found


@dataclass(frozen=True)
class _Candidate:
    trait: Trait
    effect: Effect
    family: object
    column: np.ndarray


def find_traits(
    inside: np.ndarray,
    features: pd.DataFrame,
    catalogue: Catalogue,
    *,
    top: int,
    level: float,
    min_size: int,
    exclude: Collection[str] = (),
) -> tuple[tuple[Trait, ...], int]:
    """The strongest traits of the rows marked in `inside` (bool, one a row), and how many were compared.

    A feature counts when at least `min_size` members and others have a value, a category when it is
    held by at least `min_size` members (fewer would tell of single customers).
    """
    candidates = [
        found
        for feature in catalogue
        if feature.name not in exclude
        for found in _candidates(feature, features[feature.name], inside, min_size, level)
    ]
    return _strongest(candidates, top, level), len(candidates)


def _candidates(
    feature: Feature, column: pd.Series, inside: np.ndarray, min_size: int, level: float
) -> list[_Candidate]:
    known = column.notna().to_numpy()
    if int((known & inside).sum()) < min_size or int((known & ~inside).sum()) < min_size:
        return []
    if feature.numeric:
        found = _number(feature, column.to_numpy(float), known, inside, level)
        return [found] if found else []
    places, values = pd.factorize(column, sort=True)
    return [
        found
        for place, value in enumerate(map(str, values))
        if (value == "True" or feature.type is not FeatureType.BOOLEAN)
        and (found := _value(feature, value, places == place, known, inside, min_size, level))
    ]


def _number(
    feature: Feature, column: np.ndarray, known: np.ndarray, inside: np.ndarray, level: float
) -> _Candidate | None:
    ours, theirs = column[known & inside], column[known & ~inside]
    effect = hedges_g(ours, theirs)
    if effect is None:
        return None
    everyone = float(column[known].mean())
    low, high = effect.interval(level)
    trait = Trait(
        feature=feature.name,
        value=None,
        unit=feature.unit or "ratio",
        members=float(ours.mean()),
        others=float(theirs.mean()),
        index=float(ours.mean()) / everyone if everyone > 0 else None,
        effect=effect.estimate,
        low=low,
        high=high,
        strength=effect.estimate,
        known=len(ours),
        known_others=len(theirs),
        label_en=feature.en,
        label_zh=feature.zh,
    )
    return _Candidate(trait, effect, _family(feature.computation), column)


def _value(
    feature: Feature,
    value: str,
    holds: np.ndarray,
    known: np.ndarray,
    inside: np.ndarray,
    min_size: int,
    level: float,
) -> _Candidate | None:
    ours, theirs = int((holds & inside).sum()), int((holds & ~inside).sum())
    if ours < min_size or 0 < theirs < min_size:
        return None
    n_ours, n_theirs = int((known & inside).sum()), int((known & ~inside).sum())
    effect = log_odds_ratio(ours, n_ours, theirs, n_theirs)
    low, high = effect.interval(level)
    en, zh = _value_labels(feature, value)
    trait = Trait(
        feature=feature.name,
        value=value,
        unit="share",
        members=ours / n_ours,
        others=theirs / n_theirs,
        index=(ours / n_ours) / ((ours + theirs) / (n_ours + n_theirs)),
        effect=effect.estimate,
        low=low,
        high=high,
        strength=effect.estimate * LOG_ODDS_TO_D,
        known=n_ours,
        known_others=n_theirs,
        label_en=en,
        label_zh=zh,
    )
    column = np.where(known, holds.astype(float), np.nan)
    return _Candidate(trait, effect, feature.name, column)


def _value_labels(feature: Feature, value: str) -> tuple[str, str]:
    if feature.type is FeatureType.BOOLEAN:
        return feature.en, feature.zh
    named = value in feature.levels and len(feature.levels_zh) == len(feature.levels)
    zh = feature.levels_zh[feature.levels.index(value)] if named else value
    return f"{feature.en}: {value}", f"{feature.zh}:{zh}"


def _family(computation: Computation) -> object:
    """Equal for features that measure the same thing over other windows."""
    match computation:
        case Aggregate():
            return replace(computation, start=None, end=0)
        case Ratio(numerator, denominator):
            # A trend divides a measure by itself, so its family is not that of the plain measure.
            return _family(numerator), _family(denominator)
        case Favourite(column, _):
            return "favourite", column
        case _:
            return computation


def _strongest(candidates: list[_Candidate], top: int, level: float) -> tuple[Trait, ...]:
    """The strongest traits, at most one a family and none that repeats a stronger one."""
    corrected = 1 - (1 - level) / max(1, len(candidates))
    sure = [c for c in candidates if c.effect.differs(corrected)]
    sure.sort(key=lambda c: (-abs(c.trait.strength), c.trait.feature, c.trait.value or ""))
    chosen: list[_Candidate] = []
    ranks: list[np.ndarray] = []
    for candidate in sure:
        if len(chosen) == top:
            break
        if any(candidate.family == other.family for other in chosen):
            continue
        ranked = _ranks(candidate.column)
        if all(abs(_correlation(ranked, other)) <= MAX_CORRELATION for other in ranks):
            chosen.append(candidate)
            ranks.append(ranked)
    return tuple(candidate.trait for candidate in chosen)


def _ranks(column: np.ndarray) -> np.ndarray:
    return rankdata(column, nan_policy="omit")


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 3 or one[both].std() == 0 or other[both].std() == 0:
        return 0.0
    return float(np.corrcoef(one[both], other[both])[0, 1])
