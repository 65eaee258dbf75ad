"""Commands about a workspace's data: its quality report, exports, and the erasure of a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from assistant.workspace import DEFAULT, open_workspace
from segments.errors import InternalError, NotBuiltError
from serving.operate import local_caller, log_here
from serving.options import JsonOption, WorkspaceOption, read_definition

data_app = typer.Typer()
privacy_app = typer.Typer(help="Rights of the persons whose data this is.", no_args_is_help=True)
data_app.add_typer(privacy_app, name="privacy")


@data_app.command()
def quality(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """What cleaning did to the data and what the quality gate says."""
    from warehouse.quality import HTML_FILE, JSON_FILE

    path = open_workspace(workspace).folder / JSON_FILE
    if not path.exists():
        raise NotBuiltError(f"There is no quality report in {workspace}; run: segassist build")
    report = json.loads(path.read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    typer.echo(f"{report['verdict']}: {report['events']:,} events. Plots: {path.with_name(HTML_FILE)}")
    for check in report["checks"]:
        typer.echo(f"{check['verdict']:4}  {check['dimension']:12}  {check['name']}: {check['detail']}")
    for rule in report["rules"]:
        typer.echo(f"{rule['rows']:>9,} rows  {rule['name']}: {rule['action']}")


@data_app.command()
def export(
    definition: Annotated[Path, typer.Argument(help="A definition (JSON file).")],
    name: Annotated[
        str, typer.Option("--name", help="What the export is called; the last one stays findable.")
    ],
    file_format: Annotated[str, typer.Option("--format", help="csv, parquet or jsonl.")] = "csv",
    webhook: Annotated[str | None, typer.Option("--webhook", help="Deliver it to this address.")] = None,
    secret: Annotated[str, typer.Option(envvar="SEGASSIST_WEBHOOK_SECRET", help="Signs the delivery.")] = "",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write a segment's members and their manifest, all or nothing, and write it in the audit log."""
    from serving.service import Service
    from warehouse.export import manifest_of
    from warehouse.webhook import deliver

    service = Service.open(workspace)
    made = service.export(local_caller(), read_definition(definition), name, file_format)
    manifest = manifest_of(made)
    typer.echo(f"{manifest.count} customers: {made / manifest.file}")
    if webhook is not None:
        tries = deliver(made, webhook, secret)
        typer.echo(f"Delivered to {webhook} ({tries} {'try' if tries == 1 else 'tries'}).")


@data_app.command()
def generate(
    folder: Annotated[Path, typer.Argument(help="Where the files and their mapping are written.")],
    customers: Annotated[int, typer.Option(min=1)] = 10_000,
    events: Annotated[int, typer.Option(min=1)] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
) -> None:
    """Write made-up behaviour of any size, ready for `segassist ingest`: to try the product, or its scale."""
    from serving.terminal import steps
    from warehouse.synthetic import generate as write_events

    with steps() as progress:
        mapping = write_events(folder, customers, events, seed, progress=progress("Write events"))
    typer.echo(f"Ready: segassist ingest {mapping} --workspace WORKSPACE")


@privacy_app.command()
def erase(
    customer: Annotated[str, typer.Argument(help="The customer's id in your own data.")],
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Remove one person from every store, and show that no trace is left. Stop the server first."""
    from assistant.privacy import erase_person

    found = erase_person(open_workspace(workspace), customer)
    # The log says that it was done, not to whom: the person is to be forgotten.
    log_here(workspace, "erase")
    for table, rows in sorted(found.data.rows.items()):
        typer.echo(f"{rows:>9,} rows of {table}")
    typer.echo(
        f"{len(found.data.exports):>9,} exported files, {len(found.segments)} saved segments, ", nl=False
    )
    typer.echo(f"{found.conversations} conversations, {'one' if found.in_index else 'no'} index entry")
    if found.traces:
        raise InternalError(f"The customer is still found in: {', '.join(found.traces)}; run it again.")
    typer.echo("No trace is left. Models learned from everybody are trained anew by the next build.")
