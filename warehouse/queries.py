"""The SQL of a definition while it is edited: each condition is written once, and the whole put together of its conditions.

Writing a condition's SQL costs more than counting from the bitmaps does, so that what was written lately is kept by the
condition's fingerprint, least recently used ones dropped first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import expressions as sge

from segments.canonical import fingerprint
from segments.definition import AllOf, AnyOf, Node, Not, named_segments
from warehouse.recent import Recent

if TYPE_CHECKING:
    from warehouse.audience import Audiences

KEPT = 512
FEATURES = sge.to_identifier("t0", quoted=True)
"""What Ibis calls the first table of a query, which is the feature mart in each test of a customer."""


class Queries:
    """SELECTs of definitions over the stored feature mart of the warehouse's date, as DuckDB reads them."""

    def __init__(self, audiences: Audiences, kept: int = KEPT) -> None:
        self._audiences = audiences
        self._known: Recent[sge.Expr] = Recent(kept)
        self.written = 0
        """How many conditions were written so far."""

    def of(self, definition: Node) -> sge.Select:
        """The members' customer_id. Raises DefinitionError when the definition does not hold."""
        self._audiences.check(definition)
        features = sge.Table(
            this=sge.to_identifier("features", quoted=True), alias=sge.TableAlias(this=FEATURES.copy())
        )
        return sge.select(_customer_id()).from_(features).where(self._test(definition), copy=False)

    def _test(self, node: Node) -> sge.Expr:
        match node:
            case AllOf(children):
                return sge.and_(*map(self._test, children), copy=False) if children else sge.true()
            case AnyOf(children):
                return sge.or_(*map(self._test, children), copy=False) if children else sge.false()
            case Not(child):
                return sge.not_(self._test(child), copy=False)
            case _:
                return self._condition(node)

    def _condition(self, node: Node) -> sge.Expr:
        # What another segment's name means may change, so it is never kept.
        if any(named_segments(node)):
            return self._written(node)
        key = fingerprint(node)
        known = self._known.get(key)
        # A copy, because what is put together takes its parts over.
        return (self._known.put(key, self._written(node)) if known is None else known).copy()

    def _written(self, node: Node) -> sge.Expr:
        self.written += 1
        compiler, to_sqlglot = self._audiences.compiler(node), self._audiences.warehouse.to_sqlglot
        select = to_sqlglot(compiler.test(node))
        if not select.ctes:
            return select.selects[0].unalias()
        # What two parts of a condition share stands before the SELECT, and goes with it.
        return _customer_id().isin(query=to_sqlglot(compiler.compile(node)))


def _customer_id() -> sge.Column:
    return sge.column("customer_id", FEATURES.copy(), quoted=True)
