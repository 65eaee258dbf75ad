"""Commands about segment definitions: counted, estimated, compared between dates, as SQL; and the discovered ones."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.workspace import DEFAULT, open_workspace
from segments.definition import Node
from segments.errors import CommandError
from serving.operate import local_caller
from serving.options import JsonOption, WorkspaceOption, read_definition

segment_app = typer.Typer(
    help="Work with segment definitions, without a language model.", no_args_is_help=True
)

DefinitionFile = Annotated[Path, typer.Argument(help="A definition as JSON.")]
DAY = ["%Y-%m-%d"]


@segment_app.command()
def preview(
    file: DefinitionFile,
    as_json: JsonOption = False,
    members: Annotated[bool, typer.Option("--members", help="List the members' source ids.")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Count a definition, or estimate it in very large data, and show its SQL."""
    found = _segment(read_definition(file, workspace), workspace, members)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    size = _estimated(found["estimate"]) if "estimate" in found else f"{found['size']} customers"
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

    service = Service.open(workspace)
    found = service.estimate(local_caller(), read_definition(file, workspace), share)
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

    service, definition = Service.open(workspace), read_definition(file, workspace)
    dates = earlier.date(), None if later is None else later.date()
    found = service.diff(local_caller(), definition, *dates)
    if members:
        for which in ("entered", "left"):
            found[f"{which}_members"], _ = service.movers(local_caller(), definition, *dates, which)
    if as_json or members:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(
        f"{found['before']:,} customers on {found['earlier']}, {found['after']:,} on {found['later']}: "
        f"{found['entered']:,} entered, {found['left']:,} left, {found['stayed']:,} stayed"
    )


@segment_app.command()
def sql(
    file: DefinitionFile,
    dialect: Annotated[str, typer.Option(help="Any dialect that sqlglot writes.")] = "duckdb",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Print a definition's SQL."""
    from assistant.app import Rooms

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
    from dataclasses import asdict

    from assistant.app import Rooms
    from segments.codec import to_json
    from segments.definition import InCluster

    rooms = Rooms(open_workspace(workspace))
    if k is not None:
        rooms.discover(k or None)
    for version in rooms.discoveries.versions():
        for cluster in rooms.discoveries.clusters(version):
            definition = to_json(InCluster(version, cluster.number))
            if as_json:
                print(json.dumps({"definition": definition, **asdict(cluster)}, ensure_ascii=False))
            else:
                typer.echo(f"{json.dumps(definition)}  {cluster.size:,} customers: {cluster.name_en}")


def _estimated(found: dict[str, Any]) -> str:
    return (
        f"About {found['size']:,} customers ({found['low']:,} to {found['high']:,}, {found['level']:.0%} interval, "
        f"from {found['sampled']:,} of {found['population']:,})"
    )


def _segment(definition: Node, workspace: Path, members: bool) -> dict[str, Any]:
    from serving.service import Service

    service = Service.open(workspace)
    found = service.preview(local_caller(), definition)
    if members:
        found["members"], _ = service.members(local_caller(), definition)
    return found
