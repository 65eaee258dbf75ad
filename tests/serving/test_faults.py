"""What goes wrong in operation: each fault is told in a sentence, loses nothing that was confirmed, and is over when
its cause is, without a hand."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from assistant.library import Library
from assistant.llm import OpenAIChat
from eval.bench.load import cpu_of
from indexes.index import CustomerIndex
from segments.codec import from_json
from segments.errors import LLMUnavailableError, StaleError, StorageError, UnauthenticatedError, UserError
from serving.access import OWNER, Caller, Role
from serving.audit import Audit
from serving.http.api import create_api
from serving.http.who import has_gone
from serving.llm.probe import free_port
from serving.service import Service
from serving.turns import TurnQueue
from serving.users import Users
from tests.conftest import ROOT
from tests.serving.conftest import serving
from tests.serving.fakes import FakeLLM, allowed_plan

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}
ALIKE = {"similar_to": {"segment": BEER}, "top": 50}
QUESTION = {"question": "who bought beer?"}
CHOICE = {"question": "tell me about those who bought beer"}
"""It leaves the language model two plans; of the other one it need not be asked."""
KILLS = int(os.environ.get("SEGASSIST_KILLS", "5"))
RECOVERY_SECONDS = 10.0
START_SECONDS = 300.0
"""A process that starts is given so long where others use the machine too; how long it took is printed."""


@pytest.fixture
def folder(make_workspace, tmp_path) -> Path:
    return make_workspace(tmp_path / "shop")


@contextmanager
def client_of(folder: Path, llm: str = "") -> Iterator[TestClient]:
    service = Service.open(folder, OpenAIChat(llm, "stand-in") if llm else None)
    with TestClient(create_api(service), base_url="http://localhost") as client:
        yield client


def problem(answer) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.json()["detail"]


# Language model


class Waiting:
    """A `ChatModel` that answers nobody before `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Semaphore(0), threading.Event()

    def json(self, _messages: object, _schema: object) -> dict[str, Any]:
        self.asked.release()
        self.go.wait(120)
        raise LLMUnavailableError("The language model is gone; start it again.")

    def stream(self, _messages: object) -> Iterator[str]:
        raise AssertionError("nothing is planned, so nothing is worded")


def test_many_who_wait_for_the_model_keep_nobody_else_waiting(folder):
    """More than the forty threads that a web server has by default."""
    many, model = 60, Waiting()
    service = Service.open(folder, model)
    service.turns = TurnQueue(many, many)
    with serving(create_api(service)) as url, ThreadPoolExecutor(many) as pool:
        asking = [pool.submit(httpx.post, f"{url}/v1/ask", json=QUESTION, timeout=120) for _ in range(many)]
        try:
            for _ in range(many):
                assert model.asked.acquire(timeout=60)
            assert httpx.get(f"{url}/v1/me", timeout=60).json()["name"] == "local"
            preview = httpx.post(f"{url}/v1/segments/preview", json={"definition": BEER}, timeout=60)
            assert preview.json()["size"] == 1298
        finally:
            model.go.set()
        assert {one.result().status_code for one in asking} == {503}


def test_a_model_that_dies_within_its_answer_is_told_and_used_again(folder):
    llm = FakeLLM()
    with client_of(folder, llm.base_url) as client:
        assert client.post("/v1/ask", json=CHOICE).status_code == 200
        llm.cut = True
        status, code, said = problem(client.post("/v1/ask", json=CHOICE | {"conversation": "c"}))
        assert (status, code) == (503, "llm_unavailable")
        assert "The language model at" in said
        assert client.post("/v1/segments/preview", json={"definition": BEER}).json()["size"] == 1298
        llm.cut = False
        again = client.post("/v1/ask", json=CHOICE | {"conversation": "c"}).json()
        assert again["segment"]["size"] == 1298
        turns = client.get("/v1/conversations/c").json()["turns"]
        assert [turn["question"] for turn in turns] == [CHOICE["question"]]
    llm.close()


def test_a_language_model_that_is_gone_is_missed_only_where_it_is_needed(folder):
    with client_of(folder, "http://127.0.0.1:9/v1") as client:
        assert problem(client.post("/v1/ask", json=CHOICE))[:2] == (503, "llm_unavailable")
        assert client.post("/v1/ask", json=QUESTION).json()["segment"]["size"] == 1298


def test_a_server_that_is_killed_is_started_again_by_its_guard(tmp_path):
    child = (
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.argv[1], str(os.getpid())).touch()\n"
        "time.sleep(600)\n"
    )
    guard = [sys.executable, "-m", "serving.llm.guard", str(os.getpid())]
    command = [*guard, sys.executable, "-c", child, str(tmp_path)]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, cwd=ROOT) as process:
        pids = wait_for(lambda: [int(path.name) for path in tmp_path.iterdir()])
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        os.kill(pids[0], signal.SIGKILL)
        both = wait_for(lambda: len(found := [int(p.name) for p in tmp_path.iterdir()]) == 2 and found)
        assert process.poll() is None
        process.terminate()
        process.wait(10)
    for pid in both:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


# State


def test_a_state_that_is_locked_is_told_and_used_again(folder, monkeypatch):
    monkeypatch.setattr("assistant.sql.WAIT_SECONDS", 0.2)
    with client_of(folder) as client, sqlite3.connect(folder / "state.sqlite") as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/v1/segments", json={"name": "a", "definition": BEER})
        assert problem(answer)[:2] == (503, "storage")
        assert "locked); another program holds it; ask again" in answer.json()["detail"]
        assert client.get("/v1/segments").json() == []
        other.rollback()
        assert client.post("/v1/segments", json={"name": "a", "definition": BEER}).status_code == 201


def test_a_state_that_is_gone_is_told_and_used_again_when_it_is_back(folder):
    with client_of(folder) as client:
        client.post("/v1/segments", json={"name": "a", "definition": BEER}).raise_for_status()
        kept = folder / "kept"
        with sqlite3.connect(folder / "state.sqlite") as now, sqlite3.connect(kept) as copy:
            now.backup(copy)
        for path in folder.glob("state.sqlite*"):
            path.unlink()
        status, code, said = problem(client.get("/v1/segments"))
        assert (status, code) == (503, "storage")
        assert "the file is gone or may not be read; put it back: segassist restore" in said
        assert client.get("/readyz").status_code == 503
        shutil.move(kept, folder / "state.sqlite")
        assert [segment["name"] for segment in client.get("/v1/segments").json()] == ["a"]


def test_nothing_is_answered_while_the_audit_log_cannot_be_written(folder, monkeypatch):
    monkeypatch.setattr("assistant.sql.WAIT_SECONDS", 0.2)
    page = {"definition": BEER, "limit": 1}
    with client_of(folder) as client, sqlite3.connect(folder / "audit.sqlite") as other:
        other.execute("BEGIN IMMEDIATE")
        status, code, said = problem(client.post("/v1/segments/members", json=page))
        assert (status, code) == (503, "storage")
        assert "so nothing is answered" in said
        other.rollback()
        assert client.post("/v1/segments/members", json=page).status_code == 200
    assert not Audit(folder).verify().breaks


class Saving:
    """A `ChatModel` that plans to save where it may, else a segment."""

    def json(self, _messages: object, schema: dict[str, Any]) -> dict[str, Any]:
        offered = {option["properties"]["tool"]["const"] for option in schema["anyOf"]}
        return allowed_plan(schema, "save_segment" if "save_segment" in offered else "define_segment")

    def stream(self, _messages: object) -> Iterator[str]:
        yield from ()


def test_nothing_is_changed_while_the_audit_log_cannot_be_written(folder, monkeypatch):
    monkeypatch.setattr("assistant.sql.WAIT_SECONDS", 0.2)
    service, body = Service.open(folder, Saving()), {"definition": BEER}
    named = body | {"name": "new"}
    with (
        TestClient(create_api(service), base_url="http://localhost") as client,
        sqlite3.connect(folder / "audit.sqlite", isolation_level=None) as other,
    ):
        client.put("/v1/segments/kept", json=body)
        client.put("/v1/plans/kept", json=body)
        client.post("/v1/ask", json=QUESTION | {"conversation": "c"})
        before = len(service.audit.entries())
        other.execute("BEGIN EXCLUSIVE")
        tried = [
            client.post("/v1/segments", json=named),
            client.put("/v1/segments/new", json=body),
            client.delete("/v1/segments/kept"),
            client.put("/v1/plans/new", json=body),
            client.delete("/v1/plans/kept"),
            client.post("/v1/tools/save_segment", json=named),
            client.post("/v1/tools/delete_segment", json={"name": "kept"}),
            client.post("/v1/tools/assign_holdout", json=named),
            client.post("/v1/ask", json={"question": "save it as new", "conversation": "c"}),
            client.delete("/v1/conversations/c"),
        ]
        with pytest.raises(StorageError):
            service.export(OWNER, from_json(BEER), "new", "csv")
        other.execute("ROLLBACK")
        assert [problem(answer)[:2] for answer in tried] == [(503, "storage")] * len(tried)
        assert service.rooms.library.names() == service.rooms.plans.names() == ["kept"]
        assert (service.rooms.experiments.names(), client.get("/v1/conversations/c").status_code) == ([], 200)
        assert not list((folder / "exports").glob("*"))
        assert len(service.audit.entries()) == before


def test_a_change_that_fails_is_followed_by_an_entry_that_says_so(folder, monkeypatch):
    service = Service.open(folder)
    service.save(OWNER, "a", from_json(BEER))
    with pytest.raises(StaleError):
        service.save(OWNER, "a", from_json(LOYAL), if_match="9-none")
    begun, failed = service.audit.entries(2)
    assert (begun.action, "failed" in begun.detail) == ("save", False)
    assert failed.detail == begun.detail | {"failed": "precondition_failed", "entry": begun.seq}


def test_a_tool_that_fails_is_written_down_alike_alone_and_in_a_turn(folder, monkeypatch):
    service, body = Service.open(folder, Saving()), {"definition": BEER}
    alone, with_wrong, in_turn = replace(OWNER, name="a"), replace(OWNER, name="b"), replace(OWNER, name="c")
    service.ask(in_turn, QUESTION["question"], "c")

    def broken(*_args, **_more):
        raise StorageError("The state cannot be used.")

    monkeypatch.setattr(Library, "save", broken)
    with pytest.raises(StorageError):
        service.run(alone, "save_segment", body | {"name": "new"})
    with pytest.raises(UserError):
        service.run(with_wrong, "save_segment", body | {"name": 5})
    with pytest.raises(StorageError):
        service.ask(in_turn, "save it as new", "c")
    entries = service.audit.entries(20)
    mine = {who: [e for e in entries if (e.who, e.action) == (who, "tool")] for who in "abc"}
    for begun, failed in (mine["a"], mine["c"]):
        assert begun.detail["tools"][0]["arguments"] == body | {"name": "new"}
        assert failed.detail == begun.detail | {"failed": "storage", "entry": begun.seq}
    (refused,) = mine["b"]
    assert refused.detail == {"tools": [{"name": "save_segment"}], "failed": "bad_request"}


def test_a_full_disk_under_the_state_is_told_and_over_when_there_is_room(folder):
    """SQLite's own limit of pages says what a full disk says."""
    library = Library(folder / "state.sqlite")
    library.save("a", from_json(BEER))
    big = {"any_of": [{"feature": "orders_90d", "op": ">=", "value": n} for n in range(100)]}

    def limit(pages: int) -> None:
        with library._state.read() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit(1)
    with pytest.raises(StorageError, match="full\\); free some space on its disk"):
        library.save("b", from_json(big))
    assert library.names() == ["a"]
    limit(1_000_000)
    assert library.save("b", from_json(big)).version == 1


@pytest.fixture
def little_disk(folder) -> Iterator[Path]:
    """The exports' folder on a disk of its own of 64 kB."""
    exports = folder / "exports"
    exports.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(exports)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield exports
    subprocess.run(["umount", str(exports)], check=True)


def test_a_full_disk_under_an_export_leaves_nothing_of_it(folder, little_disk):
    with client_of(folder) as client:
        filler = little_disk / "filler"
        filler.write_bytes(b"x" * 60_000)
        body = {"definition": {"all_of": []}, "name": "all"}
        job = client.post("/v1/exports", json=body).json()["id"]
        found = wait_for(lambda: (j := client.get(f"/v1/exports/{job}").json())["state"] == "failed" and j)
        assert found["problem"]["code"] == "storage"
        assert "disk is full" in found["problem"]["detail"]
        assert list((little_disk / "all").iterdir()) == []
        filler.unlink()
        job = client.post("/v1/exports", json=body).json()["id"]
        wait_for(lambda: client.get(f"/v1/exports/{job}").json()["state"] == "done")


# Index


def test_an_index_that_is_cut_off_is_told_and_used_when_it_is_whole(folder):
    own = folder / "indexes"
    kept = own.resolve()
    own.unlink()
    shutil.copytree(kept, own)
    path = next(own.glob("customers.*"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with client_of(folder) as client:
        status, code, said = problem(client.post("/v1/segments/preview", json={"definition": ALIKE}))
        assert status == 503, said
        assert "segassist build" in said
        assert client.post("/v1/segments/preview", json={"definition": LOYAL}).status_code == 200
        path.write_bytes(whole)
        answer = client.post("/v1/segments/preview", json={"definition": ALIKE})
        assert answer.json()["size"] == 50, code
    assert len(CustomerIndex.load(own, "cpu")) > 0


# Clients and clocks


class Held:
    """A `ChatModel` that answers with a plan, but nobody before `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def json(self, _messages: object, schema: dict[str, Any]) -> dict[str, Any]:
        self.go.wait(120)
        return allowed_plan(schema, "define_segment")

    def stream(self, _messages: object) -> Iterator[str]:
        yield from ()


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/ask/stream", "/v1/chat/completions"])
def test_a_client_that_goes_before_anything_was_done_is_not_answered(folder, monkeypatch, path):
    """The language model is the others' with the end of its step; the conversation stays as it was."""
    model, looks = Held(), []

    def spy(request):
        looks.append(has_gone(request))
        return looks[-1]

    for module in ("api", "chat"):
        monkeypatch.setattr(f"serving.http.{module}.has_gone", spy)
    service = Service.open(folder, model)
    body: dict[str, Any] = QUESTION | {"conversation": "gone"}
    if "chat" in path:
        said = [{"role": "user", "content": "who bought beer?"}]
        body = {"model": "segment-assistant", "messages": said, "metadata": {"conversation": "gone"}}
    with serving(create_api(service)) as url:
        with suppress(httpx.ReadTimeout):
            if "stream" in path:
                with httpx.stream("POST", url + path, json=body, timeout=60) as answer:
                    assert next(answer.iter_lines()) == "event: step"
            else:
                httpx.post(url + path, json=body, timeout=0.5)
        wait_for(lambda: looks and looks[0]())
        model.go.set()
        wait_for(lambda: [entry.detail.get("failed") for entry in service.audit.entries()] == ["busy"])
        assert httpx.get(f"{url}/v1/conversations/gone").status_code == 404
        again = httpx.post(f"{url}/v1/ask", json=QUESTION | {"conversation": "gone"}, timeout=60)
        assert again.json()["segment"]["size"] == 1298
        turns = httpx.get(f"{url}/v1/conversations/gone").json()["turns"]
        assert [turn["question"] for turn in turns] == ["who bought beer?"]


