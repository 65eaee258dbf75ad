"""Who works at the command line: every command in every role, keys from the environment, and the operator."""

import json
import os
import pwd
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

import serving.callers
from segments.errors import CommandError, ForbiddenError, UnauthenticatedError
from serving.access import LEAST, OWNER, Caller, Role, allow
from serving.audit import Audit
from serving.callers import KEY_FILE_VARIABLE, KEY_VARIABLE, caller_at
from serving.cli import app
from serving.service import Service
from serving.users import Users
from tests.assistant.conftest import postgres_url  # noqa: F401 - a fixture
from tests.serving.conftest import ROLES
from tests.warehouse.conftest import postgres_server  # noqa: F401 - a fixture

BEER = {"event": "purchase", "items": {"category": ["BEERS/ALES"]}}
FEW = {"all_of": [BEER, {"feature": "spend_365d", "op": ">", "value": 12000}]}
READ, ASK, EXPORT, OPERATE = (LEAST[p].name for p in ("read", "ask", "export", "operate"))

COMMANDS: dict[str, tuple[str, list[str]]] = {
    "build": (OPERATE, []),
    "ask": (ASK, ["who?"]),
    "replay": (EXPORT, ["bundle.json"]),
    "features": (READ, []),
    "serve": (OPERATE, []),
    "serve api": (OPERATE, []),
    "serve llm": (OPERATE, []),
    "index train-encoder": (OPERATE, []),
    "models": (READ, []),
    "models list": (READ, []),
    "models rollback": (OPERATE, ["purchase_30d"]),
    "models track": (READ, []),
    "models performance": (READ, ["purchase_30d"]),
    "models compare": (OPERATE, ["purchase_30d"]),
    "models choose": (OPERATE, ["purchase_30d", "default"]),
    "models card": (READ, ["purchase_30d"]),
    "models explain": (EXPORT, ["purchase_30d", "1"]),
    "models drift": (READ, ["purchase_30d"]),
    "segment preview": (READ, ["beer.json"]),
    "segment preview --members": (EXPORT, ["beer.json"]),
    "segment estimate": (READ, ["beer.json"]),
    "segment diff": (READ, ["beer.json", "--from", "2017-10-01"]),
    "segment diff --members": (EXPORT, ["beer.json", "--from", "2017-10-01"]),
    "segment why": (EXPORT, ["beer.json", "1"]),
    "segment trend": (READ, ["beer.json"]),
    "segment breakdown": (READ, ["beer.json", "age"]),
    "segment overlap": (READ, []),
    "segment duplicates": (READ, ["beer.json"]),
    "segment sql": (READ, ["beer.json"]),
    "segment clusters": (READ, []),
    "ask --members": (EXPORT, ["who?"]),
    "plans customers": (EXPORT, ["spring"]),
    "experiments customers": (EXPORT, ["spring"]),
    "users add": (OPERATE, ["eve"]),
    "users key": (OPERATE, ["eve"]),
    "users list": (OPERATE, []),
    "users role": (OPERATE, ["eve", "viewer"]),
    "users revoke": (OPERATE, ["eve"]),
    "audit verify": (OPERATE, []),
    "audit show": (OPERATE, []),
    "doctor": (OPERATE, []),
    "backup": (OPERATE, ["shop.tar.gz"]),
    "restore": (OPERATE, ["shop.tar.gz"]),
    "ingest": (OPERATE, ["complete-journey"]),
    "refresh": (OPERATE, []),
    "quality": (READ, []),
    "export": (EXPORT, ["beer.json", "--name", "beer"]),
    "data rules": (READ, []),
    "data restore": (OPERATE, ["--rule", "duplicates"]),
    "data enforce": (OPERATE, ["--rule", "duplicates"]),
    "data tastes": (READ, []),
    "data read-reviews": (OPERATE, []),
    "data encrypt": (OPERATE, []),
    "data decrypt": (OPERATE, []),
    "privacy erase": (OPERATE, ["1"]),
    "privacy budget": (OPERATE, []),
    "privacy retain": (OPERATE, ["--months", "12"]),
}
"""The least role of each command, and its arguments. A new command must be added here."""
NO_WORKSPACE = {"schema", "generate"}
"""They touch no workspace, so that nobody is asked who they are."""
BY_ITSELF = {"mcp"}
"""Whose caller is asked for in another way, see `test_a_programs_model_is_never_the_operator`."""


