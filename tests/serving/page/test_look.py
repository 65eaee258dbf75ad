"""How the real page looks and works for everybody: axe, widths, names of controls, other machines."""

import importlib.util
import time
from pathlib import Path

import httpx
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.serving.page.browser import SECONDS, SIDEWAYS, TABS
from tests.serving.page.conftest import browser

pytestmark = pytest.mark.browser

AXE_RUN = """const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
  found => done(found.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(
    v => [v.id, v.impact, v.nodes.slice(0, 4).map(n => n.html.slice(0, 160) + ' :: ' + n.target)])),
  error => done([['axe', String(error), []]]))"""
NAMELESS = (
    "[...document.querySelectorAll('button')].filter(b => b.offsetParent && !b.closest('.arrow') && "
    "!(b.innerText.trim() || b.ariaLabel || b.title)).map(b => b.outerHTML.slice(0, 120))"
)
READY = {
    "chat": "#question textarea",
    "editor": ".editor",
    "profile": "#plot-outcome-lift .js-plotly-plot .plot-container",
    "library": "#segments .notice, #segments table",
    "campaigns": "#experiments .notice, #experiments table",
    "models": "#plot-drivers .js-plotly-plot .plot-container",
    "quality": "#quality table",
    "settings": "#facts dl",
}
"""What stands on each view when it is there."""


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or not found.submodule_search_locations:
        pytest.skip("axe is missing: pip install axe-core-python")
    return (Path(found.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


def go(page, view):
    page.tab(view)
    page.until(lambda: page.all(READY[view]), f"the view {view}")
    # What fades in has another colour while it does.
    page.until(lambda: not any(each.is_displayed() for each in page.all(".progress-text")), f"{view} at rest")


@pytest.fixture
def asked(page):
    """The page with a segment, a plot in its chat, and something in its editor."""
    page.ask("who bought beer?")
    page.shows("1,298")
    page.click("#to-editor")
    page.until(lambda: page.all(".editor .row"), "the editor")
    for kind in (
        "feature",
        "repeat",
        "touch",
        "sequence",
        "comparison",
        "rank",
        "propensity",
        "uplift",
        "campaign",
        "similar",
        "group",
    ):
        page.add(kind)
    page.choose("6", "among", "true")
    page.until(lambda: page.all(".editor .inner"), "the group of the rank")
    page.click(".editor summary")
    page.tab("chat")
    return page


def test_no_view_has_a_serious_violation_of_accessibility(asked, axe):
    page, found = asked, {}
    page.driver.execute_script(axe)
    for theme in ("light", "dark"):
        page.js(f"document.body.classList.toggle('dark', {str(theme == 'dark').lower()})")
        for view in TABS:
            go(page, view)
            time.sleep(0.5)
            if violations := page.driver.execute_async_script(AXE_RUN):
                found[theme, view] = violations
    assert found == {}


def test_no_view_in_chinese_has_a_serious_violation_of_accessibility(page, axe):
    page.driver.get(f"{page.url}/zh/")
    page.until(lambda: page.all("#question textarea"), "the Chinese page")
    page.saw_errors()  # of the English page, which was left while it loaded
    page.send("谁买过啤酒？")
    page.until(lambda: "位客户的" in page.text("#size"), "the card in Chinese")
    page.click("#to-editor")
    page.until(lambda: page.all(".editor .row"), "the editor")
    assert page.js("document.documentElement.lang") == "zh"
    page.driver.execute_script(axe)
    found = {}
    for view in TABS:
        go(page, view)
        time.sleep(0.5)
        if violations := page.driver.execute_async_script(AXE_RUN):
            found[view] = violations
    assert found == {}


def test_a_shared_conversation_and_its_list_have_no_serious_violation_of_accessibility(page, axe):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.click("#talks button")
    page.until(lambda: page.all("#talk-list button[title^='Share:']"), "the list")
    page.click("#talk-list button[title^='Share:']")
    page.until(lambda: page.all("#talk-list a"), "the link")
    page.driver.get(page.all("#talk-list a")[0].get_attribute("href"))
    page.saw_errors()  # of streams that the visit broke off
    page.until(lambda: "to read only" in page.text("#shared-talk"), "what was shared")
    page.click("#talks button")
    page.until(lambda: page.all("#talk-list button[title^='Delete:']"), "the list again")
    page.click("#talk-list button[title^='Delete:']")
    page.until(lambda: page.all("#talk-list button.danger"), "to be asked whether it is meant")
    time.sleep(0.5)
    page.driver.execute_script(axe)
    assert page.driver.execute_async_script(AXE_RUN) == []


@pytest.mark.parametrize(("language", "said"), [("en", "Sign in"), ("zh", "登录")])
@pytest.mark.parametrize("key", ["", "sga_no_no"])
def test_the_sign_in_page_has_no_serious_violation_of_accessibility(
    guarded, needs_chromium, axe, tmp_path, language, said, key
):
    with browser(tmp_path) as (driver, _):
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})
        driver.get(f"{guarded.url}/signin")
        if key:  # what went wrong is on the page too
            driver.find_element(By.ID, "key").send_keys(key, Keys.ENTER)
            WebDriverWait(driver, SECONDS).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[role=alert]"))
        assert driver.find_element(By.TAG_NAME, "button").text == said
        driver.execute_script(axe)
        assert driver.execute_async_script(AXE_RUN) == []


@pytest.mark.parametrize("width", [1440, 768, 390])
def test_no_view_needs_sideways_scrolling(asked, width, tmp_path):
    page = asked
    page.resize(width)
    wide = {}
    for view in TABS:
        go(page, view)
        time.sleep(0.4)
        page.driver.save_screenshot(str(tmp_path / f"{view}-{width}.png"))
        wide[view] = page.js(SIDEWAYS)
    assert wide == dict.fromkeys(TABS, 0)
    page.driver.get(f"{page.url}/zh/")
    page.until(lambda: page.all("header a"), "the way to the other language")
    assert page.js("document.querySelector('header a').getBoundingClientRect().right") < width


def test_on_a_phone_the_title_is_beside_the_way_to_the_other_language_and_the_margins_are_small(page):
    page.resize(390)
    title = (
        "(() => {const text = document.createRange(); text.selectNodeContents(document.querySelector('header h1'));"
        "return text.getBoundingClientRect().right})()"
    )
    assert page.js(title) <= page.js("document.querySelector('header a').getBoundingClientRect().left")
    assert page.js("document.querySelector('#views').getBoundingClientRect().left") <= 16


def test_a_list_of_the_editor_has_an_arrow(page):
    page.tab("editor")
    page.until(lambda: page.all(".editor select"), "the form")
    assert page.js("getComputedStyle(document.querySelector('.editor select')).backgroundImage") != "none"


def test_every_button_of_ours_says_what_it_does(asked):
    """The arrows that open a turn's steps are drawn by Gradio and have no name."""
    for view in TABS:
        go(asked, view)
        assert asked.js(NAMELESS) == [], view


def test_the_page_asks_nothing_of_other_machines(asked):
    for view in TABS:
        go(asked, view)
    loaded = asked.js("performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in loaded if not name.startswith((asked.url, "data:", "blob:"))] == []


def test_the_page_does_not_offer_to_publish_a_conversation(serving):
    for path in ("", "/zh"):
        config = httpx.get(f"{serving[0]}{path}/config", timeout=30).json()
        chat = next(c for c in config["components"] if c["type"] == "chatbot")
        assert "share" not in chat["props"]["buttons"]
