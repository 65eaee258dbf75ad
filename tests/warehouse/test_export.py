"""Exports: what is counted is what is written, published as a whole, delivered signed and once."""

import json
from datetime import timedelta

import ibis
import pytest

import warehouse.export as exporting
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import ConflictError, DataError, NotFoundError, StorageError, UserError
from tests.receiver import receiving
from warehouse.audience import Audiences
from warehouse.export import (
    export,
    latest,
    manifest_of,
    prune,
    read_members,
    remove_from_tables,
    remove_older,
    withdraw,
)
from warehouse.pseudonyms import Vault
from warehouse.webhook import check_delivery, deliver, signature

SOUP = from_json({"event": "purchase", "items": {"category": ["SOUP"]}})
NOBODY = from_json({"feature": "spend_365d", "op": ">", "value": 10_000_000})


@pytest.fixture
def audiences(small_warehouse) -> Audiences:
    return Audiences(small_warehouse)


@pytest.fixture
def vault(small_folder) -> Vault:
    return Vault(small_folder)


@pytest.mark.parametrize("file_format", ["csv", "parquet", "jsonl"])
@pytest.mark.parametrize("definition", [SOUP, NOBODY], ids=["soup", "nobody"])
def test_the_file_holds_the_counted_source_ids(audiences, vault, tmp_path, file_format, definition):
    made = export(audiences, vault, definition, tmp_path, "soup buyers", file_format, by="ann")
    manifest = manifest_of(made)
    members = read_members(made / manifest.file)
    assert members == vault.source_ids(audiences.members(definition))
    assert manifest.count == len(members) == audiences.size(definition)
    assert (manifest.fingerprint, manifest.exported_by) == (fingerprint(definition), "ann")
    assert manifest.as_of == audiences.as_of.isoformat()
    assert latest(tmp_path, "soup buyers") == made


def test_a_count_that_differs_stops_the_export_and_keeps_the_last_good_one(
    audiences, vault, tmp_path, monkeypatch
):
    good = export(audiences, vault, SOUP, tmp_path, "soup")
    monkeypatch.setattr(audiences, "size", lambda _definition: 3)
    with pytest.raises(ConflictError, match="3 customers were counted"):
        export(audiences, vault, SOUP, tmp_path, "soup")
    assert latest(tmp_path, "soup") == good
    assert [p.name for p in (tmp_path / "soup").iterdir() if p.name.startswith(".")] == []


def test_a_failed_write_publishes_nothing(audiences, vault, tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "write_members", full)
    with pytest.raises(StorageError, match="disk is full"):
        export(audiences, vault, SOUP, tmp_path, "soup")
    with pytest.raises(NotFoundError, match="nothing has been exported"):
        latest(tmp_path, "soup")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden"])
def test_a_name_that_leaves_the_folder_is_refused(audiences, vault, tmp_path, name):
    with pytest.raises(UserError, match="no name for a folder"):
        export(audiences, vault, SOUP, tmp_path, name)


def test_small_groups_and_unknown_formats_are_refused(audiences, vault, tmp_path):
    with pytest.raises(UserError, match="fewer than 1000"):
        export(audiences, vault, SOUP, tmp_path, "soup", k=1000)
    with pytest.raises(UserError, match="csv, parquet, jsonl"):
        export(audiences, vault, SOUP, tmp_path, "soup", "xlsx")


def test_a_changed_file_is_noticed(audiences, vault, tmp_path):
    made = export(audiences, vault, SOUP, tmp_path, "soup")
    path = made / manifest_of(made).file
    path.write_text(path.read_text() + "extra\n")
    with pytest.raises(ConflictError, match="is not the file that was exported"):
        manifest_of(made)


