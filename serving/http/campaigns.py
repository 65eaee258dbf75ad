"""Plans and experiments over HTTP, with versions and tags. The tool `assign_holdout` makes an experiment."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from assistant.documents import Documents, SavedDocument
from assistant.tools_campaigns import file_stem
from campaigns.assign import Arm
from campaigns.experiment import Experiment
from campaigns.page import to_html
from campaigns.plan import Strategy
from segments.explain import Language
from serving.customers import ListFormat
from serving.http import schemas
from serving.http.files import attachment
from serving.http.idempotency import IdempotentRoute, declare
from serving.http.problems import asked_for
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


class _DocumentName(Convertor[str]):
    """Any characters, as nobody can call a document: at `NAME/customers` are a document's customers."""

    regex = "(?!.*/customers$).+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("document", _DocumentName())


def campaign_routes(service: Service) -> APIRouter:
    """Routes under /v1/plans and /v1/experiments."""
    router = APIRouter(prefix="/v1", tags=["campaigns"], route_class=IdempotentRoute)
    _documents(router, service, service.rooms.plans)
    _documents(router, service, service.rooms.experiments)

    @router.put("/plans/{name:document}", responses={200: TAGGED}, dependencies=[Depends(declare)])
    def replace(
        name: str,
        body: schemas.NewPlan,
        caller: Writer,
        response: Response,
        over: Over,
    ) -> schemas.Document:
        """Plan a segment's campaign and save it as a new version; with If-Match, only over the version that the
        caller saw."""
        definition = service.read(body.definition)
        asked = body.goal, body.budget, over, body.top
        saved = service.save_plan(caller, name, definition, *asked)
        response.headers["ETag"] = etag(saved)
        return _told(saved)

    return router


def _documents(router: APIRouter, service: Service, documents: Documents) -> None:
    kind, path = documents.kind, f"/{documents.kind}s"
    _customers(router, service, documents)

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
        f"{path}/{{name:document}}",
        response_model=schemas.DocumentVersions,
        responses=UNCHANGED | (schemas.PLAN_WORDS if kind == "plan" else {}),
        summary=f"A saved {kind}",
        operation_id=kind,
    )
    def one(
        name: str,
        caller: Reader,
        request: Request,
        response: Response,
        version: Number = None,
        offset: Annotated[schemas.Offset, Query(description="Of the versions that are listed.")] = 0,
        limit: Annotated[schemas.Limit, Query(description="Of the versions that are listed.")] = 1000,
        if_none_match: IfNoneMatch = None,
    ) -> Any:
        """At its newest version, or at the one asked for, with a page of its versions, the newest first (`X-Total-Count`
        says how many there are); without the customers in it."""
        found = chosen(kind.capitalize(), documents, name, version)
        if has(found, if_none_match):
            return unchanged(found)
        if kind == "plan" and (form := _form(request)) is not None:
            return _words(service, found, form, asked_for(request.headers))
        versions, total = documents.versions_page(name, offset, limit)
        response.headers["ETag"], response.headers["X-Total-Count"] = etag(found), str(total)
        content = _SHOWN[kind](documents.load(name, found.version))
        every = [_told(saved) for saved in versions]
        return schemas.DocumentVersions(**_told(found).model_dump(), content=content, versions=every)

    @router.delete(
        f"{path}/{{name:document}}",
        status_code=204,
        summary=f"Delete a saved {kind}",
        operation_id=f"delete_{kind}",
        dependencies=[Depends(declare)],
    )
    def delete(name: str, caller: Writer, if_match: IfMatch = None) -> None:
        """With all its versions."""
        service.delete_document(caller, documents, name, expected(if_match))


def _customers(router: APIRouter, service: Service, documents: Documents) -> None:
    """How each customer of a document is contacted."""
    kind = documents.kind

    @router.get(
        f"/{kind}s/{{name:path}}/customers",
        response_class=Response,
        responses={200: schemas.CUSTOMERS},
        summary=f"The customers of a saved {kind}",
        operation_id=f"{kind}_customers",
    )
    def customers(
        name: str,
        caller: Exporter,
        version: Number = None,
        arm: Annotated[Arm | None, Query(description="Only this arm; by default both.")] = None,
        file_format: Annotated[ListFormat, Query(alias="format")] = "csv",
    ) -> Response:
        """Source ids with arm, tier and offer, as CSV or JSON lines; each row says as of when and of which definition
        (its hash). Written to the audit log."""
        found = chosen(kind.capitalize(), documents, name, version)
        listed = service.customers(caller, documents, name, found.version, arm)
        headers = {"ETag": etag(found), "X-Total-Count": str(len(listed.rows))}
        headers |= attachment(listed.file_name(file_format))
        return Response(listed.text(file_format), media_type=MEDIA[file_format], headers=headers)


def _form(request: Request) -> str | None:
    """How a plan is to be told, by the first kind of `Accept` that is known; None: as JSON."""
    kinds = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    known = [kind for kind in kinds if kind in (MARKDOWN, HTML, "application/json", "*/*")]
    return known[0] if known and known[0] in (MARKDOWN, HTML) else None


def _words(service: Service, saved: SavedDocument, form: str, language: Language) -> Response:
    """A plan in words, as a file."""
    plan = Strategy.restored(service.rooms.plans.load(saved.name, saved.version))
    words = plan.to_markdown(language, service.rooms.workspace.settings.currency)
    text, ending = (to_html(words, saved.name, language), "html") if form == HTML else (words, "md")
    headers = {"ETag": etag(saved), "Vary": "Accept, Accept-Language"}
    headers |= attachment(f"{file_stem(saved.name)}.{ending}")
    return Response(text, media_type=f"{form}; charset=utf-8", headers=headers)


def _plan(content: dict[str, Any]) -> dict[str, Any]:
    plan = Strategy.restored(content)
    return plan.to_dict() | {"definition": plan.definition}


def _experiment(content: dict[str, Any]) -> dict[str, Any]:
    made = Experiment.from_dict(content)
    sizes = {arm: len(made.customers(arm)) for arm in ("contact", "holdout")}
    return {
        key: value for key, value in made.to_dict().items() if key not in ("arms", "salt", "offers")
    } | sizes


MARKDOWN, HTML = "text/markdown", "text/html"
MEDIA = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
_SHOWN = {"plan": _plan, "experiment": _experiment}


def _told(saved: SavedDocument) -> schemas.Document:
    return schemas.Document(
        name=saved.name,
        version=saved.version,
        hash=saved.hash,
        saved_at=saved.saved_at.isoformat(),
        owner=saved.owner,
    )
