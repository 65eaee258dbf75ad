"""The language: JSON round trip, checks that name the field, words, canonical form, edits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.canonical import canonical, fingerprint
from segments.catalogue import standard_catalogue
from segments.check import issues, validate
from segments.codec import from_json, to_json
from segments.definition import (
    AllOf,
    AnyOf,
    EventCondition,
    FeatureCondition,
    ItemFilter,
    MemberOf,
    Not,
    PropensityCondition,
    SimilarityCondition,
    Window,
)
from segments.edit import add, change, difference, either, remove
from segments.errors import DefinitionError
from segments.explain import explain
from segments.schema import json_schema
from segments.vocabulary import Vocabulary

CATALOGUE = standard_catalogue(["GROCERY", "MEAT-PCKGD"])
VOCABULARY = Vocabulary(
    CATALOGUE,
    {"category": {"SOUP", "BEERS/ALES"}, "department": {"GROCERY"}, "brand": {"Private"}},
    segments={"loyal"},
    outcomes={"purchase_30d"},
)

features = st.builds(
    FeatureCondition,
    st.sampled_from(["orders_90d", "spend_90d", "recency_days"]),
    st.sampled_from([">=", ">", "<=", "<", "="]),
    st.integers(0, 20),
)
events = st.builds(
    EventCondition,
    st.sampled_from(["purchase", "coupon_redeem"]),
    st.sampled_from(
        [ItemFilter(), ItemFilter(category=("SOUP",)), ItemFilter(category=("BEERS/ALES", "SOUP"))]
    ),
    st.sampled_from([Window(), Window(90, 0), Window(60, 30)]),
    st.sampled_from(["count", "quantity", "value"]),
    st.sampled_from([">=", "<", "="]),
    st.integers(0, 5),
)
others = st.sampled_from(
    [
        PropensityCondition("purchase_30d", top_share=0.1),
        SimilarityCondition(50, segment=FeatureCondition("orders_90d", ">=", 5)),
        MemberOf("loyal"),
    ]
)
trees = st.recursive(
    features | events | others,
    lambda children: (
        st.lists(children, min_size=1, max_size=3).map(lambda c: AllOf(tuple(c)))
        | st.lists(children, min_size=1, max_size=3).map(lambda c: AnyOf(tuple(c)))
        | children.map(Not)
    ),
    max_leaves=6,
)


def test_the_catalogue_is_complete_and_bilingual():
    assert len(CATALOGUE) >= 40
    for feature in CATALOGUE:
        assert feature.en, feature.name
        assert feature.zh, feature.name
        assert feature.synonyms_en, feature.name
        assert feature.synonyms_zh, feature.name


@given(trees)
def test_json_round_trip(tree):
    assert from_json(json.loads(json.dumps(to_json(tree)))) == tree


@given(trees)
def test_canonical_form_is_idempotent_and_survives_json(tree):
    once = canonical(tree)
    assert canonical(once) == once
    assert fingerprint(from_json(to_json(tree))) == fingerprint(tree)


@given(trees, trees)
def test_the_usual_identities_have_one_hash(a, b):
    assert fingerprint(AllOf((a, b))) == fingerprint(AllOf((b, a, a)))
    assert fingerprint(Not(Not(a))) == fingerprint(a)
    assert fingerprint(Not(AllOf((a, b)))) == fingerprint(AnyOf((Not(a), Not(b))))
    assert fingerprint(AllOf((AllOf((a,)), b))) == fingerprint(AllOf((a, b)))


def test_ranges_of_one_quantity_merge():
    low, high = FeatureCondition("orders_90d", ">=", 5), FeatureCondition("orders_90d", "<=", 10.0)
    assert canonical(AllOf((low, high))) == FeatureCondition("orders_90d", "between", (5, 10))
    assert canonical(AllOf((low, FeatureCondition("orders_90d", ">", 7)))) == FeatureCondition(
        "orders_90d", ">", 7
    )
    assert canonical(EventCondition("purchase", op="=", value=0)) == Not(EventCondition("purchase"))


@given(trees)
def test_every_tree_has_words_in_both_languages(tree):
    assert explain(tree, CATALOGUE, "en")
    assert explain(tree, CATALOGUE, "zh")


def test_words_say_what_the_definition_says():
    node = AllOf(
        (
            EventCondition("purchase", ItemFilter(category=("SOUP",)), Window(90), "value", ">", 50),
            Not(EventCondition("purchase", window=Window(30))),
        )
    )
    assert explain(node, CATALOGUE) == (
        "customers who bought category SOUP for more than $50 in total in the last 90 days "
        "and did not buy anything in the last 30 days"
    )
    assert (
        explain(node, CATALOGUE, "zh")
        == "最近 90 天内购买品类 SOUP合计超过 $50，并且最近 30 天内未购买的客户"
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"feature": "orders_90", "op": ">=", "value": 5}, "did you mean orders_90d"),
        ({"feature": "orders_90d", "op": "in", "value": [5]}, "does not fit a number"),
        ({"feature": "orders_90d", "op": ">=", "value": "many"}, "must be a number"),
        ({"feature": "weekend_share_365d", "op": ">", "value": 40}, "between 0 and 1"),
        ({"feature": "age", "op": ">=", "value": "57"}, "not one of 19-24"),
        ({"feature": "has_children", "op": "=", "value": "yes"}, "true or false"),
        ({"feature": "orders_90d", "op": "between", "value": [9, 5]}, "low <= high"),
        ({"event": "purchase", "from_days_ago": 30, "to_days_ago": 30}, "is empty"),
        ({"event": "purchase", "items": {"category": ["SOUPS"]}}, "did you mean SOUP"),
        ({"any_of": []}, "nobody could belong"),
        ({"member_of": "loyl"}, "did you mean loyal"),
        ({"propensity": "purchase_3d", "top_share": 0.1}, "no model predicts"),
        (
            {
                "all_of": [
                    {"feature": "orders_90d", "op": ">", "value": 9},
                    {"feature": "orders_90d", "op": "<", "value": 3},
                ]
            },
            "contradict",
        ),
        ({"all_of": [{"event": "purchase"}, {"not": {"event": "purchase"}}]}, "its opposite"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(data, said):
    with pytest.raises(DefinitionError) as caught:
        validate(from_json(data), VOCABULARY)
    assert said in str(caught.value)
    assert len(caught.value.issues) == 1


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        [],
        {},
        {"all_of": {}},
        {"feature": "x"},
        {"event": "buy"},
        {"not": 1},
        {"event": "purchase", "when": 3},
        {"similar_to": {}, "top": 3},
        {"all_of": [], "any_of": []},
    ],
)
def test_what_is_no_definition_is_told_with_its_path(data):
    with pytest.raises(DefinitionError, match="definition"):
        from_json(data)


def test_all_mistakes_are_told_together():
    bad = {
        "all_of": [
            {"feature": "nope", "op": ">=", "value": 1},
            {"event": "purchase", "items": {"category": ["X"]}},
        ]
    }
    assert len(issues(from_json(bad), VOCABULARY)) == 2


def test_deep_nesting_is_refused():
    data: dict = {"event": "purchase"}
    for _ in range(40):
        data = {"not": data}
    with pytest.raises(DefinitionError, match="nested deeper"):
        from_json(data)


def test_edits_keep_what_they_do_not_name():
    soup = EventCondition("purchase", ItemFilter(category=("SOUP",)))
    kids = FeatureCondition("has_children", "=", True)
    both = add(soup, kids)
    assert both == AllOf((soup, kids))
    assert remove(both, soup) == kids
    beer = EventCondition("purchase", ItemFilter(category=("BEERS/ALES",)))
    assert change(both, soup, beer) == AllOf((beer, kids))
    assert either(both, beer) == AnyOf((both, beer))
    assert difference(both, change(both, soup, beer)) == ([beer], [soup])
    with pytest.raises(DefinitionError, match="no such condition"):
        remove(both, beer)


def test_the_schema_enumerates_the_features():
    kinds = json_schema(CATALOGUE)["$defs"]["node"]["oneOf"]
    feature = next(kind for kind in kinds if "feature" in kind["properties"])
    assert "orders_90d" in feature["properties"]["feature"]["enum"]
