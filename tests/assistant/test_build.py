"""Building a workspace step by step: done once, resumed where it was stopped, damage found and mended."""

import json
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from assistant.build import LOADING, build, build_from, refresh
from assistant.library import Library
from assistant.refresh import alone, refresh_all
from assistant.scoring import cards
from assistant.workspace import open_workspace, read_settings
from indexes.index import CustomerIndex
from propensity.registry import Registry
from segments.codec import from_json
from segments.errors import ChecksumError, ConflictError, DataError, NotBuiltError
from tests.conftest import loader, small_source
from warehouse.export import latest, manifest_of
from warehouse.history import TrainingTables
from warehouse.ledger import read_ledger
from warehouse.mapping import parse_mapping
from warehouse.pseudonyms import Vault
from warehouse.store import FILE, Warehouse

STEPS = ("warehouse", "tastes", "index", "models")
"""Those that `steps_again` tells of: reviews, the last one, follow the models, for which it does not wait."""
FIRST_WORD = {
    "Load": "warehouse",
    "Compare": "tastes",
    "Encode": "index",
    "Train": "models",
    "Score": "reviews",
}


def source():
    """Thirty customers over 219 days, hardly more than propensity models need (215)."""
    tables = small_source(customers=30)
    recent = tables["events"]["ts"] >= datetime(2017, 5, 28)
    tables["events"] = tables["events"][recent].reset_index(drop=True)
    for day in ("start_date", "end_date"):
        tables["campaigns"][day] = tables["campaigns"][day].dt.date
    return tables


class StopError(Exception):
    """What a person's Ctrl-C is in these tests."""


def run(folder: Path, stop_at: tuple[str, str] | None = None) -> tuple[str, ...]:
    """Build; returns the steps that did work. stop_at: (step, words) of the progress that stops it."""
    worked: dict[str, None] = {}

    def progress(title):
        step = FIRST_WORD[title.split()[0].rstrip(",")]

        def tell(_share, what):
            if what != "already done":
                worked[step] = None
            if stop_at is not None and step == stop_at[0] and what.startswith(stop_at[1]):
                raise StopError(what)

        return tell

    build(folder, loader(source()), "small", progress)
    return tuple(worked)


def steps_again(folder: Path) -> tuple[str, ...]:
    """The steps that a run would do again, without waiting for a model to be trained."""
    worked: list[str] = []

    def progress(title):
        step = FIRST_WORD[title.split()[0].rstrip(",")]

        def tell(_share, what):
            if what != "already done" and step in STEPS and step not in worked:
                worked.append(step)
            if "what was known on" in what or "category histories" in what:
                raise StopError(what)

        return tell

    try:
        build(folder, loader(source()), "small", progress)
    except StopError:
        assert not (folder / "ready.json").exists()
    return tuple(worked)


def customers(folder: Path) -> set[str]:
    warehouse = Warehouse(folder / "warehouse.duckdb")
    try:
        return set(warehouse.features().index)
    finally:
        warehouse.close()


