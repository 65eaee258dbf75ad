"""`segassist`: the command line. Exit codes: 0 answered, 2 bad use, 3 nothing built yet, 4 LLM not reachable."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from assistant.workspace import DEFAULT, open_workspace
from segments.atomic import write_text
from segments.errors import SegAssistError, UserError
from serving.data import data_app
from serving.operate import local_caller, operator_app
from serving.options import JsonOption, WorkspaceOption, read_definition
from serving.terminal import steps

app = typer.Typer(
    name="segassist",
    help="Ask your customer data in plain English or Chinese.",
    no_args_is_help=True,
    add_completion=False,
)
serve_app = typer.Typer(help="Start servers.", invoke_without_command=True)
segment_app = typer.Typer(
    help="Work with segment definitions, without a language model.", no_args_is_help=True
)
models_app = typer.Typer(help="The propensity models.", invoke_without_command=True)
index_app = typer.Typer(help="Work with the behaviour index and its encoders.", no_args_is_help=True)
app.add_typer(serve_app, name="serve")
app.add_typer(models_app, name="models")
app.add_typer(segment_app, name="segment")
app.add_typer(index_app, name="index")

app.add_typer(operator_app)
app.add_typer(data_app)

errors = Console(stderr=True)


def main() -> None:
    """Entry point: every error of ours is one sentence and its exit code."""
    try:
        app()
    except SegAssistError as error:
        errors.print(
            f"[red]error[/red] ({error.code}): {escape(str(error))}", highlight=False, soft_wrap=True
        )
        sys.exit(error.exit_status)


@app.command()
def build(workspace: WorkspaceOption = DEFAULT) -> None:
    """Build the demo workspace (Complete Journey): data, features, index, models, language model."""
    from assistant.build import build_demo
    from serving.llm.weights import ensure_model

    with steps() as progress:
        build_demo(workspace, progress)
        ensure_model(progress=progress("Assemble and verify the embedded language model"))
    typer.echo(f"Ready: {workspace}")


@app.command()
def ingest(
    mapping: Annotated[
        str | None, typer.Argument(help="A mapping file (TOML), or the name of a ready-made one.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="The workspace folder to build.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="The folder that the mapping's files are in.")
    ] = None,
    suggest: Annotated[
        Path | None, typer.Option("--suggest", help="Propose a mapping for this file, and say why.")
    ] = None,
) -> None:
    """Build a workspace from your own files and tables: events, items, customers, campaigns."""
    from assistant.build import build_from
    from serving.llm.weights import ensure_model
    from warehouse.mapping import read_mapping

    if suggest is not None:
        _suggest_mapping(suggest)
        return
    if mapping is None or workspace is None:
        raise UserError("ingest: give a mapping and --workspace, or --suggest with a file.")
    given = read_mapping(mapping, data)
    with steps() as progress:
        build_from(given, workspace, progress)
        ensure_model(progress=progress("Assemble and verify the embedded language model"))
    typer.echo(f"Ready: {workspace}")


def _suggest_mapping(path: Path) -> None:
    """The mapping on standard output, ready to be kept in a file; the reasons beside it."""
    from warehouse.suggest import suggest

    found = suggest(path)
    print(found.toml, end="")
    for guess in found.guesses:
        typer.echo(f"{guess.field} = {guess.column}: {guess.reason}", err=True)
    for note in found.notes:
        typer.echo(f"Note: {note}", err=True)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="JSON lines: a question, or a list (a conversation).")
    ] = None,
    as_json: JsonOption = False,
    members: Annotated[bool, typer.Option("--members", help="List the members' source ids (JSON).")] = False,
    conversation: Annotated[
        str | None, typer.Option("--conversation", "-c", help="Continue a conversation.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="Save what the answer came from in this file, for replay.")
    ] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Ask one question, or every question of a file."""
    if (question is None) == (file is None):
        raise UserError(
            "ask: give either a question or --file; got " + ("neither." if file is None else "both.")
        )
    if bundle is not None and file is not None:
        raise UserError("ask: --bundle saves one answer; give it with a question, not with --file.")
    asked = [question] if question is not None else read_questions(file)
    with service_for(workspace) as service:
        for turns in asked:
            answer = _converse(service, turns if isinstance(turns, list) else [turns], conversation)
            if bundle is not None:
                _save_bundle(service, answer, bundle)
            if as_json:
                print(
                    json.dumps(_with_members(service, answer.to_dict(), members), ensure_ascii=False),
                    flush=True,
                )
            else:
                typer.echo(answer.answer)


