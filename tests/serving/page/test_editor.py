"""The visual editor of the real page: what a marketer builds by hand is what the text says, counted at each step."""

import json

import httpx
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.serving.page.test_chat import MARKUP

pytestmark = pytest.mark.browser

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
OVER_55 = '{"feature": "age", "op": ">=", "value": "55-64"}'


@pytest.fixture
def editor(page):
    page.tab("editor")
    page.until(lambda: page.all(".editor"), "the form")
    return page


def held(page):
    """What stands beside the parts, from the first."""
    return [each.text for each in page.all(".editor .holds")]


def definition(page):
    return json.loads(page.definition)


def test_a_definition_is_built_by_hand_and_counted_at_each_step(editor):
    editor.counts("2,469")
    editor.add("feature")
    editor.choose("0", "feature", "spend_90d")
    editor.until(lambda: '"spend_90d"' in editor.definition, "the feature")
    editor.fill("0", "value", "500")
    editor.until(
        lambda: definition(editor) == {"feature": "spend_90d", "op": ">=", "value": 500}, "the value"
    )
    editor.until(
        lambda: editor.count not in ("2,469", "") and int(editor.count.replace(",", "")) < 1500, "a count"
    )
    editor.add("event")
    editor.fill("1", "pick.category", "BEERS/ALES")
    editor.until(lambda: "BEERS/ALES" in editor.definition, "the category")
    editor.fill("1", "value", "3")
    editor.until(lambda: '"value": 3' in editor.definition, "three times")
    editor.do("negate", "1")
    parts = definition(editor)["all_of"]
    assert parts[1]["not"]["items"] == {"category": ["BEERS/ALES"]}
    assert parts[1]["not"]["from_days_ago"] == 90
    words = editor.text("#count .words")
    assert "BEERS/ALES" in words
    assert "not" in words


def test_a_category_feature_takes_many_values_and_a_band_two(editor):
    editor.add("feature")
    editor.choose("0", "feature", "age")
    editor.until(
        lambda: definition(editor) == {"feature": "age", "op": "in", "value": ["19-24"]}, "a first value"
    )
    editor.choose("0", "value", "65+")
    editor.until(lambda: definition(editor)["value"] == ["19-24", "65+"], "two values")
    editor.choose("0", "op", "between")
    editor.until(lambda: definition(editor)["op"] == "between", "a range")
    editor.choose("0", "low", "55-64")
    editor.until(lambda: definition(editor)["value"] == ["55-64", "65+"], "both ends")
    editor.counts("131")


def test_propensity_is_a_share_in_percent(editor):
    editor.add("propensity")
    editor.fill("0", "value", "10")
    wanted = {"propensity": "purchase_30d", "top_share": 0.1}
    editor.until(lambda: definition(editor) == wanted, "a tenth")
    editor.counts("247")


def test_uplift_is_of_a_past_campaign_and_said_to_be_a_guess(editor):
    editor.add("uplift")
    editor.choose("0", "campaign", "18")
    editor.fill("0", "value", "10")
    wanted = {"uplift": "18", "top_share": 0.1}
    editor.until(lambda: definition(editor) == wanted, "a tenth")
    assert "a guess unless it was sent at random" in editor.text(".editor")
    editor.counts("247")


def test_a_campaign_is_added_by_one_click_and_another_is_typed(editor):
    editor.add("campaign")
    newest = editor.js("document.querySelector('#all-campaign option').value")
    editor.until(
        lambda: definition(editor) == {"event": "exposure", "campaign": [newest]}, "the newest campaign"
    )
    editor.fill("0", "pick.campaign", "18")
    editor.until(lambda: definition(editor)["campaign"] == [newest, "18"], "two campaigns")
    assert "18 · Type A · 2017-10-30" in editor.text(".editor .chip")
    editor.click(f".editor [data-field='drop.campaign'][data-value='{newest}']")
    editor.until(lambda: definition(editor)["campaign"] == ["18"], "one campaign")
    editor.counts("1,133")


