"""Two plans side by side: what another budget, goal or assumption would change."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose
from typing import Any

from campaigns.display import money, share
from campaigns.goals import GOAL_WORDS
from campaigns.plan import Strategy
from segments.errors import DefinitionError
from segments.ports import Figure

COMPARED = (
    ("budget", "currency", "budget", "预算"),
    ("margin", "probability", "assumed gross margin", "假设毛利率"),
    ("discount", "probability", "discount offered", "优惠力度"),
    ("contacts", "customers", "customers contacted", "触达客户数"),
    ("responders", "customers", "expected responders", "预期响应客户数"),
    ("revenue", "currency", "expected incremental revenue", "预期增量收入"),
    ("cost", "currency", "expected cost", "预期成本"),
    ("net", "currency", "expected net margin", "预期净毛利"),
    ("roi", "ratio", "expected return on cost", "预期投资回报率"),
    ("chance_to_pay", "probability", "chance to pay back", "回本概率"),
    ("shadow_price", "currency", "net margin of one more unit of budget", "追加一元预算的净毛利"),
    ("held_out", "customers", "customers held out", "对照组客户数"),
)
TERMS = ("margin", "discount")
"""Told only where the two plans differ in them."""

BEFORE_AND_INSTEAD = ("before", "原方案"), ("instead", "新方案")
"""What the two plans are called where the second is another idea of the first."""


@dataclass(frozen=True)
class Comparison:
    """A number of both plans, and the second less the first."""

    name: str
    unit: str
    label_en: str
    label_zh: str
    first: float
    second: float

    @property
    def difference(self) -> float:
        """Second less first; none where they differ by how a computer rounds."""
        return 0.0 if isclose(self.first, self.second, rel_tol=1e-9) else self.second - self.first


@dataclass(frozen=True)
class PlanComparison:
    """The compared numbers, in the order of `COMPARED`. names: what the plans are called, each in English and Chinese."""

    first: Strategy
    second: Strategy
    lines: tuple[Comparison, ...]
    names: tuple[tuple[str, str], tuple[str, str]] = BEFORE_AND_INSTEAD

    def figures(self) -> tuple[Figure, ...]:
        """Every number that may be quoted."""
        return tuple(
            Figure(
                f"{line.name}.{which}",
                value,
                line.unit,
                f"{line.label_en}, {which}",
                f"{line.label_zh}，{zh}",
            )
            for line in self.lines
            for which, zh, value in (
                ("first", self.names[0][1], line.first),
                ("second", self.names[1][1], line.second),
                ("difference", "差异", line.difference),
            )
        )

    def rows(self) -> list[dict[str, Any]]:
        """One dict a number."""
        return [
            {"name": line.name, "first": line.first, "second": line.second, "difference": line.difference}
            for line in self.lines
        ]

    def to_markdown(self, language: str = "en", currency: str = "$") -> str:
        """A table of differences ('en' or 'zh')."""
        if language not in ("en", "zh"):
            raise DefinitionError(
                f"A comparison can be told in 'en' or 'zh', not '{language}'.",
                f"比较只能用 'en' 或 'zh' 来说，不能用 '{language}'。",
            )
        zh = language == "zh"
        goals = [GOAL_WORDS[plan.objective.goal][zh] for plan in (self.first, self.second)]
        told = goals[0] if goals[0] == goals[1] else f"{goals[0]} → {goals[1]}"
        one, two = (_cell(name[zh]) for name in self.names)
        head = (
            (f"**对比方案：{told}**", f"| | {one} | {two} | 差异 |")
            if zh
            else (f"**Plans compared: {told}**", f"| | {one} | {two} | difference |")
        )
        lines = [
            f"| {line.label_zh if zh else line.label_en} | {_show(line.first, line.unit, currency)} "
            f"| {_show(line.second, line.unit, currency)} | {_signed(line, currency)} |"
            for line in self.lines
        ]
        same = all(line.difference == 0 for line in self.lines if line.name != "budget")
        note = ["", _UNBOUND[zh]] if same and self.first.budget != self.second.budget else []
        return "\n".join([head[0], "", head[1], "|---|---|---|---|", *lines, *note, *self._apart(zh)])

    def _apart(self, zh: bool) -> list[str]:
        """What else sets two saved plans apart: whom they are for, and the day of their data."""
        one, two = self.first, self.second
        found = []
        if None not in (one.definition, two.definition) and one.definition != two.definition:
            found.append(_OTHERS[zh])
        if one.as_of != two.as_of:
            found.append(_DAYS[zh].format(one.as_of, two.as_of))
        return ["", *found] if found else []


_UNBOUND = (
    "The budget changes nothing: both plans already contact every customer worth contacting.",
    "预算不起作用：两个方案都已触达所有值得触达的客户。",
)


_OTHERS = (
    "The two plans are for different customers.",
    "两个方案面向不同的客户。",
)
_DAYS = (
    "They were made on different days: as of {} and {}.",
    "制定时的数据日期不同：截至 {} 与 {}。",
)


def _cell(name: str) -> str:
    """A name in a table's cell: a bar in it would be one more column."""
    return name.replace("|", "/")


def _show(value: float, unit: str, currency: str) -> str:
    if unit == "currency":
        return money(value, currency)
    return share(value) if unit in ("ratio", "probability") else f"{value:,.0f}"


def _signed(line: Comparison, currency: str) -> str:
    shown = _show(line.difference, line.unit, currency)
    return shown if line.difference < 0 else f"+{shown}"


def compare_plans(
    first: Strategy,
    second: Strategy,
    names: tuple[tuple[str, str], tuple[str, str]] = BEFORE_AND_INSTEAD,
) -> PlanComparison:
    """The numbers of two plans; they may be of different segments, which the reader is told. names: what each is called,
    in English and Chinese."""
    values = [
        {
            "budget": plan.budget,
            "margin": plan.assumptions.gross_margin,
            "discount": plan.offers[0].depth,
            "shadow_price": plan.split.shadow_price,
            "held_out": float(plan.holdout.holdout),
        }
        | {
            name: float(getattr(plan.forecast, name))
            for name in ("contacts", "responders", "revenue", "cost", "net", "roi", "chance_to_pay")
        }
        for plan in (first, second)
    ]
    lines = [
        Comparison(*described, values[0][described[0]], values[1][described[0]]) for described in COMPARED
    ]
    told = tuple(line for line in lines if line.name not in TERMS or line.difference)
    return PlanComparison(first, second, told, names)
