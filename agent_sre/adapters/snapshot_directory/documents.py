"""The small documents of a snapshot: header, alerts, objects, changes, topology, signals.

Each function takes the raw bytes and the name to put into errors, checks the shape that the format promises, and gives
plain or domain values. What goes wrong is a PermanentError of one line that names the file and the place in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import MEANINGS, Signal
from agent_sre.domain.telemetry import Change, Edge

VERSION = 1
_CHANGE_KINDS = {"deploy", "commit", "config", "feature_flag", "scale", "infrastructure", "other"}
_DEFAULT_LOOKBACK = timedelta(hours=1)
_MAX_DEPTH = 50
_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Header:
    """``snapshot.yaml``."""

    id: str
    now: datetime
    window: Window
    namespaces: tuple[str, ...]
    description: str


def load_json(content: bytes, file: str) -> Any:
    """Decode JSON strictly (no NaN, no lone surrogates, bounded depth)."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise PermanentError(f"{file}: not valid JSON: {error}") from None


def load_yaml(content: bytes, file: str) -> Any:
    """Decode YAML without tags, and not nested deeper than any document of a snapshot is."""
    try:
        depth = 0
        for event in yaml.parse(content, Loader=_Loader):  # libyaml's composer recurses without a limit of its own
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise PermanentError(f"{file}: not valid YAML: nested deeper than {_MAX_DEPTH}")
        return _Loader(content).get_single_data()
    except (yaml.YAMLError, ValueError) as error:
        raise PermanentError(f"{file}: not valid YAML: {' '.join(str(error).split())}") from None


def parse_header(content: bytes, file: str) -> Header:
    """Check the version first: a later one may mean anything."""
    data = load_yaml(content, file)
    if not isinstance(data, Mapping):
        raise PermanentError(f"{file}: expected a mapping with version, id, now, window and namespaces")
    if data.get("version") != VERSION:
        raise PermanentError(f"{file}: version is {data.get('version')!r}; this program reads version {VERSION}")
    now = _instant(data.get("now"), file, "now")
    bounds = data.get("window") or {"start": now - _DEFAULT_LOOKBACK, "end": now}
    if not isinstance(bounds, Mapping):
        raise PermanentError(f"{file}: window is {bounds!r}; expected start and end")
    start, end = _instant(bounds.get("start"), file, "window.start"), _instant(bounds.get("end"), file, "window.end")
    try:
        window = Window(start, min(end, now))
    except ValueError as error:
        raise PermanentError(f"{file}: {error}") from None
    namespaces = data.get("namespaces") or ()
    if not isinstance(namespaces, list | tuple) or not all(isinstance(name, str) for name in namespaces):
        raise PermanentError(f"{file}: namespaces is {namespaces!r}; expected a list of names")
    identity = data.get("id")
    if identity is None or isinstance(identity, Mapping | list):
        raise PermanentError(f"{file}: id is {identity!r}; expected a name")
    return Header(str(identity), now, window, tuple(namespaces), str(data.get("description") or ""))


def _instant(value: object, file: str, field: str) -> datetime:
    # An unquoted time is turned into a datetime by YAML itself.
    text = value.isoformat() if isinstance(value, datetime) else value
    try:
        if not isinstance(text, str):
            raise ValueError(f"{value!r} is not an RFC 3339 time such as 2026-01-31T12:00:00Z")
        return parse_instant(text)
    except ValueError as error:
        raise PermanentError(f"{file}: {field}: {error}") from None


def parse_objects(content: bytes, file: str, now: datetime) -> tuple[Mapping[str, Any], ...]:
    """API objects that existed by ``now``, each with ``kind`` and ``metadata.name``."""
    data = load_json(content, file)
    items = data.get("items") if isinstance(data, Mapping) else None
    if not isinstance(items, list):
        raise PermanentError(f"{file}: no list 'items' at the top; expected a v1 List as kubectl get -o json prints it")
    found = []
    for index, item in enumerate(items):
        metadata = item.get("metadata") if isinstance(item, dict) else None
        if not isinstance(metadata, dict) or not isinstance(item.get("kind"), str):
            raise PermanentError(f"{file}: items[{index}] has no kind or no metadata; expected an API object")
        if not _later(item, metadata, now):
            found.append(item)
    return tuple(found)


