"""Series as meanings: which metric says what about which workload, node or call.

Raw series differ by site in name, unit and label; counters reset, pods come and go. Analyzers must not care, so each
series is mapped once through the signal catalogue to a ``Measured``: meaning, unit, the thing it is about, and samples
as arrays, counters already as increase per second. The mapping of one case is kept while the case lives, since every
analyzer asks for it. Not here: judging whether anything is abnormal (``deviation``, ``metric_onsets``).
"""

import re
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.changepoints import median
from agent_sre.domain.reference import owner_name
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Series

Floats = NDArray[np.float64]

_PARTS = ("_sum", "_count", "_bucket", "_total")
_GRPC_FAULTS = frozenset(
    "2 4 8 13 14 15 Unknown DeadlineExceeded ResourceExhausted Internal Unavailable DataLoss".lower().split()
)
_PER = re.compile(r"per_(\d+)?_?(second|minute|hour)s?")
_GAP_STEPS = 4.0


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """What a signal is about. ``kind``: workload, node, edge (caller ``peer`` to callee ``name``), external,
    queue (a consumer group or queue ``name`` of the topic ``peer``), volume (a claim) or target (of a probe)."""

    kind: str
    namespace: str
    name: str
    peer: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One series with its meaning. ``times`` are seconds since the epoch; ``rate`` says that values are per second.

    ``role`` tells apart series of one meaning: "errors" for requests that failed, "source" or "destination" for the
    side that measured a call, else "".
    """

    meaning: str
    unit: str
    entity: Entity
    role: str
    times: Floats
    values: Floats
    rate: bool
    source: Series
    observation: str
    labels: Mapping[str, str]
    weight: float = 1.0
    """Requests a second behind a mean latency; 1 where they are not known."""


Family = tuple[str, Entity, str, str]


@per_case
def measured(case: CaseFile) -> tuple[Measured, ...]:
    """All series of the case that the catalogue in force knows, in the order they were observed."""
    return _measure(case)


def about(case: CaseFile, meaning: str, kind: str = "workload") -> list[Measured]:
    """The case's signals of one meaning about one kind of thing."""
    return _by_meaning(case).get((meaning, kind), [])


@per_case
def _by_meaning(case: CaseFile) -> dict[tuple[str, str], list[Measured]]:
    index: defaultdict[tuple[str, str], list[Measured]] = defaultdict(list)
    for item in measured(case):
        index[item.meaning, item.entity.kind].append(item)
    return index


def _measure(case: CaseFile) -> tuple[Measured, ...]:
    catalogue: dict[str, Signal] = {}
    for row in case.signals:
        catalogue.setdefault(row.metric, row)
    default = case.namespaces[0] if len(case.namespaces) == 1 else ""
    paces = _Paces()
    found: list[Measured] = []
    sums: dict[Family, list[Measured]] = defaultdict(list)
    for seen in case.series:
        signal, part = _signal_of(seen.value.name, catalogue)
        if signal is None or part == "_bucket":
            continue
        item = _read(seen, signal, part, default, paces)
        if item is None:
            continue
        if part == "_sum" and signal.metric != seen.value.name:
            sums[_family(item)].append(item)
        else:
            found.append(item)
    return (*found, *_means(found, sums))


def _signal_of(name: str, catalogue: Mapping[str, Signal]) -> tuple[Signal | None, str]:
    """The row that covers a series, and which part of a histogram or counter the series is."""
    if name in catalogue:
        return catalogue[name], ""
    for part in _PARTS:
        if name.endswith(part):
            return catalogue.get(name.removesuffix(part)), part
    return catalogue.get(f"{name}_total"), ""


def entity_of(case: CaseFile, metric: str, labels: Mapping[str, str]) -> tuple[Entity | None, str]:
    """What a series is about, by its name and labels, and the unit of its metric; None where it is not known."""
    catalogue: dict[str, Signal] = {}
    for row in case.signals:
        catalogue.setdefault(row.metric, row)
    signal, _ = _signal_of(metric, catalogue)
    if signal is None:
        return None, ""
    default = case.namespaces[0] if len(case.namespaces) == 1 else ""
    return _entity(_ours(labels, signal), default), signal.unit


def _read(seen: Seen[Series], signal: Signal, part: str, default_namespace: str, paces: "_Paces") -> Measured | None:
    series = seen.value
    labels = _ours(series.labels, signal)
    # Scraped by its pod, an exporter beside its store has no label for the workload but the pod's.
    entity = _entity(labels, default_namespace) or _entity(_by_pod(series.labels), default_namespace)
    if entity is None:
        return None
    times, values = np.asarray(series.times, dtype=np.float64), np.asarray(series.values, dtype=np.float64)
    cumulative = signal.cumulative or series.kind == "counter" or part in ("_sum", "_count", "_total")
    if cumulative and bool(np.isfinite(values).all()):
        times, values = paces.of(series.times).rate(values)
    elif cumulative:
        times, values = rate(times, values)
    else:
        usable = np.isfinite(values)
        times, values = times[usable], values[usable]
    meaning, unit = signal.meaning, signal.unit
    if part == "_count":
        # What a workload's clients count are calls that it makes, not requests that it gets.
        made = signal.meaning == "client_latency" and entity.kind == "workload"
        meaning, unit = "client_calls" if made else "traffic", "per_second"
    role = "errors" if meaning == "traffic" and _failed(labels) else labels.get("reporter", "")
    return Measured(meaning, unit, entity, role, times, values, cumulative, series, seen.observation, labels)


def _ours(labels: Mapping[str, str], signal: Signal) -> dict[str, str]:
    ours: dict[str, str] = {}
    for theirs, name in signal.labels.items():
        value = labels.get(theirs, "")
        if value and name not in ours:
            ours[name] = value
    if "reporter" in labels:
        ours.setdefault("reporter", labels["reporter"])
    return ours


