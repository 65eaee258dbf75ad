"""The state in SQLite and in a real PostgreSQL: the same behaviour, upgrades in place, many writers, lost files."""

import json
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypedDict

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from langgraph.graph import END, START, StateGraph
from sqlalchemy import inspect, make_url, text

from assistant.conversations import Conversations
from assistant.library import Library
from assistant.mentions import Mention
from assistant.migrations import FOLDER, head
from assistant.sql import Database, conninfo
from segments.codec import from_json, to_json
from segments.definition import FeatureCondition
from segments.errors import ConflictError, DataError, StaleError, StorageError
from serving.access import Caller, Role
from serving.audit import Audit
from serving.users import Users

OFTEN = FeatureCondition("orders_90d", ">=", 5)
ADA = Caller("ada", Role.admin)


def rows(database: Database, table: str) -> list[Any]:
    with database.read() as connection:
        return connection.execute(text(f"SELECT * FROM {table}")).all()


# Upgrades

OLD_SCHEMA = """
CREATE TABLE segment_versions (name VARCHAR(80) NOT NULL, version INTEGER NOT NULL, definition TEXT NOT NULL,
    hash VARCHAR(16) NOT NULL, saved_at DATETIME NOT NULL, PRIMARY KEY (name, version));
CREATE TABLE users (name VARCHAR(64) NOT NULL, role INTEGER NOT NULL, created_at DATETIME NOT NULL,
    revoked_at DATETIME, PRIMARY KEY (name));
CREATE TABLE api_keys (id VARCHAR(12) NOT NULL, user VARCHAR(64) NOT NULL, hash VARCHAR(64) NOT NULL,
    created_at DATETIME NOT NULL, expires_at DATETIME, revoked_at DATETIME, PRIMARY KEY (id));
INSERT INTO users VALUES ('ada', 4, '2026-01-02 03:04:05.000000', NULL);
INSERT INTO api_keys VALUES
    ('0a1b2c3d', 'ada', '{hash}', '2026-01-02 03:04:05.000000', NULL, NULL);
INSERT INTO segment_versions VALUES ('often', 1, '{definition}', 'abcdef', '2026-01-02 03:04:05.000000');
"""
"""What 0.2.0 made, its tables of first answers not yet there, with rows."""


def old_state(path: Path) -> None:
    import hashlib

    content = OLD_SCHEMA.replace("{hash}", hashlib.sha256(b"secret").hexdigest())
    with sqlite3.connect(path) as connection:
        connection.executescript(content.replace("{definition}", json.dumps(to_json(OFTEN))))


def test_a_state_of_version_0_2_is_upgraded_where_it_is_and_keeps_its_rows(tmp_path):
    path = tmp_path / "state.sqlite"
    old_state(path)
    library, users = Library(path), Users(path)
    assert library.get("often").definition == OFTEN
    assert users.caller("sga_0a1b2c3d_secret").name == "ada"
    database = Database(path)
    with database.read() as connection:
        assert {"idempotent_answers", "export_jobs"} <= set(inspect(connection).get_table_names())
    assert [row.version_num for row in rows(database, "alembic_version")] == [head("state")]
    assert rows(database, "users")[0].subject is None
    assert library.save("often", from_json({"all_of": []})).version == 2


def test_an_audit_log_of_version_0_2_goes_on_with_its_chain(tmp_path):
    """The log of before had the same table and triggers, and no record of its schema's step."""
    log = Audit(tmp_path)
    for number in range(3):
        log.write(ADA, "ask", question=str(number))
    with sqlite3.connect(tmp_path / "audit.sqlite") as connection:
        connection.execute("DROP TABLE alembic_version")
    again = Audit(tmp_path)
    again.write(ADA, "ask", question="3")
    assert (again.verify().entries, again.verify().breaks) == (4, ())


def test_many_programs_that_start_at_once_upgrade_once(where):
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: Database(where), range(8)))
    assert [row.version_num for row in rows(opened[0], "alembic_version")] == [head("state")]


def test_a_state_of_a_newer_version_is_not_touched(where):
    database = Database(where)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'state_9999'"))
    with pytest.raises(DataError, match=r"was written by a newer version \(state_9999"):
        Database(where)
    assert [row.version_num for row in rows(database, "alembic_version")] == ["state_9999"]


@pytest.mark.parametrize("part", ["state", "audit"])
def test_the_newest_step_is_the_one_with_the_highest_number(part):
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    script = ScriptDirectory.from_config(config)
    assert script.get_revision(f"{part}@head").revision == head(part)


# The same on both


