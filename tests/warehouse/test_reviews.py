"""Reviews by the mapping: kept without what points to a person, erased, aged and corrected as events are."""

import json
from pathlib import Path

import pandas as pd
import pytest

from segments.errors import ConflictError, DataError
from warehouse.append import append, load_all
from warehouse.erase import erase, find_traces
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import parse_mapping
from warehouse.pseudonyms import load_or_create_key, pseudonym, read_vault
from warehouse.retain import older, retain
from warehouse.review_scores import write_scores
from warehouse.store import FILE, Warehouse, known_of

MAPPING = """
name = "Shop"
[[events]]
files = ["orders.csv"]
type = "purchase"
customer = "who"
time = "at"
item = "sku"
value = "total"
id = "no"
[[reviews]]
files = ["reviews"]
customer = "who"
time = "at"
item = "sku"
rating = "stars"
text = "review_text"
"""
WITH_ID = MAPPING + 'id = "review_no"\n'
REVIEWS = [
    (
        "c1",
        "2024-03-02 10:00",
        "p1",
        5,
        "Great sound,\nwrite to me: jane.doe@example.com or +44 20 7946 0958",
    ),
    ("c2", "2024-03-03 11:00", "p2", 1, "坏了，退货。见 https://shop.example/x?id=1"),
    ("guest", "2024-03-04 12:00", "p1", 3, "Fine for 25 dollars"),
    ("guest", "2024-03-04 12:00", "p1", 3, "Fine for 25 dollars"),
    ("c3", "2023-11-01 09:00", "p1", None, "Old but good"),
    ("c3", "2024-03-05 09:00", "p1", 4, ""),
    ("c3", "2024-03-06 09:00", "p1", None, " "),
    ("", "2024-03-06 10:00", "p1", 4, "Nobody's"),
]


def shop(folder: Path, rows: list[tuple[object, ...]] = REVIEWS, mapping: str = MAPPING):
    orders = [
        (f"c{n % 9}", f"2024-0{1 + n % 3}-{1 + n % 28:02d} 10:00", f"p{n % 3}", 5 + n, n) for n in range(90)
    ]
    (folder / "reviews").mkdir(parents=True)
    pd.DataFrame(orders, columns=["who", "at", "sku", "total", "no"]).to_csv(
        folder / "orders.csv", index=False
    )
    write(folder / "reviews/a.csv", rows)
    return parse_mapping(mapping, folder, "shop.toml")


def write(path: Path, rows: list[tuple[object, ...]]) -> None:
    table = pd.DataFrame(rows, columns=["who", "at", "sku", "stars", "review_text"])
    table.assign(review_no=[f"{path.stem}{n}" for n in range(len(table))]).to_csv(path, index=False)


def ingest(mapping, folder: Path, **how: bool) -> str:
    intake = take_in(mapping, read_ledger(folder / FILE), "code", **how)
    if intake.action == "build":
        load_all(mapping, folder, intake, "code")
    elif intake.action == "add":
        append(folder, mapping, intake)
    return intake.action


def reviews(folder: Path) -> pd.DataFrame:
    warehouse = Warehouse(folder / FILE)
    try:
        return warehouse.fetch(warehouse.table("reviews").order_by("ts"))
    finally:
        warehouse.close()


def test_reviews_are_kept_once_with_pseudonyms_and_without_what_points_to_a_person(tmp_path):
    folder = tmp_path / "ws"
    assert ingest(shop(tmp_path / "shop"), folder) == "build"
    found = reviews(folder)
    key = load_or_create_key(folder)
    assert found["customer_id"].tolist() == [pseudonym(key, who) for who in ("c3", "c1", "c2", "guest", "c3")]
    assert found["rating"].fillna(0).tolist() == [0, 5, 1, 3, 4]
    assert found["text"].fillna("").tolist() == [
        "Old but good",
        "Great sound,\nwrite to me: [e-mail] or [number]",
        "坏了，退货。见 [link]",
        "Fine for 25 dollars",
        "",
    ]
    assert found["review"].is_unique
    assert "guest" in set(read_vault(folder)["source_id"]), "who only reviews can be erased"
    warehouse = Warehouse(folder / FILE)
    assert pseudonym(key, "guest") not in warehouse.features().index
    assert not {"text", "rating"} & set(warehouse.features().columns)
    warehouse.close()
    written = (folder / FILE).read_bytes()
    assert b"jane.doe" not in written
    assert b"7946 0958" not in written
    assert b"Great sound" not in b"".join(path.read_bytes() for path in folder.glob("quality*"))


