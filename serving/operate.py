"""The operator's commands: users, audit log, doctor, backup and restore, and the MCP server on stdin and stdout."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from assistant.workspace import DEFAULT, open_workspace
from segments.errors import CommandError
from serving.access import OWNER, Caller, Role
from serving.callers import acting, audit_of, changing_here, given_key, log_here, users_of
from serving.options import JsonOption, WorkspaceOption

operator_app = typer.Typer()
users_app = typer.Typer(help="Users, their roles and API keys.", no_args_is_help=True)
audit_app = typer.Typer(help="The log of who asked, changed and exported what.", no_args_is_help=True)
operator_app.add_typer(users_app, name="users")
operator_app.add_typer(audit_app, name="audit")

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]


@users_app.command("add")
def add_user(
    name: NameArgument,
    role: Annotated[str, typer.Option(help=f"One of {', '.join(r.name for r in Role)}.")] = "marketer",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Add a user, or take a revoked one back, and print their API key, which is shown this once only."""
    given = _role("--role", role)
    caller = acting(workspace, "operate", "users add")
    users = users_of(workspace)
    with changing_here(workspace, caller, "user_added", user=name[:64], role=role):
        key = users.add(name, given)
    typer.echo(key)


@users_app.command("key")
def new_key(name: NameArgument, workspace: WorkspaceOption = DEFAULT) -> None:
    """Print one more API key for a user, to replace one that is then revoked with --key."""
    caller = acting(workspace, "operate", "users key")
    with changing_here(workspace, caller, "key_added", user=name[:64]):
        key = users_of(workspace).new_key(name)
    typer.echo(key)


@users_app.command("role")
def set_role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(r.name for r in Role)}.")],
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Give a user another role. It holds from the next request on."""
    given = _role("ROLE", role)
    caller = acting(workspace, "operate", "users role")
    with changing_here(workspace, caller, "role_changed", user=name[:64], role=role):
        users_of(workspace).set_role(name, given)


def _role(field: str, name: str) -> Role:
    if name not in Role.__members__:
        raise CommandError(f"{field}: must be one of {', '.join(r.name for r in Role)}; got '{name}'.")
    return Role[name]


@users_app.command("list")
def list_users(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List users with their roles and the ids of their keys."""
    acting(workspace, "operate", "users list")
    found = users_of(workspace).all()
    if as_json:
        rows = [asdict(u) | {"role": u.role.name} for u in found]
        print(json.dumps(rows, default=lambda moment: moment.isoformat(), indent=1))
        return
    for user in found:
        state = "revoked" if user.revoked_at else f"keys: {', '.join(user.keys) or 'none'}"
        typer.echo(f"{user.name:32} {user.role.name:9} {state}")


@users_app.command("revoke")
def revoke_user(
    name: NameArgument,
    key: Annotated[str | None, typer.Option(help="Only the key of this id.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Revoke a user and all their keys, or one of the keys. It holds from the next request on."""
    caller, users = acting(workspace, "operate", "users revoke"), users_of(workspace)
    if key is not None and key not in {k for user in users.all() if user.name == name for k in user.keys}:
        raise CommandError(f"--key: '{key}' is no key of {name} that holds; see `segassist users list`.")
    with changing_here(workspace, caller, "revoked", user=name[:64], key=key):
        if key is None:
            users.revoke(name)
        else:
            users.revoke_key(key)


@audit_app.command("verify")
def verify_audit(
    head: Annotated[str | None, typer.Option(help="A head that was noted earlier, as SEQ:HASH.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Check that no entry was changed, removed or put in between. Exit code 1 when one was."""
    acting(workspace, "operate", "audit verify")
    verdict = audit_of(workspace).verify(head)
    for sentence in verdict.breaks:
        typer.echo(sentence)
    if verdict.breaks:
        raise SystemExit(1)
    typer.echo(f"{verdict.entries} entries hold. Head, to note apart from this machine: {verdict.head}")


@audit_app.command("show")
def show_audit(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest entries.")] = 50,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Show the newest entries, oldest first."""
    acting(workspace, "operate", "audit show")
    for entry in audit_of(workspace).entries(last):
        if as_json:
            print(json.dumps(asdict(entry), ensure_ascii=False))
        else:
            detail = json.dumps(entry.detail, ensure_ascii=False)
            typer.echo(
                f"{entry.seq:6} {entry.at[:19]} {entry.who} ({entry.role}, {entry.via}) {entry.action} {detail}"
            )


@operator_app.command()
def mcp(workspace: WorkspaceOption = DEFAULT) -> None:
    """Serve the tools to one MCP client over stdin and stdout. With users, an API key says who it is."""
    import asyncio

    from serving.cli import llm_for
    from serving.llm.lazy import LazyChat
    from serving.mcp import serve_stdio
    from serving.service import Service

    model = LazyChat(llm_for(workspace))
    service = Service.open(workspace, model)
    key = given_key()

    def caller() -> Caller:
        # Another program's language model is never the operator, whoever has started it.
        return service.users.caller(key) if service.users.on else OWNER

    caller()
    try:
        asyncio.run(serve_stdio(service, caller))
    finally:
        model.close()


@operator_app.command()
def doctor(
    port: Annotated[int, typer.Option(help="The port that the server is to use.")] = 7860,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Find what is wrong with the installation or the workspace, and say the way out. Exit code 1 on a failure."""
    from serving.doctor import examine

    acting(workspace, "operate", "doctor")
    findings = examine(workspace, port)
    for finding in findings:
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False))
        else:
            way = f"\n        ▶ {finding.way_out}" if finding.way_out else ""
            typer.echo(f"{finding.level:5} {finding.part:12} {finding.what}{way}")
    if any(finding.level == "fail" for finding in findings):
        raise SystemExit(1)


@operator_app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write, for example shop.tar.gz.")],
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write the whole workspace into one file, while it is in use. It holds the keys: keep it as safe as them."""
    from serving.backup import write_backup
    from serving.terminal import steps

    caller = acting(workspace, "operate", "backup")
    with changing_here(workspace, caller, "backup", file=str(file)), steps() as progress:
        count = write_backup(open_workspace(workspace).folder, file, progress(f"Back up {workspace}"))
    typer.echo(f"{count} files in {file}")
    if open_workspace(workspace).state_url:
        typer.echo("The state is in a database of its own and not in this file: back it up with pg_dump.")


@operator_app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `segassist backup` wrote.")],
    workspace: Annotated[Path, typer.Option("--workspace", "-w", help="The folder to restore into.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a workspace that is there.")
    ] = False,
) -> None:
    """Restore a workspace from a backup, verified first. Stop its server before you replace one."""
    from serving.backup import before_of, restore_backup
    from serving.terminal import steps

    caller = acting(workspace, "operate", "restore")

    def write_down(restored: Path) -> None:
        # Into the log that comes with it: the one that was there may be what is broken.
        log_here(restored, caller, "restore", file=str(file))

    with steps() as progress:
        count = restore_backup(file, workspace, replace, progress(f"Restore {workspace}"), write_down)
    kept = f"; what was there before is in {before_of(workspace)}" if replace else ""
    typer.echo(f"{count} files in {workspace}{kept}")
    typer.echo("Users and keys are as of the backup: revoke again what was revoked since.")
