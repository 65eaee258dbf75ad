"""The assistant's tools over HTTP: one route for each, read from the tools themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends

from assistant.toolbox import ToolSpec, tool_specs
from serving.access import Caller
from serving.http import schemas
from serving.http.idempotency import IdempotentRoute, declare
from serving.http.segments import next_offset
from serving.http.who import Exporter, Having, Reader
from serving.service import Service, permission_of

EXAMPLES = {"definition": schemas.LOYAL, "other": {"all_of": []}, "previous": {"all_of": []}, "name": "Loyal"}
EXAMPLES |= {
    "outcome": "purchase_30d",
    "customer": "1",
    "part": {"feature": "has_children", "op": "=", "value": True},
}


def tool_routes(service: Service) -> APIRouter:
    """Routes under /v1/tools."""
    router = APIRouter(prefix="/v1/tools", tags=["tools"], route_class=IdempotentRoute)

    @router.get("")
    def tools(caller: Reader) -> list[schemas.Tool]:
        """The tools that the caller's role may use."""
        return [
            schemas.Tool(
                name=spec.name,
                description=spec.description,
                permission=permission_of(spec),
                arguments=spec.schema,
            )
            for spec in service.tools(caller)
        ]

    for spec in tool_specs().values():
        router.add_api_route(
            f"/{spec.name}",
            _runner(service, spec),
            methods=["POST"],
            summary=spec.name.replace("_", " ").capitalize(),
            description=f"{spec.description} Takes the permission to {permission_of(spec)}.",
            operation_id=f"tool_{spec.name}",
            dependencies=[Depends(declare)] if permission_of(spec) == "write" else [],
            openapi_extra={"requestBody": {"content": {"application/json": _body(spec)}, "required": True}},
        )
    return router


def propensity_routes(service: Service) -> APIRouter:
    """Routes under /v1/propensity."""
    router = APIRouter(prefix="/v1/propensity", tags=["propensity"])

    @router.get("")
    def cards(caller: Reader) -> list[schemas.ModelCard]:
        """The propensity models' cards."""
        from assistant.scoring import cards

        return [schemas.ModelCard(**card) for card in cards(service.rooms.workspace.models)]

    @router.post("/scores")
    def scores(body: schemas.Scores, caller: Exporter) -> schemas.ScorePage:
        """A page of members with their calibrated probability, likeliest first. Written to the audit log."""
        found, total = service.scores(
            caller, service.read(body.definition), body.outcome, body.offset, body.limit
        )
        return schemas.ScorePage(
            outcome=body.outcome,
            total=total,
            as_of=service.rooms.warehouse.as_of.isoformat(),
            scores=[schemas.Score(customer=customer, probability=p) for customer, p in found],
            next=next_offset(body.offset, len(found), total),
        )

    @router.post("/score")
    def score(body: schemas.OneScore, caller: Exporter) -> schemas.ExplainedScore:
        """One customer's calibrated probability, and what drives it. Written to the audit log."""
        found = service.run(caller, "explain_propensity", body.model_dump()).evidence[0]
        values = {figure.name: figure.value for figure in found.figures}
        return schemas.ExplainedScore.model_validate(
            values | {"customer": body.customer, "drivers": found.rows}
        )

    return router


def _runner(service: Service, spec: ToolSpec) -> Callable[..., schemas.ToolResult]:
    user = Depends(Having(permission_of(spec)))

    def run(body: Annotated[dict[str, Any], Body()], caller: Caller = user) -> schemas.ToolResult:
        return schemas.ToolResult(**service.call(caller, spec.name, body))

    return run


def _body(spec: ToolSpec) -> dict[str, Any]:
    """The arguments' schema and an example, for the OpenAPI; the language's schema is put in by `openapi.document`."""
    schema = {key: value for key, value in spec.schema.items() if key != "$defs"}
    needed = spec.schema.get("required", [])
    return {"schema": schema, "example": {name: EXAMPLES[name] for name in needed if name in EXAMPLES}}
