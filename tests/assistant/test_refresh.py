"""Publishing a saved segment: compared with what was published of it before, written down before it can be had."""

import pytest

from assistant.build import build_demo
from assistant.refresh import Published, check_refreshable, publish
from assistant.rooms import Rooms
from assistant.workspace import Workspace
from segments.codec import from_json
from segments.errors import ConflictError, NotBuiltError, StorageError
from tests.conftest import loader, small_source
from warehouse.export import export, latest, manifest_of
from warehouse.store import build

EVERYBODY, NOBODY = (from_json({"feature": "orders_lifetime", "op": ">=", "value": n}) for n in (0, 1_000))


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    build(folder, loader(small_source()))
    (folder / "ready.json").write_text('{"mark": "", "source": "small"}')
    rooms = Rooms(Workspace.of(folder))
    yield rooms
    rooms.warehouse.close()


def test_a_segment_is_compared_with_what_the_refresh_before_published_of_the_same_definition(rooms):
    rooms.library.save("buyers", EVERYBODY)
    first = publish(rooms, "buyers")
    assert (first.before, first.jumped) == (None, False)
    export(rooms.audiences, rooms.vault, NOBODY, rooms.workspace.folder / "exports", "buyers", "csv", "ann")
    again = publish(rooms, "buyers")
    assert (again.count, again.before, again.jumped, again.redefined) == (
        first.count,
        first.count,
        False,
        False,
    )
    rooms.library.save("buyers", NOBODY)
    other = publish(rooms, "buyers")
    assert (other.count, other.before, other.jumped, other.redefined) == (0, first.count, False, True)


def test_what_is_published_is_written_down_first_or_the_last_good_one_stays(rooms):
    rooms.library.save("steady", EVERYBODY)
    told = []
    good = publish(rooms, "steady", told.append)
    assert [(manifest.name, manifest.count) for manifest in told] == [("steady", good.count)]

    def refuse(_manifest):
        raise StorageError("audit: the disk is full.", "audit：磁盘已满。")

    kept = publish(rooms, "steady", refuse)
    assert (kept.count, kept.as_of, kept.error) == (good.count, good.as_of, "audit: the disk is full.")
    assert manifest_of(latest(rooms.workspace.folder / "exports", "steady")).id == told[0].id


@pytest.mark.parametrize(("before", "count", "jumped"), [(0, 500, True), (0, 0, False), (500, 0, True)])
def test_a_segment_that_fills_or_empties_has_jumped(before, count, jumped):
    assert Published("new", count, "2024-01-01", before).jumped == jumped


def test_a_load_that_was_cut_off_is_told_and_a_refresh_goes_on_with_it(tmp_path):
    with pytest.raises(NotBuiltError, match="Nothing is built"):
        check_refreshable(tmp_path)
    (tmp_path / "warehouse.duckdb").touch()
    with pytest.raises(NotBuiltError, match="did not come to its end; run the same command again"):
        check_refreshable(tmp_path)
    (tmp_path / "mapping.json").touch()
    check_refreshable(tmp_path)


def test_the_demo_takes_no_place_of_somebodys_own_data(tmp_path):
    (tmp_path / "mapping.json").touch()
    with pytest.raises(ConflictError, match="holds data of your own"):
        build_demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mapping.json"]
