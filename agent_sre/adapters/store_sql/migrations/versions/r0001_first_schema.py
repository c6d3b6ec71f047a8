"""The first schema. Written out, not taken from ``schema.py``: a migration must do tomorrow what it did on its day."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _incidents()
    _cases()
    _actions()
    _journal()


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("group_hash", sa.String(64), nullable=False),
        sa.Column("severity_rank", sa.Integer(), nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.UniqueConstraint("id", name="uq_incidents_id"),
    )
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_index("ix_incidents_due_at", "incidents", ["due_at"])
    op.create_index("ix_incidents_group_hash_opened_at", "incidents", ["group_hash", "opened_at"])
    op.create_table(
        "inbox",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_inbox_incident_id_incidents"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_inbox_pending",
        "inbox",
        ["sequence"],
        sqlite_where=sa.text("incident_id IS NULL"),
        postgresql_where=sa.text("incident_id IS NULL"),
    )
    op.create_table(
        "quarantine",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "incident_alerts",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("starts_at", _TIME, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "fingerprint", name="pk_incident_alerts"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_alerts_incident_id_incidents"),
    )


def _cases() -> None:
    op.create_table(
        "observations",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "run", "id", name="pk_observations"),
    )
    for table in ("findings", "verdicts"):
        op.create_table(
            table,
            sa.Column("incident_id", sa.Text(), nullable=False),
            sa.Column("run", sa.Integer(), nullable=False),
            sa.Column("body", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("incident_id", "run", name=f"pk_{table}"),
        )


def _actions() -> None:
    op.create_table(
        "approvals",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.UniqueConstraint("id", name="uq_approvals_id"),
    )
    op.create_index("ix_approvals_incident_id", "approvals", ["incident_id"])
    op.create_table(
        "effects",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.UniqueConstraint("id", name="uq_effects_id"),
        sa.UniqueConstraint("approval_id", name="uq_effects_approval_id"),
    )
    op.create_index("ix_effects_incident_id", "effects", ["incident_id"])


def _journal() -> None:
    op.create_table(
        "timeline",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=True),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("time", _TIME, nullable=False),
        sa.Column("key_digest", sa.String(64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("ix_timeline_incident_id_time", "timeline", ["incident_id", "time"])
    op.create_index("ix_timeline_incident_id_key_digest", "timeline", ["incident_id", "key_digest"], unique=True)
    op.create_table(
        "audit",
        sa.Column("sequence", _BIG, primary_key=True, autoincrement=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
