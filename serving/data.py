"""Commands about a workspace's data: its quality report, exports, and the erasure of a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from assistant.workspace import DEFAULT, open_workspace
from segments.errors import CommandError, InternalError, NotBuiltError
from serving.callers import acting, building_here, changing_here, log_here
from serving.options import JsonOption, WorkspaceOption, read_definition

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.refresh import Published
    from segments.ports import Progress
    from warehouse.export import Manifest

    Convert = Callable[[Path, Progress], tuple[str, ...]]

data_app = typer.Typer()
privacy_app = typer.Typer(help="Rights of the persons whose data this is.", no_args_is_help=True)
rules_app = typer.Typer(
    help="The cleaning rules and what they did; encryption at rest.", no_args_is_help=True
)
data_app.add_typer(privacy_app, name="privacy")
data_app.add_typer(rules_app, name="data")

RuleOption = Annotated[str, typer.Option("--rule", help="A key that `segassist data rules` lists.")]


@data_app.command()
def ingest(
    mapping: Annotated[
        str | None, typer.Argument(help="A mapping file (TOML), or the name of a ready-made one.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace folder to build or add to.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder that the mapping's files are in.")
    ] = None,
    suggest: Annotated[
        list[Path] | None,
        typer.Option("--suggest", help="Propose a mapping for this file, and say why; again for more files."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Files ingested before that have changed take their old place.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read every file anew, and keep nothing of files that are gone.")
    ] = False,
    accept_drift: Annotated[
        bool, typer.Option("--accept-drift", help="Take columns whose type has changed as they are now.")
    ] = False,
) -> None:
    """Build a workspace from your own files and tables, or add the files that are new to it."""
    from assistant.build import build_from
    from assistant.refresh import alone
    from assistant.scoring import NEEDED_DAYS
    from propensity.registry import Registry
    from serving.llm.weights import ensure_model
    from serving.terminal import steps
    from warehouse.mapping import read_mapping

    if suggest:
        _suggest_mapping(suggest)
        return
    if mapping is None or workspace is None:
        raise CommandError("ingest: give a mapping and --workspace, or --suggest with a file.")
    caller = acting(workspace, "operate", "ingest")
    given = read_mapping(mapping, data)
    asked = {"replace": replace, "rebuild": rebuild, "accept_drift": accept_drift}
    how = [name for name, given_so in asked.items() if given_so] or None
    with alone(workspace), building_here(workspace, caller, "ingest", mapping=given.name, how=how) as came:
        with steps() as progress:
            done = build_from(given, workspace, progress, **asked)
            ensure_model(progress=progress("Assemble and verify the embedded language model"))
        came |= {"did": done.intake.action, "files": len(done.intake.files)}
    typer.echo(done.intake.reason)
    for note in done.intake.notes:
        typer.echo(f"Note: {note}")
    if done.added is not None:
        replaced = f", {done.added.replaced:,} replaced" if done.added.replaced else ""
        typer.echo(f"{done.added.events:,} events added{replaced}.")
    if not Registry(done.workspace.models).names():
        typer.echo(
            "Note: No propensity model can be learned from these data yet: the purchases cover fewer than "
            f"{NEEDED_DAYS} days, or no outcome happened to enough customers and stayed away from enough others."
        )
    typer.echo(f"Ready: {workspace}")


@data_app.command()
def refresh(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """Bring a workspace up to date: new files, scores, saved segments. For cron or a timer. Exit code 1 on a failure."""
    from dataclasses import asdict

    from assistant.refresh import check_refreshable, refresh_all
    from serving.terminal import steps

    caller = acting(workspace, "operate", "refresh")
    check_refreshable(workspace)

    def record(made: Manifest) -> None:
        told = {"count": made.count, "of": made.count, "offset": 0, "as_of": made.as_of, "id": made.id}
        log_here(
            workspace,
            caller,
            "export",
            exported=made.name,
            definition=made.fingerprint,
            format=made.format,
            **told,
        )

    with building_here(workspace, caller, "refresh") as came:
        with steps() as progress:
            done = refresh_all(workspace, progress, record)
        failed = bool(done.data_error) or any(segment.error for segment in done.segments)
        counts = {segment.name: segment.count for segment in done.segments if not segment.error}
        came |= {"as_of": done.as_of, "counts": counts, "failed": failed}
    if as_json:
        print(json.dumps(asdict(done), ensure_ascii=False, indent=1))
    else:
        typer.echo(done.ingested or f"No new data: {done.data_error} The data before stay in use.")
        for segment in done.segments:
            typer.echo(_published(segment))
        for model in done.models:
            typer.echo(f"{model.words}{'' if model.holds else '  <- no longer holds'}")
        if done.models_error:
            typer.echo(f"Whether the models still hold cannot be told: {done.models_error}")
        typer.echo(f"As of {done.as_of}: {len(counts)} of {len(done.segments)} saved segments published.")
    if failed:
        raise SystemExit(1)


def _published(segment: Published) -> str:
    if segment.error:
        kept = f"the audience as of {segment.as_of} stays in use" if segment.as_of else "there is none yet"
        return f"{segment.name}: not published ({segment.error}); {kept}."
    before = f", {segment.before:,} before" if segment.before is not None else ""
    told = "  <- jumped" if segment.jumped else "  <- its definition was changed" if segment.redefined else ""
    return f"{segment.name}: {segment.count:,} customers{before}{told}"


def _suggest_mapping(paths: list[Path]) -> None:
    """The mapping on standard output, ready to be kept in a file; the reasons beside it."""
    from warehouse.suggest import suggest

    found = suggest(*paths)
    print(found.toml, end="")
    for guess in found.guesses:
        typer.echo(f"{guess.field} = {guess.column}: {guess.reason}", err=True)
    for note in found.notes:
        typer.echo(f"Note: {note}", err=True)


@data_app.command()
def quality(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """What cleaning did to the data and what the quality gate says."""
    from warehouse.left_out import LeftOut
    from warehouse.quality import HTML_FILE, JSON_FILE
    from warehouse.quality_words import left_out_in_words

    acting(workspace, "read", "quality")
    path = open_workspace(workspace).folder / JSON_FILE
    if not path.exists():
        raise NotBuiltError(f"There is no quality report in {workspace}; run: segassist build")
    report = json.loads(path.read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=1))
        return
    typer.echo(
        f"{report['verdict']}: {report['events']:,} events in the last load. Plots: {path.with_name(HTML_FILE)}"
    )
    for check in report["checks"]:
        typer.echo(f"{check['verdict']:4}  {check['dimension']:12}  {check['name']}: {check['detail']}")
    for rule in report["rules"]:
        typer.echo(f"{rule['rows']:>9,} rows  {rule['name']}: {rule['action']}")
    for source in report.get("left_out", ()):
        typer.echo(left_out_in_words(LeftOut(**source), "en"))


@rules_app.command("rules")
def list_rules(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the cleaning rules with how many rows each touched and how many of them were taken back."""
    from warehouse.clean import RULES
    from warehouse.quality import report_of
    from warehouse.store import known_of

    acting(workspace, "read", "data rules")
    known = known_of(open_workspace(workspace).warehouse)
    done = {result.name: result for result in report_of(known["quality"]).rules}
    for rule in RULES:
        result, off = done.get(rule.name), rule.key in known.get("rules_off", ())
        rows, back = (result.rows, result.restored) if result else (0, 0)
        if as_json:
            row = {"key": rule.key, "name": rule.name, "action": rule.action, "on": not off}
            print(json.dumps(row | {"rows": rows, "restored": back}))
        else:
            state = f"off, {back:,} rows taken back" if off else rule.action
            typer.echo(f"{rule.key:12} {rows:>9,} rows  {rule.name}: {state}")


