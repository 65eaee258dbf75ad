"""What a message says outright, so that no model is asked: back to a segment, yes to what was asked, a saved plan, what
share of them has children, the last answer in another language."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.back import spoken_back
from assistant.greetings import spoken_everyone, spoken_help, spoken_sales
from assistant.linking.clusters import numbered
from assistant.linking.link import Link
from assistant.market_intents import MARKET_TOOLS
from assistant.naming import name_alone
from assistant.off_topic import off_topic
from assistant.one_customer import EXPLAIN, MEMBERSHIP, spoken_member
from assistant.plan import CURRENT, DESCRIBED, Plan
from assistant.ranked_value import asks_ranked_value
from assistant.safety import unfair
from assistant.saved_plans import spoken_plans
from assistant.spoken_answers import (
    spoken_budget,
    spoken_leave_out,
    spoken_list_out,
    spoken_save_it,
    spoken_shorter,
    spoken_versions,
    spoken_why,
)
from assistant.spoken_duplicates import spoken_duplicates
from assistant.spoken_groups import spoken_groups, spoken_of_groups
from assistant.spoken_habits import spoken_goods, spoken_places
from assistant.spoken_plan import spoken_as_file, spoken_experiment, spoken_plan_again, spoken_terms
from assistant.spoken_requests import (
    spoken_figures,
    spoken_language,
    spoken_other_one,
    spoken_pair,
    spoken_removal,
    spoken_share,
    spoken_show,
    spoken_times,
    spoken_whether,
)
from segments.codec import to_json
from segments.definition import EVERYONE, AllOf, AnyOf, Node, Not, top_level
from segments.edit import add, remove

OF_GOODS = ("forecast_demand", "bought_together", "placement_effect")
"""Tools that a message may ask of another category than before: 'what about beer?'."""
OF_NO_SEGMENT = {*MARKET_TOOLS, EXPLAIN}
"""Tools that are asked by words of their own and describe nobody, so that nothing of a description can be missing."""
OF_PLAN = ("plan_strategy", "compare_plans", "compare_saved_plans", "open_plan")
"""Tools that show a plan, which 'save it' means."""


@dataclass(frozen=True)
class Known:
    """What a message may speak of: the current segment and the one before it; names of saved plans and segments; whether
    natural segments were found in this conversation, or in any; the call that waits for a yes; the tools of the last
    answer; goal, budget and terms of the last plan; names of saved experiments; whether it is known what the natural
    segments shown here rest on."""

    current: Node | None
    plans: Collection[str]
    segments: Collection[str]
    discovered_here: bool
    discovered: bool
    pending: dict[str, Any] | None
    called: Sequence[str]
    before: Node | None = None
    planned: Mapping[str, Any] = field(default_factory=dict)
    experiments: Collection[str] = ()
    grouped: bool = False


def outright(message: str, link: Link, known: Known) -> Plan | None:
    """The plan that the words alone settle; None where a model has to choose."""
    if unfair(message):
        return _settled("refuse", reason="protected")
    waits = known.pending or {}
    if "named" in waits.get("arguments", {}) and (name := name_alone(message)) is not None:
        return _settled(waits["tool"], CURRENT, named=name)
    back = spoken_back(message)
    # Natural segments that were just shown are numbered too.
    if back == 0 or (back is not None and not known.discovered_here):
        return _settled("show_segment", back=back)
    saved = spoken_plans(message, known.plans, known.segments)
    if saved is not None:
        return _settled(saved.tool, names=saved.names)
    pair = spoken_pair(message, known.segments)
    if pair is not None:
        return _settled("compare_segments", names=pair)
    if spoken_duplicates(message):
        return _settled("find_duplicates", CURRENT)
    if known.called and (language := spoken_language(message)) is not None:
        return _settled("say_again", language=language)
    of_groups = spoken_groups(message)
    if known.grouped and (
        of_groups or (known.called[-1:] == ["discover_segments"] and spoken_of_groups(message))
    ):
        return _settled("say_why", groups=True)
    if of_groups and known.current is None:
        return _settled("discover_segments")
    if known.called and spoken_why(message):
        return _settled("say_why")
    if not link.candidates and numbered(message) and not known.discovered:
        return _settled("clarify", reason="no_discovery")
    if known.pending is not None and _confirms(message, known.pending["tool"]):
        return _settled(known.pending["tool"], **known.pending["arguments"])
    experiment = spoken_experiment(message, known.experiments)
    if experiment is not None and "measure_campaign" not in link.intents.tools:
        return _settled("measure_campaign", named=experiment)
    last = known.called[-1] if known.called else ""
    if known.current is not None and known.planned and (plan := _of_plan(message, known.planned, last)):
        return plan
    if known.current is not None and (plan := _of_last(message, link, last)) is not None:
        return plan
    of_goods = last in OF_GOODS and link.categories
    if (of_goods or (last == "measure_campaign" and link.intents.campaign)) and spoken_other_one(message):
        return _settled(last)
    if known.current is None and spoken_everyone(message):
        return _settled("show_segment", definition=to_json(EVERYONE))
    if spoken_help(message):
        return _settled("clarify", reason="help")
    if link.missing and not link.intents.destructive and not set(link.intents.tools) & OF_NO_SEGMENT:
        return _settled("refuse", reason="unknown_field")
    asks_nothing = link.reading is None and not (link.edits or link.intents.tools or link.intents.destructive)
    if asks_nothing and off_topic(message):
        return _settled("refuse", reason="out_of_scope")
    of_value = link.intents.tools == ("customer_value",) and not link.intents.destructive
    if link.reading is not None and of_value and asks_ranked_value(message):
        return _settled("customer_value", DESCRIBED)
    if link.unsearchable and not link.intents.tools:
        return _settled("clarify", reason="unsearchable")
    if spoken_leave_out(message) and last == "find_anomalies":
        return _settled("clarify", reason="odd_are_no_segment")
    if spoken_sales(message):
        of_them = known.current is not None
        return _settled("profile_segment", CURRENT) if of_them else _settled("clarify", reason="sales")
    return None if known.current is None else _of_segment(message, link, known.current, known.before)


def _of_plan(message: str, planned: Mapping[str, Any], last: str) -> Plan | None:
    """What is asked of the last plan: other terms, the plan once more, or as a file."""
    terms: dict[str, Any] = dict(spoken_terms(message))
    if terms:
        return _settled("compare_plans", CURRENT, **terms)
    if planned.get("goal") != "acquire_lookalikes" and spoken_plan_again(message):
        same = {name: value for name, value in planned.items() if name != "segment"}
        return _settled("plan_strategy", CURRENT, **same)
    if last in (*OF_PLAN, "save_plan") and spoken_as_file(message):
        return _settled("save_plan", CURRENT)
    return None


def _of_last(message: str, link: Link, last: str) -> Plan | None:
    """What is asked of the plan or the copy that was shown last."""
    if last in OF_PLAN and link.intents.tools == ("save_segment",) and spoken_save_it(message):
        name = link.intents.name
        return _settled("save_plan", CURRENT, **({} if name is None else {"named": name}))
    budget = spoken_budget(message) if last in OF_PLAN else None
    if budget is not None and "compare_plans" not in link.intents.tools:
        return _settled("compare_plans", CURRENT, budget=budget)
    if last == "write_copy" and spoken_shorter(message):
        return _settled("write_copy", CURRENT, shorter=True)
    if last == "write_copy" and spoken_versions(message):
        return _settled("write_copy", CURRENT)
    return None


def _of_segment(message: str, link: Link, current: Node, before: Node | None) -> Plan | None:
    """What is asked of the current segment outright. before: the segment before it in the conversation."""
    if spoken_list_out(message):
        return _settled("clarify", reason="list_out")
    if (customer := spoken_member(message)) is not None:
        return _settled(MEMBERSHIP, CURRENT, customer=customer)
    if spoken_leave_out(message):
        return _settled("refine_segment", definition=to_json(_others(current, before)))
    place = spoken_removal(message)
    if place is not None:
        return _without(current, place)
    if link.edits and not link.intents.tools and all(edit.settled for edit in link.edits):
        return Plan("refine_segment", edits=link.edit_ids)
    asks = spoken_share(message) or (not link.intents.tools and spoken_whether(message))
    if asks and link.reading is not None:
        return _settled("count_part", DESCRIBED)
    for spoken, tool in (
        (spoken_times, "profile_times"),
        (spoken_places, "profile_places"),
        (spoken_goods, "profile_goods"),
        (spoken_figures, "profile_segment"),
        (spoken_show, "show_segment"),
    ):
        if spoken(message):
            return _settled(tool, CURRENT)
    return None


def _without(current: Node, place: int) -> Plan:
    """The edit that takes out one of the segment's conditions: by its place from 1, or -1 for the last."""
    parts = current.children if isinstance(current, AllOf | AnyOf) else (current,)
    if len(parts) == 1:
        return _settled("clarify", reason="only_condition")
    if place > len(parts):
        return _settled("clarify", reason="no_condition")
    left = remove(current, parts[place if place < 0 else place - 1])
    return _settled("refine_segment", definition=to_json(left))


def _others(current: Node, before: Node | None) -> Node:
    """Whom a campaign is for without the current segment: the rest of the segment before, where it is a part of that one
    or another one; else everyone else."""
    if before is None:
        return Not(current)
    narrowed = [part for part in top_level(current) if part not in top_level(before)]
    if not narrowed:
        return Not(current)
    return add(before, Not(AllOf(tuple(narrowed)) if len(narrowed) > 1 else narrowed[0]))


def _settled(tool: str, segment: str | None = None, reason: str | None = None, **arguments: Any) -> Plan:
    return Plan(tool, segment, reason=reason, arguments=arguments | {"confirmed": True})


_OTHER = {
    "the other one",
    "the other way",
    "the other reading",
    "the second one",
    "另一种",
    "另一个",
    "第二种",
}
"""Also takes a reading that was offered beside the one taken."""
_YES = {
    "yes",
    "y",
    "yes please",
    "ok",
    "okay",
    "sure",
    "do it",
    "confirm",
    "是",
    "是的",
    "好",
    "好的",
    "确认",
    "对",
}


def _confirms(text: str, tool: str) -> bool:
    said = text.strip().lower().rstrip(".!。！")
    return said in _YES or (tool == "define_segment" and said in _OTHER)
