"""Several server processes on one state: what one was told the other knows, and one that is killed is replaced."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import uvicorn

from assistant.sql import Database
from segments.errors import ConflictError
from serving.audit import Audit
from serving.http.idempotency import Answers, is_gone, this_process
from serving.llm.probe import free_port
from serving.programs import listen
from tests.assistant.conftest import postgres_url  # noqa: F401 - a fixture
from tests.conftest import ROOT
from tests.serving.fakes import FakeLLM
from tests.serving.test_faults import wait_for
from tests.warehouse.conftest import postgres_server  # noqa: F401 - a fixture

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


def up(url: str, process: subprocess.Popen) -> bool:
    assert process.poll() is None, "the server ended"
    try:
        return httpx.get(f"{url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def start(*command: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=os.environ | environment)


def children(pid: int) -> list[int]:
    """The server processes that a supervisor has started, helpers left out."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [c for c in found if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]


@pytest.fixture
def llm():
    made = FakeLLM()
    yield made
    made.close()


def test_two_servers_on_one_database_are_as_one(make_workspace, tmp_path, llm, postgres_url):  # noqa: F811
    folder = make_workspace(tmp_path / "shop")
    ports = [free_port("127.0.0.1") for _ in range(2)]
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    servers = []
    try:
        for port in ports:
            victim = ("tests.serving.victim", str(folder), str(port), llm.base_url)
            servers.append(start(*victim, SEGASSIST_STATE_URL=postgres_url))
        for server, url in zip(servers, urls, strict=True):
            wait_for(lambda server=server, url=url: up(url, server), 90)
        one, two = (httpx.Client(base_url=url, timeout=60) for url in urls)
        asked = {"question": "who bought beer?", "conversation": "shared"}
        assert one.post("/v1/ask", json=asked).json()["segment"]["size"] == 1298
        assert two.get("/v1/conversations/shared").json()["segment"]["size"] == 1298
        followed = {"question": "only those with children", "conversation": "shared"}
        assert two.post("/v1/ask", json=followed).json()["segment"]["size"] < 1298
        assert len(one.get("/v1/conversations/shared").json()["turns"]) == 2
        saved = one.post(
            "/v1/segments", json={"name": "a", "definition": BEER}, headers={"Idempotency-Key": "k"}
        )
        again = two.post(
            "/v1/segments", json={"name": "a", "definition": BEER}, headers={"Idempotency-Key": "k"}
        )
        assert again.headers["idempotency-replayed"] == "true"
        assert again.json() == saved.json()
        job = one.post("/v1/exports", json={"definition": BEER, "name": "x"}).json()["id"]
        wait_for(lambda: two.get(f"/v1/exports/{job}").json()["state"] == "done")
        assert two.get(f"/v1/exports/{job}/file").text.startswith("customer\n")
        assert not list(folder.glob("*.sqlite"))
    finally:
        for server in servers:
            server.terminate()
            server.wait(20)
    audit = Audit(folder, postgres_url)
    assert audit.verify().breaks == ()
    told = ["ask", "ask", "save", "answered again", "export_asked", "exporting", "export", "download"]
    assert [entry.action for entry in audit.entries()] == told


def counted(url: str) -> float:
    """How many requests for the values the metrics tell of."""
    wanted = 'segassist_requests_total{method="GET",route="/v1/values",status="200"} '
    lines = httpx.get(f"{url}/metrics", timeout=60).text.splitlines()
    return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))


def test_a_worker_that_is_killed_is_replaced_and_all_of_them_count_together(make_workspace, tmp_path, llm):
    folder = make_workspace(tmp_path / "shop", f'llm_base_url = "{llm.base_url}"\n')
    port = free_port("127.0.0.1")
    url = f"http://127.0.0.1:{port}"
    serve = ("serve", "api", "--workers", "2", "--port", str(port), "--workspace", str(folder))
    server = start("serving.cli", *serve, TMPDIR=str(tmp_path))
    try:
        wait_for(lambda: up(url, server), 90)
        workers = wait_for(lambda: len(found := children(server.pid)) == 2 and found, 60)
        for _ in range(20):
            assert httpx.get(f"{url}/v1/values", timeout=60).status_code == 200
        assert [counted(url) for _ in range(6)] == [20] * 6, "whichever is asked"
        files = list(tmp_path.glob("segassist-metrics-*/counter_*.db"))
        assert {int(file.stem.removeprefix("counter_")) for file in files} == set(workers)
        assert httpx.post(f"{url}/v1/segments", json={"name": "a", "definition": BEER}).status_code == 201
        os.kill(workers[0], signal.SIGKILL)
        wait_for(lambda: len(found := children(server.pid)) == 2 and workers[0] not in found, 60)
        time.sleep(0.2)
        wait_for(lambda: up(url, server), 60)
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(base_url=url, limits=limits, timeout=60) as client:
            names = [[s["name"] for s in client.get("/v1/segments").json()] for _ in range(6)]
        assert names == [["a"]] * 6
        assert [counted(url) for _ in range(6)] == [20] * 6, "also by one that has ended since"
    finally:
        server.terminate()
        server.wait(120)
    assert not list(tmp_path.glob("segassist-metrics-*"))


def test_what_workers_send_does_not_wait_for_the_clients_ack():
    config = uvicorn.Config("serving.programs:worker", port=free_port("127.0.0.1"), log_level="critical")
    with listen(config) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            connection, _ = listening.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


ASKER = """
import os, sys, time
from datetime import timedelta
from pathlib import Path
from assistant.sql import Database
from serving.http.idempotency import Answers
assert Answers(Database(Path(sys.argv[1])), timedelta(days=1)).begin("ada", "k", "request") is None
print("begun", flush=True)
time.sleep(600)
"""


def test_a_request_whose_server_was_killed_may_be_sent_again_at_once(tmp_path):
    path = tmp_path / "state.sqlite"
    answers = Answers(Database(path), timedelta(days=1))
    asker = [sys.executable, "-c", ASKER, str(path)]
    with subprocess.Popen(asker, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        with pytest.raises(ConflictError, match="is being answered"):
            answers.begin("ada", "k", "request")
        process.kill()
        process.wait()
    with pytest.raises(ConflictError):
        answers.begin("ada", "k", "another request")
    assert answers.begin("ada", "k", "request") is None
    with pytest.raises(ConflictError, match="is being answered"):
        answers.begin("ada", "k", "request")


def test_of_a_process_elsewhere_nobody_knows_whether_it_has_ended():
    assert not is_gone(this_process())
    assert not is_gone(f"another-machine:{os.getpid()}:1")
    assert not is_gone(None)
    assert is_gone(this_process() + "0")
