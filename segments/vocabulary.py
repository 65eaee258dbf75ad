"""The names that exist in a workspace, and near ones for a misspelt name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from segments.features import Catalogue


@dataclass(frozen=True)
class Vocabulary:
    """The names that exist in a workspace. None means: not known here, so not checked.

    items: item field (department, category, brand) -> its values. discoveries: version -> how many clusters.
    campaigns: the past ones that reached somebody.
    """

    catalogue: Catalogue
    items: Mapping[str, Collection[str]] = field(default_factory=dict)
    segments: Collection[str] | None = None
    outcomes: Collection[str] | None = None
    discoveries: Mapping[str, int] | None = None
    campaigns: Collection[str] | None = None


def near_names(name: str, known: Collection[str]) -> list[str]:
    """The known names that one which is not known is most like, best first; none when there are none."""
    return get_close_matches(name, known, n=3, cutoff=0.5)
