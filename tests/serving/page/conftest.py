"""`segassist serve` in a process of its own, and a browser on it; the language model is the fake server."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.llm.probe import free_port

webdriver = pytest.importorskip("selenium.webdriver")
from tests.serving.page.browser import Page  # noqa: E402

ROOT = Path(__file__).parents[3]
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


@contextmanager
def started(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of `segassist serve` on a workspace."""
    url = f"http://127.0.0.1:{(port := free_port('127.0.0.1'))}"
    command = [sys.executable, "-m", "serving.cli", "serve", "--workspace", str(folder), "--port", str(port)]
    (temporary := folder / "tmp").mkdir(exist_ok=True)
    environment = os.environ | {"TMPDIR": str(temporary)}
    with (folder / "serve.log").open("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=log, stderr=log, env=environment)
        try:
            began = time.monotonic()
            while True:
                assert process.poll() is None, (folder / "serve.log").read_text()[-800:]
                assert time.monotonic() - began < 600, "the server does not start"
                try:
                    httpx.get(f"{url}/healthz", timeout=2).raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.2)
            yield url, process
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def page_workspace(make_workspace, fake_llm, tmp_path_factory) -> Path:
    """A workspace whose language model is the fake server, which is asked one question at once."""
    settings = f'llm_base_url = "{fake_llm.base_url}"\nturns_at_once = 1\n'
    return make_workspace(tmp_path_factory.mktemp("page"), settings)


@pytest.fixture(scope="session")
def serving(page_workspace) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address and the process of the server that these tests share."""
    with started(page_workspace) as running:
        yield running


@contextmanager
def browser(folder: Path) -> Iterator[tuple[Any, Path]]:
    """A headless Chromium with an empty profile in the folder, and where its downloads go."""
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    downloads = folder / "downloads"
    downloads.mkdir()
    behaviour = {"behavior": "allow", "downloadPath": str(downloads)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    try:
        yield driver, downloads
    finally:
        driver.quit()


@pytest.fixture(scope="session")
def needs_chromium() -> None:
    """Skipped where there is no browser."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("Chromium is missing: run scripts/install-test-programs")


@pytest.fixture(scope="session")
def tab(serving, needs_chromium, tmp_path_factory) -> Iterator[Page]:
    """A browser with an empty profile."""
    with browser(tmp_path_factory.mktemp("browser")) as (driver, downloads):
        yield Page(driver, serving[0], downloads)


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
