"""What ``agent-sre doctor`` says of the database: product, version, schema, rights. Nothing is made or changed."""

import asyncio

from sqlalchemy import Connection, text

from agent_sre.adapters.store_sql.failures import translated
from agent_sre.adapters.store_sql.location import Location
from agent_sre.adapters.store_sql.schema import METADATA, REVISION
from agent_sre.adapters.store_sql.upgrade import check_encoding, check_file, version_of
from agent_sre.domain.errors import AgentSreError
from agent_sre.ports.health import Check, CheckState

_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
_CHECKPOINTS = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations")


class DatabaseProbe:
    """Probe of the store's database."""

    def __init__(self, url: str) -> None:
        self._location = Location.parse(url)

    async def check(self) -> tuple[Check, ...]:
        """One line for the database, and on PostgreSQL one for the role's rights."""
        if self._location.file is not None and not self._location.file.exists():
            return (Check("database", CheckState.OK, f"{self._location}: none yet; it is made at the first start"),)
        try:
            return await asyncio.to_thread(self._look)
        except AgentSreError as error:
            fix = "see the message; a damaged database must be restored"
            return (Check("database", CheckState.FAILED, str(error), fix),)

    def _look(self) -> tuple[Check, ...]:
        if self._location.file is not None:
            check_file(self._location.file)
        engine = self._location.sync_engine()
        try:
            with translated(str(self._location), opening=True), engine.connect() as connection:
                check_encoding(connection, self._location)
                if self._location.file is not None:
                    return (self._schema(connection),)
                rights = _rights(connection)
                # Without them the schema's revision cannot be read either.
                rest = [] if rights.state is CheckState.FAILED else [self._schema(connection), _durable(connection)]
                return (*rest, rights)
        finally:
            engine.dispose()

    def _schema(self, connection: Connection) -> Check:
        sqlite = self._location.file is not None
        asked = "SELECT sqlite_version()" if sqlite else "SHOW server_version"
        product = f"{'SQLite' if sqlite else 'PostgreSQL'} {connection.execute(text(asked)).scalar_one()}"
        version = version_of(connection)
        where = f"{self._location} answers, {product}, "
        if version is None:
            return Check("database", CheckState.OK, where + "no tables yet; they are made at the first start")
        if version == REVISION:
            return Check("database", CheckState.OK, where + f"schema {version}, the newest")
        if version < REVISION:
            return Check("database", CheckState.OK, where + f"schema {version}; {REVISION} is made at the next start")
        fix = "run the newer agent_sre or restore a backup"
        return Check("database", CheckState.FAILED, where + f"schema {version}, newer than {REVISION}", fix)


def _durable(connection: Connection) -> Check:
    subject = "database durability"
    if connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
        fix = "name the primary, or every host with target_session_attrs=read-write"
        return Check(subject, CheckState.FAILED, "this server is a read-only standby", fix)
    off = [name for name in ("fsync", "full_page_writes") if _setting(connection, name) == "off"]
    if off:
        fix = f"set {' and '.join(f'{name} = on' for name in off)} in postgresql.conf"
        return Check(subject, CheckState.WARNING, f"{', '.join(off)} off: a power cut loses what was accepted", fix)
    return Check(subject, CheckState.OK, "commits are on disk before they are acknowledged")


def _setting(connection: Connection, name: str) -> str:
    return str(connection.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one())


def _rights(connection: Connection) -> Check:
    subject = "database rights"
    role, schema, may_create = connection.execute(
        text("SELECT current_user, current_schema(), has_schema_privilege(current_schema(), 'CREATE')")
    ).one()
    needed = (*METADATA.tables, *_CHECKPOINTS, "alembic_version")
    found = connection.execute(
        text(
            "SELECT t.name, r.name, has_table_privilege(to_regclass(quote_ident(t.name)), r.name)"
            " FROM unnest(CAST(:tables AS text[])) AS t(name), unnest(CAST(:rights AS text[])) AS r(name)"
        ),
        {"tables": list(needed), "rights": list(_RIGHTS)},
    ).all()
    absent = sorted({table for table, _, granted in found if granted is None})
    lacking = sorted({table for table, _, granted in found if granted is False})
    if lacking:
        fix = f"GRANT {', '.join(_RIGHTS)} ON ALL TABLES IN SCHEMA {schema} TO {role}; the same on its sequences: USAGE"
        return Check(subject, CheckState.FAILED, f"role {role} may not use {', '.join(lacking)}", fix)
    behind = version_of(connection) != REVISION
    if (absent or behind) and not may_create:
        fix = f"GRANT CREATE ON SCHEMA {schema or 'of its search_path'} TO {role}"
        return Check(subject, CheckState.FAILED, f"role {role} may not make the tables that are missing", fix)
    return Check(subject, CheckState.OK, f"role {role} may use all tables in schema {schema}")
