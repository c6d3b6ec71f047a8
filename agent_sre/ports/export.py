"""An incident as a folder: what is handed over, and who writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent_sre.domain.alert import Alert
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.signal import Signal
from agent_sre.domain.verdict import Question


@dataclass(frozen=True, slots=True)
class Export:
    """One investigation of an incident, whole. ``signals`` are the site's additions to the catalogue; ``missing`` says
    in words what the store no longer has, so that a replay may differ."""

    incident_id: str
    run: int
    title: str
    question: Question
    alerts: tuple[Alert, ...]
    observations: tuple[Observation, ...]
    gaps: tuple[Gap, ...]
    signals: tuple[Signal, ...]
    engine: str
    missing: tuple[str, ...] = ()


class ExportWriter(Protocol):
    """Writes an export so that an investigation of it gives the same answer."""

    def write(self, export: Export, folder: Path, progress: Callable[[str], None]) -> tuple[str, ...]:
        """Write all files, calling ``progress`` with each name; gives what the files can't say.

        Raises PermanentError where the folder has anything in it or cannot be written; nothing is left behind then.
        """
        ...
