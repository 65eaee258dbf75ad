"""Users, keys and roles: what each role may do at every endpoint, and what nobody may do."""

import json
import re
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient

from assistant.toolbox import tool_specs
from segments.errors import ConflictError, DataError, NotFoundError, UnauthenticatedError, UserError
from serving.access import LEAST, OWNER, Role, tool_permission
from serving.http.api import create_api
from serving.llm.probe import free_port
from serving.programs import uvicorn_options
from serving.service import Service, permission_of
from serving.users import Users
from tests.serving.conftest import ROLES

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
DEFINITION = {"definition": BEER}
ANYONE = None
READ, ASK, WRITE, EXPORT, OPERATE = (LEAST[p].name for p in ("read", "ask", "write", "export", "operate"))

ENDPOINTS: dict[tuple[str, str], tuple[str | None, dict | None]] = {
    ("GET", "/healthz"): (ANYONE, None),
    ("GET", "/readyz"): (ANYONE, None),
    ("GET", "/metrics"): (OPERATE, None),
    ("GET", "/v1/audit"): (OPERATE, None),
    ("GET", "/v1/me"): (READ, None),
    ("GET", "/v1/features"): (READ, None),
    ("GET", "/v1/values"): (READ, None),
    ("GET", "/v1/propensity"): (READ, None),
    ("POST", "/v1/propensity/scores"): (EXPORT, DEFINITION | {"outcome": "purchase_30d", "limit": 1}),
    ("POST", "/v1/propensity/score"): (EXPORT, {"customer": "1", "outcome": "purchase_30d"}),
    ("GET", "/v1/models"): (READ, None),
    ("GET", "/v1/models/{model}"): (READ, None),
    ("POST", "/v1/chat/completions"): (
        ASK,
        {"model": "other", "messages": [{"role": "user", "content": "?"}]},
    ),
    ("POST", "/v1/ask"): (ASK, {"question": ""}),
    ("POST", "/v1/ask/stream"): (ASK, {"question": ""}),
    ("GET", "/v1/conversations"): (ASK, None),
    ("GET", "/v1/conversations/{conversation}"): (ASK, None),
    ("PUT", "/v1/conversations/{conversation}/title"): (ASK, {"title": "matrix"}),
    ("DELETE", "/v1/conversations/{conversation}"): (ASK, None),
    ("POST", "/v1/conversations/{conversation}/share"): (ASK, None),
    ("DELETE", "/v1/conversations/{conversation}/share"): (ASK, None),
    ("POST", "/v1/shared"): (ASK, {"token": "?"}),
    ("GET", "/v1/conversations/{conversation}/bundle"): (ASK, None),
    ("GET", "/v1/segments"): (READ, None),
    ("POST", "/v1/segments"): (WRITE, DEFINITION | {"name": "matrix"}),
    ("GET", "/v1/segments/{name}"): (READ, None),
    ("PUT", "/v1/segments/{name}"): (WRITE, DEFINITION),
    ("DELETE", "/v1/segments/{name}"): (WRITE, None),
    ("POST", "/v1/segments/preview"): (READ, DEFINITION),
    ("POST", "/v1/segments/estimate"): (READ, DEFINITION),
    ("POST", "/v1/segments/diff"): (READ, DEFINITION | {"earlier": "2017-10-01"}),
    ("POST", "/v1/segments/diff/members"): (
        EXPORT,
        DEFINITION | {"earlier": "2017-10-01", "which": "left", "limit": 1},
    ),
    ("POST", "/v1/segments/overlap"): (READ, {"definitions": [BEER, BEER]}),
    ("POST", "/v1/segments/members"): (EXPORT, DEFINITION | {"limit": 1}),
    ("GET", "/v1/plans"): (READ, None),
    ("GET", "/v1/plans/{name}"): (READ, None),
    ("PUT", "/v1/plans/{name}"): (WRITE, DEFINITION),
    ("DELETE", "/v1/plans/{name}"): (WRITE, None),
    ("GET", "/v1/plans/{name}/customers"): (EXPORT, None),
    ("GET", "/v1/experiments"): (READ, None),
    ("GET", "/v1/experiments/{name}"): (READ, None),
    ("DELETE", "/v1/experiments/{name}"): (WRITE, None),
    ("GET", "/v1/experiments/{name}/customers"): (EXPORT, None),
    ("POST", "/v1/exports"): (EXPORT, DEFINITION | {"name": "matrix"}),
    ("GET", "/v1/exports"): (EXPORT, None),
    ("GET", "/v1/exports/{job}"): (EXPORT, None),
    ("DELETE", "/v1/exports/{job}"): (EXPORT, None),
    ("POST", "/v1/exports/{job}/delivery"): (EXPORT, None),
    ("GET", "/v1/exports/{job}/file"): (EXPORT, None),
    ("GET", "/v1/tools"): (READ, None),
} | {
    ("POST", f"/v1/tools/{spec.name}"): (LEAST[permission_of(spec)].name, {"nothing": 1})
    for spec in tool_specs().values()
}
"""The least role of each endpoint, and a body. A new endpoint must be added here; tools are read from their rule."""


