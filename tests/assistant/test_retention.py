"""Retention over a whole workspace: cut off between warehouse and index, it is finished by running it again; tables that
exports went to are cleared of what is old and of an erased person."""

from datetime import datetime

import ibis
import numpy as np
import pytest

import assistant.privacy as privacy
from assistant.privacy import erase_person, retain_data
from assistant.workspace import Workspace
from indexes.behaviour import BehaviourVectors
from indexes.index import CustomerIndex
from segments.codec import from_json
from tests.conftest import loader, small_source
from warehouse.audience import Audiences
from warehouse.export import export, read_members
from warehouse.pseudonyms import Vault
from warehouse.store import Warehouse, build

EVERYBODY = from_json({"feature": "orders_lifetime", "op": ">=", "value": 0})


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """One customer of it has only an old purchase. Its exports may become tables."""
    tables = small_source()
    tables["events"].loc[0, ["source_id", "ts"]] = ("old", datetime(2017, 2, 1))
    build(tmp_path, loader(tables))
    (tmp_path / "segassist.toml").write_text(f'export_database = "duckdb://{tmp_path}/crm.duckdb"\n')
    opened = Workspace.of(tmp_path)
    make_index(opened)
    return opened


def make_index(workspace: Workspace) -> None:
    """An index of everybody, with its marks; the vectors do not matter."""
    warehouse = Warehouse(workspace.warehouse)
    customers, as_of = list(warehouse.features().index), warehouse.as_of
    warehouse.close()
    matrix = np.eye(len(customers), dtype=np.float32)
    CustomerIndex.build(BehaviourVectors(tuple(customers), matrix, "aggregate", as_of), "cpu").save(
        workspace.index
    )
    (workspace.folder / "run").mkdir(exist_ok=True)
    for name in ("index", "models"):
        (workspace.folder / "run" / f"{name}.done").write_text("made")


def exported(workspace: Workspace) -> list[str]:
    warehouse = Warehouse(workspace.warehouse)
    made = export(
        Audiences(warehouse),
        Vault(workspace.folder),
        EVERYBODY,
        workspace.folder / "exports",
        "all",
        "table",
        database=workspace.settings.export_database,
    )
    warehouse.close()
    return read_members(made / "members.parquet")


def in_table(workspace: Workspace) -> list[str]:
    connection = ibis.connect(workspace.settings.export_database)
    found = connection.table("all").execute()["customer"].tolist()
    connection.disconnect()
    return sorted(found)


def test_a_retention_that_is_cut_off_is_finished_by_the_next(workspace, monkeypatch):
    done = []

    def cut_off(_folder, _progress):
        raise KeyboardInterrupt

    def refresh(_folder, _progress):
        make_index(workspace)
        done.append("refreshed")

    monkeypatch.setattr(privacy, "refresh", cut_off)
    with pytest.raises(KeyboardInterrupt):
        retain_data(workspace, 3)
    monkeypatch.setattr(privacy, "refresh", refresh)
    found = retain_data(workspace, 3)
    assert (sum(found.data.rows.values()), found.traces, done) == (0, (), ["refreshed"])
    assert retain_data(workspace, 3).traces == ()
    assert done == ["refreshed"]


def test_an_erased_person_is_gone_from_exported_tables(workspace):
    members = exported(workspace)
    assert in_table(workspace) == sorted(members)
    found = erase_person(workspace, "0")
    assert (found.tables, found.traces) == ({"all": 1}, ())
    assert in_table(workspace) == sorted(set(members) - {"0"})


def test_old_rows_of_exported_tables_go_with_retention(workspace, monkeypatch):
    monkeypatch.setattr(privacy, "refresh", lambda _folder, _progress: make_index(workspace))
    members = exported(workspace)
    assert retain_data(workspace, 3).tables == {}
    connection = ibis.connect(workspace.settings.export_database)
    connection.raw_sql("UPDATE \"all\" SET as_of = '2017-01-01' WHERE customer = '0'")
    connection.disconnect()
    assert retain_data(workspace, 3).tables == {"all": 1}
    assert in_table(workspace) == sorted(set(members) - {"0"})