STOPS = (
    ("warehouse", "reading"),
    ("warehouse", "computing the feature mart"),
    ("index", "meaning"),
    ("models", "purchase_14d: what was known"),
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A workspace whose build was stopped four times, and what each stop left: files ready, files done."""
    folder = tmp_path_factory.mktemp("built")
    left = []
    for stop in STOPS:
        with pytest.raises(StopError):
            run(folder, stop)
        done = {path.stem for path in (folder / "run").glob("*.done")}
        left.append(((folder / "ready.json").exists(), done))
    return folder, left, run(folder)


@pytest.fixture
def copy(built, tmp_path) -> Path:
    """A copy of the built workspace, to be damaged."""
    return Path(shutil.copytree(built[0], tmp_path / "copy"))


def test_a_stop_leaves_nothing_ready_and_what_was_finished_stays(built):
    folder, left, last = built
    assert left == [
        (False, set()),
        (False, set()),
        (False, {"warehouse", "tastes"}),
        (False, {"warehouse", "tastes", "index"}),
    ]
    assert last == ("models", "reviews")
    assert json.loads((folder / "ready.json").read_text())["source"] == "small"


def test_what_was_built_can_be_used(built):
    folder = built[0]
    workspace = open_workspace(folder)
    everybody = customers(folder)
    assert len(everybody) == 30
    assert set(CustomerIndex.load(workspace.index, "cpu").customer_ids) == everybody
    scores = Registry(workspace.models).scores("purchase_30d")
    assert set(scores.index) == everybody
    assert scores.between(0, 1).all()
    assert {card["outcome"] for card in cards(workspace.models)} >= {"purchase_14d", "coupon_redeem_30d"}
    assert not list(folder.rglob("*.partial"))


def test_a_second_run_does_nothing(built):
    folder = built[0]
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert run(folder) == ()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def overwrite(path: Path) -> None:
    """Damage a file in its second half, as a failing disk does: the length stays."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\xff" * (len(content) - len(content) // 2))


def the(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


DAMAGE = {
    "no warehouse": (lambda w: (w / "warehouse.duckdb").unlink(), STEPS),
    "empty warehouse": (lambda w: (w / "warehouse.duckdb").write_bytes(b""), STEPS),
    "damaged warehouse": (lambda w: overwrite(w / "warehouse.duckdb"), STEPS),
    "no vault": (lambda w: (w / "vault.parquet").unlink(), STEPS),
    "no index": (lambda w: the(w, "indexes/customers.*").unlink(), STEPS[2:]),
    "damaged index": (lambda w: overwrite(the(w, "indexes/customers.*")), STEPS[2:]),
    "no index manifest": (lambda w: (w / "indexes" / "manifest.json").unlink(), STEPS[2:]),
    "damaged index manifest": (lambda w: (w / "indexes" / "manifest.json").write_text("{"), STEPS[2:]),
    "emptied index manifest": (lambda w: (w / "indexes" / "manifest.json").write_text("{}"), STEPS[2:]),
    "no model": (lambda w: the(w, "models/purchase_14d.model.*").unlink(), STEPS[3:]),
    "damaged model": (lambda w: overwrite(the(w, "models/purchase_14d.model.*")), STEPS[3:]),
    "damaged scores": (lambda w: overwrite(the(w, "models/purchase_30d.scores.*")), STEPS[3:]),
    "damaged category scores": (lambda w: overwrite(the(w, "models/*category.scores.*")), STEPS[3:]),
    "no model manifest": (lambda w: (w / "models" / "purchase_14d.json").unlink(), STEPS[3:]),
    "damaged model manifest": (lambda w: (w / "models" / "purchase_14d.json").write_text("{"), STEPS[3:]),
    "no models": (lambda w: shutil.rmtree(w / "models"), STEPS[3:]),
    "no mark": (lambda w: (w / "run" / "index.done").unlink(), STEPS[2:]),
    "a mark of other code": (lambda w: (w / "run" / "models.done").write_text("0" * 16), STEPS[3:]),
}


@pytest.mark.parametrize(("damage", "again"), DAMAGE.values(), ids=DAMAGE)
def test_damage_makes_its_step_run_again_and_the_ones_after(copy, damage, again):
    damage(copy)
    assert steps_again(copy) == again


def test_tastes_of_the_settings_become_features_and_go_again(copy):
    """With the real encoder: milk is near milk, and what was loaded is not loaded again."""
    settings = copy / "segassist.toml"
    before = settings.read_text() if settings.exists() else ""
    declared = '\n[[tastes]]\nname = "milky"\nphrases = ["milk"]\nlabel = "milk"\nnear = 0.6\n'
    settings.write_text(before + declared)
    assert steps_again(copy) == STEPS[1:]
    warehouse = Warehouse(copy / "warehouse.duckdb")
    items = warehouse.fetch(warehouse.table("items")).set_index("item_id")
    assert set(items.index[items["taste_milky"] >= 0.6]) == set(items.index[items["category"] == "MILK"])
    assert warehouse.features()["taste_milky_365d"].between(0, 1).any()
    warehouse.close()
    assert steps_again(copy) == STEPS[3:]
    settings.write_text(before)
    assert steps_again(copy) == STEPS[1:]
    assert "taste_milky_365d" not in Warehouse(copy / "warehouse.duckdb").features()


def test_a_lost_mark_of_readiness_is_written_again_without_work(copy):
    (copy / "ready.json").unlink()
    with pytest.raises(NotBuiltError, match="segassist build"):
        open_workspace(copy)
    assert run(copy) == ()
    assert open_workspace(copy).folder == copy


def test_a_damaged_model_is_trained_again_and_the_others_are_kept(copy):
    damaged = the(copy, "models/purchase_14d.model.*")
    kept = {path.name: path.stat().st_mtime_ns for path in copy.glob("models/purchase_30d*")}
    overwrite(damaged)
    assert run(copy) == ("models", "reviews")
    Registry(copy / "models").model("purchase_14d")
    assert {path.name: path.stat().st_mtime_ns for path in copy.glob("models/purchase_30d*")} == kept


def test_a_stop_while_mending_never_leaves_results_of_different_sources(copy):
    """A lost key gives everybody a new pseudonym, so that an older index fits nobody."""
    for name in ("warehouse.duckdb", "vault.key", "vault.parquet"):
        (copy / name).unlink()
    with pytest.raises(StopError):
        run(copy, ("index", "weighing"))
    assert set(steps_again(copy)) >= {"index", "models"}
    assert set(CustomerIndex.load(copy / "indexes", "cpu").customer_ids) == customers(copy)


def test_another_source_is_built_anew(copy):
    worked = []

    def progress(title):
        worked.append(title.split()[0].rstrip(","))

        def tell(_share, _what):
            raise StopError

        return tell

    with pytest.raises(StopError):
        build(copy, loader(source()), "small, second delivery", progress)
    assert worked == ["Load"]


def test_a_source_that_fails_leaves_nothing_ready(tmp_path):
    def load(connection: duckdb.DuckDBPyConnection) -> None:
        raise DataError("transactions.parquet is missing.")

    with pytest.raises(DataError, match="is missing"):
        build(tmp_path, load, "broken")
    assert not (tmp_path / "ready.json").exists()
    assert not list(tmp_path.glob("run/*.done"))
    with pytest.raises(NotBuiltError, match="segassist build"):
        open_workspace(tmp_path)


def test_a_shop_whose_history_is_too_short_for_models_is_ready_without_and_is_told(tmp_path):
    tables = small_source(customers=10)
    tables["events"] = tables["events"][tables["events"]["ts"] >= datetime(2017, 9, 1)]
    heard: list[str] = []
    build(tmp_path, loader(tables), "short", lambda _title: lambda _share, what: heard.append(what))
    assert any("propensity models need at least 215" in what for what in heard)
    workspace = open_workspace(tmp_path)
    assert Registry(workspace.models).names() == ()
    assert len(customers(tmp_path)) == 10
    done = refresh_all(tmp_path)
    assert (done.models, done.models_error) == ((), "")


PLAIN = """
[[events]]
files = ["days"]
type = "purchase"
customer = "who"
time = "at"
value = "paid"
"""


def test_a_shop_without_items_of_which_nothing_can_be_learned_is_ready_and_grows(tmp_path):
    (tmp_path / "days").mkdir()
    mapping, ready = parse_mapping(PLAIN, tmp_path, "shop.toml"), tmp_path / "ws"

    def day(first: int, last: int) -> None:
        rows = [f"c{n % 3},{date(2024, 1, 1) + timedelta(days=n)},{5 + n % 7}" for n in range(first, last)]
        (tmp_path / f"days/{first}.csv").write_text("\n".join(["who,at,paid", *rows]) + "\n")

    # Each of three customers buys every third day: what comes within two weeks is always the same.
    day(0, 360)
    heard: list[str] = []
    build_from(mapping, ready, lambda _title: lambda _share, what: heard.append(what))
    assert "no propensity model can be learned from these data yet" in heard
    assert Registry(open_workspace(ready).models).names() == ()
    day(360, 363)
    done = build_from(mapping, ready)
    assert (done.intake.action, done.added.events) == ("add", 3)
    report = json.loads((ready / "quality.json").read_text())
    check = next(check for check in report["checks"] if check["name"] == "item_id complete")
    assert check["verdict"] == "warn"
    assert "No source tells the items" in check["detail"]


def test_a_column_of_items_that_is_empty_stops_the_load(tmp_path):
    (tmp_path / "orders.csv").write_text("who,at,paid,sku\na,2024-01-02,3,\nb,2024-01-03,4,\n")
    text = PLAIN.replace("days", "orders.csv") + 'item = "sku"\n'
    with pytest.raises(DataError, match="purchase lines without an item"):
        build_from(parse_mapping(text, tmp_path, "shop.toml"), tmp_path / "ws")


def test_campaigns_may_be_dated_by_the_minute(small_warehouse):
    assert str(small_warehouse.table("campaigns").end_date.type()).startswith("timestamp")
    assert len(TrainingTables(small_warehouse).extra(date(2017, 11, 1))) > 0


def test_exports_find_every_customer(built):
    folder = built[0]
    assert len(set(Vault(folder).source_ids(sorted(customers(folder))))) == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("currency = ", "not valid TOML"),
        ('curency = "€"', "'curency' is not a setting; known are .*currency"),
        ('min_group = "ten"', "min_group"),
        ("[min_group_of]\nguest = 20", "min_group_of.guest: not a role; roles are viewer"),
        ("[min_group_of]\nviewer = 9", r"min_group_of.viewer must be .* at least min_group \(10\); got 9"),
        ("[min_group_of]\nviewer = true", "min_group_of.viewer must be a whole number"),
        ("[min_group_of]\nmarketer = 20", r"min_group_of.viewer must be at least that of marketer \(20\)"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(tmp_path, text, said):
    (tmp_path / "segassist.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=said):
        read_settings(tmp_path)


MAPPING = """
name = "Small"
[[events]]
files = ["days"]
type = { column = "type", values = { purchase = "purchase", exposure = "exposure", coupon_redeem = "coupon_redeem" } }
customer = "source_id"
time = "ts"
item = "item_id"
order = "order_id"
quantity = "quantity"
value = "value"
[[items]]
files = ["items.csv"]
item = "item_id"
category = "category"
department = "department"
"""
REVIEWS = """
[[reviews]]
files = ["reviews"]
customer = "who"
time = "at"
item = "sku"
text = "said"
"""
OUTCOME = """
[[outcomes]]
name = "back_20d"
event = "purchase"
horizon_days = 20
label = "back within 20 days"
label_zh = "20天内回来"
"""


def review(path: Path, said: str, customers: range) -> None:
    path.parent.mkdir(exist_ok=True)
    rows = [(customer, "2017-12-01", "i1", said) for customer in customers]
    pd.DataFrame(rows, columns=["who", "at", "sku", "said"]).to_csv(path, index=False)


def praise(folder: Path) -> dict[str, list[float]]:
    """Of each aspect what every review says, praise rounded to yes or no, praise first."""
    warehouse = Warehouse(folder / "warehouse.duckdb")
    try:
        found = warehouse.fetch(warehouse.table("review_scores"))
    finally:
        warehouse.close()
    return {
        aspect: sorted(rows["praise"].round(), reverse=True)
        for aspect, rows in sorted(found.groupby("aspect"))
    }


def test_a_day_is_scored_by_the_models_there_are_and_stays_in_use(tmp_path):
    tables, shop = source(), tmp_path / "shop"
    (shop / "days").mkdir(parents=True)
    late = tables["events"]["ts"] >= datetime(2017, 12, 31)
    tables["events"][~late].to_csv(shop / "days/before.csv", index=False)
    tables["items"].to_csv(shop / "items.csv", index=False)
    review(shop / "reviews/first.csv", "good price", range(20))
    mapping, folder = parse_mapping(MAPPING + REVIEWS, shop, "shop.toml"), tmp_path / "ws"
    assert build_from(mapping, folder).intake.action == "build"
    assert praise(folder) == {"": [1.0] * 20, "price": [1.0] * 20}
    models = {path.name for path in folder.glob("models/*.model.*")}
    assert cards(folder / "models")[0]["scored_as_of"] == "2017-12-31"

    new = tables["events"][late].copy()
    new.iloc[-1, new.columns.get_loc("source_id")] = "999"
    new.assign(item_id=None).to_csv(shop / "days/last.csv", index=False)
    with pytest.raises(DataError, match="did not pass the checks"):
        build_from(mapping, folder)
    assert open_workspace(folder).folder == folder
    new.to_csv(shop / "days/last.csv", index=False)
    review(shop / "reviews/second.csv", "bad taste", range(3))
    done = build_from(mapping, folder)
    assert praise(folder) == {"": [1.0] * 20 + [0.0] * 3, "price": [1.0] * 20, "taste": [0.0] * 3}
    assert done.added is not None
    assert done.added.events == len(new)
    assert {path.name for path in folder.glob("models/*.model.*")} == models
    assert cards(folder / "models")[0]["scored_as_of"] == "2018-01-01"
    everybody = customers(folder)
    assert Vault(folder).customer_id("999") in everybody
    assert set(Registry(folder / "models").scores("purchase_30d").index) == everybody
    assert set(CustomerIndex.load(folder / "indexes", "cpu").customer_ids) == everybody
    assert build_from(mapping, folder).intake.reason == "Nothing is new: all 5 files were ingested before."

    overwrite(the(folder, "indexes/customers.*"))
    checked: list[Path] = []
    with pytest.MonkeyPatch.context() as patched:
        load = CustomerIndex.load
        patched.setattr(
            CustomerIndex, "load", lambda path, device: checked.append(path) or load(path, device)
        )
        told = refresh_all(folder).ingested
    assert "Nothing is new" in told
    assert "made anew: Encode products and behaviour; build the FAISS index." in told
    assert len(checked) == 2, "looked at once, and asked once whether it can be updated"
    CustomerIndex.load(folder / "indexes", "cpu")

    with (folder / "segassist.toml").open("a", encoding="utf-8") as settings:
        settings.write(OUTCOME)
    build_from(mapping, folder)
    now = {path.name for path in folder.glob("models/*.model.*")}
    assert {name.split(".")[0] for name in now - models} == {"back_20d"}, "declared since, it is trained"
    assert models < now, "and nothing else is"
    assert cards(folder / "models")[-1]["outcome"] == "back_20d"


@pytest.mark.parametrize("damaged", ["manifest.json", "members.parquet", "../latest.json"])
def test_a_refresh_goes_on_past_damaged_files(copy, damaged):
    library = Library(copy / "state.sqlite")
    for name in ("buyers", "others"):
        library.save(name, from_json({"feature": "orders_lifetime", "op": ">=", "value": 0}))
    refresh_all(copy)
    (latest(copy / "exports", "buyers") / damaged).resolve().write_text("{")
    (copy / "mapping.json").write_text("{")
    done = refresh_all(copy)
    assert "mapping.json is damaged; ingest with the mapping again" in done.data_error
    before = None if damaged == "manifest.json" else 30
    assert [(s.name, s.count, s.before, s.error) for s in done.segments] == [
        ("buyers", 30, before, ""),
        ("others", 30, 30, ""),
    ]
    assert manifest_of(latest(copy / "exports", "buyers")).count == 30


def test_a_refresh_publishes_what_holds_and_keeps_the_last_good_of_what_does_not(copy):
    library = Library(copy / "state.sqlite")
    library.save("buyers", from_json({"feature": "orders_lifetime", "op": ">=", "value": 0}))
    library.save("few/er", from_json({"feature": "orders_lifetime", "op": ">=", "value": 2}))
    first = refresh_all(copy)
    assert [(s.name, s.count, s.before) for s in first.segments] == [
        ("buyers", 30, None),
        ("few/er", None, None),
    ]
    assert "is no name for a folder" in first.segments[1].error
    assert first.models_error == ""
    assert {model.outcome for model in first.models} == {"purchase_14d", "purchase_30d", "coupon_redeem_30d"}
    assert all("customers are too few to tell drift from chance" in model.words for model in first.models)
    library.delete("few/er")
    library.save("other", from_json({"feature": "orders_lifetime", "op": ">=", "value": 2}))
    library.save("buyers", from_json({"member_of": "other"}))
    library.delete("other")
    second = refresh_all(copy)
    (kept,) = second.segments
    assert (kept.count, kept.as_of, kept.before) == (30, first.as_of, 30)
    assert "other" in kept.error
    assert manifest_of(latest(copy / "exports", "buyers")).count == 30
    for path in (copy / "models").glob("purchase_30d.scores.*"):
        path.write_bytes(b"x")
    mended = refresh_all(copy)
    assert "What was damaged was made anew" in mended.ingested
    assert mended.models_error == ""
    assert json.loads((copy / "run" / "refresh.json").read_text())["segments"][0]["error"] == kept.error
    library.save("buyers", from_json({"feature": "orders_lifetime", "op": ">=", "value": 5}))
    for _ in range(3):
        refresh_all(copy)
    assert len(list((copy / "exports" / "buyers").glob("*/manifest.json"))) == 2
    with alone(copy), pytest.raises(ConflictError, match="by another process"):
        refresh_all(copy)


def test_a_refresh_mends_what_is_damaged_of_the_models(copy):
    overwrite(the(copy, "models/*category.scores.*"))
    with pytest.raises(ChecksumError, match=r"category\.scores.* is damaged"):
        Registry(copy / "models").check()
    done = refresh_all(copy)
    assert "What was damaged was made anew: Train and calibrate the propensity models." in done.ingested
    assert done.data_error == ""
    Registry(copy / "models").check()
    assert open_workspace(copy).folder == copy


def upgrade(patched: pytest.MonkeyPatch) -> None:
    """From here on the code that loads is not the one that loaded, as the marks see it."""
    patched.setattr("assistant.build.LOADING", LOADING[1:])


def test_what_is_mended_after_an_upgrade_does_not_pass_for_loaded_by_it(copy, monkeypatch):
    assert "loaded by another version" not in refresh_all(copy).ingested
    upgrade(monkeypatch)
    overwrite(the(copy, "models/*category.scores.*"))
    told = refresh_all(copy).ingested
    assert "loaded by another version or for another encoder: run segassist build" in told
    assert "made anew: Train and calibrate" in told
    refresh(copy)  # as after a rule taken back, or retention
    assert steps_again(copy) == STEPS


def test_files_are_read_anew_when_asked_and_when_the_code_loads_otherwise(tmp_path, monkeypatch):
    (tmp_path / "days").mkdir()
    rows = [f"c{n % 3},{date(2024, 1, 1) + timedelta(days=n)},{5 + n % 7}" for n in range(360)]
    file, away = tmp_path / "days/0.csv", tmp_path / "archive.csv"
    for path, part in ((file, rows[:180]), (tmp_path / "days/1.csv", rows[180:])):
        path.write_text("\n".join(["who,at,paid", *part]) + "\n")
    mapping, ready = parse_mapping(PLAIN, tmp_path, "shop.toml"), tmp_path / "ws"

    def load():
        """Names the last load in full."""
        return read_ledger(ready / FILE).base

    def stop_before_training(title):
        def tell(_share, _what):
            if title.startswith("Train"):
                raise StopError

        return tell

    build_from(mapping, ready)
    first = load()
    upgrade(monkeypatch)
    file.rename(away)
    with pytest.raises(DataError, match=r"loads differently.*are gone, the first of them days/0\.csv"):
        build_from(mapping, ready)
    with pytest.raises(StopError):
        refresh(ready, stop_before_training)
    assert load() == first
    away.rename(file)
    with pytest.raises(StopError):
        build_from(mapping, ready, stop_before_training)
    second = load()
    assert second != first, "what was mended in between did not pass for loaded by this code"
    with pytest.raises(StopError):
        build_from(mapping, ready, stop_before_training, rebuild=True)
    assert load() != second, "--rebuild reads files that are as they were"