HIDDEN: dict[str, str | None] = {
    "/signin": ANYONE,
    "/signin/provider": ANYONE,
    "/signin/callback": ANYONE,
    "/signout": ANYONE,
    "/openapi.json": READ,
    "/docs": READ,
    "/docs/oauth2-redirect": READ,
    "/static-offline-docs": READ,
    "/mcp": READ,
    "/v1": READ,
    "/v1/{path:path}": READ,
    "/healthz/{path:path}": READ,
    "/readyz/{path:path}": READ,
    "/metrics/{path:path}": READ,
    "/openapi.json/{path:path}": READ,
    "/mcp/{path:path}": READ,
}
"""The least role of each path that the OpenAPI does not tell of."""


def call(client, method, path, body):
    return client.request(method, re.sub(r"{\w+}", "matrix", path), json=body)


def test_every_endpoint_has_its_least_role(guarded):
    with guarded.client("admin") as client:
        paths = client.get("/openapi.json").json()["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert found == set(ENDPOINTS)


def test_every_route_that_is_not_told_of_has_its_least_role_too(guarded):
    """Read from the router itself: a route that is in neither table fails here."""
    from serving.programs import create_programs

    routes = [route for route in create_programs(guarded.service).routes if hasattr(route, "path")]
    shown = {path for _, path in ENDPOINTS}
    assert {route.path for route in routes} - shown <= set(HIDDEN)
    with guarded.client(None) as stranger, guarded.client("viewer") as viewer:
        for path, least in HIDDEN.items():
            if path.startswith("/signin/"):  # there with a provider only, see test_oidc
                continue
            method = "POST" if path == "/mcp" else "GET"  # a GET of it waits for what the server may say
            status = stranger.request(method, path).status_code
            assert status not in (401, 303) if least is ANYONE else status in (401, 303), f"{path} {status}"
            assert viewer.request(method, path).status_code not in (401, 403), path


@pytest.mark.parametrize("role", [None, *ROLES])
def test_a_role_may_do_what_it_is_for_and_nothing_more(guarded, role):
    with guarded.client(role) as client:
        for (method, path), (least, body) in ENDPOINTS.items():
            answer = call(client, method, path, body)
            where = f"{role} {method} {path}: {answer.text[:200]}"
            if least is ANYONE:
                assert answer.status_code == 200, where
            elif role is None:
                assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), where
                assert answer.headers["www-authenticate"] == "Bearer"
            elif Role[role] < Role[least]:
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), where
            else:
                assert answer.status_code not in (401, 403, 500), where


@pytest.mark.parametrize(
    ("name", "parameters", "permission"),
    [
        ("profile_segment", ["definition"], "read"),
        ("save_segment", ["definition", "name"], "write"),
        ("delete_segment", ["name"], "write"),
        ("start_experiment", ["definition"], "write"),
        ("export_audience", ["definition"], "export"),
        ("find_lookalikes_of_customer", ["customer", "top"], "export"),
        ("explain_member", ["definition", "customer"], "export"),
        ("explain_propensity", ["customer", "outcome"], "export"),
    ],
)
def test_a_tool_of_unknown_effect_takes_more(name, parameters, permission):
    assert tool_permission(name, parameters) == permission


