"""Signing in to the real page and out of it, with users."""

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from serving.http.guard import COOKIE
from tests.serving.page.browser import Page
from tests.serving.page.conftest import browser

pytestmark = pytest.mark.browser


@pytest.fixture
def stranger(guarded, needs_chromium, tmp_path):
    """A browser of its own that nobody has signed in with."""
    with browser(tmp_path) as (driver, downloads):
        yield Page(driver, guarded.url, downloads)


def sign_in(page, key):
    page.driver.get(page.url)
    page.until(lambda: page.all("#key"), "the sign-in page")
    page.all("#key")[0].send_keys(key, Keys.ENTER)
    page.until(lambda: page.all("#question textarea"), "the page")


@pytest.mark.parametrize(("path", "role"), [("", "marketer"), ("zh/", "analyst")])
def test_a_person_signs_in_and_out(stranger, guarded, path, role):
    page = stranger
    sign_in(page, guarded.keys[role])
    page.driver.get(f"{page.url}/{path}")
    page.until(lambda: page.all("#question textarea"), "the page")
    page.tab("settings")
    said = {"marketer": "marketer@shop, role marketer", "analyst": "analyst@shop，角色 分析师"}
    page.until(lambda: said[role] in page.text("#facts"), "who it is")
    session = {"cookie": f"{COOKIE}={page.driver.get_cookie(COOKIE)['value']}"}
    assert httpx.get(f"{guarded.url}/v1/me", headers=session).json()["name"] == f"{role}@shop"
    page.until(lambda: page.all("#facts form button")[0].click() is None, "the button")
    page.until(lambda: page.all("#key"), "the sign-in page after signing out")
    assert page.driver.get_cookie(COOKIE) is None
    assert httpx.get(f"{guarded.url}/v1/me", headers=session).status_code == 401
    page.driver.get(page.url)
    page.until(lambda: page.all("#key"), "the sign-in page instead of the page")
