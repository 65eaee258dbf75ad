"""Segments over HTTP: saved ones with versions and tags, and definitions counted, compared and listed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from assistant.library import SavedSegment
from segments.codec import to_json
from segments.explain import explain
from serving.http import schemas
from serving.http.idempotency import IdempotentRoute, declare
from serving.http.versions import (
    TAGGED,
    UNCHANGED,
    IfMatch,
    IfNoneMatch,
    Number,
    Over,
    chosen,
    etag,
    expected,
    has,
    unchanged,
)
from serving.http.who import Exporter, Reader, Writer
from serving.service import Service


def segment_routes(service: Service) -> APIRouter:
    """Routes under /v1/segments."""
    router = APIRouter(prefix="/v1/segments", tags=["segments"], route_class=IdempotentRoute)
    _count(router, service)
    _read(router, service)
    _change(router, service)
    return router


def _count(router: APIRouter, service: Service) -> None:
    @router.post("/preview")
    def preview(body: schemas.Definition, caller: Reader) -> schemas.Segment:
        """Count a definition, or estimate it in very large data (`estimate_from`), and show its SQL and words."""
        return schemas.Segment(**service.preview(caller, service.read(body.definition)))

    @router.post("/estimate")
    def estimate(body: schemas.Sampled, caller: Reader) -> schemas.SizeEstimate:
        """The size of a definition from a sample of the customers, with its interval. Ranks need everybody."""
        return schemas.SizeEstimate(**service.estimate(caller, service.read(body.definition), body.share))

    @router.post("/diff")
    def diff(body: schemas.Between, caller: Reader) -> schemas.SegmentChange:
        """How many customers entered a definition, left it and stayed between two dates."""
        definition = service.read(body.definition)
        return schemas.SegmentChange(**service.diff(caller, definition, body.earlier, body.later))

    @router.post("/diff/members")
    def movers(body: schemas.Movers, caller: Exporter) -> schemas.MemberPage:
        """A page of the source ids of those who entered or left between two dates. Written to the audit log."""
        definition, later = service.read(body.definition), body.later or service.rooms.warehouse.as_of
        ids, total = service.movers(
            caller, definition, body.earlier, later, body.which, body.offset, body.limit
        )
        after = next_offset(body.offset, len(ids), total)
        return schemas.MemberPage(total=total, as_of=later.isoformat(), members=ids, next=after)

    @router.post("/overlap")
    def overlap(body: schemas.Overlap, caller: Reader) -> schemas.OverlapMatrix:
        """How many customers are in both, for every two of the definitions."""
        found = service.overlap(caller, [service.read(definition) for definition in body.definitions])
        return schemas.OverlapMatrix(customers=found)

    @router.post("/members")
    def members(body: schemas.Members, caller: Exporter) -> schemas.MemberPage:
        """A page of the members' source ids. Written to the audit log."""
        ids, total = service.members(caller, service.read(body.definition), body.offset, body.limit)
        as_of = service.rooms.warehouse.as_of.isoformat()
        after = next_offset(body.offset, len(ids), total)
        return schemas.MemberPage(total=total, as_of=as_of, members=ids, next=after)


def _read(router: APIRouter, service: Service) -> None:
    library = service.rooms.library

    @router.get("")
    def segments(
        caller: Reader,
        response: Response,
        offset: Annotated[schemas.Offset, Query()] = 0,
        limit: Annotated[schemas.Limit, Query()] = 1000,
    ) -> list[schemas.SavedSegment]:
        """Saved segments by name, each at its newest version. `X-Total-Count` says how many there are."""
        found, total = library.page(offset, limit)
        response.headers["X-Total-Count"] = str(total)
        return [schemas.SavedSegment(**_saved(service, segment)) for segment in found]

    @router.get("/{name:path}", responses=UNCHANGED)
    def segment(
        name: str,
        caller: Reader,
        response: Response,
        version: Number = None,
        offset: Annotated[schemas.Offset, Query(description="Of the versions that are listed.")] = 0,
        limit: Annotated[schemas.Limit, Query(description="Of the versions that are listed.")] = 1000,
        if_none_match: IfNoneMatch = None,
    ) -> schemas.SavedSegmentVersions:
        """A saved segment at its newest version, or at the one asked for, with a page of its versions, the newest first.
        `X-Total-Count` says how many there are."""
        found = chosen("Segment", library, name, version)
        if has(found, if_none_match):
            return unchanged(found)
        versions, total = library.versions_page(name, offset, limit)
        response.headers["ETag"], response.headers["X-Total-Count"] = etag(found), str(total)
        every = [schemas.Version(**_version(v)) for v in versions]
        return schemas.SavedSegmentVersions(**_saved(service, found), versions=every)


def _change(router: APIRouter, service: Service) -> None:
    changes: dict[str, Any] = {"dependencies": [Depends(declare)]}

    @router.post("", status_code=201, responses={201: TAGGED}, **changes)
    def save(body: schemas.Saved, caller: Writer, response: Response) -> schemas.SavedAs:
        """Save a definition under a name; the same definition again changes nothing."""
        return _save(body.name, body, caller, response, None)

    @router.put("/{name:path}", responses={200: TAGGED}, **changes)
    def replace(
        name: str,
        body: schemas.Definition,
        caller: Writer,
        response: Response,
        over: Over,
    ) -> schemas.SavedAs:
        """Save a new version under a name; with If-Match, only over the version that the caller saw."""
        return _save(name, body, caller, response, over)

    @router.delete("/{name:path}", status_code=204, **changes)
    def delete(name: str, caller: Writer, if_match: IfMatch = None) -> None:
        """Delete a saved segment with all its versions."""
        service.delete(caller, name, expected(if_match))

    def _save(
        name: str, body: schemas.Definition, caller: Writer, response: Response, over: str | None
    ) -> schemas.SavedAs:
        saved = service.save(caller, name, service.read(body.definition), over)
        response.headers["ETag"] = etag(saved)
        return schemas.SavedAs(name=saved.name, version=saved.version, hash=saved.hash)


def next_offset(offset: int, count: int, total: int) -> int | None:
    """Where the next page begins; None after the last."""
    return offset + count if count and offset + count < total else None


def _version(saved: SavedSegment) -> dict[str, Any]:
    return {"version": saved.version, "hash": saved.hash, "saved_at": saved.saved_at.isoformat()}


def _saved(service: Service, saved: SavedSegment) -> dict[str, Any]:
    rooms = service.rooms
    words = explain(saved.definition, rooms.warehouse.catalogue, "en", rooms.workspace.settings.currency)
    return _version(saved) | {"name": saved.name, "definition": to_json(saved.definition), "words": words}
