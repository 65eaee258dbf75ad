"""Natural segments: planted groups are found, named in two languages, and the same every time."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from indexes.behaviour import BehaviourVectors
from indexes.clusters import TRAITS, Cluster, Clusters, describe, discover
from indexes.index import CustomerIndex
from segments.errors import DefinitionError, SegAssistError
from tests.indexes.conftest import Tables
from tests.indexes.planted import group_of, planted, random_vectors

GROUPS, EACH = 4, 60
PLANTED = planted(GROUPS, EACH)
INDEX = CustomerIndex.build(PLANTED, "cpu")
IDS = list(PLANTED.customer_ids)
LIKES = ("BEER", "SOUP", "MILK", "CANDY")


def group(customer: str) -> int:
    return group_of(customer, GROUPS)


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """Group 0 orders five times as often, group 1 spends four times as much, the others are alike."""
    random = np.random.default_rng(3)
    table = pd.DataFrame(
        {name: random.uniform(0.4, 0.6, len(IDS)) for name, *_ in TRAITS}, pd.Index(IDS, name="customer_id")
    )
    groups = np.array([group(customer) for customer in IDS])
    table["orders_365d"] *= np.where(groups == 0, 100, 20)
    table["spend_365d"] *= np.where(groups == 1, 4000, 1000)
    table["basket_value_365d"] *= 100
    table["recency_days"] *= 60
    return table


@pytest.fixture(scope="module")
def spend() -> pd.DataFrame:
    """Everyone buys everything, three times as much of what the group likes."""
    rows = [
        (customer, category, 30.0 if LIKES[group(customer)] == category else 10.0)
        for customer in IDS
        for category in LIKES
    ]
    return pd.DataFrame(rows, columns=["customer_id", "category", "value"])


@pytest.fixture(scope="module")
def found(features: pd.DataFrame, spend: pd.DataFrame) -> Clusters:
    return discover(INDEX, features, spend)


def cluster_of(found: Clusters, wanted: int) -> Cluster:
    """The cluster that holds most of a planted group."""
    number = found.labels[[customer for customer in IDS if group(customer) == wanted]].mode()[0]
    return found.clusters[int(number) - 1]


def words(cluster: Cluster) -> tuple[str, ...]:
    return cluster.name_en, cluster.name_zh, cluster.persona_en, cluster.persona_zh


def test_planted_groups_are_found_and_counted_right(found: Clusters) -> None:
    assert adjusted_rand_score([group(customer) for customer in IDS], found.labels[IDS]) > 0.95
    assert len(found.clusters) == GROUPS
    assert found.silhouette > 0.3
    assert re.match(rf"{GROUPS} separates best: silhouette {found.silhouette:.3f} of 3 to 8", found.reason)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_k_is_what_was_asked_for(features: pd.DataFrame, spend: pd.DataFrame, k: int) -> None:
    asked = discover(INDEX, features, spend, k)
    assert len(asked.clusters) == k
    assert set(asked.labels) == set(range(1, k + 1))
    assert asked.reason.startswith(f"{k} was asked for: silhouette {asked.silhouette:.3f}")


@pytest.mark.parametrize("k", [-1, 0, 1, 21])
def test_an_impossible_k_is_told(features: pd.DataFrame, spend: pd.DataFrame, k: int) -> None:
    with pytest.raises(DefinitionError, match=f"between 2 and 20; got {k}"):
        discover(INDEX, features, spend, k)


def test_clusters_are_a_partition_numbered_from_the_largest(
    features: pd.DataFrame, spend: pd.DataFrame
) -> None:
    asked = discover(INDEX, features, spend, 6)
    sizes = [cluster.size for cluster in asked.clusters]
    assert [cluster.number for cluster in asked.clusters] == list(range(1, 7))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes == [int((asked.labels == number).sum()) for number in range(1, 7)]
    assert sum(cluster.share for cluster in asked.clusters) == pytest.approx(1)
    assert sorted(asked.labels.index) == sorted(IDS)


def test_the_same_customers_make_the_same_clusters(
    found: Clusters, features: pd.DataFrame, spend: pd.DataFrame
) -> None:
    again = discover(CustomerIndex.build(PLANTED, "cpu"), features, spend)
    pd.testing.assert_series_equal(again.labels, found.labels)
    assert again.clusters == found.clusters
    assert again.reason == found.reason


def test_customers_without_groups_are_divided_the_same_way_too(spend: pd.DataFrame) -> None:
    # Where nothing separates, another start would end elsewhere.
    index = CustomerIndex.build(random_vectors(len(IDS)), "cpu")
    table = pd.DataFrame(0.5, pd.Index(IDS), [name for name, *_ in TRAITS])
    one, two = (discover(index, table, spend, 6).labels for _ in range(2))
    pd.testing.assert_series_equal(one, two)


@pytest.mark.parametrize("k", [None, 8])
def test_names_and_personas_are_there_in_both_languages(
    features: pd.DataFrame, spend: pd.DataFrame, k: int | None
) -> None:
    clusters = discover(INDEX, features, spend, k).clusters
    for cluster in clusters:
        assert all(text.strip() for text in words(cluster))
        assert re.search("[一-鿿]", cluster.name_zh)
        assert re.search("[一-鿿]", cluster.persona_zh)
        assert not re.search("[一-鿿]", cluster.name_en + cluster.persona_en)
    for name in ("name_en", "name_zh"):
        assert len({getattr(cluster, name) for cluster in clusters}) == len(clusters)


def test_names_say_what_was_planted(found: Clusters) -> None:
    often, rich = cluster_of(found, 0), cluster_of(found, 1)
    assert often.name_en.startswith("Frequent")
    assert "高频" in often.name_zh
    assert "high-spending" in rich.name_en.lower()
    assert "高消费" in rich.name_zh
    assert often.traits[0][0] == "orders_365d"
    for wanted, liked in enumerate(LIKES):
        cluster = cluster_of(found, wanted)
        assert cluster.categories[0][0] == liked
        assert cluster.categories[0][1] == pytest.approx(2, rel=0.05)
        assert liked.lower() in cluster.name_en


def test_a_persona_gives_the_medians(found: Clusters, features: pd.DataFrame) -> None:
    cluster = cluster_of(found, 1)
    inside = features.loc[found.labels.index[found.labels == cluster.number]].median()
    for text in (cluster.persona_en, cluster.persona_zh):
        for figure in (f"{inside['orders_365d']:.0f}", f"${inside['spend_365d']:,.0f}"):
            assert figure in text


def test_clusters_of_real_vectors_are_described(encoded: BehaviourVectors, tables: Tables) -> None:
    made = discover(CustomerIndex.build(encoded, "cpu"), tables.features, tables.spend)
    assert 3 <= len(made.clusters) <= 8
    assert all(text.strip() and "nan" not in text for cluster in made.clusters for text in words(cluster))


def half_asleep(features: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Group 0 has bought nothing for a year: shares and baskets are unknown, orders and spend 0."""
    table, asleep = features.copy(), [customer for customer in IDS if group(customer) == 0]
    table.loc[asleep, ["orders_365d", "spend_365d"]] = 0.0
    table.loc[asleep, [name for name, *_ in TRAITS[2:] if name != "recency_days"]] = np.nan
    table.loc[asleep, "recency_days"] = 500.0
    return table, pd.Series([1 if customer in set(asleep) else 2 for customer in IDS], IDS)


def test_who_bought_nothing_for_a_year_has_no_average_basket(
    features: pd.DataFrame, spend: pd.DataFrame
) -> None:
    table, labels = half_asleep(features)
    assert not [text for text in words(describe(1, labels, table, spend)) if "nan" in text]


def test_who_bought_nothing_is_not_said_to_like_anything(features: pd.DataFrame, spend: pd.DataFrame) -> None:
    table, labels = half_asleep(features)
    awake = spend[[group(customer) != 0 for customer in spend["customer_id"]]]
    cluster = describe(1, labels, table, awake)
    assert "buys more than others of" not in cluster.persona_en
    assert "更常购买" not in cluster.persona_zh
    assert not [category for category, lift in cluster.categories if lift < 1]


@pytest.mark.parametrize(("count", "k"), [(15, 20), (3, None)])
def test_more_clusters_than_customers_is_told(
    features: pd.DataFrame, spend: pd.DataFrame, count: int, k: int | None
) -> None:
    few = BehaviourVectors(PLANTED.customer_ids[:count], PLANTED.matrix[:count], "planted", PLANTED.as_of)
    with pytest.raises(SegAssistError):
        discover(CustomerIndex.build(few, "cpu"), features, spend, k)
