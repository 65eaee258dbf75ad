"""The data commands: the quality report, an export in the audit log, a person erased with nothing left."""

import json
import shutil
import sqlite3
import tarfile
from datetime import timedelta

import pytest
from starlette.responses import Response

from assistant.documents import Documents
from assistant.library import Library
from assistant.privacy import erase_person
from assistant.refresh import alone
from assistant.sql import Database
from assistant.workspace import open_workspace
from indexes.discoveries import Discoveries
from indexes.index import CustomerIndex
from segments.codec import from_json
from segments.definition import SimilarityCondition
from segments.errors import ConflictError, NotFoundError, StorageError
from serving.access import OWNER
from serving.audit import Audit
from serving.doctor import examine
from serving.http.idempotency import Answers
from tests.receiver import receiving
from tests.serving.test_operate import BEER, segassist
from warehouse.audience import Audiences
from warehouse.export import latest, manifest_of, read_members
from warehouse.pseudonyms import Vault
from warehouse.store import Warehouse


@pytest.fixture
def folder(demo_folder, tmp_path):
    """The demo's data, copied: a person is erased from it."""
    made = tmp_path / "shop"
    made.mkdir()
    for name in ("indexes", "models"):
        shutil.copytree(demo_folder / name, made / name)
    names = ("ready.json", "segassist.toml", "vault.key", "vault.parquet", "warehouse.duckdb", "quality.json")
    for name in names:
        shutil.copy(demo_folder / name, made / name)
    return made


def test_the_quality_report_is_shown(folder):
    shown = segassist("quality", "-w", folder)
    assert shown.exit_code == 0
    report = json.loads(segassist("quality", "--json", "-w", folder).output)
    assert f"{report['events']:,} events" in shown.output
    assert all(check["name"] in shown.output for check in report["checks"])


def test_data_are_encrypted_and_made_plain_again_by_commands(folder, monkeypatch):
    pytest.importorskip("duckdb_extension_httpfs")

    def said(*command):
        ran = segassist(*command, "-w", folder)
        return ran.exit_code, ran.stdout + str(ran.exception or "")

    def found():
        return {
            finding.part: finding for finding in examine(folder, 1) if finding.part in ("data", "encryption")
        }

    assert found()["encryption"].what.startswith("off")
    code, told = said("data", "encrypt")
    assert code != 0
    assert "openssl rand -base64 32" in told
    monkeypatch.setenv("SEGASSIST_ENCRYPTION_KEY", "k" * 40)
    assert "segassist data encrypt" in found()["encryption"].way_out
    assert said("data", "encrypt") == (0, "Now encrypted: warehouse.duckdb, vault.key, vault.parquet\n")
    assert said("data", "encrypt") == (0, "Everything was encrypted already.\n")
    assert found()["encryption"].what.startswith("on: warehouse.duckdb")
    assert b"FROZEN MEAT" not in (folder / "warehouse.duckdb").read_bytes()
    backup = folder.parent / "backup.tar.gz"
    assert segassist("backup", backup, "-w", folder).exit_code == 0
    with tarfile.open(backup) as tar:
        held = tar.extractfile("warehouse.duckdb").read(), tar.extractfile("vault.parquet").read()
    assert held == ((folder / "warehouse.duckdb").read_bytes(), (folder / "vault.parquet").read_bytes())
    monkeypatch.setenv("SEGASSIST_ENCRYPTION_KEY", "x" * 40)
    wrong = found()
    assert {finding.level for finding in wrong.values()} == {"fail"}
    assert wrong["data"].way_out == "give the key that the data are encrypted with"
    assert "another key" in said("data", "decrypt")[1]
    monkeypatch.delenv("SEGASSIST_ENCRYPTION_KEY")
    assert "no key is set" in found()["encryption"].what
    monkeypatch.setenv("SEGASSIST_ENCRYPTION_KEY", "k" * 40)
    assert said("data", "decrypt")[0] == 0
    assert "k" * 40 not in json.dumps([entry.detail for entry in Audit(folder).entries()])
    monkeypatch.delenv("SEGASSIST_ENCRYPTION_KEY")
    assert found()["encryption"].level == found()["data"].level == "ok"


