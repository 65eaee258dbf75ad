"""A segment counted by the values of a feature, beside everyone, with small groups held back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from segments.errors import NotFoundError
from segments.features import Catalogue
from warehouse.suppression import suppress

BUCKETS = 5
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Group:
    """One value (or range of values) of the feature.

    size: members with it, None when held back as too small a group or to protect one.
    share: of the members; everyone: the share of all customers with it. Both 0..1.
    """

    label: str
    size: int | None
    share: float | None
    everyone: float


def breakdown(
    members: Sequence[str],
    features: pd.DataFrame,
    catalogue: Catalogue,
    name: str,
    k: int,
    held_back: Callable[[Mapping[str, Sequence[str]]], Collection[str]] = lambda _groups: (),
    counted: Callable[[str, Mapping[str, int]], Mapping[str, int]] = lambda _whose, sizes: sizes,
) -> list[Group]:
    """Members by the feature's levels in their order, or by ranges that cut all customers into fifths.

    Groups of 1 to k - 1 members are held back, and one more where the rest would give them away. held_back: of
    the groups that could be shown, by label, those that must not be for another reason. counted: the sizes by label
    as they may be known, of 'members' and of 'everyone'.
    Raises NotFoundError for an unknown feature.
    """
    feature = catalogue.get(name)
    if feature is None:
        near = " or ".join(catalogue.suggest(name))
        raise NotFoundError(
            f"breakdown.feature: '{name}' is not in the catalogue{f'; did you mean {near}?' if near else '.'}",
            f"breakdown.feature：特征目录中没有“{name}”{f'；您是指{near}吗？' if near else '。'}",
        )
    labels = _labels(features[name], feature.numeric, feature.levels)
    order = list(labels.cat.categories)
    everyone = counted("everyone", {str(label): int(size) for label, size in labels.value_counts().items()})
    mine = labels.loc[list(members)]
    groups = {str(label): mine.index[mine == label].tolist() for label in order}
    known = counted("members", {label: len(group) for label, group in groups.items()})
    sizes = suppress(known, k)
    if also := held_back({label: groups[label] for label, size in sizes.items() if size}):
        sizes = suppress(known, k, also)
    total = sum(known.values())
    return [
        Group(
            str(label),
            sizes[str(label)],
            None if (size := sizes[str(label)]) is None or not total else size / total,
            everyone.get(str(label), 0) / max(1, sum(everyone.values())),
        )
        for label in order
    ]


def _labels(values: pd.Series, numeric: bool, levels: Sequence[str]) -> pd.Series:
    """Every customer's label, as an ordered categorical; missing values are a group of their own."""
    if numeric and values.nunique() > BUCKETS:
        cuts = pd.qcut(values, BUCKETS, duplicates="drop")
        order = [f"{interval.left:,.4g} to {interval.right:,.4g}" for interval in cuts.cat.categories]
        found = cuts.cat.rename_categories(order).astype("object")
    else:
        found = values.map(lambda v: f"{v:g}" if isinstance(v, float) else str(v), na_action="ignore")
        seen = set(found.dropna())
        order = [level for level in levels if level in seen] or sorted(seen, key=_by_number)
    found = found.astype("object").where(found.notna(), UNKNOWN)
    known = [*order, UNKNOWN] if (found == UNKNOWN).any() else order
    return pd.Series(pd.Categorical(found, categories=known, ordered=True), index=values.index)


def _by_number(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text
