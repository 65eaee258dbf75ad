"""The other views of the real page: profile, library, campaigns, models, data quality, settings."""

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

pytestmark = pytest.mark.browser

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
OVER_55 = {"feature": "age", "op": ">=", "value": "55-64"}


@pytest.fixture
def saved(serving):
    """Two saved segments."""
    url = f"{serving[0]}/v1/segments"
    names = {"Ale fans": BEER, "Elders": OVER_55}
    for name, definition in names.items():
        httpx.post(url, json={"name": name, "definition": definition}, timeout=60).raise_for_status()
    yield url
    for segment in httpx.get(url, timeout=30).json():
        httpx.delete(f"{url}/{segment['name']}", timeout=30)


def plotted(page, *names):
    for name in names:
        page.until(lambda name=name: page.all(f"#{name} .js-plotly-plot .plot-container"), f"the plot {name}")


def test_a_profile_says_and_draws_who_they_are(page, saved):
    page.ask("who is over 55?")
    page.shows("131")
    page.click("#to-profile")
    page.until(lambda: "131" in page.text("#profile-summary"), "the size")
    plotted(page, "plot-effects", "plot-rfm", "plot-mix", "plot-map", "plot-overlap")
    plotted(page, "plot-probability", "plot-segment-drivers", "plot-outcome-gains", "plot-outcome-lift")
    assert "that it had not learned from" in page.text("#outcome-told")
    assert "age band" in page.text("#profile-summary")
    assert len(page.all("#traits tbody tr")) >= 5


def test_a_profile_without_a_segment_says_what_to_do(page):
    page.tab("profile")
    page.until(lambda: "No segment yet" in page.text("#profile-summary"), "the empty state")
    assert page.all("#plot-effects") == []


def test_a_group_too_small_is_not_profiled(page):
    page.ask("who spent over $500 last quarter but went quiet for a month?")
    page.shows("fewer than 10")
    page.tab("profile")
    page.until(
        lambda: "Fewer than 10 customers are too few" in page.text("#profile-summary .error"), "the reason"
    )


def test_the_library_lists_searches_and_opens(page, saved):
    page.tab("library")
    page.until(lambda: len(page.all("#segments tbody tr")) == 2, "two segments")
    assert "1,298" in page.text("#segments")
    assert "local" in page.text("#segments")
    page.all("#search input, #search textarea")[0].send_keys("elders")
    page.until(lambda: len(page.all("#segments tbody tr")) == 1, "the one that matches")
    page.click("#segments [data-do=chat]")
    page.shows("131")
    assert "Elders · version 1" in page.text("#card")
    page.ask("only those with children")
    assert "55-64" in page.carded


def test_a_long_library_is_read_by_the_page(page, serving):
    url = f"{serving[0]}/v1/segments"
    names = [f"Many {number:02d}" for number in range(30)]
    for name in names:
        httpx.post(url, json={"name": name, "definition": OVER_55}, timeout=60).raise_for_status()

    def shown():
        return [each.text for each in page.all("#segments tbody strong")]

    page.tab("library")
    page.until(lambda: shown() == names[:25], "the first page")
    assert page.text("#segments .pages span").split("\n") == ["1–25 of 30"] * 2
    page.click("#segments [data-key='on:below']")
    page.until(lambda: shown() == names[25:], "the second page")
    assert page.js("document.querySelector('#segments').getBoundingClientRect().top") >= 0, "its beginning"
    page.click("#segments [data-do=rename]")
    page.until(lambda: page.all("#segments input"), "the new name")
    assert shown() == names[25:]
    page.all("#search input, #search textarea")[0].send_keys("Many 07")
    page.until(lambda: shown() == ["Many 07"], "the one looked for, of another page")
    assert page.all("#segments .pages") == []
    for name in names:
        httpx.delete(f"{url}/{name}", timeout=30).raise_for_status()


def test_a_saved_segment_is_opened_in_the_editor(page, saved):
    page.tab("library")
    page.until(lambda: page.all("#segments [data-do=edit]"), "the list")
    page.click("#segments [data-do=edit][data-name='Ale fans']")
    page.counts("1,298")


def test_a_segment_that_was_deleted_meanwhile_is_said_above_the_list(page, saved):
    page.tab("library")
    page.until(lambda: page.all("#segments [data-do=chat]"), "the list")
    httpx.delete(f"{saved}/Ale fans", timeout=30).raise_for_status()  # in another window
    page.click("#segments [data-do=chat][data-name='Ale fans']")
    page.until(lambda: "Ale fans" in page.text("#segments .notice.error"), "why it is not opened")
    page.click("#segments [data-do=chat][data-name='Elders']")
    page.shows("131")