def test_those_like_others_are_built_by_their_fields_and_the_groups_below(editor):
    editor.add("similar")
    editor.until(lambda: len(editor.all(".editor .inner .row")) == 1, "whom they are like")
    editor.counts("100")
    editor.fill("0", "top", "60")
    editor.counts("60")
    editor.add("event", "0.0")
    editor.until(lambda: definition(editor)["similar_to"]["segment"]["all_of"][1:], "one more condition")
    editor.choose("0", "among", "true")
    editor.add("feature", "0.1")
    editor.choose("0.1.0", "feature", "has_children")
    wanted = [{"feature": "has_children", "op": "=", "value": True}]
    editor.until(lambda: definition(editor)["among"] == {"all_of": wanted}, "those with children")
    editor.do("remove", "0.1")
    assert "among" not in definition(editor)


def test_a_sequence_is_built_by_its_fields(editor):
    editor.add("sequence")
    wanted = {"sequence": [{"event": "purchase"}, {"event": "purchase", "within_days": 30}]}
    editor.until(lambda: definition(editor) == wanted, "two steps")
    editor.choose("0", "step.0.event", "coupon_redeem")
    editor.until(lambda: definition(editor)["sequence"][0] == {"event": "coupon_redeem"}, "the first step")
    editor.fill("0", "step.1.within_days", "7")
    editor.until(lambda: definition(editor)["sequence"][1]["within_days"] == 7, "seven days")
    editor.fill("0", "step.1.pick.category", "BEERS/ALES")
    editor.until(lambda: "BEERS/ALES" in editor.definition, "the category")
    editor.choose("0", "then_not", "true")
    editor.until(lambda: definition(editor).get("then_not") == {"event": "purchase"}, "what did not follow")
    editor.click(".editor [data-field=drop_step][data-value='1']")
    editor.until(lambda: len(definition(editor)["sequence"]) == 1, "one step")
    editor.until(lambda: editor.count, "a count")


def test_a_comparison_and_a_rank_are_built_by_their_fields(editor):
    editor.add("comparison")
    editor.choose("0", "left.what", "spend_90d")
    editor.until(lambda: '"spend_90d"' in editor.definition, "the feature")
    editor.fill("0", "factor", "2")
    editor.choose("0", "right.measure", "value")
    right = {"event": "purchase", "measure": "value", "from_days_ago": 180, "to_days_ago": 90}
    wanted = {"compare": {"feature": "spend_90d"}, "op": ">", "factor": 2, "than": right}
    editor.until(lambda: definition(editor) == wanted, "the comparison")
    editor.until(lambda: editor.count not in ("", "2,469"), "a count")
    editor.do("remove", "0")
    editor.add("rank")
    editor.choose("0", "mode", "share")
    editor.until(lambda: definition(editor) == {"rank_by": "spend_365d", "share": 0.1}, "a tenth")
    editor.counts("247")
    editor.choose("0", "lowest", "true")
    editor.until(lambda: definition(editor).get("lowest") is True, "the lowest")


def test_a_repeat_and_a_touch_are_built_by_their_fields(editor):
    editor.add("repeat")
    wanted = {"repeat": "purchase", "times": 2, "within_days": 30}
    editor.until(lambda: definition(editor) == wanted, "a repeat")
    editor.fill("0", "times", "4")
    editor.choose("0", "unit", "days")
    editor.choose("0", "without", "return")
    wanted |= {"times": 4, "unit": "days", "without": "return"}
    editor.until(lambda: definition(editor) == wanted, "four days without a return")
    editor.until(lambda: editor.count not in ("", "2,469"), "a count")
    assert "4" in editor.text("#count .words")
    editor.do("remove", "0")
    editor.add("touch")
    editor.choose("0", "which", "last")
    editor.fill("0", "pick.category", "BEERS/ALES")
    wanted = {"last": "purchase", "from_days_ago": 90, "items": {"category": ["BEERS/ALES"]}}
    editor.until(lambda: definition(editor) == wanted, "a last touch")
    editor.until(lambda: editor.count not in ("", "2,469"), "a count")


