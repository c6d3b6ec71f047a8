"""Alert messages known by their source's own id, so that one that is sent again is taken once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbox", sa.Column("message_digest", sa.String(64)))
    op.create_index(
        "ix_inbox_message_digest",
        "inbox",
        ["message_digest"],
        unique=True,
        sqlite_where=sa.text("message_digest IS NOT NULL"),
        postgresql_where=sa.text("message_digest IS NOT NULL"),
    )
