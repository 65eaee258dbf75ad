"""Plans and experiments over HTTP: versions, tags, owners, and what is shown of them."""

import json
from datetime import timedelta

import pytest

from campaigns.experiment import Experiment
from serving.backup import restore_backup, write_backup
from serving.service import Service

MANY = {"feature": "orders_90d", "op": ">=", "value": 3}
LOYAL = {"feature": "orders_90d", "op": ">=", "value": 5}


@pytest.fixture(autouse=True)
def forget(guarded):
    """What a test saves is deleted after it."""
    yield
    for documents in (guarded.service.rooms.plans, guarded.service.rooms.experiments):
        for name in documents.names():
            documents.delete(name)


def put(client, definition=MANY, **headers):
    body = {"definition": definition, "budget": 500}
    return client.put(
        "/v1/plans/spring", json=body, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_a_plan_has_versions_an_owner_and_no_customers(guarded):
    with guarded.client("marketer") as client, guarded.client("admin") as other:
        first = put(client)
        assert (first.status_code, first.json()["owner"]) == (200, "marketer@shop")
        second = put(other, LOYAL)
        assert (second.json()["version"], second.json()["owner"]) == (2, "marketer@shop")
        found = client.get("/v1/plans/spring")
        assert found.headers["etag"] == second.headers["etag"] != first.headers["etag"]
        body = found.json()
        assert [saved["version"] for saved in body["versions"]] == [2, 1]
        assert body["content"]["budget"] == 500
        customers = guarded.service.rooms.plans.load("spring")["arms"]
        assert customers
        assert not any(customer in found.text for customer in customers)
        old = client.get("/v1/plans/spring", params={"version": 1})
        assert old.headers["etag"] == first.headers["etag"]
        again = client.get("/v1/plans/spring", headers={"if-none-match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        missing = client.get("/v1/plans/spring", params={"version": 3})
        assert (missing.status_code, "newest is 2" in missing.json()["detail"]) == (404, True)
        listed = client.get("/v1/plans")
        assert (listed.headers["x-total-count"], [plan["name"] for plan in listed.json()]) == (
            "1",
            ["spring"],
        )
    saved = next(entry for entry in reversed(guarded.service.audit.entries(20)) if entry.action == "save")
    assert (saved.who, saved.detail["plan"], saved.detail["version"]) == ("admin@shop", "spring", 2)


def test_of_two_who_change_one_plan_one_is_told(guarded):
    with guarded.client("marketer") as client:
        tag = put(client).headers["etag"]
        assert put(client, LOYAL, if_match=tag).status_code == 200
        late = put(client, {"all_of": []}, if_match=tag)
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
        assert late.json()["detail"].startswith("Plan 'spring' is at version 2")
        assert client.delete("/v1/plans/spring", headers={"if-match": tag}).status_code == 412
        assert client.delete("/v1/plans/spring").status_code == 204
        assert client.get("/v1/plans/spring").status_code == 404


def test_an_experiment_of_a_tool_is_its_callers(guarded):
    arguments = {"definition": MANY, "name": "A/B 春季"}
    with guarded.client("marketer") as client:
        assert client.post("/v1/tools/assign_holdout", json=arguments).status_code == 200
        assert client.post("/v1/tools/assign_holdout", json=arguments).status_code == 409
        found = client.get("/v1/experiments/A%2FB%20春季").json()
        assert (found["version"], found["owner"], found["content"]["looks"]) == (1, "marketer@shop", [])
        made = Experiment.from_dict(guarded.service.rooms.experiments.load("A/B 春季"))
        assert found["content"]["contact"] == len(made.customers("contact"))
        assert not any(customer in json.dumps(found) for customer in made.arms)
        begun = (guarded.service.rooms.warehouse.as_of - timedelta(days=20)).isoformat()
        guarded.service.rooms.experiments.change("A/B 春季", lambda content: content | {"start": begun})
        for _ in range(2):
            client.post("/v1/tools/measure_campaign", json={"name": "A/B 春季"}).raise_for_status()
        looked = client.get("/v1/experiments/A%2FB%20春季").json()
        assert (looked["version"], len(looked["content"]["looks"])) == (3, 1)


def test_a_viewer_reads_and_changes_nothing(guarded):
    with guarded.client("marketer") as client, guarded.client("viewer") as viewer:
        put(client)
        assert viewer.get("/v1/plans/spring").status_code == 200
        assert put(viewer).status_code == 403
        assert viewer.delete("/v1/plans/spring").status_code == 403
        assert client.put("/v1/plans/spring", json={"definition": MANY, "goal": "fly"}).status_code == 422
    assert guarded.service.rooms.plans.names() == ["spring"]


def test_plans_and_experiments_are_in_a_backup_and_those_of_an_old_one_are_taken_over(
    make_workspace, tmp_path
):
    shop = make_workspace(tmp_path / "shop")
    service = Service.open(shop)
    service.rooms.plans.save("spring", {"arms": {"c1": 1}})
    service.rooms.plans.claim("spring", "ada")
    service.rooms.state.close()
    (shop / "experiments").mkdir()
    (shop / "experiments" / "0.json").write_text('{"name": "autumn", "content": {"arms": {}}}')
    write_backup(shop, tmp_path / "b.tar.gz")
    restore_backup(tmp_path / "b.tar.gz", tmp_path / "again")
    rooms = Service.open(tmp_path / "again").rooms
    assert [(plan.name, plan.owner) for plan in rooms.plans.all()] == [("spring", "ada")]
    assert rooms.plans.load("spring") == {"arms": {"c1": 1}}
    assert rooms.experiments.load("autumn") == {"arms": {}}
    assert not list((tmp_path / "again" / "experiments").iterdir())
