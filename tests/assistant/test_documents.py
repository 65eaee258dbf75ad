"""Plans and experiments in the state, on SQLite and PostgreSQL: versions, writers, owners, and files taken over."""

import json
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from assistant.documents import Documents, documents_of
from assistant.trials import SavedExperiments
from assistant.workspace import Settings, Workspace
from campaigns.experiment import Experiment
from segments.errors import ConflictError, NotFoundError, StaleError, UserError

SPRING = {"arms": {"c1": ["high", "contact"], "c2": ["low", "holdout"]}, "limit": float("inf")}


@pytest.fixture
def plans(where) -> Documents:
    return Documents(where, "plan")


def test_a_document_has_its_versions_and_the_same_again_changes_nothing(plans, where):
    first = plans.save(" spring ", SPRING)
    assert (first.name, first.version, plans.save("spring", SPRING)) == ("spring", 1, first)
    second = plans.save("spring", {"arms": {}})
    again = Documents(where, "plan")
    assert again.load("spring") == {"arms": {}}
    assert again.load("spring", 1) == SPRING
    assert [saved.tag for saved in again.versions_page("spring", 0, 9)[0]] == [second.tag, first.tag]
    assert [saved.version for saved in again.all()] == [2]
    assert "spring" in again
    for lost in (
        lambda: again.load("spring", 3),
        lambda: again.load("sprong"),
        lambda: again.delete("sprong"),
    ):
        with pytest.raises(NotFoundError, match="No plan is named 'spr"):
            lost()
    with pytest.raises(NotFoundError, match="did you mean spring"):
        again.get("sprong")
    with pytest.raises(UserError, match="printable"):
        again.save("a\nb", {})
    with pytest.raises(ConflictError, match="There is a plan named 'spring' already"):
        again.save("spring", {}, replace=False)
    again.delete("spring", second.tag)
    assert plans.names() == []


def test_kinds_are_apart(plans, where):
    experiments = Documents(where, "experiment")
    plans.save("spring", SPRING)
    plans.claim("spring", "ada")
    assert experiments.names() == []
    assert experiments.newest() is None
    experiments.save("spring", {"arms": {}}, replace=False)
    plans.delete("spring")
    assert (experiments.newest(), experiments.all()[0].owner) == ("spring", "")


def test_the_newest_is_the_one_begun_last(plans):
    plans.save("first", SPRING)
    plans.save("second", SPRING)
    plans.save("first", {})
    assert plans.newest() == "second"


def test_the_first_who_claims_owns_through_all_versions(plans):
    plans.save("spring", SPRING)
    plans.claim("spring", "ada")
    plans.claim("spring", "bob")
    plans.claim("summer", "bob")
    assert plans.save("spring", {}).owner == "ada"
    assert [(saved.name, saved.owner) for saved in plans.all()] == [("spring", "ada")]


def test_of_two_who_change_one_version_one_is_told(plans, where):
    tag = plans.save("spring", SPRING).tag
    barrier = threading.Barrier(2)

    def change(number: int) -> str:
        mine = Documents(where, "plan")
        barrier.wait()
        try:
            return str(mine.save("spring", {"number": number}, if_match=tag).version)
        except StaleError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(change, (1, 2)))
    assert said == ["2", "Plan 'spring' is at version 2; look at it again before you change it."]
    with pytest.raises(StaleError, match="Plan 'summer' is not there any more"):
        plans.save("summer", SPRING, if_match=tag)
    with pytest.raises(StaleError):
        plans.delete("spring", tag)


def test_changes_from_many_writers_all_count(plans, where):
    plans.save("spring", {"looks": []})

    def look(number: int) -> None:
        Documents(where, "plan").change("spring", lambda now: {"looks": [*now["looks"], number]})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, range(24)))
    assert sorted(plans.load("spring")["looks"]) == list(range(24))
    assert plans.get("spring").version == 25
    with pytest.raises(NotFoundError):
        plans.change("summer", dict)


