"""Plans and experiments over HTTP, with versions and tags. The tool `assign_holdout` makes an experiment."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from assistant.documents import Documents, SavedDocument
from campaigns.experiment import Experiment
from campaigns.plan import Strategy
from serving.http import schemas
from serving.http.idempotency import IdempotentRoute, declare
from serving.http.versions import (
    TAGGED,
    UNCHANGED,
    IfMatch,
    IfNoneMatch,
    Number,
    bare,
    chosen,
    etag,
    unchanged,
)
from serving.http.who import Reader, Writer
from serving.service import Service


def campaign_routes(service: Service) -> APIRouter:
    """Routes under /v1/plans and /v1/experiments."""
    router = APIRouter(prefix="/v1", tags=["campaigns"], route_class=IdempotentRoute)
    _documents(router, service, service.rooms.plans)
    _documents(router, service, service.rooms.experiments)

    @router.put("/plans/{name:path}", responses={200: TAGGED}, dependencies=[Depends(declare)])
    def replace(
        name: str, body: schemas.NewPlan, caller: Writer, response: Response, if_match: IfMatch = None
    ) -> schemas.Document:
        """Plan a segment's campaign and save it as a new version; with If-Match, only over the version that the
        caller saw."""
        definition = service.read(body.definition)
        saved = service.save_plan(caller, name, definition, body.goal, body.budget, bare(if_match))
        response.headers["ETag"] = etag(saved)
        return _told(saved)

    return router


def _documents(router: APIRouter, service: Service, documents: Documents) -> None:
    kind, path = documents.kind, f"/{documents.kind}s"

    @router.get(path, summary=f"Saved {kind}s", operation_id=f"{kind}s")
    def every(
        caller: Reader,
        response: Response,
        offset: Annotated[schemas.Offset, Query()] = 0,
        limit: Annotated[schemas.Limit, Query()] = 1000,
    ) -> list[schemas.Document]:
        """By name, each at its newest version, without its content. `X-Total-Count` says how many there are."""
        found = documents.all()
        response.headers["X-Total-Count"] = str(len(found))
        return [_told(saved) for saved in found[offset : offset + limit]]

    @router.get(
        f"{path}/{{name:path}}",
        responses=UNCHANGED,
        summary=f"A saved {kind}",
        operation_id=kind,
    )
    def one(
        name: str,
        caller: Reader,
        response: Response,
        version: Number = None,
        if_none_match: IfNoneMatch = None,
    ) -> schemas.DocumentVersions:
        """At its newest version, or at the one asked for; without the customers in it."""
        versions = documents.versions(name)
        found = chosen(kind.capitalize(), versions, version)
        if if_none_match == etag(found):
            return unchanged(found)
        response.headers["ETag"] = etag(found)
        content = _SHOWN[kind](documents.load(name, found.version))
        every = [_told(saved) for saved in versions]
        return schemas.DocumentVersions(**_told(found).model_dump(), content=content, versions=every)

    @router.delete(
        f"{path}/{{name:path}}",
        status_code=204,
        summary=f"Delete a saved {kind}",
        operation_id=f"delete_{kind}",
        dependencies=[Depends(declare)],
    )
    def delete(name: str, caller: Writer, if_match: IfMatch = None) -> None:
        """With all its versions."""
        service.delete_document(caller, documents, name, bare(if_match))


def _plan(content: dict[str, Any]) -> dict[str, Any]:
    return Strategy.restored(content).to_dict()


def _experiment(content: dict[str, Any]) -> dict[str, Any]:
    made = Experiment.from_dict(content)
    sizes = {arm: len(made.customers(arm)) for arm in ("contact", "holdout")}
    return {key: value for key, value in made.to_dict().items() if key not in ("arms", "salt")} | sizes


_SHOWN = {"plan": _plan, "experiment": _experiment}


def _told(saved: SavedDocument) -> schemas.Document:
    return schemas.Document(
        name=saved.name,
        version=saved.version,
        hash=saved.hash,
        saved_at=saved.saved_at.isoformat(),
        owner=saved.owner,
    )
