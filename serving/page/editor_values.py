"""What is typed into a field of the visual editor, read as a number."""

from __future__ import annotations

from typing import Any

from segments.errors import UserError
from segments.parameters import FractionParameter, Parameters, WholeParameter, named

NOT_EVER = ""
"""What an empty field of days or hours means: no bound."""
NUMBERS = frozenset(
    {
        *("value", "low", "high", "start", "end", "within_days", "factor", "times", "from_hour", "to_hour"),
        "top",
    }
)
"""The fields that take a number, or the name of a parameter; of a part of a condition they follow a dot."""


def meant(field: str, value: Any, parameters: Parameters) -> Any:
    """The parameter whose name was typed into a field that takes a number; anything else as it is."""
    wanted = field.rpartition(".")[2] in NUMBERS and isinstance(value, str)
    return named(parameters[name], name) if wanted and (name := value.strip()) in parameters else value


def number(value: Any) -> float | int | str:
    """A number, whole where it can be; what is no number stays as it is."""
    if isinstance(value, WholeParameter | FractionParameter):
        return value
    try:
        read = float(value)
    except (TypeError, ValueError):
        return str(value)
    return int(read) if read.is_integer() and abs(read) < 1e15 else read


def days(value: Any) -> int | None:
    """Whole days; none for an empty field. Raises UserError."""
    read = number(value) if value != NOT_EVER else None
    if isinstance(read, str | float):
        raise UserError(
            f"days: must be a whole number of days; got {value}.", f"days：天数必须是整数，而给的是{value}。"
        )
    return read


def whole(field: str, value: Any) -> int:
    """A whole number. Raises UserError."""
    read = number(value)
    if not isinstance(read, int):
        raise UserError(
            f"{field}: must be a whole number; got '{str(value)[:20]}'.",
            f"{field}：必须是整数，而给的是“{str(value)[:20]}”。",
        )
    return read


def amount(value: Any) -> float | int:
    """Any number. Raises UserError."""
    read = number(value)
    if isinstance(read, str):
        raise UserError(
            f"value: must be a number; got '{read[:20]}'.", f"value：必须是数字，而给的是“{read[:20]}”。"
        )
    return read


def share(value: Any) -> float | int:
    """A share that was typed in percent; a parameter is one already. Raises UserError."""
    read = amount(value)
    return read if isinstance(read, WholeParameter | FractionParameter) else round(read / 100, 6)
