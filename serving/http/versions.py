"""Versions over HTTP: tags as ETags, and the version of a saved thing that is asked for."""

from __future__ import annotations

import re
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Header, Query, Response

from assistant.naming import ABSENT
from segments.errors import NotFoundError

TAG = re.compile(r'(?:W/)?"[^"]*"|\*')
MAX_TAGS = 1000
"""Characters of a header that names versions."""
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=MAX_TAGS,
        description="The ETag of the version that is to be changed, several, or `*`; when the newest is none of them, 412 "
        "and no change.",
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=MAX_TAGS, description="ETags of versions at hand, or `*`: 304."),
]
OnlyNew = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=MAX_TAGS,
        description="`*`: save only where there is nothing of that name yet, else 412.",
    ),
]
Number = Annotated[int | None, Query(ge=1, le=2**31)]
TAGGED: dict[str, Any] = {
    "headers": {"ETag": {"description": "This version's tag.", "schema": {"type": "string"}}}
}
COUNTED: dict[str, Any] = {
    "X-Total-Count": {"description": "How many versions there are.", "schema": {"type": "integer"}}
}
UNCHANGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": TAGGED["headers"] | COUNTED},
    304: {"description": "Still the version of If-None-Match."},
}


class Versioned(Protocol):
    """One version of something saved."""

    @property
    def name(self) -> str:
        """What it is saved under."""

    @property
    def version(self) -> int:
        """1, 2, ..."""

    @property
    def tag(self) -> str:
        """Changes with every version."""


_Version = TypeVar("_Version", bound=Versioned, covariant=True)


class Store(Protocol[_Version]):
    """What keeps versions under names."""

    def get(self, name: str) -> _Version:
        """The latest version. Raises NotFoundError."""

    def version(self, name: str, number: int) -> _Version | None:
        """One version, where there is one."""


def chosen(kind: str, store: Store[_Version], name: str, number: int | None) -> _Version:
    """The version of that number; the newest by default. Raises NotFoundError."""
    newest = store.get(name)
    found = newest if number is None else store.version(name, number)
    if found is None:
        raise NotFoundError(
            f"{kind} '{newest.name}' has no version {number}; its newest is {newest.version}.",
            f"“{newest.name}”没有第{number}版；最新的是第{newest.version}版。",
        )
    return found


def etag(saved: Versioned) -> str:
    """A version's ETag."""
    return f'"{saved.tag}"'


def unchanged(saved: Versioned) -> Any:
    """The answer to who has that version already. A response of its own: FastAPI would write a body."""
    return Response(status_code=304, headers={"ETag": etag(saved)})


def has(saved: Versioned, if_none_match: str | None) -> bool:
    """Whether the caller has that version already: weak tags are as good (RFC 9110, 13.1.2)."""
    tags = _tags(if_none_match or "")
    return "*" in tags or etag(saved) in (tag.removeprefix("W/") for tag in tags)


def expected(if_match: IfMatch = None, if_none_match: OnlyNew = None) -> str | None:
    """What a change may be over, as the stores take it: one of several tags, ABSENT for nothing, None for anything."""
    if "*" in _tags(if_none_match or ""):
        return ABSENT
    return (
        None if if_match is None else " ".join(tag.removeprefix("W/").strip('"') for tag in _tags(if_match))
    )


Over = Annotated[str | None, Depends(expected)]
"""What a new version may be saved over, by both headers."""


def _tags(header: str) -> list[str]:
    """The entity tags of a header, as they are written there."""
    return TAG.findall(header) or [header.strip()]
