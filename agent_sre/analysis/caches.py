"""Caches that no longer answer: the hit ratio falls, and what lies behind them gets the load at the same moment.

A cold cache is the cause and a busy database its victim, though the database is what everybody sees. So both are asked
for: hits against misses before and since, and something behind that became busier or slower. Flushes, evictions and
a sudden loss of entries say why the entries are gone. Called by the engine.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, departures, incident_start, number
from agent_sre.analysis.log_entries import statements
from agent_sre.analysis.signals import Entity, Measured, about
from agent_sre.analysis.stores import CACHES, busier_store, dependants, store_object, stores, stores_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_HIT = re.compile(r"hit", re.IGNORECASE)
_FELL = 0.15
_GONE = re.compile(r"\bFLUSH(?:ALL|DB)\b|cache (?:cleared|flushed|invalidated|purged)|flush_all", re.IGNORECASE)
_MISSES = re.compile(r"cache[ _-]?miss|miss(?:ed)? (?:in|from) cache|rebuilding from|cold cache", re.IGNORECASE)


@dataclass(slots=True)
class _Gets:
    """The series of one cache by their result."""

    hits: list[Measured] = field(default_factory=list)
    misses: list[Measured] = field(default_factory=list)


def cache_stampede(case: CaseFile) -> Iterable[Finding]:
    """Caches whose hit ratio fell with the incident, the surer where the load behind them rose."""
    start = incident_start(case)
    for entity, gets in sorted(_caches(case).items()):
        hits, misses = (_around(items, start) for items in (gets.hits, gets.misses))
        if not (gets.hits and gets.misses) or min(sum(hits), sum(misses)) <= 0:
            continue
        before, since = (_ratio(hits[side], misses[side]) for side in (0, 1))
        if before < 0.4 or before - since < _FELL:
            continue
        cache = _cache_of(case, entity)
        shown = (
            f"hit ratio {number(since)}, usually {number(before)}: {gets.hits[0].source} {number(hits[0])} -> "
            f"{number(hits[1])} a second; misses {number(misses[0])} -> {number(misses[1])} a second"
        )
        told = f"{cache.name} has {number(since)} of what is asked of it, usually {number(before)}"
        facts = [Fact(told, gets.hits[0].observation, shown), *_why(case, cache)]
        behind = _load_behind(case, cache)
        yield Finding(
            analyzer="cache_stampede",
            fault="cache_stampede",
            object=cache,
            strength=0.86 if behind else 0.6,
            statement=f"{told}; the requests go to what lies behind it.",
            facts=(*facts, *behind),
            explains=(*dependants(case, cache.name), *_behind(case, cache)),
            distinguish=f"keys of {cache.name} by age: what expired, was evicted or flushed when it began",
        )


def _caches(case: CaseFile) -> dict[Entity, _Gets]:
    found: dict[Entity, _Gets] = {}
    for item in about(case, "cache_gets"):
        gets = found.setdefault(item.entity, _Gets())
        (gets.hits if _HIT.search(item.labels.get("result", "")) else gets.misses).append(item)
    for item in about(case, "cache_hits"):
        found.setdefault(item.entity, _Gets()).hits.append(item)
    for item in about(case, "cache_misses"):
        found.setdefault(item.entity, _Gets()).misses.append(item)
    return found


def _around(items: list[Measured], start: float) -> tuple[float, float]:
    before = sum(float(np.median(item.values[item.times < start])) for item in items if (item.times < start).any())
    since = sum(float(np.median(item.values[item.times >= start])) for item in items if (item.times >= start).any())
    return before, since


def _ratio(hits: float, misses: float) -> float:
    return hits / (hits + misses) if hits + misses > 0 else 0.0


def _cache_of(case: CaseFile, entity: Entity) -> ObjectRef:
    """The cache itself: the exporter's, or the one cache that the application which counts its gets uses."""
    store = store_object(case, entity.name, entity.namespace)
    used = [name for name in stores_of(case, store.name) if stores(case)[name] in CACHES]
    if store.name not in stores(case) and len(used) == 1:
        return store_object(case, used[0], entity.namespace)
    return store


def _why(case: CaseFile, cache: ObjectRef) -> list[Fact]:
    facts = [
        moved.fact(f"{cache.name} evicts {number(moved.after)} entries a second, usually {number(moved.before)}")
        for moved in departures(case, about(case, "cache_evictions"))
        if moved.strong and moved.after > 3 * moved.before and moved.after > 1
    ]
    facts += [
        moved.fact(f"{cache.name} holds {number(moved.after)} entries, usually {number(moved.before)}")
        for moved in departures(case, about(case, "cache_entries"))
        if moved.strong and moved.after < 0.5 * moved.before
    ]
    for item in statements(case):
        if item.since and item.since > item.before and (_GONE.search(item.sample) or _MISSES.search(item.sample)):
            facts.append(item.fact(f"{item.workload} logs that entries are gone"))
    return facts[:3]


def _behind(case: CaseFile, cache: ObjectRef) -> tuple[ObjectRef, ...]:
    """The other stores of the cache's clients."""
    names = {
        name
        for client in dependants(case, cache.name)
        for name in stores_of(case, client.name)
        if stores(case)[name] not in CACHES
    }
    return tuple(store_object(case, name, cache.namespace) for name in sorted(names))


def _load_behind(case: CaseFile, cache: ObjectRef) -> list[Fact]:
    facts: list[Fact] = []
    for store in _behind(case, cache):
        moved = busier_store(case, store.name)
        found: list[Departure] = [moved] if moved is not None else []
        for meaning in ("store_queries", "store_connections", "rows_read"):
            found += [
                rise
                for rise in departures(case, about(case, meaning))
                if rise.signal.entity.name == store.name and rise.strong and rise.after > 1.5 * rise.before
            ]
        facts += [rise.fact(f"{store.name}, behind the cache, is at {rise.told}") for rise in found[:2]]
    return facts
