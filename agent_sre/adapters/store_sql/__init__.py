"""Durable state in SQL: SQLite by default, PostgreSQL by its URL; one schema, one code.

Called by the composition root only. Everything else sees the ports in ``agent_sre.ports.store``. Checkpoints of the
investigation graph are not here: they are LangGraph's own tables.
"""

from agent_sre.adapters.store_sql.location import Location
from agent_sre.adapters.store_sql.probe import DatabaseProbe
from agent_sre.adapters.store_sql.single_writer import single_writer
from agent_sre.adapters.store_sql.store import SqlStore, open_store
from agent_sre.adapters.store_sql.upgrade import upgrade

__all__ = ["DatabaseProbe", "Location", "SqlStore", "open_store", "single_writer", "upgrade"]
