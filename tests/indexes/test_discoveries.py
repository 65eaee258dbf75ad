"""Discoveries are kept once each, stay as they were, and lose only who is erased."""

from datetime import date

import pandas as pd
import pytest

from indexes.clusters import Cluster, Clusters
from indexes.discoveries import Discoveries
from indexes.partition import Density
from segments.errors import NotFoundError

DAY = date(2018, 1, 1)


def found(labels: dict[str, int]) -> Clusters:
    series = pd.Series(labels, name="cluster")
    clusters = tuple(
        Cluster(n, int((series == n).sum()), 0.5, f"Shoppers {n}", f"客户{n}", "", "", (), ())
        for n in sorted(set(labels.values()))
    )
    return Clusters(series, clusters, 0.5, None, "", Density(0, 1.0, ""))


def test_the_same_discovery_is_kept_once_and_another_beside_it(tmp_path):
    kept = Discoveries(tmp_path)
    assert kept.versions() == []
    version = kept.keep(found({"a": 1, "b": 1, "c": 2}), DAY)
    assert kept.keep(found({"c": 2, "b": 1, "a": 1}), DAY) == version
    other = kept.keep(found({"a": 1, "b": 2, "c": 2}), DAY)
    assert sorted(Discoveries(tmp_path).versions()) == sorted([version, other])
    assert version.startswith("2018-01-01-")
    assert kept.counts() == {version: 2, other: 2}
    assert kept.members(version, 1) == ["a", "b"]
    assert [(c.number, c.name_en, c.name_zh, c.size) for c in kept.clusters(version)] == [
        (1, "Shoppers 1", "客户1", 2),
        (2, "Shoppers 2", "客户2", 1),
    ]


@pytest.mark.parametrize("version", ["2018-01-01-00000000", "../customers", "x"])
def test_an_unknown_discovery_is_told(tmp_path, version):
    kept = Discoveries(tmp_path)
    (tmp_path / "customers.parquet").write_bytes(b"")
    with pytest.raises(NotFoundError, match="there is no discovery"):
        kept.members(version, 1)


def test_who_is_erased_is_in_no_discovery(tmp_path):
    kept = Discoveries(tmp_path)
    version = kept.keep(found({"a": 1, "b": 1, "c": 2}), DAY)
    assert kept.forget("b")
    assert not kept.forget("b")
    assert kept.members(version, 1) == ["a"]
    assert kept.versions() == [version]
    assert [c.size for c in kept.clusters(version)] == [2, 1]
    assert kept.keep_only({"a", "z"})
    assert kept.members(version, 2) == []
    ids = pd.read_parquet(tmp_path / "discoveries" / f"{version}.parquet")["customer_id"]
    assert list(ids) == ["a"]
