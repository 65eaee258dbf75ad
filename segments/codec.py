"""Definition <-> JSON.

`to_json` and `from_json` are exact inverses. `from_json` reads structure only (names and types of
keys); whether features exist and values fit is `segments.check`'s question.
"""

from __future__ import annotations

import json
from typing import Any

from segments.definition import (
    COMPARE_OPERATORS,
    EVENT_MEASURES,
    EVENT_OPERATORS,
    EVENT_TYPES,
    REPEAT_UNITS,
    AllOf,
    AnyOf,
    ComparisonCondition,
    EventCondition,
    EventQuantity,
    FeatureCondition,
    InCluster,
    MemberOf,
    Node,
    Not,
    PropensityCondition,
    Quantity,
    RankCondition,
    RepeatCondition,
    SequenceCondition,
    SimilarityCondition,
    Step,
    TouchCondition,
    UpliftCondition,
)
from segments.errors import DefinitionError, Sentence
from segments.features import NUMERIC_OPERATORS, SET_OPERATORS
from segments.fields import (
    OCCASION_KEYS,
    WINDOW_KEYS,
    Fields,
    is_number,
    items_json,
    occasion_json,
    short,
    window_json,
)
from segments.parameters import Parameters, bind, unbind

KINDS = (
    *("all_of", "any_of", "not", "feature", "event", "sequence", "repeat", "first", "last"),
    *("compare", "rank_by", "propensity", "uplift", "similar_to", "member_of"),
)
MAX_DEPTH = 20
MAX_JSON_DEPTH = 4 * MAX_DEPTH
"""Of lists and objects, more than any definition of `MAX_DEPTH` levels has: two for each level, and its conditions'."""
MAX_CONDITIONS = 100
MAX_STEPS = 5
MAX_TEXT = 200
"""Characters of the text that a similarity is to."""
_NONE: Parameters = {}
_WHAT = frozenset({"items"}) | WINDOW_KEYS | OCCASION_KEYS
_STEP_KEYS = frozenset({"event", "items", "within_days"}) | OCCASION_KEYS
_QUANTITY_KEYS = frozenset({"event", "measure"}) | _WHAT


def to_json(node: Node) -> dict[str, Any]:
    """The JSON form; defaults (no items, ever, at least once) are left out."""
    written: dict[str, Any] = unbind(_to_json(node))
    return written


def _to_json(node: Node) -> dict[str, Any]:
    match node:
        case AllOf(children):
            return {"all_of": [_to_json(child) for child in children]}
        case AnyOf(children):
            return {"any_of": [_to_json(child) for child in children]}
        case Not(child):
            return {"not": _to_json(child)}
        case FeatureCondition(feature, op, value):
            return {"feature": feature, "op": op, "value": list(value) if isinstance(value, tuple) else value}
        case EventCondition():
            return _event_to_json(node)
        case SequenceCondition():
            return _sequence_to_json(node)
        case RepeatCondition():
            out = {"repeat": node.event, "times": node.times, "within_days": node.within_days}
            extra = {"unit": node.unit} if node.unit != "orders" else {}
            without = {"without": node.without} if node.without is not None else {}
            return out | extra | without | _what_to_json(node)
        case TouchCondition():
            return {node.which: node.event} | _what_to_json(node)
        case ComparisonCondition():
            factor = {"factor": node.factor} if node.factor != 1 else {}
            left, right = _quantity_to_json(node.left), _quantity_to_json(node.right)
            return {"compare": left, "op": node.op, **factor, "than": right}
        case RankCondition():
            how = {"count": node.count} if node.count is not None else {"share": node.share}
            order = {"lowest": True} if node.lowest else {}
            return {"rank_by": node.feature, **how, **order, **_among_to_json(node)}
        case PropensityCondition(outcome, low, top):
            return {"propensity": outcome} | (
                {"min_probability": low} if low is not None else {"top_share": top}
            )
        case UpliftCondition(campaign, low, top):
            return {"uplift": campaign} | ({"min_effect": low} if low is not None else {"top_share": top})
        case SimilarityCondition():
            return _similar_to_json(node)
        case MemberOf(name):
            return {"member_of": name}
        case InCluster(discovery, cluster):
            return {"member_of": {"discovery": discovery, "cluster": cluster}}


