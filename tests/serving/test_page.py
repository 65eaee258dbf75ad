"""The real page of `segassist serve`, driven in a headless Chromium; the language model is the fake server."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.llm.probe import free_port

webdriver = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SEGASSIST = Path(sys.executable).with_name("segassist")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
SECONDS = 20
"""Until something on the page counts as missing: two busy cores are slow."""
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
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
MARKUP = "<img src=x onerror=window.ran=1><b id=bold>B</b>"


class Page:
    """One tab with the page, as a person uses it."""

    def __init__(self, driver: Any, url: str, downloads: Path) -> None:
        self.driver, self.url, self.downloads = driver, url, downloads

    def open(self) -> "Page":
        self.driver.get(self.url)
        self.until(lambda: self.all("#question textarea") and self.all("#definition .cm-content"), "the page")
        return self

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until `holds` is true; the page may redraw while it looks."""
        wait = WebDriverWait(self.driver, SECONDS, 0.05, ignored_exceptions=(Exception,))
        return wait.until(
            lambda _driver: holds(), f"{what} did not come; the page says: {self.text('body')[:600]}"
        )

    def all(self, selector: str) -> list[Any]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return "\n".join(element.text for element in self.all(selector))

    def send(self, question: str) -> None:
        self.all("#question textarea")[0].send_keys(question, Keys.ENTER)

    def ask(self, question: str) -> str:
        """Ask and wait for the end of the turn; return the whole chat."""
        done = len(self.finished())
        self.send(question)
        self.until(lambda: len(self.finished()) > done, f"the answer to '{question}'")
        return self.text("#chat")

    def finished(self) -> list[str]:
        """The turns that are over: each has its number of steps and seconds, or a warning."""
        return re.findall(r"\d+ steps, [\d.]+ s|⚠", self.text("#chat"))

    @property
    def size(self) -> str:
        return self.text("[data-testid=size]")

    def shows(self, size: str) -> None:
        self.until(lambda: self.size == size, f"a card with {size}")

    @property
    def definition(self) -> str:
        return "\n".join(line.text for line in self.all("#definition .cm-line"))

    def write(self, text: str) -> None:
        """Replace what the definition's editor holds."""
        editor = self.all("#definition .cm-content")[0]
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", editor
        )
        editor.send_keys(Keys.CONTROL, "a")
        editor.send_keys(Keys.DELETE)
        self.driver.execute_script("document.execCommand('insertText', false, arguments[0])", text)
        self.until(lambda: self.definition.split() == text.split(), "the text in the editor")

    def click(self, selector: str) -> None:
        element = self.all(selector)[0]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def apply(self, text: str) -> None:
        self.write(text)
        self.click("#apply")

    def message(self) -> str:
        """The text of the newest message over the page."""
        return self.until(lambda: self.text(".toast-body"), "a message")

    def download(self) -> list[str]:
        """Click once; return the ids of the file that comes."""
        for old in self.downloads.iterdir():
            old.unlink()
        self.click("#download")
        file = self.until(lambda: next(self.downloads.glob("*.csv"), None), "the file, after one click,")
        header, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
        assert header == ["customer_id"]
        return [row[0] for row in rows]

    def resize(self, width: int) -> None:
        self.driver.set_window_size(width, 900)
        self.until(lambda: self.js("window.innerWidth") == width, f"a window {width} wide")

    def js(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def saw_errors(self) -> list[str]:
        """Severe messages of the console since the last look."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def serving(make_workspace, fake_llm, tmp_path_factory) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of `segassist serve`."""
    folder = make_workspace(tmp_path_factory.mktemp("page"), f'llm_base_url = "{fake_llm.base_url}"\n')
    url = f"http://127.0.0.1:{(port := free_port('127.0.0.1'))}"
    command = [str(SEGASSIST), "serve", "--workspace", str(folder), "--port", str(port)]
    log = (folder / "serve.log").open("w+")
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=log, stderr=log)
    began = time.monotonic()
    while True:
        assert process.poll() is None, (folder / "serve.log").read_text()[-800:]
        assert time.monotonic() - began < 120, "the server does not start"
        try:
            httpx.get(f"{url}/healthz", timeout=2).raise_for_status()
            break
        except httpx.HTTPError:
            time.sleep(0.2)
    yield url, process
    process.kill()
    process.wait()
    log.close()


