"""An incident out of the embedded database into a folder: the command ``export``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent_sre import __version__
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.signal import default_signals
from agent_sre.settings import PREFIX, Settings


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written where; ``missing`` is what a replay may lack."""

    folder: Path
    observations: int
    missing: tuple[str, ...]


async def export_incident(
    settings: Settings, incident_id: str, folder: Path, progress: Callable[[str], None]
) -> Exported:
    """Write the incident's newest answered investigation as a snapshot. Raises PermanentError for what is in the way.

    The service may go on running meanwhile: the database is only read.
    """
    from agent_sre.adapters.snapshot_directory import SnapshotWriter
    from agent_sre.adapters.store_sql import open_store
    from agent_sre.bootstrap.live import signals
    from agent_sre.bootstrap.running import DATABASE, database_url
    from agent_sre.service.export_incident import export_of

    database = settings.data_dir.resolve() / DATABASE
    if not database.exists():
        raise PermanentError(f"there is no database {database}; set {PREFIX}DATA_DIR to the service's data folder")
    additions = signals(settings)[: -len(default_signals())] if settings.signals_file else ()
    progress("reading the store")
    store = await open_store(database_url(settings))
    try:
        export = await export_of(incident_id, store.incidents, store.cases, additions)
    finally:
        await store.close()
    missing = SnapshotWriter(__version__).write(export, folder, progress)
    return Exported(folder, len(export.observations), missing)
