"""Files that are not UTF-8: read as the encoding that the mapping says, told by line where they are not in it."""

import gzip
import os
from pathlib import Path

import duckdb
import pytest

from segments.errors import DataError
from warehouse import utf8
from warehouse.append import append, load_all
from warehouse.connection import connect, scratch
from warehouse.encodings import detected
from warehouse.files import load
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import parse_mapping
from warehouse.store import FILE
from warehouse.suggest import suggest
from warehouse.utf8 import utf8_copies

CHINESE = ("客户编号", "下单时间", "商品编号", "商品名称", "金额"), "卫生纸，三层", "牛奶"
WESTERN = ("Kundennr", "Datum", "Artikelnr", "Artikel", "Preis"), "Käse – 5 €", "Brötchen"
JAPANESE = ("顧客", "日時", "商品", "名称", "金額"), "トイレットペーパー", "牛乳"
TEXTS = {
    "gb18030": CHINESE,
    "gbk": CHINESE,
    "GB2312": CHINESE,
    "utf-16": CHINESE,
    "utf-16-le": CHINESE,
    "utf-16-be": CHINESE,
    "windows-1252": WESTERN,
    "cp1252": WESTERN,
    "shift_jis": JAPANESE,
}


def rows(text, number=400, day=1):
    header, *names = text
    lines = [",".join(header)]
    lines += [
        f"c{n % 50},2024-03-{day:02d} 10:{n % 60:02d},p{n % 2},{names[n % 2]},{n}.5" for n in range(number)
    ]
    return "\r\n".join(lines) + "\r\n"


def mapping(folder, text, encoding, files="days"):
    who, at, sku, name, value = text[0]
    said = f'encoding = "{encoding}"' if encoding else ""
    return parse_mapping(
        f'name = "Shop"\n[[events]]\nfiles = ["{files}"]\n{said}\ntype = "purchase"\ncustomer = "{who}"\n'
        f'time = "{at}"\nitem = "{sku}"\nvalue = "{value}"\n'
        f'[[items]]\nfiles = ["{files}"]\n{said}\nitem = "{sku}"\nname = "{name}"\n',
        folder,
        "shop.toml",
    )


@pytest.fixture
def days(tmp_path: Path) -> Path:
    (tmp_path / "days").mkdir()
    return tmp_path / "days"


def ingested(folder: Path, said) -> str:
    intake = take_in(said, read_ledger(folder / FILE), "code")
    if intake.action == "build":
        load_all(said, folder, intake, "code")
    elif intake.action == "add":
        append(folder, said, intake)
    return intake.action


def held(connection: duckdb.DuckDBPyConnection, raw: str = "raw_"):
    """Names of the items and the sum of what was spent."""
    names = connection.execute(f"SELECT name FROM {raw}items ORDER BY item_id").fetchall()
    (spent,) = connection.execute(f"SELECT sum(value) FROM {raw}events").fetchone()
    return [name for (name,) in names], spent


def kept(folder: Path):
    """As `held`, of a warehouse."""
    with duckdb.connect(str(folder / FILE), read_only=True) as connection:
        return held(connection, "")


def no_copies_left(folder: Path) -> bool:
    return not [path for path in folder.rglob("*") if path.suffix in (".tmp", ".partial")]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("encoding", TEXTS)
def test_a_file_is_read_as_the_encoding_that_the_mapping_says(encoding, zipped, days, tmp_path):
    content = rows(TEXTS[encoding]).encode(encoding)
    path = days / ("d1.csv.gz" if zipped else "d1.csv")
    path.write_bytes(gzip.compress(content) if zipped else content)
    with connect(tmp_path / FILE) as connection:
        load(mapping(tmp_path, TEXTS[encoding], encoding), connection)
        assert held(connection) == (list(TEXTS[encoding][1:]), sum(n + 0.5 for n in range(400)))
        assert no_copies_left(tmp_path)


def test_a_day_is_added_a_file_is_known_by_its_own_bytes_and_changes_nothing_twice(days, tmp_path):
    said, folder = mapping(tmp_path, CHINESE, "gb18030"), tmp_path / "shop"
    (days / "d1.csv").write_bytes(rows(CHINESE).encode("gb18030"))
    assert ingested(folder, said) == "build"
    (days / "d2.csv").write_bytes(rows(CHINESE, 100, day=2).encode("gb18030"))
    assert ingested(folder, said) == "add"
    assert ingested(folder, said) == "nothing"
    assert kept(folder) == (list(CHINESE[1:]), sum(n + 0.5 for n in (*range(400), *range(100))))
    sizes = {file.name: file.size for file in read_ledger(folder / FILE).files}
    assert sizes == {f"days/{name}": (days / name).stat().st_size for name in ("d1.csv", "d2.csv")}


def test_the_encoding_is_part_of_what_the_mapping_says(tmp_path):
    assert mapping(tmp_path, CHINESE, "gb18030").said != mapping(tmp_path, CHINESE, "").said


