"""The one SQL schema, for SQLite and PostgreSQL alike.

Columns exist for what is searched, ordered or guarded by; everything else of a value is JSON text in ``body``, so that
a new field of a domain value needs no migration. Where a fact is both a column and in the body, the column is the truth
(an incident's ``version`` and ``due_at``). JSON is text, not the database's JSON type: PostgreSQL's refuses NUL
characters, which hostile payloads contain. Every change here needs a migration; a test compares the two.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator

REVISION = "0005"
"""The newest migration: what a database must be at before it is served from."""


class Instant(TypeDecorator[datetime]):
    """A moment in UTC to the microsecond. SQLite drops the zone, so it is taken off and put back here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no time zone: pass UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_BIG = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only where the type is INTEGER

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    # A group key can be longer than a PostgreSQL index entry may be, hence its SHA-256.
    Column("group_hash", String(64), nullable=False),
    Column("severity_rank", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("active", Integer, nullable=False),
    Column("parent_id", Text, index=True),
    Column("updated_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False, index=True),
    Column("due_at", Instant, index=True),
    Column("tend_at", Instant, index=True),
    Column("version", Integer, nullable=False),
    Column("held", Integer),  # 1 where it has a hold, else NULL
    Column("body", Text, nullable=False),
    Index(None, "group_hash", "opened_at"),
    Index(None, "active", "updated_at"),
)
Index(
    "ix_incidents_held",
    INCIDENTS.c.sequence,
    sqlite_where=text("held IS NOT NULL"),
    postgresql_where=text("held IS NOT NULL"),
)

INBOX = Table(
    "inbox",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("body", Text, nullable=False),
    Column("incident_id", Text, ForeignKey(INCIDENTS.c.id)),
    Column("message_digest", String(64)),
    sqlite_autoincrement=True,  # a sequence is never given out twice, even where old rows are pruned
)
Index(
    "ix_inbox_pending",
    INBOX.c.sequence,
    sqlite_where=text("incident_id IS NULL"),
    postgresql_where=text("incident_id IS NULL"),
)
Index(
    "ix_inbox_message_digest",
    INBOX.c.message_digest,
    unique=True,
    sqlite_where=text("message_digest IS NOT NULL"),
    postgresql_where=text("message_digest IS NOT NULL"),
)

QUARANTINE = Table(
    "quarantine",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
)

INCIDENT_ALERTS = Table(
    "incident_alerts",
    METADATA,
    Column("incident_id", Text, ForeignKey(INCIDENTS.c.id), primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("sequence", _BIG, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "fingerprint", "sequence"),
)

PLACEMENTS = Table(
    "placements",
    METADATA,
    Column("incident_id", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("name_hash", String(64), nullable=False, index=True),
    Column("latest_at", Instant, nullable=False),
    Column("expires_at", Instant, index=True),
    Column("body", Text, nullable=False),
    Index(None, "fingerprint"),
)

BINDINGS = Table(
    "bindings",
    METADATA,
    Column("kind", String(16), primary_key=True),
    # SHA-256 of the group key or fingerprint.
    Column("key_hash", String(64), primary_key=True),
    Column("incident_id", Text, nullable=False, index=True),
)

OBSERVATIONS = Table(
    "observations",
    METADATA,
    Column("incident_id", Text, primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("payload", LargeBinary, nullable=False),
)

FINDINGS = Table(
    "findings",
    METADATA,
    Column("incident_id", Text, primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("incident_id", Text, primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)

APPROVALS = Table(
    "approvals",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("incident_id", Text, nullable=False, index=True),
    Column("state", Text, nullable=False),
    Column("body", Text, nullable=False),
)

EFFECTS = Table(
    "effects",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("approval_id", Text, nullable=False, unique=True),  # at most one effect per approval, whatever the code does
    Column("incident_id", Text, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

TIMELINE = Table(
    "timeline",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("incident_id", Text, nullable=False),
    Column("time", Instant, nullable=False),
    # SHA-256 of the entry's key, NULL where it has none: what has a key is kept once.
    Column("key_digest", String(64), nullable=True),
    Column("body", Text, nullable=False),
    Index(None, "incident_id", "time"),
    Index(None, "incident_id", "key_digest", unique=True),
)

CHANGES = Table(
    "changes",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    # SHA-256 of id, kind and target: a change that is reported again is the same one.
    Column("key_digest", String(64), nullable=False, unique=True),
    Column("time", Instant, nullable=False, index=True),
    Column("body", Text, nullable=False),
)

MAINTENANCE = Table(
    "maintenance",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("ends_at", Instant, index=True),  # when it is over for good, NULL where that is not known
    Column("body", Text, nullable=False),
)

WRITEBACKS = Table(
    "writebacks",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("incident_id", Text, nullable=False, index=True),
    Column("due_at", Instant, index=True),  # NULL once nothing is left to be sent
    Column("body", Text, nullable=False),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("sequence", _BIG, primary_key=True, autoincrement=False),
    Column("time", Text, nullable=False),  # RFC 3339, exactly as the digest covers it
    Column("actor", Text, nullable=False),
    Column("verb", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)
