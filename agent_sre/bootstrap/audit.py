"""The audit log out of the embedded database: is it whole, and as lines that others can keep and check.

The service may go on running meanwhile: the database is only read, a batch of rows at a time.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_sre.domain.audit import AuditRow, ChainCheck, Head, from_plain, to_plain
from agent_sre.domain.errors import PermanentError
from agent_sre.settings import Settings

if TYPE_CHECKING:
    from agent_sre.ports.store import Journal

_BATCH = 1000


async def verify_audit(settings: Settings, head: Head | None) -> ChainCheck:
    """The whole chain, gone along. Raises PermanentError where there is no database: an empty log is no proof."""
    check = ChainCheck(head)
    async with _journal(settings) as journal:
        async for row in _rows(journal, 0):
            check.add(row)
    return check


def verify_audit_file(file: Path, head: Head | None) -> ChainCheck:
    """The same for what ``export_audit`` wrote. Raises PermanentError naming the line that is no row."""
    check = ChainCheck(head)
    for row in _lines(file):
        check.add(row)
    return check


async def export_audit(settings: Settings, after: int, write: Callable[[str], object]) -> Head | None:
    """Hand every row after the given sequence to ``write`` as one line of JSON; the last of them, None for none.

    Rows are written as they are stored: what is wrong with them is for verification to say.
    """
    last: AuditRow | None = None
    async with _journal(settings) as journal:
        async for row in _rows(journal, after):
            write(json.dumps(to_plain(row), ensure_ascii=True, separators=(",", ":")) + "\n")
            last = row
    return Head(last.sequence, last.digest) if last is not None else None


@asynccontextmanager
async def _journal(settings: Settings) -> AsyncIterator[Journal]:
    from agent_sre.adapters.store_sql import open_store
    from agent_sre.bootstrap.database import existing_database

    store = await open_store(existing_database(settings))
    try:
        yield store.journal
    finally:
        await store.close()


async def _rows(journal: Journal, after: int) -> AsyncIterator[AuditRow]:
    while batch := await journal.audit_rows(after, _BATCH):
        for row in batch:
            yield row
        after = batch[-1].sequence


def _lines(file: Path) -> Iterator[AuditRow]:
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield from_plain(json.loads(line))
                except (ValueError, RecursionError) as error:
                    raise PermanentError(
                        f"{file}:{number}: this line is no audit row: {error}; export it again"
                    ) from None
    except OSError as error:
        raise PermanentError(f"{file} cannot be read: {error.strerror}; name a file that audit export wrote") from None
