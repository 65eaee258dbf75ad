"""Users with API keys, in the workspace's state.

A key is shown once, when it is made; what is kept is its SHA-256. (A key has 256 random bits, so a slow
password hash would protect nothing more.) While no user has ever been added, nobody is asked who they are: whoever
reaches the server, which then listens on this machine only, is its owner.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy import func as sql
from sqlalchemy.exc import IntegrityError

from assistant.sql import Database, open_database
from segments.errors import ConflictError, NotFoundError, UnauthenticatedError, UserError
from serving.access import OWNER, Caller, Role

PREFIX = "sga"
FAILED = "The users cannot be read"
USER_NAME = re.compile(r"[\w.@-]{1,64}", re.ASCII)

_metadata = MetaData()
_users = Table(
    "users",
    _metadata,
    Column("name", String(64), primary_key=True),
    Column("role", Integer, nullable=False),
    Column("subject", String(255)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)
_keys = Table(
    "api_keys",
    _metadata,
    Column("id", String(12), primary_key=True),
    Column("user", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("signed_in_with", String(12)),
)
"""expires_at: of a browser's session alone. signed_in_with: the key that it was begun with, none where a provider did."""


@dataclass(frozen=True)
class User:
    """A user as listed; `keys` are the ids of the keys that hold, sessions of the page left out."""

    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None
    keys: tuple[str, ...]


