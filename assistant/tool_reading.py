"""Which tool a message asks for, as the model that was fine-tuned on requests reads it.

The words' rules (`assistant.intents`) know the wordings that somebody thought of; people have many more. The model has
seen requests in many manners of speaking, and is asked which tool they want before the rules' own finding is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import prompts
from assistant.change_intents import DIFF, asks_change
from assistant.intents import NO_TOOL, TOOLS
from assistant.linking.edits import PARTS_OF_DAY, begins_anew, stands_alone
from assistant.linking.link import Link
from assistant.llm import ChatModel, TunedModel, tuned
from assistant.one_customer import EXPLAIN
from assistant.plan import CURRENT, DESCRIBED, Plan
from assistant.second_reading import doubtful
from assistant.sketch import sketchable
from segments.definition import FeatureCondition, Node, conditions
from segments.errors import ModelRetryError

OF_THEM = ("count_part", "profile_times", "profile_places", "profile_goods")
"""Tools that are asked of the segment at hand, and that no schema of the plan stage offers."""
ASKED = (*(tool for tool in TOOLS if tool != "refuse"), *OF_THEM, "list_plans")
REASONS = ("unknown_field", "out_of_scope", "destructive", "protected")
SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {"tool": {"enum": list(ASKED)}},
            "required": ["tool"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"tool": {"const": "refuse"}, "reason": {"enum": list(REASONS)}},
            "required": ["tool", "reason"],
            "additionalProperties": False,
        },
    ]
}
"""What the model may answer."""


@dataclass(frozen=True)
class ToolReading:
    """tool: what the message asks for. reason: why it is refused, of REASONS. probability: that the model gave to it."""

    tool: str
    reason: str | None
    probability: float


def asked(message: str) -> list[tuple[str, str]]:
    """What the model is asked: it is trained on exactly this."""
    return [("system", prompts.load("tool_system.md").strip()), ("human", message)]


def read_tool(model: TunedModel, message: str) -> ToolReading | None:
    """The tool that the model reads; None when its answer is none. Raises LLMUnavailableError."""
    try:
        said, probability = model.weighed(asked(message), SCHEMA)
    except ModelRetryError:
        return None
    tool, reason = said.get("tool"), said.get("reason")
    if tool not in (*ASKED, "refuse"):
        return None
    return ToolReading(str(tool), reason if reason in REASONS else None, probability)


SURE, FAIRLY, REFUSED, DESCRIBES = 0.45, 0.3, 0.4, 0.9
"""From which probability the model's tool is taken: against the only one that the words leave, of several that they
leave, to refuse what the words would answer, and a segment where the words name another tool. On 274 messages that no
pair was learned from, anything from 0.3 to 0.5 and 0.25 to 0.35 is right as often, to two messages, and any of the last."""
REFUSED_WHOLE = 0.985
"""From which probability a message is refused that the words explain to the last, as off topic or for whom it is made of;
that something is lacking in it is not believed: its words are all there. Of 236 messages that ask for something that is
there, and that no pair was learned from, 2 are refused so, and 45 of 49 that are to be refused; with 0.9 and for any
reason 4 and 46. But of 121 plain segments ('wine drinkers please'), which none of the messages with tools is like, the
model takes 27 for lacking something, most of them with more than 0.9."""
LACKING, HESITANT = 0.95, "hesitant"
"""From which probability on it is not doubted that something which a message asks for is lacking, and what marks the plan
where it is. Fragments of edits ('scrap the imported, keep the domestic') are taken for lacking something with 0.46 to 0.92
in 12 of 160 fresh edits, fresh requests with an odd word ('fans of store brands: ...') with 0.66 to 0.91; what does lack
something with 0.96 and more in 32 of 33. Where no segment is at hand, it is not doubted in a message with words that stay
unread: of three such fresh requests that two readings agreed on all were right, of the test split's three two are to be
refused."""
SEGMENT = {"define_segment", "refine_segment"}
EDITS = 0.7
"""From which probability a message edits the segment at hand, whatever its words alone would make of it."""


def takes(reading: ToolReading, offered: Collection[str], has_segment: bool, whole: bool) -> bool:
    """Whether the model's tool is taken. offered: the tools that the words leave. whole: whether the words explain all of
    the message."""
    tool, named = reading.tool, set(offered) - set(NO_TOOL)
    if {tool} == set(offered):
        return False
    if tool in SEGMENT and named:
        return reading.probability >= DESCRIBES
    if tool == "refine_segment" and has_segment:
        return reading.probability >= EDITS
    if tool in SEGMENT and has_segment and SEGMENT & set(offered):
        return False  # a full description may narrow what is at hand, which the model is not told
    if tool == "refuse" and whole:
        return reading.reason != "unknown_field" and reading.probability >= REFUSED_WHOLE
    if tool == "refuse":
        return reading.probability >= REFUSED
    return reading.probability >= (FAIRLY if tool in offered else SURE)


def planned(reading: ToolReading, link: Link, has_segment: bool) -> Plan | None:
    """The plan of the model's tool where nothing is left to choose of it; None where a segment or an edit is.

    link: of the message, linked as one that asks for that tool.
    """
    tool, described = reading.tool, link.reading is not None
    if tool == "refuse":
        doubt = {HESITANT: True} if hesitates(reading) else {}
        return Plan(tool, reason=reading.reason, arguments={"confirmed": True} | doubt)
    if tool in ("clarify", "list_plans"):
        return Plan(tool, arguments={"confirmed": True})
    if tool == "refine_segment" and not link.edits:
        return Plan("clarify")  # unless a sketch reads an edit in it
    if tool == "count_part" and described and has_segment:
        return Plan(tool, DESCRIBED, arguments={"confirmed": True})
    if tool in OF_THEM and tool != "count_part" and (described or has_segment):
        return Plan(tool, CURRENT if has_segment else DESCRIBED, arguments={"confirmed": True})
    return None


def hesitates(reading: ToolReading) -> bool:
    """Whether the model reads an edit where the words find something lacking, or is not quite sure of that itself."""
    if reading.tool == "refine_segment":
        return reading.probability >= EDITS
    return reading.tool == "refuse" and reading.reason == "unknown_field" and reading.probability < LACKING


def answerable(reading: ToolReading, link: Link, current: Node | None) -> bool:
    """Whether what the tool needs was found in the message or is at hand; else the words' own finding stands."""
    tool, has_segment = reading.tool, current is not None
    if tool in ("refuse", "clarify", "list_plans"):
        return not link.intents.destructive or tool == "refuse"
    if link.intents.destructive:
        return False
    if tool == "define_segment":
        return link.reading is not None or not has_segment  # one sketch will do where nobody is at hand
    if tool == "refine_segment":
        return current is not None and (bool(link.edits) or _may_be_sketched(link, current))
    if tool == DIFF:
        return has_segment or asks_change(link.message)
    if tool == "profile_times" and _says_when(link.reading):
        return _ASKS_WHEN.search(link.message) is not None  # 'who shops mostly in the evening' asks whom
    if tool == "delete_segment" and has_segment and link.edits:
        return link.intents.name is not None  # 'drop the wine' takes a condition out of the segment at hand
    if tool == "count_part":
        return has_segment and link.reading is not None
    if tool == EXPLAIN:
        return link.intents.customer is not None
    return True


