"""Causes that nobody in the cluster brought about: more requests than usual, and providers that fail.

A surge shows where requests come in: the entry's own traffic rises, with or before the latency, and everything behind
it rises along. Where a callee's traffic rises and its caller's does not, it is none: the caller makes more calls for
each request (``calls_per_request``). A provider's failure is believed more when two sources agree: logs of the workload
that calls it, its own status feed, or metrics about it.
"""

from collections.abc import Iterable, Mapping

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, alerted, departures, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.signals import about
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.visible import one_line

_SURGE = 1.8


def surge(case: CaseFile) -> tuple[Profile, Departure] | None:
    """The entry whose traffic rose by 80 % or more with the incident, and that rise; None where there is none."""
    known, graph = profiles(case), calls(case)
    names = [name for name in sorted(alerted(case)) if name in known] or list(known)
    entries = [name for name in sorted(graph.roots()) if name in known and name in _upstream(graph.callers, names)]
    for name in (*entries, *(name for name in names if name not in entries)):
        moved = known[name].traffic
        if moved is None or not moved.strong or moved.ratio < _SURGE or moved.after <= 0:
            continue
        callers = [known[caller].traffic for caller in graph.callers.get(name, ()) if caller in known]
        if any(caller is not None and caller.ratio < 0.6 * moved.ratio for caller in callers):
            continue
        return known[name], moved
    return None


def _upstream(callers: Mapping[str, tuple[str, ...]], names: list[str]) -> set[str]:
    found, todo = set(names), list(names)
    while todo:
        for caller in callers.get(todo.pop(), ()):
            if caller not in found:
                found.add(caller)
                todo.append(caller)
    return found


def traffic_surge(case: CaseFile) -> Iterable[Finding]:
    """More requests than usual at the entry, where something suffers from it."""
    found = surge(case)
    if found is None:
        return
    profile, moved = found
    name = profile.entity.name
    along = [
        other.traffic
        for other in profiles(case).values()
        if other.entity.name != name
        and other.traffic is not None
        and other.traffic.strong
        and other.traffic.ratio >= _SURGE
    ]
    facts = [
        moved.fact(f"{name} gets {number(moved.after)} requests, usually {number(moved.before)} {moved.signal.unit}")
    ]
    facts += [
        rise.fact(f"{rise.signal.entity.name} gets {number(rise.after)} instead of {number(rise.before)}")
        for rise in along[:3]
    ]
    suffers = [other for other in profiles(case).values() if other.slow > 0 or other.failing > 0.01]
    yield Finding(
        analyzer="traffic_surge",
        fault="traffic_surge",
        object=object_of(case, name, profile.entity.namespace),
        strength=0.74 if suffers else 0.4,
        statement=f"{name} gets {number(moved.ratio)} times its usual requests, and what is behind it suffers.",
        facts=(*facts, _ratio_fact(moved)),
        onset=facts[0].time,
        explains=tuple(object_of(case, other.entity.name) for other in suffers[:10]),
        distinguish="requests by client, path and user agent since then",
    )


def _ratio_fact(moved: Departure) -> Fact:
    ratio = number(moved.ratio)
    fact = moved.fact(f"That is {ratio} times the usual")
    return Fact(fact.text, fact.observation, f"{fact.excerpt}; ratio {ratio}", fact.time)


def provider_outage(case: CaseFile) -> Iterable[Finding]:
    """An outside provider that its own feed or a metric about it says is failing, and the workload that calls it."""
    graph = calls(case)
    evidence: dict[str, list[Fact]] = {}
    for moved in departures(case, about(case, "errors", "external")):
        if moved.strong and moved.after > moved.before:
            name = moved.signal.entity.name
            evidence.setdefault(name, []).append(
                moved.fact(
                    f"Failures of {name} rose from {number(moved.before)} to {number(moved.after)} {moved.signal.unit}"
                )
            )
    for seen in case.changes:
        change = seen.value
        if "status page" not in change.summary.lower() and "incident" not in change.kind.lower():
            continue
        name = change.target.split(" ", 1)[0]
        text = one_line(f"{format_instant(change.time)} {change.target}: {change.summary}", 300)
        evidence.setdefault(name, []).append(
            Fact(f"The status page of {name} reports trouble", seen.observation, text, change.time)
        )
    for name, facts in sorted(evidence.items()):
        callers = graph.callers.get(name, ())
        troubled = [caller for caller in callers if caller in alerted(case)] or list(callers)
        target = object_of(case, troubled[0]) if troubled else object_of(case, name)
        yield Finding(
            analyzer="provider_outage",
            fault="upstream_provider_outage",
            object=target,
            strength=0.82 if len({fact.observation for fact in facts}) > 1 else 0.66,
            statement=f"{name}, an outside provider, fails.",
            facts=tuple(facts[:4]),
            onset=min((fact.time for fact in facts if fact.time), default=None),
            explains=tuple(object_of(case, caller) for caller in callers),
            distinguish=f"the status page of {name}",
        )
