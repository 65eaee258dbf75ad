"""A campaign plan scored by rules: what a plan must hold before anybody may be asked to run it.

Every rule reads the plan's JSON and its words in the evidence. No language model judges; where one is asked, its
agreement with these rules is what to report first.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Plan = dict[str, Any]
TOLERANCE = 1e-6


def _tiers(plan: Plan, _text: str) -> bool:
    """Tiers that are of the segment, each with its response and gain, the better ones first."""
    tiers = plan["tiers"]
    gains = [tier["response"] * tier["gain"] for tier in tiers]
    return (
        bool(tiers) and sum(t["size"] for t in tiers) <= plan["size"] and gains == sorted(gains, reverse=True)
    )


def _offer(plan: Plan, _text: str) -> bool:
    """An offer for everybody who is contacted, none deeper than the margin."""
    margin = plan["assumptions"]["gross_margin"]
    chosen = sum(n for tier in plan["tiers"] for _, n in tier["offers"])
    return (
        bool(plan["offers"])
        and chosen == _chosen(plan)
        and all(o["depth"] <= margin + TOLERANCE for o in plan["offers"])
    )


def _chosen(plan: Plan) -> int:
    return sum(int(tier["chosen"]) for tier in plan["tiers"])


def _budget(plan: Plan, _text: str) -> bool:
    """Parts that add up to the whole, contacted and held out, of which those contacted stay within the budget."""
    parts = plan["split"]["allocations"]
    cost = math.fsum(part["cost"] for part in parts)
    contacts = sum(part["contacts"] for part in parts)
    return (
        math.isclose(cost, plan["split"]["cost"], rel_tol=1e-6, abs_tol=0.01)
        and contacts == _chosen(plan)
        and plan["forecast"]["cost"] <= plan["budget"] * (1 + TOLERANCE)
    )


def _holdout(plan: Plan, text: str) -> bool:
    """A holdout with power, a primary metric, and what it can find; told when that is too little."""
    held = plan["holdout"]
    arms = held["contact"] + held["holdout"] == _chosen(plan)
    known = (
        0 < held["alpha"] < 1
        and 0 < held["power"] < 1
        and held["detectable"] > 0
        and bool(held["metric"]["name"])
    )
    told = held["powered"] or "underpowered" in plan["caveats"] or "cannot find" in text or "测不出" in text
    return bool(held["holdout"] > 0 and arms and known and told)


def _interval(plan: Plan, _text: str) -> bool:
    """Every expected figure inside an interval of its own."""
    forecast = plan["forecast"]
    names = ("responders", "revenue", "cost", "net", "roi")
    return all(f"{name}_interval" in forecast and _within(forecast, name) for name in names)


def _within(forecast: dict[str, Any], name: str) -> bool:
    low, high = map(float, forecast[f"{name}_interval"])
    return low - TOLERANCE <= float(forecast[name]) <= high + TOLERANCE


def _when(plan: Plan, _text: str) -> bool:
    """A weekday and a part of the day, from the members' own orders."""
    timing = plan["timing"]
    return 0 <= timing["weekday"] <= 6 and bool(timing["part"]) and 0 < timing["weekday_share"] <= 1


def _what_not(_plan: Plan, text: str) -> bool:
    """What not to do."""
    return "**Do not" in text or "**不要" in text or "**切勿" in text


def _figures(plan: Plan, text: str) -> bool:
    """The budget, the contacts and the holdout in words are those of the plan."""
    plain = text.replace(",", "")
    return all(
        str(round(number)) in plain
        for number in (plan["budget"], plan["holdout"]["contact"], plan["holdout"]["holdout"])
    )


RULES: dict[str, Callable[[Plan, str], bool]] = {
    "tiers": _tiers,
    "offer": _offer,
    "budget": _budget,
    "holdout": _holdout,
    "interval": _interval,
    "when": _when,
    "what not": _what_not,
    "figures": _figures,
}


def rubric(plan: Plan, text: str) -> dict[str, bool]:
    """Each rule of a plan (`Strategy.to_dict`) and the answer that tells it: kept or not; a missing part is not."""
    return {name: _kept(rule, plan, text) for name, rule in RULES.items()}


def _kept(rule: Callable[[Plan, str], bool], plan: Plan, text: str) -> bool:
    try:
        return rule(plan, text)
    except (KeyError, TypeError, ValueError):
        return False
