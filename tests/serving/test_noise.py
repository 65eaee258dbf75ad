"""Noise on counts, at every way in: API, tools, MCP's caller, chat and page; exact only for who may export anyway."""

import re

import pytest

from assistant.disclosure import read_by
from assistant.toolbox import tool_specs
from assistant.tools import COUNTING
from segments.codec import from_json, to_json
from segments.definition import EVERYONE, Not
from segments.errors import DataError, ForbiddenError
from serving.access import Caller, Role
from serving.service import Service
from serving.views import Views
from tests.serving.fakes import ScriptedModel
from tests.serving.test_operate import segassist

pytest.importorskip("opendp")
EPSILON, BUDGET = 0.02, 1.0
"""Noise of about 70 customers, so that an exact count by chance is rare; fifty counts."""
SETTINGS = f"noise_epsilon = {EPSILON}\nnoise_budget = {BUDGET}\n"
BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
PARENTS = {"feature": "has_children", "op": "=", "value": True}


@pytest.fixture
def folder(make_workspace, tmp_path):
    return make_workspace(tmp_path / "shop", SETTINGS)


@pytest.fixture
def service(folder):
    return Service.open(folder, ScriptedModel())


def person(name: str, role: Role, via: str = "api") -> Caller:
    return Caller(name, role, via, space=name)


MIA, ANN = person("mia", Role.marketer), person("ann", Role.analyst)


def figures(evidence) -> dict:
    return {figure["name"]: figure["value"] for figure in evidence[0]["figures"]}


def test_every_way_in_shows_the_same_noised_count_and_pays_once(service):
    beer = from_json(BEER)
    exact = service.rooms.audiences.size(beer)
    noised = service.size(MIA, beer)
    assert abs(noised - exact) < 1000
    previewed = service.preview(MIA, beer)
    assert (previewed["size"], previewed["reachable"]) == (noised, {})
    called = figures(service.call(MIA, "show_segment", {"definition": BEER})["evidence"])
    assert called["size"] == noised
    assert called["share"] == pytest.approx(noised / service.rooms.audiences.population)
    assert service.overlap(MIA, [beer, beer]) == [[noised, noised], [noised, noised]]
    assert service.rooms.noise.spent() == {"mia": pytest.approx(EPSILON)}
    (_, one), (other, _) = service.overlap(MIA, [beer, Not(beer)])
    assert one == other
    service.rooms.noise.grant("mia")
    service.size(MIA, beer)
    service._model.replies = ["define_segment"]
    answer = service.ask(MIA, "who bought beer?")
    assert answer.segment["definition"] == BEER
    assert answer.segment["size"] == noised
    assert f"{noised:,}" in answer.answer
    assert service.rooms.noise.spent() == {"mia": pytest.approx(EPSILON)}
    assert service.preview(MIA, EVERYONE)["size"] == service.rooms.audiences.population
    others = {
        service.size(MIA, from_json({"feature": "spend_365d", "op": ">", "value": v}))
        for v in range(300, 308)
    }
    assert len(others) > 3


def test_who_may_export_sees_exact_counts_but_not_through_another_ones_model(service):
    beer = from_json(BEER)
    exact = service.rooms.audiences.size(beer)
    assert service.size(ANN, beer) == service.preview(ANN, beer)["size"] == exact
    assert figures(service.call(ANN, "show_segment", {"definition": BEER})["evidence"])["size"] == exact
    assert service.rooms.noise.spent() == {}
    mcp = person("ann", Role.analyst, "mcp")
    shown = figures(service.call(mcp, "show_segment", {"definition": BEER})["evidence"])["size"]
    assert shown == service.size(MIA, beer)
    assert service.rooms.noise.spent().keys() == {"ann", "mia"}


def test_a_small_group_is_told_by_its_noised_count_only(service):
    nobody = from_json({"feature": "spend_365d", "op": ">", "value": 10_000_000})
    assert service.rooms.audiences.size(nobody) == 0
    with read_by("mia"):
        seen = service.rooms.disclosure.shown(nobody)
    assert seen == "<10" or seen >= 10
    assert seen != 0


def test_nothing_but_counts_is_told(service):
    beer = from_json(BEER)
    service.save(MIA, "beer", beer)
    refused = 0
    for spec in service.tools(MIA):
        if spec.name in COUNTING:
            continue
        refused += 1
        with pytest.raises(ForbiddenError, match="counts carry noise"):
            service.call(MIA, spec.name, {})
    assert refused > 10
    assert {"profile_segment", "plan_strategy", "discover_segments"} <= tool_specs().keys() - COUNTING
    views = Views(service)
    for view in (views.rfm, views.category_mix, views.behaviour_map, views.overlaps):
        with pytest.raises(ForbiddenError, match="counts carry noise"):
            view(MIA, beer)
        assert view(ANN, beer) is not None
    (entry,), _ = views.library(MIA)
    assert entry.size == service.size(MIA, beer)
    assert entry.moved in (None, (None, None))
    service._model.replies = ["profile_segment"]
    answer = service.ask(MIA, "describe customers who bought beer")
    assert "counts carry noise" in (answer.refused or answer.clarification or answer.answer)


