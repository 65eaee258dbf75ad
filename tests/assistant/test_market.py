"""Questions about goods, orders and campaigns: heard in both languages, answered from the rooms, grounded."""

import json
import re
import shutil

import duckdb
import pytest

from assistant.disclosure import Viewer, read_by
from assistant.market_intents import MARKET_TOOLS, market_arguments, market_tool
from assistant.rooms import Rooms
from assistant.toolbox import call_tool
from assistant.tools import Tools
from assistant.tools_market import anomalies
from assistant.workspace import open_workspace
from eval.cases import load_cases
from segments.errors import DefinitionError, ForbiddenError, NotFoundError
from tests.assistant.conftest import SOUP, Talk, call, fresh_workspace, shown_in, values

ASKED = {
    "bought_together": ("what sells together with soup?", "汤和什么一起卖得好？"),
    "forecast_demand": ("forecast demand for beer", "预测啤酒的需求"),
    "find_anomalies": ("any suspicious customers?", "有没有可疑的客户？"),
    "mail_frequency": ("how many mails are too many?", "多少封邮件算太多？"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("tool", ASKED)
def test_a_market_question_runs_its_tool_and_shows_what_it_found(talk, tool, language):
    answer = talk.ask(ASKED[tool][language == "zh"], call(tool))
    assert [called["name"] for called in answer.tool_calls] == [tool]
    assert answer.language == language
    assert answer.segment is None
    assert len(answer.answer) > 100
    assert values(answer.answer) <= shown_in(answer.evidence)


@pytest.mark.parametrize(
    ("message", "tool"),
    [
        ("do mailers help soup sales?", "placement_effect"),
        ("what is the effect of displays on cereal", "placement_effect"),
        ("邮件广告对汤的销量有帮助吗？", "placement_effect"),
        ("how much milk should we order for next month", "forecast_demand"),
        ("未来四周牛奶的销量预测", "forecast_demand"),
        ("which orders look odd?", "find_anomalies"),
        ("优惠券有没有欺诈？", "find_anomalies"),
        ("which products are bought alongside beer?", "bought_together"),
        ("哪些商品常和啤酒一起购买？", "bought_together"),
        ("how often should we mail them?", "mail_frequency"),
        ("Which display position works best for soup?", "placement_effect"),
        ("Is it worth putting cereal on the front page of the mailer?", "placement_effect"),
        ("哪个陈列位最适合汤？", "placement_effect"),
        ("啤酒放端架能多卖吗？", "placement_effect"),
        ("After how many mailings does response drop off?", "mail_frequency"),
        ("Should we cap how often customers are contacted?", "mail_frequency"),
        ("营销活动发多了会不会让客户反感？", "mail_frequency"),
        ("应不应该限制触达频率？", "mail_frequency"),
        ("Which coupons look abused?", "find_anomalies"),
        ("Who is behaving strangely?", "find_anomalies"),
        ("有没有黄牛？", "find_anomalies"),
        ("What's the risk of running out of beer?", "forecast_demand"),
        ("Will 200 units of soup be enough for the next four weeks?", "forecast_demand"),
        ("奶酪的安全库存应该是多少？", "forecast_demand"),
        ("汤要补货吗？", "forecast_demand"),
        ("Which products should we bundle with beer?", "bought_together"),
        ("What do beer buyers also buy?", "bought_together"),
        ("买尿布的人通常还会买什么？", "bought_together"),
        ("Which products have the worst reviews?", "review_sentiment"),
        ("How do customers feel about delivery?", "review_sentiment"),
        ("差评最多的商品是哪些？", "review_sentiment"),
        ("评论里负面情绪多吗？", "review_sentiment"),
        ("customers who wrote a bad review", None),
        ("写过差评的客户", None),
        ("display the segment that spends most", None),
        ("households who buy more shelf-stable seafood", None),
        ("在货架旁领过券的顾客里消费最多的", None),
        ("people we mail too often who bought beer", None),
        ("customers who bought beer and chips together", None),
        ("which customers buy beer together with wine", None),
        ("哪些客户同时购买啤酒和葡萄酒", None),
        ("customers who got more than 3 mails", None),
        ("people with an unusual number of orders", None),
    ],
)
def test_which_messages_are_market_questions(message, tool):
    assert market_tool(message) == tool


def test_no_question_about_customers_is_taken_for_a_market_question():
    taken = [
        turn
        for case in load_cases()
        if case.split == "dev" and case.tool not in MARKET_TOOLS
        for turn in case.turns
        if market_tool(turn)
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("forecast demand for beer at store 367", {"store": "367"}),
        ("will 1,500 units of beer in stock last?", {"stock": 1500.0}),
        ("啤酒库存500件够不够？", {"stock": 500.0}),
        ("200件酸奶够卖四周吗？", {"stock": 200.0}),
        ("will 500 cases of beer at store 367 last?", {"stock": 500.0, "store": "367"}),
        ("How much beer should store 367 order?", {"store": "367"}),
        ("forecast demand for beer", {}),
    ],
)
def test_stores_and_stocks_are_read(message, expected):
    assert market_arguments("forecast_demand", message) == expected


def test_what_is_odd_is_told_by_its_kind():
    kinds = {
        "any fraud with coupons?": "coupon",
        "有没有可疑的订单？": "order",
        "suspicious customers": "customer",
    }
    assert {m: market_arguments("find_anomalies", m)["kind"] for m in kinds} == kinds


def test_stock_and_store_reach_the_forecast(talk):
    answer = talk.ask("will 100 units of beer in stock at store 367 last?", call("forecast_demand"))
    assert answer.tool_calls[0]["arguments"] == {"category": "BEERS/ALES", "store": "367", "stock": 100.0}
    figures = {figure["name"]: figure["value"] for figure in answer.evidence[0]["figures"]}
    key = "BEERS/ALES @ 367"
    assert figures[f"{key}.stock"] == 100
    assert 0 <= figures[f"{key}.risk"] <= 1
    assert figures[f"{key}.order_up_to"] >= figures[f"{key}.expected"]


def test_a_category_is_asked_for_when_none_is_named(talk):
    assert "which category" in talk.ask("forecast demand", call("forecast_demand")).clarification
    assert "品类" in talk.ask("预测需求", call("forecast_demand")).clarification


def test_the_current_segment_stays_and_them_means_it(talk):
    talk.use(SOUP)
    answer = talk.ask("what do they buy together?", call("bought_together"))
    assert talk.current == SOUP
    found = {figure["name"]: figure["value"] for figure in answer.evidence[1]["figures"]}
    everyone = talk.ask("what sells together?", call("bought_together")).evidence[0]["figures"]
    assert found["customers"] < {figure["name"]: figure["value"] for figure in everyone}["customers"]


def test_recommendations_name_products_and_say_how_they_were_tested(talk):
    talk.use(SOUP)
    answer = talk.ask("what should we recommend to them?", call("recommend_products"))
    evidence = {item["tool"]: item for item in answer.evidence}
    assert evidence["recommend_items"]["rows"][0]["level"] == "product"
    figures = {figure["name"]: figure for figure in evidence["ranking_test"]["figures"]}
    best = figures["method"]["value"]
    assert figures[f"{best}.ndcg"]["value"] >= figures["item_knn.ndcg"]["value"]
    assert figures[f"{best}.recall_ratio"]["low"] > 1.3
    assert figures[f"{best}.recall_ratio"]["display"] in answer.answer


def test_what_does_not_exist_is_told(rooms):
    with pytest.raises(NotFoundError, match="there is no store 'moon'"):
        rooms.market.demand("moon")
    with pytest.raises(DefinitionError, match="give one of customer, order, coupon"):
        anomalies(rooms, "planet")


def test_a_workspace_without_placements_says_so(rooms):
    if "placements" in rooms.warehouse.connection.list_tables():
        found = {e.position: e for e in rooms.market.placement("SOUP").effects}
        assert found["mailer"].low > 1
    else:
        with pytest.raises(NotFoundError, match="no record of display and mailer positions"):
            rooms.market.placement("SOUP")


@pytest.fixture
def displayed(demo_folder, tmp_path, request) -> Talk:
    """A talk over the demo's data with a planted record of positions: front end caps double what soup sells."""
    workspace = fresh_workspace(demo_folder, tmp_path)
    (workspace / "warehouse.duckdb").unlink()
    shutil.copy(demo_folder / "warehouse.duckdb", workspace / "warehouse.duckdb")
    with duckdb.connect(workspace / "warehouse.duckdb") as connection:
        connection.execute(
            """CREATE OR REPLACE TABLE positions AS
            SELECT item_id, week, display, '' AS mailer, stores, stores * each AS units
            FROM (SELECT item_id FROM items WHERE category = 'SOUP' ORDER BY item_id LIMIT 20),
                 (SELECT unnest(range(1, 9)) AS week),
                 (VALUES ('', 60, 1.0), ('display_front_end_cap', 20, 2.0), ('display_in_shelf', 9, 1.0))
                 AS cells (display, stores, each)"""
        )
    return Talk(Rooms(open_workspace(workspace)), request.node.nodeid.replace(":", " "))


def test_single_displays_are_told_apart_where_the_record_has_them(displayed):
    answer = displayed.ask("Which display position works best for soup?", call("placement_effect"))
    assert [item["tool"] for item in answer.evidence] == ["placement_effect", "display_positions"]
    figures = {figure["name"]: figure["value"] for figure in answer.evidence[1]["figures"]}
    assert figures["display_front_end_cap.factor"] == pytest.approx(2, rel=1e-3)
    assert answer.answer.index("front end cap") < answer.answer.index("in-shelf display")
    assert values(answer.answer) <= shown_in(answer.evidence)
    chinese = displayed.ask("哪个陈列位最适合汤？", call("placement_effect"))
    assert "前端架" in chinese.answer
    assert displayed.rooms.market.positions("YOGURT").effects == ()


def test_few_customers_are_not_counted_out(talk):
    answer = talk.ask("any suspicious customers?", call("find_anomalies"))
    counts = [f["value"] for f in answer.evidence[0]["figures"] if f["unit"] == "customers"]
    assert all(isinstance(count, str) or count >= 10 for count in counts)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("any suspicious customers?", "Which they are is not told in a chat"),
        ("有没有可疑的客户？", "具体是谁不在对话中显示"),
        ("which orders look odd?", "Which they are is not told in a chat"),
        ("哪些订单异常？", "具体是谁不在对话中显示"),
    ],
)
def test_of_one_person_the_chat_tells_neither_who_nor_what_is_odd(talk, question, told):
    answer = talk.ask(question, call("find_anomalies"))
    assert answer.evidence[0]["rows"] == []
    assert told in answer.answer
    flagged = {figure["name"]: figure["display"] for figure in answer.evidence[0]["figures"]}["flagged"]
    assert flagged in answer.answer
    shown = answer.answer + json.dumps(answer.evidence, ensure_ascii=False)
    ids = {*talk.rooms.purchases["customer_id"], *talk.rooms.purchases["order_id"].astype(str)}
    assert not ids & set(re.findall(r"\w{8,}", shown))


def test_of_coupons_the_oddest_are_told(talk):
    answer = talk.ask("优惠券有没有欺诈？", call("find_anomalies"))
    row = answer.evidence[0]["rows"][0]
    assert f"{row['id']}: {row['reasons_zh'][0]}" in answer.answer


def test_who_may_export_gets_the_odd_customers_by_their_own_ids(rooms):
    with read_by("ada", Viewer("ada", exact=True)):
        found = call_tool(Tools(rooms), "export_anomalies", {"kind": "customer"})["evidence"][0]["rows"]
    known = set(rooms.vault.source_ids(list(rooms.purchases["customer_id"].unique())))
    assert found
    assert all(row["id"] in known and row["reasons"] and row["reasons_zh"] for row in found)
    with read_by("bob"), pytest.raises(ForbiddenError, match="a single customer is spoken of only"):
        call_tool(Tools(rooms), "export_anomalies", {"kind": "order"})


def test_every_market_tool_is_known():
    """What reviews say is asked in `test_reviews`: the demo has none."""
    assert set(ASKED) | {"placement_effect", "review_sentiment"} == set(MARKET_TOOLS)
