"""What the visual editor's controls do to a definition: pure functions from a tree and an action to a tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from segments import edit
from segments.definition import (
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    MemberOf,
    Node,
    Not,
    Occasion,
    PropensityCondition,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    Step,
    TouchCondition,
    UpliftCondition,
    Window,
)
from segments.edit import Place
from segments.errors import UserError
from segments.features import Feature
from serving.page.editor_crowds import cluster, similar
from serving.page.editor_fields import of_feature, set_field
from serving.views import Choices

Action = Mapping[str, Any]
TOP_SHARE = 0.2
WITHIN_DAYS, TIMES, RANKED = 30, 2, 100


def act(tree: Node, action: Action, choices: Choices) -> Node:
    """The tree after an action `{do, place, ...}`. Raises UserError for one that is not known, DefinitionError for a
    place that is gone."""
    place = to_place(str(action.get("place", "")))
    do = str(action.get("do", ""))
    if do == "set":
        part = edit.part_at(tree, place)
        return edit.replace_at(
            tree, place, set_field(part, str(action["field"]), action.get("value"), choices)
        )
    if do not in _ACTIONS:
        raise UserError(f"edit: '{do}' is not an action of the editor.", f"edit：编辑器没有操作“{do}”。")
    return _ACTIONS[do](tree, place, action, choices)


def to_place(text: str) -> Place:
    """A place as the page writes it: '1.0.2', empty for the root."""
    try:
        return tuple(int(number) for number in text.split(".")) if text else ()
    except ValueError:
        raise UserError(
            f"edit: '{text[:40]}' is not a place in a definition.", f"edit：“{text[:40]}”不是定义中的位置。"
        ) from None


def from_place(place: Place) -> str:
    """A place as the page writes it."""
    return ".".join(map(str, place))


def beyond(tree: Node, place: Place, down: bool) -> Place | None:
    """The place before which a part comes by one step down or up, as the form shows it: past the condition beside it, into
    the group beside it, or out of its own; None at the end of the whole, or of the group that a rank is among."""
    around, number = place[:-1], place[-1]
    if not isinstance(edit.part_at(tree, around), AllOf | AnyOf):
        return None
    beside = number + (1 if down else -1)
    if 0 <= beside < len(_parts(tree, around)):
        into = (*around, beside)
        while isinstance(edit.part_at(tree, into), Not):
            into = (*into, 0)
        if isinstance(edit.part_at(tree, into), AllOf | AnyOf):
            return (*into, 0 if down else len(_parts(tree, into)))
        return (*around, number + (2 if down else -1))
    while around and isinstance(edit.part_at(tree, around[:-1]), Not):
        around = around[:-1]
    if not around or not isinstance(edit.part_at(tree, around[:-1]), AllOf | AnyOf):
        return None
    return (*around[:-1], around[-1] + int(down))


def tidy(tree: Node) -> Node:
    """The tree without the group that only holds one part for the editor's sake."""
    return tree.children[0] if isinstance(tree, AllOf) and len(tree.children) == 1 else tree


def made(kind: str, choices: Choices) -> Node:
    """A new part to begin with. Raises UserError when there is nothing to name."""
    match kind:
        case "feature":
            return of_feature(_first_of(choices, "orders_90d"), choices)
        case "event":
            return EventCondition("purchase", window=Window(90))
        case "campaign":
            if not choices.campaigns:
                raise UserError("There is no campaign here yet.", "这里还没有营销活动。")
            return EventCondition("exposure", occasion=Occasion(campaign=(next(iter(choices.campaigns)),)))
        case "repeat":
            return RepeatCondition("purchase", TIMES, WITHIN_DAYS)
        case "touch":
            return TouchCondition("first", "purchase", window=Window(90))
        case "sequence":
            return SequenceCondition((Step("purchase"), Step("purchase", within_days=WITHIN_DAYS)))
        case "comparison":
            now, before = Window(90), Window(180, 90)
            return ComparisonCondition(
                EventQuantity("purchase", window=now), ">", EventQuantity("purchase", window=before)
            )
        case "rank":
            return RankCondition(_first_of(choices, "spend_365d").name, count=RANKED)
        case "propensity":
            if not choices.outcomes:
                raise UserError(
                    "There is no propensity model yet; run: segassist build",
                    "还没有倾向模型；请运行：segassist build",
                )
            usual = "purchase_30d" if "purchase_30d" in choices.outcomes else choices.outcomes[0]
            return PropensityCondition(usual, top_share=TOP_SHARE)
        case "uplift":
            if not choices.trials:
                raise UserError(
                    "There is no past campaign here to learn an uplift from.",
                    "这里没有可以学习增益的以往营销活动。",
                )
            return UpliftCondition(choices.trials[-1], top_share=TOP_SHARE)
        case "member":
            if not choices.segments:
                raise UserError(
                    "No segment is saved yet; save one to use it in another.",
                    "还没有保存的分群；先保存一个，才能用在另一个里。",
                )
            return MemberOf(choices.segments[0])
        case "similar":
            return similar(choices)
        case "cluster":
            return cluster(choices)
        case "group":
            return AnyOf(())
        case _:
            raise UserError(f"edit: '{kind}' is not a kind of condition.", f"edit：没有条件类型“{kind}”。")


def _first_of(choices: Choices, usual: str) -> Feature:
    """The usual feature where the workspace has it, else its first one."""
    return choices.catalogue.get(usual) or next(feature for feature in choices.catalogue if feature.numeric)


def _add(tree: Node, place: Place, action: Action, choices: Choices) -> Node:
    part = made(str(action.get("kind")), choices)
    if part == AnyOf(()) and isinstance(edit.part_at(tree, place), AnyOf):
        part = AllOf(())
    return edit.insert_at(tree, (*place, len(_parts(tree, place))), part)


def _parts(tree: Node, place: Place) -> tuple[Node, ...]:
    """What stands in the group at a place."""
    group = edit.part_at(tree, place)
    return group.children if isinstance(group, AllOf | AnyOf) else ()


def _step(tree: Node, place: Place, down: bool) -> Node:
    to = beyond(tree, place, down) if place else None
    return tree if to is None else edit.relocate_at(tree, place, to)


def _kind(tree: Node, place: Place, action: Action, _choices: Choices) -> Node:
    return edit.regroup_at(tree, place, AnyOf if action.get("value") == "any_of" else AllOf)


def _drop(tree: Node, place: Place, action: Action, _choices: Choices) -> Node:
    return edit.relocate_at(tree, place, to_place(str(action.get("to", ""))))


_ACTIONS: dict[str, Callable[[Node, Place, Action, Choices], Node]] = {
    "add": _add,
    "kind": _kind,
    "drop": _drop,
    "remove": lambda tree, place, _action, _choices: edit.remove_at(tree, place),
    "duplicate": lambda tree, place, _action, _choices: edit.duplicate_at(tree, place),
    "up": lambda tree, place, _action, _choices: _step(tree, place, False),
    "down": lambda tree, place, _action, _choices: _step(tree, place, True),
    "negate": lambda tree, place, _action, _choices: edit.negate_at(tree, place),
    "nest": lambda tree, place, _action, _choices: edit.nest_at(tree, place),
}


__all__ = ["act", "beyond", "from_place", "made", "of_feature", "tidy", "to_place"]