def test_a_breakdown_and_a_trend_are_noised(service):
    counted = service.call(MIA, "breakdown_segment", {"definition": BEER, "feature": "age"})["evidence"]
    groups = {f["label"]: f["value"] for f in counted[1]["figures"] if re.fullmatch(r"group\.\d+", f["name"])}
    before = dict(service.rooms.noise.spent())
    again = service.call(MIA, "breakdown_segment", {"definition": BEER, "feature": "age"})["evidence"]
    assert groups == {
        f["label"]: f["value"] for f in again[1]["figures"] if re.fullmatch(r"group\.\d+", f["name"])
    }
    assert service.rooms.noise.spent() == before == {"mia": pytest.approx(3 * EPSILON)}
    exact = service.call(ANN, "breakdown_segment", {"definition": BEER, "feature": "age"})["evidence"]
    truth = {f["label"]: f["value"] for f in exact[1]["figures"] if re.fullmatch(r"group\.\d+", f["name"])}
    assert groups.keys() == truth.keys()
    assert groups != truth
    trend = service.call(MIA, "trend_segment", {"definition": BEER})["evidence"][1]
    assert not {"last_step", "usual_step"} & {figure["name"] for figure in trend["figures"]}
    assert service.rooms.noise.spent()["mia"] > 8 * EPSILON


def test_a_saved_segment_that_changes_is_another_question(service):
    named = from_json({"member_of": "crowd"})
    service.save(MIA, "crowd", from_json(BEER))
    first = service.size(MIA, named)
    service.save(MIA, "crowd", from_json(PARENTS))
    service.size(MIA, named)
    assert service.rooms.noise.spent() == {"mia": pytest.approx(2 * EPSILON)}
    service.save(MIA, "crowd", from_json(BEER))
    assert service.size(MIA, named) == first


def test_a_spent_budget_is_said_everywhere_and_granted_anew(folder, service):
    beer = from_json(BEER)
    seen = service.size(MIA, beer)
    for value in range(300, 300 + round(BUDGET / EPSILON) - 1):
        service.size(MIA, from_json({"feature": "spend_365d", "op": ">", "value": value}))
    service.save(MIA, "parents", from_json(PARENTS))
    service = Service.open(folder, ScriptedModel())
    parents = from_json(PARENTS)
    for ask in (
        lambda: service.size(MIA, parents),
        lambda: service.preview(MIA, parents),
        lambda: service.call(MIA, "show_segment", {"definition": to_json(parents)}),
    ):
        with pytest.raises(ForbiddenError, match=r"privacy budget is spent \(1 of 1\)"):
            ask()
    service._model.replies = ["define_segment"]
    answer = service.ask(MIA, "who has children?")
    assert "privacy budget is spent" in (answer.refused or answer.clarification or answer.answer)
    (entry,), _ = Views(service).library(MIA)
    assert "privacy budget is spent" in str(entry.problem)
    assert service.size(MIA, beer) == seen
    assert segassist("privacy", "budget", "-w", folder).stdout == "mia: 1 of 1\n"
    assert segassist("privacy", "budget", "--grant", "mia", "-w", folder).exit_code == 0
    assert service.size(MIA, parents) is not None


def test_without_users_everybody_shares_one_budget(service):
    for conversation in ("a", "b"):
        service._model.replies = ["define_segment"]
        service.assistant.ask("who bought beer?", conversation)
    assert service.rooms.noise.spent() == {"": pytest.approx(EPSILON)}


def test_noise_is_off_by_default(make_workspace, tmp_path):
    plain = Service.open(make_workspace(tmp_path / "plain"))
    beer = from_json(BEER)
    assert plain.rooms.noise is None
    assert plain.size(MIA, beer) == plain.rooms.audiences.size(beer)
    assert "Counts carry no noise" in str(segassist("privacy", "budget", "-w", tmp_path / "plain").exception)


@pytest.mark.parametrize("settings", ["noise_epsilon = -1", "noise_epsilon = 5\nnoise_budget = 4"])
def test_settings_that_make_no_sense_are_told(make_workspace, tmp_path, settings):
    with pytest.raises(DataError, match="noise_epsilon must be at least 0"):
        Service.open(make_workspace(tmp_path / "odd", settings + "\n"))