def _later(item: Mapping[str, Any], metadata: Mapping[str, Any], now: datetime) -> bool:
    times = [metadata.get("creationTimestamp")]
    if item["kind"] == "Event":
        series = item.get("series")
        times += [item.get("lastTimestamp"), item.get("eventTime")]
        times += [series.get("lastObservedTime")] if isinstance(series, Mapping) else []
    for text in times:
        try:
            if isinstance(text, str) and parse_instant(text) > now:
                return True
        except ValueError:
            continue
    return False


def parse_changes(content: bytes, file: str, now: datetime) -> tuple[Change, ...]:
    """Changes up to ``now``, oldest first. An unknown kind counts as other."""
    data = load_json(content, file)
    if not isinstance(data, list):
        raise PermanentError(f"{file}: expected a list of changes")
    changes = []
    for index, item in enumerate(data):
        if not isinstance(item, Mapping):
            raise PermanentError(f"{file}: [{index}] is {item!r}; expected a mapping with time, kind, target, id")
        time = _instant(item.get("time"), file, f"[{index}].time")
        text = {key: str(item.get(key) or "") for key in ("id", "target", "summary", "author", "diff", "carried_by")}
        kind = str(item.get("kind") or "")
        changes.append(Change(time=time, kind=kind if kind in _CHANGE_KINDS else "other", **text))
    return tuple(sorted((change for change in changes if change.time <= now), key=lambda change: change.time))


def parse_topology(content: bytes, file: str) -> tuple[Edge, ...]:
    """The edges, without repeats, in the file's order."""
    return _edges(load_json(content, file), file)


def parse_topology_file(content: bytes, file: str) -> tuple[Edge, ...]:
    """The same of a site's own file, which may be YAML."""
    return _edges(load_yaml(content, file), file)


def _edges(data: Any, file: str) -> tuple[Edge, ...]:
    edges = data.get("edges") if isinstance(data, Mapping) else None
    if not isinstance(edges, list):
        raise PermanentError(f"{file}: no list 'edges' at the top")
    for index, edge in enumerate(edges):
        if not (isinstance(edge, list) and len(edge) == 2 and all(isinstance(name, str) for name in edge)):
            raise PermanentError(f'{file}: edges[{index}] is {edge!r}; expected ["caller", "callee"]')
    return tuple(dict.fromkeys(Edge(caller, callee, Path(file).name) for caller, callee in edges))


def parse_signals(content: bytes, file: str) -> tuple[Signal, ...]:
    """A site's additions to the signal catalogue. A meaning that we do not know counts as other."""
    data = load_yaml(content, file)
    rows = data.get("signals") if isinstance(data, Mapping) else None
    if not isinstance(rows, list):
        raise PermanentError(f"{file}: no list 'signals' at the top")
    signals = []
    for index, row in enumerate(rows):
        if not isinstance(row, Mapping) or not isinstance(row.get("metric"), str):
            raise PermanentError(f"{file}: signals[{index}] has no metric name")
        labels = row.get("labels") or {}
        if not isinstance(labels, Mapping):
            raise PermanentError(f"{file}: signals[{index}].labels is {labels!r}; expected their label: our label")
        meaning = str(row.get("meaning", "other"))
        signals.append(
            Signal(
                row["metric"],
                meaning if meaning in MEANINGS else "other",
                str(row.get("unit", "")),
                {str(key): str(value) for key, value in labels.items()},
                row.get("cumulative") is True,
            )
        )
    return tuple(signals)


def read_signals(path: Path) -> tuple[Signal, ...]:
    """The same for a file of its own, as the setting ``signals_file`` names it."""
    try:
        return parse_signals(path.read_bytes(), str(path))
    except OSError as error:
        raise PermanentError(f"{path}: cannot be read: {error.strerror}") from None
