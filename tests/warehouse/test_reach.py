"""Reachable beside total: consent read as files write it, counted by channel, exported, hidden where few."""

import pandas as pd
import pytest

from segments.codec import from_json
from segments.errors import DataError, NotFoundError
from warehouse.append import append, load_all
from warehouse.audience import Audiences
from warehouse.export import export, manifest_of, read_members
from warehouse.intake import take_in
from warehouse.ledger import read_ledger
from warehouse.mapping import parse_mapping
from warehouse.pseudonyms import Vault
from warehouse.reach import channels, reachable, without_few
from warehouse.store import FILE, Warehouse

MAPPING = """
[[events]]
files = "e.csv"
type = "purchase"
customer = "u"
time = "t"
item = "i"
[[customers]]
files = ["people*.csv"]
customer = "u"
reach = { email = "mail", sms = "= mail = 'Y' AND phone IS NOT NULL" }
"""
EVERYBODY = from_json({"feature": "orders_lifetime", "op": ">=", "value": 0})


@pytest.fixture
def shop(tmp_path):
    pd.DataFrame({"u": list("abcde"), "t": "2024-01-05", "i": "x"}).to_csv(tmp_path / "e.csv", index=False)
    people = {"u": list("abcd"), "mail": ["Y", "yes ", "N", "perhaps"], "phone": [1, None, 3, 4]}
    pd.DataFrame(people).to_csv(tmp_path / "people.csv", index=False)
    ingest(tmp_path)
    return tmp_path


def ingest(shop):
    mapping, folder = parse_mapping(MAPPING, shop, "m"), shop / "ws"
    intake = take_in(mapping, read_ledger(folder / FILE), "code")
    if intake.action == "build":
        load_all(mapping, folder, intake, "code")
    else:
        append(folder, mapping, intake)


def test_consent_is_counted_by_channel_and_exported(shop):
    warehouse = Warehouse(shop / "ws" / FILE)
    audiences, vault = Audiences(warehouse), Vault(shop / "ws")
    assert channels(audiences) == ("email", "sms")
    # 'perhaps' is no consent, nor is having no row at all.
    assert reachable(audiences, EVERYBODY) == {"email": 2, "sms": 1}
    made = export(audiences, vault, EVERYBODY, shop / "out", "all", channel="email")
    manifest = manifest_of(made)
    assert (manifest.count, manifest.total, manifest.reachable) == (2, 5, {"email": 2, "sms": 1})
    assert sorted(read_members(made / manifest.file)) == ["a", "b"]
    with pytest.raises(NotFoundError, match="'fax' is not known; channels are email, sms"):
        export(audiences, vault, EVERYBODY, shop / "out", "all", channel="fax")
    warehouse.close()


def test_a_consent_withdrawn_in_a_later_file_holds(shop):
    pd.DataFrame({"u": ["a"], "mail": ["N"], "phone": [1]}).to_csv(shop / "people2.csv", index=False)
    ingest(shop)
    warehouse = Warehouse(shop / "ws" / FILE)
    assert reachable(Audiences(warehouse), EVERYBODY) == {"email": 1, "sms": 0}
    warehouse.close()


def test_without_consent_columns_there_are_no_channels(small_warehouse):
    assert reachable(Audiences(small_warehouse), EVERYBODY) == {}


def test_a_channel_that_would_give_a_few_away_is_hidden():
    counts = {"email": 95, "sms": 40, "push": 3, "post": 100}
    assert without_few(counts, 100, 10) == {"email": None, "sms": 40, "push": None, "post": 100}


def test_a_channel_has_a_plain_name(tmp_path):
    with pytest.raises(DataError, match=r"customers\.reach: must be channels in small letters"):
        parse_mapping(MAPPING.replace("email =", '"E-Mail" ='), tmp_path, "m")