def test_segments_users_and_log_live_in_either(where, tmp_path):
    library, users = Library(where), Users(where)
    library.save("b", OFTEN)
    library.save("a", OFTEN)
    saved = library.save("b", from_json({"all_of": []}))
    assert (saved.version, library.names()) == (2, ["a", "b"])
    assert Library(where).get("b").saved_at == saved.saved_at
    with pytest.raises(StaleError):
        library.save("b", OFTEN, if_match="1-x")
    key = users.add("ada", Role.analyst)
    assert Users(where).caller(key).role is Role.analyst
    with pytest.raises(ConflictError):
        users.add("ada", Role.admin)
    log = Audit(tmp_path, where if isinstance(where, str) else None)
    log.write(ADA, "export", exported="é 用户", count=3)
    assert log.entries(1)[0].detail == {"count": 3, "exported": "é 用户"}
    assert not log.verify().breaks


def test_the_log_of_a_server_takes_no_change_either(postgres_url, tmp_path):
    log = Audit(tmp_path, postgres_url)
    log.write(ADA, "ask")
    for statement in ("UPDATE audit_log SET who = 'eve'", "DELETE FROM audit_log", "TRUNCATE audit_log"):
        with (
            pytest.raises(StorageError, match="append-only"),
            Database(postgres_url, "audit").write() as connection,
        ):
            connection.execute(text(statement))
    assert log.verify().entries == 1


def test_a_person_is_redacted_from_the_log_of_a_server(postgres_url, tmp_path):
    log = Audit(tmp_path, postgres_url)
    log.write(ADA, "ask", question="why is customer 77 in it?")
    head = log.verify().head
    assert log.redact(Mention("c0ffee00c0ffee00", "77")) == 1
    assert log.entries()[0].detail == {"question": "why is customer [erased] in it?"}
    assert log.verify(head).breaks == ()
    with (
        pytest.raises(StorageError, match="append-only"),
        Database(postgres_url, "audit").write() as connection,
    ):
        connection.execute(text("UPDATE audit_log SET who = 'eve'"))


def test_many_writers_make_one_chain_and_every_version_once(where, tmp_path):
    url = where if isinstance(where, str) else None
    logs = [Audit(tmp_path, url) for _ in range(3)]
    libraries = [Library(where) for _ in range(3)]

    def write(number: int) -> int:
        logs[number % 3].write(ADA, "ask", question=str(number))
        return libraries[number % 3].save("race", FeatureCondition("orders_90d", ">=", number)).version

    with ThreadPoolExecutor(12) as pool:
        versions = list(pool.map(write, range(60)))
    assert sorted(versions) == list(range(1, 61))
    verdict = logs[0].verify()
    assert (verdict.entries, verdict.breaks) == (60, ())


def test_of_two_who_change_one_version_one_is_told(where):
    library, other = Library(where), Library(where)
    tag = library.save("mine", OFTEN).tag
    barrier = threading.Barrier(2)

    def change(mine: Library, value: int) -> str:
        barrier.wait()
        try:
            return str(mine.save("mine", FeatureCondition("orders_90d", ">=", value), if_match=tag).version)
        except StaleError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(change, (library, other), (1, 2)))
    assert said[0] == "2"
    assert "Segment 'mine' is at version 2; look at it again" in said[1]


def test_a_reader_does_not_wait_for_a_writer(where):
    database = Database(where)
    Library(database).save("mine", OFTEN)
    with database.write() as connection:
        connection.execute(text("DELETE FROM segment_versions"))
        assert Library(where).names() == ["mine"]
    assert Library(where).names() == []


def test_a_file_is_in_the_mode_in_which_readers_do_not_wait_also_one_of_before(tmp_path):
    path = tmp_path / "state.sqlite"
    old_state(path)
    with Database(path).read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_what_need_not_be_on_the_disk_is_not_waited_for_and_nothing_else(where):
    database = Database(where)
    asked = "PRAGMA synchronous" if database.is_file else "SHOW synchronous_commit"
    waiting, unwaiting = (2, 1) if database.is_file else ("on", "off")
    for waits in (True, False, True):
        with database.write(waits=waits) as connection:
            found = connection.execute(text(asked)).scalar_one()
        assert found == (waiting if waits else unwaiting)
        with database.read() as connection:
            assert connection.execute(text(asked)).scalar_one() == waiting
    with pytest.raises(ZeroDivisionError), database.write(waits=False):
        1 / 0  # noqa: B018
    with database.read() as connection:
        assert connection.execute(text(asked)).scalar_one() == waiting


# Conversations


class Said(TypedDict):
    words: list[str]


def talk(conversations: Conversations, thread: str, words: list[str]) -> list[str]:
    graph = StateGraph(Said)
    graph.add_node("say", lambda state: {"words": [*state.get("words", []), "!"]})
    graph.add_edge(START, "say")
    graph.add_edge("say", END)
    config: Any = {"configurable": {"thread_id": thread}}
    with conversations.used():
        return graph.compile(checkpointer=conversations.saver).invoke({"words": words}, config)["words"]