def test_a_damaged_manifest_is_told_and_its_export_is_left_alone(audiences, vault, tmp_path):
    first, *more = (export(audiences, vault, SOUP, tmp_path, "soup", by="ann") for _ in range(4))
    (first / "manifest.json").write_text("{")
    with pytest.raises(ConflictError, match=r"manifest\.json is missing or damaged"):
        manifest_of(first)
    prune(tmp_path, "soup", "ann")
    left = [path for path in (first, *more) if path.exists()]
    assert (len(left), left[0], latest(tmp_path, "soup") in left) == (3, first, True)
    (tmp_path / "soup" / "latest.json").write_text("[]")
    with pytest.raises(ConflictError, match=r"latest\.json is damaged"):
        latest(tmp_path, "soup")


def test_an_export_that_is_withdrawn_leaves_the_one_before_it_in_use(audiences, vault, tmp_path):
    first, second, third = (export(audiences, vault, SOUP, tmp_path, "soup") for _ in range(3))
    # Made within one second, they are in the order of their ids.
    oldest, older = sorted(path for path in (first, second, third) if path != latest(tmp_path, "soup"))
    withdraw(oldest)
    assert latest(tmp_path, "soup") == third
    withdraw(third)
    assert latest(tmp_path, "soup") == older
    withdraw(older)
    withdraw(older)
    assert not (tmp_path / "soup").exists()
    with pytest.raises(NotFoundError):
        latest(tmp_path, "soup")


def test_an_export_of_an_earlier_version_is_read(audiences, vault, tmp_path):
    made = export(audiences, vault, SOUP, tmp_path, "soup")
    told = json.loads((made / "manifest.json").read_text())
    for later in ("channel", "total", "reachable"):
        del told[later]
    (made / "manifest.json").write_text(json.dumps(told))
    assert (manifest_of(made).count, manifest_of(made).channel) == (told["count"], "")
    assert export(audiences, vault, SOUP, tmp_path, "soup", "parquet") == latest(tmp_path, "soup") != made


def test_an_export_becomes_a_table_of_a_database(audiences, vault, tmp_path, postgres_server, monkeypatch):
    address = f"postgresql://postgres@/postgres?host={postgres_server}"
    monkeypatch.setenv("CRM", address)
    for definition in (SOUP, NOBODY, SOUP):
        made = export(audiences, vault, definition, tmp_path, "soup members", "table", database="env:CRM")
        manifest, connection = manifest_of(made), ibis.connect(address)
        rows = connection.table("soup members").execute()
        assert sorted(rows["customer"]) == sorted(read_members(made / manifest.file))
        assert len(rows) == manifest.count == audiences.size(definition)
        assert set(rows["export_id"]) <= {manifest.id}
        connection.drop_table("others", force=True)
        connection.create_table("others", ibis.memtable({"customer": ["1"]}))
        connection.disconnect()
    with pytest.raises(ConflictError, match="another table 'others'"):
        export(audiences, vault, SOUP, tmp_path, "others", "table", database=address)
    with pytest.raises(NotFoundError, match="nothing has been exported"):
        latest(tmp_path, "others")


def test_views_on_an_exported_table_and_rights_to_it_stay(audiences, vault, tmp_path, postgres_server):
    address = f"postgresql://postgres@/postgres?host={postgres_server}"
    export(audiences, vault, SOUP, tmp_path, "viewed", "table", database=address)
    connection = ibis.connect(address)
    with connection.begin() as cursor:
        cursor.execute(
            "CREATE VIEW crm_list AS SELECT DISTINCT customer, segment, as_of, export_id FROM viewed"
        )
        cursor.execute("CREATE ROLE crm")
        cursor.execute("GRANT SELECT ON viewed TO crm")
    made = export(audiences, vault, SOUP, tmp_path, "viewed", "table", database=address)
    members = read_members(made / manifest_of(made).file)
    with connection.begin() as cursor:
        cursor.execute("SELECT has_table_privilege('crm', 'viewed', 'select')")
        assert cursor.fetchone()[0]
    assert sorted(connection.table("crm_list").execute()["customer"]) == sorted(members)

    first, *others = members
    assert remove_from_tables(tmp_path / "others", address, first) == {}, "another workspace's"
    assert remove_from_tables(tmp_path, address, first) == {"viewed": 1}
    assert sorted(connection.table("crm_list").execute()["customer"]) == sorted(others)
    assert remove_from_tables(tmp_path, address, "it's nobody") == {}
    assert remove_older(tmp_path, address, audiences.as_of) == {}
    for gone in tmp_path.glob("viewed/*/manifest.json"):  # an export whose time is over; its table is not
        gone.unlink()
    assert remove_older(tmp_path, address, audiences.as_of + timedelta(days=1)) == {"viewed": len(others)}
    assert connection.table("viewed").count().execute() == 0
    with connection.begin() as cursor:
        cursor.execute("DROP VIEW crm_list; DROP TABLE viewed; DROP ROLE crm")
    connection.disconnect()