def test_small_groups_are_hidden_from_those_who_may_not_export(guarded):
    few = {"definition": {"similar_to": {"segment": BEER}, "top": 5}}
    seen = {}
    for role in ROLES:
        with guarded.client(role) as client:
            seen[role] = client.post("/v1/segments/preview", json=few).json()["size"]
    assert seen == {"viewer": None, "marketer": None, "analyst": 5, "admin": 5}
    pair = {"definitions": [few["definition"], BEER]}
    with guarded.client("viewer") as client:
        assert client.post("/v1/segments/overlap", json=pair).json()["customers"] == [[None, 0], [0, 1298]]


def test_a_conversation_is_its_users_own(guarded, model):
    model.replies.append("define_segment")
    question = {"question": "who bought beer?", "conversation": "shared-name"}
    with guarded.client("marketer") as mine, guarded.client("admin") as other:
        assert mine.post("/v1/ask", json=question).json()["conversation"] == "shared-name"
        assert mine.get("/v1/conversations/shared-name").json()["segment"]["size"] == 1298
        assert other.get("/v1/conversations/shared-name").status_code == 404


# Keys


@pytest.fixture
def users(tmp_path) -> Users:
    return Users(tmp_path / "state.sqlite")


def test_access_is_off_until_the_first_user_and_never_again(users):
    assert not users.on
    assert users.named("local") == OWNER
    users.add("ada", Role.admin)
    assert users.on
    users.revoke("ada")
    assert users.on
    with pytest.raises(UnauthenticatedError):
        users.named("local")


def test_a_key_says_who_it_belongs_to_until_it_is_revoked(users):
    key = users.add("ada", Role.analyst)
    second = users.new_key("ada")
    assert users.caller(key).name == "ada"
    assert users.caller(key).role is Role.analyst
    users.revoke_key(key.split("_")[1])
    with pytest.raises(UnauthenticatedError):
        users.caller(key)
    assert users.caller(second).name == "ada"
    users.revoke("ada")
    with pytest.raises(UnauthenticatedError):
        users.caller(second)
    with pytest.raises(UnauthenticatedError):
        users.named("ada")


def test_a_role_is_changed_and_a_revoked_user_taken_back(users):
    old = users.add("ada", Role.analyst)
    users.set_role("ada", Role.viewer)
    assert users.caller(old).role is Role.viewer
    users.revoke("ada")
    with pytest.raises(NotFoundError):
        users.set_role("ada", Role.admin)
    new = users.add("ada", Role.marketer)
    assert (users.caller(new).name, users.caller(new).role) == ("ada", Role.marketer)
    with pytest.raises(UnauthenticatedError):
        users.caller(old)


def test_a_session_ends_by_itself(users):
    users.add("ada", Role.viewer)
    assert users.caller(users.new_session("ada", timedelta(minutes=1))).name == "ada"
    with pytest.raises(UnauthenticatedError):
        users.caller(users.new_session("ada", timedelta(seconds=-1)))


def test_a_key_is_kept_only_as_its_hash(users, tmp_path):
    key = users.add("ada", Role.viewer)
    secret = key.split("_", 2)[2]
    assert secret.encode() not in (tmp_path / "state.sqlite").read_bytes()


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1], lambda k: "x" + k, lambda k: k.replace("sga", "abc"), lambda _: ""]
)
def test_a_key_that_is_not_whole_does_not_hold(users, change):
    key = users.add("ada", Role.admin)
    with pytest.raises(UnauthenticatedError):
        users.caller(change(key))


def test_users_are_added_once_and_by_a_name_that_can_be_written(users):
    users.add("ada", Role.viewer)
    with pytest.raises(ConflictError, match="There is a user 'ada'"):
        users.add("ada", Role.admin)
    for name in ("", "a b", "x" * 65, "a:b", "ä"):
        with pytest.raises(UserError, match="name: must be"):
            users.add(name, Role.viewer)
    with pytest.raises(NotFoundError):
        users.revoke("nobody")


# What the guard does for everybody


