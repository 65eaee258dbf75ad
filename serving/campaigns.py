"""Commands about saved plans and experiments: whom to contact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.workspace import DEFAULT
from segments.atomic import write_private
from segments.errors import CommandError
from serving.callers import acting
from serving.options import WorkspaceOption

if TYPE_CHECKING:
    from assistant.documents import Kind

plans_app = typer.Typer(help="Work with saved campaign plans.", no_args_is_help=True)
experiments_app = typer.Typer(help="Work with experiments.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The name that it is saved under.")]
ArmOption = Annotated[str, typer.Option("--arm", help="Only this arm: contact or holdout.")]
FormatOption = Annotated[str, typer.Option("--format", help="csv or jsonl.")]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", help="A file to write, instead of printing.")]


@plans_app.command("customers")
def plan_customers(
    name: NameArgument,
    arm: ArmOption = "",
    file_format: FormatOption = "csv",
    out: OutOption = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """List a plan's customers with arm, tier and offer, and write it in the audit log."""
    _customers("plan", name, arm, file_format, out, workspace)


@experiments_app.command("customers")
def experiment_customers(
    name: NameArgument,
    arm: ArmOption = "",
    file_format: FormatOption = "csv",
    out: OutOption = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """List an experiment's customers with their arms, and write it in the audit log."""
    _customers("experiment", name, arm, file_format, out, workspace)


def _customers(kind: Kind, name: str, arm: str, file_format: str, out: Path | None, workspace: Path) -> None:
    from campaigns.assign import ARMS, Arm
    from serving.customers import LIST_FORMATS, ListFormat
    from serving.service import Service

    chosen: Arm | None = next((one for one in ARMS if one == arm), None)
    written: ListFormat | None = next((one for one in LIST_FORMATS if one == file_format), None)
    if arm and chosen is None:
        raise CommandError(f"--arm: must be one of {', '.join(ARMS)}; got '{arm}'.")
    if written is None:
        raise CommandError(f"--format: must be one of {', '.join(LIST_FORMATS)}; got '{file_format}'.")
    if out is not None and not out.parent.is_dir():
        raise CommandError(f"--out: there is no folder {out.parent}.")
    caller, service = acting(workspace, "export", f"{kind}s customers"), Service.open(workspace)
    documents = service.rooms.plans if kind == "plan" else service.rooms.experiments
    found = service.customers(caller, documents, name, arm=chosen)
    if out is None:
        typer.echo(found.text(written), nl=False)
    else:
        write_private(out, found.text(written).encode())
        typer.echo(f"{len(found.rows)} customers: {out}")
