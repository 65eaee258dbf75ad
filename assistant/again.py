"""The last answer in another language: the calls of the last turn, made again where they change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from assistant.one_customer import OF_ONE
from assistant.run import Outcome
from assistant.steps import joined
from assistant.toolbox import run_tool, tool_specs
from assistant.tools import Tools
from segments.codec import to_json
from segments.definition import Node

Call = dict[str, Any]
CHANGES = frozenset({"save_segment", "delete_segment", "save_plan", "assign_holdout"})
"""Done once is done."""
MAKES_CURRENT = frozenset(
    {"define_segment", "refine_segment", "open_segment", "find_lookalikes", "find_lookalikes_of_customer"}
)
"""What these found is the current segment, and is shown as such."""


def again(called: Sequence[Call], current: Node | None) -> list[Call] | None:
    """The calls to make for the last turn's answer; None where it changed something. A call that was made on the segment
    of the conversation is made on the current one."""
    if any(call["name"] in CHANGES for call in called):
        return None
    rest = [call for call in called if call["name"] not in MAKES_CURRENT]
    if not rest:
        return None if current is None else [_on(Call(name="show_segment", arguments={}), current)]
    return [_on(call, current) for call in rest]


def say_again(outcome: Outcome, tools: Tools, calls: Sequence[Call]) -> None:
    """Make the calls; their results are one after another in the outcome's."""
    results = []
    for call in calls:
        if call["name"] in OF_ONE:
            tools.rooms.disclosure.one_customer(call["name"])
        outcome.calls.append(call)
        results.append(run_tool(tools, call["name"], call["arguments"]))
    outcome.result = joined(results)


def _on(call: Call, current: Node | None) -> Call:
    takes = tool_specs()[call["name"]].model.model_fields
    if current is None or "definition" not in takes or "definition" in call["arguments"]:
        return call
    return call | {"arguments": {"definition": to_json(current)} | call["arguments"]}