def test_what_is_not_written_down_is_not_exported(audiences, vault, tmp_path):
    told, database = [], f"duckdb://{tmp_path}/crm.duckdb"

    def refuse(manifest):
        told.append(manifest.count)
        raise StorageError("audit: the disk is full.", "audit：磁盘已满。")

    with pytest.raises(StorageError, match="audit"):
        export(audiences, vault, SOUP, tmp_path, "soup", "table", database=database, record=refuse)
    assert told == [audiences.size(SOUP)]
    assert list((tmp_path / "soup").iterdir()) == []
    connection = ibis.connect(database)
    assert connection.list_tables() == []
    connection.disconnect()


def test_a_table_that_cannot_be_written_publishes_nothing(audiences, vault, tmp_path):
    with pytest.raises(UserError, match="name it by export_database"):
        export(audiences, vault, SOUP, tmp_path, "soup", "table")
    with pytest.raises(UserError, match="63 bytes"):
        export(audiences, vault, SOUP, tmp_path, "s" * 64, "table", database="duckdb://")
    with pytest.raises(DataError, match="cannot connect") as caught:
        export(
            audiences, vault, SOUP, tmp_path, "soup", "table", database="postgresql://a:s3cret@127.0.0.1:9/x"
        )
    assert "s3cret" not in str(caught.value)
    with pytest.raises(NotFoundError, match="nothing has been exported"):
        latest(tmp_path, "soup")
    assert list(tmp_path.glob("soup/.*")) == []


@pytest.fixture
def receiver():
    with receiving() as taken:
        yield taken


def test_a_webhook_is_signed_and_tried_again_with_one_key(audiences, vault, tmp_path, receiver):
    made = export(audiences, vault, SOUP, tmp_path, "soup")
    receiver.statuses[:] = [503, 429]
    waits: list[float] = []
    assert deliver(made, receiver.url, "s3cret", waits.append) == 3
    assert waits == [0.5, 1.0]
    assert {headers["Idempotency-Key"] for headers, _ in receiver.got} == {made.name}
    headers, body = receiver.got[-1]
    said = headers["X-Segassist-Manifest"]
    assert headers["X-Segassist-Signature"] == signature("s3cret", said, body)
    assert signature("other", said, body) != headers["X-Segassist-Signature"]
    assert json.loads(said)["count"] == audiences.size(SOUP)
    assert body == (made / "members.csv").read_bytes()


def test_a_refusal_is_not_tried_again_and_silence_is_told(audiences, vault, tmp_path, receiver):
    made = export(audiences, vault, SOUP, tmp_path, "soup")
    receiver.statuses[:] = [403]
    with pytest.raises(UserError, match="status 403") as refused:
        deliver(made, receiver.url, "s3cret", lambda _s: None)
    assert len(receiver.got) == 1
    assert "hidden" not in str(refused.value)
    with pytest.raises(StorageError, match="after 5 tries"):
        deliver(made, "http://127.0.0.1:9/none", "s3cret", lambda _s: None)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("http://host:abc/", "s"),
        ("http://[::1", "s"),
        ("http://", "s"),
        ("ftp://host/", "s"),
        ("shop", "s"),
        ("http://host/", ""),
    ],
)
def test_what_nothing_can_be_delivered_with_is_refused(url, secret):
    with pytest.raises(UserError, match="needs an http"):
        check_delivery(url, secret)
