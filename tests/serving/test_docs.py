"""What the pages for operators and the container files say holds: every command and option exists."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main
import yaml

from assistant.workspace import Settings, read_settings
from serving.cli import app
from serving.http.schemas import Ask
from serving.llm import vllm
from serving.llm.guard import GRACE_SECONDS
from serving.programs import SHUTDOWN_SECONDS

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
DATA_DOCS = (ROOT / "docs" / "own-data.md").read_text(encoding="utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
EVALUATION = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")

AFTERWARDS = GRACE_SECONDS + 5
"""Seconds for what ends after the last answer: the language model, and export jobs, which hear of it at their next step."""


def commands() -> list[str]:
    """Every `segassist ...` of the pages, the compose lines and the Dockerfile."""
    pages = DOCS + DATA_DOCS + MODELS + EVALUATION
    code = "\n".join(re.findall(r"```bash\n(.*?)```", pages, re.DOTALL))
    found = [line.split(" #")[0].strip() for line in code.splitlines() if "segassist " in line]
    found.append(" ".join(re.findall(r'"([^"]+)"', DOCKERFILE.splitlines()[-1])))
    found.append(" ".join(COMPOSE["services"]["refresh"]["command"]))
    for unit in sorted((ROOT / "deploy").glob("*.service")):
        found += re.findall(r"^ExecStart=.*/(segassist .*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    return [line[line.index("segassist ") :] for line in found]


def test_the_question_that_the_readme_asks_over_http_is_one():
    (body,) = re.findall(r"/v1/ask .* -d '(.+?)'", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert Ask.model_validate_json(body).question == "who spent over $500 last quarter?"


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_page_exists_with_its_options(line):
    command, (_, *words) = typer.main.get_command(app), shlex.split(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known, line
    if words and not words[0].startswith("-"):
        assert not getattr(command, "commands", {}), f"{words[0]} is no command: {line}"


def test_the_settings_of_the_page_are_settings():
    table = DOCS[DOCS.index("| setting |") : DOCS.index("A request may have")]
    named = re.findall(
        r"`(\w+)`", "\n".join(line.split("|")[1] for line in table.splitlines()[2:] if "|" in line)
    )
    assert named
    for name in named:
        assert name in Settings.__dataclass_fields__
    assert str(Settings().requests_per_minute) in table


def test_the_outcomes_that_the_page_declares_are_read(tmp_path):
    declared = re.search(r"```toml\n(.*?)```", MODELS, re.DOTALL).group(1)
    (tmp_path / "segassist.toml").write_text(declared, encoding="utf-8")
    names = [outcome.name for outcome in read_settings(tmp_path).outcomes]
    assert names == ["churn_60d", "beer_or_wine_30d", "next_14d"]


def test_the_roles_of_the_page_are_the_table():
    from serving.access import LEAST, Role

    rows = {
        "see the catalogue": "read",
        "ask the assistant": "ask",
        "get customers one by one": "export",
        "metrics, audit log": "operate",
    }
    for line in DOCS.splitlines():
        for words, permission in rows.items():
            if line.startswith(f"| {words}"):
                marks = [bool(cell.strip()) for cell in line.split("|")[2:6]]
                assert marks == [role >= LEAST[permission] for role in Role], line


def test_the_units_run_as_nobody_and_come_back():
    units = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy").iterdir()}
    assert set(units) == {
        "segassist.service",
        "segassist-llm.service",
        "segassist-refresh.service",
        "segassist-refresh.timer",
    }
    for name, text in units.items():
        if name.endswith(".service"):
            assert re.search(r"^User=(?!root)\w+$", text, re.MULTILINE)
            assert "NoNewPrivileges=true" in text
    stops = int(re.search(r"^TimeoutStopSec=(\d+)$", units["segassist.service"], re.MULTILINE).group(1))
    assert stops >= SHUTDOWN_SECONDS + AFTERWARDS
    assert "KillMode=mixed" in units["segassist.service"]
    assert "Restart=always" in units["segassist.service"]
    assert "segassist refresh --workspace" in units["segassist-refresh.service"]


def test_the_containers_language_model_has_the_flags_of_our_own():
    service = COMPOSE["services"]["llm"]
    given = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in service["command"]]
    ours = vllm.flags(vllm.MODEL, "here", 1, vllm.VLLMOptions())
    flags = " ".join([f"--model {vllm.MODEL}", *ours]).replace(" --", "\n--").splitlines()
    wanted = {flag.replace(" ", "=", 1) for flag in flags}
    where = {"--host=here", "--port=1"}
    assert set(given) == wanted - where
    assert re.search(r"vllm-openai:v\d+\.\d+\.\d+}$", service["image"])


def test_the_container_is_reached_from_this_machine_only_and_runs_as_nobody():
    service = COMPOSE["services"]["app"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert "privileged" not in service
    assert int(service["stop_grace_period"].removesuffix("s")) >= SHUTDOWN_SECONDS + AFTERWARDS
    assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER (?!root)\w+", DOCKERFILE, re.MULTILINE)
    assert all(volume.split(":")[0] in COMPOSE["volumes"] for volume in service["volumes"])
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"workspaces", ".venv", ".git"} <= set(ignored)