def test_days_hours_and_channels_are_chosen_by_keyboard(editor):
    """What is unfolded stays so, and what was used keeps the focus, though the form is drawn anew."""
    editor.add("event")
    summary = editor.all(".editor summary")[0]
    summary.send_keys(Keys.SPACE)
    editor.until(lambda: editor.field("0", "weekday.sun").is_displayed(), "the days")
    editor.field("0", "weekday.sun").send_keys(Keys.SPACE)
    editor.until(lambda: definition(editor).get("weekdays") == ["sun"], "Sundays")
    assert editor.js("document.activeElement.dataset.field") == "weekday.sun"
    sundays = editor.until(lambda: editor.count, "a count")
    editor.field("0", "weekday.sun").send_keys(Keys.SPACE)
    editor.until(lambda: "weekdays" not in definition(editor), "any day")
    assert editor.field("0", "from_hour").is_displayed()
    editor.fill("0", "from_hour", "18")
    editor.until(lambda: definition(editor).get("hours") == [18, 24], "evenings")
    editor.until(lambda: editor.count not in ("", sundays), "another count")
    editor.fill("0", "from_hour", "30")
    editor.until(lambda: "must lie in 0..24" in editor.text(".editor .problem"), "the problem")
    editor.fill("0", "from_hour", "")
    editor.until(lambda: "hours" not in definition(editor), "any hour")
    channel = editor.js("document.querySelector('#all-channel option').value")
    editor.fill("0", "pick.channel", channel)
    editor.until(lambda: definition(editor).get("channel") == [channel], "a channel")
    editor.until(lambda: editor.count not in ("", sundays), "another count")


def test_a_rank_is_among_a_group_that_is_edited_like_any_other(editor):
    editor.add("rank")
    editor.counts("100")
    editor.choose("0", "among", "true")
    editor.until(lambda: definition(editor).get("among") == {"all_of": []}, "a group")
    editor.add("feature", "0.0")
    editor.choose("0.0.0", "feature", "age")
    editor.until(lambda: '"age"' in editor.definition, "the feature")
    editor.choose("0.0.0", "op", "between")
    editor.until(lambda: '"between"' in editor.definition, "a range")
    editor.choose("0.0.0", "low", "55-64")
    editor.choose("0.0.0", "high", "65+")
    between = {"feature": "age", "op": "between", "value": ["55-64", "65+"]}
    editor.until(lambda: definition(editor)["among"] == {"all_of": [between]}, "those over 55")
    editor.choose("0", "mode", "share")
    editor.counts("14")
    editor.do("remove", "0.0")
    editor.counts("247")


def test_a_condition_is_dragged_into_a_group(editor):
    editor.apply(json.dumps({"all_of": [json.loads(OVER_55), {"any_of": [{"event": "view"}]}]}))
    editor.until(lambda: len(editor.all(".editor .row")) == 2, "two rows")
    handle = editor.all(".editor .handle[data-place='0']")[0]
    target = editor.all(".editor .adds[data-drop='1.1']")[0]
    ActionChains(editor.driver).drag_and_drop(handle, target).perform()
    wanted = {"any_of": [{"event": "view"}, json.loads(OVER_55)]}
    editor.until(lambda: definition(editor) in (wanted, {"all_of": [wanted]}), "the condition in the group")
    editor.counts("131")


def test_fields_of_a_step_are_changed_by_keyboard(editor):
    """The field that was left with Tab is drawn anew, and the next one has the focus."""
    editor.add("sequence")
    editor.fill("0", "step.1.within_days", "7")
    editor.until(lambda: '"within_days": 7' in editor.definition, "seven days")
    focused = "document.activeElement.dataset.field"
    editor.until(
        lambda: editor.js(focused) == "step.1.pick.department", f"the next field, not {editor.js(focused)}"
    )
    editor.driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.TAB)
    editor.until(lambda: editor.js(focused) == "step.1.within_days", "the field again")
    editor.driver.switch_to.active_element.send_keys(Keys.ARROW_UP, Keys.TAB)
    editor.until(lambda: '"within_days": 8' in editor.definition, "a day more")


