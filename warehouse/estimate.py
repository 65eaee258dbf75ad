"""The size of a segment from a sample of the customers, with an interval: for very large data.

Pseudonyms are keyed hashes, so the customers whose id sorts first are a simple random sample, and the
engine reads only their part of the (sorted) events.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis.expr.types as ir
from scipy.stats import binomtest

from segments.definition import EVERYONE, Node
from segments.errors import DefinitionError, UserError
from warehouse.audience import Audiences

LEVEL = 0.95
SHARE, ENOUGH = 0.05, 200_000
"""Of the customers in a sample: a share of them, and as many as an interval of a quarter of a point either way needs."""
_PARTS = 0x10000
"""A sample is so many parts of the ids."""


@dataclass(frozen=True)
class Estimate:
    """Customers in the segment: the estimate and its Wilson interval at `level`, from `sampled` customers."""

    size: int
    low: int
    high: int
    sampled: int
    population: int
    level: float = LEVEL


@dataclass(frozen=True)
class Sample:
    """Ids of the customers drawn of `population`, and of those of them who are in the segment."""

    drawn: list[str]
    members: list[str]
    population: int

    @property
    def estimate(self) -> Estimate:
        """Scaled up to all customers."""
        hits, sampled = len(self.members), len(self.drawn)
        interval = binomtest(hits, sampled).proportion_ci(LEVEL, "wilson")
        sized = [round(value * self.population) for value in (hits / sampled, interval.low, interval.high)]
        return Estimate(sized[0], sized[1], sized[2], sampled, self.population)


def draw(audiences: Audiences, definition: Node, share: float | None = None) -> Sample:
    """A sample of `share` of the customers; by default of SHARE of them, and of ENOUGH at most.

    Raises DefinitionError for ranks, which a sample cannot answer, UserError for a share outside 0..1 or too small.
    """
    if share is None:
        share = min(SHARE, ENOUGH / max(audiences.population, 1))
    if not 0 < share <= 1:
        raise UserError(
            f"share: must be above 0 and at most 1; got {share}.",
            f"share：必须大于0且不超过1，而给的是{share}。",
        )
    audiences.check(definition)
    if audiences.ranks(definition):
        raise DefinitionError(
            "rank_by: a rank needs all customers; count it instead of estimating.",
            "rank_by：排名需要全部客户；请直接计数，不要估算。",
        )
    edge = f"{min(_PARTS - 1, round(share * _PARTS)):04x}"

    def part(table: ir.Table) -> ir.Table:
        return table if share == 1 else table.filter(table.customer_id < edge)

    compiler = audiences.compiler(definition, part)
    drawn: list[str] = audiences.warehouse.column(compiler.compile(EVERYONE)).tolist()
    if not drawn:
        raise UserError(
            f"share: {share} leaves no customer in the sample; give a larger one.",
            f"share：{share}的抽样中没有客户；请加大比例。",
        )
    members: list[str] = audiences.warehouse.column(compiler.compile(definition)).tolist()
    return Sample(drawn, members, audiences.population)