def test_a_customer_is_forgotten_in_every_version(plans):
    plans.save("spring", SPRING)
    plans.save("spring", SPRING | {"note": "c1 is a word here"})
    plans.save("summer", {"arms": {"c2": 1}})
    assert plans.forget("c1") == ["spring"]
    assert plans.forget("c1") == []
    assert [plans.load("spring", number)["arms"] for number in (1, 2)] == [{"c2": ["low", "holdout"]}] * 2
    assert plans.save("spring", plans.load("spring")).version == 2
    plans.save("like one", {"definition": {"similar_to": {"customer": "c1"}, "top": 5}})
    assert plans.forget("c1") == ["like one"]
    assert plans.load("like one") == {"definition": {"similar_to": {}, "top": 5}}


# Files of before


def file_of(folder, number: int, name: str, content: object) -> None:
    """A file as it was written before, `number` days old."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{number:024x}.json"
    path.write_text(json.dumps({"name": name, "content": content}, ensure_ascii=False, indent=1))
    os.utime(path, (1_700_000_000 - number * 86_400,) * 2)


def test_files_are_taken_over_once_oldest_first(plans, tmp_path):
    folder = tmp_path / "plans"
    file_of(folder, 1, "new", SPRING)
    file_of(folder, 2, "老客户/../x", {"arms": {}})
    (folder / "export").mkdir()
    (folder / "export" / "new.json").write_text("{}")
    assert plans.take_over(folder) == []
    assert plans.names() == ["new", "老客户/../x"]
    assert plans.load("new") == SPRING
    assert plans.get("new").saved_at.timestamp() == 1_700_000_000 - 86_400
    assert plans.newest() == "new"
    assert [path.name for path in folder.iterdir()] == ["export"], "what is in the state is nowhere else"
    plans.delete("new")
    assert plans.take_over(folder) == []
    assert plans.names() == ["老客户/../x"]


def test_a_file_that_a_crash_left_is_not_taken_over_again(plans, tmp_path):
    """Killed after the commit and before the file was removed; then the plan was changed."""
    file_of(tmp_path, 1, "spring", SPRING)
    plans.save("spring", SPRING)
    changed = plans.save("spring", {"arms": {}})
    assert plans.take_over(tmp_path) == []
    assert plans.get("spring") == changed
    assert not list(tmp_path.glob("*.json"))


def test_a_file_with_other_content_is_the_next_version(plans, tmp_path):
    plans.save("spring", {"arms": {}})
    file_of(tmp_path, 1, "spring", SPRING)
    plans.take_over(tmp_path)
    assert [plans.load("spring", number) for number in (1, 2)] == [{"arms": {}}, SPRING]


def test_many_programs_that_start_at_once_take_over_once(where, tmp_path):
    for number in range(5):
        file_of(tmp_path, number, f"plan {number}", SPRING)
    documents = [Documents(where, "plan") for _ in range(4)]
    barrier = threading.Barrier(4)

    def start(mine: Documents) -> list[object]:
        barrier.wait()
        return list(mine.take_over(tmp_path))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, documents)) == [[]] * 4
    assert [(saved.name, saved.version) for saved in documents[0].all()] == [
        (f"plan {number}", 1) for number in range(5)
    ]


def test_a_damaged_file_stays_and_is_told_of(tmp_path, caplog):
    workspace = Workspace(tmp_path, Settings())
    file_of(tmp_path / "experiments", 1, "spring", SPRING)
    damaged = tmp_path / "experiments" / "damaged.json"
    damaged.write_text("{")
    with caplog.at_level(logging.WARNING):
        assert documents_of(workspace, "experiment").names() == ["spring"]
    assert f"{damaged} is damaged and was not taken over" in caplog.text
    assert damaged.exists()


def test_an_experiment_is_read_again_only_when_it_has_changed(where):
    store = Documents(where, "experiment")
    made = Experiment("spring", date(2017, 12, 1), "bought", 30, 0.5, "salt", {"c1": ("all", "contact")})
    store.save("spring", made.to_dict())
    experiments = SavedExperiments(store)
    first = experiments["spring"]
    assert first == made
    assert experiments["spring"] is first
    store.save("spring", replace(made, horizon_days=14).to_dict())
    assert experiments["spring"].horizon_days == 14
    assert store.forget("c1") == ["spring"]
    assert "c1" not in experiments["spring"].arms
    store.delete("spring")
    with pytest.raises(NotFoundError):
        experiments["spring"]
