"""Exports as jobs: over HTTP and in the client; cancelled, failed, restarted, and taken over from a dead server."""

import json
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace

import duckdb
import ibis
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from assistant.sql import Database
from segments.codec import from_json, to_json
from segments.errors import ForbiddenError, NotFoundError, StorageError, UserError
from segments.parameters import used_parameters
from serving.access import Caller, Role
from serving.client import ApiError, Client
from serving.http.api import create_api
from serving.jobs import ATTEMPTS, Jobs, Runner
from serving.service import Service
from tests.receiver import receiving
from tests.serving.conftest import serving
from warehouse.export import manifest_of, read_members
from warehouse.reach import members_by
from warehouse.webhook import signature

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
ADA = Caller("ada", Role.analyst, "api")


@pytest.fixture
def typed(server):
    with Client(server) as opened:
        yield opened


def test_an_export_is_made_watched_and_fetched(typed, tmp_path):
    job = typed.export(BEER, "beer", "parquet")
    assert job.state in ("queued", "running")
    done = typed.wait_for(job, 30)
    assert (done.state, done.progress, done.count, done.format) == ("done", 1.0, 1298, "parquet")
    assert done.file == f"/v1/exports/{job.id}/file"
    typed.download(done, tmp_path / "beer.parquet")
    found = pd.read_parquet(tmp_path / "beer.parquet")["customer"].tolist()
    assert sorted(found) == sorted(typed.members(BEER))
    assert typed.exports()[0].id == job.id
    with pytest.raises(ApiError, match="is done already") as caught:
        typed.cancel(done)
    assert caught.value.status == 409


def test_a_request_sent_again_makes_no_second_job(client):
    body = {"definition": BEER, "name": "twice"}
    first, again = (
        client.post("/v1/exports", json=body, headers={"Idempotency-Key": "export-1"}) for _ in range(2)
    )
    assert first.status_code == again.status_code == 202
    assert first.headers["location"] == again.headers["location"] == f"/v1/exports/{first.json()['id']}"
    assert sum(job["name"] == "twice" for job in client.get("/v1/exports").json()) == 1


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"definition": {"feature": "no", "op": "=", "value": 1}}, 422, "no"),
        ({"name": "../up"}, 400, "no name for a folder"),
        ({"format": "xlsx"}, 422, "format"),
    ],
)
def test_what_cannot_be_exported_is_told_at_once(client, change, status, said):
    answer = client.post("/v1/exports", json={"definition": BEER, "name": "x"} | change)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


def test_a_job_is_its_users_own_and_an_admins(guarded):
    with guarded.client("analyst") as analyst, guarded.client("admin") as admin:
        job = analyst.post("/v1/exports", json={"definition": BEER, "name": "mine"}).json()
        theirs = admin.post("/v1/exports", json={"definition": BEER, "name": "theirs"}).json()
        assert admin.get(f"/v1/exports/{job['id']}").status_code == 200
        listed = {j["name"] for j in analyst.get("/v1/exports").json()}
        assert "mine" in listed
        assert "theirs" not in listed
        for method, path in (("GET", ""), ("GET", "/file"), ("DELETE", "")):
            assert analyst.request(method, f"/v1/exports/{theirs['id']}{path}").status_code == 404
        until = time.monotonic() + 20
        while analyst.get(f"/v1/exports/{job['id']}").json()["state"] != "done":
            assert time.monotonic() < until
            time.sleep(0.1)
        assert analyst.get(f"/v1/exports/{job['id']}/file").text.startswith("customer\n")
    entries = [e for e in guarded.service.audit.entries(50) if e.detail.get("exported") == "mine"]
    assert [(e.action, e.who, e.detail["count"]) for e in entries] == [
        ("export", "analyst@shop", 1298),
        ("download", "analyst@shop", 1298),
    ]


def test_a_definition_may_name_a_parameter_of_the_workspace(guarded, monkeypatch):
    workspace = guarded.service.rooms.workspace
    settings = replace(workspace.settings, parameters={"recent_days": 30})
    monkeypatch.setattr(guarded.service.rooms, "workspace", replace(workspace, settings=settings))
    lately = {"event": "purchase", "from_days_ago": {"param": "recent_days"}}
    with guarded.client("analyst") as analyst:
        answer = analyst.post("/v1/exports", json={"definition": lately, "name": "lately"})
        assert answer.status_code == 202, answer.text
        counted = analyst.post("/v1/tools/show_segment", json={"definition": lately})
    kept = guarded.service.jobs.get(answer.json()["id"]).definition
    assert used_parameters(kept) == {"recent_days": 30}
    assert counted.json()["definition"] == to_json(kept)


# The runner, with work that the test controls


