"""Sign-in by a provider (OpenID Connect) against a small real one, and every word of it that must not be taken."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey

from segments.errors import DataError
from serving.access import Role
from serving.doctor import examine
from serving.http.api import create_api
from serving.llm.probe import free_port
from serving.programs import check_access
from serving.service import Service
from serving.users import Users
from tests.serving.conftest import serving
from tests.serving.provider import CLIENT, SECRET, TestProvider

ADA = {"sub": "42", "preferred_username": "ada", "roles": ["staff", "marketer", "analyst"]}


@pytest.fixture(scope="module")
def provider():
    made = TestProvider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shop(make_workspace, provider, tmp_path_factory):
    folder = tmp_path_factory.mktemp("oidc")
    settings = f'oidc_issuer = "{provider.issuer}"\noidc_client_id = "{CLIENT}"\n'
    return make_workspace(folder, settings)


@pytest.fixture(scope="module")
def service(shop):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGASSIST_OIDC_SECRET", SECRET)
        yield Service.open(shop)


@pytest.fixture(scope="module")
def url(service):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGASSIST_OIDC_SECRET", SECRET)
        with serving(create_api(service)) as found:
            yield found


@pytest.fixture
def browser(url, provider):
    provider.claims, provider.changed, provider.key = dict(ADA), {}, None
    provider.algorithm, provider.down = "RS256", False
    with httpx.Client(base_url=url) as client:
        yield client


def sign_in(browser) -> httpx.Response:
    """The callback's answer."""
    there = browser.get("/signin/provider").headers["location"]
    return browser.get(httpx.get(there).headers["location"])


def test_a_person_signs_in_and_is_who_the_provider_says(browser, service):
    assert 'href="/signin/provider"' in browser.get("/signin").text
    assert browser.get("/v1/me").status_code == 401
    answer = sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert browser.get("/v1/me").json() == {"name": "ada", "role": "analyst"}
    assert service.audit.entries(1)[0].action == "sign_in"
    browser.post("/signout")
    assert browser.get("/v1/me").status_code == 401


def test_the_role_is_what_the_provider_said_last(browser, provider):
    sign_in(browser)
    provider.claims["roles"] = "viewer"
    sign_in(browser)
    assert browser.get("/v1/me").json() == {"name": "ada", "role": "viewer"}


def test_a_person_without_a_role_here_gets_nothing(browser, provider):
    provider.claims["roles"] = ["staff"]
    answer = sign_in(browser)
    assert answer.status_code == 403
    assert "have no role here: &#x27;roles&#x27; must hold one of viewer, marketer" in answer.text
    assert browser.get("/v1/me").status_code == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "http://other"},
        {"aud": "another-client"},
        {"nonce": "of another sign-in"},
        {"exp": int(time.time()) - 3600},
        {"nbf": 4_102_444_800},
        {"sub": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_token_that_is_not_for_this_sign_in_is_refused(browser, provider, changed):
    provider.changed = changed
    answer = sign_in(browser)
    assert answer.status_code == 401
    assert "word does not hold" in answer.text
    assert browser.get("/v1/me").status_code == 401


@pytest.mark.parametrize("kind", ["another key", "public key as secret", "none"])
def test_a_token_that_the_provider_did_not_sign_is_refused(browser, provider, kind):
    if kind == "another key":
        provider.key = RSAKey.generate_key(2048, {"kid": "one"})
    elif kind == "public key as secret":
        provider.algorithm = "HS256"
    else:
        provider.algorithm = "none"
    assert sign_in(browser).status_code == 401
    assert browser.get("/v1/me").status_code == 401


def test_a_provider_that_changes_its_keys_is_believed_after_one_more_try(browser, provider):
    sign_in(browser)
    provider.published = RSAKey.generate_key(2048, {"kid": "two"})
    statuses = [sign_in(browser).status_code for _ in range(2)]
    assert statuses[-1] == 303


def test_an_answer_that_this_browser_did_not_ask_for_is_refused(browser, url):
    there = browser.get("/signin/provider").headers["location"]
    back = httpx.get(there).headers["location"]
    assert httpx.get(back).status_code == 401
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert browser.get(back.replace(state, "x" * len(state))).status_code == 401
    assert browser.get("/signin/callback?error=access_denied").status_code == 401
    assert browser.get(back).status_code == 303
    assert browser.get(back).status_code == 401


def test_a_revoked_user_does_not_come_back(browser, provider, service):
    provider.claims |= {"sub": "43", "preferred_username": "eve"}
    sign_in(browser)
    service.users.revoke("eve")
    assert browser.get("/v1/me").status_code == 401
    answer = sign_in(browser)
    assert answer.status_code == 401
    assert "has been revoked" in answer.text


def test_nobody_takes_the_name_of_another_user(browser, provider, service):
    service.users.add("boss", Role.admin)
    provider.claims |= {"sub": "44", "preferred_username": "boss"}
    answer = sign_in(browser)
    assert answer.status_code == 409
    assert "There is another user" in answer.text


def test_a_provider_that_is_down_is_told(browser, provider, shop, monkeypatch):
    monkeypatch.setenv("SEGASSIST_OIDC_SECRET", SECRET)
    provider.down = True
    with serving(create_api(Service.open(shop))) as fresh:
        answer = httpx.get(f"{fresh}/signin/provider")
        assert answer.status_code == 503
        assert "try again" in answer.text
        provider.down = False
        assert httpx.get(f"{fresh}/signin/provider").status_code == 303


def test_the_doctor_knows_who_signs_people_in(shop, provider):
    provider.down = False
    found = {finding.part: finding for finding in examine(shop, free_port("127.0.0.1"))}
    assert found["access"].what.endswith(f"users with a key; {provider.issuer} signs others in")
    assert (found["sign-in"].level, found["sign-in"].what) == ("ok", f"{provider.issuer} answers")
    provider.down = True
    (finding,) = [f for f in examine(shop, free_port("127.0.0.1")) if f.part == "sign-in"]
    provider.down = False
    assert (finding.level, finding.what.startswith(f"The sign-in provider {provider.issuer}")) == (
        "fail",
        True,
    )
    assert "API keys work meanwhile" in finding.way_out


def test_with_a_provider_nobody_is_let_in_unasked(shop, tmp_path, make_workspace):
    assert Users(tmp_path / "state.sqlite", always=True).on
    check_access(shop, "0.0.0.0")
    with pytest.raises(DataError, match="there are no users"):
        check_access(make_workspace(tmp_path / "other"), "0.0.0.0")