def test_a_stranger_is_sent_to_the_sign_in_page_and_signs_in(guarded):
    with httpx.Client(base_url=guarded.url, follow_redirects=True) as browser:
        assert 'action="/signin"' in browser.get("/").text
        assert browser.post("/signin", data={"key": "sga_no_no"}).status_code == 401
        page = browser.post("/signin", data={"key": guarded.keys["marketer"]}).text
        assert "segment-assistant" in page
        assert "gradio" in page
        assert browser.get("/v1/me").json() == {"name": "marketer@shop", "role": "marketer"}
        assert guarded.keys["marketer"] not in str(dict(browser.cookies))
        browser.get("/signout")  # a link, or a page that is fetched ahead, signs nobody out
        assert browser.get("/v1/me").status_code == 200
        elsewhere = {"origin": "https://evil.example"}
        assert browser.post("/signout", headers=elsewhere).status_code == 403
        assert browser.get("/v1/me").status_code == 200
        browser.post("/signout")
        assert browser.get("/v1/me").status_code == 401


def test_the_sign_in_page_speaks_the_readers_language(guarded):
    chinese = {"accept-language": "zh-CN"}
    assert '<label for="key">API 密钥</label>' in httpx.get(f"{guarded.url}/signin", headers=chinese).text
    wrong = httpx.post(f"{guarded.url}/signin", data={"key": "sga_no_no"}, headers=chinese)
    assert (wrong.status_code, "密钥无效" in wrong.text) == (401, True)
    refused = httpx.get(f"{guarded.url}/v1/segments", headers=chinese)
    assert (refused.status_code, refused.json()["detail"][:2]) == (401, "需要")


def test_the_sessions_cookie_is_out_of_reach(guarded):
    answer = httpx.post(f"{guarded.url}/signin", data={"key": guarded.keys["viewer"]})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


@pytest.mark.parametrize(
    "path", ["/gradio_api/info", "/config", "/docs", "/gradio_api/queue/data?session_hash=x"]
)
def test_the_page_is_behind_the_guard_too(guarded, path):
    assert httpx.get(f"{guarded.url}{path}").status_code in (303, 401)


def test_a_role_that_is_not_enough_is_said_in_chinese(guarded):
    with guarded.client("marketer") as client:
        answer = client.get("/metrics", headers={"accept-language": "zh"})
    assert answer.json()["detail"] == "marketer@shop的角色是营销人员；运维至少需要管理员。"


WRONG_FIELDS = {
    "missing": ({"definition": BEER}, "body.name：必填"),
    "too long": ({"definition": BEER, "name": "x" * 81}, "body.name：最多80个字符"),
    "no text": ({"definition": BEER, "name": 7}, "body.name：必须是文本"),
    "half a character": ({"definition": BEER, "name": "\ud800"}, "body.name：必须是有效的 Unicode 文本"),
    "no object": ({"definition": 1, "name": "a"}, "body.definition：必须是一个对象"),
}


