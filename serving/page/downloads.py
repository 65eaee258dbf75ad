"""Files that the page makes for its reader: where they are written, and how the browser fetches one once it is there."""

from __future__ import annotations

import tempfile
from pathlib import Path


def download_path(name: str) -> Path:
    """Where a file of that name is written, in a folder of its own."""
    return Path(tempfile.mkdtemp(prefix="segassist-")) / name


def fetch(elem_id: str) -> str:
    """The script that clicks a hidden download button: a button that makes its file first needs a second click."""
    return f"() => setTimeout(() => document.querySelector('#{elem_id} a, a#{elem_id}, #{elem_id}')?.click(), 100)"
