"""What only PostgreSQL can show: its failures, a server that dies and comes back, and who may serve from it."""

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from agent_sre.adapters.store_sql import DatabaseProbe, SqlStore, open_store, single_writer
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.health import CheckState
from tests.contract.store_values import NOON, alert, entry, incident
from tests.postgres_server import PASSWORD, TEMPLATE, PostgresServer, migrated_postgres_server

ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The name of a database at the newest schema."""
    name = postgres.make(TEMPLATE)
    yield name
    postgres.drop(name)


@pytest.fixture
async def store(postgres: PostgresServer, database: str) -> AsyncIterator[SqlStore]:
    opened = await open_store(postgres.url(database), busy_seconds=0.2)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A server of this file's own, which its tests stop, kill and start."""
    with migrated_postgres_server() as server:
        yield server


@contextlib.contextmanager
def role(postgres: PostgresServer, database: str, name: str, *grants: str) -> Iterator[str]:
    """The URL for a role without rights, but for those granted."""
    postgres.run(database, f"CREATE ROLE {name} LOGIN PASSWORD 'poor-secret'", *grants)
    try:
        yield postgres.url(database, user=name, password="poor-secret")
    finally:
        postgres.run(database, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def usual(name: str) -> list[str]:
    """What a role needs that is not the tables' owner."""
    return [
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
    ]


async def until(held: Any) -> None:
    """Until a call raises no TemporaryError any more."""
    deadline = time.monotonic() + 30
    while True:
        try:
            found = held()
            if asyncio.iscoroutine(found):
                await found
            return
        except TemporaryError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def test_sessions_are_durable_and_bounded_whatever_the_server_is_set_to(
    postgres: PostgresServer, database: str
) -> None:
    postgres.run(
        database,
        f"ALTER DATABASE {database} SET synchronous_commit = off",
        f"ALTER DATABASE {database} SET default_transaction_isolation = 'serializable'",
        f"ALTER DATABASE {database} SET timezone = 'Asia/Kathmandu'",
    )
    store = await open_store(postgres.url(database), busy_seconds=0.25)
    names = (
        "synchronous_commit",
        "transaction_isolation",
        "TimeZone",
        "lock_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
    )
    async with store.engine.connect() as first, store.engine.connect() as second:
        for connection in (first, second):
            found = [(await connection.exec_driver_sql(f"SHOW {name}")).scalar_one() for name in names]
            assert found == ["local", "read committed", "UTC", "250ms", "30s", "30s"]
    await store.incidents.fold(incident(due_at=NOON), [], [])
    assert await store.incidents.get("inc-1") == incident(due_at=NOON, version=1)
    await store.close()


async def test_concurrent_appends_share_statements(store: SqlStore) -> None:
    await store.inbox.append([alert()])
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(store.engine.sync_engine, "before_cursor_execute", note)
    await asyncio.gather(*(store.inbox.append([alert(str(n))]) for n in range(500)))
    event.remove(store.engine.sync_engine, "before_cursor_execute", note)
    assert 1 <= len(statements) <= 5
    assert [item.name for _, item in await store.inbox.pending(1000)] == ["PodDown", *(str(n) for n in range(500))]


@pytest.mark.parametrize(
    ("state", "kind", "fix"),
    [
        ("53100", TemporaryError, "its disk is full; free space"),
        ("53200", TemporaryError, "out of memory"),
        ("40001", TemporaryError, "another transaction was in the way"),
        ("40P01", TemporaryError, "another transaction was in the way"),
        ("57014", TemporaryError, "took too long"),
        ("57P01", TemporaryError, "fails over"),
        ("58030", TemporaryError, "server's disk and log"),
        ("42501", TemporaryError, "grant the role the missing right"),  # may be granted while we hold what we hold
        ("XX001", PermanentError, "restore a backup"),
        ("23514", PermanentError, "refused"),
    ],
)
async def test_what_the_server_says_becomes_a_kind_and_a_fix_and_nothing_is_half_written(
    postgres: PostgresServer, database: str, store: SqlStore, state: str, kind: type[Exception], fix: str
) -> None:
    postgres.run(
        database,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" RAISE EXCEPTION 'planted' USING ERRCODE = '{state}', DETAIL = 'a row''s secret'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON timeline FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    with pytest.raises(kind, match="planted") as caught:
        await store.incidents.fold(incident(), [], [entry("x")])
    assert fix in str(caught.value) and "secret" not in str(caught.value)
    assert await store.incidents.get("inc-1") is None
    postgres.run(database, "DROP TRIGGER refuse ON timeline")
    await store.incidents.fold(incident(), [], [entry("x")])


async def test_a_lock_that_somebody_holds_is_waited_for_a_while(
    postgres: PostgresServer, database: str, store: SqlStore
) -> None:
    other = await open_store(postgres.url(database))
    async with other.engine.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE inbox")
        with pytest.raises(TemporaryError, match=r"55P03.*another session holds a lock"):
            await store.inbox.append([alert()])
    await store.inbox.append([alert()])
    await other.close()


async def test_a_read_only_server_is_temporary(postgres: PostgresServer, database: str) -> None:
    postgres.run(database, f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    store = await open_store(postgres.url(database))
    with pytest.raises(TemporaryError, match=r"25006.*as a standby is"):
        await store.inbox.append([alert()])
    postgres.run(
        "postgres",
        f"ALTER DATABASE {database} RESET default_transaction_read_only",
        f"{ENDED} '{database}'",
    )
    await store.inbox.append([alert()])  # the sessions that were ended while idle are met by nobody
    await store.close()


async def test_sessions_that_are_ended_at_work_are_temporary(
    postgres: PostgresServer, database: str, store: SqlStore
) -> None:
    other = await open_store(postgres.url(database))
    async with other.engine.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE timeline")
        waiting = asyncio.create_task(store.journal.add(entry("x")))
        await asyncio.sleep(0.1)
        postgres.run(
            "postgres",
            f"{ENDED} '{database}' AND wait_event_type = 'Lock'",
        )
        with pytest.raises(TemporaryError, match=r"57P01|lock"):
            await waiting
    await store.journal.add(entry("x"))
    assert len(await store.journal.timeline("inc-1")) == 1
    await other.close()


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"password": "wr0ng-secret"}, "authentication failed.*set user and password"),
        ({"user": "nobody_known"}, "authentication failed.*set user and password"),
        ({"database": "no_such_database"}, 'database "no_such_database" does not exist.*createdb'),
    ],
)
async def test_what_an_operator_must_set_right_refuses_to_open(
    postgres: PostgresServer, database: str, given: dict[str, str], complaint: str
) -> None:
    url = postgres.url(**{"database": database, **given})
    for opening in (open_store(url), single_writer(url).__aenter__()):
        with pytest.raises(PermanentError, match=complaint) as caught:
            await opening
        assert "secret" not in repr(caught.value)
        assert f"{given.get('user', 'owner')}:***@127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("sslmode=require", "does not support SSL.*correct sslmode"),
        ("bogus=1", "invalid.*bogus.*correct the parameters"),
    ],
)
async def test_parameters_that_do_not_fit_refuse_to_open(
    postgres: PostgresServer, database: str, query: str, complaint: str
) -> None:
    with pytest.raises(PermanentError, match=complaint):
        await open_store(f"{postgres.url(database)}?{query}")


