"""Differential privacy of shown counts: random noise on each, and a budget for each user that a restart does not reset.

A count changes by at most 1 with one customer, so the geometric mechanism (Ghosh, Roughgarden and Sundararajan 2009; by
OpenDP) with scale 1 / epsilon makes one count epsilon-private. Whoever sees n counts has spent n times epsilon (sequential
composition); the counts of groups that do not overlap are spent for once (parallel composition). What was answered is kept:
the same question has the same answer, for everybody, and is paid for once by each user.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    func,
    select,
)

from assistant.sql import Database
from segments.errors import ForbiddenError, OperatorError

LEVEL = 0.95
"""Of the interval shown around a noised count."""
FAILED = "The privacy budget cannot be read"

_tables = MetaData()
_answers = Table(
    "noised_counts",
    _tables,
    Column("question", String(32), primary_key=True),
    Column("part", Text, primary_key=True),
    Column("value", Integer),
)
_spent = Table(
    "noise_spent",
    _tables,
    Column("user", String(64), primary_key=True),
    Column("question", String(32), primary_key=True),
    Column("epsilon", Float),
    Column("at", DateTime(timezone=True)),
)


class Noise:
    """Noised counts of one workspace. epsilon: of one count. budget: what a user may spend in all.

    Raises OperatorError when OpenDP is not installed.
    """

    def __init__(self, state: Database, epsilon: float, budget: float) -> None:
        if find_spec("opendp") is None:
            raise OperatorError(
                "noise_epsilon: OpenDP is not installed; run: pip install 'segment-assistant[noise]'"
            )
        self._state, self.epsilon, self.budget = state, epsilon, budget

    @cached_property
    def margin(self) -> int:
        """How far a noised count lies from the count at most, with probability `LEVEL`."""
        ratio = math.exp(-self.epsilon)
        return max(0, math.ceil(math.log((1 - LEVEL) * (1 + ratio) / 2) / math.log(ratio) - 1))

    def count(self, question: str, size: int, user: str) -> int:
        """A count with noise, never below 0. Raises ForbiddenError when the user's budget is spent."""
        return self.counts(question, {"": size}, user)[""]

    def counts(self, question: str, sizes: Mapping[str, int], user: str) -> dict[str, int]:
        """As `count`, of groups that do not overlap, spent for once."""
        draw = self._mechanism
        with self._state.write(FAILED, "noise") as connection:
            paid = select(_spent.c.epsilon).where(_spent.c.user == user, _spent.c.question == question)
            if connection.execute(paid).first() is None:
                self._pay(connection, question, user)
            rows = select(_answers.c.part, _answers.c.value).where(_answers.c.question == question)
            known = {row.part: int(row.value) for row in connection.execute(rows)}
            new = {part: int(draw(size)) for part, size in sizes.items() if part not in known}
            if new:
                connection.execute(
                    _answers.insert(),
                    [{"question": question, "part": part, "value": value} for part, value in new.items()],
                )
        return {part: max(0, (known | new)[part]) for part in sizes}

    def spent(self) -> dict[str, float]:
        """What each user has spent; '' is everybody where there are no users."""
        query = (
            select(_spent.c.user, func.sum(_spent.c.epsilon)).group_by(_spent.c.user).order_by(_spent.c.user)
        )
        with self._state.read(FAILED) as connection:
            return {user: float(total) for user, total in connection.execute(query)}

    def grant(self, user: str) -> None:
        """Give a user the whole budget anew; what was shown before stays known to them."""
        with self._state.write(FAILED, "noise") as connection:
            connection.execute(delete(_spent).where(_spent.c.user == user))

    def _pay(self, connection: Connection, question: str, user: str) -> None:
        before = connection.execute(
            select(func.coalesce(func.sum(_spent.c.epsilon), 0.0)).where(_spent.c.user == user)
        ).scalar_one()
        if before + self.epsilon > self.budget + 1e-9:
            raise ForbiddenError(
                f"Your privacy budget is spent ({before:g} of {self.budget:g}): counts that you have seen are shown on, "
                "new ones are not; an administrator may grant it anew: segassist privacy budget --grant NAME",
                f"您的隐私预算已用完（{self.budget:g}中的{before:g}）：看过的计数仍会显示，新的不再显示；"
                "管理员可以重新授予：segassist privacy budget --grant 名称",
            )
        connection.execute(
            _spent.insert().values(user=user, question=question, epsilon=self.epsilon, at=datetime.now(UTC))
        )

    @cached_property
    def _mechanism(self) -> Any:
        import opendp.prelude as dp

        dp.enable_features("contrib")
        space = dp.atom_domain(T=int), dp.absolute_distance(T=int)
        # The scale that OpenDP itself finds for this epsilon, its rounding included.
        return dp.binary_search_chain(lambda scale: dp.m.make_geometric(*space, scale=scale), 1, self.epsilon)
