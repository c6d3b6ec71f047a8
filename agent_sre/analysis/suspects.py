"""How suspect each workload is of being the origin: what it adds to the trouble, and what its own resources say.

Three kinds of evidence are added as logarithms, as a naive Bayes classifier would. Its *share*: the part of the extra
waiting or failing that is left to a workload when what its callees add is taken off; where nobody knows who calls
whom, its relative slowdown, since a victim waits for the same seconds on top of its own and so slows down by a smaller
factor than the origin. Its *signs* (``resources``): the weightiest counts whole, further ones in part. Its *place*:
something that the alerted workloads do not depend on is unlikely. Workloads that share a callee whose network is slow
each look guilty; then the callee may explain them all. Without any latency or failures, the requests under way (open
sockets, busy threads) stand for waiting: by Little's law they are the same thing times the traffic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from weakref import WeakKeyDictionary

from agent_sre.analysis.calls import Calls, calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import alerted
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.resources import Sign, signs

_LEAST = 0.02
_FAR = 2.0
_SHARED = 0.5
_NEW = 3.0
_FURTHER = 0.3
_NOBODY = 0.15
"""The standing of the hypothesis that it is none of them."""
_ASKED = ("latency", "errors", "traffic", "sockets", "threads_used")
"""Meanings that say of a workload that somebody waits for it."""
_LEAST_SLOWER = 0.05
_LEAST_FAILING = 0.005
"""Shares of the users' usual waiting, and of their requests, that count for little."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One workload: its share of the trouble by kind, its signs, and ``part``, its probability among all suspects."""

    name: str
    profile: Profile
    waiting: float
    failing: float
    signs: tuple[Sign, ...]
    score: float
    part: float
    network: bool
    """Whether what speaks against it is that all who call it wait."""


_KEPT: "WeakKeyDictionary[CaseFile, tuple[Suspect, ...]]" = WeakKeyDictionary()


def suspects(case: CaseFile, kind: str) -> tuple[Suspect, ...]:
    """All workloads with anything against them, the most suspect first. ``kind``: "latency" or "errors"."""
    kept = _KEPT.get(case)
    if kept is None:
        kept = _KEPT[case] = _weigh(case, kind)
    return kept


def _weigh(case: CaseFile, kind: str) -> tuple[Suspect, ...]:
    known, graph = profiles(case), calls(case)
    names = alerted(case) & set(known)
    reached = graph.reached(names) if names and not graph.empty else frozenset(known)
    users = [known[name] for name in sorted(names)] or list(known.values())
    waiting, shared = _waiting(known, graph, reached, users)
    failures = {name: profile.failing * profile.requests for name, profile in known.items() if profile.known}
    least = _LEAST_FAILING * sum(profile.requests for profile in users)
    failing = _shares(failures, graph, reached, least)
    found = []
    for name, profile in known.items():
        own_signs = signs(case, profile)
        wait, fail = waiting.get(name, 0.0), failing.get(name, 0.0)
        common = shared.get(name, 0.0)
        if max(wait, fail, common) <= 0 and not own_signs:
            continue
        main, other = (fail, wait) if kind == "errors" else (wait, fail)
        share = max(main, 0.4 * other, _SHARED * common)
        score = log(share + _LEAST) + _told(own_signs)
        score -= _FAR * (name not in reached) + _NEW * (not profile.known)
        found.append((score, name, wait, fail, _SHARED * common > max(main, 0.4 * other)))
    total = sum(exp(item[0]) for item in found) + _NOBODY
    ranked = sorted(found, key=lambda item: (-item[0], item[1]))
    return tuple(
        Suspect(name, known[name], wait, fail, signs(case, known[name]), score, exp(score) / total, network)
        for score, name, wait, fail, network in ranked
    )


def _told(found: tuple[Sign, ...]) -> float:
    """Weight of the signs together: one of each fault type, the first whole, further ones in part."""
    best: dict[str, float] = {}
    for sign in found:
        best.setdefault(sign.fault, sign.weight)
    return sum(weight if place == 0 else _FURTHER * weight for place, weight in enumerate(best.values()))


def _waiting(
    known: Mapping[str, Profile], graph: Calls, reached: frozenset[str], users: Sequence[Profile]
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Shares of the extra waiting, and what a callee with a slow network would explain of its callers' shares."""
    extra = {name: profile.slow * profile.requests for name, profile in known.items() if profile.known}
    least = _LEAST_SLOWER * sum(profile.usual * profile.requests for profile in users)
    if not any(extra.values()):
        least = 0.0
        extra = {name: profile.queued for name, profile in known.items() if profile.known}
        relative = {name: profile.queued / max(profile.queue, 1.0) for name, profile in known.items()}
    else:
        relative = {name: profile.slowdown for name, profile in known.items()}
    if graph.empty:
        return _relative(relative), {}
    asked = frozenset(name for name in extra if any(known[name].signals.get(meaning) for meaning in _ASKED))
    everywhere = _shares(extra, graph, frozenset(extra), least)
    return _shares(extra, graph, reached, least), _common(everywhere, graph, asked)


def _common(own: Mapping[str, float], graph: Calls, measured: frozenset[str]) -> Mapping[str, float]:
    """What each callee's network would explain: its callers' shares, where all of them, or its only one, have some.

    One caller that waits may wait for any of its callees; several at once have little else in common. A caller of which
    nothing is measured, such as a worker at a queue, says nothing.
    """
    common: dict[str, float] = {}
    for name, every in graph.callers.items():
        callers = [caller for caller in every if caller in measured]
        hurt = [caller for caller in callers if own.get(caller, 0.0) > _LEAST]
        if len(hurt) >= 2:
            part = len(hurt) / len(callers)
            common[name] = part * (own.get(name, 0.0) + sum(own[caller] for caller in hurt))
        elif hurt and len(callers) == 1:
            common[name] = own.get(name, 0.0) + own[hurt[0]] / len(graph.callees[hurt[0]])
    return common


def _shares(extra: Mapping[str, float], graph: Calls, reached: frozenset[str], least: float) -> Mapping[str, float]:
    """What is left of each workload's excess when its callees' is taken off, as shares of all that is left.

    ``least`` is an excess that users would hardly feel: against it, small ones get small shares.
    """
    own = {
        name: max(value - sum(extra.get(callee, 0.0) for callee in graph.callees.get(name, ())), 0.0)
        for name, value in extra.items()
        if name in reached and value > 0
    }
    total = sum(own.values()) + least
    return {name: value / total for name, value in own.items() if value > 0} if total > 0 else {}


def _relative(slowdown: Mapping[str, float]) -> Mapping[str, float]:
    """Shares by relative slowdown, squared: without a call graph the steepest stands out."""
    squares = {name: value * value for name, value in slowdown.items() if value > 0}
    total = sum(squares.values()) + _LEAST_SLOWER
    return {name: value / total for name, value in squares.items()} if total > 0 else {}
