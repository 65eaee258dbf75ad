"""DuckDB is bounded in memory, each process has a folder to spill to, and an error says when there is no room."""

import os
import shutil
import socket
import subprocess
import sys
from functools import partial

import duckdb
import pytest

from segments.errors import OperatorError, StorageError
from tests.conftest import ROOT
from warehouse.connection import MEMORY_VARIABLE, SPILL_VARIABLE, connect, scratch
from warehouse.files import load
from warehouse.mapping import read_mapping
from warehouse.store import FILE, Warehouse, build, replacing
from warehouse.synthetic import generate

WIDE = "CREATE TEMP TABLE wide AS SELECT '{0}-' || range || '-' || md5(range::VARCHAR) AS word FROM range(1500000)"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Of a size that needs more than the small limit below."""
    return generate(tmp_path_factory.mktemp("source"), customers=2_000, events=600_000)


@pytest.fixture(scope="module")
def warehouse(source, tmp_path_factory):
    """The file of a warehouse to read."""
    return build(tmp_path_factory.mktemp("shop"), partial(load, read_mapping(str(source))))


def content(path) -> dict[str, tuple]:
    """Rows and a hash of each table, whatever the order of rows; sums of amounts to a millionth.

    An average of cents over 32 orders may end in exactly half a millionth, where the last bit of a sum decides how
    it is rounded; so numbers are moved by what no such average comes near.
    """
    with scratch() as connection:
        connection.execute(
            "CREATE MACRO rounded(x) AS "
            "coalesce(round(try_cast(x::VARCHAR AS DOUBLE) + pi() * 1e-8, 6)::VARCHAR, x::VARCHAR)"
        )
        connection.execute(f"ATTACH '{path}' AS shop (READ_ONLY)")
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'shop'"
        ).fetchall()
        query = "SELECT count(*), sum(hash(rounded(COLUMNS(*)))) FROM shop.{}"
        return {
            name: connection.execute(query.format(name)).fetchone() for (name,) in tables if name != "meta"
        }


def setting(connection, name: str) -> str:
    return connection.execute(f"SELECT current_setting('{name}')").fetchone()[0]


def test_a_connection_takes_less_than_duckdb_would(tmp_path):
    with duckdb.connect() as plain, connect(tmp_path / "a.duckdb") as ours, scratch() as free:
        limits = [setting(c, "memory_limit").split() for c in (plain, ours, free)]
    assert limits[1] == limits[2]
    assert limits[0][1] == limits[1][1]
    assert 0.6 < float(limits[1][0]) / float(limits[0][0]) < 0.75


def test_the_operator_sets_both_limits(tmp_path, monkeypatch):
    monkeypatch.setenv(MEMORY_VARIABLE, "2GiB")
    monkeypatch.setenv(SPILL_VARIABLE, "3GiB")
    with connect(tmp_path / "a.duckdb") as connection:
        assert setting(connection, "memory_limit") == "2.0 GiB"
        assert setting(connection, "max_temp_directory_size") == "3.0 GiB"


@pytest.mark.parametrize("variable", [MEMORY_VARIABLE, SPILL_VARIABLE])
def test_an_amount_that_is_none_is_named(tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, "80%")
    with pytest.raises(OperatorError, match=f"{variable}: '80%'"):
        connect(tmp_path / "a.duckdb")


def test_a_build_under_a_small_limit_gives_the_same_and_leaves_nothing_beside(
    source, warehouse, tmp_path, monkeypatch
):
    def look(_connection):
        spills.extend(path.name for path in (tmp_path / "small").glob("*.tmp"))
        return {}

    def read(connection):
        # The feature mart needs more than the load.
        connection.execute("SET memory_limit = '90MB'; SET threads = 2")
        load(read_mapping(str(source)), connection)

    spills: list[str] = []
    (tmp_path / "small").mkdir()
    shutil.copy(warehouse.with_name("vault.key"), tmp_path / "small")
    monkeypatch.setenv(MEMORY_VARIABLE, "200MB")
    small = build(tmp_path / "small", read, note=look)
    assert spills == [f"{FILE}.partial.{socket.gethostname()}-{os.getpid()}.tmp"]
    assert content(small) == content(warehouse)
    assert not list((tmp_path / "small").glob("*.tmp"))


def test_work_that_does_not_fit_says_what_to_raise(source, tmp_path, monkeypatch):
    read = partial(load, read_mapping(str(source)))
    monkeypatch.setenv(MEMORY_VARIABLE, "60MB")
    monkeypatch.setenv(SPILL_VARIABLE, "1MB")
    with pytest.raises(StorageError, match=SPILL_VARIABLE):
        build(tmp_path, read)
    monkeypatch.setenv(MEMORY_VARIABLE, "1MB")
    monkeypatch.delenv(SPILL_VARIABLE)
    with pytest.raises(StorageError, match=MEMORY_VARIABLE):
        build(tmp_path, read)
    assert not (tmp_path / FILE).exists()


def test_a_disk_that_is_full_of_what_does_not_fit_into_memory_is_told(source, tmp_path, monkeypatch):
    little = tmp_path / "little"
    little.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(little)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    monkeypatch.setenv(MEMORY_VARIABLE, "60MB")
    try:
        with pytest.raises(StorageError, match=r"no room on the disk|disk is full"):
            build(little, partial(load, read_mapping(str(source))))
        assert not list(little.glob("warehouse.duckdb*"))
        monkeypatch.setenv(SPILL_VARIABLE, "1GB")
        with pytest.raises(StorageError, match="disk is full"):
            build(little, partial(load, read_mapping(str(source))))
        assert not list(little.glob("warehouse.duckdb*"))
    finally:
        subprocess.run(["umount", str(little)], check=True)


def test_processes_that_read_one_warehouse_spill_apart(warehouse):
    reader = (
        "import sys; from pathlib import Path; from warehouse.connection import connect\n"
        f"connection = connect(Path({str(warehouse)!r}), read_only=True)\n"
        "connection.execute(\"SET memory_limit = '60MB'; SET threads = 1; SET enable_progress_bar = false\")\n"
        f"connection.execute({WIDE!r}.format(sys.argv[1]))\n"
        "print('spilled', flush=True); sys.stdin.readline()\n"
        "print(connection.execute(f\"SELECT count(*) FROM wide WHERE word LIKE '{sys.argv[1]}-%'\").fetchone()[0])"
    )
    pipe = subprocess.PIPE
    readers = [
        subprocess.Popen([sys.executable, "-c", reader, name], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        for name in ("one", "two")
    ]
    assert [process.stdout.readline() for process in readers] == ["spilled\n"] * 2
    assert len(list(warehouse.parent.glob("*.tmp"))) == 2
    assert [process.communicate("\n")[0] for process in readers] == ["1500000\n"] * 2
    assert not list(warehouse.parent.glob("*.tmp"))


def test_what_a_killed_process_spilled_is_removed_by_the_next_build(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = socket.gethostname()
    names = (
        f"{FILE}.{host}-{ended.pid}.tmp",
        f"{FILE}.partial.{host}-{ended.pid}-3.tmp",
        f"{FILE}.{host}-1.tmp",
    )
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows")
    with replacing(tmp_path / FILE) as new:
        new.write_bytes(b"new")
    assert [path.name for path in tmp_path.glob("*.tmp")] == [names[2]]


def test_a_query_without_room_is_told_in_one_sentence(warehouse):
    opened = Warehouse(warehouse)
    opened.connection.raw_sql("SET memory_limit = '10MB'")
    events = opened.table("events")
    with pytest.raises(StorageError, match=MEMORY_VARIABLE):
        opened.fetch(events.order_by("session_id"))
    opened.close()
