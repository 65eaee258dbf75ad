"""Prompt templates and worked examples, as files. `load` reads them; no other logic lives here."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from string import Template
from typing import Any

FILES = (
    "plan_system.md",
    "plan_examples.jsonl",
    "sketch_system.md",
    "tool_system.md",
    "phrase_system.md",
    "copy_system.md",
    "review_system.md",
)


def load(name: str) -> str:
    """The text of a prompt file."""
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


def examples(name: str) -> list[dict[str, Any]]:
    """The worked examples of a JSON-lines file."""
    return [json.loads(line) for line in load(name).splitlines() if line.strip()]


def render(name: str, **values: str) -> str:
    """A template with its $variables filled; raises KeyError naming all that are missing."""
    template = Template(load(name))
    missing = sorted(set(template.get_identifiers()) - set(values))
    if missing:
        raise KeyError(f"{name} needs {', '.join(missing)}")
    return template.substitute(values)


def fingerprint() -> str:
    """12 hex digits that change when any prompt file changes."""
    return hashlib.sha256("\0".join(load(name) for name in FILES).encode()).hexdigest()[:12]