@pytest.mark.parametrize(
    ("written", "said", "line", "hint"),
    [
        ("windows-1252", "gb18030", 2, "It may be windows-1252"),
        ("gb18030", "utf-16", 1, "It may be gb18030"),
        ("utf-16", "gb18030", 1, "It may be utf-16"),
        ("utf-16-le", "windows-1252", 1, "It may be utf-16-le"),
        ("gb18030", "shift_jis", 2, "It may be gb18030"),
    ],
)
def test_a_file_in_another_encoding_is_named_with_the_line_and_nothing_is_loaded(
    written, said, line, hint, days, tmp_path
):
    text = TEXTS[written]
    if said == "shift_jis":
        text = (("who", "at", "sku", "name", "value"), *text[1:])
    (days / "d1.csv").write_bytes(rows(text).encode(written))
    with pytest.raises(DataError, match=rf"d1\.csv is not {said}: line {line} cannot be read.*{hint}"):
        ingested(tmp_path / "shop", mapping(tmp_path, text, said))
    assert not (tmp_path / "shop" / FILE).exists()
    assert no_copies_left(tmp_path / "shop")


@pytest.mark.parametrize("encoding", ["gb18030", "windows-1252"])
def test_a_file_of_utf_8_is_not_read_as_another_encoding(encoding, days, tmp_path):
    """Most of its signs are others in GB18030 and in Windows-1252, and nothing would tell."""
    text = (("who", "at", "sku", "name", "value"), "äöü", "ß€")
    (days / "d1.csv").write_bytes(rows(text).encode())
    with (
        connect(tmp_path / FILE) as connection,
        pytest.raises(DataError, match=rf"d1\.csv is (UTF-8, )?not {encoding}"),
    ):
        load(mapping(tmp_path, text, encoding), connection)


@pytest.mark.parametrize("encoding", ["gb18030", "windows-1252"])
def test_plain_ascii_is_read_under_any_encoding(encoding, days, tmp_path):
    text = (("who", "at", "sku", "name", "value"), "milk", "bread")
    (days / "d1.csv").write_bytes(rows(text).encode())
    with connect(tmp_path / FILE) as connection:
        load(mapping(tmp_path, text, encoding), connection)
        assert held(connection)[0] == ["milk", "bread"]


def test_one_bad_byte_far_down_is_named_by_its_line_and_the_day_changes_nothing(days, tmp_path, monkeypatch):
    monkeypatch.setattr(utf8, "CHUNK", 1000)
    said, folder = mapping(tmp_path, CHINESE, "gb18030"), tmp_path / "shop"
    (days / "d1.csv").write_bytes(rows(CHINESE).encode("gb18030"))
    ingested(folder, said)
    before = kept(folder)
    lines = rows(CHINESE, 300, day=2).encode("gb18030").split(b"\n")
    lines[256] = lines[256].replace(b"p", b"\xff", 1)
    (days / "d2.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(DataError, match=r"d2\.csv is not gb18030: line 257 "):
        ingested(folder, said)
    assert kept(folder) == before


def test_a_conversion_holds_one_piece_at_a_time(tmp_path, monkeypatch):
    """Signs cut by the end of a piece are put together again, whatever its size."""
    text = rows(CHINESE, 50)
    for size in (1, 31, 1001):
        monkeypatch.setattr(utf8, "CHUNK", size)
        for encoding in ("gb18030", "utf-16"):
            path = tmp_path / "d.csv"
            path.write_bytes(text.encode(encoding))
            if encoding == "utf-16" and size == 1:
                continue  # the first piece tells it
            with scratch() as connection, utf8_copies(connection) as copies:
                assert copies.of(path, encoding).read_bytes().decode("utf-8-sig") == text


def test_a_gzip_file_that_was_cut_off_is_told(days, tmp_path):
    (days / "d1.csv.gz").write_bytes(gzip.compress(rows(CHINESE).encode("gb18030"))[:-20])
    with pytest.raises(DataError, match=r"d1\.csv\.gz: it is no whole gzip file"):
        ingested(tmp_path / "shop", mapping(tmp_path, CHINESE, "gb18030"))


def test_what_the_engine_says_of_a_copy_names_the_file(days, tmp_path):
    (days / "d1.csv").write_bytes('客户,"x\n卫生纸,"y\n\nz"q,"'.encode("gb18030"))
    with pytest.raises(DataError) as error:
        load(mapping(tmp_path, CHINESE, "gb18030"), connect(tmp_path / "w.duckdb"))
    assert ".tmp" not in str(error.value)


def test_copies_that_a_kill_left_are_removed_by_the_next_reading(days, tmp_path):
    connection = connect(tmp_path / FILE)
    with utf8_copies(connection) as copies:
        (days / "d1.csv").write_bytes(rows(CHINESE).encode("gb18030"))
        copy = copies.of(days / "d1.csv", "gb18030")
        left = copies.folder.with_name(copies.folder.name.replace(f"-{os.getpid()}", "-999999999"))
        copy.parent.parent.rename(left)
    assert left.exists()
    with utf8_copies(connection):
        assert not left.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('encoding = "gb-what"', "events.encoding: must be an encoding such as 'gb18030'"),
        ("encoding = 5", "events.encoding: must be an encoding"),
        ('encoding = ""', "events.encoding: must be an encoding"),
        ('encoding = "rot13"', "events.encoding: must be an encoding"),
        ('encoding = "utf-7"', "events.encoding: must be an encoding"),
        ('encoding = "cp037"', "events.encoding: must be an encoding"),
        ('encoding = "gbk\\u0000"', "events.encoding: must be an encoding"),
    ],
)
def test_what_is_no_encoding_of_files_is_refused(more, said, tmp_path):
    text = '[[events]]\nfiles = ["o.csv"]\ntype = "purchase"\ncustomer = "c"\ntime = "t"\n'
    with pytest.raises(DataError, match=said):
        parse_mapping(text + more, tmp_path, "m")