def test_an_export_is_counted_written_and_logged_alike(folder, tmp_path):
    beer = tmp_path / "beer.json"
    beer.write_text(json.dumps(BEER))
    ran = segassist("export", beer, "--name", "beer", "-w", folder)
    assert ran.exit_code == 0, ran.output
    manifest = manifest_of(latest(folder / "exports", "beer"))
    warehouse = Warehouse(folder / "warehouse.duckdb")
    assert manifest.count == Audiences(warehouse).size(from_json(BEER))
    warehouse.close()
    logged = [entry for entry in Audit(folder).entries() if entry.action == "export"]
    assert logged[-1].detail["count"] == manifest.count
    assert logged[-1].detail["definition"] == manifest.fingerprint


def test_a_delivery_is_in_the_log_before_it_is_made_and_a_bad_address_exports_nothing(folder, tmp_path):
    beer = tmp_path / "beer.json"
    beer.write_text(json.dumps(BEER))
    for url, secret in (("http://host:abc/", "s"), ("http://127.0.0.1/", "")):
        ran = segassist("export", beer, "--name", "bad", "--webhook", url, "--secret", secret, "-w", folder)
        assert "needs an http" in str(ran.exception)
    assert not (folder / "exports" / "bad").exists()

    with receiving() as receiver:
        receiver.statuses[:] = [403]
        ran = segassist(
            "export", beer, "--name", "sent", "--webhook", receiver.url, "--secret", "s", "-w", folder
        )
    assert "status 403" in str(ran.exception)
    logged = [entry.detail for entry in Audit(folder).entries() if entry.action == "delivering"]
    assert [(each["to"], "failed" in each) for each in logged] == [("127.0.0.1", False), ("127.0.0.1", True)]
    assert logged[0]["id"] == latest(folder / "exports", "sent").name
    assert "hidden" not in json.dumps(logged)


def test_an_export_is_delivered_to_a_webhook_of_the_settings(folder, tmp_path, monkeypatch):
    beer, settings = tmp_path / "beer.json", folder / "segassist.toml"
    beer.write_text(json.dumps(BEER))
    with settings.open("a") as file:
        file.write('\n[webhooks]\ncrm = "env:CRM_HOOK"\n')
    asked = ("--secret", "s", "-w", folder)
    with receiving() as receiver:
        ran = segassist("export", beer, "--name", "sent", "--webhook", "crm", *asked)
        assert "the environment variable CRM_HOOK is not set" in str(ran.exception)
        monkeypatch.setenv("CRM_HOOK", receiver.url)
        ran = segassist("export", beer, "--name", "sent", "--webhook", "crm", *asked)
        assert "Delivered to 127.0.0.1 (1 try)" in ran.stdout
        assert "webhooks are crm" in str(
            segassist("export", beer, "--name", "sent", "--webhook", "cmr", *asked).exception
        )
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "command",
    [
        ("data", "restore", "--rule", "bots"),
        ("data", "enforce", "--rule", "bots"),
        ("privacy", "erase", "1"),
        ("privacy", "retain", "--months", "1"),
    ],
    ids=lambda command: command[1],
)
def test_data_that_are_being_ingested_are_not_changed(folder, command):
    before = (folder / "warehouse.duckdb").stat()
    with alone(folder):
        ran = segassist(*command, "-w", folder)
    assert isinstance(ran.exception, ConflictError)
    assert (folder / "warehouse.duckdb").stat() == before