def _what_to_json(node: EventCondition | RepeatCondition | TouchCondition | EventQuantity) -> dict[str, Any]:
    return items_json(node.items) | window_json(node.window) | occasion_json(node.occasion)


def _among_to_json(node: RankCondition | SimilarityCondition) -> dict[str, Any]:
    return {"among": _to_json(node.among)} if node.among is not None else {}


def _similar_to_json(node: SimilarityCondition) -> dict[str, Any]:
    if node.segment is not None:
        to: dict[str, Any] = {"segment": _to_json(node.segment)}
    else:
        to = {"customer": node.customer} if node.text is None else {"text": node.text}
    return {"similar_to": to, "top": node.top, **_among_to_json(node)}


def _event_to_json(node: EventCondition) -> dict[str, Any]:
    out: dict[str, Any] = {"event": node.event} | _what_to_json(node)
    if (node.measure, node.op, node.value) != ("count", ">=", 1):
        value = list(node.value) if isinstance(node.value, tuple) else node.value
        out |= {"measure": node.measure, "op": node.op, "value": value}
    return out


def _sequence_to_json(node: SequenceCondition) -> dict[str, Any]:
    out: dict[str, Any] = {"sequence": [_step_to_json(step) for step in node.steps]}
    if node.then_not is not None:
        out["then_not"] = _step_to_json(node.then_not)
    if node.same_item:
        out["same_item"] = True
    return out | window_json(node.window)


def _step_to_json(step: Step) -> dict[str, Any]:
    within = {"within_days": step.within_days} if step.within_days is not None else {}
    return {"event": step.event} | items_json(step.items) | within | occasion_json(step.occasion)


def _quantity_to_json(quantity: Quantity) -> dict[str, Any]:
    if isinstance(quantity, str):
        return {"feature": quantity}
    measure = {"measure": quantity.measure} if quantity.measure != "count" else {}
    return {"event": quantity.event} | _what_to_json(quantity) | measure


def from_json(data: object, parameters: Parameters = _NONE) -> Node:
    """Read a definition; parameters: of the workspace that it is read for.

    Raises DefinitionError with one sentence for each mistake, each naming the path of the field.
    """
    _writable(data)
    issues: list[Sentence] = []
    bound = bind(data, parameters, "definition", issues)
    node = None if issues else _read(bound, "definition", issues, 0)
    if issues or node is None:
        raise DefinitionError.of(*issues)
    return node


def _writable(data: object) -> None:
    """Raise DefinitionError for what JSON or UTF-8 cannot hold, so that every later step may rely on it."""
    try:
        if _is_deeper(data, MAX_JSON_DEPTH):
            raise DefinitionError(
                f"definition: nested deeper than {MAX_DEPTH} levels; flatten it.",
                f"definition：嵌套超过{MAX_DEPTH}层；请减少层次。",
            )
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        raise DefinitionError(
            "definition: holds half a character (a lone surrogate).",
            "definition：含有半个字符（单独的代理项）。",
        ) from None
    except (TypeError, ValueError) as error:
        raise DefinitionError(
            f"definition: holds what JSON cannot write ({error}).",
            f"definition：含有 JSON 无法写出的内容（{error}）。",
        ) from None
    if "\\u0000" in text:
        raise DefinitionError("definition: holds a NUL character.", "definition：含有 NUL 字符。")


def _is_deeper(data: object, levels: int) -> bool:
    """Whether lists and objects are nested deeper than so many levels."""
    parts = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return bool(parts) and (levels == 0 or any(_is_deeper(part, levels - 1) for part in parts))


def _read(data: object, path: str, issues: list[Sentence], depth: int) -> Node | None:
    if depth > MAX_DEPTH:
        issues.append(
            Sentence(
                f"{path}: nested deeper than {MAX_DEPTH} levels; flatten the definition.",
                f"{path}：嵌套超过{MAX_DEPTH}层；请减少层次。",
            )
        )
        return None
    if not isinstance(data, dict):
        issues.append(
            Sentence(
                f"{path}: must be an object with one of {', '.join(KINDS)}; got {short(data)}.",
                f"{path}：必须是对象，含有{'、'.join(KINDS)}之一，而给的是{short(data)}。",
            )
        )
        return None
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        got = " and ".join(kinds) or ", ".join(map(str, data)) or "nothing"
        issues.append(
            Sentence(
                f"{path}: must hold exactly one of {', '.join(KINDS)}; got {got}.",
                f"{path}：必须正好含有{'、'.join(KINDS)}中的一个，而给的是{got}。",
            )
        )
        return None
    return _READERS[kinds[0]](data, path, issues, depth)