@pytest.fixture
def jobs(tmp_path) -> Jobs:
    return Jobs(Database(tmp_path / "state.sqlite"))


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr("serving.jobs.BEAT_SECONDS", 0.05)
    monkeypatch.setattr("serving.jobs.STILL_SECONDS", 1.5)


def until(holds, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def new(jobs: Jobs) -> str:
    return jobs.create(ADA, from_json(BEER), "beer", "csv").id


def test_who_looks_for_work_does_not_wait_for_writers(tmp_path):
    jobs = Jobs(Database(f"sqlite:///{tmp_path / 'state.sqlite'}?timeout=0.1"))
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert jobs.claim("idle") is None
    job_id = new(jobs)
    assert (jobs.claim("first").id, jobs.claim("second")) == (job_id, None)


def slow(job, progress):
    """Works for ever, in small steps."""
    while True:
        progress(0.5, "writing")
        time.sleep(0.01)


def test_a_job_at_work_shows_its_progress_and_is_cancelled(jobs, quick):
    runner, job_id = Runner(jobs, slow), new(jobs)
    runner.start()
    until(lambda: jobs.get(job_id).step == "writing")
    assert jobs.get(job_id).progress == 0.5
    jobs.cancel(job_id)
    until(lambda: jobs.get(job_id).state == "cancelled")
    assert jobs.get(job_id).ended_at is not None
    runner.stop()


def test_a_job_that_waits_is_cancelled_at_once(jobs):
    job_id = new(jobs)
    assert jobs.cancel(job_id).state == "cancelled"
    assert jobs.claim("somebody") is None


def test_a_server_that_is_stopped_leaves_its_job_to_the_next(jobs, quick):
    runner, job_id = Runner(jobs, slow), new(jobs)
    runner.start()
    until(lambda: jobs.get(job_id).state == "running")
    runner.stop()
    assert jobs.get(job_id).state == "queued"
    after = Runner(jobs, lambda job, progress: ("beer/1", 7))
    after.start()
    until(lambda: jobs.get(job_id).state == "done")
    assert (jobs.get(job_id).folder, jobs.get(job_id).count) == ("beer/1", 7)
    after.stop()


def test_a_job_whose_server_died_is_taken_over(jobs, quick):
    job_id = new(jobs)
    assert jobs.claim("a server that is killed") is not None
    runner = Runner(jobs, lambda job, progress: ("beer/1", 7))
    runner.start()
    until(lambda: jobs.get(job_id).state == "done")
    assert jobs.get(job_id).attempts == 2
    runner.stop()


def test_a_job_that_kills_every_server_fails_in_the_end(jobs, quick):
    job_id = new(jobs)
    for _ in range(ATTEMPTS):
        assert jobs.claim("a server that is killed") is not None
        jobs.give_up(job_id, 0)
    found = jobs.get(job_id)
    assert (found.state, found.code) == ("failed", "internal")
    assert f"ended {ATTEMPTS} times" in str(found.detail)


def test_a_beating_job_is_nobody_elses(jobs, quick):
    job_id, seen = new(jobs), []
    runners = [
        Runner(jobs, lambda job, progress: seen.append(job.id) or slow(job, progress)) for _ in range(3)
    ]
    for runner in runners:
        runner.start()
    time.sleep(1.0)
    assert seen == [job_id]
    for runner in runners:
        runner.stop()


def test_each_of_many_jobs_is_done_once_by_many_servers(tmp_path, quick):
    path, done, lock = tmp_path / "state.sqlite", [], threading.Lock()
    jobs = Jobs(Database(path))
    wanted = sorted(new(jobs) for _ in range(12))

    def work(job, progress):
        with lock:
            done.append(job.id)
        return "beer/1", 7

    runners = [Runner(Jobs(Database(path)), work) for _ in range(3)]
    for runner in runners:
        runner.start()
    until(lambda: all(job.state == "done" for job in jobs.page()[0]))
    for runner in runners:
        runner.stop()
    assert sorted(done) == wanted


def test_work_that_fails_says_why(jobs, quick):
    def full(job, progress):
        raise StorageError("The disk is full while writing exports.", "写出导出文件时磁盘已满。")

    job_id = new(jobs)
    runner = Runner(jobs, full)
    runner.start()
    until(lambda: jobs.get(job_id).state == "failed")
    assert (jobs.get(job_id).code, "disk is full" in str(jobs.get(job_id).detail)) == ("storage", True)
    assert jobs.get(job_id).detail_zh == "写出导出文件时磁盘已满。"
    runner.stop()


def test_a_cancelled_export_leaves_nothing_behind(make_workspace, tmp_path):
    service = Service.open(make_workspace(tmp_path / "shop"))

    class Stop(BaseException):
        pass

    def progress(share: float, what: str) -> None:
        if share > 0.7:
            raise Stop

    job = service.start_export(ADA, from_json(BEER), "beer", "csv")
    with pytest.raises(Stop):
        service.make_export(job, progress)
    assert list((tmp_path / "shop" / "exports" / "beer").iterdir()) == []
    folder, count = service.make_export(job, lambda share, what: None)
    assert count == 1298
    manifest = json.loads((tmp_path / "shop" / "exports" / folder / "manifest.json").read_text())
    assert manifest["exported_by"] == "ada"


def test_an_export_to_a_table_is_counted_kept_and_written_down(make_workspace, tmp_path):
    crm = f"duckdb://{tmp_path}/crm.duckdb"
    service = Service.open(make_workspace(tmp_path / "shop", f'export_database = "{crm}"\n'))
    job = service.start_export(ADA, from_json(BEER), "beer", "table")
    folder, count = service.make_export(job, lambda share, what: None)
    made = service.rooms.workspace.folder / "exports" / folder
    manifest = manifest_of(made)
    database = ibis.connect(crm)
    rows = database.table("beer").execute()
    database.disconnect()
    assert len(set(rows["customer"])) == count == manifest.count == 1298
    assert set(rows["export_id"]) == {manifest.id}
    entry = next(e for e in service.audit.entries(10) if e.action == "export")
    assert (entry.who, entry.detail["format"], entry.detail["count"]) == ("ada", "table", 1298)
    with pytest.raises(ForbiddenError):
        service.start_export(Caller("vera", Role.marketer), from_json(BEER), "beer", "table")
    without = Service.open(make_workspace(tmp_path / "other"))
    with pytest.raises(UserError, match="export_database"):
        without.start_export(ADA, from_json(BEER), "beer", "table")


@pytest.fixture
def asked_consent(make_workspace, tmp_path) -> Service:
    """A shop that knows of every second customer whether they agreed to e-mail."""
    folder = make_workspace(tmp_path / "shop")
    data = folder / "warehouse.duckdb"
    copied = data.resolve().read_bytes()
    data.unlink()
    data.write_bytes(copied)
    with duckdb.connect(str(data)) as connection:
        connection.execute("ALTER TABLE customers ADD COLUMN reach_email BOOLEAN")
        connection.execute("UPDATE customers SET reach_email = hash(customer_id) % 2 = 0")
    return Service.open(folder)


def test_only_who_agreed_to_a_channel_is_exported_over_http(asked_consent):
    service = asked_consent
    agreed = set(members_by(service.rooms.audiences, from_json(BEER), "email"))
    with serving(create_api(service)) as url, Client(url) as typed:
        told = typed.preview(BEER)
        done = typed.wait_for(typed.export(BEER, "letters", channel="email"), 30)
        everyone = typed.wait_for(typed.export(BEER, "all"), 30)
        assert (done.channel, everyone.channel) == ("email", None)
        assert done.count == told.reachable["email"] == len(agreed)
        assert 0 < len(agreed) < everyone.count == told.size
        path = service.rooms.workspace.folder / "letters.csv"
        typed.download(done, path)
        assert set(read_members(path)) == set(service.rooms.vault.source_ids(sorted(agreed)))
        with pytest.raises(ApiError, match="'fax' is not known; channels are email") as caught:
            typed.export(BEER, "letters", channel="fax")
        assert (caught.value.status, caught.value.code) == (404, "not_found")
        assert len(typed.exports()) == 2
    logged = {e.action: e.detail for e in service.audit.entries(20) if "letters" in e.detail.values()}
    assert logged["export_asked"]["channel"] == logged["export"]["channel"] == "email"
    assert (logged["export"]["count"], logged["export"]["of"]) == (done.count, told.size)


def test_a_job_of_before_there_were_channels_exports_everyone_and_is_delivered_nowhere(tmp_path):
    path = tmp_path / "state.sqlite"
    job_id = new(Jobs(Database(path)))
    with closing(sqlite3.connect(path)) as old:
        old.execute("ALTER TABLE export_jobs DROP COLUMN channel")
        old.execute("ALTER TABLE export_jobs DROP COLUMN webhook")
        old.execute("UPDATE alembic_version SET version_num = 'state_0008'")
        old.commit()
    job = Jobs(Database(path)).get(job_id)
    assert (job.channel, job.webhook) == ("", "")


@pytest.fixture
def hooked(make_workspace, tmp_path, monkeypatch) -> Service:
    """A shop with a webhook, whose address and secret the environment holds."""
    monkeypatch.setenv("SEGASSIST_WEBHOOK_SECRET", "s3cret")
    monkeypatch.setattr("warehouse.webhook.FIRST_WAIT", 0.001)
    return Service.open(make_workspace(tmp_path / "shop", '[webhooks]\ncrm = "env:CRM_HOOK"\n'))


def test_an_export_is_delivered_over_http_signed_and_written_down(hooked, monkeypatch):
    with receiving() as receiver, serving(create_api(hooked)) as url, Client(url) as typed:
        with pytest.raises(ApiError, match="'cmr' is not known; webhooks are crm") as caught:
            typed.export(BEER, "beer", webhook="cmr")
        assert caught.value.status == 404
        with pytest.raises(ApiError, match="CRM_HOOK is not set"):
            typed.export(BEER, "beer", webhook="crm")
        assert typed.exports() == []
        monkeypatch.setenv("CRM_HOOK", receiver.url)
        receiver.statuses[:] = [503]
        done = typed.wait_for(typed.export(BEER, "beer", webhook="crm"), 30)
        with pytest.raises(ApiError, match="only a delivery that failed"):
            typed.deliver_again(done)
    assert (done.state, done.webhook, done.count) == ("done", "crm", 1298)
    headers, body = receiver.got[-1]
    assert len(receiver.got) == 2
    assert len(body.split()) == 1299
    assert headers["X-Segassist-Signature"] == signature("s3cret", headers["X-Segassist-Manifest"], body)
    logged = [e.detail for e in hooked.audit.entries(20) if e.action == "delivering"]
    assert [(e["webhook"], e["count"], e.get("tries")) for e in logged] == [
        ("crm", 1298, None),
        ("crm", 1298, 2),
    ]
    assert "hidden" not in json.dumps([e.detail for e in hooked.audit.entries(50)])


def test_a_delivery_that_fails_keeps_the_file_and_is_tried_again_with_one_key(hooked, monkeypatch, tmp_path):
    with receiving() as receiver, serving(create_api(hooked)) as url, Client(url) as typed:
        monkeypatch.setenv("CRM_HOOK", receiver.url)
        receiver.statuses[:] = [403]
        with pytest.raises(ApiError, match="refused the export with status 403") as caught:
            typed.wait_for(typed.export(BEER, "beer", webhook="crm"), 30)
        assert "hidden" not in str(caught.value)
        (job,) = typed.exports()
        assert job.file is not None
        typed.download(job, tmp_path / "beer.csv")
        done = typed.wait_for(typed.deliver_again(job), 30)
    assert (done.id, done.state, done.problem) == (job.id, "done", None)
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 1
    assert receiver.got[-1][1] == (tmp_path / "beer.csv").read_bytes()
    assert len(list((hooked.rooms.workspace.folder / "exports" / "beer").glob("2*"))) == 1


def test_who_takes_a_delivery_over_delivers_the_same_file(hooked, monkeypatch):
    """The server is killed while it delivers."""
    with receiving() as receiver:
        monkeypatch.setenv("CRM_HOOK", receiver.url)
        hooked.start_export(ADA, from_json(BEER), "beer", "csv", webhook="crm")

        class Killed(BaseException):
            pass

        def progress(share: float, what: str) -> None:
            if what.startswith("delivering"):
                raise Killed

        job = hooked.jobs.claim("a server that is killed")
        with pytest.raises(Killed):
            hooked.make_export(job, progress)
        hooked.jobs.give_up(job.id, 0)
        made = hooked.jobs.claim("the next")
        folder, count = hooked.make_export(made, lambda share, what: None)
        assert (folder, count) == (made.folder, 1298)
        ((headers, _),) = receiver.got
        assert headers["Idempotency-Key"] == folder.split("/")[1]


def test_a_file_that_was_removed_is_delivered_to_nobody(hooked, monkeypatch):
    with receiving() as receiver:
        monkeypatch.setenv("CRM_HOOK", receiver.url)
        job = hooked.start_export(ADA, from_json(BEER), "beer", "csv", webhook="crm")
        with pytest.raises(NotFoundError, match="has been removed"):
            hooked.make_export(replace(job, folder="beer/none", count=3), lambda share, what: None)
    assert receiver.got == []


def test_why_an_export_failed_is_said_in_the_callers_language(make_workspace, tmp_path):
    service = Service.open(make_workspace(tmp_path / "shop"))
    job_id = new(service.jobs)
    for _ in range(ATTEMPTS):
        assert service.jobs.claim("a server that is killed") is not None
        service.jobs.give_up(job_id, 0)
    client = TestClient(
        create_api(service), base_url="http://localhost"
    )  # without its lifespan nobody takes the job

    def said(language):
        answer = client.get(f"/v1/exports/{job_id}", headers={"accept-language": language})
        return answer.json()["problem"]["detail"]

    assert said("en") == f"Its server ended {ATTEMPTS} times while it was at work."
    assert said("zh") == f"处理它的服务器中途结束了{ATTEMPTS}次。"
