"""``load_snapshot``: every file of a snapshot into one frozen ``Snapshot``.

A file that is missing becomes None, which the twins' absence turns into an evidence gap; a file that is there but
unreadable raises PermanentError with one line that names it.
"""

import shutil
import weakref
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from agent_sre.adapters.snapshot_directory.documents import (
    load_json,
    parse_changes,
    parse_header,
    parse_objects,
    parse_signals,
    parse_topology,
)
from agent_sre.adapters.snapshot_directory.folder import Folder, open_folder, open_plain
from agent_sre.adapters.snapshot_directory.openmetrics import parse_openmetrics
from agent_sre.adapters.snapshot_directory.record import RECORD, read_record
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Change, Edge, Exemplar, LogSource, Series, Span
from agent_sre.outbound.otlp import parse_otlp

T = TypeVar("T")
OpenLog = Callable[[], IO[bytes]]


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Snapshot:
    """One incident frozen at ``now`` (UTC). None means that the file is missing: the source was not available.

    ``alerts_payload`` is the decoded Alertmanager webhook body. ``logs`` opens each log's plain bytes on demand; its
    lines may still lie after ``now``, which the log reader filters. Everything else ends at ``now``. The files behind
    ``logs`` of an archive live as long as this value. ``recorded`` is what an exported investigation saw and could not
    see, which is then replayed as it was.
    """

    path: Path
    id: str
    now: datetime
    window: Window
    namespaces: tuple[str, ...]
    description: str
    alerts_payload: object
    objects: tuple[Mapping[str, Any], ...] | None
    logs: Mapping[LogSource, OpenLog] | None
    series: tuple[Series, ...] | None
    exemplars: tuple[Exemplar, ...]
    spans: tuple[Span, ...] | None
    changes: tuple[Change, ...] | None
    edges: tuple[Edge, ...] | None
    signals: tuple[Signal, ...]
    recorded: tuple[tuple[Observation, ...], tuple[Gap, ...]] | None = None


def load_snapshot(path: Path) -> Snapshot:
    """Read a snapshot directory or ``.tar.gz``. Raises PermanentError where it cannot be read."""
    folder = open_folder(path)
    with ExitStack() as undo:
        undo.callback(_remove, folder.scratch)
        snapshot = _load(path, folder)
        undo.pop_all()
    weakref.finalize(snapshot, _remove, folder.scratch)
    return snapshot


def _remove(scratch: Path | None) -> None:
    """Remove an archive's unpacked files; a directory is the operator's and stays."""
    if scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)


def _load(path: Path, folder: Folder) -> Snapshot:
    header = parse_header(_required(folder, "snapshot.yaml"), f"{folder.name}/snapshot.yaml")
    now = header.now.timestamp()
    metrics = folder.stream("metrics.om", partial(parse_openmetrics, file=f"{folder.name}/metrics.om", now=now))
    return Snapshot(
        path=path,
        id=header.id,
        now=header.now,
        window=header.window,
        namespaces=header.namespaces,
        description=header.description,
        alerts_payload=load_json(_required(folder, "alerts.json"), f"{folder.name}/alerts.json"),
        objects=_optional(folder, "kubernetes.json", lambda data, file: parse_objects(data, file, header.now)),
        logs=_logs(folder),
        series=metrics.series if metrics is not None else None,
        exemplars=metrics.exemplars if metrics is not None else (),
        spans=_optional(folder, "traces.json", lambda data, file: parse_otlp(load_json(data, file), file, now)),
        changes=_optional(folder, "changes.json", lambda data, file: parse_changes(data, file, header.now)),
        edges=_optional(folder, "topology.json", parse_topology),
        signals=_optional(folder, "signals.yaml", parse_signals) or (),
        recorded=folder.stream(RECORD, partial(read_record, file=f"{folder.name}/{RECORD}")),
    )


def _required(folder: Folder, name: str) -> bytes:
    content = folder.read(name)
    if content is None:
        raise PermanentError(f"{folder.name}/{name}: is missing; a snapshot needs snapshot.yaml and alerts.json")
    return content


def _optional(folder: Folder, name: str, parse: Callable[[bytes, str], T]) -> T | None:
    content = folder.read(name)
    return None if content is None else parse(content, f"{folder.name}/{name}")


def _logs(folder: Folder) -> Mapping[LogSource, OpenLog] | None:
    if not (folder.root / "logs").is_dir():
        return None
    found: dict[LogSource, OpenLog] = {}
    for relative, path in folder.below("logs"):
        source = _log_source(relative)
        if source is not None:
            found[source] = partial(open_plain, path)
    return found


def _log_source(relative: PurePosixPath) -> LogSource | None:
    """NAMESPACE/POD/CONTAINER[.previous].log[.gz]; None for files that are something else."""
    name = relative.name.removesuffix(".gz")
    if len(relative.parts) != 3 or not name.endswith(".log"):
        return None
    container = name.removesuffix(".log")
    previous = container.endswith(".previous")
    return LogSource(relative.parts[0], relative.parts[1], container.removesuffix(".previous"), previous)