def _by_pod(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: labels[name] for name in ("namespace", "pod") if labels.get(name)}


def _entity(labels: Mapping[str, str], default_namespace: str) -> Entity | None:
    namespace = labels.get("namespace", default_namespace)
    if labels.get("group") or labels.get("queue"):
        return Entity("queue", namespace, labels.get("group") or labels["queue"], labels.get("queue", ""))
    if "caller" in labels and "callee" in labels:
        return Entity("edge", namespace, labels["callee"], labels["caller"])
    pod = workload_of_pod(labels.get("pod", ""))
    node = labels.get("node", "").partition(":")[0]
    for kind, space, name in (
        ("volume", namespace, labels.get("volume", "")),
        ("workload", namespace, labels.get("workload", "") or pod),
        ("external", "", labels.get("external", "")),
        ("node", "", node),
        ("target", namespace, labels.get("target", "")),
    ):
        if name:
            return Entity(kind, space, name)
    return None


def workload_of_pod(pod: str) -> str:
    """The workload a pod's name tells of: its name without the hashes or ordinal that controllers append."""
    return owner_name("Pod", pod)


def _failed(labels: Mapping[str, str]) -> bool:
    status = labels.get("status", "")
    grpc = labels.get("grpc_status", "").lower()
    return status.startswith("5") or status == "0" or grpc in _GRPC_FAULTS


def _family(item: Measured) -> Family:
    """What series of one histogram have in common over pods, routes and statuses: name, thing, caller, side."""
    name = item.source.name.removesuffix("_sum").removesuffix("_count")
    return name, item.entity, item.labels.get("caller", ""), item.labels.get("reporter", "")


def _means(found: list[Measured], sums: Mapping[Family, list[Measured]]) -> list[Measured]:
    """Mean latency from histograms' sums and counts: increase of one over increase of the other, all pods together."""
    counts: dict[Family, list[Measured]] = defaultdict(list)
    for item in found:
        if item.source.name.endswith("_count") and _family(item) in sums:
            counts[_family(item)].append(item)
    means = []
    for family, parts in counts.items():
        times, spent = total(sums[family])
        at, done = total(parts)
        shared, left, right = np.intersect1d(times, at, assume_unique=True, return_indices=True)
        busy = done[right] > 0
        if not busy.any():
            continue
        first = max(sums[family], key=lambda item: float(item.values.sum()))
        means.append(
            replace(
                first, role=family[3], times=shared[busy], values=spent[left][busy] / done[right][busy], rate=False,
                weight=float(done.mean()),
            )
        )  # fmt: skip
    return means


def total(items: Sequence[Measured]) -> tuple[Floats, Floats]:
    """Several series of a rate added up, at every time at which one of them has a sample."""
    if len(items) == 1:
        return items[0].times, items[0].values
    grid = np.unique(np.concatenate([item.times for item in items]))
    summed = np.zeros(grid.size)
    for item in items:
        if item.times.size == grid.size:
            summed += item.values
        elif item.times.size:
            summed += np.nan_to_num(resample(item.times, item.values, grid))
    return grid, summed


def rate(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Increase per second between neighbouring samples, stamped at the later one.

    A sample below its predecessor is a reset: the counter began again at zero, so the sample itself is the increase,
    as Prometheus has it. Over a gap (more than four usual steps) no rate is given: what happened inside is not known.
    """
    usable = np.isfinite(values)
    return _Pace(times[usable]).rate(values[usable])


class _Pace:
    """What rates need to know of the times of samples; worked out once for all series of a scrape."""

    def __init__(self, times: Floats) -> None:
        self._steps = times[1:] - times[:-1]
        self._sound = (self._steps > 0) & (self._steps <= _GAP_STEPS * median(self._steps)) if times.size > 1 else None
        self._later = times[1:] if self._sound is None or self._sound.all() else times[1:][self._sound]

    def rate(self, values: Floats) -> tuple[Floats, Floats]:
        """``rate`` of finite values at these times."""
        if self._sound is None:
            return self._later, values[:0]
        increase = values[1:] - values[:-1]
        increase = np.where(increase < 0, values[1:], increase) / self._steps
        return self._later, increase if self._later.size == increase.size else increase[self._sound]


class _Paces:
    """The paces of a case's series, by the identity of their times, which series of one scrape share."""

    def __init__(self) -> None:
        self._known: dict[int, _Pace] = {}

    def of(self, times: "array[float]") -> _Pace:
        """The pace of these times; the case keeps them, so that no other ones can have their identity."""
        known = self._known.get(id(times))
        if known is None:
            known = self._known[id(times)] = _Pace(np.asarray(times, dtype=np.float64))
        return known


def per_second(unit: str) -> float:
    """What a count in this unit is multiplied with to be per second: 1 where the unit does not say otherwise."""
    match = _PER.search(unit)
    if match is None:
        return 1.0
    seconds = {"second": 1.0, "minute": 60.0, "hour": 3600.0}[match[2]]
    return 1.0 / (seconds * float(match[1] or 1))


def resample(times: Floats, values: Floats, grid: Floats) -> Floats:
    """The last value at or before each grid point; NaN before the first sample and across gaps of four steps."""
    if times.size == 0:
        return np.full(grid.size, np.nan)
    at = np.searchsorted(times, grid, side="right") - 1
    result = np.where(at >= 0, values[np.maximum(at, 0)], np.nan)
    step = median(np.diff(times)) if times.size > 1 else np.inf
    stale = grid - times[np.maximum(at, 0)] > _GAP_STEPS * max(step, 1e-9)
    result[stale] = np.nan
    return result
