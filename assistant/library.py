"""The library of saved segments: named, versioned definitions in one SQL table."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import delete as sql_delete
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from assistant.naming import MAX_NAME, check_tag, checked_name, not_found, tag_of
from assistant.sql import Database, open_database
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import Node, named_segments
from segments.errors import ConflictError, DefinitionError
from segments.issues import Issue
from segments.parameters import Parameters

FAILED = "The segment library cannot be used"
_AS_SAVED: Parameters = {}
_metadata = MetaData()
_versions = Table(
    "segment_versions",
    _metadata,
    Column("name", String(MAX_NAME), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("hash", String(16), nullable=False),
    Column("saved_at", DateTime(timezone=True), nullable=False),
)
_owners = Table(
    "segment_owners",
    _metadata,
    Column("name", String(MAX_NAME), primary_key=True),
    Column("owner", String(64), nullable=False),
)
"""Who saved a segment first."""


@dataclass(frozen=True)
class SavedSegment:
    """One version of a named segment."""

    name: str
    version: int
    definition: Node
    hash: str
    saved_at: datetime

    @property
    def tag(self) -> str:
        """Changes with every version, and with a segment that was deleted and made anew."""
        return tag_of(self.version, self.hash)


class Library:
    """Saved segments of one workspace, read with its parameters. Every change is one transaction."""

    def __init__(self, where: Database | str | Path, parameters: Parameters | None = None) -> None:
        self._parameters = parameters or {}
        self._state = open_database(where, FAILED)

    def save(
        self, name: str, definition: Node, *, replace: bool = True, if_match: str | None = None
    ) -> SavedSegment:
        """Save a new version under a name; the same definition again changes nothing.

        Raises UserError for a bad name, ConflictError when `replace` is off and the name holds another
        definition, StaleError when the latest version is not the one with the tag `if_match`.
        """
        name = checked_name(name)
        try:
            return self._save(name, definition, replace, if_match)
        except IntegrityError as error:
            raise ConflictError(
                f"Segment '{name}' was saved by somebody else at this moment; try again.",
                f"另一个人刚刚保存了分群“{name}”；请再试一次。",
            ) from error

    def _save(self, name: str, definition: Node, replace: bool, if_match: str | None) -> SavedSegment:
        digest = fingerprint(definition)
        if self._uses(definition, name, set()):
            raise DefinitionError.of(Issue("segment_of_itself", name=name))
        with self._state.write(FAILED, f"segment {name}") as connection:
            latest = _latest(connection, name)
            check_tag("segment", name, if_match, _version_of(latest))
            if latest is not None and latest.hash == digest:
                return latest
            if latest is not None and not replace:
                raise ConflictError(
                    f"Segment '{name}' already holds another definition; choose another name.",
                    f"分群“{name}”已经是另一个定义；请换一个名称。",
                )
            saved = SavedSegment(
                name, 1 if latest is None else latest.version + 1, definition, digest, datetime.now(UTC)
            )
            content = json.dumps(to_json(definition), ensure_ascii=False)
            connection.execute(
                insert(_versions).values(
                    name=name, version=saved.version, definition=content, hash=digest, saved_at=saved.saved_at
                )
            )
            return saved

    def restore(self, saved: SavedSegment) -> None:
        """Put back a version as it was. Raises ConflictError when its name and number are taken, DefinitionError
        when it would rest on itself."""
        if self._uses(saved.definition, saved.name, set()):
            raise DefinitionError.of(Issue("segment_of_itself", name=saved.name))
        content = json.dumps(to_json(saved.definition), ensure_ascii=False)
        row = {"name": saved.name, "version": saved.version, "hash": saved.hash, "saved_at": saved.saved_at}
        try:
            with self._state.write(FAILED, f"segment {saved.name}") as connection:
                connection.execute(insert(_versions).values(definition=content, **row))
        except IntegrityError as error:
            raise ConflictError(
                f"Segment '{saved.name}' has a version {saved.version} already.",
                f"分群“{saved.name}”已经有第{saved.version}版。",
            ) from error

    def _uses(self, definition: Node, name: str, seen: set[str]) -> bool:
        """Whether a definition rests on the segment of that name, directly or through others."""
        for used in named_segments(definition):
            if used not in seen:
                if used == name:
                    return True
                seen.add(used)
                with self._state.read(FAILED) as connection:
                    found = _latest(connection, used)
                if found is not None and self._uses(found.definition, name, seen):
                    return True
        return False

    def get(self, name: str) -> SavedSegment:
        """The latest version. Raises NotFoundError with close names."""
        with self._state.read(FAILED) as connection:
            found = _latest(connection, name, self._parameters)
        if found is None:
            raise not_found("saved segment", name, self.names())
        return found

    def version(self, name: str, number: int) -> SavedSegment | None:
        """One version of a name, where there is one."""
        query = select(_versions).where(_versions.c.name == name, _versions.c.version == number)
        with self._state.read(FAILED) as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else _read(row, self._parameters)

    def versions_page(self, name: str, offset: int, limit: int) -> tuple[list[SavedSegment], int]:
        """Some versions of a name, newest first, and how many there are in all."""
        of = _versions.c.name == name
        query = select(_versions).where(of).order_by(_versions.c.version.desc()).offset(offset).limit(limit)
        with self._state.read(FAILED) as connection:
            total = connection.execute(select(func.count()).select_from(_versions).where(of)).scalar_one()
            return [_read(row, self._parameters) for row in connection.execute(query)], total

    def names(self) -> list[str]:
        """Names in alphabetical order."""
        with self._state.read(FAILED) as connection:
            rows = connection.execute(select(_versions.c.name).distinct().order_by(_versions.c.name))
            return [row.name for row in rows]

    def all(self) -> list[SavedSegment]:
        """The latest version of each, by name."""
        with self._state.read(FAILED) as connection:
            rows = connection.execute(_newest().order_by(_versions.c.name))
            return [_read(row, self._parameters) for row in rows]

    def page(self, offset: int, limit: int) -> tuple[list[SavedSegment], int]:
        """Some of `all`, and how many there are in all."""
        query = _newest().order_by(_versions.c.name).offset(offset).limit(limit)
        with self._state.read(FAILED) as connection:
            total = connection.execute(select(func.count(_versions.c.name.distinct()))).scalar_one()
            return [_read(row, self._parameters) for row in connection.execute(query)], total

    def name_of(self, digest: str) -> str | None:
        """The first name whose latest version has this content hash."""
        other = _versions.alias()
        newest = select(func.max(other.c.version)).where(other.c.name == _versions.c.name).scalar_subquery()
        # Asked of the few versions that have the hash, not of every segment there is.
        held = select(_versions.c.name).where(_versions.c.hash == digest, _versions.c.version == newest)
        query = held.order_by(_versions.c.name).limit(1)
        with self._state.read(FAILED) as connection:
            found = connection.execute(query).one_or_none()
        return None if found is None else str(found.name)

    def claim(self, name: str, owner: str) -> None:
        """Make somebody a saved segment's owner, unless it has one."""
        if self.owner(name):
            return
        with self._state.write(FAILED, f"segment {name}") as connection:
            if _latest(connection, name) is not None and _owner(connection, name) is None:
                connection.execute(insert(_owners).values(name=name, owner=owner))

    def owner(self, name: str) -> str:
        """Who saved a segment first; empty when that is not known."""
        with self._state.read(FAILED) as connection:
            return _owner(connection, name) or ""

    def rename(self, name: str, new: str) -> str:
        """Give a segment with all its versions another name; return the name as kept.

        Raises NotFoundError, UserError for a bad name, ConflictError when the new name is taken or another saved
        segment is defined by the old one.
        """
        self.get(name)
        new = checked_name(new)
        using = [s.name for s in self.all() if name in named_segments(s.definition)]
        if using:
            raise ConflictError(
                f"Segment '{name}' is used by {', '.join(using)}; it keeps its name until they change.",
                f"{'、'.join(using)}正在使用分群“{name}”；在它们改变之前，它的名称不变。",
            )
        if new == name:
            return new
        try:
            with self._state.write(FAILED, f"segment {new}") as connection:
                for table in (_versions, _owners):
                    connection.execute(update(table).where(table.c.name == name).values(name=new))
        except IntegrityError as error:
            raise ConflictError(
                f"There is a segment named '{new}' already; choose another name.",
                f"已经有名为“{new}”的分群；请换一个名称。",
            ) from error
        return new

    def delete(self, name: str, if_match: str | None = None) -> None:
        """Delete all versions of a name. Raises NotFoundError, StaleError."""
        self.get(name)
        with self._state.write(FAILED, f"segment {name}") as connection:
            check_tag("segment", name, if_match, _version_of(_latest(connection, name)))
            for table in (_versions, _owners):
                connection.execute(sql_delete(table).where(table.c.name == name))


