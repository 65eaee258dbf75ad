"""Parameters: numbers that a workspace keeps once under a name, such as what 'recent' means.

In JSON `{"param": "recent_days"}` stands where a number may stand. Reading a definition puts the workspace's
number there, which remembers its name: it counts, compares and hashes like the number, and is written back as
`{"param": "recent_days", "value": 30}`, so that a definition still means the same away from its workspace.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from segments.errors import Sentence

Parameters = Mapping[str, float]
PARAM = "param"


class WholeParameter(int):
    """A whole number with the name it is kept under."""

    name: str

    def __new__(cls, value: int, name: str = "") -> WholeParameter:
        """The number under a name."""
        made = super().__new__(cls, value)
        made.name = name
        return made


class FractionParameter(float):
    """A number with a fraction and the name it is kept under."""

    name: str

    def __new__(cls, value: float, name: str = "") -> FractionParameter:
        """The number under a name."""
        made = super().__new__(cls, value)
        made.name = name
        return made


def bind(data: Any, known: Parameters, path: str, issues: list[Sentence]) -> Any:
    """JSON with every parameter in its place; one sentence in `issues` for each that is not known.

    The workspace's number goes before the one that the JSON carries.
    """
    if isinstance(data, list):
        return [bind(value, known, f"{path}[{place}]", issues) for place, value in enumerate(data)]
    if not isinstance(data, dict):
        return data
    if PARAM not in data:
        return {key: bind(value, known, f"{path}.{key}", issues) for key, value in data.items()}
    name = data[PARAM]
    value = known.get(name, data.get("value")) if isinstance(name, str) else None
    if set(data) - {PARAM, "value"} or isinstance(value, bool) or not isinstance(value, int | float):
        there = ", ".join(sorted(known)) or "none; set them under [parameters] in segassist.toml"
        issues.append(
            Sentence(
                f"{path}.{PARAM}: {name!r} is no parameter of this workspace; known are {there}.",
                f"{path}.{PARAM}：这个工作区没有参数{name!r}；现有{there}。",
            )
        )
        return data
    return named(value, name)


def named(value: float, name: str) -> WholeParameter | FractionParameter:
    """A number with the name it is kept under."""
    return WholeParameter(value, name) if isinstance(value, int) else FractionParameter(value, name)


def unbind(data: Any) -> Any:
    """JSON with every parameter written as one."""
    if isinstance(data, dict):
        return {key: unbind(value) for key, value in data.items()}
    if isinstance(data, list):
        return [unbind(value) for value in data]
    if isinstance(data, WholeParameter | FractionParameter):
        return {PARAM: data.name, "value": plain(data)}
    return data


def plain(value: Any) -> Any:
    """A number without its name."""
    if isinstance(value, WholeParameter):
        return int(value)
    return float(value) if isinstance(value, FractionParameter) else value


def used_parameters(node: Any) -> dict[str, float]:
    """The parameters of a definition, or of any part of one: name -> number."""
    return {found.name: plain(found) for found in _parameters(node)}


def _parameters(value: Any) -> Iterator[WholeParameter | FractionParameter]:
    if isinstance(value, WholeParameter | FractionParameter):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _parameters(part)
    elif is_dataclass(value):
        for field in fields(value):
            yield from _parameters(getattr(value, field.name))
