"""Alembic's entry: runs the migrations on the connection and in the transaction that ``upgrade`` passes in.

Not for the alembic command line: ``agent_sre.adapters.store_sql.upgrade`` is the one caller. The transaction is opened
there, with the write lock, so that a migration that is cut off leaves nothing behind and two processes take turns.
"""

from alembic import context

from agent_sre.adapters.store_sql.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