def _read_group(data: dict[str, Any], path: str, issues: list[Sentence], depth: int) -> Node | None:
    kind = "all_of" if "all_of" in data else "any_of"
    Fields(data, path, issues, {kind})
    children = data[kind]
    if isinstance(children, list) and len(children) > MAX_CONDITIONS:
        issues.append(
            Sentence(
                f"{path}.{kind}: at most {MAX_CONDITIONS} conditions; got {len(children)}.",
                f"{path}.{kind}：最多{MAX_CONDITIONS}个条件，而给了{len(children)}个。",
            )
        )
        return None
    if not isinstance(children, list):
        issues.append(
            Sentence(
                f"{path}.{kind}: must be a list of conditions; got {short(children)}.",
                f"{path}.{kind}：必须是条件的列表，而给的是{short(children)}。",
            )
        )
        return None
    read = [_read(c, f"{path}.{kind}[{i}]", issues, depth + 1) for i, c in enumerate(children)]
    nodes = tuple(node for node in read if node is not None)
    return AllOf(nodes) if kind == "all_of" else AnyOf(nodes)


def _read_not(data: dict[str, Any], path: str, issues: list[Sentence], depth: int) -> Node | None:
    Fields(data, path, issues, {"not"})
    child = _read(data["not"], f"{path}.not", issues, depth + 1)
    return None if child is None else Not(child)


def _read_feature(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"feature", "op", "value"})
    name, value = data["feature"], data.get("value")
    if not isinstance(name, str):
        fields.wrong(
            "feature",
            f"must be a feature's name; got {short(name)}",
            f"必须是特征的名称，而给的是{short(name)}",
        )
    op = fields.choice("op", (*NUMERIC_OPERATORS, *SET_OPERATORS))
    if isinstance(value, list):
        if not all(isinstance(v, str | int | float | bool) for v in value):
            fields.wrong(
                "value", "a list may hold only numbers, texts or booleans", "列表里只能有数字、文字或是否"
            )
        value = tuple(value)
    elif not isinstance(value, str | int | float | bool):
        fields.wrong(
            "value",
            f"must be a number, text, boolean or a list of them; got {short(value)}",
            f"必须是数字、文字、是否或它们的列表，而给的是{short(value)}",
        )
    return FeatureCondition(name, op, value) if fields.sound else None  # type: ignore[arg-type]


def _read_event(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"event", "measure", "op", "value"} | _WHAT)
    event = fields.choice("event", EVENT_TYPES)
    measure, op = (
        fields.choice("measure", EVENT_MEASURES, "count"),
        fields.choice("op", EVENT_OPERATORS, ">="),
    )
    value = data.get("value", 1)
    if isinstance(value, list):
        value = tuple(value)
    if not all(map(is_number, value if isinstance(value, tuple) else (value,))):
        fields.wrong(
            "value",
            f"must be a number, or two for between; got {short(data.get('value'))}",
            f"必须是一个数字，between 要两个，而给的是{short(data.get('value'))}",
        )
    items, window, occasion = fields.items(), fields.window(), fields.occasion()
    return EventCondition(event, items, window, measure, op, value, occasion) if fields.sound else None


def _read_sequence(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"sequence", "then_not", "same_item"} | WINDOW_KEYS)
    given, then_not = data["sequence"], data.get("then_not")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_STEPS:
        fields.wrong(
            "sequence",
            f"must be a list of 1 to {MAX_STEPS} steps; got {short(given)}",
            f"必须是1到{MAX_STEPS}步的列表，而给的是{short(given)}",
        )
        return None
    steps = [_read_step(step, f"{path}.sequence[{i}]", issues) for i, step in enumerate(given)]
    last = None if then_not is None else _read_step(then_not, f"{path}.then_not", issues)
    window, same = fields.window(), fields.flag("same_item")
    if fields.sound and last is None and len(steps) < 2:
        fields.wrong(
            "sequence",
            "needs a second step or then_not; use event for a single one",
            "还要有第二步或 then_not；只有一步请用 event",
        )
    if fields.sound and steps[0] is not None and steps[0].within_days is not None:
        fields.wrong(
            "sequence[0].within_days",
            "the first step follows nothing; use from_days_ago",
            "第一步之前没有别的；请用 from_days_ago",
        )
    if not fields.sound:
        return None
    return SequenceCondition(tuple(step for step in steps if step is not None), last, window, same)


