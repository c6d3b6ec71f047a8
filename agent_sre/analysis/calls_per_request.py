"""Workloads that make more calls for each request than they used to: calls multiply while requests do not.

One request that loops over a list and asks for each item (N+1), and a caller that tries again and again, look alike to
the callee: far more calls. What tells them apart is failure: who retries does so because calls fail. The calls are
counted at three places, by the callee's own traffic, by a data store's counter of statements, and by the client library
of the caller. A store's counter does not say who asks; of its clients the one is meant that suffers, and that began to
print the same statement over and over. Where the callers' own requests rose along, it is a surge (``outside``), and
where a cache in between lost its entries it is that (``caches``).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, depart, incident_start, number
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, one_side, profiles
from agent_sre.analysis.signals import Measured, about, per_second, total
from agent_sre.analysis.stores import clients, store_object, stores, stores_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_MORE = 2.5
"""How many times the usual number of calls is more than a shift of what users ask for."""
_ALONG = 0.5
"""A caller whose own requests rose by this part of the rise asks more because it is asked more."""
_FAILS = 0.05
_LEAST = 10.0
"""Calls a minute below which nobody suffers from them."""
_CALLS, _STATEMENTS, _ONE_OF_SEVERAL = 0.72, 0.74, 0.4
_QUERY = re.compile(
    r"\b(?:SELECT\b.{1,200}\bFROM|INSERT INTO|UPDATE\b.{1,80}\bSET|DELETE FROM|HGETALL|MGET)\b", re.IGNORECASE
)
_REPEATED = 5.0


def calls_per_request(case: CaseFile) -> Iterable[Finding]:
    """Callers whose calls multiplied while their requests did not, by every counter that tells of calls."""
    yield from _by_traffic(case)
    yield from _by_store(case)
    yield from _by_client(case)


def _by_traffic(case: CaseFile) -> Iterable[Finding]:
    """A callee that gets far more calls while none of its callers gets more requests."""
    known, graph = profiles(case), calls(case)
    for name, profile in known.items():
        moved, every = profile.traffic, graph.callers.get(name, ())
        callers = [known[caller] for caller in every if caller in known]
        if moved is None or not every or not _multiplied(moved):
            continue
        hurt = [other for other in (profile, *callers) if other.slow > 0.05 or other.failing > 0.01]
        if not hurt or not all(_steady(caller, moved) for caller in callers):
            continue
        busiest = max(callers, key=lambda caller: (caller.slow + caller.failing, caller.entity.name), default=None)
        caller_name = busiest.entity.name if busiest is not None else every[0]
        failing = profile.failing > _FAILS or (busiest is not None and busiest.failing > _FAILS)
        fact = moved.fact(
            f"{name} gets {number(moved.after)} instead of {number(moved.before)} requests, but {caller_name}, "
            "which calls it, does not get more"
        )
        caller = object_of(case, caller_name, profile.entity.namespace)
        yield _finding(case, caller, (name,), "retry_storm" if failing else "n_plus_one_queries", _CALLS, (fact,))


def _by_store(case: CaseFile) -> Iterable[Finding]:
    """A store that gets far more statements while none of its clients gets more requests."""
    known, used = profiles(case), clients(case)
    by_entity: dict[str, list[Measured]] = {}
    for item in about(case, "store_queries"):
        by_entity.setdefault(item.entity.name, []).append(item)
    for entity, items in sorted(by_entity.items()):
        store, moved = store_object(case, entity, items[0].entity.namespace), _together(case, items)
        asking = [name for name in used.get(store.name, ()) if name in known and name not in stores(case)]
        if moved is None or not asking or not _multiplied(moved):
            continue
        if not all(_steady(known[name], moved) for name in asking) or any(known[n].failing > _FAILS for n in asking):
            continue
        suspects = _suspects(case, asking)
        if not suspects:
            continue
        alone = len(suspects) == 1 or len(asking) == 1
        for name, printed in suspects:
            told = (
                f"{store.name} gets {number(moved.after)} instead of {number(moved.before)} statements a second, but "
            )
            facts = [moved.fact(f"{told}{name}, which uses it, does not get more requests")]
            facts += [item.fact(f"{name} prints one statement over and over") for item in printed[:1]]
            strength = _STATEMENTS if alone else _ONE_OF_SEVERAL
            yield _finding(case, object_of(case, name), (store.name,), "n_plus_one_queries", strength, tuple(facts))


def _by_client(case: CaseFile) -> Iterable[Finding]:
    """A workload whose own client libraries count far more calls while it gets no more requests."""
    for name, profile in profiles(case).items():
        by_metric: dict[str, list[Measured]] = {}
        for item in profile.signals.get("client_calls", []):
            by_metric.setdefault(item.source.name, []).append(item)
        for metric, items in sorted(by_metric.items()):
            moved = _together(case, items)
            hurt = profile.slow > 0.05 or profile.failing > 0.01
            if moved is None or profile.traffic is None or not hurt or not _multiplied(moved):
                continue
            if not _steady(profile, moved):
                continue
            told = f"{name} makes {number(moved.after)} instead of {number(moved.before)} calls a second"
            fact = moved.fact(f"{told} and gets no more requests")
            to_stores = metric.startswith("db_")
            called = stores_of(case, name) if to_stores else calls(case).callees.get(name, ())
            fault = "retry_storm" if profile.failing > _FAILS else "n_plus_one_queries"
            caller = object_of(case, name, profile.entity.namespace)
            yield _finding(case, caller, called if len(called) == 1 else (), fault, _CALLS, (fact,))


def _multiplied(moved: Departure) -> bool:
    enough = moved.after * per_second(moved.signal.unit) * 60 >= _LEAST and moved.before > 0
    return moved.strong and moved.ratio >= _MORE and enough


def _steady(caller: Profile, moved: Departure) -> bool:
    """Whether a caller's own requests are counted and did not rise along."""
    return caller.traffic is not None and caller.traffic.ratio <= _ALONG * moved.ratio


