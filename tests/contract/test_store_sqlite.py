"""What only the SQLite store can show: durability settings, shared commits, two processes, and a failing disk."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from agent_sre.adapters.store_sql import SqlStore, open_store, single_writer, upgrade
from agent_sre.adapters.store_sql.failures import translated
from agent_sre.adapters.store_sql.location import pragmas
from agent_sre.adapters.store_sql.sqlite_append import SqliteAppend
from agent_sre.domain.audit import first_bad_row
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.store import Quarantined
from tests.contract.store_values import NOON, after, alert, entry, incident, observation


def file_of(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def by_hand(tmp_path: Path, *statements: str) -> None:
    """What somebody with the file could do."""
    with contextlib.closing(sqlite3.connect(file_of(tmp_path))) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def commits(tmp_path: Path) -> int:
    """How many commits the write-ahead log holds: the last page of each says how large the database is after it."""
    log = file_of(tmp_path).with_name(file_of(tmp_path).name + "-wal").read_bytes()
    page = int.from_bytes(log[8:12])
    return sum(int.from_bytes(log[at + 4 : at + 8]) > 0 for at in range(32, len(log), page + 24))


@contextlib.contextmanager
def locked(tmp_path: Path) -> Any:
    with contextlib.closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextlib.asynccontextmanager
async def full_disk(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """A second store on the same file, whose every connection may not let the file grow."""
    store = await open_store(f"sqlite:///{file_of(tmp_path)}")

    def limit(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA max_page_count=1")  # SQLite takes the present size where that is more
        cursor.close()

    event.listen(store.engine.sync_engine, "connect", limit)
    yield store
    await store.close()


async def test_every_connection_is_durable_and_checks_foreign_keys(sqlite: SqlStore) -> None:
    async with sqlite.engine.connect() as first, sqlite.engine.connect() as second:
        for connection in (first, second):
            settings = {
                name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 50}


async def test_concurrent_appends_share_commits(sqlite: SqlStore, tmp_path: Path) -> None:
    await sqlite.inbox.append([alert()])
    before = commits(tmp_path)
    await asyncio.gather(*(sqlite.inbox.append([alert(str(n))]) for n in range(500)))
    assert 1 <= commits(tmp_path) - before <= 5
    assert len(await sqlite.inbox.pending(1000)) == 501


async def test_a_caller_that_gives_up_takes_nobody_elses_alerts_away(sqlite: SqlStore) -> None:
    first = asyncio.create_task(sqlite.inbox.append([alert("first")]))
    second = asyncio.create_task(sqlite.inbox.append([alert("second")]))
    third = asyncio.create_task(sqlite.inbox.append([alert("third")]))
    await asyncio.sleep(0)  # each has called; none is answered
    second.cancel()
    await asyncio.gather(first, third)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert {"first", "third"} <= {item.name for _, item in await sqlite.inbox.pending(10)}


async def test_an_alert_that_cannot_be_stored_fails_its_own_caller_only(sqlite: SqlStore) -> None:
    good, bad = await asyncio.gather(
        sqlite.inbox.append([alert("good")]),
        sqlite.inbox.append([alert("bad", annotations={"summary": "\ud800"})]),
        return_exceptions=True,
    )
    assert good is None
    assert isinstance(bad, PermanentError)
    assert [item.name for _, item in await sqlite.inbox.pending(10)] == ["good"]


async def test_a_failed_commit_fails_all_its_callers_and_a_later_one_succeeds(sqlite: SqlStore, tmp_path: Path) -> None:
    with locked(tmp_path):
        answers = await asyncio.gather(
            *(sqlite.inbox.append([alert(str(n))]) for n in range(3)), return_exceptions=True
        )
    assert [type(answer) for answer in answers] == [TemporaryError] * 3
    assert "another process holds its write lock" in str(answers[0]) and str(file_of(tmp_path)) in str(answers[0])
    await sqlite.inbox.append([alert("later")])
    assert [item.name for _, item in await sqlite.inbox.pending(10)] == ["later"]


async def test_a_locked_database_can_be_read_and_refuses_writes_for_now(sqlite: SqlStore, tmp_path: Path) -> None:
    await sqlite.incidents.fold(incident(), [], [])
    with locked(tmp_path):
        assert await sqlite.incidents.get("inc-1") == incident(version=1)
        with pytest.raises(TemporaryError, match="SQLITE_BUSY"):
            await sqlite.journal.add(entry("x"))
    await sqlite.journal.add(entry("x"))


async def test_a_full_disk_is_temporary_and_leaves_no_half_written_batch(sqlite: SqlStore, tmp_path: Path) -> None:
    async with full_disk(tmp_path) as full:
        with pytest.raises(TemporaryError, match=r"SQLITE_FULL.*free space"):
            await full.inbox.quarantine(Quarantined("s", NOON, "r", b"\0" * 100_000, 1))
        # The inbox appends over a connection of its own.
        append = SqliteAppend(file_of(tmp_path), [*pragmas(0.05), "max_page_count=1"])
        with pytest.raises(TemporaryError, match=r"SQLITE_FULL.*free space"), translated("here"):
            await append.append([("x" * 5000, None)] * 100)
        await append.close()
        assert await full.inbox.pending(1) == ()
    await sqlite.inbox.append([alert()])
    assert len(await sqlite.inbox.pending(10)) == 1


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("UPDATE audit SET actor = 'mallory' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET time = '2026-03-01T12:00:03Z' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET time = 'yesterday' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET detail = 'no JSON' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET detail = '{\"n\": 3}' WHERE sequence = 3", "row 3 was changed"),
        ("UPDATE audit SET subject = x'00ff' WHERE sequence = 3", "row 3 was changed"),
        ("DELETE FROM audit WHERE sequence = 3", "row 3 is missing"),
        ("UPDATE audit SET previous = digest WHERE sequence = 3", "row 3 does not follow row 2"),
        ("DELETE FROM audit WHERE sequence = 5", "the tail was cut"),
    ],
)
async def test_tampering_with_the_audit_log_is_seen(
    sqlite: SqlStore, tmp_path: Path, tampering: str, complaint: str
) -> None:
    head = ""
    for n in range(1, 6):
        head = (await sqlite.journal.audit(after(n), "ann", "approve", f"app-{n}", {"n": str(n)})).digest
    assert first_bad_row(await sqlite.journal.audit_rows(0, 10), head) is None
    by_hand(tmp_path, tampering)
    found = first_bad_row(await sqlite.journal.audit_rows(0, 10), head)
    assert found is not None and complaint in found


async def test_rows_that_cannot_be_read_say_so(sqlite: SqlStore, tmp_path: Path) -> None:
    await sqlite.incidents.fold(incident(), [], [])
    await sqlite.cases.add_observations("inc-1", 1, [observation()])
    by_hand(tmp_path, "UPDATE incidents SET body = '{\"id\": 5}'", "UPDATE observations SET payload = x'00'")
    with pytest.raises(PermanentError, match=r"a stored Incident cannot be read: id: .*met 5"):
        await sqlite.incidents.get("inc-1")
    with pytest.raises(PermanentError, match="a stored observation cannot be read"):
        await sqlite.cases.observations("inc-1", 1)


async def test_text_that_is_no_text_is_refused(sqlite: SqlStore) -> None:
    for write in (
        sqlite.inbox.quarantine(Quarantined("\ud800", NOON, "", b"", 0)),
        sqlite.journal.audit(NOON, "\ud800", "v", "s", {}),
        sqlite.journal.audit(NOON, "a", "v", "s", {"\ud800": "x"}),
        sqlite.incidents.fold(incident(title="\udfff"), [], []),
        sqlite.cases.add_observations("inc-1", 1, [observation(objects=({"a": ["\ud800"]},))]),
    ):
        with pytest.raises(PermanentError, match="surrogate"):
            await write
    assert await sqlite.incidents.find("\ud800") is None
    with pytest.raises(PermanentError, match="has no time zone"):
        await sqlite.inbox.quarantine(Quarantined("s", NOON.replace(tzinfo=None), "", b"", 0))


async def test_a_store_on_what_is_no_intact_database_does_not_open(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    file.write_bytes(b"these are no pages of a database" * 200)
    with pytest.raises(PermanentError, match=f"{file}.*not a SQLite database"):
        await open_store(f"sqlite:///{file}")

    damaged = tmp_path / "damaged.db"
    store = await open_store(f"sqlite:///{damaged}")
    await store.inbox.append([alert(str(n)) for n in range(500)])
    await store.close()
    with damaged.open("r+b") as opened:
        opened.seek(4096 * 30)
        opened.write(b"\xff" * 4096 * 10)
    with pytest.raises(PermanentError, match=f"{damaged}.*damaged.*restore a backup"):
        await open_store(f"sqlite:///{damaged}")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite://", "would not survive a restart"),
        ("sqlite:///:memory:", "would not survive a restart"),
        ("mysql://u:secret@h/d", r"mysql://u:\*\*\*@h/d is not supported"),
        ("store.db", "cannot be read"),
        ("postgresql://u:se/cr@et@h:5432/d", "cannot be read"),
    ],
)
async def test_a_url_we_cannot_serve_from_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(PermanentError, match=complaint) as caught:
        await open_store(url)
    assert "secret" not in str(caught.value) and "se/cr" not in str(caught.value)


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PermanentError, match="file/deeper of the database cannot be used: Not a directory"):
        await open_store(f"sqlite:///{tmp_path}/file/deeper/store.db")


async def test_one_process_serves_a_file_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/store.db"
    async with single_writer(url):
        with pytest.raises(PermanentError, match=r"store\.db is in use by process \d+; stop it"):
            async with single_writer(url):
                pytest.fail("two writers")
        async with single_writer(f"sqlite:///{tmp_path}/another.db"):
            pass
    async with single_writer(url):
        assert upgrade(url)