def _read_step(data: object, path: str, issues: list[Sentence]) -> Step | None:
    if not isinstance(data, dict):
        issues.append(
            Sentence(
                f"{path}: must be an object with an event; got {short(data)}.",
                f"{path}：必须是含有 event 的对象，而给的是{short(data)}。",
            )
        )
        return None
    fields = Fields(data, path, issues, _STEP_KEYS)
    event, within = fields.choice("event", EVENT_TYPES), fields.whole("within_days", None, "days", 1)
    step = Step(event, fields.items(), within, fields.occasion())
    return step if fields.sound else None


def _read_repeat(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"repeat", "times", "within_days", "unit", "without"} | _WHAT)
    event, unit = fields.choice("repeat", EVENT_TYPES), fields.choice("unit", REPEAT_UNITS, "orders")
    times, within = fields.whole("times", 0, "times", 2), fields.whole("within_days", 0, "days", 1)
    without = fields.choice("without", EVENT_TYPES) if data.get("without") is not None else None
    items, window, occasion = fields.items(), fields.window(), fields.occasion()
    if not fields.sound:
        return None
    return RepeatCondition(event, times, within, unit, items, window, without, occasion)


def _read_touch(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    which = "first" if "first" in data else "last"
    fields = Fields(data, path, issues, {which} | _WHAT)
    event = fields.choice(which, EVENT_TYPES)
    node = TouchCondition(
        "first" if which == "first" else "last", event, fields.items(), fields.window(), fields.occasion()
    )
    return node if fields.sound else None


def _read_comparison(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"compare", "op", "factor", "than"})
    op, factor = fields.choice("op", COMPARE_OPERATORS), fields.number("factor", 1)
    left = _read_quantity(data["compare"], f"{path}.compare", issues)
    right = _read_quantity(data.get("than"), f"{path}.than", issues)
    if not fields.sound or left is None or right is None:
        return None
    return ComparisonCondition(left, op, right, factor)


def _read_quantity(data: object, path: str, issues: list[Sentence]) -> Quantity | None:
    if not isinstance(data, dict) or ("feature" in data) == ("event" in data):
        issues.append(
            Sentence(
                f"{path}: must be an object with either a feature or an event; got {short(data)}.",
                f"{path}：必须是含有 feature 或 event 之一的对象，而给的是{short(data)}。",
            )
        )
        return None
    fields = Fields(data, path, issues, {"feature"} if "feature" in data else _QUANTITY_KEYS)
    if "feature" in data:
        if not isinstance(data["feature"], str):
            fields.wrong(
                "feature",
                f"must be a feature's name; got {short(data['feature'])}",
                f"必须是特征的名称，而给的是{short(data['feature'])}",
            )
        return data["feature"] if fields.sound else None
    event, measure = fields.choice("event", EVENT_TYPES), fields.choice("measure", EVENT_MEASURES, "count")
    quantity = EventQuantity(event, fields.items(), fields.window(), measure, fields.occasion())
    return quantity if fields.sound else None


def _read_rank(data: dict[str, Any], path: str, issues: list[Sentence], depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"rank_by", "count", "share", "lowest", "among"})
    if not isinstance(data["rank_by"], str):
        fields.wrong(
            "rank_by",
            f"must be a feature's name; got {short(data['rank_by'])}",
            f"必须是特征的名称，而给的是{short(data['rank_by'])}",
        )
    if (data.get("count") is None) == (data.get("share") is None):
        fields.wrong(
            "rank_by",
            "needs either count (customers) or share (0..1)",
            "要有 count（客户数）或 share（0到1），二者取一",
        )
    count, share = fields.whole("count", None, "customers", 1), fields.number("share")
    lowest = fields.flag("lowest")
    among = _read_among(data, path, issues, depth)
    return RankCondition(data["rank_by"], count, share, lowest, among) if fields.sound else None


def _read_among(data: dict[str, Any], path: str, issues: list[Sentence], depth: int) -> Node | None:
    among = data.get("among")
    return None if among is None else _read(among, f"{path}.among", issues, depth + 1)