@rules_app.command("restore")
def restore_rule(rule: RuleOption, workspace: WorkspaceOption = DEFAULT) -> None:
    """Take a cleaning rule back: its rows are as they were in the source, and it is not applied again."""
    from assistant.build import refresh
    from assistant.refresh import alone
    from serving.terminal import steps
    from warehouse.restore import restore

    caller = acting(workspace, "operate", "data restore")
    folder = open_workspace(workspace).folder
    with alone(folder), changing_here(workspace, caller, "rule_restored", rule=rule) as came:
        with steps() as progress:
            rows = restore(folder, rule, progress(f"Take back the rule {rule}"))
            if rows:
                refresh(folder, progress)
        came["rows"] = rows
    typer.echo(f"{rows:,} rows taken back; the rule is off until: segassist data enforce --rule {rule}")


@rules_app.command("tastes")
def list_tastes(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the declared tastes with the items that count as near, and the nearest that do not."""
    from dataclasses import asdict

    from warehouse.store import Warehouse
    from warehouse.tastes import nearest

    acting(workspace, "read", "data tastes")
    warehouse = Warehouse(open_workspace(workspace).warehouse)
    try:
        for found in (nearest(warehouse, taste) for taste in warehouse.tastes):
            if as_json:
                print(json.dumps({"feature": found.taste.feature, **asdict(found)}, ensure_ascii=False))
                continue
            typer.echo(
                f"{found.taste.feature}: {found.items:,} items with a cosine of {found.taste.near} or more"
            )
            for word, kinds in (("in ", found.within), ("out", found.beyond)):
                for kind in kinds:
                    typer.echo(f"  {word}  {kind}")
    finally:
        warehouse.close()


@rules_app.command("read-reviews")
def read_reviews_here(
    most: Annotated[int, typer.Option(min=1, help="How many reviews at most, newest first.")] = 200,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Let the language model read reviews: praise or complaint by aspect, beside the scorer of the build. It may be
    stopped and goes on later; what was read stays until every file is read anew."""
    from assistant.refresh import alone
    from assistant.reviews import read_reviews
    from serving.cli import llm_for
    from serving.terminal import steps

    caller = acting(workspace, "operate", "data read-reviews")
    opened = open_workspace(workspace)
    with (
        alone(opened.folder),
        changing_here(workspace, caller, "reviews_read", most=most) as came,
        llm_for(workspace) as server,
        steps() as progress,
    ):
        found = read_reviews(opened, server.chat, most, progress("Read reviews"))
        came["read"] = found.read
    typer.echo(f"{found.read:,} reviews read, {found.left:,} left out.")
    if found.model_f1 is not None:
        typer.echo(
            f"Against the stars of {found.rated:,} of them: macro-F1 {found.model_f1:.3f}, the word list's "
            f"{found.words_f1:.3f}."
        )


@rules_app.command("encrypt")
def encrypt_data(workspace: WorkspaceOption = DEFAULT) -> None:
    """Encrypt the warehouse and the vault of ids with the key of the environment. Restart the server with it."""
    from warehouse.encrypt import encrypt

    _convert(workspace, encrypt, "encrypt", "encrypted")


@rules_app.command("decrypt")
def decrypt_data(workspace: WorkspaceOption = DEFAULT) -> None:
    """Make an encrypted warehouse and vault plain again. Unset the key then, and restart the server."""
    from warehouse.encrypt import decrypt

    _convert(workspace, decrypt, "decrypt", "plain")


def _convert(workspace: Path, convert: Convert, doing: str, state: str) -> None:
    from assistant.refresh import alone
    from serving.terminal import steps

    caller = acting(workspace, "operate", f"data {doing}")
    folder = open_workspace(workspace).folder
    with alone(folder), changing_here(workspace, caller, doing) as came, steps() as progress:
        names = convert(folder, progress(f"{doing.capitalize()} the data"))
        came["files"] = list(names)
    typer.echo(f"Now {state}: {', '.join(names)}" if names else f"Everything was {state} already.")


@rules_app.command("enforce")
def enforce_rule(rule: RuleOption, workspace: WorkspaceOption = DEFAULT) -> None:
    """Apply a rule again that was taken back: to what is ingested next, and with --rebuild to everything."""
    from assistant.refresh import alone
    from warehouse.restore import enforce

    caller = acting(workspace, "operate", "data enforce")
    folder = open_workspace(workspace).folder
    with alone(folder), changing_here(workspace, caller, "rule_enforced", rule=rule):
        enforce(folder, rule)
    typer.echo("The rule applies to what is ingested next; for what is here: segassist ingest ... --rebuild")


@data_app.command()
def export(
    definition: Annotated[Path, typer.Argument(help="A definition (JSON file).")],
    name: Annotated[
        str, typer.Option("--name", help="What the export is called; the last one stays findable.")
    ],
    file_format: Annotated[
        str,
        typer.Option("--format", help="csv, parquet, jsonl, or table (of export_database, by that name)."),
    ] = "csv",
    channel: Annotated[
        str, typer.Option("--channel", help="Only members who agreed to it: email, sms, ...")
    ] = "",
    webhook: Annotated[
        str | None,
        typer.Option(
            "--webhook", help="Deliver it to this address, or the one of that name in segassist.toml."
        ),
    ] = None,
    secret: Annotated[str, typer.Option(envvar="SEGASSIST_WEBHOOK_SECRET", help="Signs the delivery.")] = "",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write a segment's members and their manifest, all or nothing, and write it in the audit log."""
    from assistant.workspace import read_settings
    from serving.service import Service
    from warehouse.export import read_manifest
    from warehouse.webhook import check_delivery, deliver, webhook_of

    if webhook is not None and "://" in webhook:
        check_delivery(webhook, secret)
    elif webhook is not None:
        webhook, secret = webhook_of(read_settings(workspace).webhooks, webhook, secret)
    caller, service = acting(workspace, "export", "export"), Service.open(workspace)
    made = service.export(caller, read_definition(definition, workspace), name, file_format, channel)
    manifest = read_manifest(made)
    of = f" of {manifest.total}" if manifest.channel else ""
    typer.echo(f"{manifest.count}{of} customers: {made / manifest.file}")
    if webhook is not None:
        # The host alone: the rest of an address may be a secret.
        to = urlsplit(webhook).hostname
        with changing_here(workspace, caller, "delivering", exported=name, id=manifest.id, to=to) as came:
            came["tries"] = tries = deliver(made, webhook, secret)
        typer.echo(f"Delivered to {to} ({tries} {'try' if tries == 1 else 'tries'}).")


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
    from datetime import timedelta

    from assistant.privacy import erase_person, mention_of
    from assistant.refresh import alone
    from assistant.sql import Database
    from serving.audit import Audit
    from serving.http.idempotency import Answers

    caller = acting(workspace, "operate", "privacy erase")
    opened = open_workspace(workspace)
    audit = Audit(opened.folder, opened.audit)
    # The log says that it was done, not to whom: the person is to be forgotten.
    with alone(opened.folder), audit.changing(caller, "erase") as came:
        found = erase_person(opened, customer)
        mention = mention_of(opened, customer)
        answers = Answers(Database(opened.state), timedelta(hours=opened.settings.answers_hours))
        redacted, kept = audit.redact(mention), answers.forget(mention)
        left = [*found.traces, *(["audit log"] if audit.redact(mention) else [])]
        left += ["kept answers"] if answers.forget(mention) else []
        came["traces"] = len(left)
    for table, rows in sorted(found.data.rows.items()):
        typer.echo(f"{rows:>9,} rows of {table}")
    typer.echo(
        f"{len(found.data.exports):>9,} exported files, {len(found.segments)} saved segments, ", nl=False
    )
    typer.echo(f"{found.conversations} conversations, {'one' if found.in_index else 'no'} index entry")
    _tell_tables(found.tables)
    typer.echo(f"{redacted:>9,} entries of the audit log redacted, {kept} kept answers of the API")
    if left:
        raise InternalError(f"The customer is still found in: {', '.join(left)}; run it again.")
    typer.echo("No trace is left. Models learned from everybody are trained anew by the next build.")


def _tell_tables(tables: dict[str, int]) -> None:
    for table, rows in sorted(tables.items()):
        typer.echo(f"{rows:>9,} rows of the exported table {table}")


@privacy_app.command("budget")
def privacy_budget(
    grant: Annotated[
        str | None,
        typer.Option("--grant", help="Give this user the whole budget anew ('' where there are none)."),
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """What each user has spent of the privacy budget of noised counts."""
    from assistant.noise import Noise
    from assistant.sql import Database

    caller = acting(workspace, "operate", "privacy budget")
    opened = open_workspace(workspace)
    settings = opened.settings
    if not settings.noise_epsilon:
        raise CommandError("Counts carry no noise here; set noise_epsilon in segassist.toml.")
    noise = Noise(Database(opened.state), settings.noise_epsilon, settings.noise_budget)
    if grant is not None:
        with changing_here(workspace, caller, "budget_granted", user=grant[:64]):
            noise.grant(grant)
    for user, spent in noise.spent().items():
        if as_json:
            print(json.dumps({"user": user, "spent": spent, "budget": settings.noise_budget}))
        else:
            typer.echo(f"{user or 'everybody'}: {spent:g} of {settings.noise_budget:g}")


@privacy_app.command("retain")
def retain_events(
    months: Annotated[int, typer.Option("--months", help="How many months of events are kept.")],
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Remove older events from every store, for good, and show that none is left. Stop the server first."""
    from assistant.privacy import retain_data
    from assistant.refresh import alone
    from serving.terminal import steps

    caller = acting(workspace, "operate", "privacy retain")
    opened = open_workspace(workspace)
    with alone(opened.folder), changing_here(workspace, caller, "retain", months=months) as came:
        with steps() as progress:
            done = retain_data(opened, months, progress)
        found = done.data
        came |= {"before": found.before.isoformat(), "rows": found.rows}
    for table, rows in sorted(found.rows.items()):
        typer.echo(f"{rows:>9,} rows of {table}")
    typer.echo(f"{len(found.exports):>9,} exports")
    _tell_tables(done.tables)
    if done.traces:
        raise InternalError(f"Something older is still in: {', '.join(done.traces)}; run it again.")
    typer.echo(
        f"Nothing from before {found.before} is left, and later loads leave it out. "
        "Models learned from it are trained anew by the next full build."
    )
