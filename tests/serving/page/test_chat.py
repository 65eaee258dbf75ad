"""The chat of the real page: steps, answers, plots, what to ask next, the card."""

import json
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from assistant.bundle import read_bundle, replay
from assistant.workspace import open_workspace
from serving.programs import SHUTDOWN_SECONDS
from tests.serving.page.browser import SIDEWAYS, Page
from tests.serving.page.conftest import browser, started

pytestmark = pytest.mark.browser

HINT_IS_CUT = """(e => {
  const style = getComputedStyle(e), pen = document.createElement('canvas').getContext('2d');
  const size = name => parseFloat(style[name]);
  pen.font = style.font;
  const room = e.clientWidth - size('paddingLeft') - size('paddingRight');
  const lines = Math.ceil(pen.measureText(e.placeholder).width / room);
  return lines * size('lineHeight') > e.clientHeight - size('paddingTop') - size('paddingBottom');
})(document.querySelector('#question textarea'))"""
BROKEN_CELLS = """[...document.querySelectorAll('#chat td')].filter(cell => {
  const style = getComputedStyle(cell), words = document.createRange();
  words.selectNodeContents(cell);
  return words.getBoundingClientRect().height > 1.5 * parseFloat(style.lineHeight);
}).map(cell => cell.innerText)"""
"""Cells of one word or number that take more than a line."""
CHOICE = "tell me about those who bought beer"
"""It leaves the language model two plans, so that it is asked."""
MARKUP = "<img src=x onerror=window.ran=1><b id=bold>B</b>"


def test_a_question_is_answered_step_by_step(page, fake_llm, tmp_path):
    assert "No segment yet" in page.text("#card")
    fake_llm.wait = 1.5
    page.send("tell me about those who spent over $500 last quarter")
    page.until(lambda: "Reading the question: 1 conditions found" in page.text("#chat"), "the first step")
    assert not page.finished()
    page.driver.save_screenshot(str(tmp_path / "steps.png"))
    page.until(page.finished, "the answer")
    assert "869 customers (35.2 % of 2,469)" in page.text("#chat")
    page.shows("869")
    assert "35.2% of 2,469 customers" in page.text("#card")
    assert "for more than $500 in total in the last 92 days" in page.text("#card .words")
    assert json.loads(page.carded)["value"] == 500
    assert page.all("#question textarea")[0].get_attribute("value") == ""


def test_typing_mistakes_are_read_and_told(page):
    chat = page.ask("who bougt beeer in the last qarter?")
    assert "BEERS/ALES" in chat
    for typed, read in (("bougt", "bought"), ("beeer", "beer"), ("qarter", "quarter")):
        assert f"I read '{typed}' as '{read}'" in chat


def test_the_step_at_work_is_the_one_shown(page, fake_llm):
    fake_llm.wait = 3
    page.send(CHOICE)
    page.until(lambda: "conditions found" in page.text("#chat"), "the first step")
    title = page.until(lambda: page.text("#chat .title-text, #chat .title"), "the running step")
    assert "Planning" in title, f"while the model plans, the page shows: {title}"


def test_who_waits_for_others_is_told_the_place(page, fake_llm):
    fake_llm.wait = 4
    body = {"question": CHOICE}
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(httpx.post, f"{page.url}/v1/ask", json=body, timeout=60)
        time.sleep(1)
        page.send("who bought wine?")
        page.until(lambda: "Waiting: yours is the next question" in page.text("#chat"), "the place")
        assert other.result().status_code == 200
    fake_llm.wait = 0
    page.until(page.finished, "the answer")
    assert "WINE" in page.text("#chat")


def test_the_sql_is_shown(page):
    page.ask("who bought beer?")
    page.button("SQL").click()
    page.until(lambda: "SELECT" in page.text("#sql .cm-content"), "the SQL")
    assert "BEERS/ALES" in page.text("#card")


