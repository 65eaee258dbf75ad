"""Time the first load of the page, each time with an empty browser: python scripts/time_page.py http://127.0.0.1:PORT

Prints for each language, as JSON: median and slowest of the times until something is painted and until a question can be
typed (seconds from the navigation), how often it was loaded, and what came over the network (requests, MB).
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.serving.page.conftest import browser

TIMES = 5
WATCH = """new MutationObserver((_changes, watching) => {
  if (!document.querySelector('#question textarea')?.offsetParent) return;
  window.typable = performance.now();
  watching.disconnect();
}).observe(document, {childList: true, subtree: true});"""
FOUND = """const painted = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
const loaded = performance.getEntriesByType('resource');
return window.typable && painted && {painted: painted / 1000, typable: window.typable / 1000,
  requests: loaded.length + 1, megabytes: loaded.reduce((sum, each) => sum + each.transferSize, 0) / 1e6};"""


def loaded(url: str) -> dict[str, float]:
    """One load by a browser that has never seen the page."""
    with tempfile.TemporaryDirectory() as room, browser(Path(room)) as (driver, _):
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        driver.get(url)
        until = time.monotonic() + 120
        while not driver.execute_script(FOUND):
            if time.monotonic() > until:
                raise TimeoutError(f"{url}: no question can be typed after two minutes.")
            time.sleep(0.1)
        time.sleep(1)  # what is still on its way counts too
        measured: dict[str, float] = driver.execute_script(FOUND)
        return measured


def timed(url: str) -> dict[str, Any]:
    """What several first loads took."""
    runs = [loaded(url) for _ in range(TIMES)]
    said: dict[str, Any] = {"url": url, "times": TIMES}
    for what in ("painted", "typable"):
        seconds = [run[what] for run in runs]
        said[what] = {"median": round(statistics.median(seconds), 2), "slowest": round(max(seconds), 2)}
    return said | {"requests": runs[-1]["requests"], "megabytes": round(runs[-1]["megabytes"], 2)}


if __name__ == "__main__":
    for path in ("/", "/zh/"):
        print(json.dumps(timed(sys.argv[1].rstrip("/") + path)))