def test_the_language_models_call_of_a_client_that_goes_is_broken_off(folder):
    llm = FakeLLM()
    llm.wait = 600.0
    service = Service.open(folder, OpenAIChat(llm.base_url, "stand-in"))
    with serving(create_api(service)) as url:
        with suppress(httpx.ReadTimeout):
            httpx.post(f"{url}/v1/ask", json=CHOICE, timeout=5)
        wait_for(lambda: [entry.detail.get("failed") for entry in service.audit.entries()] == ["busy"])
        assert llm.left.wait(30), "the language model still works for nobody"
    llm.close()


def test_a_client_that_goes_once_the_tools_have_run_leaves_a_whole_turn(folder):
    llm = FakeLLM()
    service = Service.open(folder, OpenAIChat(llm.base_url, "stand-in"))
    with serving(create_api(service)) as url:
        body = QUESTION | {"conversation": "gone"}
        with httpx.stream("POST", f"{url}/v1/ask/stream", json=body, timeout=60) as answer:
            next(line for line in answer.iter_lines() if '"step": "run"' in line)
        turns = wait_for(
            lambda: (a := httpx.get(f"{url}/v1/conversations/gone")).status_code == 200 and a.json()["turns"]
        )
        assert [turn["question"] for turn in turns] == ["who bought beer?"]
        assert httpx.post(f"{url}/v1/ask", json=QUESTION, timeout=60).status_code == 200
    actions = [entry.action for entry in service.audit.entries()]
    assert actions == ["ask", "ask"]
    llm.close()


