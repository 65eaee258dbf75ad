"""Plans and experiments of a workspace: named, versioned JSON documents in the state."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection

from assistant.naming import CHINESE, MAX_NAME, check_tag, checked_name, not_found, tag_of
from assistant.sql import Database, open_database
from assistant.workspace import Workspace
from segments.errors import ConflictError, StorageError

Kind = Literal["plan", "experiment"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FAILED = "Plans and experiments cannot be used"
_metadata = MetaData()
_versions = Table(
    "document_versions",
    _metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(MAX_NAME), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content", Text, nullable=False),
    Column("hash", String(16), nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False),
)
_owners = Table(
    "document_owners",
    _metadata,
    Column("kind", String(16), primary_key=True),
    Column("name", String(MAX_NAME), primary_key=True),
    Column("owner", String(64), nullable=False),
)
"""Who saved a document first."""
_TOLD = (_versions.c.name, _versions.c.version, _versions.c.hash, _versions.c.saved_at, _owners.c.owner)


@dataclass(frozen=True)
class SavedDocument:
    """One version of a named document, without its content. owner: empty when that is not known."""

    name: str
    version: int
    hash: str
    saved_at: datetime
    owner: str

    @property
    def tag(self) -> str:
        """Changes with every version."""
        return tag_of(self.version, self.hash)


class Documents:
    """The documents of one kind. Every change is one transaction, one after the other."""

    def __init__(self, where: Database | str | Path, kind: Kind) -> None:
        self.kind = kind
        self._state = open_database(where, FAILED)

    def save(
        self, name: str, content: dict[str, Any], *, replace: bool = True, if_match: str | None = None
    ) -> SavedDocument:
        """Save a new version under a name; the same content again changes nothing.

        Raises UserError for a bad name, ConflictError when `replace` is off and the name is taken, StaleError when the
        latest version is not the one with the tag `if_match`.
        """
        name = checked_name(name)
        with self._write() as connection:
            latest = self._latest(connection, name)
            check_tag(self.kind, name, if_match, _version_of(latest))
            if latest is not None and not replace:
                raise ConflictError(
                    f"There is {_article(self.kind)} named '{name}' already; choose another name.",
                    f"已经有名为“{name}”的{CHINESE[self.kind]}；请换一个名称。",
                )
            return self._add(connection, name, _text(content), latest)

    def change(self, name: str, how: Callable[[dict[str, Any]], dict[str, Any]]) -> SavedDocument:
        """Save what `how` makes of the latest content; nobody else changes it meanwhile. Raises NotFoundError."""
        with self._write() as connection:
            latest = self._latest(connection, name)
            if latest is not None:
                content = how(self._content(connection, name, latest.version))
                return self._add(connection, name, _text(content), latest)
        raise not_found(self.kind, name, self.names())

    def load(self, name: str, version: int | None = None) -> dict[str, Any]:
        """The content under a name, of the latest version by default. Raises NotFoundError with close names."""
        with self._state.read(FAILED) as connection:
            latest = self._latest(connection, name.strip())
            if latest is not None and (version is None or 1 <= version <= latest.version):
                return self._content(connection, latest.name, version or latest.version)
        raise not_found(self.kind, name.strip(), self.names())

    def get(self, name: str) -> SavedDocument:
        """The latest version. Raises NotFoundError with close names."""
        with self._state.read(FAILED) as connection:
            found = self._latest(connection, name.strip())
        if found is None:
            raise not_found(self.kind, name.strip(), self.names())
        return found

    def version(self, name: str, number: int) -> SavedDocument | None:
        """One version of a name, where there is one."""
        query = self._select().where(_versions.c.name == name.strip(), _versions.c.version == number)
        with self._state.read(FAILED) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def versions_page(self, name: str, offset: int, limit: int) -> tuple[list[SavedDocument], int]:
        """Some versions of a name, newest first, and how many there are in all."""
        of = _versions.c.kind == self.kind, _versions.c.name == name.strip()
        query = self._select().where(*of).order_by(_versions.c.version.desc()).offset(offset).limit(limit)
        with self._state.read(FAILED) as connection:
            total = connection.execute(select(func.count()).select_from(_versions).where(*of)).scalar_one()
            return [_read(row) for row in connection.execute(query)], total

    def all(self) -> list[SavedDocument]:
        """The latest version of each, by name."""
        with self._state.read(FAILED) as connection:
            rows = connection.execute(self._select().order_by(_versions.c.name, _versions.c.version))
            return list({row.name: _read(row) for row in rows}.values())

    def __contains__(self, name: str) -> bool:
        """Whether the name is taken."""
        with self._state.read(FAILED) as connection:
            return self._latest(connection, name.strip()) is not None

    def names(self) -> list[str]:
        """Every name, sorted."""
        return [saved.name for saved in self.all()]

    def newest(self) -> str | None:
        """The name that was first saved last, or None."""
        query = select(_versions.c.name).where(_versions.c.kind == self.kind, _versions.c.version == 1)
        with self._state.read(FAILED) as connection:
            found = connection.execute(query.order_by(_versions.c.saved_at.desc()).limit(1)).one_or_none()
        return None if found is None else str(found.name)

    def claim(self, name: str, owner: str) -> None:
        """Make somebody a document's owner, unless it has one."""
        with self._write() as connection:
            latest = self._latest(connection, name)
            if latest is not None and not latest.owner:
                connection.execute(insert(_owners).values(kind=self.kind, name=name, owner=owner))

    def delete(self, name: str, if_match: str | None = None) -> None:
        """Delete all versions of a name. Raises NotFoundError, StaleError."""
        self.get(name)
        with self._write() as connection:
            check_tag(self.kind, name, if_match, _version_of(self._latest(connection, name)))
            for table in (_versions, _owners):
                connection.execute(delete(table).where(table.c.kind == self.kind, table.c.name == name))

    def forget(self, customer: str) -> list[str]:
        """Take one customer out of every version, for an erasure; the names that held them."""
        found = set()
        holding = select(_versions).where(
            _versions.c.kind == self.kind, _versions.c.content.contains(customer, autoescape=True)
        )
        with self._write() as connection:
            for row in connection.execute(holding).all():
                text = _text(_without(json.loads(row.content), customer))
                if text != row.content:
                    found.add(row.name)
                    same = [_versions.c[key] == getattr(row, key) for key in ("kind", "name", "version")]
                    changed = update(_versions).where(*same).values(content=text, hash=_digest(text))
                    connection.execute(changed)
        return sorted(found)

    def copy_to(self, other: Documents) -> None:
        """Put every version beside what another state holds. Names must be free there."""
        mine = select(_versions).where(_versions.c.kind == self.kind)
        with self._state.read(FAILED) as connection:
            rows = [dict(row._mapping) for row in connection.execute(mine)]
        if rows:
            with other._write() as connection:
                connection.execute(insert(_versions), rows)

    def take_over(self, folder: Path) -> list[Path]:
        """Save what was kept as files here before, oldest first, and remove the files once that is committed.

        Returns the damaged ones, which stay as they are. A name that is in the state already gets the file's content as
        its next version, unless it had that content before. Raises StorageError when a file cannot be removed.
        """
        damaged, whole = [], []
        try:
            for path in folder.glob("*.json"):
                with suppress(FileNotFoundError):  # another program that starts has taken it over
                    at, found = path.stat().st_mtime, _parsed(path.read_bytes())
                    if found is None:
                        damaged.append(path)
                    else:
                        whole.append((at, path, *found))
            if whole:
                with self._write() as connection:
                    for at, _, name, content in sorted(whole, key=lambda one: one[:2]):
                        self._add_once(connection, name, content, datetime.fromtimestamp(at, UTC))
            for _, path, _, _ in whole:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(
                f"The {self.kind}s in {folder} cannot be moved into the state ({error}); let the server read and "
                "remove them."
            ) from error
        return damaged

    def _add_once(self, connection: Connection, name: str, content: dict[str, Any], at: datetime) -> None:
        text = _text(content)
        had = select(_versions.c.version).where(
            _versions.c.kind == self.kind, _versions.c.name == name, _versions.c.hash == _digest(text)
        )
        if connection.execute(had).first() is None:
            self._add(connection, name, text, self._latest(connection, name), at)

    def _add(
        self,
        connection: Connection,
        name: str,
        text: str,
        latest: SavedDocument | None,
        at: datetime | None = None,
    ) -> SavedDocument:
        digest = _digest(text)
        if latest is not None and latest.hash == digest:
            return latest
        number, owner = (1, "") if latest is None else (latest.version + 1, latest.owner)
        saved = SavedDocument(name, number, digest, at or datetime.now(UTC), owner)
        row = {"kind": self.kind, "name": name, "version": number, "hash": digest, "saved_at": saved.saved_at}
        connection.execute(insert(_versions).values(content=text, **row))
        return saved

    def _write(self) -> AbstractContextManager[Connection]:
        return self._state.write(FAILED, f"{self.kind}s")

    def _select(self) -> Any:
        owner = and_(_owners.c.kind == _versions.c.kind, _owners.c.name == _versions.c.name)
        joined = select(*_TOLD).select_from(_versions.outerjoin(_owners, owner))
        return joined.where(_versions.c.kind == self.kind)

    def _latest(self, connection: Connection, name: str) -> SavedDocument | None:
        query = self._select().where(_versions.c.name == name).order_by(_versions.c.version.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        return None if row is None else _read(row)

    def _content(self, connection: Connection, name: str, version: int) -> dict[str, Any]:
        query = select(_versions.c.content).where(
            _versions.c.kind == self.kind, _versions.c.name == name, _versions.c.version == version
        )
        content: dict[str, Any] = json.loads(connection.execute(query).scalar_one())
        return content


def documents_of(workspace: Workspace, kind: Kind, state: Database | None = None) -> Documents:
    """The documents of a workspace, in its state (opened already or not); what it kept as files is taken over."""
    documents = Documents(state or workspace.state, kind)
    for path in documents.take_over(workspace.folder / f"{kind}s"):
        logging.getLogger(__name__).warning(
            "%s is damaged and was not taken over; restore it from a backup or delete it.", path
        )
    return documents


def _version_of(saved: SavedDocument | None) -> tuple[int, str] | None:
    return None if saved is None else (saved.version, saved.hash)


def _read(row: Row[Any]) -> SavedDocument:
    at = row.saved_at if row.saved_at.tzinfo else row.saved_at.replace(tzinfo=UTC)  # SQLite keeps no zone
    return SavedDocument(row.name, row.version, row.hash, at, row.owner or "")


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without(part: Any, customer: str) -> Any:
    """JSON without the customer, where it is a key, a value or an item."""
    if isinstance(part, dict):
        return {k: _without(value, customer) for k, value in part.items() if customer not in (k, value)}
    if isinstance(part, list):
        return [_without(item, customer) for item in part if item != customer]
    return part


def _parsed(raw: bytes) -> tuple[str, dict[str, Any]] | None:
    """Name and content of a file as it was written before; None for a damaged one."""
    try:
        found = json.loads(raw)
        name, content = found["name"], found["content"]
    except (ValueError, KeyError, TypeError):
        return None
    return (name, content) if isinstance(name, str) and isinstance(content, dict) else None


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
