"""The assistant's tools as other programs call them: JSON in, JSON out.

Names, descriptions and schemas are read from the methods of `Tools`, so a tool that is added there is offered
everywhere: to LangChain, over MCP and in the HTTP API.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    create_model,
)

from assistant.grounding import to_json as evidence_json
from assistant.run import Around, unwatched
from assistant.tools import ToolResult, Tools, admit
from segments.canonical import fingerprint
from segments.codec import from_json, to_json
from segments.definition import Node
from segments.errors import InternalError, NotFoundError, UserError
from segments.parameters import Parameters
from segments.schema import json_schema

_MARK = {"$comment": "a segment definition"}
"""Stands for a definition until the whole schema is there and can point at the language's own."""
_NODE = {"$ref": "#/$defs/node", "description": "a segment definition"}


def _read(definition: dict[str, Any], info: ValidationInfo) -> Node:
    """A definition with the parameters that the validation is told of."""
    return from_json(definition, info.context or {})


_JsonNode = Annotated[dict[str, Any], AfterValidator(_read), WithJsonSchema(_MARK)]


@dataclass(frozen=True)
class ToolSpec:
    """One tool: its name, what it does, and the JSON Schema (2020-12) of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]
    model: type[BaseModel]


@cache
def tool_specs() -> dict[str, ToolSpec]:
    """Every tool by name: the public methods of `Tools` that return a `ToolResult`."""
    methods = inspect.getmembers(Tools, inspect.isfunction)
    found = [method for name, method in methods if not name.startswith("_")]
    return {method.__name__: _spec(method) for method in found if _returns_result(method)}


def call_tool(tools: Tools, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Run a tool on JSON arguments; its evidence and, where it has one, its segment as JSON. Raises as `run_tool`."""
    return result_json(run_tool(tools, name, arguments), tools.rooms.workspace.settings.currency)


def run_tool(tools: Tools, name: str, arguments: Mapping[str, Any], around: Around = unwatched) -> ToolResult:
    """Run a tool on JSON arguments. around: entered around the call, once the arguments are known to fit.

    Raises NotFoundError for an unknown tool, UserError naming the argument that does not fit,
    DefinitionError for a definition that does not hold, and what the tool raises.
    """
    spec = tool_specs().get(name)
    if spec is None:
        raise NotFoundError(
            f"There is no tool '{name}'; tools are {', '.join(tool_specs())}.",
            f"没有工具“{name}”；现有{'、'.join(tool_specs())}。",
        )
    admit(tools.rooms, name)
    parameters = tools.rooms.workspace.settings.parameters
    read = read_arguments(spec, arguments, parameters)
    with around(name, arguments):
        result: ToolResult = getattr(tools, name)(**read)
    return result


def read_arguments(spec: ToolSpec, arguments: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    """Checked arguments, definitions read with a workspace's parameters. Raises UserError, DefinitionError."""
    try:
        json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise UserError(
            f"{spec.name}: the arguments hold what JSON or UTF-8 cannot write (NaN, half a character).",
            f"{spec.name}：参数含有 JSON 或 UTF-8 无法写出的内容（NaN、半个字符）。",
        ) from None
    try:
        read = spec.model.model_validate(dict(arguments), context=parameters)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UserError(
            f"{spec.name}: {said[:400]}.", f"{spec.name}：参数不合要求（{said[:400]}）。"
        ) from None
    return {name: getattr(read, name) for name in spec.model.model_fields if name in read.model_fields_set}


def result_json(result: ToolResult, currency: str = "$") -> dict[str, Any]:
    """A tool's result: its evidence, and its segment with the fingerprint."""
    out: dict[str, Any] = {"evidence": [evidence_json(item, currency) for item in result.evidence]}
    if result.definition is not None:
        out |= {"definition": to_json(result.definition), "hash": fingerprint(result.definition)}
    return out


def langchain_tools(tools: Tools) -> list[Any]:
    """The tools as LangChain StructuredTools."""
    from langchain_core.tools import StructuredTool

    def runner(name: str) -> Callable[..., dict[str, Any]]:
        return lambda **arguments: call_tool(tools, name, arguments)

    return [
        StructuredTool(
            name=spec.name, description=spec.description, args_schema=spec.schema, func=runner(spec.name)
        )
        for spec in tool_specs().values()
    ]


def _returns_result(method: Callable[..., Any]) -> bool:
    return inspect.signature(method, eval_str=True).return_annotation is ToolResult


def _spec(method: Callable[..., Any]) -> ToolSpec:
    name = method.__name__
    if not method.__doc__:
        raise InternalError(f"Tool {name} has no docstring, so nobody could know what it does.")
    _, *parameters = inspect.signature(method, eval_str=True).parameters.values()
    fields: Any = {
        p.name: (_json_type(p.annotation), ... if p.default is p.empty else p.default) for p in parameters
    }
    model = create_model(name, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **fields)
    return ToolSpec(name, " ".join(method.__doc__.split()), _schema(model), model)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """pydantic's schema without its titles, its definitions pointing at the language's."""
    plain = model.model_json_schema()
    schema: dict[str, Any] = _pointed(plain)
    schema.setdefault("properties", {})
    if _MARK["$comment"] in json.dumps(plain):
        schema.setdefault("$defs", {}).update(json_schema()["$defs"])
    return schema


def _pointed(part: Any) -> Any:
    if isinstance(part, list):
        return [_pointed(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$comment" in part:
        return _NODE
    titled = isinstance(part.get("title"), str)
    return {key: _pointed(value) for key, value in part.items() if not (titled and key == "title")}


def _json_type(annotation: Any) -> Any:
    """The annotation with every definition replaced by its JSON form."""
    if annotation == Node:
        return _JsonNode
    if annotation == Node | None:
        return _JsonNode | None
    return annotation


__all__ = ["ToolSpec", "call_tool", "langchain_tools", "result_json", "run_tool", "tool_specs"]
