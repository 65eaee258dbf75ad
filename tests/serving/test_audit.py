"""The audit log: what is in it, that it is written first, and that no change to it goes unseen."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from assistant.mentions import Mention
from segments.canonical import fingerprint
from segments.codec import from_json
from segments.errors import DataError, LLMUnavailableError, StorageError
from serving.access import Caller, Role
from serving.audit import KEY_VARIABLE, Audit
from serving.cli import app

ROOT = Path(__file__).parents[2]
ADA = Caller("ada", Role.analyst, "api")
BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}


@pytest.fixture
def audit(tmp_path) -> Audit:
    log = Audit(tmp_path)
    for number in range(5):
        log.write(ADA, "ask", question=f"question {number}", tools=[{"name": "define_segment"}])
    return log


def file_of(audit) -> str:
    return make_url(audit._log.name).database


def tamper(audit, *statements) -> None:
    """What somebody with the file in hand does: the triggers first, then the entries."""
    with sqlite3.connect(file_of(audit)) as connection:
        for name in ("UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER audit_no_{name}")
        for statement in statements:
            connection.execute(statement)


def test_a_log_that_nobody_touched_holds(audit, tmp_path):
    verdict = Audit(tmp_path).verify()
    assert (verdict.entries, verdict.breaks) == (5, ())
    assert verdict.head.startswith("5:")
    assert [e.detail["question"] for e in audit.entries(2)] == ["question 3", "question 4"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE audit_log SET detail = '{}' WHERE seq = 3", "Entry 3 .* was changed"),
        ("UPDATE audit_log SET who = 'eve' WHERE seq = 1", "Entry 1 .* was changed"),
        ("UPDATE audit_log SET at = '2020-01-01' WHERE seq = 5", "Entry 5 .* was changed"),
        ("UPDATE audit_log SET detail = 'no JSON' WHERE seq = 2", "Entry 2 .* was changed"),
        ("UPDATE audit_log SET hash = 'é' WHERE seq = 2", "Entry 2 .* was changed"),
        ("UPDATE audit_log SET hash = x'00ff' WHERE seq = 5", "Entry 5 .* was changed"),
        ("UPDATE audit_log SET detail = x'00ff' WHERE seq = 2", "Entry 2 .* was changed"),
        ("UPDATE audit_log SET who = x'00ff' WHERE seq = 2", "Entry 2 .* was changed"),
        ("UPDATE audit_log SET detail = CAST(x'ff' AS TEXT) WHERE seq = 5", "Entry 5 .* was changed"),
        ("DELETE FROM audit_log WHERE seq = 2", "Entry 2 is missing"),
        ("DELETE FROM audit_log WHERE seq = 1", "Entry 1 is missing"),
        (
            "INSERT INTO audit_log SELECT 6, at, who, role, via, action, detail, hash, hash FROM audit_log WHERE seq = 5",
            "Entry 6 .* was changed",
        ),
    ],
)
def test_a_change_is_found(audit, tmp_path, change, said):
    tamper(audit, change)
    breaks = audit.verify().breaks
    assert re.search(said, " ".join(breaks))
    assert Audit(tmp_path).verify().breaks == breaks
    json.dumps([vars(entry) for entry in audit.entries()]).encode()


def test_a_chain_computed_anew_without_the_key_is_found(audit, tmp_path):
    """SHA-256 alone could be computed again by whoever changed the entry."""
    import hashlib

    tamper(audit, "UPDATE audit_log SET who = 'eve' WHERE seq = 5")
    with sqlite3.connect(file_of(audit)) as connection:
        row = connection.execute("SELECT * FROM audit_log WHERE seq = 5").fetchone()
        forged = hashlib.sha256(json.dumps(list(row[:-1])).encode()).hexdigest()
        connection.execute("UPDATE audit_log SET hash = ? WHERE seq = 5", [forged])
    assert audit.verify().breaks


def test_an_end_that_was_cut_off_is_found_by_a_head_noted_before(audit):
    head = audit.verify().head
    audit.write(ADA, "ask", question="later")
    assert not audit.verify(head).breaks
    tamper(audit, "DELETE FROM audit_log WHERE seq >= 5")
    assert not audit.verify().breaks
    assert "cut off" in audit.verify(head).breaks[0]


def test_a_person_is_redacted_and_the_chain_and_earlier_heads_hold(audit):
    audit.write(ADA, "ask", question="why is customer 77 in it, and who spent 77?")
    audit.write(ADA, "tool", tools=[{"name": "explain_membership", "arguments": {"customer": "77"}}])
    audit.write(ADA, "ask", question="客户77呢？")
    head = audit.verify().head
    assert audit.redact(Mention("c0ffee00c0ffee00", "77")) == 3
    assert audit.redact(Mention("c0ffee00c0ffee00", "77")) == 0
    said = [entry.detail for entry in audit.entries()][5:8]
    assert said[0] == {"question": "why is customer [erased] in it, and who spent 77?"}
    assert said[1]["tools"][0]["arguments"] == {"customer": "[erased]"}
    assert b"customer 77" not in Path(file_of(audit)).read_bytes()
    assert audit.verify(head).breaks == ()
    with (
        sqlite3.connect(file_of(audit)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute("UPDATE audit_log SET who = 'eve'")
    # A redacted entry that is changed again is found like any other.
    tamper(audit, "UPDATE audit_log SET detail = '{}' WHERE seq = 7")
    assert [one[:7] for one in audit.verify(head).breaks] == ["Entry 7"]


def test_redacting_hides_no_change_that_somebody_made_before(audit):
    audit.write(ADA, "ask", question="why is customer 77 in it?")
    audit.write(ADA, "ask", question="why is customer 77 not in it?")
    tamper(audit, "UPDATE audit_log SET who = 'eve' WHERE seq = 6")
    assert audit.redact(Mention("c0ffee00c0ffee00", "77")) == 2
    assert b"customer 77" not in Path(file_of(audit)).read_bytes()
    assert [one[:7] for one in audit.verify().breaks] == ["Entry 6"]


def test_the_log_takes_no_change_in_the_ordinary_way(audit):
    with sqlite3.connect(file_of(audit)) as connection:
        for statement in ("DELETE FROM audit_log", "UPDATE audit_log SET who = 'eve'"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


WRITER = """
import sys
from pathlib import Path
from serving.access import Caller, Role
from serving.audit import Audit
log = Audit(Path(sys.argv[1]))
for number in range(40):
    log.write(Caller(sys.argv[2], Role.viewer), "ask", number=number)