def test_a_segment_is_renamed_and_deleted_after_a_second_thought(page, saved):
    page.tab("library")
    page.until(lambda: page.all("#segments [data-do=rename]"), "the list")
    page.click("#segments [data-do=rename][data-name='Ale fans']")
    box = page.until(lambda: page.all("#segments input[data-do=renamed]")[0], "the field")
    box.send_keys(Keys.CONTROL, "a")
    box.send_keys("Lager", Keys.ENTER)
    page.until(lambda: "Lager" in page.text("#segments tbody"), "the new name")
    page.click("#segments [data-do=delete][data-name='Lager']")
    page.until(lambda: page.all("#segments [data-do=keep]"), "the question")
    page.click("#segments [data-do=keep]")
    page.until(lambda: not page.all("#segments [data-do=keep]"), "the list again")
    assert httpx.get(f"{saved}/Lager", timeout=30).status_code == 200
    page.click("#segments [data-do=delete][data-name='Lager']")
    page.until(lambda: page.all("#segments [data-do=really]"), "the question")
    page.click("#segments [data-do=really]")
    page.until(lambda: len(page.all("#segments tbody tr")) == 1, "one less")
    assert httpx.get(f"{saved}/Lager", timeout=30).status_code == 404


def test_the_library_is_used_without_a_mouse(page, saved):
    """The focus goes to what is asked, back to what asked, and to what is said once it is done."""
    page.tab("library")
    page.until(lambda: page.all("#segments [data-do=rename]"), "the list")

    def press(selector, *keys):
        element = page.all(f"#segments {selector}")[0]
        page.driver.execute_script("arguments[0].focus()", element)
        element.send_keys(*keys)

    def focused(do, name):
        now = "const {do: done, name} = document.activeElement.dataset; return [done, name]"
        page.until(lambda: page.driver.execute_script(now) == [do, name], f"the focus on {do}")

    press("[data-do=delete][data-name='Ale fans']", Keys.ENTER)
    focused("keep", None)
    press("[data-do=keep]", Keys.ENTER)
    focused("delete", "Ale fans")
    press("[data-do=rename][data-name='Ale fans']", Keys.ENTER)
    focused("renamed", "Ale fans")
    press("[data-do=renamed]", Keys.CONTROL, "a", Keys.NULL, "Elders", Keys.ENTER)
    page.until(lambda: "choose another name" in page.text("#segments .notice.error"), "why not")
    press("[data-do=rename][data-name='Ale fans']", Keys.ENTER)
    focused("renamed", "Ale fans")
    press("[data-do=renamed]", Keys.CONTROL, "a", Keys.NULL, "Lager", Keys.ENTER)
    page.until(lambda: "now called 'Lager'" in page.text("#segments .notice:focus"), "what was done, focused")


def test_on_a_phone_the_buttons_of_a_list_are_in_sight(page, saved):
    page.resize(390)
    page.tab("library")
    page.until(lambda: page.all("#segments [data-do=delete]"), "the list")
    places = (
        "[...document.querySelectorAll('#segments button')].map(each => each.getBoundingClientRect().right)"
    )
    assert max(page.js(places)) <= 390


def test_an_empty_library_says_what_to_do(page):
    page.tab("library")
    page.until(lambda: "No segment is saved yet" in page.text("#segments"), "the empty state")


def test_a_plan_is_made_and_saved_and_a_test_is_run(page, fake_llm):
    page.ask("who bought beer?")
    page.shows("1,298")
    page.tab("campaigns")
    page.until(lambda: "No experiment" in page.text("#experiments"), "the empty state")
    page.click("#make-plan")
    page.until(lambda: "$5,000" in page.text("#plan"), "the plan")
    plotted(page, "plot-plan")
    page.all("#save-plan input, #save-plan textarea")[0].send_keys("Beer spring", Keys.ENTER)
    page.until(lambda: "Beer spring" in page.text("#plans"), "the saved plan")
    page.click("#assign")
    page.until(lambda: len(page.all("#experiments tbody tr")) == 1, "the experiment")
    assert "is assigned" in page.text("#campaign-result")
    listed = page.fetched("#experiments [data-do=customers]", "*-customers.csv").read_text(encoding="utf-8")
    assert len(listed.splitlines()) == 1 + 1298
    assert {line.split(",")[1] for line in listed.splitlines()[1:]} == {"contact", "holdout"}
    page.click("#read-campaign")
    page.until(lambda: "its result is due on" in page.text(".toast-body"), "why there is no result yet")