def _read_propensity(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    needs = "a propensity needs an outcome's name", "倾向条件要有结果的名称"
    said = _scored(data, path, issues, "propensity", "min_probability", needs)
    return PropensityCondition(*said) if said else None


def _read_uplift(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    needs = "an uplift needs a past campaign's id", "增益条件要有以往营销活动的编号"
    said = _scored(data, path, issues, "uplift", "min_effect", needs)
    return UpliftCondition(*said) if said else None


def _scored(
    data: dict[str, Any], path: str, issues: list[Sentence], name: str, least: str, needs: tuple[str, str]
) -> tuple[str, float | None, float | None] | None:
    """What scores customers, and either the `least` score or the top share. needs: what is wanted, en and zh."""
    Fields(data, path, issues, {name, least, "top_share"})
    low, top = data.get(least), data.get("top_share")
    numbers = [v for v in (low, top) if is_number(v)]
    if not isinstance(data[name], str) or len(numbers) != 1 or (low is not None and top is not None):
        en, zh = needs
        issues.append(
            Sentence(
                f"{path}: {en} and either {least} or top_share.",
                f"{path}：{zh}，以及 {least} 或 top_share 之一。",
            )
        )
        return None
    return data[name], low, top


def _read_similar(data: dict[str, Any], path: str, issues: list[Sentence], depth: int) -> Node | None:
    fields = Fields(data, path, issues, {"similar_to", "top", "among"})
    to, top = data["similar_to"], fields.whole("top", 0, "customers", 1)
    if not isinstance(to, dict) or len(to) != 1 or next(iter(to)) not in ("segment", "customer", "text"):
        issues.append(
            Sentence(
                f"{path}.similar_to: must hold one of segment (a definition), customer (an id) and text (what they "
                "care about).",
                f"{path}.similar_to：必须含有 segment（定义）、customer（客户编号）或 text（他们关心什么）之一。",
            )
        )
    elif "text" in to and not (isinstance(to["text"], str) and 0 < len(to["text"].strip()) <= MAX_TEXT):
        issues.append(
            Sentence(
                f"{path}.similar_to.text: must be a text of 1 to {MAX_TEXT} characters.",
                f"{path}.similar_to.text：必须是 1 到 {MAX_TEXT} 个字符的文字。",
            )
        )
    among = _read_among(data, path, issues, depth)
    if not fields.sound:
        return None
    if "customer" in to:
        return SimilarityCondition(top, customer=str(to["customer"]), among=among)
    if "text" in to:
        return SimilarityCondition(top, text=to["text"].strip(), among=among)
    seed = _read(to["segment"], f"{path}.similar_to.segment", issues, depth + 1)
    return None if seed is None else SimilarityCondition(top, segment=seed, among=among)


def _read_member(data: dict[str, Any], path: str, issues: list[Sentence], _depth: int) -> Node | None:
    Fields(data, path, issues, {"member_of"})
    of = data["member_of"]
    if isinstance(of, str):
        return MemberOf(of)
    if not isinstance(of, dict):
        issues.append(
            Sentence(
                f"{path}.member_of: must be a saved segment's name, or discovery and cluster; got {short(of)}.",
                f"{path}.member_of：必须是已保存分群的名称，或 discovery 和 cluster，而给的是{short(of)}。",
            )
        )
        return None
    fields = Fields(of, f"{path}.member_of", issues, {"discovery", "cluster"})
    if not isinstance(of.get("discovery"), str):
        fields.wrong(
            "discovery",
            f"must be the version of a discovery; got {short(of.get('discovery'))}",
            f"必须是某次聚类的版本，而给的是{short(of.get('discovery'))}",
        )
    number = fields.whole("cluster", 0, "the clusters' numbers", 1)
    return InCluster(of["discovery"], number) if fields.sound else None


_READERS = {
    "all_of": _read_group,
    "any_of": _read_group,
    "not": _read_not,
    "feature": _read_feature,
    "event": _read_event,
    "sequence": _read_sequence,
    "repeat": _read_repeat,
    "first": _read_touch,
    "last": _read_touch,
    "compare": _read_comparison,
    "rank_by": _read_rank,
    "propensity": _read_propensity,
    "uplift": _read_uplift,
    "similar_to": _read_similar,
    "member_of": _read_member,
}
