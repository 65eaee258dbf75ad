"""Plans and experiments on the command line."""

import json

import pytest

from campaigns.experiment import Experiment
from segments.codec import from_json
from serving.access import OWNER
from serving.service import Service
from tests.serving.test_cli import segassist

MANY = {"feature": "orders_90d", "op": ">=", "value": 3}


@pytest.fixture(scope="module")
def shop(make_workspace, tmp_path_factory):
    """A workspace with a plan and an experiment, and its service."""
    folder = make_workspace(tmp_path_factory.mktemp("campaigns"))
    service = Service.open(folder)
    service.save_plan(OWNER, "spring", from_json(MANY), None, 500, None)
    service.run(OWNER, "assign_holdout", {"definition": MANY, "name": "A/B"})
    return folder, service


def test_customers_are_printed_or_written_and_the_audit_log_has_it(shop, tmp_path):
    folder, service = shop
    printed = segassist("experiments", "customers", "A/B", "--arm", "contact", "-w", folder)
    made = Experiment.from_dict(service.rooms.experiments.load("A/B"))
    assert printed.code == 0, printed.err
    lines = printed.out.splitlines()
    assert lines[0] == "customer,arm,tier,offer,as_of,definition"
    assert [line.split(",")[0] for line in lines[1:]] == service.rooms.vault.source_ids(
        sorted(made.customers("contact"))
    )
    out = tmp_path / "spring.jsonl"
    written = segassist("plans", "customers", "spring", "--format", "jsonl", "--out", out, "-w", folder)
    count = len(service.rooms.plans.load("spring")["arms"])
    assert written.out == f"{count} customers: {out}\n"
    assert len([json.loads(line) for line in out.read_text().splitlines()]) == count
    assert out.stat().st_mode & 0o077 == 0, "a list of customers is its maker's own"
    last = service.audit.entries(1)[0]
    assert (last.via, last.action, last.detail["exported"], last.detail["count"]) == (
        "cli",
        "export",
        "plan spring",
        count,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plans", "customers", "autumn"), "No plan is named 'autumn'"),
        (("plans", "customers", "spring", "--arm", "both"), "--arm: must be one of contact, holdout"),
        (("plans", "customers", "spring", "--format", "xlsx"), "--format: must be one of csv, jsonl"),
        (("plans", "customers", "spring", "--out", "/nowhere/a.csv"), "--out: there is no folder /nowhere"),
    ],
)
def test_what_cannot_be_listed_is_told(shop, words, said):
    ran = segassist(*words, "-w", shop[0])
    assert ran.code == 2
    assert said in ran.err
