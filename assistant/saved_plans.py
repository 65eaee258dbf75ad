"""Messages about saved campaign plans: 'show my plans', 'open the plan "spring"', '把它和方案“春季”比较'."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from assistant.back import bare
from assistant.naming import NAMED, QUOTED, names_in


@dataclass(frozen=True)
class PlanRequest:
    """tool: list_plans, open_plan or compare_saved_plans. names: of the plans, in the order in which they are said."""

    tool: str
    names: tuple[str, ...] = ()


_POLITE = r"(?:please |(?:can|could|would) (?:you|i|we) (?:please )?|let(?:'s| me| us) |i(?:'d like| want| need) to )*"
_POLITE_ZH = r"(?:请问?|麻烦|帮我|帮忙|我想|我要|能不能|能否|可以)*"
_PLANS = r"(?:campaign |marketing )?(?:plans|strategies)"
_PLANS_ZH = r"(?:营销|活动)?(?:方案|策略|计划)"
_KEPT_ZH = r"(?:已?经?保存(?:过|好|了)?的|存(?:过|好|下)的)"
_LIST = re.compile(
    rf"{_POLITE}(?:list|show|see|view|display|give)(?: me| us)?(?: all)?(?: of)?(?: the| my| our)?(?: saved| stored)?"
    rf" {_PLANS}(?: (?:that )?(?:we|i)(?:'ve| have)? (?:already )?(?:saved|made|stored|have)| again| please|,? please)?"
    rf"|(?:what|which)(?: saved)? {_PLANS} (?:do|did|have) (?:we|i) (?:have|saved?|got|stored?)(?: so far| already| saved)*"
    rf"|(?:what|which)(?: are)?(?: the| my| our)*(?: saved)? {_PLANS}(?: are (?:there|saved))?"
    rf"|(?:all )?(?:of )?(?:the |my |our )?(?:saved|stored) {_PLANS}|(?:my|our) {_PLANS}|are there (?:any )?saved {_PLANS}"
    rf"|{_POLITE_ZH}(?:列出|列一下|显示|查看|打开|看看?|看一下|给我看看?)(?:一下)?(?:我们?的?|所有的?|全部的?|{_KEPT_ZH})+{_PLANS_ZH}(?:列表|清单)?"
    rf"|(?:我们?的|所有的?|全部的?|{_KEPT_ZH})+{_PLANS_ZH}(?:列表|清单)?|{_PLANS_ZH}(?:列表|清单)|列出{_PLANS_ZH}"
    rf"|(?:我们?|你)?(?:已经|都)?(?:保存|存)(?:过|了|下)?的?有?(?:哪些|什么|几个){_PLANS_ZH}"
    rf"|(?:我们?|现在|目前)?都?有哪些{_KEPT_ZH}?{_PLANS_ZH}",
    re.IGNORECASE,
)
_KIND = r"(?: (?:campaign |marketing )?(?:plan|strategy))?"
_OPEN = re.compile(
    rf"{_POLITE}(?:open|load|show|see|display|view|pull up|bring (?:up|back)|go back to|go to|look at)(?: me| us)?"
    rf"(?: the| my| our| that)?(?: saved)?{_KIND}(?: (?:called|named|saved as|we saved as))? {NAMED}{_KIND}"
    r"(?: again)?(?:,? please)?"
    rf"|{_POLITE_ZH}(?:打开|载入|加载|显示|查看|看看?|看一下|调出|回到)(?:一下)?(?:我们?的|已?保存的|之前的)*(?:{_PLANS_ZH})?(?:叫|名为)?"
    rf"{NAMED}(?:这个|那个|的)?(?:{_PLANS_ZH})?(?:的?内容)?吧?",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    rf"{_POLITE}(?:open|load|pull up) (?:the|my|our)(?: saved)? (?:plan|strategy) (?:called |named )?"
    r"(?P<en>(?!for\b)\w[\w-]*(?: \w[\w-]*)?)"
    rf"|{_POLITE_ZH}(?:打开|载入|加载)(?:营销|活动)?(?:方案|策略|计划)(?P<zh>[^\s，。？！]{{1,20}})",
    re.IGNORECASE,
)
"""A name that no plan has, without quotation marks."""
_COMPARE = re.compile(
    r"\bcompar(?:e|ed|es|ing|ison)\b|\bversus\b|\bvs\.?(?=\s)|\bdifferences? between\b|\bdiffer(?:s|ent)? from\b"
    r"|\bstack up\b|对比|比较|相比|比一比|比一下|区别|差别|差异|不同",
    re.IGNORECASE,
)
_SPEAKS = re.compile(r"\b(?:plans?|strateg(?:y|ies))\b|方案|策略|计划", re.IGNORECASE)


def spoken_plans(message: str, known: Collection[str], segments: Collection[str] = ()) -> PlanRequest | None:
    """What a message asks of saved plans; None when it asks for nothing of the kind. known: the names of saved plans;
    segments: of saved segments, which a name that both have means unless a plan is spoken of."""
    said = bare(message)
    if _LIST.fullmatch(said):
        return PlanRequest("list_plans")
    names, rest = names_in(said, known)
    unknown = None if names else _UNKNOWN.fullmatch(said)
    if unknown is not None:
        return PlanRequest("open_plan", (unknown["en"] or unknown["zh"],))
    speaks = _SPEAKS.search(rest) is not None
    if not names or not (speaks or all(name in known and name not in segments for name in names)):
        return None
    if _OPEN.fullmatch(rest):
        return PlanRequest("open_plan", names)
    # 'Compare them with soup buyers' is not about a plan that is called soup.
    plain = speaks or len(names) == 2 or QUOTED.search(said) is not None
    if plain and len(names) <= 2 and _COMPARE.search(rest):
        return PlanRequest("compare_saved_plans", names)
    return None