class Users:
    """Users and keys of one workspace. Every change is one transaction."""

    def __init__(self, where: Database | str | Path, always: bool = False) -> None:
        """always: callers must say who they are even before the first user (a provider signs them in)."""
        self._on = always
        self._state = open_database(where, FAILED)
        self._read, self._write = partial(self._state.read, FAILED), partial(self._state.write, FAILED)

    @property
    def on(self) -> bool:
        """Whether callers must say who they are: from the first user on, revoked or not."""
        if not self._on:  # once on it never goes off, so that it need not be asked at each request
            with self._read() as connection:
                self._on = bool(connection.execute(select(sql.count()).select_from(_users)).scalar_one())
        return self._on

    def add(self, name: str, role: Role) -> str:
        """Add a user, or take a revoked one back in this role; return a new key, which cannot be shown again.

        Raises UserError, ConflictError.
        """
        if not USER_NAME.fullmatch(name):
            raise UserError(
                f"name: must be 1 to 64 of a-z, A-Z, 0-9, '.', '@', '_', '-'; got {name[:64]!r}.",
                f"name：必须是1到64个 a-z、A-Z、0-9、'.'、'@'、'_'、'-'，而给的是{name[:64]!r}。",
            )
        try:
            with self._write() as connection:
                revoked = _users.c.name == name, _users.c.revoked_at.is_not(None)
                back = update(_users).where(*revoked).values(role=int(role), revoked_at=None)
                if not connection.execute(back).rowcount:
                    connection.execute(insert(_users).values(name=name, role=int(role), created_at=_now()))
                return _make_key(connection, name)
        except IntegrityError:
            raise ConflictError(
                f"There is a user '{name}' already; `users key {name}` makes another key.",
                f"已经有用户“{name}”；用 `users key {name}` 可以再做一个密钥。",
            ) from None

    def signed_in(self, subject: str, name: str, role: Role) -> str:
        """The user whom a provider knows by `subject`, added with the first sign-in, now in this role; their name.

        Raises UnauthenticatedError for one who was revoked, ConflictError when the name is another user's.
        """
        with self._write() as connection:
            row = connection.execute(select(_users).where(_users.c.subject == subject)).one_or_none()
            if row is not None and row.revoked_at is not None:
                raise UnauthenticatedError(
                    f"The user '{row.name}' has been revoked.", f"用户“{row.name}”已被撤销。"
                )
            if row is not None:
                connection.execute(update(_users).where(_users.c.name == row.name).values(role=int(role)))
                return str(row.name)
            if connection.execute(select(_users).where(_users.c.name == name)).one_or_none() is not None:
                raise ConflictError(
                    f"There is another user '{name}' here; an admin must revoke or rename one of the two.",
                    f"这里另有一个用户“{name}”；管理员必须撤销其中一个或改名。",
                )
            new = {"name": name, "role": int(role), "subject": subject, "created_at": _now()}
            connection.execute(insert(_users).values(**new))
            return name

    def name_of(self, subject: str) -> str | None:
        """The user whom a provider knows by `subject`; None before the first sign-in."""
        with self._read() as connection:
            found = connection.execute(select(_users.c.name).where(_users.c.subject == subject))
            return found.scalar_one_or_none()

    def new_key(self, name: str) -> str:
        """One more key for a user. Raises NotFoundError."""
        with self._write() as connection:
            _user(connection, name)
            return _make_key(connection, name)

    def new_session(self, name: str, lasts: timedelta, key_id: str | None = None) -> str:
        """A key for a user's browser, which ends by itself and with the key that they signed in with. Raises
        NotFoundError, UnauthenticatedError where that is a session itself, which would never end then."""
        with self._write() as connection:
            _user(connection, name)
            of_session = _keys.c.id == key_id, _keys.c.expires_at.is_not(None)
            if connection.execute(select(_keys.c.id).where(*of_session)).first() is not None:
                raise UnauthenticatedError(
                    "This is a browser's session, which begins no other one; sign in with an API key.",
                    "这是浏览器会话的密钥，不能用来再登录；请用 API 密钥登录。",
                )
            return _make_key(connection, name, lasts, key_id)

    def ended(self, before: datetime) -> int:
        """How many sessions ended before a time."""
        query = select(sql.count()).select_from(_keys).where(_keys.c.expires_at < before)
        with self._read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_ended(self, before: datetime) -> None:
        """Remove the sessions that ended before a time."""
        with self._write() as connection:
            connection.execute(delete(_keys).where(_keys.c.expires_at < before))

    def set_role(self, name: str, role: Role) -> None:
        """Give a user another role; it holds from the next request on. Raises NotFoundError."""
        with self._write() as connection:
            _user(connection, name)
            connection.execute(update(_users).where(_users.c.name == name).values(role=int(role)))

    def revoke(self, name: str) -> None:
        """Revoke a user and all their keys. Raises NotFoundError."""
        with self._write() as connection:
            _user(connection, name)
            connection.execute(update(_users).where(_users.c.name == name).values(revoked_at=_now()))
            holding = _keys.c.user == name, _keys.c.revoked_at.is_(None)
            connection.execute(update(_keys).where(*holding).values(revoked_at=_now()))

    def revoke_key(self, key_id: str) -> None:
        """Revoke one key and the sessions that were begun with it. Raises NotFoundError."""
        with self._write() as connection:
            found = connection.execute(
                update(_keys)
                .where(_keys.c.id == key_id, _keys.c.revoked_at.is_(None))
                .values(revoked_at=_now())
            )
            if not found.rowcount:
                raise NotFoundError(
                    f"No key that holds has the id '{key_id}'; see `users list`.",
                    f"没有编号为“{key_id}”的有效密钥；见 `users list`。",
                )
            begun = _keys.c.signed_in_with == key_id, _keys.c.revoked_at.is_(None)
            connection.execute(update(_keys).where(*begun).values(revoked_at=_now()))

    def all(self) -> list[User]:
        """Every user, by name."""
        with self._read() as connection:
            keys = connection.execute(
                select(_keys.c.id, _keys.c.user).where(
                    _keys.c.revoked_at.is_(None), _keys.c.expires_at.is_(None)
                )
            ).all()
            rows = connection.execute(select(_users).order_by(_users.c.name)).all()
        return [
            User(
                r.name,
                Role(r.role),
                r.created_at,
                r.revoked_at,
                tuple(k.id for k in keys if k.user == r.name),
            )
            for r in rows
        ]

    def caller(self, key: str) -> Caller:
        """Whose key it is. Raises UnauthenticatedError."""
        prefix, _, rest = key.partition("_")
        key_id, _, secret = rest.partition("_")
        with self._read() as connection:
            query = select(_keys, _users.c.role).join(_users, _users.c.name == _keys.c.user)
            row = connection.execute(query.where(_keys.c.id == key_id)).one_or_none()
        # An unknown id takes as long as a wrong secret.
        same = hmac.compare_digest(_hash(secret), row.hash if row is not None else _hash(""))
        if prefix != PREFIX or row is None or not same or not _holds(row):
            raise UnauthenticatedError(
                "The key does not hold: it is mistyped, expired or revoked.",
                "密钥无效：输错了、过期了或已被撤销。",
            )
        return Caller(row.user, Role(row.role), space=row.user, key=row.id)

    def named(self, name: str) -> Caller:
        """A user by name, for those whom another part has let in already. Raises UnauthenticatedError."""
        if name == OWNER.name and not self.on:
            return OWNER
        with self._read() as connection:
            query = select(_users).where(_users.c.name == name, _users.c.revoked_at.is_(None))
            row = connection.execute(query).one_or_none()
        if row is None:
            raise UnauthenticatedError(
                "Sign in again: this user has been revoked.", "请重新登录：该用户已被撤销。"
            )
        return Caller(row.name, Role(row.role), space=row.name)


def _user(connection: Connection, name: str) -> Row[Any]:
    query = select(_users).where(_users.c.name == name, _users.c.revoked_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(
            f"There is no user '{name}'; see `users list`.", f"没有用户“{name}”；见 `users list`。"
        )
    return row


def _make_key(
    connection: Connection, user: str, lasts: timedelta | None = None, signed_in_with: str | None = None
) -> str:
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    ends = {"expires_at": None if lasts is None else _now() + lasts, "signed_in_with": signed_in_with}
    connection.execute(
        insert(_keys).values(id=key_id, user=user, hash=_hash(secret), created_at=_now(), **ends)
    )
    return f"{PREFIX}_{key_id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _holds(row: Row[Any]) -> bool:
    expires = row.expires_at
    if expires is not None and expires.tzinfo is None:  # SQLite keeps no zone
        expires = expires.replace(tzinfo=UTC)
    return row.revoked_at is None and (expires is None or expires > _now())


def _now() -> datetime:
    return datetime.now(UTC)