def test_a_database_and_parquet_tell_their_own(days, tmp_path):
    database = (
        '[[events]]\ndatabase = "env:X"\ntable = "t"\ntype = "purchase"\ncustomer = "c"\ntime = "t"\n'
        'encoding = "gbk"\n'
    )
    with pytest.raises(DataError, match=r"events\.encoding: is of files"):
        parse_mapping(database, tmp_path, "m")
    (days / "d1.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"d1\.parquet is Parquet"):
        load(mapping(tmp_path, CHINESE, "gb18030"), connect(tmp_path / "w.duckdb"))


def test_json_lines_have_an_encoding_too(days, tmp_path):
    lines = [
        '{"客户编号": "c1", "下单时间": "2024-01-02", "商品编号": "p1", "商品名称": "牛奶", "金额": 2}'
    ] * 3
    (days / "d1.jsonl").write_bytes("\n".join(lines).encode("gb18030"))
    connection = connect(tmp_path / "w.duckdb")
    load(mapping(tmp_path, CHINESE, "gb18030"), connection)
    assert connection.execute("SELECT name FROM raw_items").fetchall() == [("牛奶",)]


@pytest.mark.parametrize(
    ("encoding", "proposed"),
    [
        ("gbk", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("windows-1252", "windows-1252"),
    ],
)
def test_suggest_proposes_the_encoding_says_why_and_the_proposal_loads(encoding, proposed, tmp_path):
    names = {
        "Kundennr": "customer",
        "Datum": "date",
        "Artikelnr": "item",
        "Artikel": "name",
        "Preis": "price",
    }
    header = tuple(names.get(name, name) for name in TEXTS[encoding][0])
    path = tmp_path / "orders.csv"
    path.write_bytes(rows((header, *TEXTS[encoding][1:])).encode(encoding))
    found = suggest(path)
    assert f'encoding = "{proposed}"' in found.toml
    assert any(note.startswith(f"The encoding is taken for {proposed}: it ") for note in found.notes)
    with connect(tmp_path / FILE) as connection:
        load(parse_mapping(found.toml, tmp_path, "shop.toml"), connection)
        assert held(connection) == (list(TEXTS[encoding][1:]), sum(n + 0.5 for n in range(400)))


def test_suggest_joins_files_of_different_encodings(tmp_path):
    (tmp_path / "orders.csv").write_bytes(rows(CHINESE).encode("gbk"))
    (tmp_path / "会员.csv").write_bytes(
        ("客户编号,城市\n" + "".join(f"c{n},{'上海北京'[n % 2]}\n" for n in range(50))).encode("utf-16")
    )
    found = suggest(tmp_path / "orders.csv", tmp_path / "会员.csv")
    assert 'files = ["orders.csv"]\nencoding = "gb18030"' in found.toml
    assert 'files = ["会员.csv"]\nencoding = "utf-16"' in found.toml
    assert any("100% of the customers" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("卫生纸", "utf-8"),
        ("milk", "ascii"),
        ("Молоко", "cp1251"),
        ("高麗菜", "big5"),
        ("牛乳、豆腐", "shift_jis"),
    ],
)
def test_what_nothing_tells_is_not_guessed(text, encoding, tmp_path):
    path = tmp_path / "d.csv"
    path.write_bytes(("who,name\n" + f"c1,{text}\n" * 100).encode(encoding))
    assert detected(path) is None


def test_a_file_without_encoding_is_refused_with_the_line_to_write(days, tmp_path):
    (days / "d1.csv").write_bytes(rows(CHINESE).encode("gb18030"))
    with pytest.raises(DataError, match=r'seems to be gb18030; give its table encoding = "gb18030"'):
        load(mapping(tmp_path, CHINESE, ""), connect(tmp_path / "w.duckdb"))