def _save_bundle(service: Any, answer: Any, path: Path) -> None:
    from assistant.bundle import make_bundle, save_bundle

    save_bundle(path, make_bundle(service.rooms, answer))


@app.command()
def replay(
    bundle: Annotated[Path, typer.Argument(help="A bundle that `segassist ask --bundle` saved.")],
    ask_model: Annotated[
        bool,
        typer.Option("--ask-model", help="Ask the language model again, instead of its recorded answers."),
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Run a saved answer again and say whether it is the same, and what differs. Exit status 1 when it is not."""
    from assistant.bundle import read_bundle
    from assistant.bundle import replay as run_again

    saved, opened = read_bundle(bundle), open_workspace(workspace)
    if ask_model:
        from assistant import OpenAIChat

        with llm_for(workspace) as server:
            found = run_again(saved, opened, OpenAIChat(server.base_url, server.model, sha256=server.sha256))
    else:
        found = run_again(saved, opened)
    if as_json:
        differences = [vars(difference) for difference in found.differences]
        print(json.dumps({"same": found.same, "differences": differences}, ensure_ascii=False))
    else:
        typer.echo("same" if found.same else "different")
        for difference in found.differences:
            typer.echo(f"{'  ' if difference.result else '  (made from) '}{difference}")
    if not found.same:
        raise typer.Exit(1)


def _converse(service: Any, turns: list[str], conversation: str | None) -> Any:
    """The answer to the last turn."""
    caller = local_caller()
    *before, last = turns
    for turn in before:
        conversation = service.ask(caller, turn, conversation).conversation
    return service.ask(caller, last, conversation)


def read_questions(path: Path | None) -> list[str | list[str]]:
    """The lines of a questions file. Raises DataError naming the line that is neither."""
    if path is None or not path.is_file():
        raise UserError(f"--file: {path} does not exist.")
    questions: list[str | list[str]] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise UserError(
                f"{path} line {number}: not JSON; write a string or a list of strings."
            ) from error
        if isinstance(value, str) or (
            isinstance(value, list) and value and all(isinstance(v, str) for v in value)
        ):
            questions.append(value)
        else:
            raise UserError(f"{path} line {number}: must be a JSON string or a non-empty list of strings.")
    return questions


def _with_members(service: Any, data: dict[str, Any], members: bool) -> dict[str, Any]:
    from segments.codec import from_json

    if members and data["segment"] is not None:
        definition = from_json(data["segment"]["definition"])
        data["segment"]["members"], _ = service.members(local_caller(), definition)
    return data


@contextmanager
def service_for(workspace: Path) -> Iterator[Any]:
    """The service of a workspace with a language model: the configured or running one, else its own."""
    from assistant import OpenAIChat
    from serving.service import Service

    with llm_for(workspace) as server:
        yield Service.open(workspace, OpenAIChat(server.base_url, server.model, sha256=server.sha256))


@contextmanager
def assistant_for(workspace: Path) -> Iterator[Any]:
    """The assistant of a workspace with a language model, for programs that are no user of it (evaluation)."""
    with service_for(workspace) as service:
        yield service.assistant


@contextmanager
def llm_for(workspace: Path) -> Iterator[Any]:
    """A language model server: the address in the settings, a running one, or one started for this command."""
    from assistant.plan import instructions
    from serving.llm.server import LLMSettings, connect, running, start
    from serving.llm.warm import warm

    opened = open_workspace(workspace)
    settings = opened.settings
    found = connect(settings.llm_base_url) if settings.llm_base_url else running(opened.run)
    if found is not None:
        yield found
        return
    with start(LLMSettings(settings.llm_backend, settings.llm_model), opened.run) as server:
        warm(server, instructions())
        yield server


@models_app.callback()
def models(context: typer.Context, as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the propensity models: test cut, AUC with interval, calibration error, the baseline's AUC."""
    from assistant.scoring import cards

    if context.invoked_subcommand is not None:
        return
    found = cards(open_workspace(workspace).models)
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for card in found:
        typer.echo(
            f"{card['outcome']:40} AUC {card['auc']:.3f} ({card['auc_low']:.3f}-{card['auc_high']:.3f})  "
            f"ECE {card['ece']:.3f}  plain RFM: AUC {card['baseline_auc']:.3f}  ECE {card['baseline_ece']:.3f}  "
            f"tested on {card['test_cut']}"
        )


@models_app.command("compare")
def compare_models(
    outcome: Annotated[
        str, typer.Argument(help="purchase_14d, coupon_redeem_30d, purchase_30d:BEERS/ALES, ...")
    ],
    trials: Annotated[int, typer.Option(min=0, help="Settings of LightGBM to search through.")] = 0,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Compare families of models on an outcome: log loss over later cuts with intervals, and which to choose."""
    from dataclasses import asdict

    from assistant.models import compare_families
    from warehouse.store import Warehouse

    with steps() as progress:
        found = compare_families(Warehouse(open_workspace(workspace).warehouse), outcome, trials, progress)
    if as_json:
        print(json.dumps(asdict(found) | {"verdict": found.verdict}, default=str, indent=1))
        return
    for row in found.rows:
        typer.echo(
            f"{row.words:36} log loss {row.log_loss:.4f} ({row.log_loss_low:.4f}-{row.log_loss_high:.4f})  behind "
            f"{row.behind:.4f} ({row.behind_low:+.4f} to {row.behind_high:+.4f})  AUC {row.auc:.3f}  ECE {row.ece:.3f}"
            f"  {row.seconds:.0f} s" + ("  <- chosen" if row.family == found.chosen else "")
        )
    typer.echo(found.verdict)


@models_app.command("card")
def card_of_model(
    outcome: Annotated[str, typer.Argument(help="An outcome of `segassist models`.")],
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file to write.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write a model's card as HTML: its test with plots, what drives it, whom it works for, how it was made."""
    from assistant.models import model_card
    from propensity.model_card import to_html

    content = model_card(open_workspace(workspace), outcome)
    if as_json:
        print(json.dumps(content, ensure_ascii=False, indent=1))
        return
    path = out or Path(f"{outcome.replace(':', '_').replace('/', '_')}.html")
    write_text(path, to_html(content))
    typer.echo(f"Written: {path}")


@models_app.command("drift")
def drift_of_model(
    outcome: Annotated[str, typer.Argument(help="An outcome of `segassist models`.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Tell how far a model's scores and features have moved since it was trained (PSI)."""
    from dataclasses import asdict

    from assistant.models import model_drift

    found = model_drift(open_workspace(workspace), outcome)
    if as_json:
        print(json.dumps(asdict(found), default=str, indent=1))
        return
    typer.echo(
        f"{found.outcome} as of {found.as_of}: scores PSI {found.scores.psi:.3f} ({found.scores.verdict})"
    )
    counts = {
        verdict: sum(d.verdict == verdict for d in found.features) for verdict in ("stable", "watch", "moved")
    }
    typer.echo(f"{counts['stable']} features stable, {counts['watch']} to watch, {counts['moved']} moved")
    for drift in found.features[:10]:
        typer.echo(f"  {drift.name:36} PSI {drift.psi:.3f} ({drift.verdict})")


@app.command()
def features(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the features a segment may use."""
    from warehouse.store import Warehouse

    catalogue = Warehouse(open_workspace(workspace).warehouse).catalogue
    if as_json:
        rows = [
            {
                "name": f.name,
                "type": f.type.value,
                "unit": f.unit,
                "en": f.en,
                "zh": f.zh,
                "synonyms_en": f.synonyms_en,
                "synonyms_zh": f.synonyms_zh,
                "operators": f.operators,
                "levels": f.levels,
            }
            for f in catalogue
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for feature in catalogue:
        typer.echo(f"{feature.name:28} {feature.type.value:9} {feature.en}  ({feature.zh})")


@app.command()
def schema() -> None:
    """Print the JSON Schema of a segment definition."""
    from segments.schema import json_schema

    print(json.dumps(json_schema(), indent=1))


@segment_app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="A definition as JSON.")],
    as_json: JsonOption = False,
    members: Annotated[bool, typer.Option("--members", help="List the members' source ids.")] = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Count a definition and show its SQL."""
    found = _segment(read_definition(file), workspace, members)
    if as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    typer.echo(f"{found['size']} customers: {found['words']}\n\n{found['sql']}")


@segment_app.command()
def sql(
    file: Annotated[Path, typer.Argument(help="A definition as JSON.")],
    dialect: Annotated[str, typer.Option(help="Any dialect that sqlglot writes.")] = "duckdb",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Print a definition's SQL."""
    from assistant.app import Rooms

    try:
        print(Rooms(open_workspace(workspace)).audiences.sql(read_definition(file), dialect))
    except ValueError as error:
        raise UserError(f"--dialect: {error}") from error


def _segment(definition: Any, workspace: Path, members: bool) -> dict[str, Any]:
    from serving.service import Service

    service = Service.open(workspace)
    found = service.preview(local_caller(), definition)
    if members:
        found["members"], _ = service.members(local_caller(), definition)
    return found


@index_app.command("train-encoder")
def train_encoder(
    count: Annotated[int | None, typer.Option("--steps", help="Training steps.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Train sequence encoders of behaviour and say whether they beat the aggregate (a few minutes)."""
    from assistant.encoders import train_encoders
    from indexes.encoder.training import Training

    if count is not None and count < 1:
        raise UserError(f"--steps: must be at least 1; got {count}.")
    with steps() as progress:
        judged = train_encoders(
            open_workspace(workspace), Training(steps=count) if count else Training(), progress
        )
    typer.echo(f"AUROC of a linear head as of {judged.as_of}, on the 30 days after:")
    for name, found in judged.scores.items():
        typer.echo(
            f"{name:24} churn {found.churn:.3f}  category {found.category:.3f}  product {found.product:.3f}  "
            f"novelty {found.novelty:.3f}  diversity {found.diversity:.3f}"
        )
    typer.echo(f"{judged.verdict}\nEncoders and learning curves: {judged.folder}")


@serve_app.callback()
def serve(
    context: typer.Context,
    workspace: WorkspaceOption = DEFAULT,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the page and the API.")] = 7860,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate file, for https.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="The certificate's key file.")] = None,
) -> None:
    """Start the language model, the API and the chat page."""
    if context.invoked_subcommand is None:
        from serving.web import serve_web

        serve_web(workspace, host, port, certificate, key)


@serve_app.command("llm")
def serve_llm(
    backend: Annotated[str, typer.Option(help="vllm, embedded or auto.")] = "auto",
    model: Annotated[str, typer.Option(help="A GGUF file (embedded), a folder or hub name (vLLM).")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8081,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Start only the language model server, in the foreground."""
    import time

    from serving.llm.server import LLMSettings, start

    with steps() as progress:
        server = start(
            LLMSettings(backend, model, host, port), workspace / "run", progress("Start the language model")
        )
    with server:
        typer.echo(f"{server.backend} ({server.reason}): {server.model} at {server.base_url}")
        try:
            while server.process is not None and server.process.poll() is None:
                time.sleep(0.5)
        except KeyboardInterrupt:
            typer.echo("stopped")
            return
    raise SystemExit(4)


if __name__ == "__main__":
    main()
