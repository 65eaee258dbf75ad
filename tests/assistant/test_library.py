"""Saved segments: versions, names, and writers at the same time."""

import sqlite3
import subprocess
import sys
import threading

import pytest

from assistant.library import MAX_NAME, Library
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.definition import AllOf, EventCondition, FeatureCondition, ItemFilter, Not
from segments.errors import ConflictError, NotFoundError, StaleError, StorageError, UserError
from tests.conftest import ROOT

SOUP = EventCondition("purchase", ItemFilter(category=("SOUP",)))
OFTEN = FeatureCondition("orders_90d", ">=", 5)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite"


@pytest.fixture
def library(path):
    return Library(path)


def versions(path, name) -> list[tuple[int, str]]:
    """Every stored version of a name with its hash."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT version, hash FROM segment_versions WHERE name = ? ORDER BY version", [name]
        )
        return rows.fetchall()


def test_a_saved_segment_is_read_back_by_everyone(library, path):
    saved = library.save("Soup, often", AllOf((SOUP, Not(OFTEN))))
    found = Library(path).get("Soup, often")
    assert (found.definition, found.hash, found.version) == (saved.definition, saved.hash, 1)
    assert found.definition == AllOf((SOUP, Not(OFTEN)))


def test_another_definition_is_the_next_version_and_the_latest_counts(library, path):
    for node in (SOUP, OFTEN, SOUP):
        library.save("mine", node)
    assert [version for version, _ in versions(path, "mine")] == [1, 2, 3]
    assert library.get("mine").definition == SOUP
    assert [saved.version for saved in library.all()] == [3]


@pytest.mark.parametrize(
    "again",
    [AllOf((SOUP, OFTEN)), AllOf((OFTEN, SOUP, SOUP)), Not(Not(AllOf((SOUP, FeatureCondition("orders_90d", ">=", 5.0)))))],
)  # fmt: skip
def test_the_same_meaning_saved_twice_changes_nothing(library, path, again):
    first = library.save("mine", AllOf((SOUP, OFTEN)))
    second = library.save("mine", again)
    assert (second.version, second.saved_at.replace(tzinfo=None)) == (1, first.saved_at.replace(tzinfo=None))
    assert len(versions(path, "mine")) == 1


def test_a_name_that_must_be_new_is_not_overwritten(library):
    library.save("mine", SOUP)
    library.save("mine", SOUP, replace=False)
    with pytest.raises(ConflictError, match="'mine' already holds another definition"):
        library.save("mine", OFTEN, replace=False)
    assert library.get("mine").definition == SOUP


def test_an_unknown_name_is_answered_with_the_nearest(library):
    library.save("loyal customers", SOUP)
    library.save("soup", OFTEN)
    with pytest.raises(NotFoundError, match="did you mean loyal customers"):
        library.get("loyal customer")
    with pytest.raises(NotFoundError, match=r"'zzz'\.$"):
        library.get("zzz")


def test_deleting_takes_every_version_and_nothing_else(library, path):
    library.save("mine", SOUP)
    library.save("mine", OFTEN)
    library.save("other", SOUP)
    library.delete("mine")
    assert library.names() == ["other"]
    assert versions(path, "mine") == []
    with pytest.raises(NotFoundError):
        library.delete("mine")
    assert library.save("mine", OFTEN).version == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * (MAX_NAME + 1), "two\nlines", "bell\x07", "null\x00"])
def test_a_name_that_cannot_be_shown_is_refused(library, name):
    with pytest.raises(UserError, match="name: must be 1 to 80 printable characters"):
        library.save(name, SOUP)
    assert library.names() == []


def test_names_keep_their_letters_and_lose_their_edges(library):
    for name in ("忠诚客户", "  edges ", "100% “quoted”; --"):
        library.save(name, SOUP)
    assert library.names() == sorted(["忠诚客户", "edges", "100% “quoted”; --"])


# --- At the same time --------------------------------------------------------------------------


def orders(number: int):
    return from_json({"feature": "orders_90d", "op": ">=", "value": number})


def test_threads_that_save_one_name_lose_nothing_that_was_confirmed(path):
    confirmed: list[tuple[int, str]] = []
    start = threading.Barrier(6)

    def work(writer):
        library = Library(path)
        start.wait()
        for number in range(5):
            while True:
                try:
                    saved = library.save("mine", orders(writer * 100 + number))
                except ConflictError:
                    continue  # somebody else took the version: the message says to try again
                confirmed.append((saved.version, saved.hash))
                break

    Library(path)
    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(confirmed) == 30
    assert versions(path, "mine") == sorted(confirmed)
    assert [version for version, _ in sorted(confirmed)] == list(range(1, 31))


WRITER = """
import sys
from pathlib import Path
from assistant.library import Library
from segments.errors import ConflictError
from segments.definition import FeatureCondition
library = Library(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(15):
    while True:
        try:
            saved = library.save("mine", FeatureCondition("orders_90d", ">=", int(sys.argv[2]) + number))
        except ConflictError:
            continue
        print(saved.version, saved.hash, flush=True)
        break
"""


def test_processes_that_save_one_name_lose_nothing_that_was_confirmed(path):
    Library(path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(start)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in (0, 1000)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    confirmed = []
    for writer in writers:
        out, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
        confirmed += [(int(version), digest) for version, digest in map(str.split, out.splitlines())]
    assert len(confirmed) == 30
    assert versions(path, "mine") == sorted(confirmed)


def test_a_held_database_is_one_sentence(library, path, monkeypatch):
    library._state.close()
    quick = Library(f"sqlite:///{path}?timeout=0.1")
    with sqlite3.connect(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="library cannot be used"):
            quick.save("mine", SOUP)
        other.rollback()
    assert quick.save("mine", SOUP).version == 1


def test_a_damaged_database_is_one_sentence(path):
    path.write_bytes(b"no database" * 500)
    with pytest.raises(StorageError):
        Library(path)


def test_versions_are_listed_newest_first(library):
    saved = [library.save("mine", node) for node in (SOUP, OFTEN)]
    assert library.versions_page("mine", 0, 99) == (saved[::-1], len(saved))
    with pytest.raises(NotFoundError):
        library.get("yours")


def test_a_version_that_is_no_longer_the_newest_cannot_be_changed(library):
    first = library.save("mine", SOUP)
    second = library.save("mine", OFTEN, if_match=first.tag)
    for change in (
        lambda: library.save("mine", SOUP, if_match=first.tag),
        lambda: library.save("mine", OFTEN, if_match=first.tag),
        lambda: library.delete("mine", first.tag),
        lambda: library.save("new", SOUP, if_match="*"),
    ):
        with pytest.raises(StaleError, match="look at it again"):
            change()
    assert library.get("mine") == second
    library.delete("mine", second.tag)
    with pytest.raises(StaleError, match="is not there any more"):
        library.save("mine", SOUP, if_match=second.tag)


def test_a_segment_made_anew_has_another_tag_only_when_it_means_something_else(library):
    first = library.save("mine", SOUP)
    library.delete("mine")
    assert library.save("mine", OFTEN).tag != first.tag


def test_the_name_of_a_definition_is_the_first_that_holds_it_now(library):
    for name in ("loyal", "frequent"):
        library.save(name, OFTEN)
    assert library.name_of(fingerprint(OFTEN)) == "frequent"
    library.save("frequent", SOUP)
    assert library.name_of(fingerprint(OFTEN)) == "loyal"
    library.save("loyal", SOUP)
    assert library.name_of(fingerprint(OFTEN)) is None
