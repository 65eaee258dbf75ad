"""One person erased: from every table, the vault and exports, also after the next load."""

import shutil

import pytest

import warehouse.erase as erasing
from segments.codec import from_json
from segments.errors import NotFoundError
from tests.conftest import loader, small_source
from warehouse.audience import Audiences
from warehouse.erase import erase, find_traces
from warehouse.export import export, latest, manifest_of, read_members
from warehouse.pseudonyms import Vault, load_or_create_key, pseudonym
from warehouse.store import Warehouse, build

EVERYBODY = from_json({"feature": "orders_lifetime", "op": ">=", "value": 0})


@pytest.fixture
def folder(tmp_path):
    source = small_source()
    source["events"].loc[0, "quantity"] = 50_000
    build(tmp_path, loader(source))
    return tmp_path


def counts(folder):
    warehouse = Warehouse(folder / "warehouse.duckdb")
    found = {
        name: len(warehouse.fetch(warehouse.table(name))) for name in ("events", "customers", "features")
    }
    warehouse.close()
    return found


def exported(folder):
    warehouse = Warehouse(folder / "warehouse.duckdb")
    made = export(Audiences(warehouse), Vault(folder), EVERYBODY, folder / "exports", "all")
    warehouse.close()
    return made


def test_an_erased_person_is_nowhere_and_does_not_come_back(folder):
    made, before = exported(folder), counts(folder)
    customer = pseudonym(load_or_create_key(folder), "0")
    assert {"warehouse table events", "warehouse table features", "vault"} <= set(
        find_traces(folder, customer, "0")
    )
    found = erase(folder, "0")
    assert found.traces == ()
    assert found.exports == (str((made / "members.csv").relative_to(folder)),)
    assert all(found.rows[table] > 0 for table in ("events", "customers", "features", "rejects"))
    after = counts(folder)
    assert all(after[name] == before[name] - found.rows[name] for name in before)
    assert Vault(folder).customer_id("0") is None
    members = read_members(made / "members.csv")
    assert "0" not in members
    assert manifest_of(made).count == len(members) == before["features"] - 1
    assert customer.encode() not in (folder / "warehouse.duckdb").read_bytes()

    build(folder, loader(small_source()))
    assert find_traces(folder, customer, "0") == []
    assert counts(folder)["features"] == before["features"] - 1


def test_nobody_else_changes(folder):
    before = Warehouse(folder / "warehouse.duckdb")
    features = before.features()
    before.close()
    customer = pseudonym(load_or_create_key(folder), "0")
    erase(folder, "0")
    after = Warehouse(folder / "warehouse.duckdb")
    assert after.features().equals(features.drop(customer))
    after.close()


def test_an_unknown_person_is_told_and_an_erased_one_may_be_erased_again(folder):
    with pytest.raises(NotFoundError, match="no customer 'nobody'"):
        erase(folder, "nobody")
    erase(folder, "0")
    assert sum(erase(folder, "0").rows.values()) == 0


def test_an_erasure_in_a_folder_with_an_apostrophe(folder):
    folder = folder.rename(folder.parent / "Ada's")
    assert erase(folder, "0").traces == ()


def test_what_a_killed_erasure_left_does_not_stop_the_next(folder, monkeypatch):
    log = folder / "warehouse.duckdb.partial.wal"
    log.write_bytes(b"half a log")
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "count", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(folder, "0")
    assert not (folder / "warehouse.duckdb.partial").exists()
    log.write_bytes(b"half a log")
    assert erase(folder, "0").traces == ()
    assert not log.exists()


def test_an_erasure_that_is_cut_off_is_finished_by_the_next(folder, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(erasing, "forget", lambda *_args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase(folder, "0")
    assert find_traces(folder, pseudonym(load_or_create_key(folder), "0"), "0") == ["vault"]
    assert erase(folder, "0").traces == ()


def test_what_a_killed_export_left_is_removed_and_stops_no_erasure(folder):
    made = exported(folder)
    killed = made.with_name(".20240101T000000Z-abcdef.partial")
    shutil.copytree(made, killed)
    (killed / "manifest.json").unlink()
    half = made.with_name(".20240101T000000Z-fedcba.partial")
    half.mkdir()
    (half / "members.parquet").write_bytes(b"PAR1")
    found = erase(folder, "0")
    assert found.traces == ()
    assert [path.name for path in made.parent.iterdir() if path.name.startswith(".")] == []
    assert "0" not in read_members(made / "members.csv")


@pytest.mark.parametrize("damaged", ["manifest.json", "members.parquet"])
def test_a_damaged_export_stops_no_erasure(folder, damaged):
    warehouse = Warehouse(folder / "warehouse.duckdb")
    good, bad = (
        export(Audiences(warehouse), Vault(folder), EVERYBODY, folder / "exports", "all", "parquet")
        for _ in range(2)
    )
    warehouse.close()
    (bad / damaged).write_text("{")
    assert erase(folder, "0").traces == ()
    assert not bad.exists()
    assert latest(folder / "exports", "all") == good
    assert "0" not in read_members(good / manifest_of(good).file)