def test_parts_are_nested_moved_copied_removed_and_brought_back(editor):
    editor.apply(
        json.dumps({"all_of": [json.loads(OVER_55), {"feature": "orders_90d", "op": ">=", "value": 5}]})
    )
    editor.until(lambda: len(editor.all(".editor .row")) == 2, "two rows")
    start = definition(editor)
    editor.do("down", "0")
    assert definition(editor)["all_of"] == start["all_of"][::-1]
    editor.do("nest", "0")
    assert definition(editor)["all_of"][0] == {"any_of": [start["all_of"][1]]}
    editor.do("duplicate", "1")
    assert definition(editor)["all_of"][1:] == [start["all_of"][0]] * 2
    editor.do("remove", "0.0")
    assert definition(editor)["all_of"][0] == {"any_of": []}
    for _ in range(4):
        before = editor.definition
        editor.click("#undo")
        editor.until(lambda before=before: editor.definition != before, "the step back")
    assert definition(editor) == start


def test_a_condition_is_moved_into_a_group_without_a_mouse_and_keeps_the_focus(editor):
    over_55, view = json.loads(OVER_55), {"event": "view"}
    editor.apply(json.dumps({"all_of": [over_55, {"any_of": [view]}]}))
    editor.until(lambda: len(editor.all(".editor .row")) == 2, "two rows")
    down = editor.all(".editor .tool[data-do=down][data-place='0']")[0]
    editor.driver.execute_script("arguments[0].focus()", down)
    down.send_keys(Keys.ENTER)
    editor.until(lambda: definition(editor) == {"any_of": [over_55, view]}, "the condition in the group")
    at = "const {do: tool, place} = document.activeElement.dataset; return [tool, place]"
    editor.until(lambda: editor.driver.execute_script(at) == ["down", "0.0"], "the focus on it")
    editor.driver.switch_to.active_element.send_keys(Keys.ENTER)
    editor.until(lambda: definition(editor) == {"any_of": [view, over_55]}, "the condition at its end")
    editor.until(lambda: editor.driver.execute_script(at) == ["down", "0.1"], "the focus still on it")


def test_groups_change_their_kind(editor):
    editor.apply(
        json.dumps({"all_of": [json.loads(OVER_55), {"feature": "orders_90d", "op": ">=", "value": 50}]})
    )
    editor.until(lambda: len(editor.all(".editor .row")) == 2, "two rows")
    few = editor.count
    editor.choose("", "kind", "any_of")
    editor.until(lambda: "any_of" in editor.definition, "another kind")
    editor.until(lambda: editor.count != few, "another count")


def test_a_problem_stands_beside_what_it_is_about(editor):
    editor.apply('{"all_of": [' + OVER_55 + ', {"feature": "orders_90", "op": ">=", "value": 5}]}')
    editor.until(
        lambda: "did you mean orders_90d" in editor.text(".editor li:nth-child(2) .problem"), "the problem"
    )
    assert editor.all(".editor li:nth-child(1) .problem") == []
    assert editor.count == ""
    assert "Not counted" in editor.text("#count")
    editor.choose("1", "feature", "orders_90d")
    editor.until(lambda: editor.count, "the count")
    assert editor.all(".editor .problem") == []


def test_a_value_that_does_not_fit_is_told_and_can_be_mended(editor):
    editor.add("feature")
    editor.choose("0", "op", "between")
    editor.until(lambda: "between" in editor.definition, "a range")
    editor.fill("0", "low", "9")
    editor.until(lambda: "low <= high" in editor.text(".editor .problem"), "the problem")
    editor.fill("0", "high", "12")
    editor.until(lambda: editor.count, "a count")


