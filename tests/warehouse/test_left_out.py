"""Rows that a mapping does not take are counted by source, over every load, and a correction takes its counts along."""

import json
from pathlib import Path

from tests.warehouse.test_readable import taken
from warehouse.mapping import parse_mapping
from warehouse.quality import JSON_FILE
from warehouse.store import FILE, known_of

SHOP = """
[[events]]
files = "e*.csv"
type = { column = "e", values = { buy = "purchase" } }
where = "ok"
customer = "u"
time = "t"
item = "= 'x'"
value = "v"

[[customers]]
files = "c.csv"
customer = "u"
"""


def told(folder: Path) -> list[dict]:
    report = json.loads((folder / JSON_FILE).read_text())["left_out"]
    assert known_of(folder / FILE)["quality"]["left_out"] == report
    return report


def test_rows_left_out_are_counted_by_source(tmp_path):
    folder, mapping = tmp_path / "ws", parse_mapping(SHOP, tmp_path, "m")
    (tmp_path / "c.csv").write_text("u\na\nb\n")
    row = "a,2024-02-{n:02d},1,{e},{ok}"
    rows = [row.format(n=n + 1, e="buy", ok="true") for n in range(20)]
    rows += [
        row.format(n=3, e=e, ok=ok)
        for e, ok in (("see", "true"), ("buy", "false"), ("buy", ""), ("", "true"))
    ]
    (tmp_path / "e1.csv").write_text(
        "\n".join(["u,t,v,e,ok", *rows, row.format(n=4, e="see", ok="true")]) + "\n"
    )
    taken(mapping, folder)
    first = {
        **{"source": "events 1: e*.csv", "rows": 25, "taken": 20, "by_where": 2},
        **{"by_type": 3, "types": {"see": 2}},
    }
    assert told(folder) == [first]
    said = (
        "events 1: e*.csv: 20 of 25 rows taken; 2 left out by where, 3 by a type that is not mapped: see (2)."
    )
    assert said in (folder / "quality.html").read_text()
    page = (folder / "quality.zh.html").read_text()
    assert "25行中取用20行；2行因 where 未取，3行因类型未映射未取（see (2)）。" in page
    assert '<html lang="zh">' in page
    assert "约定" in page
    assert "Verdict" not in page
    (tmp_path / "e2.csv").write_text("u,t,v,e,ok\nb,2024-03-01,1,buy,true\nb,2024-03-02,1,see,true\n")
    taken(mapping, folder)
    assert json.loads((folder / JSON_FILE).read_text())["left_out"][0]["rows"] == 2
    assert known_of(folder / FILE)["quality"]["left_out"] == [
        first | {"rows": 27, "taken": 21, "by_type": 4, "types": {"see": 3}}
    ]