class _Clock(datetime):
    """The system's clock, set wrong by `off`."""

    off = timedelta(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.off


def test_a_clock_that_jumps_breaks_no_chain_and_no_order(tmp_path, monkeypatch):
    for module in ("serving.audit", "serving.users", "assistant.library"):
        monkeypatch.setattr(f"{module}.datetime", _Clock)
    log, library, users = (
        Audit(tmp_path),
        Library(tmp_path / "state.sqlite"),
        Users(tmp_path / "state.sqlite"),
    )
    key = users.add("ada", Role.viewer)
    session = users.new_session("ada", timedelta(hours=12))
    for number, years in enumerate((0, -5, +5)):
        _Clock.off = timedelta(days=365 * years)
        log.write(Caller("ada", Role.viewer), "ask", question=str(number))
        library.save("mine", from_json(LOYAL | {"value": number}))
    assert not log.verify().breaks
    assert [entry.detail["question"] for entry in log.entries()] == ["0", "1", "2"]
    assert library.get("mine").version == 3
    assert library.get("mine").saved_at > datetime.now(UTC) + timedelta(days=1000)
    with pytest.raises(UnauthenticatedError):
        users.caller(session)
    assert users.caller(key).name == "ada"
    _Clock.off = timedelta(0)
    assert users.caller(session).name == "ada"


def test_two_writers_of_one_segment_both_hear_what_happened(folder):
    with client_of(folder) as client:
        made = client.post("/v1/segments", json={"name": "mine", "definition": BEER})
        tag = made.headers["etag"]

        def change(value: int) -> httpx.Response:
            definition = {"definition": LOYAL | {"value": value}}
            return client.put("/v1/segments/mine", json=definition, headers={"If-Match": tag})

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(change, range(6)))
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
        won = next(answer for answer in answers if answer.status_code == 200).json()["hash"]
        assert client.get("/v1/segments/mine").json()["hash"] == won


