"""The OpenAPI document: FastAPI's, with the segment language and the problems as components."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from segments.schema import json_schema
from serving.http.problems import Problem
from serving.http.schemas import NODE_MARK

NODE = "#/components/schemas/SegmentDefinition"


def document(api: FastAPI) -> dict[str, Any]:
    """The document; made once."""
    if api.openapi_schema is None:
        plain = get_openapi(
            title=api.title,
            version=api.version,
            description=api.description,
            routes=api.routes,
            tags=api.openapi_tags,
        )
        made: dict[str, Any] = _pointed(plain)
        components = made.setdefault("components", {}).setdefault("schemas", {})
        components["SegmentDefinition"] = _pointed(json_schema()["$defs"]["node"]) | {
            "description": "A segment definition: groups, and one kind of condition in each leaf."
        }
        components["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        api.openapi_schema = made
    return api.openapi_schema


def _pointed(part: Any) -> Any:
    """The part with every stand-in for a definition, and the language's own references, pointing at the component."""
    if isinstance(part, list):
        return [_pointed(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("$comment") == NODE_MARK["$comment"] or part.get("$ref") == "#/$defs/node":
        return {key: part[key] for key in ("description", "examples") if key in part} | {"$ref": NODE}
    return {key: _pointed(value) for key, value in part.items()}
