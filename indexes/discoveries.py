"""Discoveries of natural segments, kept so that definitions may name their clusters.

A discovery is kept under its version: the as-of date of the index and a hash of who is in which cluster. The same
discovery has the same version and is kept once; who was put into a cluster does not change afterwards, except that
persons who are erased or of whom nothing is left are taken out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from indexes.clusters import Clusters
from segments.atomic import beside
from segments.errors import NotFoundError

FOLDER = "discoveries"
_VERSION = re.compile(r"\d{4}-\d\d-\d\d-[0-9a-f]{8}")
_CLUSTERS = "clusters"
"""Of a file's attributes: what is known of its clusters, in their order."""


@dataclass(frozen=True)
class Kept:
    """One cluster of a kept discovery. size: when it was discovered."""

    number: int
    name_en: str
    name_zh: str
    size: int


class Discoveries:
    """The discoveries kept in a workspace's folder."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / FOLDER

    def keep(self, found: Clusters, as_of: date) -> str:
        """Keep a discovery; its version."""
        labels = found.labels.sort_index()
        text = "\n".join(f"{customer} {number}" for customer, number in labels.items())
        version = f"{as_of.isoformat()}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        if not self._path(version).exists():
            about = [asdict(Kept(c.number, c.name_en, c.name_zh, c.size)) for c in found.clusters]
            table = pd.DataFrame({"customer_id": list(labels.index), "cluster": labels.to_numpy()})
            self._write(version, table, about)
        return version

    def versions(self) -> list[str]:
        """Newest date last."""
        names = (path.stem for path in self._folder.glob("*.parquet"))
        return sorted(name for name in names if _VERSION.fullmatch(name))

    def counts(self) -> dict[str, int]:
        """How many clusters each version has."""
        return {version: len(self.clusters(version)) for version in self.versions()}

    def clusters(self, version: str) -> tuple[Kept, ...]:
        """A discovery's clusters. Raises NotFoundError."""
        return tuple(Kept(**known) for known in self._read(version, []).attrs[_CLUSTERS])

    def members(self, version: str, number: int) -> list[str]:
        """Whom a discovery put into a cluster, by id. Raises NotFoundError."""
        table = self._read(version)
        return table["customer_id"][table["cluster"] == number].tolist()

    def forget(self, customer: str) -> bool:
        """Take a customer out of every discovery; whether they were in one."""
        return self._filter(lambda ids: ids != customer)

    def keep_only(self, customers: Collection[str]) -> bool:
        """Take everybody else out; whether there was somebody."""
        return self._filter(lambda ids: ids.isin(set(customers)))

    def _filter(self, stays: Callable[[pd.Series], pd.Series]) -> bool:
        changed = False
        for version in self.versions():
            table = self._read(version)
            kept = table[stays(table["customer_id"])]
            if len(kept) < len(table):
                self._write(version, kept, table.attrs[_CLUSTERS])
                changed = True
        return changed

    def _path(self, version: str) -> Path:
        return self._folder / f"{version}.parquet"

    def _read(self, version: str, columns: list[str] | None = None) -> pd.DataFrame:
        if not _VERSION.fullmatch(version) or not self._path(version).exists():
            raise NotFoundError(
                f"member_of.discovery: there is no discovery '{version}'.",
                f"member_of.discovery：没有名为“{version}”的聚类。",
            )
        return pd.read_parquet(self._path(version), columns=columns)

    def _write(self, version: str, table: pd.DataFrame, about: list[dict[str, object]]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # pandas keeps a table's attributes in the file's own metadata, so both are written as one.
        table.attrs = {_CLUSTERS: about}
        with beside(self._path(version)) as partial:
            table.to_parquet(partial, index=False)
