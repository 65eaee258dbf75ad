"""Sizes beside the exact count of today: estimated from a sample, and at two dates; small groups stay hidden."""

from datetime import date

import pytest

from assistant.disclosure import read_by
from segments.canonical import fingerprint
from segments.codec import from_json
from serving.access import Caller, Role
from serving.client import ApiError, Client
from serving.page.session import Session
from serving.service import Service
from serving.views import Views
from warehouse.estimate import draw

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
MONTH = BEER | {"from_days_ago": 30}
FEW = {"all_of": [BEER, {"feature": "spend_365d", "op": ">", "value": 12000}]}
RANKED = {"rank_by": "spend_90d", "count": 50}
VIEWER, ANALYST = Caller("vera", Role.viewer), Caller("ada", Role.analyst)
EARLIER = date(2017, 10, 1)


@pytest.fixture(scope="module")
def service(make_workspace, tmp_path_factory):
    return Service.open(make_workspace(tmp_path_factory.mktemp("sizes")))


def test_the_client_estimates_and_compares_dates(guarded):
    with Client(guarded.url, guarded.keys["analyst"]) as client:
        about, exact = client.estimate(BEER, 0.5), client.preview(BEER).size
        # The sample is one of the key's, so one in twenty has the size outside its interval; none is so far outside.
        width = about.high - about.low
        assert about.low - width <= exact <= about.high + width
        assert about.sampled < about.population
        assert client.estimate(BEER, 1).size == exact
        found = client.diff(MONTH, EARLIER)
        assert found.after == client.preview(MONTH).size
        assert (found.before, found.after) == (found.left + found.stayed, found.entered + found.stayed)
        assert len(list(client.movers(MONTH, "entered", EARLIER))) == found.entered
        assert len(set(client.movers(MONTH, "left", EARLIER, found.later))) == found.left
        with pytest.raises(ApiError, match="needs all customers"):
            client.estimate(RANKED)
        with pytest.raises(ApiError, match="is not before"):
            client.diff(MONTH, found.later, EARLIER)
    mine = [e for e in guarded.service.audit.entries(50) if e.who == "analyst@shop" and e.action == "export"]
    assert {e.detail["exported"].split()[0] for e in mine} >= {"entered", "left"}


def test_who_moved_is_for_those_who_may_export(guarded):
    body = {"definition": MONTH, "earlier": EARLIER.isoformat()}
    with guarded.client("viewer") as viewer:
        assert viewer.post("/v1/segments/diff", json=body).status_code == 200
        assert viewer.post("/v1/segments/estimate", json={"definition": MONTH}).status_code == 200
        listed = viewer.post("/v1/segments/diff/members", json=body | {"which": "left"})
    assert listed.status_code == 403


def test_an_estimate_tells_no_more_of_few_customers_than_a_count(service):
    definition = from_json(FEW)
    assert 0 < service.rooms.audiences.size(definition) < 10
    held = service.estimate(VIEWER, definition, 1)
    assert (held["size"], held["low"], held["high"]) == (None, None, None)
    assert service.estimate(ANALYST, definition, 1)["size"] == service.rooms.audiences.size(definition)
    # Two samples that differ by few customers tell of them.
    others = from_json({"all_of": [BEER, {"not": FEW}]})
    assert isinstance(service.estimate(VIEWER, from_json(BEER), 1)["size"], int)
    assert service.estimate(VIEWER, others, 1)["size"] is None


def test_of_few_who_moved_nothing_is_told(service):
    # Of those above 800, 33 entered, 12 left and 19 stayed; above 1,000, 16 entered, 5 left and 5 stayed.
    for spend, told in ((800, True), (1000, False)):
        definition = from_json({"feature": "spend_30d", "op": ">", "value": spend})
        exact, seen = (service.diff(caller, definition, EARLIER, None) for caller in (ANALYST, VIEWER))
        assert exact["stayed"] + exact["entered"] == exact["after"]
        assert seen == exact | ({} if told else dict.fromkeys(("entered", "left", "stayed")))


def test_very_large_data_are_previewed_by_an_estimate(make_workspace, tmp_path):
    large = Service.open(make_workspace(tmp_path, "estimate_from = 1000\n"))
    found = large.preview(ANALYST, from_json(BEER))
    assert found["size"] is None
    assert found["estimate"] == large.estimate(ANALYST, from_json(BEER))
    # Who a rank holds of depends on everybody.
    assert large.preview(ANALYST, from_json(RANKED))["size"] == 50
    few = from_json(FEW)
    drawn = draw(large.rooms.audiences, few).members
    assert len(drawn) < 10
    with read_by("somebody"):
        assert large.preview(VIEWER, few)["estimate"]["size"] == (None if drawn else 0)


def test_each_part_of_a_definition_is_counted_by_itself(service):
    either = {"any_of": [BEER, MONTH]}
    definition = from_json({"all_of": [BEER, {"not": MONTH}, either, {"rank_by": "spend_90d", "count": 50}]})
    sizes = Views(service).parts(ANALYST, definition)
    parts = [definition, *definition.children, *definition.children[2].children]
    assert sizes == {fingerprint(part): service.rooms.audiences.size(part) for part in parts}
    unknown = from_json({"all_of": [BEER, {"feature": "orders_90", "op": ">=", "value": 5}]})
    beer, wrong = (fingerprint(part) for part in unknown.children)
    assert Views(service).parts(ANALYST, unknown) == {
        fingerprint(unknown): None,
        beer: service.size(ANALYST, from_json(BEER)),
        wrong: None,
    }


def test_counts_of_parts_give_no_small_group_away(service):
    definition = from_json({"all_of": [BEER, {"not": FEW}]})
    whole, beer, others = (fingerprint(part) for part in (definition, *definition.children))
    sizes = Views(service).parts(Caller("paula", Role.viewer), definition)
    assert sizes[whole] == service.rooms.audiences.size(definition)
    # Each differs by the few from what was told before it: the whole, and everyone.
    assert str(sizes[beer]).startswith("≈")
    assert str(sizes[others]).startswith("≈")
    few = from_json(FEW)
    assert Views(service).parts(Caller("paul", Role.viewer), few)[fingerprint(few)] == "<10"


@pytest.mark.parametrize("setting", ["estimate_from = 1000\n", "noise_epsilon = 0.5\n"])
def test_parts_are_not_counted_where_each_costs_as_much_as_the_whole(make_workspace, tmp_path, setting):
    views = Views(Service.open(make_workspace(tmp_path, setting)))
    assert views.parts(VIEWER, from_json({"any_of": [BEER, MONTH]})) == {}


def test_a_size_that_is_held_back_is_rounded_on_the_page(service, monkeypatch):
    session = Session(Views(service))
    monkeypatch.setattr(session, "caller", lambda _request: Caller("pia", Role.viewer))
    assert "1,298" in session.summary(None, session.preview(None, from_json(BEER)))
    held = session.preview(None, from_json({"all_of": [BEER, {"not": FEW}]}))
    assert held["size"] is None
    shown = session.summary(None, held)
    assert f">{service.told(Caller('pia', Role.viewer), from_json(held['definition']))}<" in shown
    assert "≈" in shown
    assert ">fewer than 10<" in session.summary(None, session.preview(None, from_json(FEW)))
