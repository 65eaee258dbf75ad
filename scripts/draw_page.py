"""Draw the pictures of docs/page.md from a running page: python scripts/draw_page.py http://127.0.0.1:PORT docs"""

import base64
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.serving.page.browser import Page
from tests.serving.page.conftest import browser

BEER = {
    "event": "purchase",
    "items": {"category": ["BEERS/ALES"]},
    "weekdays": ["fri", "sat"],
    "hours": [16, 24],
}
OFTEN = {"repeat": "purchase", "times": 3, "within_days": 14, "from_days_ago": 90}
FAMILIES = {"feature": "has_children", "op": "=", "value": True}
EDITED = {
    "all_of": [
        BEER,
        {"any_of": [OFTEN, {"rank_by": "spend_365d", "count": 200, "among": {"all_of": [FAMILIES]}}]},
    ]
}
WIDE, MIDDLE, NARROW = 1440, 768, 390


def draw(page: Page, file: Path) -> None:
    """The whole page as it is now, however long."""
    time.sleep(3)
    width, height = page.js("window.innerWidth"), page.js("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shot = page.driver.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
    )
    file.write_bytes(base64.b64decode(shot["data"]))


def main(url: str, folder: Path) -> None:
    """Draw each picture anew."""
    with tempfile.TemporaryDirectory() as room, browser(Path(room)) as (driver, downloads):
        page = Page(driver, url, downloads)
        page.resize(WIDE)
        page.open()
        page.apply(json.dumps(EDITED))
        page.until(lambda: page.count and page.all(".editor .inner"), "the form")
        page.until(lambda: all(part.text for part in page.all(".editor .holds")), "the counts of the parts")
        page.js("document.querySelector('#definition .cm-scroller').scrollTo(0, 0)")
        draw(page, folder / "page-editor.png")
        page.resize(MIDDLE)
        draw(page, folder / "page-tablet.png")
        page.resize(WIDE)
        page.open()
        page.ask("who bought beer?")
        page.button("Definition").click()
        page.until(lambda: page.all("#card-definition .cm-line") and page.all(".spark"), "the card")
        draw(page, folder / "page.png")
        page.resize(NARROW)
        draw(page, folder / "page-phone.png")
        page.resize(WIDE)
        page.click("#to-profile")
        page.until(lambda: page.all("#plot-outcome-lift .js-plotly-plot .plot-container"), "the plots")
        draw(page, folder / "page-profile.png")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
