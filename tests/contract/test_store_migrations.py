"""The migrations make the schema the code uses, once, and leave a newer database alone."""

import contextlib
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from agent_sre.adapters import store_sql
from agent_sre.adapters.store_sql import open_store, upgrade
from agent_sre.adapters.store_sql.schema import METADATA, REVISION
from agent_sre.domain.errors import PermanentError

MIGRATIONS = Path(store_sql.__file__).parent / "migrations"
ROOT = Path(__file__).parents[2]


def test_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA) == []
        # What the comparison does not look at: numbering that is never reused, and the condition of a partial index.
        kept = {
            name: connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).scalar_one()
            for name in ("inbox", "ix_inbox_pending")
        }
        assert "AUTOINCREMENT" in kept["inbox"]
        assert "WHERE incident_id IS NULL" in kept["ix_inbox_pending"]
        for table in METADATA.sorted_tables:
            keys = inspect(connection).get_pk_constraint(table.name)["constrained_columns"]
            assert keys == [column.name for column in table.primary_key], table.name
    engine.dispose()


def test_the_code_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_the_schema_compiles_for_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statements = {name: str(CreateTable(table).compile(dialect=dialect)) for name, table in METADATA.tables.items()}
    assert "sequence BIGSERIAL" in statements["inbox"]
    assert "opened_at TIMESTAMP WITH TIME ZONE" in statements["incidents"]


def test_upgrade_does_its_work_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    assert upgrade(url) is True
    assert upgrade(url) is False


def test_two_that_upgrade_at_once_agree(tmp_path: Path) -> None:
    # Many times: the switch to WAL refused about one in twenty when it was left to SQLite's lock.
    urls = [f"sqlite:///{tmp_path}/{n}.db" for n in range(30)]
    with ThreadPoolExecutor(2) as pool:
        for url in urls:
            assert sorted(pool.map(upgrade, [url, url])) == [False, True]


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    upgrade(url)
    with contextlib.closing(sqlite3.connect(tmp_path / "store.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(PermanentError, match=r"store\.db is at schema 9999.*run the newer agent_sre"):
        await open_store(url)


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
