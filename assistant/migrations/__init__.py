"""The schema of the state, step by step (Alembic). Each part has its own line of steps, `versions/PART_NUMBER.py`.

On SQLite each part is a file of its own; on PostgreSQL they share a database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, inspect, text

from segments.errors import DataError

Part = Literal["state", "audit"]
FOLDER = Path(__file__).parent


def head(part: Part) -> str:
    """The newest step of a part."""
    return max(path.stem for path in (FOLDER / "versions").glob(f"{part}_*.py"))


def is_current(connection: Connection, part: Part) -> bool:
    """Whether the part is at its newest step. Asked at every start, so without loading Alembic."""
    return head(part) in _steps(connection)


def upgrade(connection: Connection, part: Part, name: str) -> None:
    """Bring a part to its newest step within the connection's transaction. Raises DataError for one that is newer."""
    from alembic import command
    from alembic.config import Config

    newer = [step for step in _steps(connection) if step.startswith(f"{part}_") and step > head(part)]
    if newer:
        raise DataError(
            f"{name} was written by a newer version ({newer[0]}; this one knows {head(part)}); install that version, "
            "or restore a backup of before."
        )
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, f"{part}@head")


def _steps(connection: Connection) -> list[str]:
    if not inspect(connection).has_table("alembic_version"):
        return []
    return list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
