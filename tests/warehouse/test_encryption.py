"""Encryption at rest: nothing plain on the disk, the same answers, and one sentence for a key that does not fit."""

import io
import stat

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.codec import from_json
from segments.errors import EncryptionError, NotBuiltError
from tests.conftest import loader, small_source
from warehouse import encryption, pseudonyms
from warehouse.audience import Audiences
from warehouse.connection import connect
from warehouse.encrypt import decrypt, encrypt, encrypted_files
from warehouse.encryption import KEY_FILE_VARIABLE, KEY_VARIABLE, seal, unseal
from warehouse.erase import erase
from warehouse.pseudonyms import KEY_FILE, VAULT_FILE, Vault
from warehouse.restore import enforce, restore
from warehouse.retain import retain
from warehouse.store import FILE, Warehouse, build, known_of

KEY = "m3kX0qv7mZ1r9d2Jt5uYb8cWnPfHsAeG"
OTHER = KEY[::-1]
SPENDERS = from_json({"feature": "spend_90d", "op": ">", "value": 20})
PLAIN = (b"shopper-", b"SOUP KIND", b"GROCERY")
ALL = (KEY_FILE, VAULT_FILE, FILE)


@pytest.fixture(scope="module")
def source():
    """The small shop with ids and names that can be looked for."""
    tables = small_source()
    for name in ("events", "customers"):
        tables[name]["source_id"] = "shopper-" + tables[name]["source_id"].str.zfill(4)
    return tables


@pytest.fixture
def key(monkeypatch):
    pytest.importorskip("duckdb_extension_httpfs")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    return KEY


@pytest.fixture
def shop(tmp_path, source, key):
    """Built with a key."""
    build(tmp_path, loader(source))
    return tmp_path


def leaks(folder) -> list[str]:
    """Files below the folder that hold something plain."""
    return [
        f"{path.name}: {word!r}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for word in PLAIN
        if word in path.read_bytes()
    ]


def members(folder):
    warehouse = Warehouse(folder / FILE)
    try:
        return sorted(Vault(folder).source_ids(Audiences(warehouse).members(SPENDERS)))
    finally:
        warehouse.close()


@pytest.fixture(scope="module")
def plain_members(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    build(folder, loader(source))
    assert {leak.split(":")[0] for leak in leaks(folder)} == {FILE, VAULT_FILE}
    return members(folder)


def test_with_a_key_nothing_plain_is_on_the_disk_and_the_answers_are_the_same(shop, plain_members):
    assert leaks(shop) == []
    assert members(shop) == plain_members
    assert len(plain_members) > 5
    assert set(encrypted_files(shop).values()) == {True}


def test_every_change_of_the_data_leaves_them_encrypted(shop):
    known = Vault(shop).source_ids(list(pseudonyms.read_vault(shop)["customer_id"]))
    assert erase(shop, known[0]).traces == ()
    assert retain(shop, 6).traces == ()
    restore(shop, "empty")
    enforce(shop, "empty")
    assert known_of(shop / FILE)["rules_off"] == []
    assert leaks(shop) == []
    assert set(encrypted_files(shop).values()) == {True}
    assert known[0] not in members(shop)


def test_what_does_not_fit_into_memory_is_spilled_encrypted_beside_the_warehouse(shop, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    connection = connect(shop / FILE, read_only=True)
    connection.execute("SET memory_limit = '40MB'")
    connection.execute("SET threads = 1")
    connection.execute(
        "CREATE TEMP TABLE wide AS SELECT 'shopper-' || range || '-' || md5(range::VARCHAR) AS word FROM range(1500000)"
    )
    spilled = [path for path in shop.glob(f"{FILE}.*.tmp/*") if path.stat().st_size]
    assert spilled
    assert not [path for path in spilled if b"shopper-" in path.read_bytes()]
    connection.close()
    assert not (tmp_path / ".tmp").exists()


def test_the_log_beside_the_file_is_encrypted_too(shop):
    connection = connect(shop / FILE)
    connection.execute("CREATE TABLE noted AS SELECT 'shopper-of-the-log' AS word")
    log = shop / f"{FILE}.wal"
    assert log.stat().st_size
    assert b"shopper-" not in log.read_bytes()
    connection.close()


@pytest.mark.parametrize(
    ("variable", "said"),
    [(None, "is encrypted; set SEGASSIST_ENCRYPTION_KEY"), (OTHER, "another key than the one that is set")],
)
def test_a_missing_or_wrong_key_is_one_sentence_without_the_key(shop, monkeypatch, variable, said):
    before = {name: (shop / name).read_bytes() for name in ALL}
    if variable is None:
        monkeypatch.delenv(KEY_VARIABLE)
    else:
        monkeypatch.setenv(KEY_VARIABLE, variable)
    source = small_source()
    for open_it in (
        lambda: Warehouse(shop / FILE),
        lambda: known_of(shop / FILE),
        lambda: Vault(shop),
        lambda: pseudonyms.load_or_create_key(shop),
        lambda: build(shop, loader(source)),
        lambda: enforce(shop, "empty"),
        lambda: decrypt(shop) if variable else Warehouse(shop / FILE),
    ):
        with pytest.raises(EncryptionError, match=said) as raised:
            open_it()
        told = str(raised.value)
        assert KEY not in told
        assert OTHER not in told
        assert len(told.splitlines()) == 1
    assert {name: (shop / name).read_bytes() for name in ALL} == before


def test_a_key_beside_plain_data_is_told_and_not_ignored(tmp_path, source, monkeypatch, key):
    monkeypatch.delenv(KEY_VARIABLE)
    build(tmp_path, loader(source))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    for open_it in (
        lambda: Warehouse(tmp_path / FILE),
        lambda: Vault(tmp_path),
        lambda: known_of(tmp_path / FILE),
    ):
        with pytest.raises(EncryptionError, match="is not encrypted; run: segassist data encrypt"):
            open_it()


def test_a_workspace_is_encrypted_and_made_plain_again(tmp_path, source, monkeypatch, key, plain_members):
    monkeypatch.delenv(KEY_VARIABLE)
    build(tmp_path, loader(source))
    with pytest.raises(EncryptionError, match="openssl rand"):
        encrypt(tmp_path)
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert sorted(encrypt(tmp_path)) == sorted(ALL)
    assert leaks(tmp_path) == []
    assert members(tmp_path) == plain_members
    assert encrypt(tmp_path) == ()
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / VAULT_FILE).stat().st_mode) == 0o600
    assert sorted(decrypt(tmp_path)) == sorted(ALL)
    monkeypatch.delenv(KEY_VARIABLE)
    assert members(tmp_path) == plain_members
    assert isinstance(pd.read_parquet(tmp_path / VAULT_FILE), pd.DataFrame)


