"""The sets of customers whose sizes readers have been told, in the state: every process sees them, a restart keeps them.

Each set of a reader has a number, 1, 2, 3, ..., and no two have the same: a process that does not know the newest set
cannot write the next one, and so learns of it before it tells a size.

What is written here does not wait for the disk: it is written with every new size, and the last second before a machine
goes off may be lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pyroaring import BitMap
from sqlalchemy import Column, DateTime, Integer, LargeBinary, MetaData, String, Table, delete, func, select
from sqlalchemy.exc import IntegrityError

from assistant.sql import Database

READERS = 4096
"""Readers (each for one date of one build of the data) that are remembered; those who have not asked for longest are
forgotten first."""
FAILED = "What a reader was told cannot be written down"

_told = Table(
    "sizes_told",
    MetaData(),
    Column("reader", String(200), primary_key=True),
    Column("data", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("customers", LargeBinary),
    Column("at", DateTime(timezone=True)),
)
_insert = _told.insert()


class SizesTold:
    """What readers were told of one workspace. data: names whose customers the places in a set are."""

    def __init__(self, state: Database, readers: int = READERS) -> None:
        self._state, self._readers = state, readers

    def after(self, reader: str, data: str, number: int) -> list[tuple[int, BitMap]]:
        """The reader's sets after that of a number, with theirs, in their order."""
        query = (
            select(_told.c.number, _told.c.customers)
            .where(_told.c.reader == reader, _told.c.data == data, _told.c.number > number)
            .order_by(_told.c.number)
        )
        with self._state.read(FAILED) as connection:
            return [(n, BitMap.deserialize(found)) for n, found in connection.execute(query)]

    def add(self, reader: str, data: str, number: int, sets: Sequence[BitMap]) -> bool:
        """Write sets down, the first of them as number + 1; False, and nothing is written, when that is not the next."""
        at = datetime.now(UTC)
        rows = [
            {"reader": reader, "data": data, "number": n, "customers": found.serialize(), "at": at}
            for n, found in enumerate(sets, number + 1)
        ]
        try:
            with self._state.write(FAILED, f"sizes told to {reader}", waits=False) as connection:
                connection.execute(_insert, rows)
        except IntegrityError:
            return False
        if number == 0:
            self._forget()
        return True

    def _forget(self) -> None:
        """Leave the newest readers, once there are a tenth too many."""
        with self._state.read(FAILED) as connection:
            count = select(func.count()).select_from(_told).where(_told.c.number == 1)
            excess = connection.execute(count).scalar_one() - self._readers
        if excess <= self._readers // 10:
            return
        each = select(_told.c.reader, _told.c.data).group_by(_told.c.reader, _told.c.data)
        with self._state.write(FAILED, "sizes told") as connection:
            for reader, data in connection.execute(each.order_by(func.max(_told.c.at)).limit(excess)).all():
                connection.execute(delete(_told).where(_told.c.reader == reader, _told.c.data == data))
