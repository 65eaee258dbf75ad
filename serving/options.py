"""Options and files that several commands have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from segments.definition import Node
from segments.errors import CommandError, DefinitionError

WorkspaceOption = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace folder.")]
OutcomeArgument = Annotated[str, typer.Argument(help="An outcome of `segassist models`.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_definition(path: Path, workspace: Path) -> Node:
    """A definition file, with the workspace's parameters. Raises CommandError, DefinitionError."""
    from assistant.workspace import read_settings
    from segments.codec import from_json

    if not path.is_file():
        raise CommandError(f"{path} does not exist.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise DefinitionError(
            f"{path}: not valid JSON ({error}).", f"{path}：不是有效的 JSON（{error}）。"
        ) from error
    return from_json(data, read_settings(workspace).parameters)
