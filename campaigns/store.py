"""Plans and experiments of a workspace, one JSON file each, replaced whole or not at all."""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from segments.atomic import write_text
from segments.errors import ConflictError, DataError, NotFoundError, StorageError, UserError

MAX_NAME = 80


class Store:
    """Named objects of one kind ('plan', 'experiment') under a folder."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind = folder / f"{kind}s", kind

    def save(self, name: str, content: dict[str, Any], *, replace: bool = True) -> str:
        """Keep the content under a name and return the name as kept.

        Raises UserError for a bad name, ConflictError when `replace` is off and the name is taken,
        StorageError when the disk does not take it.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise UserError(f"name: must be 1 to {MAX_NAME} printable characters; got {name[:20]!r}.")
        path = self._path(name)
        if path.exists() and not replace:
            raise ConflictError(
                f"There is {_article(self.kind)} named '{name}' already; choose another name."
            )
        text = json.dumps({"name": name, "content": content}, ensure_ascii=False, indent=1)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(path, text)
        except OSError as error:
            raise StorageError(
                f"The {self.kind} '{name}' could not be saved ({error}); free the disk."
            ) from error
        return name

    def load(self, name: str) -> dict[str, Any]:
        """The content under a name. Raises NotFoundError with close names, DataError for a damaged file."""
        path = self._path(name.strip())
        if not path.exists():
            near = get_close_matches(name, self.names(), n=2, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            raise NotFoundError(f"No {self.kind} is named '{name}'{hint}")
        content = _read(path)["content"]
        if not isinstance(content, dict):
            raise DataError(f"{path} is damaged; restore it from a backup or delete it.")
        return content

    def __contains__(self, name: str) -> bool:
        """Whether the name is taken; asks the file system, not the files."""
        return self._path(name.strip()).exists()

    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(str(_read(path)["name"]) for path in self.folder.glob("*.json"))

    def newest(self) -> str | None:
        """The name that was saved last, or None."""
        files = sorted(self.folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return str(_read(files[-1])["name"]) if files else None

    def delete(self, name: str) -> None:
        """Forget a name. Raises NotFoundError."""
        self.load(name)
        self._path(name.strip()).unlink()

    def forget(self, customer: str) -> list[str]:
        """Take one customer out of every object, for an erasure; the names that held them."""
        found = []
        for name in self.names():
            content = self.load(name)
            kept = _without(content, customer)
            if kept != content:
                self.save(name, kept)
                found.append(name)
        return found

    def _path(self, name: str) -> Path:
        # A name may hold anything that a file name may not.
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"


def _without(part: Any, customer: str) -> Any:
    """JSON without the customer, where it is a key or an item."""
    if isinstance(part, dict):
        return {key: _without(value, customer) for key, value in part.items() if key != customer}
    if isinstance(part, list):
        return [_without(item, customer) for item in part if item != customer]
    return part


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and {"name", "content"} <= found.keys():
            return found
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is damaged ({error}); restore it from a backup or delete it.") from error
    raise DataError(f"{path} is damaged; restore it from a backup or delete it.")


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
