"""An incident out of the database into a folder: the command ``export``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent_sre import __version__
from agent_sre.domain.signal import default_signals
from agent_sre.settings import Settings


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
    from agent_sre.bootstrap.database import existing_database
    from agent_sre.bootstrap.live import signals
    from agent_sre.service.export_incident import export_of

    url = existing_database(settings)
    additions = signals(settings)[: -len(default_signals())] if settings.signals_file else ()
    progress("reading the store")
    store = await open_store(url)
    try:
        export = await export_of(incident_id, store.incidents, store.cases, additions)
    finally:
        await store.close()
    missing = SnapshotWriter(__version__).write(export, folder, progress)
    return Exported(folder, len(export.observations), missing)