# kill -9


def test_killed_under_load_it_loses_nothing_that_it_confirmed(folder):
    """Saves, member pages and exports from six callers, and a kill -9 in between, again and again."""
    port, kept, said, cpu = free_port("127.0.0.1"), _Confirmed(), [], []
    for kill in range(KILLS):
        with _Victim(folder, port) as victim:
            said.append(victim.started)
            cpu.append(victim.cpu)
            with ThreadPoolExecutor(6) as pool:
                before = kept.count
                running = [pool.submit(kept.call, port, kill * 100 + caller, victim) for caller in range(6)]
                wait_for(lambda before=before, kill=kill: kept.count > before + 3 * (kill % 5), 60)
                victim.kill()
                for future in running:
                    future.result()
    assert kept.saved
    assert kept.pages
    assert kept.jobs
    print(
        f"{KILLS} kills; {len(kept.saved)} saves, {kept.pages} pages and {len(kept.jobs)} exports were confirmed; "
        f"up again in {sorted(said)[KILLS // 2]:.1f} s (median), {max(said):.1f} s (longest), of which the processor "
        f"worked for {sorted(cpu)[KILLS // 2]:.1f} s (median), {max(cpu):.1f} s (longest)"
    )
    with _Victim(folder, port):
        base = f"http://127.0.0.1:{port}"
        saved = {s["name"]: s["hash"] for s in httpx.get(f"{base}/v1/segments", timeout=30).json()}
        assert {name: saved.get(name) for name in kept.saved} == kept.saved
        for job in kept.jobs:
            state = wait_for(
                lambda job=job: (
                    (s := httpx.get(f"{base}/v1/exports/{job}").json()["state"]) not in ("queued", "running")
                    and s
                ),
                60,
            )
            assert state in ("done", "failed"), job
    verdict = Audit(folder).verify()
    assert verdict.breaks == ()
    logged = [entry for entry in Audit(folder).entries() if entry.action == "save"]
    assert {entry.detail["segment"] for entry in logged} >= set(kept.saved)
    pages = sum(entry.detail.get("exported") == "members" for entry in Audit(folder).entries())
    assert pages >= kept.pages
    for name in ("state.sqlite", "audit.sqlite"):
        with sqlite3.connect(folder / name) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


