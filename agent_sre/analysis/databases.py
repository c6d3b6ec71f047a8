"""What is wrong with a data store by its own signals: connections, locks, slow statements, replication, role, disk.

Clients' errors say that a store fails them (``log_patterns``); here the store itself is asked, through the figures of
its exporter, its volume and its own log, so that a cause has two witnesses that do not depend on each other. A table
says which meaning, how far from its usual level, speaks for which fault: the judgement is the same for each row.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, departure, departures, excerpt, incident_start, number
from agent_sre.analysis.filling import full_in, theil_sen
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.reading import items, name_of, text
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import Measured, about
from agent_sre.analysis.stores import busier_store, clients, dependants, store_object, stores
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "databases"


@dataclass(frozen=True, slots=True)
class _Row:
    """``meaning`` at ``least`` or more, and ``times`` its usual level, speaks for ``fault``. ``told``: the fact."""

    meaning: str
    fault: str
    least: float
    times: float
    strength: float
    told: str


_ROWS = (
    _Row("store_refused", "db_connection_exhaustion", 0.05, 5, 0.7, "refuses connections: {told}"),
    _Row("lock_waits", "db_lock_contention", 0.1, 4, 0.66, "has waits for locks: {told}"),
    _Row("locks_held", "db_lock_contention", 10, 5, 0.5, "has locks of one mode: {told}"),
    _Row("slow_queries", "slow_query", 0.1, 5, 0.66, "has slow queries: {told}"),
    _Row("statement_time", "slow_query", 0.2, 4, 0.66, "needs for a statement {told}"),
    _Row("rows_read", "slow_query", 1000, 8, 0.5, "reads rows: {told}"),
    _Row("replication_lag", "replication_lag", 10, 5, 0.72, "is behind by {told}"),
    _Row("read_only", "db_read_only", 1, 2, 0.6, "became read-only: {told}"),
    _Row("writes_refused", "write_capacity_exceeded", 1, 5, 0.6, "refuses writes: {told}"),
)  # fmt: skip
_IDLE_IN_TRANSACTION = "idle in transaction"
_DURATION = re.compile(
    r"duration: (?P<ms>\d+(?:\.\d+)?) ms\s+(?:statement|execute|plan|parse|bind)|Query_time: (?P<s>\d+(?:\.\d+)?)"
    r"|Slow query.{0,400}?durationMillis\"?[:=] ?(?P<mongo>\d+)|took\[(?P<search>\d+(?:\.\d+)?)(?P<unit>ms|s)\]",
    re.IGNORECASE,
)
_SLOW_SECONDS = 0.5
_NO_SPACE = re.compile(r"no space left on device|\bENOSPC\b|disk (?:is )?full", re.IGNORECASE)


def store_signals(case: CaseFile) -> Iterable[Finding]:
    """One finding for each row of the table and store whose signal left its usual level with the incident."""
    for row in _ROWS:
        for moved in departures(case, about(case, row.meaning)):
            if not (moved.after >= row.least and moved.after >= row.times * max(moved.before, 0.0)):
                continue
            store = store_object(case, moved.signal.entity.name, moved.signal.entity.namespace)
            fact = moved.fact(f"{store.name} {row.told.format(told=moved.told)}")
            yield _finding(case, row.fault, store, row.strength, (fact,))


def _finding(case: CaseFile, fault: str, store: ObjectRef, strength: float, facts: tuple[Fact, ...]) -> Finding:
    return Finding(
        analyzer=f"{_ANALYZER}.{fault}",
        fault=fault,
        object=store,
        strength=strength,
        statement=f"{facts[0].text}.",
        facts=facts,
        onset=min((fact.time for fact in facts if fact.time), default=None),
        explains=dependants(case, store.name),
        distinguish=f"the sessions of {store.name}: state, age, statement, and whom each waits for",
    )


def connections_used_up(case: CaseFile) -> Iterable[Finding]:
    """Stores whose connections reached the maximum (some stores keep a few for the operator)."""
    tops = {item.entity: float(item.values[-1]) for item in about(case, "store_connections_max") if item.values.size}
    for entity, top in sorted(tops.items()):
        own = [item for item in about(case, "store_connections") if item.entity == entity]
        moved = [found for item in own if (found := departure(case, item)) is not None]
        if not moved or top <= 0 or sum(item.highest for item in moved) < 0.93 * top:
            continue
        worst = max(moved, key=lambda item: item.highest)
        if worst.before >= 0.9 * top:
            continue
        store = store_object(case, entity.name, entity.namespace)
        told = f"{store.name} has {number(worst.highest)} connections of its {number(top)}"
        shown = f"{excerpt(worst)}; highest {number(worst.highest)}, maximum {number(top)}"
        fact = Fact(told, worst.signal.observation, shown, worst.fact("").time)
        yield _finding(case, "db_connection_exhaustion", store, 0.72, (fact,))


def transactions_left_open(case: CaseFile) -> Iterable[Finding]:
    """Sessions that sit in an open transaction while others wait for locks."""
    for moved in departures(case, about(case, "store_connections")):
        idle = moved.signal.labels.get("state", "").startswith(_IDLE_IN_TRANSACTION)
        if idle and moved.strong and moved.after >= 1.5 * max(moved.before, 1.0):
            store = store_object(case, moved.signal.entity.name, moved.signal.entity.namespace)
            fact = moved.fact(f"Sessions of {store.name} that are idle in a transaction: {moved.told}")
            yield _finding(case, "db_lock_contention", store, 0.45, (fact,))


def slow_statements(case: CaseFile) -> Iterable[Finding]:
    """Stores that log slow statements as never before; the surer where their CPU rose and callers wait."""
    known = profiles(case)
    for item in statements(case):
        seconds = _seconds(item)
        if seconds < _SLOW_SECONDS or item.since < 3 or item.before * 3 > item.since:
            continue
        store = object_of(case, item.workload, item.namespace)
        facts = [item.fact(f"{store.name} logs slow statements")]
        busy = busier_store(case, store.name)
        if busy is not None:
            facts.append(busy.fact(f"{store.name} uses {busy.told}"))
        waiting = [
            name for name in clients(case).get(store.name, ()) if name in known and known[name].slow > 0.2 * seconds
        ]
        strength = 0.6 + 0.1 * (busy is not None) + 0.1 * bool(waiting)
        yield _finding(case, "slow_query", store, strength, tuple(facts))


def _seconds(item: Statement) -> float:
    found = _DURATION.search(item.sample)
    if found is None:
        return 0.0
    if found["s"]:
        return float(found["s"])
    if found["search"]:
        return float(found["search"]) * (1.0 if found["unit"] == "s" else 1e-3)
    return float(found["ms"] or found["mongo"]) / 1000


def disk_full_told(case: CaseFile) -> Iterable[Finding]:
    """Stores whose own log says that their disk is full, in whatever words the operating system has for it."""
    for item in statements(case):
        if item.since and item.workload in stores(case) and _NO_SPACE.search(item.sample):
            store = object_of(case, item.workload, item.namespace)
            fact = item.fact(f"{store.name} logs that no space is left")
            yield _finding(case, "db_disk_full", store, 0.76, (fact,))


_LATELY = 60
_OF_STATEMENTS = frozenset({"db.system", "db.system.name", "db.statement", "db.query.text"})
"""Attributes of spans of which a call to a database has one."""
"""Samples from which is read how fast a volume fills."""


def volumes_full(case: CaseFile) -> Iterable[Finding]:
    """Volumes without room, at the store that mounts them."""
    sizes = {
        item.entity: float(item.values[-1])
        for kind in ("volume", "workload")
        for item in about(case, "volume_size", kind)
    }
    for item in (*about(case, "volume_free", "volume"), *about(case, "volume_free")):
        size = sizes.get(item.entity)
        if not size or not item.values.size or float(item.values[-1]) > 0.05 * size:
            continue
        for store in _mounting(case, item):
            moved = departure(case, item) or _flat(item)
            last = float(item.values[-1])
            shown = f"{excerpt(moved)}; last {number(last)}, size {number(size)}"
            told = f"{store.name} has {number(last)} of {number(size)} bytes left"
            if soon := full_in(last, -theil_sen(item.times[-_LATELY:], item.values[-_LATELY:])):
                told, shown = f"{told}; {soon}", f"{shown}, {soon}"
            fact = Fact(told, item.observation, shown)
            strength = 0.74 if last <= 0.03 * size else 0.5
            yield _finding(case, "db_disk_full", store, strength, (fact,))


def _flat(item: Measured) -> Departure:
    first, last = float(item.values[0]), float(item.values[-1])
    return Departure(item, first, last, 0.0, 0.0, float(item.times[0]), float(np.max(item.values)))


def _mounting(case: CaseFile, item: Measured) -> Iterator[ObjectRef]:
    """The workloads that mount a claim: by their pods' volumes, by the name a StatefulSet gives its claims."""
    if item.entity.kind == "workload":
        yield store_object(case, item.entity.name, item.entity.namespace)
        return
    claim, cluster = item.entity.name, cluster_of(case)
    for ref, workload in cluster.workloads.items():
        if ref.namespace != item.entity.namespace:
            continue
        mounted = {
            text(volume, "persistentVolumeClaim", "claimName")
            for pod in workload.pods
            for volume in items(pod.seen.value, "spec", "volumes")
        }
        templates = [
            name_of(entry)
            for entry in items(workload.seen.value if workload.seen else {}, "spec", "volumeClaimTemplates")
        ]
        named = ref.kind == "StatefulSet" and re.search(rf"(?:^|-){re.escape(ref.name)}-\d+$", claim) is not None
        if claim in mounted or named or any(claim.startswith(f"{name}-{ref.name}-") for name in templates):
            yield ref