async def test_a_password_in_the_query_is_not_shown(postgres: PostgresServer) -> None:
    url = f"postgresql:///no_such_database?host=127.0.0.1&port={postgres.port}&user=owner&password={PASSWORD}"
    with pytest.raises(PermanentError, match="does not exist") as caught:
        await open_store(url)
    assert PASSWORD not in str(caught.value)


async def test_a_role_that_lacks_rights_is_told_which(postgres: PostgresServer, database: str) -> None:
    with role(postgres, database, "poor") as url:
        with pytest.raises(PermanentError, match=r"42501.*grant the role the missing right"):
            await open_store(url)
        (rights,) = await DatabaseProbe(url).check()
        assert rights.state is CheckState.FAILED
        assert "role poor may not use alembic_version, approvals, audit" in rights.detail
        assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO poor" in rights.fix
    with role(postgres, database, "modest", *usual("modest")) as url:
        store = await open_store(url)
        await store.inbox.append([alert()])
        await store.journal.audit(NOON, "a", "v", "s", {})
        await store.close()


async def test_all_connections_taken_is_temporary(postgres: PostgresServer, database: str) -> None:
    with (
        role(postgres, database, "crowded", "ALTER ROLE crowded CONNECTION LIMIT 0") as url,
        pytest.raises(TemporaryError, match=r"too many connections.*raise max_connections"),
    ):
        await open_store(url)


