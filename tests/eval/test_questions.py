"""The question set keeps its promises: enough of every kind, both splits, golds that hold."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import duckdb
import pytest

from assistant.market_intents import MARKET_TOOLS
from eval.cases import QUESTIONS, Case, load_cases
from segments.canonical import fingerprint
from segments.catalogue import standard_catalogue
from segments.check import issues
from segments.codec import from_json, to_json
from segments.vocabulary import Vocabulary
from warehouse.completejourney import data_files

CASES = load_cases()
OUTCOMES = ("purchase_14d", "purchase_30d", "coupon_redeem_30d")
KINDS = {
    *("basic", "window", "item", "item_and", "item_or", "negation", "measure", "demographic", "habit"),
    *("trend", "coupon", "nested", "conversation", "profile", "lookalike", "propensity", "recommend"),
    *("strategy", "uplift", "value", "compare", "save", "list", "show", "delete", "discover", "market"),
    *("out_of_scope", "destructive", "unknown_field", "vague"),
    *("occasion", "sequence", "repeat", "rank", "model", "tool", "refuse", "clarify"),
}
CAMPAIGN_TOOLS = (
    "assign_holdout",
    "measure_campaign",
    "compare_plans",
    "backtest_strategy",
    "dial_lookalikes",
)
CAMPAIGN_TOOLS += ("write_copy", "save_plan")
TOOLS = {
    *("define_segment", "refine_segment", "profile_segment", "find_lookalikes", "score_propensity"),
    *("discover_segments", "recommend_products", "plan_strategy", "compare_segments", "save_segment"),
    *("estimate_uplift", "customer_value", "trend_segment", "diff_segment"),
    *(
        "breakdown_segment",
        "overlap_segments",
        "count_part",
        "profile_times",
        "profile_places",
        "profile_goods",
        "list_plans",
    ),
    *("find_lookalikes_of_customer", "open_segment", *CAMPAIGN_TOOLS),
    *("list_segments", "delete_segment", "show_segment", "refuse", "clarify", "clarify_or_assume"),
    *MARKET_TOOLS,
}
WITHOUT_SEGMENT = {
    "list_segments",
    "list_plans",
    "discover_segments",
    "refuse",
    "clarify",
    "clarify_or_assume",
    *MARKET_TOOLS,
    *CAMPAIGN_TOOLS,
    "find_lookalikes_of_customer",
    "delete_segment",
    "overlap_segments",
    "open_segment",
}
SEEDS = (
    "who spent over $500 last quarter but went quiet for a month?",
    "find 500 people like them",
    "will they come back?",
    "what do we offer them with $5,000?",
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The departments, categories and brands of the real products."""
    path = data_files()["products"]

    def values(column: str) -> list[str]:
        query = f"SELECT DISTINCT {column} FROM read_parquet($1) WHERE {column} IS NOT NULL ORDER BY 1"
        return [row[0] for row in duckdb.execute(query, [path]).fetchall()]

    departments = values("department")
    items = {"department": departments, "category": values("product_category"), "brand": values("brand")}
    return Vocabulary(standard_catalogue(departments), items, outcomes=OUTCOMES)


def test_there_are_enough() -> None:
    conversations = Counter(case.language for case in CASES if len(case.turns) > 1)
    assert len(CASES) >= 130
    assert sum(case.language == "zh" for case in CASES) >= 35
    assert conversations.total() >= 22
    assert conversations["zh"] >= 7
    assert {case.kind for case in CASES} == KINDS
    assert len(list(QUESTIONS.glob("*.jsonl"))) >= 8


def test_ids_are_unique_and_say_language_and_kind() -> None:
    assert [case_id for case_id, n in Counter(case.id for case in CASES).items() if n > 1] == []
    for case in CASES:
        assert re.fullmatch(
            rf"{case.language}-{case.kind.replace('_', '-')}-(?:\d{{3}}[b-f]?|[d-t]\d\d)", case.id
        ), case.id


def test_no_question_is_asked_twice() -> None:
    assert [turns for turns, n in Counter(case.turns for case in CASES).items() if n > 1] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_case_is_well_formed(case: Case) -> None:
    assert case.split in ("dev", "test")
    assert 1 <= len(case.turns) <= 4
    assert all(turn.strip() == turn and turn for turn in case.turns)
    assert any(re.search("[一-鿿]", turn) for turn in case.turns) == (case.language == "zh")
    assert case.tool in TOOLS
    assert case.gold is not None or (case.tool in WITHOUT_SEGMENT and not case.also)


@pytest.mark.parametrize("case", [case for case in CASES if case.gold is not None], ids=lambda case: case.id)
def test_gold_and_alternatives_hold(case: Case, vocabulary: Vocabulary) -> None:
    assert case.gold is not None
    golds = (case.gold, *case.also)
    for gold in golds:
        assert issues(gold, vocabulary) == []
        assert from_json(to_json(gold)) == gold
    assert len({fingerprint(gold) for gold in golds}) == len(golds), "two readings are the same segment"


def test_enough_is_for_testing_in_each_language() -> None:
    for language, least in (("en", 100), ("zh", 45)):
        splits = [case.split for case in CASES if case.language == language]
        assert splits.count("test") >= least, language
        assert splits.count("test") / len(splits) <= 0.4, language


def test_every_kind_is_in_both_splits() -> None:
    splits = defaultdict(list)
    for case in CASES:
        splits[case.kind].append(case.split)
    only_dev = {"repeat"}
    """A kind that came with the voices d to i; no author of the test questions happened to ask one."""
    alone = {kind for kind, found in splits.items() if len(found) > 1 and len(set(found)) < 2}
    assert alone == only_dev


def test_no_test_audience_is_seen_in_dev() -> None:
    splits = defaultdict(set)
    for case in CASES:
        if case.gold is not None:
            splits[fingerprint(case.gold)].add(case.split)
    assert [gold for gold, found in splits.items() if len(found) > 1] == []


def test_the_seed_questions_are_in_dev() -> None:
    asked = {turn.lower() for case in CASES if case.split == "dev" for turn in case.turns}
    assert [seed for seed in SEEDS if seed not in asked] == []