def test_a_rating_beyond_five_stars_is_counted_and_a_column_of_them_stops_the_load(tmp_path):
    odd = [*[(f"c{n}", "2024-03-02 10:00", "p1", 4, f"good {n}") for n in range(9)]]
    folder = tmp_path / "ws"
    ingest(shop(tmp_path / "shop", [*odd, ("c1", "2024-03-03", "p1", 9, "very good")]), folder)
    (check,) = (
        c
        for c in json.loads((folder / "quality.json").read_text())["checks"]
        if c["name"] == "reviews readable"
    )
    assert "rating (1 of 10, such as '9" in check["detail"]
    assert reviews(folder)["rating"].notna().sum() == 9
    with pytest.raises(DataError, match="did not pass the checks"):
        ingest(shop(tmp_path / "other", [(*row[:3], 80, row[4]) for row in odd]), tmp_path / "ws2")


def test_a_column_of_addresses_is_no_review(tmp_path):
    rows = [(f"c{n}", "2024-03-02", "p1", 4, f"person{n}@example.com") for n in range(9)]
    with pytest.raises(DataError, match=r"'review_text' \(as text; e-mail address\)"):
        ingest(shop(tmp_path / "shop", rows), tmp_path / "ws")


def test_the_next_days_reviews_are_added_and_a_correction_asks_first(tmp_path):
    mapping, folder = shop(tmp_path / "shop"), tmp_path / "ws"
    ingest(mapping, folder)
    new = ("c4", "2024-03-09 10:00", "p2", 2, "Slow delivery")
    write(tmp_path / "shop/reviews/b.csv", [new, REVIEWS[0]])
    assert ingest(mapping, folder) == "add"
    assert len(reviews(folder)) == 6, "one is there already"
    write(tmp_path / "shop/reviews/b.csv", [(*new[:4], "Quick delivery")])
    with pytest.raises(ConflictError, match=r"reviews/b\.csv: was ingested before"):
        ingest(mapping, folder)
    ingest(mapping, folder, replace=True)
    assert reviews(folder)["text"].tolist()[-1] == "Quick delivery"
    assert len(reviews(folder)) == 6
    assert ingest(mapping, folder) == "nothing"


def test_a_review_with_an_id_takes_its_own_place(tmp_path):
    mapping, folder = shop(tmp_path / "shop", REVIEWS[:2], WITH_ID), tmp_path / "ws"
    ingest(mapping, folder)
    write(tmp_path / "shop/reviews/a.csv", [(*REVIEWS[0][:3], 2, "It broke"), REVIEWS[1]])
    ingest(mapping, folder)
    assert reviews(folder)["text"].fillna("").str[:8].tolist() == ["It broke", "坏了，退货。见 "]


def scored(folder: Path) -> None:
    told = reviews(folder)[["review"]].assign(aspect="", praise=1.0, scorer="words")
    write_scores(folder, told, {"scorer": "words"})


def test_an_erased_person_has_no_review_and_none_comes_back(tmp_path):
    mapping, folder = shop(tmp_path / "shop"), tmp_path / "ws"
    ingest(mapping, folder)
    scored(folder)
    customer = pseudonym(load_or_create_key(folder), "guest")
    assert set(find_traces(folder, customer, "guest")) == {
        *("warehouse table reviews", "warehouse table review_scores", "vault")
    }
    found = erase(folder, "guest")
    assert found.traces == ()
    assert (found.rows["reviews"], found.rows["review_scores"]) == (1, 1)
    assert b"Fine for 25" not in (folder / FILE).read_bytes()
    ingest(mapping, folder, rebuild=True)
    assert find_traces(folder, customer, "guest") == []
    assert len(reviews(folder)) == 4


def test_old_reviews_age_and_do_not_come_back(tmp_path):
    mapping, folder = shop(tmp_path / "shop"), tmp_path / "ws"
    ingest(mapping, folder)
    scored(folder)
    done = retain(folder, 3)
    assert (done.rows["reviews"], done.rows["review_scores"], done.traces) == (1, 1, ())
    assert "guest" in set(read_vault(folder)["source_id"]), "a younger review is kept, and so is whose it is"
    assert known_of(folder / FILE)["reviews"] == {"scorer": "words"}
    ingest(mapping, folder, rebuild=True)
    assert reviews(folder)["ts"].min().year == 2024
    assert older(folder, done.before) == []
