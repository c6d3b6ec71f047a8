"""``SnapshotWriter``: an investigation out of the store as a snapshot directory.

Two forms of the same. The files of the snapshot format hold what was seen in the forms that other tools read (kubectl's
List, OpenMetrics, OTLP), and ``observations.jsonl`` holds the observations themselves, because a replay must come to
the same answer and files cannot say all of it: what was refused, an expression that a back end evaluated.
``manifest.json`` says what is there and what is missing. Everything was redacted before it was stored.

The folder appears whole or not at all: it is written beside its place and moved there.
"""

import gzip
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import yaml

from agent_sre.adapters.snapshot_directory.record import RECORD, record_lines
from agent_sre.adapters.snapshot_directory.written_forms import (
    alert_payload,
    change_rows,
    header,
    log_files,
    metric_lines,
    otlp,
    signal_rows,
    unique_objects,
)
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.export import Export

_CLUSTER = ("kubernetes_objects", "kubernetes_nodes", "kubernetes_events")
_LOGS = ("pod_logs", "node_journals")
_HAVE_FILES = frozenset((*_CLUSTER, *_LOGS, "metrics_signals", "traces", "changes", "topology", "alerts_received"))


class SnapshotWriter:
    """ExportWriter. ``version`` is the program's, for the manifest."""

    def __init__(self, version: str) -> None:
        self._version = version

    def write(self, export: Export, folder: Path, progress: Callable[[str], None]) -> tuple[str, ...]:
        """Write beside ``folder``, then move there."""
        try:
            if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
                raise PermanentError(f"{folder} is there and not an empty folder; name another, or empty it first")
            folder.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
            try:
                missing = _Writing(export, scratch, progress).all(self._version)
                scratch.chmod(0o750)
                os.replace(scratch, folder)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        except OSError as error:
            where = error.filename or folder
            raise PermanentError(f"{where} cannot be written: {error.strerror}; name a folder that can") from None
        return missing


class _Writing:
    """One export on its way."""

    def __init__(self, export: Export, root: Path, progress: Callable[[str], None]) -> None:
        self._export = export
        self._root = root
        self._progress = progress
        self._missing: list[str] = list(export.missing)
        self._files: dict[str, int] = {}

    def all(self, version: str) -> tuple[str, ...]:
        export = self._export
        self._text("snapshot.yaml", yaml.safe_dump(header(export), sort_keys=False, allow_unicode=True))
        self._json("alerts.json", alert_payload(export.alerts), len(export.alerts))
        if self._seen(*_CLUSTER):
            items = unique_objects(export.observations)
            self._json("kubernetes.json", {"apiVersion": "v1", "kind": "List", "items": items}, len(items))
        self._series()
        self._logs()
        if self._seen("traces"):
            spans = [span for item in export.observations for span in item.spans]
            self._json("traces.json", otlp(spans), len(spans))
        if self._seen("changes"):
            changes = change_rows(export.observations)
            self._json("changes.json", changes, len(changes))
        if self._seen("topology"):
            edges = sorted({(edge.caller, edge.callee) for item in export.observations for edge in item.edges})
            self._json("topology.json", {"edges": edges}, len(edges))
        if export.signals:
            self._text("signals.yaml", yaml.safe_dump({"signals": signal_rows(export.signals)}))
        self._lines(f"{RECORD}.gz", record_lines(export.observations, export.gaps))
        self._files[f"{RECORD}.gz"] = len(export.observations)
        self._manifest(version)
        return tuple(self._missing)

    def _seen(self, *collectors: str) -> bool:
        """Whether these looked at all: a file that is not there says that a source was not available."""
        return any(item.collector in collectors for item in self._export.observations)

    def _series(self) -> None:
        if not self._seen("metrics_signals"):
            return
        series = [
            one for item in self._export.observations if item.collector == "metrics_signals" for one in item.series
        ]
        lines, left_out = metric_lines(series)
        self._missing += left_out
        self._lines("metrics.om", lines)
        self._files["metrics.om"] = len(series)

    def _logs(self) -> None:
        if not self._seen(*_LOGS):
            return
        (self._root / "logs").mkdir()
        files, left_out = log_files(self._export.observations)
        self._missing += left_out
        for name, lines in files.items():
            self._lines(name, lines)
        self._files["logs/"] = len(files)

    def _manifest(self, version: str) -> None:
        export = self._export
        left_out = [
            f"{item.source}: {item.query[:200]}: {text}" for item in export.observations for text in item.left_out
        ]
        document = {
            "incident": export.incident_id,
            "run": export.run,
            "written_by": f"agent_sre {version}",
            "engine": export.engine,
            "files": self._files,
            "replayed_from": f"{RECORD}.gz",
            "in_the_record_only": sorted({item.collector for item in export.observations} - _HAVE_FILES),
            "missing": self._missing,
            "left_out_when_it_was_read": left_out,
            "could_not_be_looked_at": [f"{gap.source}: {gap.what}: {gap.reason}" for gap in export.gaps],
        }
        self._json("manifest.json", document, 1)

    def _json(self, name: str, document: Any, count: int) -> None:
        option = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        self._lines(name, [orjson.dumps(document, default=dict, option=option)])
        self._files[name] = count

    def _text(self, name: str, text: str) -> None:
        self._lines(name, [text.encode()])

    def _lines(self, name: str, lines: Iterable[bytes]) -> None:
        self._progress(name)
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as plain:
            if not name.endswith(".gz"):
                plain.writelines(lines)
                return
            with gzip.GzipFile(fileobj=plain, mode="wb", compresslevel=5, mtime=0) as packed:
                packed.writelines(lines)
