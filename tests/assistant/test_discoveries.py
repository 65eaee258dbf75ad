"""A discovered cluster is part of the language: counted, explained, saved, and gone with who is erased."""

import re

import pytest

from assistant.natural_segments import discover_segments
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.definition import AllOf, InCluster
from segments.errors import DefinitionError
from segments.explain import explain
from tests.assistant.conftest import call, shown_in, values
from warehouse.why import why


@pytest.fixture
def clusters(rooms):
    evidence = discover_segments(rooms, 4)
    sizes = {figure.name: figure.value for figure in evidence.figures}
    return [(from_json(row["definition"]), sizes[f"size_{row['number']}"]) for row in evidence.rows]


def test_each_cluster_has_the_members_it_was_discovered_with(rooms, clusters):
    assert len(clusters) == 4
    found = [set(rooms.audiences.members(definition)) for definition, _ in clusters]
    assert [len(members) for members in found] == [size for _, size in clusters]
    assert len(set().union(*found)) == sum(map(len, found)) == rooms.audiences.population
    again = [from_json(row["definition"]) for row in discover_segments(rooms, 4).rows]
    assert again == [definition for definition, _ in clusters]


def test_what_is_no_product_says_nothing_of_a_cluster(rooms):
    excluded = rooms.workspace.settings.exclude_categories
    assert "COUPON/MISC ITEMS" in excluded
    rows = discover_segments(rooms, 4).rows
    named = {each["category"] for row in rows for each in row["categories"]}
    assert named
    assert not named & set(excluded)


def test_a_cluster_combines_with_the_rest_of_the_language(rooms, clusters):
    first = clusters[0][0]
    spenders = from_json({"feature": "spend_90d", "op": ">", "value": 200})
    both = AllOf((first, spenders))
    members = rooms.audiences.members(both)
    assert set(members) == set(rooms.audiences.members(first)) & set(rooms.audiences.members(spenders))
    assert rooms.audiences.size(both) == len(members)
    assert fingerprint(both) == fingerprint(AllOf((spenders, first, first)))
    words = explain(both, rooms.warehouse.catalogue, "en")
    assert f"belong to cluster 1 of the discovery {first.discovery}" in words
    assert "第1个自然分群" in explain(both, rooms.warehouse.catalogue, "zh")
    assert "listed_customers" in rooms.audiences.sql(first)
    verdicts = why(rooms.audiences, both, members[0]).verdicts
    assert [(v.condition, v.holds) for v in verdicts] == [(first, True), (spenders, True)]
    rooms.library.save("crowd", first)
    assert rooms.audiences.size(from_json({"member_of": "crowd"})) == clusters[0][1]


def test_an_unknown_cluster_and_a_past_date_are_told(rooms, clusters):
    first = clusters[0][0]
    with pytest.raises(DefinitionError, match="between 1 and 4; got 9"):
        rooms.audiences.size(InCluster(first.discovery, 9))
    with pytest.raises(DefinitionError, match="no discovery '2001-01-01-00000000'"):
        rooms.audiences.size(InCluster("2001-01-01-00000000", 1))
    with pytest.raises(DefinitionError, match="membership of a discovered cluster is known only as of today"):
        rooms.audiences.at(rooms.warehouse.as_of.replace(day=1, month=6, year=2017)).size(first)


@pytest.mark.parametrize(
    ("asked", "why", "dense"),
    [
        (
            "find natural segments",
            r"Why this many: (\d) .*silhouette",
            "With no number given: density clustering",
        ),
        ("找出自然分群", r"为什么分成这么多类：.*?(\d)类区分度最好.*轮廓系数", "不指定类数时：密度聚类"),
        (
            "find 4 natural segments",
            r"Why this many: (4) was asked for",
            "With no number given: density clustering",
        ),
    ],
)
def test_why_this_many_and_what_density_clustering_sees_is_told(talk, asked, why, dense):
    answer = talk.ask(asked, call("discover_segments"))
    found = re.search(why, answer.answer)
    assert found is not None, answer.answer
    assert int(found[1]) == len(answer.evidence[0]["rows"])
    assert dense in answer.answer
    assert values(answer.answer) <= shown_in(answer.evidence)


def test_the_clusters_shown_last_are_named_by_their_number(talk, rooms):
    shown = talk.ask("find 4 natural segments", call("discover_segments"))
    of = shown.evidence[0]["rows"][1]["definition"]
    asked = talk.ask("who is in cluster 2?", call("define_segment"))
    assert asked.segment["definition"] == of
    assert asked.segment["size"] == rooms.audiences.size(from_json(of))
    again = talk.ask("find 3 natural segments", call("discover_segments"))
    assert len(again.evidence[0]["rows"]) == 3
    saved = talk.ask("把第二类客户保存为“省钱族”", call("save_segment"))
    assert saved.segment["definition"] == again.evidence[0]["rows"][1]["definition"] != of
    assert rooms.library.get("省钱族").definition == from_json(saved.segment["definition"])


def test_a_cluster_is_narrowed_and_compared_by_number(talk):
    rows = talk.ask("find 4 natural segments", call("discover_segments")).evidence[0]["rows"]
    narrowed = talk.ask("cluster 3 customers who spent over $500 last month", call("define_segment"))
    assert rows[2]["definition"] in narrowed.segment["definition"]["all_of"]
    compared = talk.ask("compare cluster 1 and the fourth cluster", call("compare_segments"))
    assert compared.tool_calls[-1]["arguments"]["other"] == rows[3]["definition"]
    wrong = talk.ask("who is in cluster 9?", call("define_segment"))
    assert "between 1 and 4; got 9" in wrong.clarification


def test_group_and_numbers_that_name_no_cluster_are_left_alone(talk):
    talk.ask("find 4 natural segments", call("discover_segments"))
    assert "member_of" not in str(talk.ask("customers in age group 45-54", call("define_segment")).segment)


@pytest.mark.parametrize(
    ("question", "told"),
    [("save cluster 2 as thrifty", "find natural segments"), ("把第二类客户保存为“省钱族”", "找出自然分群")],
)
def test_a_number_before_anything_was_discovered_is_told(talk, rooms, monkeypatch, question, told):
    monkeypatch.setattr(rooms.discoveries, "versions", list)
    asked = talk.ask(question)
    assert told in asked.clarification
    assert asked.tool_calls == []


def test_natural_segments_are_listed_with_their_numbers(talk):
    shown = talk.ask("find 4 natural segments", call("discover_segments"))
    listed = re.findall(r"^(\d)\. \*\*(.+?)\*\*", shown.answer, re.MULTILINE)
    assert listed == [(str(row["number"]), row["name"]) for row in shown.evidence[0]["rows"]]