@pytest.mark.parametrize("cut", [0, 1, 2])
def test_an_encryption_that_is_cut_off_is_finished_by_the_next(
    tmp_path, source, monkeypatch, key, plain_members, cut
):
    from warehouse import encrypt as module

    monkeypatch.delenv(KEY_VARIABLE)
    build(tmp_path, loader(source))
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    written = []

    def failing(path, content):
        if len(written) == cut:
            raise KeyboardInterrupt
        written.append(path)
        path.write_bytes(content)

    with monkeypatch.context() as patched:
        patched.setattr(module, "write_private", failing)
        if cut == 2:
            patched.setattr("warehouse.store.os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            encrypt(tmp_path)
    assert sum(encrypted_files(tmp_path).values()) == cut
    assert len(encrypt(tmp_path)) == 3 - cut
    assert leaks(tmp_path) == []
    assert members(tmp_path) == plain_members


def test_there_is_nothing_to_encrypt_where_nothing_is_built(tmp_path, key):
    with pytest.raises(NotBuiltError, match="segassist build"):
        encrypt(tmp_path)


def test_a_key_may_lie_in_a_file(shop, monkeypatch, tmp_path, plain_members):
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    monkeypatch.setenv(KEY_FILE_VARIABLE, str(file))
    with pytest.raises(EncryptionError, match="both set"):
        Warehouse(shop / FILE)
    monkeypatch.delenv(KEY_VARIABLE)
    assert members(shop) == plain_members
    for content, said in (("short", "at least 32"), ("", "at least 32")):
        file.write_text(content)
        with pytest.raises(EncryptionError, match=said):
            Warehouse(shop / FILE)
    file.unlink()
    with pytest.raises(EncryptionError, match="cannot be read"):
        Warehouse(shop / FILE)


def test_duckdb_itself_refuses_the_file_without_the_key(shop):
    with pytest.raises(duckdb.Error, match="without a key"):
        duckdb.connect(str(shop / FILE))
    with pytest.raises(ValueError, match=r"Parquet|parquet"):
        pd.read_parquet(io.BytesIO((shop / VAULT_FILE).read_bytes()))


@given(content=st.binary(max_size=100), frame=st.integers(1, 40), data=st.data())
def test_a_sealed_file_opens_whole_or_not_at_all(content, frame, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY_VARIABLE, KEY)
        patch.setattr(encryption, "FRAME", frame)
        written = seal(content)
        assert unseal(written, "file") == content
        assert seal(content) != written
        start = len(encryption.MAGIC)
        cut = data.draw(st.integers(start, len(written) - 1))
        with pytest.raises(EncryptionError):
            unseal(written[:cut], "file")
        place = data.draw(st.integers(start, len(written) - 1))
        changed = bytearray(written)
        changed[place] ^= 1
        with pytest.raises(EncryptionError):
            unseal(bytes(changed), "file")
        patch.setenv(KEY_VARIABLE, OTHER)
        with pytest.raises(EncryptionError):
            unseal(written, "file")