@pytest.mark.parametrize("mistake", WRONG_FIELDS)
def test_what_is_wrong_with_a_field_is_said_in_chinese(client, mistake):
    body, said = WRONG_FIELDS[mistake]
    sent = json.dumps(body).encode()
    headers = {"accept-language": "zh", "content-type": "application/json"}
    answer = client.post("/v1/segments", content=sent, headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (422, said)
    assert answer.headers["content-language"] == "zh"
    english = client.post("/v1/segments", content=sent, headers={"content-type": "application/json"})
    assert english.json()["detail"].isascii()


def test_several_wrong_parameters_are_said_in_chinese_together(client):
    answer = client.get("/v1/exports?limit=0&offset=x", headers={"accept-language": "zh"})
    assert answer.json()["detail"] == "query.offset：必须是整数；query.limit：必须不小于1"


def test_our_own_checks_of_a_field_are_said_in_chinese():
    from pydantic import TypeAdapter, ValidationError

    from serving.http.problems import said_of
    from serving.http.schemas import Whole

    with pytest.raises(ValidationError) as raised:
        TypeAdapter(dict[str, Whole]).validate_python({"goal": "\ud800"})
    assert said_of(raised.value.errors(), "zh") == "goal：含有半个字符"
    assert "half a character" in said_of(raised.value.errors())


def test_the_chinese_is_of_mistakes_that_there_are():
    from typing import get_args

    from pydantic_core.core_schema import ErrorType

    from serving.http.field_words import ZH

    assert set(ZH) <= set(get_args(ErrorType))


@pytest.mark.parametrize("page", ["", "/zh"])
@pytest.mark.parametrize("path", ["upload", "upload/", "upload%0A", "upload_progress", "process_recording"])
def test_nobody_leaves_a_file_on_the_server(guarded, page, path):
    """Gradio takes uploads from whoever may see the page."""
    with guarded.client("admin") as client:
        file = {"files": ("evil.txt", b"x" * 100)}
        answer = client.post(f"{page}/gradio_api/{path}", files=file)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("page", ["", "/zh"])
def test_nobody_reads_a_file_of_the_server_by_naming_it(guarded, page):
    """Gradio copies what a request names as a file to where the browser may fetch it, keys and the audit log too."""
    folder = guarded.service.rooms.workspace.folder
    kept = Path(tempfile.gettempdir()) / "gradio"
    with guarded.client("viewer") as client:
        config = client.get(f"{page}/config").json()
        kinds = {one["id"]: one["type"] for one in config["components"]}
        takes = [one for one in config["dependencies"] if "chatbot" in map(kinds.get, one["inputs"])]
        assert takes
        for named in (folder / "audit.key", folder / "segassist.toml", "/etc/passwd", "http://example.com/x"):
            file = {"path": str(named), "meta": {"_type": "gradio.FileData"}}
            for said in ({"content": file}, {"content": [{"type": "file", "file": file}]}):
                talk = [{"role": "user"} | said]
                data = [talk if kinds[i] == "chatbot" else None for i in takes[0]["inputs"]]
                body = {"fn_index": takes[0]["id"], "data": data, "session_hash": "s"}
                answer = client.post(f"{page}/gradio_api/run/predict", json=body)
                assert "names no file" in answer.json()["error"], answer.text
        assert not [
            path for path in kept.rglob("*") if path.name in ("audit.key", "segassist.toml", "passwd")
        ]
        for path in ("file=/etc/passwd", "file/etc/passwd", "stream/a/b/c", "proxy=http://example.com"):
            assert client.get(f"{page}/gradio_api/{path}").status_code == 404


def test_a_page_of_another_site_changes_nothing(guarded, client):
    elsewhere = {"origin": "https://evil.example"}
    body = {"name": "csrf", "definition": BEER}
    assert client.post("/v1/segments", json=body, headers=elsewhere).status_code == 403
    assert "csrf" not in {s["name"] for s in client.get("/v1/segments").json()}
    answer = client.options("/v1/segments", headers=elsewhere | {"access-control-request-method": "POST"})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-origin" not in client.get("/v1/segments", headers=elsewhere).headers


@contextmanager
def client_of(folder) -> Iterator[TestClient]:
    with TestClient(create_api(Service.open(folder)), base_url="http://localhost") as client:
        yield client


def test_the_pages_of_an_origin_that_is_named_may_call_the_api_and_no_others(make_workspace, tmp_path):
    shop, evil = "https://shop.example", "https://evil.example"
    ours = make_workspace(tmp_path / "w", f'cors_origins = ["{shop}"]\n')
    body = {"name": "cors", "definition": BEER}
    with client_of(ours) as client:

        def asks(origin: str) -> httpx.Response:
            wishes = {"access-control-request-method": "POST", "access-control-request-headers": "if-match"}
            return client.options("/v1/segments", headers={"origin": origin} | wishes)

        assert asks(shop).headers["access-control-allow-origin"] == shop
        assert "access-control-allow-credentials" not in asks(shop).headers, "a key is sent, never a cookie"
        assert "access-control-allow-origin" not in asks(evil).headers
        assert client.post("/v1/segments", json=body, headers={"origin": evil}).status_code == 403
        saved = client.post("/v1/segments", json=body, headers={"origin": shop})
        assert (saved.status_code, saved.headers["access-control-allow-origin"]) == (201, shop)
        assert "ETag" in saved.headers["access-control-expose-headers"]


def test_nothing_of_one_workspace_is_in_another(make_workspace, tmp_path):
    """Each has a server, users, conversations and an audit log of its own."""
    folders = [make_workspace(tmp_path / name) for name in ("here", "there")]
    keys = [Users(folder / "state.sqlite").add("ada", Role.admin) for folder in folders]
    with client_of(folders[0]) as here, client_of(folders[1]) as there:
        mine, yours = ({"authorization": f"Bearer {key}"} for key in keys)
        assert here.post("/v1/segments", json={"name": "ours", "definition": BEER}, headers=mine).is_success
        job = here.post("/v1/exports", json={"name": "ours", "definition": BEER}, headers=mine).json()["id"]
        assert there.get("/v1/me", headers=mine).status_code == 401, "a key of another workspace"
        assert there.get("/v1/me", headers=yours).json()["name"] == "ada"
        for path in ("/v1/segments/ours", f"/v1/exports/{job}", f"/v1/exports/{job}/file"):
            assert there.get(path, headers=yours).status_code == 404, path
            assert here.get(path, headers=yours).status_code == 401, path
        assert there.get("/v1/segments", headers=yours).json() == []
        assert [entry["action"] for entry in there.get("/v1/audit", headers=yours).json()] == []
    assert not (folders[1] / "exports").exists()


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    """A certificate of localhost that it signed itself, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = (
        made.serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    files = tmp_path / "shop.crt", tmp_path / "shop.key"
    files[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    how = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(*how))
    return files


def test_with_a_certificate_nothing_is_sent_in_the_open(make_workspace, tmp_path, certificate):
    folder = make_workspace(tmp_path / "w")
    key = Users(folder / "state.sqlite").add("ada", Role.viewer)
    options = uvicorn_options("127.0.0.1", free_port("127.0.0.1"), *certificate)
    running = uvicorn.Server(uvicorn.Config(create_api(Service.open(folder)), **options))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    trusted = ssl.create_default_context(cafile=certificate[0])
    with httpx.Client(base_url=f"https://localhost:{options['port']}", verify=trusted) as client:
        answer = client.post("/signin", data={"key": key})
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/v1/me").json()["name"] == "ada"
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{options['port']}/healthz")
    running.should_exit = True
    thread.join(60)


def test_without_users_only_this_machines_names_are_answered(client):
    """Another site's name that is made to point here (DNS rebinding) gets nothing."""
    answer = client.get("/v1/segments", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "localhost only" in answer.json()["detail"]


def test_every_answer_has_the_headers_that_keep_browsers_safe(client):
    for path in ("/", "/v1/segments", "/v1/nothing", "/healthz", "/docs"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert client.get("/v1/segments").headers["cache-control"] == "no-store"


def test_a_body_without_a_length_is_cut_off_too(client):
    def body():
        for _ in range(200):
            yield b'{"definition": "' + b"x" * 10_000

    answer = client.post("/v1/segments/preview", content=body(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_key_that_asks_too_often_waits(make_workspace, tmp_path):
    service = Service.open(make_workspace(tmp_path / "w", "requests_per_minute = 5\n"))
    keys = [service.users.add(name, Role.viewer) for name in ("ada", "bob")]
    with TestClient(create_api(service)) as client:

        def status(key):
            return client.get("/v1/me", headers={"authorization": f"Bearer {key}"})

        assert [status(keys[0]).status_code for _ in range(6)] == [200] * 5 + [429]
        refused = status(keys[0])
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 13
        assert status(keys[1]).status_code == 200


def test_a_server_without_users_is_not_started_for_others(make_workspace, tmp_path):
    from serving.programs import check_access

    folder = make_workspace(tmp_path / "w")
    check_access(folder, "127.0.0.1")
    with pytest.raises(
        DataError, match=r"there are no users; first run: segassist users add NAME --role admin"
    ):
        check_access(folder, "0.0.0.0")
    Users(folder / "state.sqlite").add("ada", Role.admin)
    check_access(folder, "0.0.0.0")


def test_keys_are_in_no_log(guarded, capfd):
    with guarded.client("admin") as client:
        client.get("/v1/me")
        client.post("/v1/ask", json={"question": 1})
    out, err = capfd.readouterr()
    kept = "".join(str(entry) for entry in guarded.service.audit.entries())
    for key in guarded.keys.values():
        secret = key.split("_", 2)[2]
        assert secret not in out + err + kept


def test_the_users_file_that_is_broken_is_told(tmp_path):
    from segments.errors import StorageError

    path = tmp_path / "state.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StorageError, match="users cannot be read"):
        Users(path)