def _describes_anew(reading: ToolReading, link: Link) -> bool:
    """Whether a message describes customers with no regard to the segment at hand: the model takes it for a description,
    or the words explain it to the last and the model does not take it for an edit; and it has no word of an edit. The model
    takes none of 85 dev edits for a description, and 8 of 160 fresh ones, of which all but those that begin anew have such
    words."""
    if reading.tool == "define_segment":
        surely = reading.probability >= DESCRIBES
    else:
        surely = reading.reason == "unknown_field" and wholly(link)
    return surely and not link.intents.tools and stands_alone(link.message)


def _may_be_sketched(link: Link, current: Node) -> bool:
    """Whether a sketch can say the edit in which the words find none."""
    return sketchable(current) and not begins_anew(link.message)


def _takes_out(reading: ToolReading, link: Link, current: Node | None) -> bool:
    """Whether what the model takes for deleting a saved segment takes a condition out of the one at hand ('tea's out')."""
    unnamed = link.intents.name is None and "delete_segment" not in link.intents.tools
    takes_out = any(edit.kind == "remove" for edit in link.edits)
    return reading.tool == "delete_segment" and current is not None and unnamed and takes_out


_ASKS_WHEN = re.compile(
    r"\b(?:when|what|which)\b|几点|几号|哪[天几一个些]|什么时|啥时|何时|多会儿", re.IGNORECASE
)
_HABITS = {*PARTS_OF_DAY, "weekend_share_365d"}


def _says_when(node: Node | None) -> bool:
    """Whether a definition says at which times customers shop."""
    for each in conditions(node) if node is not None else ():
        if isinstance(each, FeatureCondition) and each.feature in _HABITS:
            return True
        occasion = getattr(each, "occasion", None)
        if occasion is not None and (occasion.weekdays or occasion.hours):
            return True
    return False


def wholly(link: Link) -> bool:
    """Whether the words explain the message to the last: none is unknown, and none may mean another thing."""
    return not doubtful(link) and not link.guessed


@dataclass(frozen=True)
class ToolReader:
    """Follows the tool that a tuned model reads."""

    model: ChatModel

    def read(self, message: str) -> ToolReading | None:
        """The tool that the model reads; None without a tuned model, and where its answer is none. Raises
        LLMUnavailableError."""
        model = tuned(self.model)
        return None if model is None else read_tool(model, message)

    def followed(
        self, link: Link, offered: Collection[str], current: Node | None, linked: Callable[[str], Link]
    ) -> tuple[Link, Plan | None]:
        """The link as of a message that asks for the tool read (an edit, where it takes a condition out and no segment is
        named), and the plan where nothing is left to choose; as it was without a tuned model, and where the words' own
        finding stands. offered: the tools that the words leave. linked: links the message as one that asks for a tool.
        Raises LLMUnavailableError."""
        reading, has_segment = self.read(link.message), current is not None
        if reading is None:
            return link, None
        if _takes_out(reading, link, current):
            reading = replace(reading, tool="refine_segment")
        if reading.tool == "refine_segment" and set(offered) == {"refine_segment"}:
            return replace(link, asked="refine_segment"), None
        if has_segment and _describes_anew(reading, link):
            reading = replace(reading, tool="define_segment", reason=None)
        elif not takes(reading, offered, has_segment, whole=wholly(link)):
            return link, None
        other = linked(reading.tool)
        if not answerable(reading, other, current):
            return link, None
        return other, planned(reading, other, has_segment)
