"""The size of a segment from a sample of the customers, with an interval: for very large data.

Pseudonyms are keyed hashes, so the customers whose id sorts first are a simple random sample, and the
engine reads only their part of the (sorted) events.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
from scipy.stats import binomtest

from segments.definition import EVERYONE, Node, RankCondition, conditions
from segments.errors import DefinitionError, UserError
from warehouse.audience import Audiences

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Customers in the segment: the estimate and its Wilson interval at `level`, from `sampled` customers."""

    size: int
    low: int
    high: int
    sampled: int
    population: int
    level: float = LEVEL


def estimate(audiences: Audiences, definition: Node, share: float = 0.05) -> Estimate:
    """Count in a sample of `share` of the customers and scale up.

    Raises DefinitionError for ranks, which a sample cannot answer, UserError for a share outside 0..1.
    """
    if not 0 < share <= 1:
        raise UserError(
            f"estimate.share: must be above 0 and at most 1; got {share}.",
            f"estimate.share：必须大于0且不超过1，而给的是{share}。",
        )
    audiences.check(definition)
    if any(isinstance(condition, RankCondition) for condition in conditions(definition)):
        raise DefinitionError(
            "rank_by: a rank needs all customers; count it instead of estimating.",
            "rank_by：排名需要全部客户；请直接计数，不要估算。",
        )
    edge = f"{min(0xFFFF, round(share * 0x10000)):04x}"

    def sample(table: ir.Table) -> ir.Table:
        return table if share == 1 else table.filter(table.customer_id < edge)

    compiler = audiences.compiler(definition, sample)
    fetch = audiences.warehouse.fetch
    sampled = len(fetch(compiler.compile(EVERYONE)))
    if not sampled:
        raise UserError(
            f"estimate.share: {share} leaves no customer in the sample; give a larger one.",
            f"estimate.share：{share}的抽样中没有客户；请加大比例。",
        )
    hits = len(fetch(compiler.compile(definition)))
    interval = binomtest(hits, sampled).proportion_ci(LEVEL, "wilson")
    population = audiences.population
    sized = [round(value * population) for value in (hits / sampled, interval.low, interval.high)]
    return Estimate(sized[0], sized[1], sized[2], sampled, population)
