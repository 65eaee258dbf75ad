"""The operator's commands: doctor, backup and restore, users."""

import json
import shutil
import sqlite3
import tarfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from assistant.refresh import Published, Refreshed, write_told
from assistant.workspace import Workspace
from indexes.index import CustomerIndex
from propensity.registry import Registry
from segments.codec import from_json
from segments.errors import ChecksumError, ConflictError, DataError, StorageError
from serving.access import Role
from serving.audit import Audit
from serving.backup import before_of, restore_backup, write_backup
from serving.callers import operator
from serving.cli import app
from serving.doctor import _refreshed, examine
from serving.llm.probe import free_port
from serving.service import Service
from serving.users import Users
from warehouse.pseudonyms import Vault

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


def segassist(*arguments):
    """A command's result; an error of ours is its `exception`."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def used(make_workspace, tmp_path_factory, fake_llm) -> Path:
    """A workspace in use: a saved segment, a user, a logged export; its language model answers."""
    made = make_workspace(tmp_path_factory.mktemp("used"), f'llm_base_url = "{fake_llm.base_url}"\n')
    service = Service.open(made)
    service.users.add("ada", Role.admin)
    service.save(operator(), "beer", from_json(BEER))
    service.members(operator(), from_json(BEER))
    service.rooms.warehouse.close()
    return made


@pytest.fixture
def folder(used, tmp_path, fake_llm) -> Path:
    """The same, for one test to break."""
    fake_llm.reset()
    return Path(shutil.copytree(used, tmp_path / "shop", symlinks=True))


# Doctor


def findings(folder, part, port=None) -> dict[str, str]:
    """(what, way out) of a part by level."""
    port = port or free_port("127.0.0.1")
    return {f.level: f"{f.what} ▶ {f.way_out}" for f in examine(folder, port) if f.part == part}


def own(folder, name) -> Path:
    """A file or folder of the workspace as one that the test may break."""
    path = folder / name
    kept = path.resolve()
    path.unlink()
    (shutil.copytree if kept.is_dir() else shutil.copy)(kept, path)
    return path


def test_a_sound_workspace_has_no_failure(folder):
    found = examine(folder, free_port("127.0.0.1"))
    assert not [f for f in found if f.level == "fail"]
    parts = {f.part for f in found}
    assert parts >= {
        "packages",
        "memory",
        "disk",
        "port",
        "gpu",
        "data",
        "index",
        "models",
        "drift",
        "llm",
        "state",
        "audit",
    }
    assert all(f.way_out for f in found if f.level != "ok")


def test_a_folder_without_a_workspace_is_told_how_to_build(tmp_path):
    assert "segassist build" in findings(tmp_path, "workspace")["fail"]


def test_an_index_of_another_date_or_encoder_is_found(folder):
    own(folder, "indexes")
    index = CustomerIndex.load(folder / "indexes", "cpu")
    index.as_of = date(2017, 1, 1)
    index.save(folder / "indexes")
    assert "behaviour is as of 2017-01-01, the data as of 2018-01-01" in findings(folder, "index")["fail"]
    index.as_of, index.encoder = date(2018, 1, 1), "aggregate:another-model"
    index.save(folder / "indexes")
    assert "made by the encoder aggregate:another-model" in findings(folder, "index")["fail"]


def test_a_damaged_index_is_found(folder):
    path = next(own(folder, "indexes").glob("customers.*"))
    path.write_bytes(path.read_bytes()[:-10])
    assert "corrupt" in findings(folder, "index")["fail"]


def test_a_check_that_cannot_run_is_a_finding(folder):
    own(folder, "ready.json").write_text("[]", encoding="utf-8")
    found = findings(folder, "data")["fail"]
    assert "cannot be checked" in found
    assert "segassist restore" in found
    assert "ok" in findings(folder, "audit")


def test_settings_that_do_not_parse_are_to_be_corrected(folder):
    (folder / "segassist.toml").write_text("a = 1", encoding="utf-8")
    found = findings(folder, "workspace")["fail"]
    assert "'a' is not a setting" in found
    assert f"▶ correct {folder / 'segassist.toml'}" in found


def test_a_table_that_is_gone_is_found(folder):
    with duckdb.connect(own(folder, "warehouse.duckdb")) as connection:
        connection.execute("DROP TABLE features")
    assert "the warehouse has no features" in findings(folder, "data")["fail"]


def test_what_another_version_made_is_found(folder):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run" / "warehouse.done").write_text("0" * 16)
    found = findings(folder, "data")["warn"]
    assert "would make otherwise: " in found
    assert "▶ segassist build" in found


@pytest.mark.parametrize("name", ["vault.key", "vault.parquet"])
def test_a_vault_that_is_gone_is_found(folder, name):
    (folder / name).unlink()
    found = findings(folder, "secrets")["fail"]
    assert f"{name} is missing" in found
    assert "▶ a file is damaged: segassist restore" in found


def test_a_vault_that_is_damaged_is_found_and_told_to_who_asks_for_members(folder):
    own(folder, "vault.parquet").write_bytes(b"PAR1 no more")
    assert "vault.parquet is damaged" in findings(folder, "secrets")["fail"]
    with pytest.raises(DataError, match="restore it from a backup"):
        Vault(folder)


@pytest.mark.parametrize("setting", ["llm_model", "llm_adapter"])
def test_a_model_that_the_settings_name_and_is_not_there_is_found(make_workspace, tmp_path, setting):
    made = make_workspace(tmp_path / "w", f'{setting} = "{tmp_path}/gone.gguf"\n')
    found = findings(made, "llm")["fail"]
    assert "gone.gguf" in found
    assert "▶ correct the llm_ settings" in found


def test_a_log_that_was_deleted_is_found(folder):
    (folder / "audit.sqlite").unlink()
    assert "audit.key is there and the log is not" in findings(folder, "audit")["fail"]


def test_what_a_container_may_take_is_what_is_free(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("1500000000\n")
    (tmp_path / "memory.current").write_text("500000000\n")
    monkeypatch.setattr("serving.doctor.CONTAINER", tmp_path)
    assert "1.0 GB are free" in findings(tmp_path, "memory")["warn"]
    (tmp_path / "memory.max").write_text("max\n")
    assert "1.0 GB" not in str(findings(tmp_path, "memory"))


def test_a_damaged_model_is_found(folder):
    path = next(own(folder, "models").glob("purchase_30d.model.*"))
    path.write_bytes(b"x")
    assert "▶ segassist build" in findings(folder, "models")["fail"]


def test_scores_that_have_moved_are_found(folder):
    registry = Registry(own(folder, "models"))
    candidate = registry.candidate("purchase_30d")
    registry.commit(replace(candidate, scores=candidate.scores**4))
    found = [f for f in examine(folder, free_port("127.0.0.1")) if f.part == "drift"]
    (moved,) = [f for f in found if f.level == "warn" and f.what.startswith("purchase_30d: ")]
    assert "(moved)" in moved.what
    assert moved.way_out.endswith(f"--workspace {folder} --rebuild")
    assert {f.what.split(":")[0] for f in found} >= {"purchase_14d", "coupon_redeem_30d"}


def test_a_damaged_state_file_is_found(folder):
    (folder / "conversations.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert "conversations.sqlite" in findings(folder, "state")["fail"]


def test_a_plan_that_could_not_be_moved_into_the_state_is_found(folder):
    (folder / "plans").mkdir()
    (folder / "plans" / "0.json").write_text("{")
    assert "plans/0.json is not in the state" in findings(folder, "state")["warn"]


def test_a_log_that_was_changed_is_found(folder):
    with sqlite3.connect(folder / "audit.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_no_UPDATE")
        connection.execute("UPDATE audit_log SET who = 'nobody' WHERE seq = 1")
    assert "Entry 1" in findings(folder, "audit")["fail"]


def test_a_secret_that_others_can_read_is_found(folder):
    own(folder, "vault.key").chmod(0o644)
    assert "▶ chmod 600" in findings(folder, "secrets")["fail"]


def test_a_port_that_is_taken_is_found(folder, fake_llm):
    port = int(fake_llm.base_url.split(":")[2].split("/")[0])
    assert "another program listens" in findings(folder, "port", port)["warn"]


def test_a_language_model_that_does_not_answer_is_found(make_workspace, tmp_path):
    made = make_workspace(tmp_path / "w", 'llm_base_url = "http://127.0.0.1:9/v1"\n')
    assert "nothing answers at llm_base_url" in findings(made, "llm")["fail"]


def test_a_gpu_that_is_asked_for_and_missing_is_found(make_workspace, tmp_path, monkeypatch):
    monkeypatch.setattr("serving.doctor._gpus", lambda: "")
    made = make_workspace(tmp_path / "w", 'index_device = "gpu"\nllm_base_url = "http://127.0.0.1:9/v1"\n')
    assert "index_device ask for a GPU; there is none" in findings(made, "gpu")["fail"]


def test_the_command_ends_with_1_when_something_is_broken(folder):
    (folder / "state.sqlite").write_bytes(b"no database")
    ran = segassist("doctor", "--workspace", folder, "--port", free_port("127.0.0.1"), "--json")
    assert ran.exit_code == 1, ran.stderr
    assert any(json.loads(line)["level"] == "fail" for line in ran.stdout.splitlines())


# Backup and restore


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_workspace_comes_back_as_it_was(folder, tmp_path):
    file = tmp_path / "shop.tar.gz"
    count = write_backup(folder, file)
    assert file.stat().st_mode & 0o777 == 0o600
    elsewhere = tmp_path / "elsewhere"
    assert restore_backup(file, elsewhere) == count
    service = Service.open(elsewhere)
    assert service.rooms.library.names() == ["beer"]
    assert [user.name for user in service.users.all()] == ["ada"]
    assert not service.audit.verify().breaks
    assert (elsewhere / "vault.key").stat().st_mode & 0o777 == 0o600
    assert _contents(elsewhere / "models") == _contents(folder / "models")
    assert len(service.members(operator(), from_json(BEER))[0]) == 1298
    assert not list(folder.glob(".backup-*"))


def test_a_backup_in_use_is_whole(folder, tmp_path):
    """Somebody writes all the while: the copy holds whole transactions only."""
    import threading

    log, stop = Audit(folder), threading.Event()

    def write():
        while not stop.is_set():
            log.write(operator(), "ask", question="x")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        write_backup(folder, tmp_path / "b.tar.gz")
    finally:
        stop.set()
        writer.join()
    restore_backup(tmp_path / "b.tar.gz", tmp_path / "r")
    verdict = Audit(tmp_path / "r").verify()
    assert verdict.entries >= 2
    assert not verdict.breaks


def test_nothing_is_overwritten_unasked_and_what_was_there_is_kept(folder, tmp_path):
    file = tmp_path / "b.tar.gz"
    write_backup(folder, file)
    with pytest.raises(ConflictError, match="is not empty; choose another folder, or add --replace"):
        restore_backup(file, folder)
    Users(folder / "state.sqlite").add("bob", Role.viewer)
    restore_backup(file, folder, replace=True)
    assert [user.name for user in Users(folder / "state.sqlite").all()] == ["ada"]
    assert [user.name for user in Users(before_of(folder) / "state.sqlite").all()] == ["ada", "bob"]


@pytest.mark.parametrize("damage", ["cut", "byte", "none", "stranger", "outside"])
def test_a_backup_that_is_not_whole_changes_nothing(tmp_path, damage):
    small, file = tmp_path / "small", tmp_path / "b.tar.gz"
    small.mkdir()
    (small / "data").write_bytes(bytes(range(256)) * 200)
    write_backup(small, file)
    content = file.read_bytes()
    if damage == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "byte":
        place = len(content) // 2
        file.write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
    elif damage == "none":
        file.unlink()
    elif damage == "stranger":
        with tarfile.open(file, "w:gz") as tar:
            tar.add(small / "data", "data")
    else:
        with tarfile.open(file, "w:gz") as tar:
            path = tmp_path / "segassist-backup.json"
            path.write_text(json.dumps({"format": 1, "files": {"../evil": "0"}}))
            tar.add(path, path.name)
    target = tmp_path / "target"
    with pytest.raises((DataError, ChecksumError)):
        restore_backup(file, target)
    assert not target.exists()
    assert not (tmp_path / "evil").exists()
    assert sorted(p.name for p in tmp_path.glob("target*")) == []


def test_the_commands_write_and_restore(folder, tmp_path):
    file, target = tmp_path / "shop.tar.gz", tmp_path / "other"
    assert segassist("backup", file, "--workspace", folder).exit_code == 0
    ran = segassist("restore", file, "--workspace", target)
    assert ran.exit_code == 0, ran.stderr
    again = segassist("restore", file, "--workspace", target)
    assert "is not empty" in str(again.exception)
    assert [e.action for e in Audit(target).entries(2)] == ["backup", "restore"]
    assert [e.action for e in Audit(folder).entries(1)] == ["backup"]


def test_a_broken_log_does_not_keep_its_workspace_from_being_restored(folder, tmp_path, monkeypatch):
    """The entry is in the log that comes with the backup, before it takes its place; without it nothing is replaced."""
    file = tmp_path / "shop.tar.gz"
    assert segassist("backup", file, "--workspace", folder).exit_code == 0
    for path in folder.glob("audit.sqlite*"):
        path.unlink()
    (folder / "audit.sqlite").write_bytes(b"no database")

    def full(*_args, **_more):
        raise StorageError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Audit, "write", full)
        refused = segassist("restore", file, "--workspace", folder, "--replace")
    assert isinstance(refused.exception, StorageError)
    assert (folder / "audit.sqlite").read_bytes() == b"no database"
    assert not before_of(folder).exists()
    assert segassist("restore", file, "--workspace", folder, "--replace").exit_code == 0
    assert [e.action for e in Audit(folder).entries(1)] == ["restore"]
    assert Audit(folder).verify().breaks == ()


# Users


def test_users_are_added_listed_and_revoked(folder):
    def users(*arguments):
        return segassist("users", *arguments, "--workspace", folder)

    key = users("add", "eve", "--role", "viewer").stdout.strip()
    assert Users(folder / "state.sqlite").caller(key).name == "eve"
    listed = json.loads(users("list", "--json").stdout)
    assert [(user["name"], user["role"]) for user in listed] == [("ada", "admin"), ("eve", "viewer")]
    assert key.split("_", 2)[2] not in users("list").stdout
    assert "must be one of viewer, marketer" in str(users("add", "zoe", "--role", "king").exception)
    assert "is no key of eve" in str(users("revoke", "eve", "--key", "00000000").exception)
    assert users("revoke", "eve").exit_code == 0
    assert "eve" in users("list").stdout
    actions = [entry.action for entry in Audit(folder).entries(2)]
    assert actions == ["user_added", "revoked"]


def test_the_doctor_tells_what_the_last_refresh_kept_as_it_was(tmp_path):
    workspace = Workspace.of(tmp_path)
    (tmp_path / "run").mkdir()
    assert list(_refreshed(workspace)) == []
    at = "2024-01-02T04:15:00+00:00"
    kept = Published("gold", 30, "2024-01-01", 30, "member_of: no saved segment is named 'other'.")
    for data_error, segments, level, said in (
        ("", (Published("gold", 30, "2024-01-02", 30),), "ok", "published 1 saved segments"),
        ("The data did not pass the checks.", (), "warn", "took no new data: The data did not pass"),
        ("", (kept,), "warn", "did not publish gold: member_of: no saved segment is named 'other'."),
    ):
        done = Refreshed(at, "2024-01-02", "", data_error, segments, (), "")
        write_told(tmp_path, done)
        (finding,) = _refreshed(workspace)
        assert finding.level == level
        assert said in finding.what
        assert at in finding.what


def test_a_shop_without_models_yet_has_no_failure(folder):
    (folder / "models").unlink()
    (folder / "models").mkdir()
    Registry(folder / "models").finish([])
    assert "none could be learned from these data yet" in findings(folder, "models")["warn"]
