"""Commands about the propensity models: their tests, cards, drift, versions and what came true of past scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.naming import MAX_NAME
from assistant.workspace import DEFAULT, open_workspace
from segments.atomic import write_text
from serving.callers import acting, changing_here
from serving.options import JsonOption, OutcomeArgument, WorkspaceOption
from serving.terminal import steps

models_app = typer.Typer(help="The propensity models.", invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context, as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List the propensity models: test cut, AUC with interval, calibration error, the baseline's AUC."""
    from assistant.scoring import cards

    if context.invoked_subcommand is not None:
        return
    acting(workspace, "read", "models")
    found = cards(open_workspace(workspace).models)
    if as_json:
        _print_json(found)
        return
    for card in found:
        typer.echo(
            f"{card['outcome']:40} AUC {card['auc']:.3f} ({card['auc_low']:.3f}-{card['auc_high']:.3f})  "
            f"ECE {card['ece']:.3f}  plain RFM: AUC {card['baseline_auc']:.3f}  ECE {card['baseline_ece']:.3f}  "
            f"tested on {card['test_cut']}"
        )


@models_app.command("list")
def list_versions(as_json: JsonOption = False, workspace: WorkspaceOption = DEFAULT) -> None:
    """List every version of every model: its test, its data, features and code, and why it is in use or not."""
    from assistant.models import model_versions

    acting(workspace, "read", "models list")
    found = model_versions(open_workspace(workspace))
    if as_json:
        _print_json([version.to_dict() for version in found])
        return
    for version in found:
        typer.echo(
            f"{version.model:24} v{version.number:<3} {version.status:9} AUC {version.auc:.3f}  ECE {version.ece:.3f}  "
            f"tested on {version.test_cut}  data {version.data_hash}  features {version.features}  "
            f"code {version.code_version}  {version.created}\n    {version.contest.words}"
        )
    if not found:
        typer.echo("The models have no versions yet; run: segassist build")