def test_a_conversation_goes_on(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    chat = page.ask("only those with children")
    assert "Before the edit: 1,298" in chat
    assert len(json.loads(page.carded)["all_of"]) == 2


def test_one_click_downloads_the_members_and_leaves_nothing_on_the_disk(page, page_workspace):
    page.ask("who is over 55?")
    page.shows("131")
    members = page.download()
    assert len(members) == len(set(members)) == 131
    assert all(member.isdigit() for member in members)
    temporary = page_workspace / "tmp"
    assert temporary.is_dir()
    left = [file for file in temporary.rglob("*") if file.is_file()]
    assert [file for file in left if file.name == "members.csv" or b"customer_id" in file.read_bytes()] == []


def test_a_download_is_of_the_segment_on_the_card(page):
    page.ask("who is over 55?")
    page.shows("131")
    page.click("#download")
    time.sleep(2)
    page.use('{"feature": "age", "op": "=", "value": "19-24"}', "46")
    assert len(page.download()) == int(page.size)


def test_one_click_saves_the_last_answer_and_it_replays(page, page_workspace):
    page.ask("who is over 55?")
    page.ask("who bought beer?")
    page.shows("61")
    bundle = read_bundle(page.fetched("#to-bundle", "*.json"))
    assert bundle["question"] == "who bought beer?"
    assert replay(bundle, open_workspace(page_workspace)).differences == ()


def test_without_an_answer_there_is_none_to_save(page):
    page.click("#to-bundle")
    page.until(lambda: "no answer yet" in page.text("body"), "a sentence")


def test_without_a_segment_there_is_nothing_to_download(page):
    page.click("#download")
    assert "There is no segment yet" in page.message()


def test_a_small_group_is_not_counted(page):
    chat = page.ask("who spent over $500 last quarter but went quiet for a month?")
    assert "Fewer than 10 customers match" in chat
    page.shows("fewer than 10")
    assert "%" not in page.text("#card").split("Download")[0]


def test_a_language_model_that_fails_is_said_and_the_next_question_works(page, fake_llm):
    page.ask("who bought beer?")
    fake_llm.status = 500
    chat = page.ask("only those with children")
    assert "⚠" in chat
    assert "Traceback" not in chat
    page.shows("1,298")
    fake_llm.status = 200
    page.ask("only those with children")
    page.until(lambda: page.size != "1,298", "the refined segment")


def test_a_language_model_that_talks_nonsense_does_not_leave_the_chat_waiting(page, fake_llm):
    fake_llm.raw = '{"tool": "refine_segment", "edits": 5}'
    page.ask(CHOICE)
    assert "⏳" not in page.text("#chat")


def test_markup_in_a_name_is_text_in_an_answer(page, fake_llm, serving):
    body = {"name": MARKUP, "definition": {"feature": "age", "op": "=", "value": "65+"}}
    assert httpx.post(f"{serving[0]}/v1/segments", json=body, timeout=30).status_code == 201
    fake_llm.tools = ("list_segments",)
    chat = page.ask("list my saved segments")
    assert MARKUP in chat
    assert page.all("#chat #bold, #chat img[src=x]") == []
    assert page.js("window.ran") is None


def test_markup_in_a_product_is_text_on_the_card_and_in_an_answer(page, fake_llm):
    page.ask("who bought beer?")
    page.use(json.dumps({"event": "purchase", "items": {"text": [MARKUP]}}), "0")
    assert MARKUP in page.text("#card .words")
    fake_llm.tools = ("show_segment",)
    page.ask("show me the definition of the current segment")
    assert page.all("#bold, .gradio-container img[src=x]") == []
    assert page.js("window.ran") is None


def test_markup_of_the_language_model_is_dropped(page, fake_llm):
    page.ask("who bought beer?")
    fake_llm.tools = ("plan_strategy",)
    fake_llm.words = "<b id=bold>Hello.</b> We miss you."
    chat = page.ask("what do we offer them with $5,000?")
    assert "We miss you." in chat
    assert page.all("#bold") == []


def test_after_a_reload_the_page_works(page):
    page.ask("who bought beer?")
    page.driver.refresh()
    page.open()
    page.saw_errors()  # of the stream that the reload broke off
    page.ask("who is over 55?")
    page.until(lambda: page.size, "a card")


def test_a_reload_keeps_the_conversation_and_its_segment(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.driver.refresh()
    page.saw_errors()  # of streams that the reload broke off
    page.until(lambda: "1,298 customers" in page.text("#chat"), "the conversation")
    page.shows("1,298")


def test_clearing_the_chat_starts_a_new_conversation(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.click("#chat button[aria-label=Clear]")
    page.until(lambda: "who bought beer?" not in page.text("#chat"), "an empty chat")
    page.until(lambda: "No segment yet" in page.text("#card"), "an empty card")


def test_a_table_in_an_answer_can_be_read_at_every_width(page, fake_llm, tmp_path):
    page.ask("who bought beer?")
    fake_llm.tools = ("plan_strategy",)
    page.ask("what do we offer them with $5,000?")
    page.until(lambda: page.all("#chat td"), "a table")
    broken = {}
    for width in (1400, 900, 400):
        page.resize(width)
        time.sleep(0.5)
        page.driver.save_screenshot(str(tmp_path / f"{width}.png"))
        broken[width] = (page.js(BROKEN_CELLS), page.js(SIDEWAYS))
    assert broken == dict.fromkeys(broken, ([], 0))


def test_an_answer_has_the_plot_that_fits(page, fake_llm):
    page.ask("who bought beer?")
    fake_llm.tools = ("profile_segment",)
    page.ask("what sets them apart?")
    page.until(lambda: len(page.all("#chat .js-plotly-plot .barlayer .point")) >= 5, "bars")
    page.ask("who is over 55?")
    assert page.all("#chat .js-plotly-plot .barlayer .point"), "the plot stays when the conversation goes on"


def test_in_a_long_conversation_the_newest_question_is_in_view(page):
    place = (
        "document.querySelectorAll('#chat .user-row')[{}].getBoundingClientRect().top"
        " - document.querySelector('#chat .bubble-wrap').getBoundingClientRect().top"
    )
    for number, question in enumerate(["who bought beer?", *["what sets them apart?"] * 3]):
        page.ask(question)
        page.until(
            lambda number=number: -1 < page.js(place.format(number)) < 60, f"question {number} at the top"
        )
    page.driver.execute_script(
        "const chat = document.querySelector('#chat .bubble-wrap');"
        "chat.dispatchEvent(new WheelEvent('wheel', {bubbles: true})); chat.scrollTop = 0"
    )
    page.driver.execute_script("document.querySelector('#chat').append(document.createElement('i'))")
    assert page.js("document.querySelector('#chat .bubble-wrap').scrollTop") == 0, "who scrolls is left alone"


def test_what_to_ask_next_is_one_click(page, fake_llm):
    page.ask("who bought beer?")
    offered = [each.text for each in page.all("#chat .option")]
    assert len(offered) == 3
    fake_llm.tools = ("profile_segment",)
    done = len(page.finished())
    next(each for each in page.all("#chat .option") if each.text == "What sets them apart?").click()
    page.until(lambda: len(page.finished()) > done, "the answer to the follow-up")
    assert "What sets them apart" in page.text("#chat")
    assert "What sets them apart?" not in [each.text for each in page.all("#chat .option")]


def test_an_example_is_one_click(page):
    page.until(lambda: page.all("#chat .example"), "the examples")[0].click()
    page.until(page.finished, "the answer")
    page.until(lambda: page.size, "a card")


def test_the_card_shows_a_year(page):
    page.ask("who bought beer?")
    page.until(lambda: page.all("#trend svg polyline"), "the sparkline")
    label = page.all("#trend svg")[0].get_attribute("aria-label")
    assert label == "394 → 1,298 customers since 2017-02-05"


def test_a_segment_is_saved_from_the_card(page, serving):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.all("#save-as input, #save-as textarea")[0].send_keys("From the card", Keys.ENTER)
    page.until(lambda: "From the card · version 1" in page.text("#card"), "the name")
    saved = httpx.get(f"{serving[0]}/v1/segments/From the card", timeout=30).json()
    assert saved["version"] == 1
    httpx.delete(f"{serving[0]}/v1/segments/From the card", timeout=30).raise_for_status()


def test_ctrl_c_ends_the_server_without_a_traceback(make_workspace, fake_llm, tmp_path):
    folder = make_workspace(tmp_path / "w", f'llm_base_url = "{fake_llm.base_url}"\n')
    with started(folder) as (url, process):
        httpx.get(url, timeout=30)
        process.send_signal(signal.SIGINT)
        process.wait(12)
        assert process.returncode in (0, 130, -signal.SIGINT)
        assert "Traceback" not in (folder / "serve.log").read_text()


def test_a_server_that_is_told_to_end_answers_first_and_does_not_wait_for_open_pages(
    make_workspace, fake_llm, needs_chromium, tmp_path
):
    fake_llm.reset()
    folder = make_workspace(tmp_path / "w", f'llm_base_url = "{fake_llm.base_url}"\n')
    with started(folder) as (url, process), browser(tmp_path) as (driver, downloads):
        open_page = Page(driver, url, downloads).open()
        fake_llm.wait = 6  # longer than servers were given before
        open_page.send("tell me about those who spent over $500 last quarter")
        open_page.until(lambda: "Reading the question" in open_page.text("#chat"), "the first step")
        process.send_signal(signal.SIGTERM)
        open_page.until(lambda: "869 customers" in open_page.text("#chat"), "the answer")
        assert process.wait(SHUTDOWN_SECONDS - 10) in (0, -signal.SIGTERM)
        assert "Cancel" not in (folder / "serve.log").read_text()
    fake_llm.reset()


def test_conversations_are_listed_gone_on_with_named_shared_and_deleted(page, fake_llm):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.click("#chat button[aria-label=Clear]")
    page.until(lambda: "No segment yet" in page.text("#card"), "an empty card")
    page.ask("who is over 55?")
    page.until(lambda: page.size, "a card")
    page.click("#talks button")
    page.until(lambda: "who is over 55?" in page.text("#talk-list"), "the list")
    page.click("#talk-list button[title='Go on: who bought beer?']")
    page.until(lambda: "1,298 customers" in page.text("#chat"), "the conversation")
    page.shows("1,298")
    page.click("#talk-list button[title='Share: who bought beer?']")
    page.until(lambda: page.all("#talk-list a"), "the link")
    link = page.all("#talk-list a")[0].get_attribute("href")
    page.driver.get(link)
    page.saw_errors()  # of streams that the visit broke off
    page.until(lambda: "to read only" in page.text("#shared-talk"), "what was shared")
    assert "1,298" in page.text("#shared-talk")
    page.click("#talks button")
    page.until(lambda: "Shared by a link" in page.text("#talk-list"), "the list again")
    page.click("#talk-list button[title='Delete: who bought beer?']")
    page.until(lambda: page.all("#talk-list button.danger"), "to be asked whether it is meant")
    asked = "#talk-list button[title='Share: who bought beer?']"
    before = len(page.all(asked))  # other tests ask this too; the one that is asked about has other buttons
    page.click("#talk-list button.danger")
    page.until(lambda: not page.all("#talk-list button.danger"), "the list without it")
    assert len(page.all(asked)) == before
    assert "Shared by a link" not in page.text("#talk-list")
    for kept in httpx.get(f"{page.url}/v1/conversations").json():  # in another window
        httpx.delete(f"{page.url}/v1/conversations/{kept['id']}").raise_for_status()
    page.click("#talk-list button[title='Share: who is over 55?']")
    page.until(lambda: "There is no conversation" in page.text("#talk-list"), "that it is gone")
    page.driver.get(link)
    page.saw_errors()
    page.until(lambda: "no longer shared" in page.text("#shared-talk"), "that it is gone")