@pytest.fixture(scope="module")
def tab(serving, tmp_path_factory) -> Iterator[Page]:
    """A browser with an empty profile."""
    from selenium.webdriver.chrome.service import Service

    programs = [shutil.which("chromium"), shutil.which("chromedriver")]
    if None in programs:
        pytest.skip("Chromium is missing: run scripts/install-test-programs")
    folder = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(programs[1]))
    downloads = folder / "downloads"
    downloads.mkdir()
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    yield Page(driver, serving[0], downloads)
    driver.quit()


@pytest.fixture
def page(tab, fake_llm, tmp_path) -> Iterator[Page]:
    """The page freshly opened in a wide window; a screenshot of its end is kept in tmp_path."""
    fake_llm.reset()
    tab.driver.set_window_size(1400, 1000)
    storage = {"origin": tab.url, "storageTypes": "all"}
    tab.driver.execute_cdp_cmd("Storage.clearDataForOrigin", storage)
    tab.open()
    tab.saw_errors()  # of the page before, which may have been left in the middle of an answer
    yield tab
    tab.driver.save_screenshot(str(tmp_path / "end.png"))
    assert tab.saw_errors() == []


def test_a_question_is_answered_step_by_step(page, fake_llm, tmp_path):
    assert "No segment yet" in page.text("#card")
    fake_llm.wait = 1.5
    page.send("who spent over $500 last quarter?")
    page.until(lambda: "Reading the question: 1 conditions found" in page.text("#chat"), "the first step")
    assert not page.finished()
    page.driver.save_screenshot(str(tmp_path / "steps.png"))
    page.until(page.finished, "the answer")
    assert "869 customers (35.2 % of 2,469)" in page.text("#chat")
    page.shows("869")
    assert "35.2% of 2,469 customers" in page.text("#card")
    assert "for more than $500 in total in the last 92 days" in page.text("#card .words")
    assert json.loads(page.definition)["value"] == 500
    assert page.all("#question textarea")[0].get_attribute("value") == ""


def test_the_step_at_work_is_the_one_shown(page, fake_llm):
    fake_llm.wait = 3
    page.send("who bought beer?")
    page.until(lambda: "conditions found" in page.text("#chat"), "the first step")
    title = page.until(lambda: page.text("#chat .title-text, #chat .title"), "the running step")
    assert "Planning" in title, f"while the model plans, the page shows: {title}"


def test_the_sql_is_shown(page):
    page.ask("who bought beer?")
    page.driver.find_element(By.XPATH, "//button[normalize-space(.)='SQL' or starts-with(., 'SQL')]").click()
    page.until(lambda: "SELECT" in page.text(".cm-content"), "the SQL")
    assert "BEERS/ALES" in page.text("#card")