class _Confirmed:
    """What callers were told is done."""

    def __init__(self) -> None:
        self.saved: dict[str, str] = {}
        self.pages, self.jobs, self._lock = 0, [], threading.Lock()

    @property
    def count(self) -> int:
        """How many things in all."""
        return len(self.saved) + self.pages + len(self.jobs)

    def call(self, port: int, number: int, victim: "_Victim") -> None:
        with (
            suppress(httpx.HTTPError),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
        ):
            for step in range(10_000):
                name = f"s{number}-{step}"
                body = {"name": name, "definition": LOYAL | {"value": number * 1000 + step}}
                saved = client.post("/v1/segments", json=body, headers={"Idempotency-Key": name})
                assert saved.status_code == 201, saved.text
                with self._lock:
                    self.saved[name] = saved.json()["hash"]
                page = client.post("/v1/segments/members", json={"definition": BEER, "limit": 5})
                assert page.status_code == 200, page.text
                with self._lock:
                    self.pages += 1
                if step % 5 == 0:
                    job = client.post("/v1/exports", json={"definition": BEER, "name": f"x{number}"})
                    assert job.status_code == 202, job.text
                    with self._lock:
                        self.jobs.append(job.json()["id"])
        assert victim.killed, "the server ended before it was killed"


class _Victim:
    """The API in a process of its own, up when it answers."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.killed, self.started, self.cpu = folder, port, False, 0.0, 0.0

    def __enter__(self) -> "_Victim":
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.serving.victim", str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT)

        def answers() -> bool:
            assert self.process.poll() is None
            try:
                return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
            except httpx.TransportError:
                return False

        try:
            wait_for(answers, START_SECONDS)
        except BaseException:
            self.kill()
            raise
        self.started, self.cpu = time.monotonic() - began, cpu_of(self.process.pid)
        return self

    def kill(self) -> None:
        self.killed = True
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_: object) -> None:
        if not self.killed:
            self.process.terminate()
            self.process.wait(20)


def wait_for(holds, seconds: float = RECOVERY_SECONDS):
    """What `holds` gives, once that is something; it must be within the time that a recovery may take."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, f"not within {seconds:g} s"
        time.sleep(0.05)
    return found