def test_a_saved_plan_is_opened_downloaded_and_deleted_after_a_second_thought(page, serving):
    body = {"definition": BEER, "budget": 700}
    httpx.put(f"{serving[0]}/v1/plans/Ales", json=body, timeout=60).raise_for_status()
    page.tab("campaigns")
    row = "[data-name=Ales]"
    page.until(lambda: page.all(f"#plans {row}"), "the list")
    page.click(f"#plans [data-do=open]{row}")
    page.until(lambda: "$700" in page.text("#plan"), "the plan")
    text = page.fetched(f"#plans [data-do=md]{row}", "*.md")
    assert (text.name, text.read_text(encoding="utf-8")[:12]) == ("Ales.md", "## Strategy:")
    assert page.fetched(f"#plans [data-do=html]{row}", "*.html").read_text().startswith("<!doctype html>")
    listed = page.fetched(f"#plans [data-do=customers]{row}", "*.csv").read_text(encoding="utf-8")
    assert listed.startswith("customer,arm,tier,offer,as_of,definition\n")
    page.click(f"#plans [data-do=delete]{row}")
    page.until(lambda: page.all("#plans [data-do=keep]"), "the question")
    page.click("#plans [data-do=keep]")
    page.until(lambda: page.all(f"#plans [data-do=delete]{row}"), "the list again")
    page.click(f"#plans [data-do=delete]{row}")
    page.until(lambda: page.all(f"#plans [data-do=really]{row}"), "the question")
    page.click(f"#plans [data-do=really]{row}")
    page.until(lambda: not page.all(f"#plans {row}"), "the list without it")
    assert httpx.get(f"{serving[0]}/v1/plans/Ales", timeout=30).status_code == 404


def test_a_plan_without_a_segment_says_what_to_do(page):
    page.tab("campaigns")
    page.until(lambda: page.all("#make-plan"), "the view")
    page.click("#make-plan")
    page.until(lambda: "There is no segment yet" in page.text("#plan-told"), "the reason")


def test_a_models_card_shows_how_it_tested(page):
    page.tab("models")
    plotted(page, "plot-gains", "plot-lift", "plot-reliability", "plot-roc", "plot-precision", "plot-drivers")
    assert "Tested on 2017-11-01" in page.text("#model-summary")
    assert len(page.all("#groups tbody tr")) > 5


def test_the_data_quality_page_shows_the_gates_report(page):
    page.tab("quality")
    page.until(lambda: "quality gate says: warning" in page.text("#quality"), "the verdict")
    assert "8,820" in page.text("#quality")
    first = page.all("#quality tbody tr")[0].text
    assert first.startswith("warning"), "what needs a look comes first"


def test_every_label_is_there_in_chinese(page):
    page.tab("settings")
    page.until(lambda: page.all("#language a[lang=zh]"), "the switch")
    page.click("#language a[lang=zh]")
    page.until(
        lambda: page.driver.current_url.endswith("/zh/") and page.all("#question textarea"),
        "the Chinese page",
    )
    assert page.js("document.documentElement.lang") == "zh"
    assert "当前分群" in page.text("#card")
    page.all("#question textarea")[0].send_keys("谁买过啤酒？", Keys.ENTER)
    page.until(lambda: "位客户的" in page.text("#size"), "the card in Chinese")
    assert "BEERS/ALES" in page.text("#size .words")
    page.tab("editor")
    page.until(lambda: page.all(".editor"), "the form")
    page.apply('{"feature": "orders_90", "op": ">=", "value": 5}')
    page.until(lambda: "您是指orders_90d" in page.text(".editor .problem"), "the problem in Chinese")


def test_what_goes_wrong_is_said_in_chinese_on_the_chinese_page(page, fake_llm):
    page.driver.get(f"{page.url}/zh/")
    page.until(lambda: page.all("#question textarea"), "the Chinese page")
    page.saw_errors()  # of the English page, which was left while it loaded
    page.click("#download")
    assert "还没有分群" in page.message()
    fake_llm.status = 500
    page.send("描述一下买过啤酒的客户")
    page.until(lambda: "⚠" in page.text("#chat"), "what went wrong")
    assert "语言模型" in page.text("#chat")
    assert "refused" not in page.text("#chat")


def test_plots_follow_a_window_that_was_resized_while_they_were_hidden(page):
    page.tab("models")
    plotted(page, "plot-gains")
    page.tab("chat")
    page.resize(390)
    page.tab("models")
    wide = "document.querySelector('#plot-gains .main-svg').getBoundingClientRect().width"
    page.until(lambda: 0 < page.js(wide) <= 390, "a plot that fits")


def test_a_theme_is_kept(page):
    page.tab("settings")
    page.until(lambda: page.all("#theme input[value=dark]"), "the themes")
    page.click("#theme input[value=dark]")
    page.until(lambda: page.js("document.body.classList.contains('dark')"), "the dark page")
    page.open()
    page.until(lambda: page.js("document.body.classList.contains('dark')"), "the dark page again")
