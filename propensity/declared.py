"""Outcomes that a workspace declares in its settings: any event, items, horizon, and whom they are asked of.

    [[outcomes]]
    name = "churn_60d"
    event = "purchase"
    absent = true                                  # the outcome is that none comes
    horizon_days = 60
    eligible = { event = "purchase", within_days = 90, at_least = 2 }
    label = "no purchase within 60 days"
    label_zh = "60天内不购买"

With `first_of` in place of `event`, the question is which of several events comes first: one model, one
outcome an answer (`next_14d:purchase`, `next_14d:review`, `next_14d:none`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from segments.definition import EVENT_TYPES
from segments.errors import DataError, Sentence
from segments.fields import Fields, items_json, short
from segments.ports import Eligible, NextAction, Outcome

NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
MAX_HORIZON = 180
NOTHING = "none"
"""The answer of a next-action model that none of its events comes."""
_SHARED = {"name", "horizon_days", "eligible", "label", "label_zh"}

Declared = Outcome | NextAction


def read_outcomes(values: Sequence[Any], taken: Sequence[str], path: str) -> tuple[Declared, ...]:
    """The outcomes of a settings file's `[[outcomes]]`.

    taken: names that exist already. path: of the file, for the message. Raises DataError with every mistake.
    """
    issues: list[Sentence] = []
    found: list[Declared] = []
    names = set(taken)
    for place, data in enumerate(values):
        where = f"outcomes[{place}]"
        if not isinstance(data, dict):
            issues.append(
                Sentence(
                    f"{where}: must be a table with a name and an event; got {short(data)}.",
                    f"{where}：必须是含有 name 和 event 的表，而给的是{short(data)}。",
                )
            )
            continue
        outcome = _read(data, where, issues)
        if outcome is not None and outcome.name in names:
            issues.append(
                Sentence(
                    f"{where}.name: there is an outcome '{outcome.name}' already.",
                    f"{where}.name：已经有结果“{outcome.name}”。",
                )
            )
        elif outcome is not None:
            names.add(outcome.name)
            found.append(outcome)
    if issues:
        raise DataError(f"{path}: " + " ".join(issues))
    return tuple(found)


def to_json(declared: Declared) -> dict[str, Any]:
    """The declaration as `read_outcomes` takes it."""
    content: dict[str, Any] = {"name": declared.name, "horizon_days": declared.horizon_days}
    if isinstance(declared, NextAction):
        content["first_of"] = list(declared.events)
    else:
        content |= {"event": declared.event, "absent": declared.absent}
        content |= items_json(declared.items) if declared.items else {}
    if declared.eligible is not None:
        content["eligible"] = asdict(declared.eligible)
    return content | {"label": declared.label_en, "label_zh": declared.label_zh}


def each_outcome(declared: Declared) -> tuple[Outcome, ...]:
    """The outcomes that a declaration's model answers."""
    return answers(declared) if isinstance(declared, NextAction) else (declared,)


def answers(action: NextAction) -> tuple[Outcome, ...]:
    """The outcomes that a next-action model answers, in the order of its classes; the last is that nothing comes."""
    said = []
    for event in (*action.events, NOTHING):
        words = f"{action.label_en}: {event.replace('_', ' ')}"
        said.append(
            Outcome(
                f"{action.name}:{event}",
                event,
                action.horizon_days,
                None,
                words,
                f"{action.label_zh}：{event}",
                event == NOTHING,
                action.eligible,
            )
        )
    return tuple(said)


def _read(data: dict[str, Any], where: str, issues: list[Sentence]) -> Declared | None:
    several = "first_of" in data
    fields = Fields(
        data, where, issues, _SHARED | ({"first_of"} if several else {"event", "items", "absent"})
    )
    name = data.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        fields.wrong(
            "name",
            f"must be small letters, digits and _, e.g. churn_60d; got {short(name)}",
            f"只能是小写字母、数字和_，如 churn_60d，而给的是{short(name)}",
        )
    days = fields.whole("horizon_days", 0, "days", 1)
    if isinstance(days, int) and days > MAX_HORIZON:
        fields.wrong(
            "horizon_days",
            f"must be at most {MAX_HORIZON}; got {days}",
            f"最大为{MAX_HORIZON}，而给的是{days}",
        )
    labels = [data.get(key, "") for key in ("label", "label_zh")]
    if not all(isinstance(label, str) for label in labels):
        fields.wrong("label", f"must be a text; got {short(labels)}", f"必须是文字，而给的是{short(labels)}")
    eligible = _eligible(data.get("eligible"), f"{where}.eligible", issues)
    if several:
        events = fields.texts("first_of")
        unknown = [event for event in events if event not in EVENT_TYPES]
        if unknown or len(set(events)) < 2:
            fields.wrong(
                "first_of",
                f"must be at least two of {', '.join(EVENT_TYPES)}; got {short(data['first_of'])}",
                f"至少是{'、'.join(EVENT_TYPES)}中的两个，而给的是{short(data['first_of'])}",
            )
        if not fields.sound:
            return None
        words = labels[0] or f"first of {', '.join(events)} within {days} days"
        chinese = labels[1] or f"{days}天内最先发生的行为"
        return NextAction(str(name), events, days, words, chinese, eligible)
    event, absent, items = fields.choice("event", EVENT_TYPES), fields.flag("absent"), fields.items()
    if not fields.sound:
        return None
    words = labels[0] or f"{'no ' if absent else ''}{str(event).replace('_', ' ')} within {days} days"
    chinese = labels[1] or f"{days}天内{'不' if absent else ''}发生{event}"
    return Outcome(str(name), event, days, items or None, words, chinese, absent, eligible)


def _eligible(data: object, where: str, issues: list[Sentence]) -> Eligible | None:
    if data is None:
        return None
    if not isinstance(data, dict):
        issues.append(
            Sentence(
                f"{where}: must be a table with event and within_days; got {short(data)}.",
                f"{where}：必须是含有 event 和 within_days 的表，而给的是{short(data)}。",
            )
        )
        return None
    fields = Fields(data, where, issues, {"event", "within_days", "at_least"})
    event, within = fields.choice("event", EVENT_TYPES), fields.whole("within_days", 0, "days", 1)
    least = fields.whole("at_least", 1, "events", 1)
    return Eligible(event, within, least) if fields.sound else None
