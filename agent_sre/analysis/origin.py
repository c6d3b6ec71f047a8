"""Where trouble begins among many troubled workloads: the origin against its victims.

A slow callee makes its callers slow, and a failing one makes them fail, so the loudest workload is often a victim.
The measure is physical: the extra seconds (or failures) per second that a workload adds contain those of the
workloads it calls. What is left after taking those off is its own share, and the origin is where most of the own
share lies. A callee that nobody called before the incident is no origin: its caller began to do something else. Why
the origin is slow is said by its CPU, throttling, calls and traffic where they are known (``mechanism``); where they
are not, the finding says so and stays weak. Not here: which change did it (``changes``).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agent_sre.analysis.calls import Calls, calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, alerted, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.domain.finding import Fact, Finding

_ERROR_WORDS = re.compile(r"avail|error|5xx|fail|success|exception", re.IGNORECASE)
_LATENCY_WORDS = re.compile(r"laten|slow|duration|response.?time|p9\d", re.IGNORECASE)
_SHORTAGES = (
    ("gc", "gc_pressure", 0.1),
    ("pool_waiting", "connection_pool_exhausted", 1.0),
    ("disk", "pod_disk_io_saturation", 0.8),
)
"""Meanings that say why a workload waits, the fault, and the least that counts, in the signal's unit."""
_MOST = 5


@dataclass(frozen=True, slots=True)
class Share:
    """One workload's own share of the trouble: ``own`` of its ``whole`` excess, and its part in all own shares."""

    name: str
    own: float
    whole: float
    part: float


def symptom(case: CaseFile) -> str:
    """What the alerts complain of: "errors" or "latency"; where they do not say, what the alerted workloads show."""
    meanings = {signal.metric: signal.meaning for signal in reversed(case.signals)}
    for alert in case.alerts:
        meaning = meanings.get(alert.annotations.get("metric", ""), "")
        if meaning in ("errors", "availability"):
            return "errors"
        if meaning in ("latency", "client_latency"):
            return "latency"
    words = " ".join(f"{alert.name} {alert.annotations.get('summary', '')}" for alert in case.alerts)
    if bool(_ERROR_WORDS.search(words)) != bool(_LATENCY_WORDS.search(words)):
        return "errors" if _ERROR_WORDS.search(words) else "latency"
    known = profiles(case)
    own = [known[name] for name in sorted(alerted(case)) if name in known] or list(known.values())
    return "errors" if any(profile.failing >= 0.01 for profile in own) else "latency"


def shares(case: CaseFile, kind: str) -> tuple[Share, ...]:
    """Own shares of the excess of one kind, the largest first; only what the alerted workloads reach, if they do."""
    known = profiles(case)
    graph = calls(case)
    names = alerted(case) & set(known)
    reached = graph.reached(names) if names else frozenset(known)
    excess = _excess({name: profile for name, profile in known.items() if profile.known and name in reached}, kind)
    found = [(name, _own(name, excess, graph), excess[name]) for name in sorted(reached & set(excess))]
    total = sum(own for _, own, _ in found)
    if total <= 0:
        return ()
    ranked = sorted(found, key=lambda item: (-item[1], item[0]))
    return tuple(Share(name, own, whole, own / total) for name, own, whole in ranked if own > 0)


def _excess(known: Mapping[str, Profile], kind: str) -> dict[str, float]:
    """Extra failures or waiting by workload: per second where all that suffer have known traffic, else per request."""
    plain = {name: profile.failing if kind == "errors" else profile.slow for name, profile in known.items()}
    if any(value > 0 and known[name].traffic is None for name, value in plain.items()):
        return plain
    return {name: value * known[name].requests for name, value in plain.items()}


def _own(name: str, excess: dict[str, float], graph: Calls) -> float:
    passed_on = sum(excess.get(callee, 0.0) for callee in graph.callees.get(name, ()))
    return max(excess[name] - passed_on, 0.0)