@models_app.command("rollback")
def roll_back_model(
    outcome: Annotated[str, typer.Argument(help="A model of `segassist models list`.")],
    to: Annotated[int | None, typer.Option(help="The version; the last one before, if left out.")] = None,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Put an earlier version of a model in use again, with scores of today's customers."""
    from assistant.models import roll_back
    from assistant.refresh import alone

    caller = acting(workspace, "operate", "models rollback")
    opened, asked = open_workspace(workspace), {"model": outcome[:MAX_NAME], "to": to}
    with alone(opened.folder), changing_here(workspace, caller, "model_rolled_back", **asked) as came:
        version = roll_back(opened, outcome, to)
        came["version"] = version.number
    typer.echo(
        f"{version.model}: version {version.number} is in use (AUC {version.auc:.3f} on {version.test_cut})"
    )


@models_app.command("track")
def track_models(
    to: Annotated[Path, typer.Option(help="The folder of MLflow's runs.")] = Path("mlruns"),
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write every version of every model as a run of MLflow: figures, data, features and code."""
    from assistant.models import track_versions

    acting(workspace, "read", "models track")
    typer.echo(f"{track_versions(open_workspace(workspace), to)} runs written: {to}")


@models_app.command("performance")
def performance_of_model(
    outcome: OutcomeArgument,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Tell how past scores came true, of every kept version whose horizon is over: AUC and calibration error."""
    from dataclasses import asdict

    from assistant.models import past_performance

    acting(workspace, "read", "models performance")
    found = past_performance(open_workspace(workspace), outcome)
    if as_json:
        _print_json([asdict(row) for row in found])
        return
    for row in found:
        when = f"{row.outcome} v{row.version}, scores of {row.scored_as_of}"
        if row.auc is None:
            typer.echo(f"{when}: what came true is known from {row.known_from} on")
        else:
            typer.echo(
                f"{when}: {row.customers:,} customers, {row.positives:,} did it; AUC {row.auc:.3f} "
                f"({row.auc_low:.3f}-{row.auc_high:.3f}; in the test {row.tested_auc:.3f}), ECE {row.ece:.3f} "
                f"(in the test {row.tested_ece:.3f})"
            )


@models_app.command("compare")
def compare_models(
    outcome: Annotated[
        str, typer.Argument(help="purchase_14d, coupon_redeem_30d, purchase_30d:BEERS/ALES, ...")
    ],
    trials: Annotated[int, typer.Option(min=0, help="Settings of LightGBM to search through.")] = 0,
    steps_of: Annotated[
        int,
        typer.Option(
            "--sequences", min=0, help="Steps of training a Transformer and an LSTM; 0 leaves them out."
        ),
    ] = 0,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Compare families of models on an outcome, by log loss with intervals; the next build trains the choice."""
    from dataclasses import asdict

    from assistant.models import compare_families

    caller = acting(workspace, "operate", "models compare")
    asked = {"model": outcome[:MAX_NAME], "trials": trials, "sequences": steps_of}
    with changing_here(workspace, caller, "families_compared", **asked), steps() as progress:
        compared = compare_families(open_workspace(workspace), outcome, trials, steps_of, progress)
    found = compared.found
    if as_json:
        _print_json(asdict(found) | {"verdict": found.verdict, "next_build": compared.words})
        return
    for row in found.rows:
        typer.echo(
            f"{row.words:36} log loss {row.log_loss:.4f} ({row.log_loss_low:.4f}-{row.log_loss_high:.4f})  behind "
            f"{row.behind:.4f} ({row.behind_low:+.4f} to {row.behind_high:+.4f})  AUC {row.auc:.3f}  ECE {row.ece:.3f}"
            f"  {row.seconds:.0f} s" + ("  <- chosen" if row.family == found.chosen else "")
        )
    typer.echo(f"{found.verdict}\n{compared.words}")


@models_app.command("choose")
def choose_model_family(
    outcome: OutcomeArgument,
    family: Annotated[str, typer.Argument(help="A family of `segassist models compare`, or default.")],
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Choose the family of models that the next build trains for an outcome, or go back to the default."""
    from assistant.models import choose_family
    from assistant.refresh import alone

    caller = acting(workspace, "operate", "models choose")
    opened, asked = open_workspace(workspace), {"model": outcome[:MAX_NAME], "family": family[:MAX_NAME]}
    with alone(opened.folder), changing_here(workspace, caller, "family_chosen", **asked):
        typer.echo(choose_family(opened, outcome, family))


@models_app.command("card")
def card_of_model(
    outcome: OutcomeArgument,
    out: Annotated[Path | None, typer.Option("--out", help="The HTML file to write.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Write a model's card as HTML: its test with plots, what drives it, whom it works for, how it was made."""
    from assistant.models import model_card
    from propensity.model_card import to_html

    acting(workspace, "read", "models card")
    content = model_card(open_workspace(workspace), outcome)
    if as_json:
        _print_json(content)
        return
    path = out or Path(f"{outcome.replace(':', '_').replace('/', '_')}.html")
    write_text(path, to_html(content))
    typer.echo(f"Written: {path}")


@models_app.command("explain")
def explain_customer(
    outcome: OutcomeArgument,
    customer: Annotated[str, typer.Argument(help="The customer's id in your own data.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Tell one customer's probability of an outcome and what drives it. Written to the audit log."""
    from serving.service import Service

    caller, asked = acting(workspace, "export", "models explain"), {"customer": customer, "outcome": outcome}
    found = Service.open(workspace).call(caller, "explain_propensity", asked)["evidence"][0]
    if as_json:
        _print_json(found)
        return
    shown = {figure["name"]: figure["display"] for figure in found["figures"]}
    typer.echo(
        f"{shown['outcome']} as of {shown['as_of']}: {shown['probability']}, everyone's {shown['everyone']}; "
        f"{shown['above']} of all customers are less likely"
    )
    for row in found["rows"]:
        typer.echo(f"  {row['effect']:+.2f} log-odds  {row['words']}")


@models_app.command("drift")
def drift_of_model(
    outcome: OutcomeArgument,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = DEFAULT,
) -> None:
    """Tell how far a model's scores and features have moved since it was trained (PSI)."""
    from dataclasses import asdict

    from assistant.models import model_drift

    acting(workspace, "read", "models drift")
    found = model_drift(open_workspace(workspace), outcome)
    if as_json:
        _print_json(asdict(found))
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


def _print_json(content: Any) -> None:
    """Dates in ISO form, every script as it is."""
    print(json.dumps(content, ensure_ascii=False, default=str, indent=1))