def test_a_conversation_goes_on(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    chat = page.ask("only those with children")
    assert "Before the edit: 1,298" in chat
    assert len(json.loads(page.definition)["all_of"]) == 2


def test_an_invalid_definition_is_explained_and_changes_nothing(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.apply('{"event": "purchase", ')
    assert "not valid JSON" in page.message()
    page.apply('{"feature": "orders_90", "op": ">=", "value": 5}')
    page.until(lambda: "did you mean orders_90d" in page.message(), "the second message")
    assert page.size == "1,298"
    assert "BEERS/ALES" in page.text("#card .words")


def test_what_was_wrong_stays_in_sight_to_be_mended(page):
    page.ask("who bought beer?")
    page.apply('{"feature": "orders_90", "op": ">=", "value": 5}')
    page.message()
    time.sleep(0.5)
    seen = page.js(
        "(() => { const e = document.querySelector('#definition .cm-line'); "
        "const r = e.getBoundingClientRect(); "
        "const top = document.elementFromPoint(r.left + 20, r.top + r.height / 2); "
        "return e.contains(top) || (top && top.contains(e)); })()"
    )
    assert seen, "something lies over the definition"


def test_an_edited_definition_becomes_the_segment(page):
    page.ask("who bought beer?")
    page.apply('{"feature": "age", "op": ">=", "value": "55-64"}')
    page.shows("131")
    assert "age band 55-64 or above" in page.text("#card .words")
    page.ask("only those with children")
    parts = json.loads(page.definition)["all_of"]
    assert {"feature": "age", "op": ">=", "value": "55-64"} in parts


def test_a_definition_can_be_written_without_a_conversation(page):
    page.apply('{"feature": "age", "op": ">=", "value": "55-64"}')
    page.shows("131")


def test_an_applied_definition_is_what_them_means(page):
    page.apply('{"feature": "age", "op": ">=", "value": "55-64"}')
    page.shows("131")
    page.ask("only those with children")
    assert "age" in page.definition


def test_one_click_downloads_the_members(page):
    page.ask("who is over 55?")
    page.shows("131")
    members = page.download()
    assert len(members) == len(set(members)) == 131
    assert all(member.isdigit() for member in members)


def test_a_download_is_of_the_segment_on_the_card(page):
    page.ask("who is over 55?")
    page.shows("131")
    page.click("#download")
    time.sleep(2)
    page.apply('{"feature": "age", "op": "=", "value": "19-24"}')
    page.until(lambda: page.size not in ("131", ""), "the other segment")
    assert len(page.download()) == int(page.size)


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
    page.ask("who bought beer?")
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
    page.apply(json.dumps({"event": "purchase", "items": {"text": [MARKUP]}}))
    page.shows("0")
    assert MARKUP in page.text("#card .words")
    fake_llm.tools = ("show_segment",)
    page.ask("show me the definition of the current segment")
    assert page.all("#bold, .gradio-container img[src=x]") == []
    assert page.js("window.ran") is None


def test_markup_in_a_message_is_text(page):
    page.apply(json.dumps({"feature": MARKUP, "op": ">=", "value": 5}))
    assert "<img" in page.message()
    assert page.all(".toast-body img, .toast-body #bold") == []
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
    page.ask("who is over 55?")
    page.until(lambda: page.size, "a card")


def test_a_reload_keeps_the_conversation_and_its_segment(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.driver.refresh()
    page.until(lambda: "1,298 customers" in page.text("#chat"), "the conversation")
    page.shows("1,298")


def test_clearing_the_chat_starts_a_new_conversation(page):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.click("#chat button[aria-label=Clear]")
    page.until(lambda: "who bought beer?" not in page.text("#chat"), "an empty chat")
    page.until(lambda: "No segment yet" in page.text("#card"), "an empty card")


@pytest.mark.parametrize("width", [900, 400])
def test_a_narrow_window_needs_no_sideways_scrolling(page, width, tmp_path):
    page.resize(width)
    page.ask("who spent over $500 last quarter?")
    page.shows("869")
    page.driver.save_screenshot(str(tmp_path / f"{width}.png"))
    assert page.js(SIDEWAYS) <= 0
    for selector in ("#question textarea", "#download", "#apply", "#definition"):
        box = page.all(selector)[0].rect
        assert box["x"] >= 0, selector
        assert box["x"] + box["width"] <= width, selector
    assert not page.js(HINT_IS_CUT), "the question's hint does not fit"


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


def test_every_button_of_ours_says_what_it_does(page):
    """The arrows that open a turn's steps are drawn by Gradio and have no name."""
    page.ask("who bought beer?")
    nameless = page.js(
        "[...document.querySelectorAll('button')].filter(b => b.offsetParent && !b.closest('.arrow') && "
        "!(b.innerText.trim() || b.ariaLabel || b.title)).map(b => b.outerHTML.slice(0, 120))"
    )
    assert nameless == []


def test_the_page_asks_nothing_of_other_machines(page):
    page.ask("who bought beer?")
    loaded = page.js("performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith((page.url, "data:", "blob:"))] == []


def test_the_page_does_not_offer_to_publish_a_conversation(serving):
    config = httpx.get(f"{serving[0]}/config", timeout=30).json()
    chat = next(c for c in config["components"] if c["type"] == "chatbot")
    assert "share" not in chat["props"]["buttons"]


def test_ctrl_c_ends_the_server_without_a_traceback(serving, make_workspace):
    _, process = serving
    process.send_signal(signal.SIGINT)
    process.wait(12)
    assert process.returncode in (0, 130, -signal.SIGINT)