def _together(case: CaseFile, items: Sequence[Measured]) -> Departure | None:
    """The departure of one counter, all its series added up; of several counters the busiest."""
    chosen = one_side(list(items))
    if not chosen:
        return None
    times, values = total(chosen)
    busiest = max(chosen, key=lambda item: float(item.values.sum()))
    return depart(replace(busiest, times=times, values=values), incident_start(case))


def _suspects(case: CaseFile, asking: Sequence[str]) -> list[tuple[str, list[Statement]]]:
    """Of a store's clients those that are slow and print the same query far more often; else those that are slow."""
    known = profiles(case)
    slow = [name for name in asking if known[name].slow > 0]
    printed = {
        name: [item for item in statements(case) if item.workload == name and _over_and_over(case, item)]
        for name in slow
    }
    loud = [name for name in slow if printed[name]]
    return [(name, printed[name]) for name in loud or slow]


def _over_and_over(case: CaseFile, item: Statement) -> bool:
    start = incident_start(case)
    earlier, since = max(start - case.window.start.timestamp(), 1.0), max(case.now.timestamp() - start, 1.0)
    often = item.since * earlier > _REPEATED * item.before * since
    return item.since >= _LEAST and often and _QUERY.search(item.sample) is not None


def _finding(
    case: CaseFile, caller: ObjectRef, called: Sequence[str], fault: str, strength: float, facts: tuple[Fact, ...]
) -> Finding:
    names = ", ".join(called) or "others"
    return Finding(
        analyzer="calls_per_request",
        fault=fault,
        object=caller,
        strength=strength,
        statement=f"{caller.name} makes more calls to {names} for each request than it used to.",
        facts=facts,
        onset=facts[0].time,
        explains=tuple(object_of(case, name) for name in called),
        distinguish=f"calls to {names} per request of {caller.name}, from one trace",
    )
