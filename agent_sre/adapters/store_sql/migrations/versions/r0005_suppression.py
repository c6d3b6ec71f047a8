"""Maintenance windows, incidents that are held, and what is to be written back to alert sources."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("incidents", sa.Column("held", sa.Integer))
    op.create_index(
        "ix_incidents_held",
        "incidents",
        ["sequence"],
        sqlite_where=sa.text("held IS NOT NULL"),
        postgresql_where=sa.text("held IS NOT NULL"),
    )
    op.create_table(
        "maintenance",
        sa.Column("sequence", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_maintenance"),
        sa.UniqueConstraint("id", name="uq_maintenance_id"),
    )
    op.create_index("ix_maintenance_ends_at", "maintenance", ["ends_at"])
    op.create_table(
        "writebacks",
        sa.Column("sequence", _BIG, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("incident_id", sa.Text, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_writebacks"),
        sa.UniqueConstraint("id", name="uq_writebacks_id"),
    )
    op.create_index("ix_writebacks_incident_id", "writebacks", ["incident_id"])
    op.create_index("ix_writebacks_due_at", "writebacks", ["due_at"])
