"""The smallest group by role (`[min_group_of]`): what one role is shown and another is not, wherever sizes are shown."""

from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from assistant.workspace import ROLES as NAMED
from segments.codec import from_json, to_json
from segments.errors import DefinitionError, ForbiddenError
from serving.access import Caller, Role
from serving.page.session import Session
from serving.service import Service
from serving.views import Views
from tests.serving.conftest import ROLES

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
EARLIER = date(2017, 10, 1)
VIEWER_K, MARKETER_K, ANALYST_K = 100, 60, 10
SETTING = f"[min_group_of]\nviewer = {VIEWER_K}\nmarketer = {MARKETER_K}\n"
QUESTION = "who spent over $800 in the last 30 days?"
VIEWER, MARKETER, ANALYST = (
    Caller(f"{name}@shop", Role[name], space=f"{name}@shop") for name in ("viewer", "marketer", "analyst")
)


@pytest.fixture(scope="module")
def service(make_workspace, scripted, tmp_path_factory) -> Service:
    made = Service.open(make_workspace(tmp_path_factory.mktemp("groups"), SETTING), scripted)
    for role in ROLES:
        made.users.add(f"{role}@shop", Role[role])
    return made


@pytest.fixture(scope="module")
def group(service):
    """`group(least, most)`: those above a spend who are at least so many and fewer than so many."""

    def found(least: int, most: int):
        for spend in range(20, 1500, 10):
            definition = from_json({"feature": "spend_30d", "op": ">", "value": spend})
            if least <= service.rooms.audiences.size(definition) < most:
                return definition
        raise AssertionError(f"no group of {least} to {most}")

    return found


def test_the_roles_of_the_setting_are_those_of_users(service):
    assert NAMED == ROLES == tuple(role.name for role in Role)
    assert [service.smallest(caller) for caller in (VIEWER, MARKETER, ANALYST)] == [
        VIEWER_K,
        MARKETER_K,
        ANALYST_K,
    ]


def test_a_size_is_shown_to_those_whose_smallest_group_it_reaches(service, group):
    middle, small = group(MARKETER_K, VIEWER_K), group(ANALYST_K, MARKETER_K)
    exact = {node: service.rooms.audiences.size(node) for node in (middle, small)}
    for ask in (service.size, lambda caller, node: service.preview(caller, node)["size"]):
        assert [ask(VIEWER, middle), ask(VIEWER, small)] == [None, None]
        assert [ask(MARKETER, middle), ask(MARKETER, small)] == [exact[middle], None]
        assert [ask(ANALYST, middle), ask(ANALYST, small)] == [exact[middle], exact[small]]
    assert service.estimate(VIEWER, middle, 1)["size"] is None
    assert service.overlap(VIEWER, [middle, small]) == [[None, None], [None, None]]
    assert service.overlap(MARKETER, [middle, small]) == [[exact[middle], None], [None, None]]


def test_a_difference_is_held_to_the_readers_own(service, group):
    """Everyone less a group of 60 to 100 tells the viewer of it, and is nothing to the marketer."""
    middle = to_json(group(MARKETER_K, VIEWER_K))
    others = from_json({"not": middle})
    assert service.size(VIEWER, others) is None
    assert service.size(MARKETER, others) == service.size(ANALYST, others)


def test_tools_of_mcp_and_chat_hold_it_for_analysts_too(service, group):
    small = to_json(group(ANALYST_K, MARKETER_K))
    for caller in (VIEWER, MARKETER, ANALYST):
        found = service.call(caller.by("mcp"), "show_segment", {"definition": small})
        size = found["evidence"][0]["figures"][0]["value"]
        assert size == (service.size(caller, from_json(small)) or f"<{service.smallest(caller)}")


def test_who_moved_is_told_where_all_of_them_are_enough(service, group):
    middle = group(MARKETER_K, VIEWER_K)
    exact = service.diff(ANALYST, middle, EARLIER, None)
    parts = {part: exact[part] for part in ("entered", "left", "stayed")}
    seen = service.diff(MARKETER, middle, EARLIER, None)
    held = any(0 < size < MARKETER_K for size in parts.values())
    assert {part: seen[part] for part in parts} == (dict.fromkeys(parts) if held else parts)
    assert {service.diff(VIEWER, middle, EARLIER, None)[part] for part in parts} == {None}


