"""One tab of a headless Chromium with the page, as a person uses it."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

SECONDS = 60
"""Until something on the page counts as missing: two busy cores are slow."""
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TABS = {
    "chat": "Chat",
    "editor": "Editor",
    "profile": "Profile",
    "library": "Library",
    "campaigns": "Campaigns",
    "models": "Models",
    "quality": "Data quality",
    "settings": "Settings",
}


class Page:
    """One tab with the page, as a person uses it."""

    def __init__(self, driver: Any, url: str, downloads: Path) -> None:
        self.driver, self.url, self.downloads = driver, url, downloads

    def open(self) -> "Page":
        self.driver.get(self.url)
        self.until(lambda: self.all("#question textarea"), "the page")
        return self

    def tab(self, name: str) -> None:
        """Go to a view."""
        self.until(lambda: self._go(name), f"the tab '{name}'")

    def _go(self, name: str) -> bool:
        """By the tab, or by the menu that narrow windows hide it in."""
        shown = [each for each in self.all(f"[data-tab-id={name}]") if each.is_displayed()]
        if not shown:
            (menu,) = (each for each in self.all("#views .overflow-menu > button") if each.is_displayed())
            menu.click()
            hidden = self.all("#views .overflow-dropdown button")
            shown = [each for each in hidden if each.text.strip() == TABS[name]]
        shown[0].click()
        return True

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait until `holds` is true; the page may redraw while it looks."""
        wait = WebDriverWait(self.driver, SECONDS, 0.05, ignored_exceptions=(Exception,))
        try:
            return wait.until(lambda _driver: holds())
        except TimeoutException as error:
            shown = self.js("document.body.innerText.slice(0, 3000)")
            raise TimeoutException(f"{what} did not come; the page says: {shown}") from error

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
        """The text of the editor."""
        return "\n".join(line.text for line in self.all("#definition .cm-line"))

    @property
    def carded(self) -> str:
        """The definition on the card."""
        if not self.all("#card-definition .cm-line"):
            self.button("Definition").click()
            self.until(lambda: self.all("#card-definition .cm-line"), "the card's definition")
        return "\n".join(line.text for line in self.all("#card-definition .cm-line"))

    def button(self, label: str) -> Any:
        """The button in sight whose text begins so."""
        path = f"//button[starts-with(normalize-space(.), '{label}')]"
        return self.until(
            lambda: next(each for each in self.driver.find_elements(By.XPATH, path) if each.is_displayed()),
            label,
        )

    def write(self, text: str) -> None:
        """Replace what the text of the editor holds."""
        editor = self.until(lambda: self.all("#definition .cm-content")[0], "the editor's text")
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'}); arguments[0].focus()", editor
        )
        editor.send_keys(Keys.CONTROL, "a")
        editor.send_keys(Keys.DELETE)
        self.driver.execute_script("document.execCommand('insertText', false, arguments[0])", text)
        self.until(lambda: self.definition.split() == text.split(), "the text in the editor")

    def click(self, selector: str) -> None:
        self.until(lambda: self._clicked(selector), f"something to click at {selector}")

    def _clicked(self, selector: str) -> bool:
        element = self.all(selector)[0]
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        return True

    def apply(self, text: str) -> None:
        """Apply a definition's text in the editor."""
        self.tab("editor")
        self.until(lambda: self.all(".editor"), "the form")
        self.write(text)
        self.click("#apply")

    def use(self, text: str, count: str) -> None:
        """Apply a definition's text in the editor, wait for its count, and use it in the chat."""
        self.apply(text)
        self.counts(count)
        self.click("#use")
        self.shows(count)

    # The editor

    @property
    def count(self) -> str:
        return self.text("[data-testid=count]")

    def counts(self, size: str) -> None:
        self.until(lambda: self.count == size, f"a count of {size}")

    def add(self, kind: str, group: str = "") -> None:
        """Add a part to the group at a place; what may be added is folded away in one inside another."""
        fold = f".editor details:not([open])[data-key='{group}:adds'] summary"
        if self.all(fold):
            self.click(fold)
        rows = len(self.all(".editor .row, .editor .group"))
        self.click(f".editor [data-do=add][data-kind={kind}][data-place='{group}']")
        self.until(lambda: len(self.all(".editor .row, .editor .group")) > rows, f"one more {kind}")

    def do(self, action: str, place: str) -> None:
        """Click a tool of the part at a place."""
        before = self.definition
        self.click(f".editor .tool[data-do={action}][data-place='{place}']")
        self.until(lambda: self.definition != before, f"the text after {action}")

    def choose(self, place: str, field: str, value: str) -> None:
        """Choose from a list of the part at a place."""
        Select(self.field(place, field)).select_by_value(value)

    def fill(self, place: str, field: str, value: str) -> None:
        """Type into a field of the part at a place, and leave it."""
        box = self.field(place, field)
        box.clear()
        box.send_keys(value, Keys.TAB)

    def field(self, place: str, field: str) -> Any:
        """A field of the part at a place, once the form has been drawn after what was done before."""
        self.until(lambda: not self.all("#form [aria-busy=true]"), "the form at rest")
        selector = f".editor [data-place='{place}'][data-field='{field}']:is(input, select)"
        return self.until(lambda: self.all(selector)[0], f"the field {field}")

    # Anywhere

    def message(self) -> str:
        """The text of the newest message over the page."""
        return self.until(lambda: self.text(".toast-body"), "a message")

    def fetched(self, button: str, pattern: str) -> Path:
        """Click once; return the file that comes."""
        for old in self.downloads.iterdir():
            old.unlink()
        self.click(button)
        return self.until(lambda: next(self.downloads.glob(pattern), None), "the file, after one click,")

    def download(self) -> list[str]:
        """The ids of the current segment's file."""
        file = self.fetched("#download", "*.csv")
        header, *rows = csv.reader(file.read_text(encoding="utf-8").splitlines())
        assert header == ["customer_id"]
        return [row[0] for row in rows]

    def resize(self, width: int) -> None:
        self.driver.set_window_size(width, 900)
        self.until(lambda: self.js("window.innerWidth") == width, f"a window {width} wide")

    def js(self, expression: str) -> Any:
        return self.driver.execute_script(f"return {expression}")

    def saw_errors(self) -> list[str]:
        """Severe messages of the console since the last look, but for answers that nobody waited for."""
        severe = [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
        return [message for message in severe if "AbortError" not in message]
