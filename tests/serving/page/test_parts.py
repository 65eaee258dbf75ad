"""The page's parts without a browser: words, what to ask next, the editor's actions, HTML, who sees what."""

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import gradio as gr
import pytest

from assistant.library import SavedSegment
from segments.canonical import fingerprint
from segments.catalogue import standard_catalogue
from segments.codec import from_json, to_json
from segments.definition import (
    EVERYONE,
    AllOf,
    AnyOf,
    Condition,
    FeatureCondition,
    MemberOf,
    Not,
    RankCondition,
)
from segments.edit import rooted, walk
from segments.errors import ForbiddenError, NotFoundError, SegAssistError, UserError
from segments.parameters import used_parameters
from serving.access import Caller, Role
from serving.markup import inert
from serving.page import editor_actions, html
from serving.page.card import csv_of
from serving.page.chat import detail
from serving.page.composition import Page
from serving.page.downloads import SECONDS, Downloads
from serving.page.drivers import column_words
from serving.page.editor import Draft, Editor
from serving.page.editor_form import KINDS, Form
from serving.page.session import Session
from serving.page.words import WORDS, Say
from serving.views import Choices, Views
from warehouse.clean import RULES
from warehouse.quality_words import in_words

PAGE = Path(__file__).parents[3] / "serving" / "page"
CHOICES = Choices(
    standard_catalogue(),
    {"favourite_department": ("MEAT", "DELI")},
    {},
    ("Loyal",),
    ("purchase_30d",),
    trials=("18",),
    campaigns={"18": "Type A · 2017-10-30"},
    clusters={"2018-01-01-1de4136b#1": ("Beer", "啤酒")},
    parameters={"many_orders": 12, "best_share": 0.05},
)


BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


def act(tree, do, place="", **more):
    return editor_actions.act(tree, {"do": do, "place": place, **more}, CHOICES)


# Words


def test_every_word_is_there_in_both_languages_with_the_same_places_for_values():
    for key, (en, zh) in WORDS.items():
        assert all(text.strip() for text in (en, zh)), key
        assert set(re.findall(r"{(\w+)}", en)) == set(re.findall(r"{(\w+)}", zh)), key


def test_words_are_chinese_where_they_should_be():
    latin = {key for key, (_, zh) in WORDS.items() if not re.search("[一-鿿]", zh)}
    assert latin == {"model.auc", "model.roc", "card.named", "library.moved"} & latin


def test_every_word_that_the_page_says_is_in_the_table_and_the_other_way_round():
    said, begun = set(), set()
    for path in PAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and path.name != "words.py":
                said.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                begun.add(str(node.values[0].value))
    unused = {
        key
        for key in WORDS
        if key not in said and not any(b and key.startswith(b) for b in begun if "." in b)
    }
    assert unused == set()


def test_outcomes_are_said_as_what_customers_do():
    assert Say("en").outcome("purchase_30d") == "buy within 30 days"
    assert Say("zh").outcome("purchase_30d:BEERS/ALES") == "30天内购买BEERS/ALES"


# The steps of a turn


def test_what_was_wrong_with_a_plan_is_shown_in_its_step():
    assert detail(Say("en"), "check", {"problems": []}) == ": it fits"
    shown = detail(Say("en"), "check", {"problems": ["No tool <b>x</b>.", "No segment."]})
    assert shown.splitlines()[0] == ": 2 problems"
    assert [line.strip() for line in shown.splitlines()[1:]] == [
        f"- {inert('No tool <b>x</b>.')}",
        "- No segment.",
    ]
    assert "<b>" not in shown
    assert detail(Say("zh"), "check", {"problems": ["“x”不是本轮的工具。"]}).endswith("“x”不是本轮的工具。")


# The data quality page and the models' drivers