"""


def test_several_processes_write_one_chain(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    running = [subprocess.Popen([*command, name], cwd=ROOT) for name in ("ada", "bob", "eve")]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    log = Audit(tmp_path)
    assert (log.verify().entries, log.verify().breaks) == (120, ())
    for name in ("ada", "bob", "eve"):
        assert [e.detail["number"] for e in log.entries() if e.who == name] == list(range(40))


def test_the_key_is_the_owners_alone_and_is_missed(audit, tmp_path):
    key = tmp_path / "audit.key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.rename(tmp_path / "elsewhere.key")
    with pytest.raises(DataError, match=r"audit\.key is gone; put it back"):
        Audit(tmp_path)


def test_the_key_may_be_kept_elsewhere(audit, tmp_path, monkeypatch):
    (tmp_path / "vault").mkdir()
    (tmp_path / "audit.key").rename(tmp_path / "vault" / "k")
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "vault" / "k"))
    assert not Audit(tmp_path).verify().breaks


# What the service writes


def last(guarded, count=1) -> list:
    return guarded.service.audit.entries(count)


def test_a_question_is_logged_with_its_tools_and_segment(guarded, model):
    model.replies.append("define_segment")
    with guarded.client("marketer") as client:
        answer = client.post("/v1/ask", json={"question": "who bought beer?"}).json()
    (entry,) = last(guarded)
    assert (entry.who, entry.role, entry.via, entry.action) == ("marketer@shop", "marketer", "api", "ask")
    assert entry.detail["question"] == "who bought beer?"
    assert entry.detail["tools"] == [{"name": "define_segment", "arguments": {"definition": BEER}}]
    assert entry.detail["definition"] == answer["segment"]["hash"]


def test_an_export_is_logged_with_its_count(guarded):
    with guarded.client("analyst") as client:
        page = client.post("/v1/segments/members", json={"definition": BEER, "limit": 7}).json()
    (entry,) = last(guarded)
    assert entry.action == "export"
    assert entry.detail["exported"] == "members"
    assert (entry.detail["count"], entry.detail["of"]) == (len(page["members"]), page["total"]) == (7, 1298)
    assert entry.detail["as_of"] == "2018-01-01"


def test_what_was_tried_and_refused_is_logged(guarded):
    with guarded.client("viewer") as client:
        client.post("/v1/segments/members", json={"definition": BEER})
    (entry,) = last(guarded)
    assert (entry.who, entry.action, entry.detail) == (
        "viewer@shop",
        "denied",
        {"of": "POST /v1/segments/members"},
    )


def test_whose_probability_was_asked_is_logged_and_so_is_who_might_not(guarded):
    asked = {"customer": "1", "outcome": "purchase_30d"}
    with guarded.client("marketer") as client:
        assert client.post("/v1/propensity/score", json=asked).status_code == 403
    with guarded.client("analyst") as client:
        assert client.post("/v1/propensity/score", json=asked).status_code == 200
    (entry,) = last(guarded, 1)
    assert (entry.who, entry.action) == ("analyst@shop", "tool")
    assert entry.detail["tools"] == [{"name": "explain_propensity", "arguments": asked}]


def test_a_tool_call_a_save_and_a_failed_question_are_logged(guarded, model):
    with guarded.client("admin") as client:
        client.post("/v1/tools/find_lookalikes", json={"definition": BEER, "top": 3})
        client.put("/v1/segments/logged", json={"definition": BEER})
        client.delete("/v1/segments/logged")
        model.replies.append(LLMUnavailableError("down"))
        client.post("/v1/ask", json={"question": "who bought beer?"})
    tool, save, delete, failed = last(guarded, 4)
    assert tool.detail["tools"] == [{"name": "find_lookalikes", "arguments": {"definition": BEER, "top": 3}}]
    assert (save.action, save.detail) == (
        "save",
        {"segment": "logged", "definition": fingerprint(from_json(BEER))},
    )
    assert (delete.action, delete.detail["segment"]) == ("delete", "logged")
    assert (failed.action, failed.detail["failed"]) == ("ask", "llm_unavailable")
    assert not guarded.service.audit.verify().breaks


def test_the_entry_is_there_before_the_answer_is(guarded, model):
    """A streamed turn is logged when its tools have run: the reader has seen no word of the answer yet."""
    model.replies.append("plan_strategy")
    model.words.append("We miss you.")
    before = len(guarded.service.audit.entries())
    caller = guarded.service.users.named("admin@shop")
    for step, _ in guarded.service.stream(caller, "what do we offer customers who bought beer with $5,000?"):
        if step in ("words", "answer", "done"):
            assert len(guarded.service.audit.entries()) == before + 1


def test_nothing_is_answered_that_cannot_be_logged(guarded, model, monkeypatch):
    def full(*_args, **_more):
        raise StorageError("The audit log cannot be used (disk full), so nothing is answered; free the disk.")

    monkeypatch.setattr(guarded.service.audit, "write", full)
    model.replies.append("define_segment")
    with guarded.client("admin") as client:
        answers = [
            client.post("/v1/ask", json={"question": "who bought beer?"}),
            client.post("/v1/segments/members", json={"definition": BEER}),
        ]
    for answer in answers:
        assert answer.status_code == 503
        assert "nothing is answered" in answer.json()["detail"]
        assert "1,298" not in answer.text


def test_the_page_asks_as_the_person_who_signed_in(guarded, model):
    """Through Gradio's own client protocol, with the cookie of the sign-in page."""
    model.replies.append("define_segment")
    with httpx.Client(base_url=guarded.url, follow_redirects=True, timeout=60) as browser:
        browser.post("/signin", data={"key": guarded.keys["marketer"]})
        api = browser.get("/config").json()
        chat = next(d for d in api["dependencies"] if d["api_name"] == "ask")
        body = {"data": ["who bought beer?", [], None], "fn_index": chat["id"], "session_hash": "s1"}
        assert browser.post("/gradio_api/queue/join", json=body).status_code == 200
        with browser.stream("GET", "/gradio_api/queue/data", params={"session_hash": "s1"}) as stream:
            for line in stream.iter_lines():
                if "process_completed" in line:
                    break
    assert "1,298" in line
    (entry,) = last(guarded)
    assert (entry.who, entry.via, entry.detail["question"]) == ("marketer@shop", "page", "who bought beer?")


# The commands


def test_the_commands_show_and_verify(guarded):
    folder = str(guarded.service.rooms.workspace.folder)

    def run(*arguments):
        return CliRunner().invoke(app, ["audit", *arguments, "--workspace", folder])

    shown = run("show", "--last", "3", "--json").stdout.splitlines()
    assert [json.loads(line)["seq"] for line in shown] == [e.seq for e in last(guarded, 3)]
    verified = run("verify")
    assert verified.exit_code == 0, verified.exception
    assert "entries hold" in verified.stdout
    broken = run("verify", "--head", "9:" + "0" * 64)
    assert broken.exit_code == 1
    assert "cut off" in broken.stdout