class Passed(Exception):
    """A command's caller was let through."""


def commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        path, is_group = f"{before}{name}", hasattr(command, "commands")
        if not (is_group and command.no_args_is_help):
            yield path
        if is_group:
            yield from commands(command, f"{path} ")


def segassist(*words: object, key: str = "", file: object = ""):
    """A command's result with a key of the environment."""
    return CliRunner().invoke(
        app, [str(word) for word in words], env={KEY_VARIABLE: key, KEY_FILE_VARIABLE: str(file)}
    )


@pytest.fixture(scope="module")
def shop(make_workspace, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A workspace with one user of each role, and their keys."""
    folder = make_workspace(tmp_path_factory.mktemp("callers"))
    users = Users(folder / "state.sqlite")
    return folder, {role: users.add(f"{role}@shop", Role[role]) for role in ROLES}


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """Files with definitions: of many customers, and of few."""
    folder = tmp_path_factory.mktemp("definitions")
    made = {"beer": BEER, "few": FEW}
    for name, definition in made.items():
        (folder / f"{name}.json").write_text(json.dumps(definition))
    return {name: folder / f"{name}.json" for name in made}


def test_every_command_has_its_least_role():
    known = {" ".join(word for word in name.split() if word != "--members") for name in COMMANDS}
    assert set(commands(typer.main.get_command(app))) == known | NO_WORKSPACE | BY_ITSELF


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_run_the_commands_that_it_is_for_and_no_other(shop, role, monkeypatch, tmp_path):
    """What the command would do is stopped where the caller has been let through; who they are is real."""
    folder, keys = shop

    def stop(caller, permission) -> None:
        allow(caller, permission)
        raise Passed

    monkeypatch.setattr(serving.callers, "allow", stop)
    monkeypatch.chdir(tmp_path)
    for name, (least, arguments) in COMMANDS.items():
        ran = segassist(*name.split(), *arguments, "-w", folder, key=keys[role])
        allowed = Role[role] >= Role[least]
        assert isinstance(ran.exception, Passed if allowed else ForbiddenError), f"{role} {name}: {ran!r}"
        if not allowed:
            last = Audit(folder).entries(1)[0]
            named = name.removesuffix(" --members")
            assert (last.who, last.role, last.via) == (f"{role}@shop", role, "cli")
            assert (last.action, last.detail) == ("denied", {"of": named})
    assert list(tmp_path.iterdir()) == []


def test_a_role_sees_at_the_command_line_what_it_sees_elsewhere(shop, written):
    folder, keys = shop
    preview = ("segment", "preview", written["few"], "--json", "-w", folder)
    sizes = {role: json.loads(segassist(*preview, key=keys[role]).output)["size"] for role in ROLES}
    assert sizes["viewer"] is sizes["marketer"] is None
    assert 0 < sizes["analyst"] == sizes["admin"] < 10
    few = segassist("segment", "preview", written["few"], "-w", folder, key=keys["viewer"])
    assert few.output.startswith("Customers too few to show: ")
    whole = segassist("segment", "preview", written["beer"], "-w", folder, key=keys["viewer"])
    assert whole.output.startswith("1,298 customers: ")
    about = segassist("segment", "estimate", written["few"], "--share", 1, "-w", folder, key=keys["viewer"])
    assert about.output == "Customers too few to show\n"
    moved = segassist(
        "segment", "diff", written["beer"], "--from", "2017-12-30", "-w", folder, key=keys["viewer"]
    )
    assert moved.output.endswith(": Customers too few to show moved\n")
    ran = segassist("export", written["beer"], "--name", "beer", "-w", folder, key=keys["marketer"])
    assert isinstance(ran.exception, ForbiddenError)
    assert not (folder / "exports").exists()


def test_what_is_done_with_a_key_is_its_users(shop, written, tmp_path):
    folder, keys = shop
    file = tmp_path / "key"
    file.write_text(keys["analyst"] + "\n")
    assert (
        segassist("segment", "preview", written["beer"], "--members", "-w", folder, file=file).exit_code == 0
    )
    assert (
        segassist("export", written["beer"], "--name", "mine", "-w", folder, key=keys["analyst"]).exit_code
        == 0
    )
    assert segassist("users", "add", "zoe", "-w", folder, key=keys["admin"]).exit_code == 0
    mine = [(e.who, e.role, e.via, e.action) for e in Audit(folder).entries(4)]
    assert mine == [
        ("analyst@shop", "analyst", "cli", "export"),
        ("analyst@shop", "analyst", "cli", "exporting"),
        ("analyst@shop", "analyst", "cli", "export"),
        ("admin@shop", "admin", "cli", "user_added"),
    ]


def test_a_key_that_is_given_must_hold(shop, tmp_path):
    folder, keys = shop
    assert isinstance(
        segassist("features", "-w", folder, key=keys["admin"] + "x").exception, UnauthenticatedError
    )
    both = segassist("features", "-w", folder, key=keys["admin"], file=tmp_path / "key")
    assert isinstance(both.exception, CommandError)
    assert "both set" in str(both.exception)
    none = segassist("features", "-w", folder, file=tmp_path / "none")
    assert f"{KEY_FILE_VARIABLE}: {tmp_path / 'none'} cannot be read" in str(none.exception)


def test_the_operator_needs_no_key_and_is_named_by_the_account(shop, monkeypatch):
    folder, _ = shop
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("USER", "somebody-else")
    assert segassist("users", "key", "viewer@shop", "-w", folder).exit_code == 0
    last, account = Audit(folder).entries(1)[0], pwd.getpwuid(os.geteuid()).pw_name
    assert (last.who, last.role, last.via) == (account, "admin", "cli")


@contextmanager
def may_only_read(folder: Path) -> Iterator[None]:
    """This process as an account that may read a folder and not write in it."""
    folder.chmod(0o555)
    if os.geteuid() == 0:  # root may write everywhere
        os.seteuid(pwd.getpwnam("postgres").pw_uid)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
        folder.chmod(0o755)


def test_who_may_not_write_in_the_folder_says_who_they_are(postgres_url, monkeypatch):  # noqa: F811
    monkeypatch.setenv("SEGASSIST_STATE_URL", postgres_url)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "ready.json").write_text("{}")
        with may_only_read(folder):
            assert caller_at(folder).role is Role.admin, "nobody is asked while there are no users"
            key = Users(postgres_url).add("vera", Role.viewer)
            with pytest.raises(UnauthenticatedError, match=f"give your API key in {KEY_VARIABLE}"):
                caller_at(folder)
            monkeypatch.setenv(KEY_VARIABLE, key)
            found = caller_at(folder)
        assert (found.name, found.role, found.via, found.space) == ("vera", Role.viewer, "cli", "vera")


def test_a_workspace_that_is_not_built_has_nobody_to_be(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "sga_of_another_workspace")
    assert caller_at(tmp_path / "none").role is Role.admin
    assert not (tmp_path / "none").exists()


def test_a_programs_model_is_never_the_operator(shop, monkeypatch):
    folder, keys = shop
    heard: list[Caller] = []

    async def serve(_service: Service, caller: Callable[[], Caller]) -> None:
        heard.append(caller())

    monkeypatch.setattr("serving.mcp.serve_stdio", serve)
    assert isinstance(segassist("mcp", "-w", folder).exception, UnauthenticatedError)
    assert segassist("mcp", "-w", folder, key=keys["viewer"]).exit_code == 0
    assert [caller.name for caller in heard] == ["viewer@shop"] != [OWNER.name]