def test_what_the_quality_report_names_has_chinese_words():
    named = {rule.name for rule in RULES} | {rule.action for rule in RULES}
    without = []
    for path in ("gate.py", "append.py"):
        for node in ast.walk(ast.parse((PAGE.parents[1] / "warehouse" / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Check":
                named |= {arg.value for arg in node.args[:2] if isinstance(arg, ast.Constant)}
                without += [ast.unparse(node)] if not re.search("[一-鿿]", ast.unparse(node.args[-1])) else []
    assert {name for name in named if not re.search("[一-鿿]", in_words(name, "zh"))} == set()
    assert in_words("item_id complete", "zh") == "item_id 完整"
    # What completeness says is put together from a share and words.
    assert [call for call in without if "complete" not in call] == []


def test_what_drives_a_model_is_said_in_words():
    assert column_words("trip_hazard_14", "en") == "shopping: due within 14 days, by own gaps"
    assert column_words("item_recency", "zh") == "该品类：距上次的天数"
    assert column_words("near_expected", "en") == "related categories they buy (near_expected)"


# The editor's actions


def test_a_feature_begins_with_a_value_that_fits_its_type():
    for feature in CHOICES.catalogue:
        made = editor_actions.of_feature(feature, CHOICES)
        assert made.op in feature.operators, feature.name


def test_a_kind_begins_with_what_exists():
    tree = act(EVERYONE, "add", kind="member")
    assert tree == AllOf((MemberOf("Loyal"),))
    nothing = Choices(CHOICES.catalogue, {}, {}, (), ())
    for kind in ("member", "propensity", "uplift", "campaign", "cluster", "spell"):
        with pytest.raises(UserError):
            editor_actions.act(EVERYONE, {"do": "add", "place": "", "kind": kind}, nothing)


VIEWED = {
    "sequence": [{"event": "view"}, {"event": "purchase", "within_days": 7}],
    "from_days_ago": 60,
}
NEVER = {"then_not": {"event": "return"}}
MORE = {"compare": {"event": "view"}, "op": ">", "than": {"feature": "orders_90d"}}
TOP = {"rank_by": "spend_90d", "count": 50}
TWICE = {"repeat": "purchase", "times": 2, "within_days": 30}
FIRST = {"first": "purchase", "from_days_ago": 90}
LIKE = {"similar_to": {"segment": BEER}, "top": 50}
CARE = {"similar_to": {"text": "wine"}, "top": 50}


@pytest.mark.parametrize(
    ("start", "field", "value", "end"),
    [
        ({"feature": "spend_90d", "op": ">=", "value": 1}, "value", "99.5", {"value": 99.5}),
        ({"feature": "spend_90d", "op": ">=", "value": 1}, "value", "many", {"value": "many"}),
        (
            {"feature": "spend_90d", "op": ">=", "value": 1},
            "op",
            "between",
            {"op": "between", "value": [1, 1]},
        ),
        ({"feature": "spend_90d", "op": "between", "value": [1, 9]}, "op", "<", {"op": "<", "value": 1}),
        ({"feature": "age", "op": "=", "value": "65+"}, "op", "in", {"op": "in", "value": ["65+"]}),
        (
            {"feature": "age", "op": "in", "value": ["65+"]},
            "value",
            ["19-24", "65+"],
            {"value": ["19-24", "65+"]},
        ),
        ({"feature": "has_children", "op": "=", "value": True}, "value", "false", {"value": False}),
        ({"event": "purchase"}, "value", "3", {"value": 3, "op": ">="}),
        ({"event": "purchase"}, "start", "30", {"from_days_ago": 30}),
        ({"event": "purchase", "from_days_ago": 30}, "start", "", {"event": "purchase"}),
        ({"event": "purchase"}, "pick.category", "BEEF", {"items": {"category": ["BEEF"]}}),
        (
            {"event": "purchase", "items": {"brand": ["A", "B"]}},
            "drop.brand",
            "A",
            {"items": {"brand": ["B"]}},
        ),
        ({"event": "purchase"}, "measure", "value", {"measure": "value", "op": ">=", "value": 1}),
        ({"propensity": "purchase_30d", "top_share": 0.2}, "value", "5", {"top_share": 0.05}),
        (
            {"propensity": "purchase_30d", "top_share": 0.2},
            "mode",
            "min_probability",
            {"min_probability": 0.2},
        ),
        ({"uplift": "13", "top_share": 0.2}, "value", "5", {"top_share": 0.05}),
        ({"uplift": "13", "top_share": 0.2}, "mode", "min_effect", {"min_effect": 0.2}),
        ({"uplift": "13", "min_effect": 0.02}, "campaign", "18", {"uplift": "18"}),
        ({"member_of": "Loyal"}, "segment", "Other", {"member_of": "Other"}),
        (VIEWED, "step.0.event", "return", {"sequence": [{"event": "return"}, VIEWED["sequence"][1]]}),
        (
            VIEWED,
            "step.1.within_days",
            "",
            {"sequence": [{"event": "view"}, {"event": "purchase"}], "from_days_ago": 60},
        ),
        (
            VIEWED,
            "step.1.pick.category",
            "BEEF",
            {
                "sequence": [
                    {"event": "view"},
                    {"event": "purchase", "within_days": 7, "items": {"category": ["BEEF"]}},
                ]
            },
        ),
        (VIEWED, "add_step", "", {"sequence": [*VIEWED["sequence"], {"event": "purchase"}]}),
        (VIEWED, "then_not", "true", {"then_not": {"event": "purchase"}}),
        (VIEWED | NEVER, "then_not.within_days", "5", {"then_not": {"event": "return", "within_days": 5}}),
        (VIEWED | NEVER, "then_not", "true", NEVER),
        (VIEWED | NEVER, "drop_step", "0", {"sequence": [{"event": "purchase"}]}),
        (VIEWED, "same_item", "true", {"same_item": True}),
        (VIEWED, "end", "5", {"from_days_ago": 60, "to_days_ago": 5}),
        (MORE, "left.what", "spend_90d", {"compare": {"feature": "spend_90d"}}),
        (MORE, "right.what", "", {"than": {"event": "purchase", "from_days_ago": 90}}),
        (MORE, "left.measure", "value", {"compare": {"event": "view", "measure": "value"}}),
        (MORE, "left.start", "30", {"compare": {"event": "view", "from_days_ago": 30}}),
        (MORE, "factor", "1.5", {"factor": 1.5}),
        (MORE, "op", "<", {"op": "<"}),
        (TOP, "feature", "orders_90d", {"rank_by": "orders_90d", "count": 50}),
        (TOP, "value", "25", {"count": 25}),
        (TOP, "mode", "share", {"count": None, "share": 0.1}),
        (TOP, "lowest", "true", {"lowest": True}),
        ({"rank_by": "spend_90d", "share": 0.2}, "value", "5", {"share": 0.05}),
        (TOP, "among", "true", {"among": {"all_of": []}}),
        (TOP | {"among": BEER}, "among", "true", {"among": BEER}),
        (TOP | {"among": BEER}, "among", "false", {"among": None}),
        (TWICE, "event", "view", {"repeat": "view"}),
        (TWICE, "times", "4", {"times": 4}),
        (TWICE, "within_days", "7", {"within_days": 7}),
        (TWICE, "unit", "days", {"unit": "days"}),
        (TWICE, "without", "return", {"without": "return"}),
        (TWICE | {"without": "return"}, "without", "", {"without": None}),
        (TWICE, "pick.category", "BEEF", {"items": {"category": ["BEEF"]}}),
        (TWICE, "start", "60", {"from_days_ago": 60}),
        (FIRST, "which", "last", {"last": "purchase"}),
        (FIRST, "event", "view", {"first": "view"}),
        (FIRST, "pick.brand", "National", {"items": {"brand": ["National"]}}),
        (FIRST, "end", "5", {"from_days_ago": 90, "to_days_ago": 5}),
        ({"event": "purchase"}, "weekday.sun", True, {"weekdays": ["sun"]}),
        ({"event": "purchase", "weekdays": ["sun"]}, "weekday.sat", True, {"weekdays": ["sat", "sun"]}),
        ({"event": "purchase", "weekdays": ["sun"]}, "weekday.sun", False, {"weekdays": None}),
        ({"event": "purchase"}, "from_hour", "18", {"hours": [18, 24]}),
        ({"event": "purchase", "hours": [18, 24]}, "to_hour", "6", {"hours": [18, 6]}),
        ({"event": "purchase", "hours": [18, 24]}, "from_hour", "", {"hours": None}),
        ({"event": "purchase"}, "pick.channel", "31", {"channel": ["31"]}),
        ({"event": "purchase", "channel": ["31", "7"]}, "drop.channel", "31", {"channel": ["7"]}),
        (TWICE, "weekday.mon", True, {"weekdays": ["mon"]}),
        (FIRST, "to_hour", "12", {"hours": [0, 12]}),
        (
            VIEWED,
            "step.0.weekday.fri",
            True,
            {"sequence": [{"event": "view", "weekdays": ["fri"]}, VIEWED["sequence"][1]]},
        ),
        ({"event": "exposure"}, "pick.campaign", "18", {"campaign": ["18"]}),
        ({"event": "exposure", "campaign": ["18", "13"]}, "drop.campaign", "18", {"campaign": ["13"]}),
        (LIKE, "top", "200", {"top": 200}),
        (LIKE, "mode", "text", {"similar_to": {"text": "wine"}, "top": 50}),
        (LIKE, "mode", "segment", LIKE),
        (CARE, "mode", "segment", {"similar_to": {"segment": {"all_of": [{"member_of": "Loyal"}]}}}),
        (CARE, "text", " beer ", {"similar_to": {"text": "beer"}, "top": 50}),
        (CARE, "among", "true", {"among": {"all_of": []}}),
        (CARE | {"among": BEER}, "among", "false", {"among": None}),
        ({"similar_to": {"customer": "a"}, "top": 5}, "customer", "b", {"similar_to": {"customer": "b"}}),
        (
            {"member_of": {"discovery": "2018-01-01-00000000", "cluster": 2}},
            "cluster",
            "2018-01-01-1de4136b#1",
            {"member_of": {"discovery": "2018-01-01-1de4136b", "cluster": 1}},
        ),
        (
            {"feature": "spend_90d", "op": ">=", "value": 1},
            "value",
            "many_orders",
            {"value": {"param": "many_orders", "value": 12}},
        ),
        (
            {"event": "purchase"},
            "start",
            "many_orders",
            {"from_days_ago": {"param": "many_orders", "value": 12}},
        ),
        (
            {"propensity": "purchase_30d", "top_share": 0.2},
            "value",
            "best_share",
            {"top_share": {"param": "best_share", "value": 0.05}},
        ),
        ({"member_of": "Loyal"}, "segment", "many_orders", {"member_of": "many_orders"}),
        (MORE, "left.pick.channel", "31", {"compare": {"event": "view", "channel": ["31"]}}),
    ],
)
def test_a_field_is_set_and_the_rest_stays(start, field, value, end):
    tree = act(rooted(from_json(start)), "set", "0", field=field, value=value)
    found = to_json(editor_actions.tidy(tree))
    assert {key: found.get(key) for key in end} == end
    assert next(iter(start)) in found or field == "which"


A, B, C = (FeatureCondition("orders_90d", ">=", number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    "trees",
    [
        [AllOf((A, B, C)), AllOf((B, A, C)), AllOf((B, C, A))],
        [
            AllOf((A, AnyOf((B,)), C)),
            AllOf((AnyOf((A, B)), C)),
            AllOf((AnyOf((B, A)), C)),
            AllOf((AnyOf((B,)), A, C)),
            AllOf((AnyOf((B,)), C, A)),
        ],
        [AllOf((A, Not(AnyOf((B,))))), AllOf((Not(AnyOf((A, B))),)), AllOf((Not(AnyOf((B, A))),))],
    ],
)
def test_a_part_goes_step_by_step_to_wherever_it_can_be_dragged(trees):
    def place(tree):
        return ".".join(map(str, next(at for at, part in walk(tree) if part == A)))

    for above, below in pairwise(trees):
        assert act(above, "down", place(above)) == below
        assert act(below, "up", place(below)) == above


def test_a_part_leaves_its_group_by_steps_and_stops_at_the_ends():
    tree = AllOf((AnyOf((A,)), B))
    assert act(tree, "down", "0.0") == AllOf((AnyOf(()), A, B))
    assert act(tree, "up", "0.0") == AllOf((A, AnyOf(()), B))
    for do, place in (("up", "0"), ("down", "1"), ("up", "")):
        assert act(tree, do, place) == tree
    among = AllOf((RankCondition("spend_90d", count=9, among=AllOf((A, B))), C))
    for do, place in (("up", "0.0.0"), ("down", "0.0.1"), ("down", "0.0")):
        assert act(among, do, place) == among


@pytest.mark.parametrize(
    "action",
    [
        {"do": "explode"},
        {"do": "up", "place": "x"},
        {"do": "remove", "place": "7"},
        {"do": "set", "place": "0", "field": "start", "value": "1.5"},
        {"do": "set", "place": "0", "field": "colour", "value": "red"},
        {"do": "set", "place": "0", "field": "pick.colour", "value": "red"},
        {"do": "set", "place": "0", "field": "value", "value": "a lot"},
    ],
)
def test_what_cannot_be_done_is_told(action):
    with pytest.raises(SegAssistError):
        editor_actions.act(rooted(from_json({"event": "purchase"})), action, CHOICES)


@pytest.mark.parametrize(
    ("start", "field", "value"),
    [
        (VIEWED, "drop_step", "0"),
        (VIEWED, "step.7.event", "view"),
        (VIEWED, "step.x", "view"),
        (VIEWED, "colour", "red"),
        (VIEWED, "step.1.colour", "red"),
        (VIEWED, "step.1.within_days", "1.5"),
        ({"sequence": [{"event": "view"}]} | NEVER, "then_not", "false"),
        (MORE, "factor", "many"),
        (MORE, "right.event", "view"),
        (TOP, "value", "1.5"),
        (TOP, "colour", "red"),
        (TWICE, "times", "1.5"),
        (TWICE, "within_days", ""),
        (TWICE, "unit", "weeks"),
        (TWICE, "measure", "value"),
        (FIRST, "which", "second"),
        (FIRST, "from_hour", "noon"),
        (FIRST, "weekday.someday", True),
        (LIKE, "top", "0"),
        (LIKE, "top", "some"),
        (LIKE, "text", "wine"),
        (CARE, "text", " "),
        (CARE, "colour", "red"),
    ],
)
def test_what_a_field_does_not_take_is_told_and_changes_nothing(start, field, value):
    with pytest.raises(UserError):
        act(rooted(from_json(start)), "set", "0", field=field, value=value)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_added_can_be_drawn_and_written(kind, views):
    tree = act(EVERYONE, "add", kind=kind)
    assert from_json(to_json(tree)) == tree
    for language in ("en", "zh"):
        drawn = Form(Session(views, language), CHOICES, {}).html(tree)
        keys = re.findall(r'data-key="([^"]+)"', drawn)
        assert len(keys) == len(set(keys)), "each control is found again after a change"
        unnamed = [tag for tag in re.findall(r"<(?:input|select)[^>]*>", drawn) if 'aria-label="' not in tag]
        assert unnamed == []
        names = re.findall(r'<(?:input|select)[^>]*data-place="0"[^>]*aria-label="([^"]+)"', drawn)
        assert len(names) == len(set(names)), names


def test_every_kind_of_condition_of_the_language_can_be_added():
    made = {type(editor_actions.made(kind, CHOICES)) for kind in KINDS}
    assert {*get_args(Condition), AnyOf} == made


def test_a_parameter_is_shown_by_its_name_and_what_it_is(views):
    tree = rooted(
        from_json({"propensity": "purchase_30d", "top_share": {"param": "best_share"}}, CHOICES.parameters)
    )
    drawn = Form(Session(views, "en"), CHOICES, {}).html(tree)
    assert re.search(r'<input type="text"[^>]*data-field="value"[^>]*value="best_share">', drawn)
    assert "= 5<" in drawn
    assert '<option value="many_orders">12</option>' in drawn


def test_what_never_happened_here_is_said_and_comes_last(views):
    choices = replace(CHOICES, events=("purchase",))
    drawn = Form(Session(views, "en"), choices, {}).html(act(EVERYONE, "add", kind="event"))
    events = re.search(r'data-field="event".*?</select>', drawn)
    assert events is not None
    words = re.findall(r"<option[^>]*>([^<]+)<", events.group())
    assert words[0] == "purchased"
    assert all(word.endswith("(none here)") for word in words[1:])


def test_a_group_inside_a_group_is_of_the_other_kind():
    tree = act(EVERYONE, "add", kind="group")
    assert tree == AllOf((AnyOf(()),))
    assert act(tree, "add", "0", kind="group") == AllOf((AnyOf((AllOf(()),)),))


def test_changes_are_undone_one_by_one():
    a, b = (AllOf((FeatureCondition("orders_90d", ">=", n),)) for n in (1, 2))
    draft = Draft().changed(a).changed(a).changed(b)
    assert draft.undone().tree == a
    assert draft.undone().undone().tree == EVERYONE
    assert draft.undone().undone().undone() == Draft()


def test_a_definition_written_as_text_may_name_a_parameter_of_the_workspace(guarded, monkeypatch):
    workspace = guarded.service.rooms.workspace
    settings = replace(workspace.settings, parameters={"recent_days": 30})
    monkeypatch.setattr(guarded.service.rooms, "workspace", replace(workspace, settings=settings))
    with gr.Blocks():
        editor = Editor(Session(Views(guarded.service)))
    text = '{"event": "purchase", "from_days_ago": {"param": "recent_days"}}'
    draft, *_ = editor.read(Draft(), text, SimpleNamespace(username="viewer@shop"))
    assert used_parameters(draft.tree) == {"recent_days": 30}


# HTML


def test_data_is_text_in_html():
    bad = '<b onclick="x">'
    for made in (
        html.button(bad, "do", title=bad, name=bad),
        html.notice(bad),
        html.chip(bad),
        html.table([bad], [], bad),
        html.sparkline([1, 2], bad),
    ):
        assert "<b" not in made.replace("<button", "").replace("<body", "")


def test_a_sparkline_leaves_a_gap_for_a_size_that_is_not_shown():
    assert html.sparkline([20, 30, None, 40, 50], "x").count("<polyline") == 2
    assert html.sparkline([None, 20], "x") == ""


def test_no_button_of_a_list_waits_in_a_queue(client):
    """A file that is asked for, too, is there with the answer."""
    config = client.get("/config").json()
    lists = {c["id"]: c["props"]["elem_id"] for c in config["components"] if c["props"].get("elem_id")}
    acted = {
        lists[target]: each
        for each in config["dependencies"]
        for target, event in each["targets"]
        if event == "act"
    }
    assert set(acted) == {"form", "segments", "plans", "experiments", "talk-list"}
    after = [
        each for each in config["dependencies"] if each["trigger_after"] in {a["id"] for a in acted.values()}
    ]
    assert len(after) >= 4
    assert {lists_ for lists_, each in acted.items() if each["queue"] is not False} == set()
    assert [each["api_name"] for each in after if each["backend_fn"] and each["queue"] is not False] == []


def test_a_negated_part_is_counted_with_its_not(views):
    tree = AllOf((Not(A), AnyOf((B, Not(AnyOf((A, B)))))))
    form = Form(Session(views, "en"), CHOICES, {}, counted=True).html(tree)
    parts = [Not(A), tree.children[1], B, Not(AnyOf((A, B))), A, B]
    assert re.findall(r'data-holds="(\w+)"', form) == [fingerprint(part) for part in parts]


# Who sees what


@pytest.fixture(scope="module")
def views(guarded):
    return Views(guarded.service)


def caller(role):
    return Caller(f"{role}@shop", Role[role], "page", f"{role}@shop")


def test_a_viewer_reads_and_changes_nothing(views):
    viewer, beer = caller("viewer"), from_json({"event": "purchase", "items": {"category": ["BEERS/ALES"]}})
    grid = views.rfm(viewer, beer)
    shown = [cell for row in grid.cells for cell in row if cell is not None]
    assert 0.9 < sum(shown) <= 1
    mix = views.category_mix(viewer, beer)
    assert mix[0].members >= mix[-1].members > 0
    found = views.probabilities(viewer, beer, "purchase_30d")
    assert sum(found.everyone) == pytest.approx(1)
    points = views.behaviour_map(viewer, beer)
    assert len(points.members) == 1298
    assert len(points.members) + len(points.others) == 2469
    assert views.models(viewer)
    assert views.quality(viewer)["verdict"] == "warn"
    with pytest.raises(ForbiddenError):
        views.service.save(viewer, "Mine", beer)
    with pytest.raises(ForbiddenError):
        views.service.rename(viewer, "Mine", "Yours")


def test_an_outcome_is_drawn_with_its_reasons_and_one_that_is_not_asked_of_them_hides_nothing_else(views):
    """To a viewer too: nobody is named."""
    profile, asks = Page(views).profile, SimpleNamespace(username="viewer@shop")
    drawn = profile._ahead(from_json(BEER), "purchase_30d", asks)
    of_outcome = [profile.probability, profile.drivers, profile.gains, profile.lift]
    assert set(drawn) == {profile.told, *of_outcome}
    assert all(drawn[plot]["visible"] and drawn[plot]["value"] is not None for plot in of_outcome)
    assert "as of 2017-11-01" in drawn[profile.told]
    told = profile._ahead(from_json(BEER), "win_lottery", asks)
    assert 'role="alert"' in told[profile.told]
    assert [told[plot]["visible"] for plot in of_outcome] == [False] * 4


def test_a_small_group_is_not_described(views):
    few = from_json({"similar_to": {"segment": {"event": "purchase"}}, "top": 5})
    for method in (views.rfm, views.category_mix, views.behaviour_map, views.overlaps):
        with pytest.raises(SegAssistError):
            method(caller("admin"), few)


def saved_before(views, name, *definitions):
    """A saved segment with its versions, from a date that the data reach."""
    for version, definition in enumerate(definitions, 1):
        day = datetime(2017, 10, 1, tzinfo=UTC)
        saved = SavedSegment(name, version, definition, fingerprint(definition), day)
        views.service.rooms.library.restore(saved)


def test_who_entered_and_left_is_told_as_the_segments_it_rests_on_are_now(views):
    admin, library = caller("admin"), views.service.rooms.library
    loyal, beer = (from_json({"feature": "orders_90d", "op": ">=", "value": 5}), from_json(BEER))
    saved_before(views, "Base", loyal)
    saved_before(views, "On it", MemberOf("Base"))
    try:
        before = [entry.moved for entry in views.library(admin)[0]]
        assert before[0] == before[1]
        library.delete("Base")
        saved_before(views, "Base", beer)
        after = [entry.moved for entry in views.library(admin)[0]]
        assert after[0] == after[1] != before[0]
    finally:
        library.delete("On it")
        library.delete("Base")


def test_only_what_is_looked_for_is_counted(views, monkeypatch):
    counted, size = [], views.service.size
    monkeypatch.setattr(views.service, "size", lambda by, node: counted.append(node) or size(by, node))
    for name in ("Beer", "Ale"):
        views.service.save(caller("admin"), name, from_json(BEER))
    entries, total = views.library(
        caller("viewer"), lambda saved, owner: (saved.name, owner) == ("Ale", "admin@shop")
    )
    assert [(entry.saved.name, entry.size) for entry in entries] == [("Ale", 1298)]
    assert (counted, total) == ([from_json(BEER)], 1)
    second, total = views.library(caller("viewer"), start=1, most=1)
    assert ([entry.saved.name for entry in second], total) == (["Beer"], 2)
    assert len(counted) == 2
    for name in ("Beer", "Ale"):
        views.service.delete(caller("admin"), name)


def test_a_segment_belongs_to_who_saved_it_first_and_keeps_its_owner_when_renamed(views):
    service, beer = views.service, from_json({"event": "purchase", "items": {"category": ["BEERS/ALES"]}})
    service.save(caller("marketer"), "Beer", beer)
    service.save(caller("admin"), "Beer", from_json({"feature": "orders_90d", "op": ">=", "value": 5}))
    service.rename(caller("admin"), "Beer", "Ale")
    (entry,) = (entry for entry in views.library(caller("viewer"))[0] if entry.saved.name == "Ale")
    assert (entry.owner, entry.saved.version, entry.moved) == ("marketer@shop", 2, None)
    service.save(caller("marketer"), "Uses it", MemberOf("Ale"))
    with pytest.raises(UserError, match="used by Uses it"):
        service.rename(caller("admin"), "Ale", "Lager")
    service.delete(caller("admin"), "Uses it")
    service.delete(caller("admin"), "Ale")
    service.save(caller("admin"), "Ale", beer)
    assert service.rooms.library.owner("Ale") == "admin@shop"
    service.delete(caller("admin"), "Ale")


# Downloads


def test_a_download_is_fetched_once_by_the_one_who_made_it_and_soon():
    now = [0.0]
    downloads = Downloads("/zh/", lambda: now[0])

    def offered():
        path, token = downloads.offer("ada", "a.csv", "text/csv", b"1").rsplit("/", 1)
        assert path == "/zh/downloads"
        return token

    first, second = offered(), offered()
    with pytest.raises(NotFoundError):
        downloads.take("bob", first)
    assert downloads.take("ada", first).content == b"1"
    with pytest.raises(NotFoundError, match="click the button again"):
        downloads.take("ada", first)
    now[0] = SECONDS
    with pytest.raises(NotFoundError):
        downloads.take("ada", second)


def test_cells_of_a_download_are_not_run_by_a_spreadsheet():
    assert csv_of(["7", "=1+1"]) == b"customer_id\n7\n'=1+1\n"