def origins(case: CaseFile) -> Iterable[Finding]:
    """The workloads in which the alerted trouble begins, as findings; nothing where metrics show no excess."""
    kind = symptom(case)
    ranked = shares(case, kind) or shares(case, "errors" if kind == "latency" else "latency")
    if ranked and not shares(case, kind):
        kind = "errors" if kind == "latency" else "latency"
    for place, share in enumerate(ranked[:_MOST]):
        finding = _finding(case, share, place, kind)
        if finding is not None:
            yield finding


def _finding(case: CaseFile, share: Share, place: int, kind: str) -> Finding | None:
    profile = profiles(case)[share.name]
    moved = _evidence(profile, kind)
    if moved is None:
        return None
    fault, reasons, sharp = mechanism(case, profile, kind)
    what = "failures begin" if kind == "errors" else "waiting begins"
    lead = moved.fact(
        f"{share.name}: {moved.signal.source.name} went from {number(moved.before)} to {number(moved.after)} "
        f"{moved.signal.unit}"
    )
    strength = (0.76 if sharp else 0.66) * share.part**0.5 * (1.0 if place == 0 else 0.6)
    if kind == "latency" and not (sharp or moved.strong):
        strength *= 0.5
    return Finding(
        analyzer="origin",
        fault=fault,
        object=object_of(case, share.name, profile.entity.namespace),
        strength=round(min(strength, 0.8), 3),
        statement=f"The extra {what} in {share.name}: what it adds is not explained by what it calls.",
        facts=(lead, *reasons),
        onset=lead.time,
        explains=tuple(object_of(case, name) for name in calls(case).callers.get(share.name, ())),
        distinguish=f"profile or trace one slow or failed request inside {share.name}",
    )


def _evidence(profile: Profile, kind: str) -> Departure | None:
    """The departure that shows the excess best: in the bad direction, the largest first."""
    meanings = ("errors", "availability", "traffic") if kind == "errors" else ("latency",)
    for meaning in meanings:
        for moved in profile.departures.get(meaning, ()):
            if meaning == "traffic" and moved.signal.role != "errors":
                continue
            if (moved.after < moved.before) == (meaning == "availability") and moved.after != moved.before:
                return moved
    return None


def mechanism(case: CaseFile, profile: Profile, kind: str) -> tuple[str, tuple[Fact, ...], bool]:
    """The fault type that the workload's other signals speak for, the facts, and whether it is more than a guess."""
    name = profile.entity.name
    cpu = busier(profile)
    if cpu is not None:
        text = f"{name} uses {number(cpu.after)} instead of {number(cpu.before)} {cpu.signal.unit} of CPU"
        return "pod_cpu_overload", (cpu.fact(text),), True
    throttled = profile.strongest("throttling")
    if throttled is not None and throttled.strong and throttled.after > max(throttled.before, 0.1):
        text = f"{name} is throttled {number(throttled.after)} instead of {number(throttled.before)}"
        return "pod_cpu_throttled", (throttled.fact(text),), True
    for meaning, fault, least in _SHORTAGES:
        short = profile.strongest(meaning)
        if short is not None and short.strong and short.after >= max(least, 2 * short.before):
            text = f"{name} shows {number(short.after)} instead of {number(short.before)} of {short.signal.source.name}"
            return fault, (short.fact(text),), True
    if kind == "errors":
        return "unhandled_exception", (), False
    return "pod_network_delay", (), False


def busier(profile: Profile) -> Departure | None:
    """CPU use that rose by half or more, also per request where fewer requests are served; None where it did not."""
    if not any(item.meaning == "cpu" and item.entity.kind == "workload" for item in profile.signals.get("cpu", [])):
        return None
    served = profile.traffic.ratio if profile.traffic is not None and 0 < profile.traffic.ratio < 1 else 1.0
    for moved in profile.departures.get("cpu", ()):
        if moved.after <= 0 or moved.before < 0:
            continue
        per_request = moved.ratio / max(served, 0.05)
        if moved.strong and moved.z > 0 and moved.ratio >= 1.5:
            return moved
        if per_request >= 3 and moved.ratio >= 1.2:
            return moved
        # A rate over the first minute holds half a quiet minute: one sample far up is enough where it is the last.
        if moved.highest >= 3 * moved.before > 0:
            return replace(moved, after=moved.highest)
    return None
