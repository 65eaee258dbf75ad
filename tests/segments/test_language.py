"""The language: JSON round trip, checks that name the field, words, canonical form, edits."""

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.canonical import canonical, fingerprint
from segments.catalogue import standard_catalogue
from segments.check import issues, validate
from segments.codec import MAX_DEPTH, from_json, to_json
from segments.definition import (
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    ItemFilter,
    MemberOf,
    Not,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    SimilarityCondition,
    Step,
    TouchCondition,
    UpliftCondition,
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
    discoveries={"2018-01-01-0a1b2c3d": 5},
    campaigns=("13", "18"),
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
    st.sampled_from([Occasion(), Occasion(("sat", "sun")), Occasion(hours=(18, 22), channel=("31",))]),
)
others = st.sampled_from(
    [
        PropensityCondition("purchase_30d", top_share=0.1),
        UpliftCondition("13", top_share=0.1),
        UpliftCondition("13", min_effect=0.02),
        SimilarityCondition(50, segment=FeatureCondition("orders_90d", ">=", 5)),
        SimilarityCondition(9, text="organic food", among=FeatureCondition("orders_90d", ">=", 5)),
        MemberOf("loyal"),
        InCluster("2018-01-01-0a1b2c3d", 2),
    ]
)
soups = ItemFilter(category=("SOUP",))
occasions = st.sampled_from(
    [
        Occasion(),
        Occasion(("sat", "sun")),
        Occasion(hours=(18, 22)),
        Occasion(channel=("31",)),
        Occasion(campaign=("18",)),
    ]
)
behaviour = st.one_of(
    st.builds(
        lambda within, then_not, window, same: SequenceCondition(
            (Step("view", soups), Step("purchase", soups, within)), then_not, window, same
        ),
        st.sampled_from([None, 7]),
        st.sampled_from([None, Step("return", within_days=30)]),
        st.sampled_from([Window(), Window(90)]),
        st.booleans(),
    ),
    st.builds(
        RepeatCondition,
        st.just("view"),
        st.integers(2, 4),
        st.just(7),
        st.sampled_from(["orders", "sessions", "days"]),
        st.just(soups),
        st.just(Window(60, 30)),
        st.sampled_from([None, "purchase"]),
        occasions,
    ),
    st.builds(TouchCondition, st.sampled_from(["first", "last"]), st.just("purchase"), st.just(soups)),
    st.builds(
        ComparisonCondition,
        st.sampled_from(["spend_90d", EventQuantity("purchase", soups, Window(30), "value")]),
        st.sampled_from([">=", "<"]),
        st.sampled_from(["orders_90d", EventQuantity("purchase", window=Window(60, 30), measure="value")]),
        st.sampled_from([1, 0.7, 2.0]),
    ),
    st.builds(
        RankCondition,
        st.just("spend_90d"),
        st.just(50),
        st.none(),
        st.booleans(),
        st.sampled_from([None, FeatureCondition("orders_90d", ">", 2)]),
    ),
    st.just(RankCondition("spend_90d", share=0.1)),
)
trees = st.recursive(
    features | events | behaviour | others,
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


@pytest.mark.parametrize(
    ("how", "en", "zh"),
    [
        (
            {"min_effect": 0.02},
            "are estimated to be at least 2 points likelier to buy because of campaign 13",
            "估计因营销活动 13 而购买的概率至少提高 2 个百分点",
        ),
        (
            {"top_share": 0.1},
            "are in the top 10 % by estimated uplift of campaign 13",
            "营销活动 13 的估计增益位于前 10 %",
        ),
    ],
)
def test_uplift_is_said_to_be_an_estimate(how, en, zh):
    node = from_json({"uplift": "13"} | how)
    assert explain(node, CATALOGUE) == f"customers who {en}"
    assert explain(node, CATALOGUE, "zh") == f"{zh}的客户"


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
        (
            {"member_of": {"discovery": "2018-01-01-0a1b2c3e", "cluster": 2}},
            "did you mean 2018-01-01-0a1b2c3d",
        ),
        ({"member_of": {"discovery": "none", "cluster": 2}}, "segassist segment clusters"),
        ({"member_of": {"discovery": "2018-01-01-0a1b2c3d", "cluster": 6}}, "between 1 and 5; got 6"),
        ({"propensity": "purchase_3d", "top_share": 0.1}, "no model predicts"),
        ({"uplift": "14", "top_share": 0.1}, "known are 13, 18"),
        ({"uplift": "13", "min_effect": 2}, "uplift.min_effect"),
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
        ({"event": "purchase", "hours": [9, 9]}, "is empty"),
        ({"event": "purchase", "hours": [9, 30]}, "in 0..24"),
        ({"sequence": [{"event": "view"}, {"event": "purchase", "within_days": 90_000}]}, "within_days"),
        (
            {"sequence": [{"event": "view", "items": {"brand": ["Privat"]}}, {"event": "view"}]},
            "mean Private",
        ),
        ({"repeat": "view", "times": 3, "within_days": 7, "without": "view"}, "without itself"),
        ({"first": "purchase", "from_days_ago": 10, "to_days_ago": 20}, "is empty"),
        ({"compare": {"feature": "age"}, "op": ">", "than": {"feature": "spend_90d"}}, "only numbers"),
        ({"compare": {"feature": "spend_90d"}, "op": ">", "than": {"feature": "spend_90d"}}, "the same"),
        ({"rank_by": "spend_9d", "count": 5}, "did you mean spend_90d"),
        ({"rank_by": "spend_90d", "share": 2}, "at most 1"),
        ({"rank_by": "spend_90d", "count": 5, "among": {"member_of": "loyl"}}, "did you mean loyal"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_field(data, said):
    with pytest.raises(DefinitionError) as caught:
        validate(from_json(data), VOCABULARY)
    assert said in str(caught.value)
    assert len(caught.value.issues) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"propensity": "purchase_30d", "top_share": 0.1}, "there is no model here yet."),
        ({"uplift": "14", "top_share": 0.1}, "the data tell of none."),
    ],
)
def test_where_there_are_none_it_is_not_said_that_they_are_known(data, said):
    bare = replace(VOCABULARY, outcomes=(), campaigns=())
    with pytest.raises(DefinitionError) as caught:
        validate(from_json(data), bare)
    assert str(caught.value).endswith(said)


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
        {"similar_to": {"text": " "}, "top": 3},
        {"similar_to": {"text": "tea", "customer": "1"}, "top": 3},
        {"all_of": [], "any_of": []},
        {"event": "purchase", "weekdays": ["Sunday"]},
        {"sequence": [{"event": "view"}]},
        {"sequence": [{"event": "view", "within_days": 3}, {"event": "view"}]},
        {"repeat": "view", "times": 1, "within_days": 7},
        {"compare": {"feature": "x", "event": "view"}, "op": ">", "than": {"feature": "y"}},
        {"rank_by": "spend_90d"},
        {"rank_by": "spend_90d", "count": 3, "share": 0.1},
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


