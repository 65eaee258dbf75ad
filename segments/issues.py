"""What can be wrong with a definition: every mistake's code with its sentence in English and Chinese, in this one place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from segments.errors import SegAssistError, Sentence
from segments.explain import Language

JOINS = {"near": (" or ", "或"), "": (", ", "、")}
"""How a list is written: names that are near, and any other."""
TYPES_ZH = {"number": "数字", "share": "占比", "boolean": "是否", "category": "类别", "band": "分段"}
WORDS: dict[str, tuple[str, str]] = {
    # Groups
    "any_of_empty": (
        "any_of: has no conditions, so nobody could belong; give at least one.",
        "any_of：其中没有条件，不会有人符合；请至少给一个条件。",
    ),
    "opposite": (
        "all_of: asks for a condition and for its opposite, so nobody could belong.",
        "all_of：同时要求一个条件和它的反面，不会有人符合。",
    ),
    "contradiction": (
        "{name}: its conditions contradict each other (no value meets them all).",
        "{name}：几个条件互相矛盾，没有任何值能同时满足。",
    ),
    # Names
    "feature_unknown": (
        "{field}: '{name}' is not in the catalogue; `segassist features` lists them.",
        "{field}：特征目录中没有“{name}”；可用 `segassist features` 查看。",
    ),
    "feature_like": (
        "{field}: '{name}' is not in the catalogue; did you mean {near}?",
        "{field}：特征目录中没有“{name}”；您是指{near}吗？",
    ),
    "segment_unknown": (
        "member_of: no saved segment is named '{name}'.",
        "member_of：没有名为“{name}”的已保存分群。",
    ),
    "segment_like": (
        "member_of: no saved segment is named '{name}'; did you mean {near}?",
        "member_of：没有名为“{name}”的已保存分群；您是指{near}吗？",
    ),
    "discovery_unknown": (
        "member_of.discovery: there is no discovery '{name}'; `segassist segment clusters` lists them.",
        "member_of.discovery：没有名为“{name}”的聚类；`segassist segment clusters` 会列出它们。",
    ),
    "discovery_like": (
        "member_of.discovery: there is no discovery '{name}'; did you mean {near}?",
        "member_of.discovery：没有名为“{name}”的聚类；您是指{near}吗？",
    ),
    "cluster_outside": (
        "member_of.cluster: must lie between 1 and {count}; got {number}.",
        "member_of.cluster：必须在1到{count}之间，而给的是{number}。",
    ),
    "segment_of_itself": (
        "member_of: segment '{name}' cannot be defined by itself.",
        "member_of：分群“{name}”不能用它自己来定义。",
    ),
    "item_unknown": (
        "items.{field}: '{value}' is not a {field} here.",
        "items.{field}：这里没有“{value}”。",
    ),
    "item_like": (
        "items.{field}: '{value}' is not a {field} here; did you mean {near}?",
        "items.{field}：这里没有“{value}”；您是指{near}吗？",
    ),
    "outcome_unknown": (
        "propensity: no model predicts '{name}'; known are {known}.",
        "propensity：没有预测“{name}”的模型；现有{known}。",
    ),
    "outcome_none": (
        "propensity: no model predicts '{name}'; there is no model here yet.",
        "propensity：没有预测“{name}”的模型；这里还没有任何模型。",
    ),
    "outcome_like": (
        "propensity: no model predicts '{name}'; did you mean {near}?",
        "propensity：没有预测“{name}”的模型；您是指{near}吗？",
    ),
    "campaign_unknown": (
        "uplift: there is no past campaign '{name}'; known are {known}.",
        "uplift：没有以往的营销活动“{name}”；现有{known}。",
    ),
    "campaign_none": (
        "uplift: there is no past campaign '{name}'; the data tell of none.",
        "uplift：没有以往的营销活动“{name}”；数据里没有任何营销活动。",
    ),
    # Values
    "operator": (
        "{name}.op: '{op}' does not fit a {type}; accepted are {accepted}.",
        "{name}.op：“{op}”不适用于{type}；可用{accepted}。",
    ),
    "takes_list": (
        "{name}.value: '{op}' takes a list; got {value!r}.",
        "{name}.value：“{op}”要一个列表，而给的是{value}。",
    ),
    "takes_one": (
        "{name}.value: '{op}' takes a single value; got {value!r}.",
        "{name}.value：“{op}”只要一个值，而给的是{value}。",
    ),
    "takes_two": (
        "{name}.value: between takes two values, low and high; got {count}.",
        "{name}.value：between 要两个值（下限和上限），而给了{count}个。",
    ),
    "list_empty": (
        "{name}.value: the list is empty; give at least one value.",
        "{name}.value：列表是空的；请至少给一个值。",
    ),
    "too_large": (
        "{name}.value: must be at most {most:g}; got {value}.",
        "{name}.value：最大为{most:g}，而给的是{value}。",
    ),
    "not_number": (
        "{name}.value: must be a number of {unit}; got {value!r}.",
        "{name}.value：必须是数字，而给的是“{value}”。",
    ),
    "not_share": (
        "{name}.value: a share lies between 0 and 1 (0.3 is 30 %); got {value}.",
        "{name}.value：占比在0与1之间（0.3即30%），而给的是{value}。",
    ),
    "not_boolean": (
        "{name}.value: must be true or false; got {value!r}.",
        "{name}.value：必须是 true 或 false，而给的是“{value}”。",
    ),
    "not_level": (
        "{name}.value: '{value}' is not one of {levels}.",
        "{name}.value：“{value}”不在{levels}之中。",
    ),
    "value_unknown": (
        "{name}.value: '{value}' is none here.",
        "{name}.value：这里没有“{value}”。",
    ),
    "value_like": (
        "{name}.value: '{value}' is none here; did you mean {near}?",
        "{name}.value：这里没有“{value}”；您是指{near}吗？",
    ),
    "not_text": (
        "{name}.value: must be a text; got {value!r}.",
        "{name}.value：必须是文字，而给的是{value}。",
    ),
    "low_above_high": (
        "{name}.value: between needs low <= high; got {low} and {high}.",
        "{name}.value：下限不能大于上限，而给的是{low}和{high}。",
    ),
    "between_or_one": (
        "{name}.value: between takes two numbers, other operators one; got {value}.",
        "{name}.value：between 要两个数，其他比较只要一个，而给的是{value}。",
    ),
    "two_numbers": (
        "{name}.value: between needs two numbers, low <= high; got {value}.",
        "{name}.value：between 要两个数，下限不大于上限，而给的是{value}。",
    ),
    "negative": (
        "{name}.value: must not be negative; got {value}.",
        "{name}.value：不能是负数，而给的是{value}。",
    ),
    "below_zero": (
        "{name}.value: fewer than 0 holds for nobody; use = 0 for 'never'.",
        "{name}.value：没有人少于0次；“从未”请用 = 0。",
    ),
    # Time
    "window_far": (
        "{name}: the window reaches {days} days back; at most {most} are accepted.",
        "{name}：时间范围追溯到{days}天前；最多{most}天。",
    ),
    "window_negative": (
        "{name}: window days must not be negative; got from {start} to {end}.",
        "{name}：天数不能是负数，而给的是从{start}到{end}。",
    ),
    "window_empty": (
        "{name}: the window from {start} to {end} days ago is empty; from_days_ago must be larger than to_days_ago.",
        "{name}：从{start}天前到{end}天前没有日子；from_days_ago 必须大于 to_days_ago。",
    ),
    "hours_outside": (
        "{name}.hours: must lie in 0..24; got {start} and {end}.",
        "{name}.hours：必须在0到24之间，而给的是{start}和{end}。",
    ),
    "hours_empty": (
        "{name}.hours: from {start} to {end} is empty; leave hours out for the whole day.",
        "{name}.hours：从{start}点到{end}点没有时间；全天请不填。",
    ),
    "within_days": (
        "{name}.within_days: must lie between 1 and {most}; got {value}.",
        "{name}.within_days：必须在1到{most}之间，而给的是{value}。",
    ),
    "times": (
        "{name}.times: must lie between 2 and {most}; got {value}.",
        "{name}.times：必须在2到{most}之间，而给的是{value}。",
    ),
    "repeat_without_itself": (
        "repeat.without: {name} cannot be repeated without itself; name another event.",
        "repeat.without：重复{name}之间不能没有它自己；请给另一个事件。",
    ),
    # Comparisons, ranks, models
    "factor": (
        "compare.factor: must be above 0; got {value}.",
        "compare.factor：必须大于0，而给的是{value}。",
    ),
    "same_sides": (
        "compare: both sides are the same, so there is nothing to compare.",
        "compare：两边相同，没有可比的。",
    ),
    "not_ordered": (
        "{field}: '{name}' is a {type}; only numbers and shares can be ordered here.",
        "{field}：“{name}”是{type}；这里只有数字和占比能比大小。",
    ),
    "share_range": (
        "{name}: must be above 0 and at most 1; got {value}.",
        "{name}：必须大于0且不超过1，而给的是{value}。",
    ),
    "count_range": ("{name}: must be at least 1; got {value}.", "{name}：至少为1，而给的是{value}。"),
    # What a segment is asked for
    "nobody_to_be_like": (
        "The segment has no customers, so nobody can be like them; widen it first.",
        "该分群没有客户，也就没有相似的人；请先放宽条件。",
    ),
    "no_orders": (
        "None of them ordered in the last {days} days, so when they shop cannot be told.",
        "他们在最近{days}天没有订单，无法说明购物时间。",
    ),
    "no_places": (
        "Their orders of the last {days} days name no store and no channel, so where they shop cannot be told.",
        "他们最近{days}天的订单没有记录门店或渠道，无法说明在哪里购物。",
    ),
    "no_goods": (
        "None of them bought anything in the last {days} days, so what they buy cannot be told.",
        "他们最近{days}天没有购买任何商品，无法说明买了什么。",
    ),
    "too_few": (
        "The segment has fewer than {smallest} customers, too few to describe or to plan for; widen it first.",
        "该分群不足{smallest}名客户，人数太少，无法描述或制定方案；请先放宽条件。",
    ),
    "differs_by_few": (
        "The segment differs by fewer than {smallest} customers from what was shown before, so that figures of both "
        "would tell of these few; change it by more, or go back to the one before.",
        "该分群与之前显示过的相差不足{smallest}名客户，两者的数字会透露这几个人；请多改一些，或回到之前的分群。",
    ),
    "arms_too_small": (
        "holdout: arms of {contact} and {held} customers are too few to compare; it takes {smallest} in each. Widen the "
        "segment or hold out another share.",
        "holdout：触达组{contact}名、对照组{held}名，人数太少，无法比较；每组至少{smallest}名。请放宽条件或换一个对照比例。",
    ),
    "backtest_too_few": (
        "Back-test: not enough data, the segment had fewer than {smallest} members then.",
        "回测：数据不足，该分群当时不足{smallest}名客户。",
    ),
    "part_gone": (
        "edit: the definition has changed and has no such part any more.",
        "edit：定义已经改变，不再有这一部分。",
    ),
    "not_a_group": (
        "edit: only a group (all_of, any_of) holds parts side by side.",
        "edit：只有条件组（all_of、any_of）才能并列多个条件。",
    ),
}
"""By code; what stands in braces is a parameter of the mistake. Field names stay as they are written in a definition."""


class Issue(Sentence):
    """One mistake of a code in WORDS."""

    def __new__(cls, code: str, **parameters: Any) -> Self:
        """The mistake with the values of its blanks."""
        return super().__new__(cls, _sentence(code, parameters, "en"), _sentence(code, parameters, "zh"))


def in_language(error: SegAssistError, language: Language) -> str:
    """What an error says, in the language."""
    return error.zh if language == "zh" and error.zh else str(error)


def sentences(issues: Iterable[Sentence], language: Language) -> list[str]:
    """Mistakes in the language."""
    return [issue.zh if language == "zh" else str(issue) for issue in issues]


def _sentence(code: str, parameters: dict[str, Any], language: Language) -> str:
    place = 1 if language == "zh" else 0
    said = {}
    for name, value in parameters.items():
        if name in ("near", "known", "accepted", "levels"):
            value = JOINS.get(name, JOINS[""])[place].join(map(str, value))
        elif name == "type" and language == "zh":
            value = TYPES_ZH[str(value)]
        said[name] = value
    return WORDS[code][place].format(**said)


__all__ = ["WORDS", "Issue", "in_language", "sentences"]