def test_a_conversation_is_read_by_another_worker_and_forgets_a_customer(where):
    one, two = Conversations(where), Conversations(where)
    talk(one, "t", ["hello"])
    talk(two, "u", ["like customer c0ffee"])
    talk(two, "v", ["spent over 100 on 2024-01-02", "order 100"])
    talk(two, "w", ["why is customer 100 in it?"])
    config: Any = {"configurable": {"thread_id": "t"}}
    found = two.saver.get_tuple(config)
    assert found is not None
    assert found.checkpoint["channel_values"]["words"] == ["hello", "!"]
    assert one.forget(Mention("c0ffee", "100")) == 2
    assert one.forget(Mention("c0ffee", "100")) == 0
    assert two.saver.get_tuple({"configurable": {"thread_id": "v"}}) is not None
    assert two.saver.get_tuple({"configurable": {"thread_id": "w"}}) is None
    assert two.saver.get_tuple({"configurable": {"thread_id": "u"}}) is None
    assert two.saver.get_tuple(config) is not None
    for each in (one, two):
        each.close()


# Lost and found


def test_a_file_that_is_gone_is_told_and_used_again_when_it_is_back(tmp_path):
    path = tmp_path / "state.sqlite"
    library = Library(path)
    library.save("mine", OFTEN)
    library._state.close()
    kept = shutil.copy(path, tmp_path / "kept")
    assert library.names() == ["mine"]
    for name in ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    with pytest.raises(
        StorageError, match=r"unable to open database file\); the file is gone .*segassist restore"
    ):
        library.save("other", OFTEN)
    assert not path.exists()
    shutil.move(kept, path)
    assert library.names() == ["mine"]


def test_conversations_that_are_gone_are_told_and_used_again_when_they_are_back(tmp_path):
    path = tmp_path / "conversations.sqlite"
    conversations = Conversations(path)
    talk(conversations, "t", ["hello"])
    conversations.saver.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = shutil.copy(path, tmp_path / "kept")
    path.unlink()
    with pytest.raises(StorageError, match="the file is gone"):
        talk(conversations, "t", ["again"])
    shutil.move(kept, path)
    talk(conversations, "t", ["again"])
    assert conversations.saver.get_tuple({"configurable": {"thread_id": "t"}}) is not None


def test_a_locked_file_is_told_and_used_again(tmp_path):
    path = tmp_path / "state.sqlite"
    library = Library(f"sqlite:///{path}?timeout=0.2")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=r"locked\); another program holds it; ask again"):
            library.save("mine", OFTEN)
        assert library.names() == []
    assert library.save("mine", OFTEN).version == 1


def test_a_server_that_stops_is_told_and_found_again(postgres_server, postgres_url):
    """All its connections are cut, as by a restart; the next call succeeds on new ones."""
    import psycopg

    library, conversations = Library(postgres_url), Conversations(postgres_url)
    library.save("mine", OFTEN)
    talk(conversations, "t", ["hello"])
    with psycopg.connect(
        f"host={postgres_server} user=postgres dbname=postgres", autocommit=True
    ) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
    assert library.names() == ["mine"]
    assert talk(conversations, "t", ["hello"])
    conversations.close()
    with pytest.raises(StorageError, match="see that the database answers"):
        Library(postgres_url.replace(postgres_server, "/nowhere"))


@pytest.mark.parametrize("password", ["se%ret", "a/b", "a b", "plain", "a%25b"])
def test_both_libraries_read_a_password_alike_and_neither_says_it(password):
    """libpq would log a piece of one that is not encoded; SQLAlchemy reads it as it was meant."""
    from psycopg.conninfo import conninfo_to_dict

    url = f"postgresql://u:{password}@127.0.0.1:5432/db?host=/tmp"
    read = conninfo_to_dict(conninfo(url))
    assert read["password"] == make_url(url).password
    assert (read["user"], read["dbname"], read["host"]) == ("u", "db", "/tmp")


def test_a_url_whose_port_is_no_number_is_one_sentence_without_its_password():
    with pytest.raises(DataError, match="not a URL") as told:
        Database("postgresql://u:hidden@127.0.0.1:port/db")
    assert "hidden" not in f"{told.value} {told.value.__cause__}"


def test_a_url_of_another_kind_is_refused():
    with pytest.raises(DataError, match="must begin with postgresql:// or sqlite:///; got mysql"):
        Database("mysql://host/name")
    with pytest.raises(DataError, match="not a URL"):
        Database("nothing")


def test_conversations_are_listed_by_whose_they_are_and_when_they_changed(where):
    conversations = Conversations(where)
    for thread in ("ann:a", "ann:b", "anna:c", "d", "ann:a"):
        talk(conversations, thread, ["hello"])
    with conversations.used():
        assert conversations.threads("ann:") == ["ann:a", "ann:b"]
        assert conversations.threads("") == ["ann:a", "d", "anna:c", "ann:b"]
        conversations.saver.delete_thread("ann:a")
        assert conversations.threads("ann:") == ["ann:b"]
    conversations.close()