@pytest.mark.parametrize("levels", [21, 40, 300, 900, 5000])
@pytest.mark.parametrize("inside", [lambda data: {"not": data}, lambda data: {"all_of": [data]}])
def test_deep_nesting_is_refused(levels, inside):
    """Also where it is too deep for what reads it, and not for what reads JSON."""
    data: dict = {"event": "purchase"}
    for _ in range(levels):
        data = inside(data)
    with pytest.raises(DefinitionError, match="nested deeper"):
        from_json(data)


@pytest.mark.parametrize("inside", [lambda data: {"not": data}, lambda data: {"all_of": [data]}])
def test_what_is_nested_as_deep_as_may_be_is_read(inside):
    data: dict = {"event": "purchase", "items": {"category": ["SOUP"]}, "op": ">=", "value": {"param": "p"}}
    for _ in range(MAX_DEPTH):
        data = inside(data)
    assert from_json(data, {"p": 2.0})


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


@given(trees)
def test_the_schema_accepts_every_definition(tree):
    jsonschema.validate(to_json(tree), json_schema(CATALOGUE))


@pytest.mark.parametrize(
    ("data", "en", "zh"),
    [
        (
            {"sequence": [{"event": "view"}], "then_not": {"event": "purchase", "within_days": 7}},
            "customers who viewed anything ever and then did not buy anything within 7 days",
            "曾经浏览任意商品，之后 7 天内未购买的客户",
        ),
        (
            {"repeat": "view", "times": 3, "within_days": 7, "unit": "sessions", "without": "purchase"},
            "customers who viewed anything in 3 sessions begun within 7 days without a purchase in between ever",
            "曾经在 7 天之内有 3 次会话浏览任意商品且其间未购买的客户",
        ),
        (
            {"first": "purchase", "items": {"category": ["SOUP"]}, "from_days_ago": 90},
            "customers who had their first purchase of category SOUP in the last 90 days",
            "首次购买的是品类 SOUP，时间为最近 90 天内的客户",
        ),
        (
            {
                "compare": {"event": "purchase", "from_days_ago": 90, "measure": "value"},
                "op": "<=",
                "factor": 0.7,
                "than": {"event": "purchase", "from_days_ago": 180, "to_days_ago": 90, "measure": "value"},
            },
            "customers who have the value of purchases in the last 90 days at most 0.7 times "
            "the value of purchases between 180 and 90 days ago",
            "最近 90 天内购买的金额至多180 天前到 90 天前之间购买的金额的 0.7 倍的客户",
        ),
        (
            {"rank_by": "spend_90d", "share": 0.1, "among": {"event": "purchase", "weekdays": ["sat"]}},
            "customers who are in the top 10 % by spend in the last 90 days among "
            "(customers who bought anything on Saturdays ever)",
            "（曾经在周六购买的客户）之中最近90天的消费金额最高的 10 %的客户",
        ),
        (
            {"similar_to": {"text": "tea"}, "top": 5, "among": {"event": "purchase", "weekdays": ["sat"]}},
            "customers who are among the 5 most similar to (those who care most about 'tea') among "
            "(customers who bought anything on Saturdays ever)",
            "（曾经在周六购买的客户）之中与（最关心“tea”的客户）最相似的 5 位的客户",
        ),
    ],
)
def test_the_words_of_behaviour(data, en, zh):
    node = from_json(data)
    assert explain(node, CATALOGUE) == en
    assert explain(node, CATALOGUE, "zh") == zh


def test_the_schema_enumerates_the_features():
    kinds = json_schema(CATALOGUE)["$defs"]["node"]["oneOf"]
    feature = next(kind for kind in kinds if "feature" in kind["properties"])
    assert "orders_90d" in feature["properties"]["feature"]["enum"]
