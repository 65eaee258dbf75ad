"""Plans and experiments over HTTP: versions, tags, owners, and what is shown of them."""

import csv
import json
from datetime import timedelta

import pytest

from campaigns.experiment import Experiment
from campaigns.plan import Strategy
from segments.canonical import fingerprint
from segments.codec import from_json
from serving.backup import restore_backup, write_backup
from serving.customers import CustomerList
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
        page = client.get("/v1/plans/spring", params={"offset": 1, "limit": 5})
        assert (page.headers["x-total-count"], [v["version"] for v in page.json()["versions"]]) == ("2", [1])
        missing = client.get("/v1/plans/spring", params={"version": 3})
        assert (missing.status_code, "newest is 2" in missing.json()["detail"]) == (404, True)
        listed = client.get("/v1/plans")
        assert (listed.headers["x-total-count"], [plan["name"] for plan in listed.json()]) == (
            "1",
            ["spring"],
        )
    saved = next(entry for entry in reversed(guarded.service.audit.entries(20)) if entry.action == "save")
    assert (saved.who, saved.detail["plan"]) == ("admin@shop", "spring")


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


def test_whom_an_experiment_contacts_is_exported_by_who_may_and_written_down(guarded):
    rooms = guarded.service.rooms
    with guarded.client("marketer") as marketer, guarded.client("analyst") as analyst:
        begun = {"definition": MANY, "name": "A/B 春季"}
        marketer.post("/v1/tools/assign_holdout", json=begun).raise_for_status()
        where = "/v1/experiments/A%2FB%20春季/customers"
        refused = marketer.get(where)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        found = analyst.get(where)
        assert found.headers["content-type"].startswith("text/csv")
        assert found.headers["etag"] == analyst.get("/v1/experiments/A%2FB%20春季").headers["etag"]
        assert "A-B-%E6%98%A5%E5%AD%A3-customers.csv" in found.headers["content-disposition"]
        rows = list(csv.DictReader(found.text.splitlines()))
        made = Experiment.from_dict(rooms.experiments.load("A/B 春季"))
        assert {row["customer"]: row["arm"] for row in rows} == {
            source: made.arms[customer][1]
            for customer, source in zip(made.arms, rooms.vault.source_ids(list(made.arms)), strict=True)
        }
        assert not set(made.arms) & set(found.text.replace("\n", ",").split(",")), "no pseudonym leaves"
        stamp = {(row["as_of"], row["definition"], row["offer"]) for row in rows}
        assert stamp == {(made.start.isoformat(), fingerprint(from_json(MANY)), "")}
        held = analyst.get(where, params={"arm": "holdout", "format": "jsonl"})
        assert held.headers["x-total-count"] == str(len(made.customers("holdout")))
        assert {json.loads(line)["arm"] for line in held.text.splitlines()} == {"holdout"}
        assert analyst.get(where, params={"arm": "both"}).status_code == 422
        assert analyst.get(where, params={"format": "xlsx"}).status_code == 422
        assert analyst.get("/v1/experiments/autumn/customers").status_code == 404
    entries = [entry for entry in guarded.service.audit.entries(20) if entry.action == "export"]
    assert [(entry.who, entry.detail["exported"]) for entry in entries[-2:]] == [
        ("analyst@shop", "experiment A/B 春季")
    ] * 2
    assert entries[-2].detail["count"] == len(made.arms) == entries[-1].detail["of"]
    assert entries[-1].detail["count"] == len(made.customers("holdout"))
    assert entries[-1].detail["definition"] == fingerprint(from_json(MANY))


def test_whom_a_plan_contacts_is_exported_with_tier_and_offer_of_the_version_asked_for(guarded):
    rooms = guarded.service.rooms
    with guarded.client("analyst") as client:
        put(client)
        put(client, LOYAL)
        for number, definition in ((1, MANY), (2, LOYAL)):
            found = client.get("/v1/plans/spring/customers", params={"version": number})
            plan = Strategy.restored(rooms.plans.load("spring", number))
            assert plan.definition == definition
            rows = list(csv.reader(found.text.splitlines()))
            assert rows[0] == ["customer", "arm", "tier", "offer", "as_of", "definition"]
            sources = dict(zip(rooms.vault.source_ids(list(plan.arms)), plan.arms, strict=True))
            assert {row[0]: (row[2], row[3], row[1]) for row in rows[1:]} == {
                source: plan.arms[customer] for source, customer in sources.items()
            }
            assert {tuple(row[4:]) for row in rows[1:]} == {
                (plan.as_of.isoformat(), fingerprint(from_json(definition)))
            }
        assert client.get("/v1/plans/spring").json()["content"]["definition"] == LOYAL
        missing = client.get("/v1/plans/spring/customers", params={"version": 3})
        assert "newest is 2" in missing.json()["detail"]


def test_a_plan_is_fetched_in_words_by_what_is_accepted(guarded):
    with guarded.client("viewer") as viewer, guarded.client("marketer") as marketer:
        put(marketer)
        text = viewer.get("/v1/plans/spring", headers={"accept": "text/markdown"})
        plan = Strategy.restored(guarded.service.rooms.plans.load("spring"))
        assert (text.status_code, text.headers["content-type"]) == (200, "text/markdown; charset=utf-8")
        assert text.text == plan.to_markdown("en", "$")
        assert text.headers["etag"] == viewer.get("/v1/plans/spring").headers["etag"]
        assert "spring.md" in text.headers["content-disposition"]
        browser = {"accept": "text/html,application/xml;q=0.9,*/*;q=0.8", "accept-language": "zh-CN"}
        page = viewer.get("/v1/plans/spring", headers=browser)
        assert page.text.startswith("<!doctype html>")
        assert ("策略" in page.text, 'lang="zh-Hans"' in page.text) == (True, True)
        either = viewer.get("/v1/plans/spring", headers={"accept": "application/json, text/html"})
        assert either.json()["name"] == "spring"


def test_a_customer_who_is_no_longer_kept_is_not_exported(guarded):
    rooms = guarded.service.rooms
    with guarded.client("admin") as client:
        put(client)
        content = rooms.plans.load("spring")
        somebody = next(iter(content["arms"].values()))
        like_them = {"similar_to": {}, "top": 5}
        changed = {"arms": content["arms"] | {"gone": somebody}, "definition": like_them}
        rooms.plans.save("spring", content | changed)
        found = client.get("/v1/plans/spring/customers")
        assert found.status_code == 200, found.text
        assert found.text.splitlines()[1].endswith(f",{rooms.warehouse.as_of},"), (
            "its definition names nobody now"
        )
        assert len(found.text.splitlines()) == 1 + len(content["arms"])


def test_cells_that_a_spreadsheet_would_run_are_quoted_where_it_is_told():
    one = CustomerList("plan", "x", "2018-01-01", "", (("=1+1", "contact", "high", "@beer"),))
    assert one.text("csv").splitlines()[1] == "=1+1,contact,high,@beer,2018-01-01,"
    assert one.text("csv", spreadsheet=True).splitlines()[1] == "'=1+1,contact,high,'@beer,2018-01-01,"
