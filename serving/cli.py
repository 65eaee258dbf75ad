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
from segments.errors import CommandError, SegAssistError
from serving.access import Caller
from serving.callers import acting, building_here, changing_here
from serving.campaigns import experiments_app, plans_app
from serving.data import data_app
from serving.models import models_app
from serving.operate import operator_app
from serving.options import JsonOption, WorkspaceOption
from serving.segments import segment_app
from serving.terminal import steps

app = typer.Typer(
    name="segassist",
    help="Ask your customer data in plain English or Chinese.",
    no_args_is_help=True,
    add_completion=False,
)
serve_app = typer.Typer(help="Start servers.", invoke_without_command=True)
index_app = typer.Typer(help="Work with the behaviour index and its encoders.", no_args_is_help=True)
app.add_typer(serve_app, name="serve")
app.add_typer(models_app, name="models")
app.add_typer(segment_app, name="segment")
app.add_typer(index_app, name="index")
app.add_typer(plans_app, name="plans")
app.add_typer(experiments_app, name="experiments")

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
    from assistant.refresh import alone
    from serving.llm.weights import ensure_model

    caller = acting(workspace, "operate", "build")
    with alone(workspace), building_here(workspace, caller, "build"), steps() as progress:
        build_demo(workspace, progress)
        ensure_model(progress=progress("Assemble and verify the embedded language model"))
    typer.echo(f"Ready: {workspace}")


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
        raise CommandError(
            "ask: give either a question or --file; got " + ("neither." if file is None else "both.")
        )
    if bundle is not None and file is not None:
        raise CommandError("ask: --bundle saves one answer; give it with a question, not with --file.")
    asked = [question] if question is not None else read_questions(file)
    caller = acting(workspace, "export" if members else "ask", "ask")
    with service_for(workspace) as service:
        for turns in asked:
            answer = _converse(service, caller, turns if isinstance(turns, list) else [turns], conversation)
            if bundle is not None:
                _save_bundle(service, caller, answer, bundle)
            if as_json:
                data = _with_members(service, caller, answer.to_dict()) if members else answer.to_dict()
                print(json.dumps(data, ensure_ascii=False), flush=True)
            else:
                typer.echo(answer.answer)


def _save_bundle(service: Any, caller: Caller, answer: Any, path: Path) -> None:
    from assistant.bundle import save_bundle

    save_bundle(path, service.bundle(caller, answer.conversation, answer.turn))


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

    # It is run as a program, from which nothing is held back.
    acting(workspace, "export", "replay")
    saved, opened = read_bundle(bundle), open_workspace(workspace)
    if ask_model:
        with llm_for(workspace) as server:
            found = run_again(saved, opened, server.chat)
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


def _converse(service: Any, caller: Caller, turns: list[str], conversation: str | None) -> Any:
    """The answer to the last turn."""
    *before, last = turns
    for turn in before:
        conversation = service.ask(caller, turn, conversation).conversation
    return service.ask(caller, last, conversation)


def read_questions(path: Path | None) -> list[str | list[str]]:
    """The lines of a questions file. Raises DataError naming the line that is neither."""
    if path is None or not path.is_file():
        raise CommandError(f"--file: {path} does not exist.")
    questions: list[str | list[str]] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CommandError(
                f"{path} line {number}: not JSON; write a string or a list of strings."
            ) from error
        if isinstance(value, str) or (
            isinstance(value, list) and value and all(isinstance(v, str) for v in value)
        ):
            questions.append(value)
        else:
            raise CommandError(f"{path} line {number}: must be a JSON string or a non-empty list of strings.")
    return questions


def _with_members(service: Any, caller: Caller, data: dict[str, Any]) -> dict[str, Any]:
    from segments.codec import from_json

    if data["segment"] is not None:
        definition = from_json(data["segment"]["definition"])
        data["segment"]["members"], _ = service.members(caller, definition)
    return data


@contextmanager
def service_for(workspace: Path) -> Iterator[Any]:
    """The service of a workspace with a language model: the configured or running one, else its own."""
    from serving.service import Service

    with llm_for(workspace) as server:
        yield Service.open(workspace, server.chat)


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
    with start(
        LLMSettings(
            settings.llm_backend,
            settings.llm_model,
            adapter=settings.llm_adapter,
            profile=settings.llm_profile,
            python=settings.llm_python,
        ),
        opened.run,
    ) as server:
        warm(server, instructions())
        yield server


@app.command()
def features(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the features a segment may use."""
    from warehouse.store import Warehouse

    acting(workspace, "read", "features")
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


@index_app.command("train-encoder")
def train_encoder(
    count: Annotated[int | None, typer.Option("--steps", help="Training steps.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Train sequence encoders of behaviour; one that surely beats the aggregate makes the next index (some minutes)."""
    from assistant.encoders import train_encoders
    from assistant.refresh import alone
    from indexes.encoder.training import Training

    if count is not None and count < 1:
        raise CommandError(f"--steps: must be at least 1; got {count}.")
    caller, opened = acting(workspace, "operate", "index train-encoder"), open_workspace(workspace)
    training = Training(steps=count) if count else Training()
    with alone(opened.folder), changing_here(workspace, caller, "encoders_trained"), steps() as progress:
        judged = train_encoders(opened, training, progress)
    for kind, curve in judged.curves.items():
        points = "  ".join(f"{step}: {loss:.3f}" for step, loss in curve.items())
        typer.echo(
            f"Loss of the {kind} on customers held out, by step (least at {min(curve, key=curve.__getitem__)}): {points}"
        )
    typer.echo(f"AUROC of a linear head as of {judged.as_of}, on the 30 days after:")
    for name, found in judged.scores.items():
        typer.echo(
            f"{name:24} churn {found.churn:.3f}  category {found.category:.3f}  product {found.product:.3f}  "
            f"novelty {found.novelty:.3f}  diversity {found.diversity:.3f}"
        )
    typer.echo(f"{judged.decision.words}\nEncoders and learning curves: {judged.folder}")


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
        acting(workspace, "operate", "serve")
        from serving.web import serve_web

        serve_web(workspace, host, port, certificate, key)


@serve_app.command("api")
def serve_api(
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 2,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the API.")] = 7860,
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", help="Certificate file, for https.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="The certificate's key file.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Start the language model and the API with MCP, without the chat page, in several processes."""
    acting(workspace, "operate", "serve api")
    from serving import programs

    programs.serve_api(workspace, host, port, workers, certificate, key)


@serve_app.command("llm")
def serve_llm(
    backend: Annotated[str, typer.Option(help="vllm, embedded or auto.")] = "auto",
    model: Annotated[str, typer.Option(help="A GGUF file (embedded), a folder or hub name (vLLM).")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8081,
    adapter: Annotated[
        str, typer.Option(help="A sketch adapter: GGUF (embedded), folder (vLLM); 'none' for none.")
    ] = "",
    profile: Annotated[
        str, typer.Option(help="How vLLM uses the machine: gpu-24gb, gpu-80gb, gpus, cpu or auto.")
    ] = "auto",
    python: Annotated[
        str,
        typer.Option(
            "--python", help="The interpreter that has vLLM, where it is in an environment of its own."
        ),
    ] = "",
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Start only the language model server, in the foreground."""
    import time

    from serving.llm.server import LLMSettings, start

    acting(workspace, "operate", "serve llm")
    with steps() as progress:
        server = start(
            LLMSettings(backend, model, host, port, adapter, profile, python=python),
            workspace / "run",
            progress("Start the language model"),
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