def test_nothing_is_done_to_data_that_cannot_be_written_down(folder, tmp_path, monkeypatch):
    """The audit log is held by another program; each command says so, before it does anything."""
    monkeypatch.setattr("assistant.sql.WAIT_SECONDS", 0.1)
    logged = Audit(folder).entries(100)
    # Only the log's entries are compared: when SQLite moves its write-ahead log into the file depends on who closes last.
    files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("audit.sqlite")]
    before = {path: path.stat().st_mtime_ns for path in files}
    commands = (
        ("ingest", "orders", "--data", tmp_path, "-w", folder),
        ("refresh", "-w", folder),
        ("data", "enforce", "--rule", "bots", "-w", folder),
        ("data", "restore", "--rule", "bots", "-w", folder),
        ("privacy", "erase", "1", "-w", folder),
        ("privacy", "retain", "--months", "1", "-w", folder),
        ("models", "rollback", "purchase_30d", "-w", folder),
        ("models", "choose", "purchase_30d", "default", "-w", folder),
        ("models", "compare", "purchase_30d", "-w", folder),
        ("build", "-w", folder),
        ("backup", tmp_path / "shop.tar.gz", "-w", folder),
    )
    with sqlite3.connect(folder / "audit.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        tried = {command[:2]: segassist(*command).exception for command in commands}
        other.execute("ROLLBACK")
    assert {name: type(error) for name, error in tried.items()} == dict.fromkeys(tried, StorageError)
    assert not (tmp_path / "shop.tar.gz").exists()
    after = {path: path.stat().st_mtime_ns for path in before if path.exists()}
    assert {path.name for path in before if after.get(path) != before[path]} <= {"refresh.lock"}
    assert Audit(folder).entries(100) == logged


def test_a_command_that_fails_is_in_the_log_with_why(folder, tmp_path):
    ran = segassist("ingest", "orders", "-w", folder, "--data", tmp_path)
    assert ran.exception is not None
    begun, failed = Audit(folder).entries(2)
    assert (begun.action, "failed" in begun.detail) == ("ingest", False)
    assert failed.detail == begun.detail | {"failed": ran.exception.code, "entry": begun.seq}


def test_a_person_is_erased_everywhere(folder, tmp_path):
    beer = tmp_path / "beer.json"
    beer.write_text(json.dumps(BEER))
    segassist("export", beer, "--name", "beer", "-w", folder)
    exported = latest(folder / "exports", "beer") / "members.csv"
    source = read_members(exported)[0]
    customer = Vault(folder).customer_id(source)
    Library(folder / "state.sqlite").save("like one", SimilarityCondition(50, customer=customer))
    listed = segassist("segment", "clusters", "--discover", 4, "--json", "-w", folder).output.splitlines()
    clusters = [from_json(json.loads(line)["definition"]) for line in listed]
    discoveries = Discoveries(folder)

    def discovered():
        return {one for cluster in clusters for one in discoveries.members(cluster.discovery, cluster.number)}

    assert len(clusters) == 4
    assert customer in discovered()
    Documents(folder / "state.sqlite", "plan").save("spring", {"arms": {customer: 1, "other": 2}})
    (folder / "experiments").mkdir()
    (folder / "experiments" / "0.json").write_text(
        json.dumps({"name": "old", "content": {"ids": [customer]}})
    )

    audit, answers = Audit(folder), Answers(Database(folder / "state.sqlite"), timedelta(days=1))
    audit.write(OWNER, "ask", question=f"why is customer {source} in it?")
    audit.write(OWNER, "tool", tools=[{"name": "explain_propensity", "arguments": {"customer": source}}])
    answers.begin("ada", "k", "digest")
    answers.finish("ada", "k", Response(json.dumps({"members": [source]})))

    ran = segassist("privacy", "erase", source, "-w", folder)
    assert ran.exit_code == 0, ran.output
    assert "2 entries of the audit log redacted, 1 kept answers" in ran.output
    asked, begun, redacted, done = audit.entries(4)
    assert asked.detail["tools"][0]["arguments"] == {"customer": "[erased]"}
    assert [begun.action, redacted.action, done.action] == ["erase", "redacted", "erase"]
    assert (begun.detail, done.detail) == ({}, {"traces": 0, "entry": begun.seq})
    assert not audit.verify().breaks
    again = answers.begin("ada", "k", "digest")
    assert (again.status_code, source in again.body.decode()) == (410, False)
    assert "No trace is left" in ran.output
    assert source not in read_members(exported)
    assert customer not in CustomerIndex.load(folder / "indexes", "cpu").customer_ids
    assert customer not in discovered()
    assert len(discovered()) > 1000
    assert Vault(folder).customer_id(source) is None
    assert Library(folder / "state.sqlite").names() == []
    assert Documents(folder / "state.sqlite", "plan").load("spring") == {"arms": {"other": 2}}
    assert Documents(folder / "state.sqlite", "experiment").load("old") == {"ids": []}
    log = json.dumps([str(entry) for entry in Audit(folder).entries()])
    assert customer not in log.replace(json.dumps(BEER), "")
    again = erase_person(open_workspace(folder), source)
    assert (again.in_index, again.traces) == (False, ())
    damaged = folder / "plans" / "1.json"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text(f'{{"name": "cut", "content": {{"{customer}"')
    assert erase_person(open_workspace(folder), source).traces == (str(damaged),)
    with pytest.raises(NotFoundError, match="no customer 'nobody'"):
        erase_person(open_workspace(folder), "nobody")
