"""A fresh copy of the demo workspace, the real web server over it, and a stand-in for the language model."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
import uvicorn

from serving.access import Role
from serving.llm.probe import free_port
from serving.service import Service
from tests.serving.fakes import FakeLLM, ScriptedModel

BUILT = ("warehouse.duckdb", "indexes", "models", "quality.json", "ready.json", "vault.key", "vault.parquet")


@pytest.fixture(scope="session")
def make_workspace(demo_folder) -> Callable[..., Path]:
    """`make(folder, extra)`: the demo's data and models, with no conversation and no saved segment yet."""

    def make(folder: Path, extra: str = "") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name in BUILT:
            (folder / name).symlink_to(demo_folder / name)
        settings = (demo_folder / "segassist.toml").read_text(encoding="utf-8")
        (folder / "segassist.toml").write_text(settings + extra, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def fake_llm() -> Iterator[FakeLLM]:
    llm = FakeLLM()
    yield llm
    llm.close()


@pytest.fixture(scope="session")
def scripted() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def model(scripted) -> Iterator[ScriptedModel]:
    """The server's model with an empty queue."""
    for queue in (scripted.replies, scripted.words, scripted.asked):
        queue.clear()
    yield scripted
    assert not scripted.replies, "the model was asked less often than the test says"


@pytest.fixture(scope="session")
def server(make_workspace, scripted, tmp_path_factory) -> Iterator[str]:
    """The address of the real API and page over a scripted model."""
    from serving.web import create_app

    with serving(create_app(Service.open(make_workspace(tmp_path_factory.mktemp("api")), scripted))) as url:
        yield url


@contextmanager
def serving(app) -> Iterator[str]:
    """The address of a real server over an app, in a thread."""
    port = free_port("127.0.0.1")
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(10)


@pytest.fixture
def tidy(client) -> Iterator[None]:
    """The segments that a test saved on the shared server are gone after it."""
    before = {segment["name"] for segment in client.get("/v1/segments").json()}
    yield
    for segment in client.get("/v1/segments").json():
        if segment["name"] not in before:
            client.delete(f"/v1/segments/{quote(segment['name'], safe='')}")


ROLES = ("viewer", "marketer", "analyst", "admin")


@dataclass(frozen=True)
class Guarded:
    """A server with users: its address, its service, and a key for each role."""

    url: str
    service: Service
    keys: dict[str, str]

    def client(self, role: str | None) -> httpx.Client:
        """A client with the key of a role, or with none."""
        headers = {"authorization": f"Bearer {self.keys[role]}"} if role else {}
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self.url, headers=headers, limits=limits, timeout=60)


@pytest.fixture(scope="session")
def guarded(make_workspace, scripted, tmp_path_factory) -> Iterator[Guarded]:
    """The real API, MCP server and page with one user of each role."""
    from serving.web import create_app

    service = Service.open(
        make_workspace(tmp_path_factory.mktemp("guarded"), "requests_per_minute = 100000\n"), scripted
    )
    keys = {role: service.users.add(f"{role}@shop", Role[role]) for role in ROLES}
    with serving(create_app(service)) as url:
        yield Guarded(url, service, keys)


@pytest.fixture(scope="session")
def client(server) -> Iterator[httpx.Client]:
    """A client that opens a connection for each request: the server closes one after an error of its own."""
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=server, limits=limits, timeout=60) as opened:
        yield opened