def test_too_few_are_not_described(service, group):
    middle, views = group(MARKETER_K, VIEWER_K), Views(service)
    with pytest.raises(DefinitionError, match=f"fewer than {VIEWER_K} customers"):
        views.rfm(VIEWER, middle)
    with pytest.raises(DefinitionError, match=f"fewer than {VIEWER_K}"):
        service.run(VIEWER, "profile_segment", {"definition": to_json(middle)})
    grids = {caller.name: views.rfm(caller, middle) for caller in (MARKETER, ANALYST)}
    shares = {
        name: [cell for row in grid.cells for cell in row if cell is not None and cell > 0]
        for name, grid in grids.items()
    }
    size = service.rooms.audiences.size(middle)
    assert all(share * size >= MARKETER_K - 0.5 for share in shares["marketer@shop"])
    assert any(share * size < MARKETER_K for share in shares["analyst@shop"])


def test_an_answer_in_words_names_the_askers_own(service, model):
    # Users who were told nothing before.
    marketer, analyst = (replace(caller, space=f"new {caller.name}") for caller in (MARKETER, ANALYST))
    said = {}
    for caller in (marketer, analyst):
        model.replies.append("define_segment")
        said[caller.name] = service.ask(caller, QUESTION, "c")
    size = said["analyst@shop"].segment["size"]
    assert ANALYST_K <= size < MARKETER_K
    assert f"**{size} customers**" in said["analyst@shop"].answer
    assert f"Fewer than {MARKETER_K} customers match" in said["marketer@shop"].answer
    assert said["marketer@shop"].segment["size"] is None
    # What the bundle holds of it runs again as it was.
    bundle = service.bundle(marketer, "c")
    assert bundle["k"] == MARKETER_K
    token = service.share_conversation(analyst, "c")
    with pytest.raises(ForbiddenError, match=f"groups of fewer than {MARKETER_K} customers"):
        service.shared_conversation(marketer, token)
    assert service.shared_conversation(analyst, token).turns
    assert service.shared_conversation(analyst, service.share_conversation(marketer, "c")).turns


def test_what_everybody_may_read_is_of_groups_that_everybody_is_shown(service, group):
    middle, large = group(MARKETER_K, VIEWER_K), group(4 * VIEWER_K, 12 * VIEWER_K)
    for caller in (MARKETER, ANALYST):
        with pytest.raises(DefinitionError, match=f"{VIEWER_K}"):
            service.save_plan(caller, "small", middle, None, 500, None)
        with pytest.raises(DefinitionError, match=f"{VIEWER_K}"):
            service.run(caller, "assign_holdout", {"definition": to_json(middle), "name": "small"})
    assert service.rooms.plans.names() == service.rooms.experiments.names() == []
    assert service.save_plan(MARKETER, "large", large, None, 500, None).name == "large"


def test_the_page_says_whose_smallest_group_it_is(service, group):
    from serving.page.settings import Settings

    session, shown = Session(Views(service)), object.__new__(Settings)
    shown.session = session
    for caller, k in ((VIEWER, VIEWER_K), (MARKETER, MARKETER_K), (ANALYST, ANALYST_K)):
        request = SimpleNamespace(username=caller.name)
        assert f"<dd>{k}<div" in shown.load(request)
        assert session.customers(session.smallest(request), None) == f"fewer than {k}"
    request = SimpleNamespace(username=VIEWER.name)
    segment = session.preview(request, group(MARKETER_K, VIEWER_K))
    assert f"fewer than {VIEWER_K}" in session.summary(request, segment)


def test_the_library_tells_who_moved_by_the_rule_of_two_dates(service):
    """Not where enough entered and left, but few stayed."""
    for days in range(3, 30):
        definition = from_json(BEER | {"from_days_ago": days})
        exact = service.diff(ANALYST, definition, EARLIER, None)
        if min(exact["entered"], exact["left"]) >= VIEWER_K > exact["stayed"] > 0:
            break
    else:
        raise AssertionError("no segment that enough entered and left, and few stayed in")
    service.save(ANALYST, "moving", definition)
    saved = replace(service.rooms.library.get("moving"), saved_at=datetime(2017, 10, 1, tzinfo=UTC))
    views = Views(service)
    for _ in range(2):  # also of what was kept
        assert views._moved(ANALYST, saved) == (exact["entered"], exact["left"])
        assert views._moved(VIEWER, saved) == (None, None)