def _owner(connection: Connection, name: str) -> str | None:
    found = connection.execute(select(_owners.c.owner).where(_owners.c.name == name)).one_or_none()
    return None if found is None else str(found.owner)


def _version_of(saved: SavedSegment | None) -> tuple[int, str] | None:
    return None if saved is None else (saved.version, saved.hash)


def _newest() -> Select[Any]:
    """The latest version of each name."""
    newest = (
        select(_versions.c.name, func.max(_versions.c.version).label("version"))
        .group_by(_versions.c.name)
        .subquery()
    )
    same = (_versions.c.name == newest.c.name) & (_versions.c.version == newest.c.version)
    return select(_versions).join(newest, same)


def _latest(connection: Connection, name: str, parameters: Parameters = _AS_SAVED) -> SavedSegment | None:
    newest = select(func.max(_versions.c.version)).where(_versions.c.name == name).scalar_subquery()
    row = connection.execute(
        select(_versions).where(_versions.c.name == name, _versions.c.version == newest)
    ).one_or_none()
    return None if row is None else _read(row, parameters)


def _read(row: Row[Any], parameters: Parameters) -> SavedSegment:
    """A version with these parameters; with none, its numbers are those it was saved with."""
    at = row.saved_at if row.saved_at.tzinfo else row.saved_at.replace(tzinfo=UTC)  # SQLite keeps no zone
    definition = from_json(json.loads(row.definition), parameters)
    return SavedSegment(row.name, row.version, definition, row.hash, at)
