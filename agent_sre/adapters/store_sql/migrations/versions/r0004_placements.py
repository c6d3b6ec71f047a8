"""Why each alert is where it is, what is bound to which incident, and the columns by which incidents are correlated."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_OVER = ("resolved", "closed")
_PRIORITY = {"critical": 2, "warning": 3, "info": 4}


def upgrade() -> None:
    for column in (
        sa.Column("priority", sa.Integer(), nullable=False, server_default="3"),
        sa.Column("active", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("parent_id", sa.Text()),
        # A constant, because SQLite adds no column whose default is none; the true moments follow below.
        sa.Column("updated_at", _TIME, nullable=False, server_default="2000-01-01 00:00:00"),
        sa.Column("tend_at", _TIME),
    ):
        op.add_column("incidents", column)
    op.create_index("ix_incidents_parent_id", "incidents", ["parent_id"])
    op.create_index("ix_incidents_tend_at", "incidents", ["tend_at"])
    op.create_index("ix_incidents_active_updated_at", "incidents", ["active", "updated_at"])
    op.create_index("ix_incident_alerts_fingerprint_sequence", "incident_alerts", ["fingerprint", "sequence"])
    op.create_table(
        "placements",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("name_hash", sa.String(64), nullable=False),
        sa.Column("latest_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "fingerprint", name="pk_placements"),
    )
    op.create_index("ix_placements_fingerprint", "placements", ["fingerprint"])
    op.create_index("ix_placements_name_hash", "placements", ["name_hash"])
    op.create_index("ix_placements_expires_at", "placements", ["expires_at"])
    op.create_table(
        "bindings",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key_hash", name="pk_bindings"),
    )
    op.create_index("ix_bindings_incident_id", "bindings", ["incident_id"])
    _carry_over()


def _carry_over() -> None:
    """What was known so far: whether each incident is active, and each group's newest incident."""
    connection = op.get_bind()
    incidents = sa.table(
        "incidents",
        *(sa.column(name) for name in ("sequence", "id", "group_hash", "opened_at", "priority", "active", "body")),
        sa.column("updated_at", _TIME),
    )
    bindings = sa.table("bindings", sa.column("kind"), sa.column("key_hash"), sa.column("incident_id"))
    newest: dict[str, str] = {}
    order = (incidents.c.opened_at, incidents.c.sequence)
    for row in connection.execute(sa.select(incidents).order_by(*order)).all():
        body: dict[str, Any] = json.loads(row.body)
        values = {
            "active": 0 if body["status"] in _OVER else 1,
            "priority": _PRIORITY.get(body["severity"], 3),
            "updated_at": datetime.fromisoformat(body["updated_at"]).astimezone(UTC),
        }
        connection.execute(sa.update(incidents).where(incidents.c.id == row.id).values(values))
        newest[row.group_hash] = row.id
    rows = [{"kind": "group", "key_hash": key, "incident_id": name} for key, name in newest.items()]
    if rows:
        connection.execute(sa.insert(bindings), rows)
