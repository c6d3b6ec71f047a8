"""The migrations make the schema the code uses, once, and leave a newer database alone."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, make_url

from agent_sre.adapters import store_sql
from agent_sre.adapters.store_sql import open_store, upgrade
from agent_sre.adapters.store_sql.schema import METADATA, REVISION
from agent_sre.domain.errors import PermanentError
from tests.postgres_server import PostgresServer

MIGRATIONS = Path(store_sql.__file__).parent / "migrations"
ROOT = Path(__file__).parents[2]


def revisions() -> list[str]:
    """Every revision, the oldest first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def engine_of(url: str) -> Engine:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg") if "postgres" in url else url)


def bring_to(url: str, revision: str) -> None:
    """A database as the version of agent_sre with that revision left it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = engine_of(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.make()
    yield server.local_url(name)
    server.drop(name)


@pytest.mark.parametrize("before", [None, *revisions()])
def test_migrations_make_what_the_schema_says_from_wherever_they_start(empty: str, before: str | None) -> None:
    if before is not None:
        bring_to(empty, before)
    assert upgrade(empty) is (before != REVISION)
    engine = engine_of(empty)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA) == []
        for table in METADATA.sorted_tables:
            keys = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key], table.name
    engine.dispose()


def test_what_the_comparison_does_not_look_at(empty: str) -> None:
    """Numbering that is never reused, and the conditions of partial indices."""
    upgrade(empty)
    engine = engine_of(empty)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            made = "SELECT sql FROM sqlite_master WHERE name = '{}'"
            assert "AUTOINCREMENT" in connection.exec_driver_sql(made.format("inbox")).scalar_one()
        else:
            made = "SELECT indexdef FROM pg_indexes WHERE indexname = '{}'"
            numbered = "SELECT pg_get_serial_sequence('inbox', 'sequence')"
            assert connection.exec_driver_sql(numbered).scalar_one() == "public.inbox_sequence_seq"
        pending = connection.exec_driver_sql(made.format("ix_inbox_pending")).scalar_one()
        assert "incident_id IS NULL" in pending
    engine.dispose()


def test_the_code_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_upgrade_does_its_work_once(empty: str) -> None:
    assert upgrade(empty) is True
    assert upgrade(empty) is False


def test_two_that_upgrade_at_once_agree(tmp_path: Path) -> None:
    # Many times: the switch to WAL refused about one in twenty when it was left to SQLite's lock.
    urls = [f"sqlite:///{tmp_path}/{n}.db" for n in range(30)]
    with ThreadPoolExecutor(2) as pool:
        for url in urls:
            assert sorted(pool.map(upgrade, [url, url])) == [False, True]


def test_two_that_upgrade_at_once_agree_on_postgresql(postgres: PostgresServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            name = postgres.make()
            assert sorted(pool.map(upgrade, [postgres.local_url(name)] * 4)) == [False, False, False, True]
            postgres.drop(name)


async def test_a_database_of_a_newer_version_is_left_alone(empty: str) -> None:
    upgrade(empty)
    engine = engine_of(empty)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(PermanentError, match=r"is at schema 9999.*run the newer agent_sre"):
        await open_store(empty)


def test_a_migration_that_is_cut_off_leaves_nothing_behind(postgres: PostgresServer) -> None:
    name = postgres.make()
    # The last table of the first migration is in the way.
    postgres.run(name, "CREATE TABLE audit (x int)")
    with pytest.raises(PermanentError, match="audit"):
        upgrade(postgres.local_url(name))
    tables = postgres.run(name, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert tables == [("audit",)]
    postgres.drop(name)


def test_opening_an_up_to_date_database_does_not_import_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    program = (
        "import asyncio, sys\n"
        "from agent_sre.adapters.store_sql import open_store\n"
        "async def main():\n"
        "    await (await open_store(sys.argv[1])).close()\n"
        "asyncio.run(main())\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in {'alembic', 'mako'}))\n"
    )
    command = [sys.executable, "-W", "error", "-c", program, url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
