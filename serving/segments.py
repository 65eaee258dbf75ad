"""Commands about segment definitions: counted, estimated, compared between dates, asked about one customer, as SQL; and
about the discovered ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.workspace import DEFAULT, open_workspace
from segments.codec import to_json
from segments.errors import CommandError
from serving.access import Permission
from serving.callers import acting
from serving.options import JsonOption, WorkspaceOption, read_definition

segment_app = typer.Typer(
    help="Work with segment definitions, without a language model.", no_args_is_help=True
)

DefinitionFile = Annotated[Path, typer.Argument(help="A definition as JSON.")]
DAY = ["%Y-%m-%d"]
FEW = "Customers too few to show"
"""In place of a size that is, or tells of, a group too small for who asks."""


@segment_app.command()
def preview(
    file: DefinitionFile,
    as_json: JsonOption = False,
    members: Annotated[bool, typer.Option("--members", help="List the members' source ids.")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Count a definition, or estimate it in very large data, and show its SQL."""
    from serving.service import Service

    caller, service = acting(workspace, _listing(members), "segment preview"), Service.open(workspace)
    definition = read_definition(file, workspace)
    found = service.preview(caller, definition)
    if members:
        found["members"], _ = service.members(caller, definition)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    size = _estimated(found["estimate"]) if "estimate" in found else _customers(found["size"])
    typer.echo(f"{size}: {found['words']}\n\n{found['sql']}")


@segment_app.command()
def estimate(
    file: DefinitionFile,
    share: Annotated[
        float | None,
        typer.Option(
            "--share", help="Of the customers, above 0 and at most 1; default 0.05, 200,000 at most."
        ),
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Estimate a definition's size from a sample of the customers, with its 95 % interval."""
    from serving.service import Service

    caller, service = acting(workspace, "read", "segment estimate"), Service.open(workspace)
    found = service.estimate(caller, read_definition(file, workspace), share)
    typer.echo(json.dumps(found) if as_json else _estimated(found))


@segment_app.command()
def diff(
    file: DefinitionFile,
    earlier: Annotated[datetime, typer.Option("--from", formats=DAY, help="The earlier date.")],
    later: Annotated[
        datetime | None, typer.Option("--to", formats=DAY, help="The later date; default the data's.")
    ] = None,
    members: Annotated[
        bool, typer.Option("--members", help="List who entered and who left, by source id (JSON).")
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Count who entered a definition and who left it between two dates."""
    from serving.service import Service

    caller, service = acting(workspace, _listing(members), "segment diff"), Service.open(workspace)
    definition = read_definition(file, workspace)
    dates = earlier.date(), None if later is None else later.date()
    found = service.diff(caller, definition, *dates)
    if members:
        for which in ("entered", "left"):
            found[f"{which}_members"], _ = service.movers(caller, definition, *dates, which)
    if as_json or members:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    moved = f"{FEW} moved"
    if found["entered"] is not None:
        moved = f"{found['entered']:,} entered, {found['left']:,} left, {found['stayed']:,} stayed"
    before, after = _customers(found["before"]), _customers(found["after"])
    typer.echo(f"{before} on {found['earlier']}, {after} on {found['later']}: {moved}")


@segment_app.command()
def why(
    file: DefinitionFile,
    customer: Annotated[str, typer.Argument(help="The customer's id in your own data.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Say why one customer is in a definition, or which conditions are missing, near misses first."""
    asked = {"customer": customer}
    _told(workspace, "export", "segment why", "explain_membership", file, as_json, **asked)


@segment_app.command()
def trend(file: DefinitionFile, as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """Count a definition at twelve dates of the last year, and say whether its size jumped."""
    _told(workspace, "read", "segment trend", "trend_segment", file, as_json)


@segment_app.command()
def breakdown(
    file: DefinitionFile,
    feature: Annotated[
        str, typer.Argument(help="A feature's name, e.g. age; `segassist features` lists them.")
    ],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Count a definition by the values of one feature, beside everyone."""
    asked = {"feature": feature}
    _told(workspace, "read", "segment breakdown", "breakdown_segment", file, as_json, **asked)


@segment_app.command()
def overlap(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """Say how the saved segments overlap: customers in both, Jaccard, near-duplicates."""
    _told(workspace, "read", "segment overlap", "overlap_segments", None, as_json)


@segment_app.command()
def duplicates(
    file: DefinitionFile, as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT
) -> None:
    """Find the saved segments that are nearly the same as a definition, which need not be saved."""
    _told(workspace, "read", "segment duplicates", "find_duplicates", file, as_json)


@segment_app.command()
def sql(
    file: DefinitionFile,
    dialect: Annotated[str, typer.Option(help="Any dialect that sqlglot writes.")] = "duckdb",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Print a definition's SQL."""
    from assistant.rooms import Rooms

    acting(workspace, "read", "segment sql")
    try:
        print(Rooms(open_workspace(workspace)).audiences.sql(read_definition(file, workspace), dialect))
    except ValueError as error:
        raise CommandError(f"--dialect: {error}") from error


@segment_app.command()
def clusters(
    k: Annotated[
        int | None, typer.Option("--discover", help="Discover so many anew; 0: as many as separate best.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """List the natural segments discovered so far, with the definition of each."""
    from serving.service import Service

    caller, service = acting(workspace, "read", "segment clusters"), Service.open(workspace)
    if k is not None:
        service.call(caller, "discover_segments", {"k": k} if k else {})
    for cluster in service.clusters(caller):
        if as_json:
            print(json.dumps(cluster, ensure_ascii=False))
        else:
            definition, size = json.dumps(cluster["definition"]), _customers(cluster["size"])
            typer.echo(f"{definition}  {size}: {cluster['name_en']}")


def _told(
    workspace: Path,
    needs: Permission,
    what: str,
    tool: str,
    file: Path | None,
    as_json: bool,
    **arguments: str,
) -> None:
    """What a tool tells of a definition, or of all that are saved, in words or as JSON."""
    from assistant.answer import plain
    from serving.service import Service

    caller, service = acting(workspace, needs, what), Service.open(workspace)
    definition = {} if file is None else {"definition": to_json(read_definition(file, workspace))}
    asked = definition | arguments
    if as_json:
        typer.echo(json.dumps(service.call(caller, tool, asked), ensure_ascii=False))
        return
    settings = service.rooms.workspace.settings
    typer.echo(plain(service.run(caller, tool, asked), "en", settings.currency, settings.min_group))


def _listing(members: bool) -> Permission:
    return "export" if members else "read"


def _customers(size: int | None) -> str:
    return FEW if size is None else f"{size:,} customers"


def _estimated(found: dict[str, Any]) -> str:
    if found["size"] is None:
        return FEW
    return (
        f"About {found['size']:,} customers ({found['low']:,} to {found['high']:,}, {found['level']:.0%} interval, "
        f"from {found['sampled']:,} of {found['population']:,})"
    )