async def test_a_database_that_cannot_hold_every_text_is_refused(postgres: PostgresServer) -> None:
    postgres.run("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(PermanentError, match=r"LATIN1.*createdb --encoding=UTF8"):
        await open_store(postgres.url("latin"))
    postgres.drop("latin")


async def test_one_process_serves_a_database_at_a_time(postgres: PostgresServer, database: str) -> None:
    url, other = postgres.url(database), postgres.make(TEMPLATE)
    async with single_writer(url) as fence:
        fence()
        with pytest.raises(PermanentError, match=rf"{database} is in use by agent_sre \S+/\d+ on 127.*; stop it"):
            async with single_writer(url, wait_seconds=0.3):
                pytest.fail("two writers")
        async with single_writer(postgres.url(other)):
            pass
        reader = await open_store(url)  # commands that read need no lock
        assert await reader.incidents.newest(1) == ()
        await reader.close()
    async with single_writer(url, wait_seconds=0.3):
        pass
    postgres.drop(other)


async def test_who_loses_the_lock_writes_nothing_until_it_is_his_again(postgres: PostgresServer, database: str) -> None:
    with role(postgres, database, "holder", *usual("holder")) as url:
        async with contextlib.AsyncExitStack() as stack:
            fence = await stack.enter_async_context(single_writer(url))
            store = await open_store(url, fence=fence)
            stack.push_async_callback(store.close)
            await store.inbox.append([alert("before")])
            # Only its lock's connection is cut, and it cannot make another; those that write stay open.
            held = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            postgres.run(database, "ALTER ROLE holder NOLOGIN", held)
            async with single_writer(postgres.url(database)) as successor:
                await until_raised(fence)
                for write in (store.inbox.append([alert("x")]), store.incidents.fold(incident(), [], [])):
                    with pytest.raises(TemporaryError, match="is not written to by this process for now"):
                        await write
                postgres.run(database, "ALTER ROLE holder LOGIN")
                successor()
                await asyncio.sleep(0.5)
                with pytest.raises(TemporaryError, match=r"agent_sre \S+/\d+ took it over"):
                    await until_raised(fence, "took it over")
                    fence()
            await until(fence)
            await store.inbox.append([alert("after")])
            assert [item.name for _, item in await store.inbox.pending(10)] == ["before", "after"]


async def until_raised(fence: Any, words: str = "") -> None:
    """Until the fence refuses, in these words."""
    async with asyncio.timeout(10):
        while True:
            try:
                fence()
            except TemporaryError as error:
                if words in str(error):
                    return
            await asyncio.sleep(0.01)


async def test_a_server_that_dies_and_comes_back_is_waited_for(mortal: PostgresServer) -> None:
    name = mortal.make(TEMPLATE)
    url = mortal.url(name)
    async with single_writer(url) as fence:
        store = await open_store(url, fence=fence)
        await store.inbox.append([alert("before")])
        for end in (mortal.kill, mortal.stop):
            end()
            for attempt in (
                lambda: store.inbox.append([alert("lost")]),
                lambda: store.incidents.newest(1),
                lambda: store.journal.audit(NOON, "a", "v", "s", {}),
                lambda: open_store(url),
            ):
                with pytest.raises(TemporaryError) as caught:
                    await attempt()
                assert PASSWORD not in str(caught.value)
            mortal.start()
            await until(lambda: store.inbox.append([alert("after")]))
            await store.journal.audit(NOON, "a", "v", "s", {})
        names = [item.name for _, item in await store.inbox.pending(10)]
        assert names == ["before", "after", "after"]
        await store.close()


async def test_what_is_waiting_while_the_server_dies_is_told_so(mortal: PostgresServer) -> None:
    """Whoever was answered finds his alert afterwards, and nobody waits for ever."""
    name = mortal.make(TEMPLATE)
    store = await open_store(mortal.url(name))
    answered: list[str] = []
    enough = asyncio.Event()

    async def send(worker: int) -> None:
        for n in range(10_000):
            try:
                await store.inbox.append([alert(f"{worker}-{n}")])
            except TemporaryError:
                return
            answered.append(f"{worker}-{n}")
            if len(answered) == 400:
                enough.set()

    senders = [asyncio.create_task(send(worker)) for worker in range(20)]
    await enough.wait()
    await asyncio.to_thread(mortal.kill)
    await asyncio.wait_for(asyncio.gather(*senders), 30)
    mortal.start()
    stored = {item.name for _, item in await store.inbox.pending(1_000_000)}
    assert set(answered) <= stored
    await store.close()


def test_without_the_driver_the_extra_is_named() -> None:
    program = (
        "import asyncio, sys\n"
        "sys.modules['psycopg'] = None\n"
        "import agent_sre.bootstrap.running, agent_sre.graph.checkpoints\n"
        "from agent_sre.adapters.store_sql import open_store\n"
        "asyncio.run(open_store('postgresql://u:driver-secret@127.0.0.1:1/d'))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "PermanentError: the driver for PostgreSQL is not installed" in done.stderr
    assert "pip install 'agent-sre[postgres]'" in done.stderr and "driver-secret" not in done.stderr.splitlines()[-1]


async def test_the_probe_names_product_version_schema_and_rights(postgres: PostgresServer, database: str) -> None:
    url = postgres.url(database)
    schema, durability, rights = await DatabaseProbe(url).check()
    assert (schema.state, durability.state, rights.state) == (CheckState.OK,) * 3
    assert f"127.0.0.1:{postgres.port}/{database} answers, PostgreSQL 1" in schema.detail
    assert "the newest" in schema.detail and PASSWORD not in repr((schema, durability, rights))
    empty = postgres.make()
    first = (await DatabaseProbe(postgres.url(empty)).check())[0]
    assert (first.state, "made at the first start" in first.detail) == (CheckState.OK, True)
    assert postgres.run(empty, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]
    postgres.drop(empty)
    (down,) = await DatabaseProbe("postgresql://u:down-secret@127.0.0.1:1/d").check()
    assert (down.state, "secret" in repr(down)) == (CheckState.FAILED, False)