def statement_spans(case: CaseFile) -> Iterable[Finding]:
    """Spans of database calls that take far longer than before, each call by itself."""
    by_key: dict[tuple[str, str], list[tuple[float, float, str]]] = {}
    for observation, spans in trees_of(case).brought.items():
        for span in spans:
            if not _OF_STATEMENTS.isdisjoint(span.attributes):
                by_key.setdefault((span.service, span.name), []).append(
                    (span.start, span.end - span.start, observation)
                )
    for (service, name), found in sorted(by_key.items()):
        yield from _slower(case, service, name, found)


def _slower(case: CaseFile, service: str, name: str, found: list[tuple[float, float, str]]) -> Iterator[Finding]:
    from_start = incident_start(case)
    before = [length for start, length, _ in found if start < from_start]
    since = [length for start, length, _ in found if start >= from_start]
    if len(before) < 3 or len(since) < 3:
        return
    usual, now = float(np.median(before)), float(np.median(since))
    if now < 4 * usual or now < 0.1:
        return
    used = clients(case)
    candidates = [store for store, names in used.items() if service in names and store in stores(case)]
    store = object_of(case, candidates[0]) if len(candidates) == 1 else object_of(case, service)
    told = f"{name} of {service} takes {number(now)} s in {store.name}, usually {number(usual)}"
    shown = f"spans {service} {name}: median {number(now)} s of {len(since)}, before {number(usual)} s of {len(before)}"
    shown += f"; {store.name}"
    yield _finding(case, "slow_query", store, 0.7, (Fact(told, found[0][2], shown),))