def test_beside_each_part_stands_how_many_customers_it_holds_by_itself(editor):
    editor.apply(json.dumps({"all_of": [BEER, {"not": json.loads(OVER_55)}]}))
    editor.until(lambda: held(editor) == ["1,298 customers", "2,338 customers"], "the counts of the parts")
    editor.add("group")
    editor.add("feature", "2")
    editor.choose("2.0", "feature", "spend_90d")
    editor.until(lambda: '"spend_90d"' in editor.definition, "the feature")
    editor.fill("2.0", "value", "500")
    editor.until(lambda: '"value": 500' in editor.definition, "the value")
    several = editor.until(lambda: all(held(editor)) and held(editor)[3], "a count of the new part")
    assert held(editor)[2] == several  # the group holds what its one part holds
    assert 10 <= int(several.split()[0].replace(",", "")) < 2469
    editor.choose("2.0", "feature", "age")
    editor.until(lambda: '"age"' in editor.definition, "another feature")
    editor.until(lambda: all(held(editor)) and held(editor)[3] != several, "another count of the part")
    assert held(editor)[:2] == ["1,298 customers", "2,338 customers"]


def test_counts_of_parts_neither_move_the_form_nor_take_the_focus(editor):
    editor.apply(json.dumps({"all_of": [BEER, {"feature": "spend_90d", "op": ">=", "value": 400}]}))
    editor.until(lambda: len(held(editor)) == 2 and all(held(editor)), "the counts of the parts")
    many = held(editor)[1]
    heights = "[...document.querySelectorAll('.editor .row')].map(row => row.offsetHeight)"
    editor.js("window.seen = []")
    editor.driver.execute_script(
        f"new MutationObserver(() => window.seen.push(JSON.stringify({heights})))"
        ".observe(document.querySelector('#form'), {childList: true, subtree: true, characterData: true})"
    )
    editor.fill("1", "value", "12000")
    editor.until(lambda: held(editor)[1] not in ("", many), "another count")
    assert editor.js("document.activeElement.dataset.place") == "1"
    assert len(set(editor.js("window.seen"))) == 1


def test_text_that_does_not_parse_is_told_and_changes_nothing(editor):
    editor.apply(OVER_55)
    editor.counts("131")
    editor.apply('{"event": "purchase", ')
    assert "not valid JSON" in editor.message()
    assert editor.count == "131"


def test_markup_is_text_in_a_problem_and_in_a_message(editor):
    editor.apply(json.dumps({"feature": MARKUP, "op": ">=", "value": 5}))
    editor.until(lambda: "<img" in editor.text(".editor .problem"), "the problem")
    editor.apply(json.dumps({MARKUP: 1}))
    assert "<img" in editor.message()
    assert editor.all("#bold, .gradio-container img[src=x]") == []
    assert editor.js("window.ran") is None


def test_what_was_edited_is_what_them_means(page):
    page.use(OVER_55, "131")
    page.ask("only those with children")
    assert "55-64" in page.carded
    page.click("#to-editor")
    page.until(lambda: len(page.all(".editor .row")) == 2, "the conversation's segment in the editor")


def test_a_draft_is_saved_and_used_in_another(editor, serving):
    segments = f"{serving[0]}/v1/segments"
    for other in httpx.get(segments, timeout=30).json():
        httpx.delete(f"{segments}/{other['name']}", timeout=30)
    editor.apply(OVER_55)
    editor.counts("131")
    editor.all("#editor-save input, #editor-save textarea")[0].send_keys("Over 55\n")
    assert "Over 55" in editor.message()
    editor.click("#new")
    editor.counts("2,469")
    editor.add("member")
    editor.counts("131")
    assert definition(editor) == {"member_of": "Over 55"}
    httpx.delete(f"{segments}/Over 55", timeout=30).raise_for_status()


def test_it_works_without_a_mouse(editor):
    """Focus stays on the control that was used, though the form is drawn anew."""
    editor.add("feature")
    editor.fill("0", "value", "7")
    editor.until(lambda: '"value": 7' in editor.definition, "the value")
    button = editor.all(".editor .tool[data-do=negate]")[0]
    editor.driver.execute_script("arguments[0].focus()", button)
    button.send_keys("\n")
    editor.until(lambda: "not" in definition(editor), "the negation")
    assert editor.js("document.activeElement.dataset.do") == "negate"
