"""Transactions: the only place, beside ``location``, that knows which database is behind the schema.

``read`` is for single SELECTs, ``write`` for everything else, ``append`` for many rows at once. SQLite has one writer
at a time: writers of this process queue in order for a lock of ours, which is fair and costs no thread, and take the
write lock of the file at BEGIN (IMMEDIATE), so that what they read stays true until they commit. On PostgreSQL rows are
locked by the statements themselves (``FOR UPDATE``, guarded UPDATEs, ON CONFLICT), which SQLite's compiler leaves out
or understands alike; what no row stands for is locked by name (``alone``).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Integer, Text, bindparam, cast, column, func, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.failures import translated
from agent_sre.adapters.store_sql.location import WRITING, Location

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.dialects import postgresql, sqlite

Fence = Callable[[], None]
"""Raises TemporaryError while this process may not write (``single_writer``)."""

LOCKS = 0x5352_4531
"""The first half of our advisory locks' names: other programs in the database have theirs."""


_PLACE = "place_in_call"


class Lock(IntEnum):
    """The second half: what is locked."""

    WRITER = 1
    MIGRATION = 2
    AUDIT = 3
    CHANGES = 4
    APPEND = 5


def unfenced() -> None:
    """For commands and tests, whose transactions hold without a lock around them."""


class Database:
    """Transactions on one database, with failures translated."""

    def __init__(self, location: Location, busy_seconds: float, fence: Fence = unfenced) -> None:
        self.location = location
        self.busy_seconds = busy_seconds
        self.engine = location.async_engine(busy_seconds)
        # psycopg keeps the number of rows an INSERT made only where it is asked to.
        self._writer = self.engine.execution_options(**{WRITING: True, "preserve_rowcount": True})
        # A SELECT alone needs no BEGIN and no ROLLBACK, each of which would be a round trip.
        self._reader = self.engine if location.file else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.fence = fence
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if location.file else nullcontext()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """This process's turn to write, for a writer with a connection of its own."""
        async with self._turn:
            self.fence()
            with translated(str(self.location)):
                yield

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed, durably, when the block ends and rolled back when it raises."""
        async with self.turn(), self._writer.begin() as connection:
            yield connection
            self.fence()  # the lock may have gone meanwhile

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one SELECT."""
        with translated(str(self.location)):
            async with self._reader.connect() as connection:
                yield connection

    async def append(self, table: "Table", rows: Sequence[Mapping[str, Any]]) -> None:
        """Commit the rows, which have the same columns, in their order; one that is there already is left out.

        PostgreSQL only: ``sqlite_append`` is the other way.
        """
        names = tuple(rows[0])
        self.fence()
        with translated(str(self.location)):
            # One statement, which is its own transaction, with one value for all rows: one round trip, and nothing done
            # for each row on our side. (Arrays would be one value for each column, but the driver escapes them slowly.)
            async with self._reader.connect() as connection:
                placed = [{**row, _PLACE: place} for place, row in enumerate(rows)]
                await connection.execute(_all_of(table, names), {"rows": orjson.dumps(placed).decode()})

    async def alone(self, connection: AsyncConnection, lock: Lock) -> None:
        """Wait until no other transaction is in what ``lock`` names; held until this one ends.

        Nothing to do on SQLite, where a writer is alone from its BEGIN.
        """
        if not self.location.file:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": LOCKS, "b": int(lock)})

    def insert(self, table: "Table") -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that has ``on_conflict_*``: the same words in both databases, two classes in SQLAlchemy."""
        if self.location.file:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table).inline()
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).inline()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


@lru_cache
def _all_of(table: "Table", names: tuple[str, ...]) -> "postgresql.Insert":
    """INSERT of the objects in the JSON array ``rows``, whose keys are columns and their place, in the order of that.

    Two that append the same rows in different orders would wait for each other, so each is alone. The rows are sorted,
    hence the lock is held before the first of them is inserted.
    """
    from sqlalchemy.dialects import postgresql

    columns = [column(name, table.c[name].type) for name in names]
    given = func.json_to_recordset(cast(bindparam("rows", type_=Text), postgresql.JSON))
    rows = given.table_valued(*columns, column(_PLACE, Integer), name="given").render_derived(with_types=True)
    alone = func.pg_advisory_xact_lock(LOCKS, int(Lock.APPEND)).table_valued("held", name="alone")
    both = rows.join(alone, true())
    ordered = select(*(rows.c[name] for name in names)).select_from(both).order_by(rows.c[_PLACE])
    return postgresql.insert(table).from_select(list(names), ordered).on_conflict_do_nothing()
