"""Where trouble begins among many troubled workloads: the origin against its victims.

A slow callee makes its callers slow, and a failing one makes them fail, so the loudest workload is often a victim.
The measure is physical: the extra seconds (or failures) per second that a workload adds contain those of the
workloads it calls. What is left after taking those off is its own share, and the origin is where most of the own
share lies. A callee that nobody called before the incident is no origin: its caller began to do something else. Why
the origin is slow is said by its CPU, throttling, calls and traffic where they are known (``mechanism``); where they
are not, the finding says so and stays weak. Not here: which change did it (``changes``).
"""

import re
from collections.abc import Iterable

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, alerted, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.resources import Sign
from agent_sre.analysis.slow_requests import slow_request_facts
from agent_sre.analysis.suspects import Suspect, suspects
from agent_sre.domain.finding import Fact, Finding

_ERROR_WORDS = re.compile(r"avail|error|5xx|fail|success|exception", re.IGNORECASE)
_LATENCY_WORDS = re.compile(r"laten|slow|duration|response.?time|p9\d", re.IGNORECASE)
_SYMPTOMS = ("latency", "errors", "availability")
_SHARP, _GUESS, _GUESS_WITH_LOGS = 0.84, 0.78, 0.64
"""Strength of an origin whose resources name the mechanism, and of one whose mechanism is a guess: where logs were read
and did not say it, the guess is worth less."""
_MOST = 5
_EXPECTED = 0.5
"""What is left of an origin whose symptom comes at this hour, day or week anyway."""


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


def origins(case: CaseFile) -> Iterable[Finding]:
    """The workloads in which the alerted trouble begins, as findings; nothing where metrics show no excess."""
    kind = symptom(case)
    ranked = suspects(case, kind)
    felt = significance(case)
    for place, suspect in enumerate(ranked[:_MOST]):
        finding = _finding(case, suspect, place, felt)
        if finding is not None:
            yield finding


def significance(case: CaseFile) -> float:
    """How surely users feel anything: 1 where the alerted workloads' symptoms are plain, less where they are not.

    0.58 where no symptom is measured at all: then resources speak alone.
    """
    known = profiles(case)
    names = [name for name in sorted(alerted(case)) if name in known]
    own = [known[name] for name in names] or list(known.values())
    seen = [item for item in own if any(item.signals.get(meaning) for meaning in _SYMPTOMS)]
    if not seen:
        return 0.58
    if any(_suffers(item) for item in seen):
        return 1.0
    # What is called rarely hurts few of the entry's requests, but those plainly.
    reached = calls(case).reached(frozenset(names)) if names else frozenset(known)
    return 0.9 if any(_plainly(known[name]) for name in reached if name in known) else 0.45


def _suffers(profile: Profile) -> bool:
    if profile.failing >= 0.01 or profile.slowdown >= 0.15:
        return True
    return any(moved.strong and moved.z > 0 for moved in profile.departures.get("latency", ()))


def _plainly(profile: Profile) -> bool:
    return any(moved.strong and moved.z >= 8 and moved.ratio >= 2 for moved in profile.departures.get("latency", ()))


def _finding(case: CaseFile, suspect: Suspect, place: int, felt: float) -> Finding | None:
    profile = suspect.profile
    main = "errors" if suspect.failing > suspect.waiting else "latency"
    moved = _evidence(profile, main) or _evidence(profile, "errors" if main == "latency" else "latency")
    facts = list(_signs_told(suspect.signs))
    if moved is not None:
        facts.insert(
            0,
            moved.fact(
                f"{suspect.name}: {moved.signal.source.name} went from {number(moved.before)} to "
                f"{number(moved.after)} {moved.signal.unit}"
            ),
        )
    facts += _callers_told(case, suspect) if suspect.network or not facts else ()
    if not facts:
        return None
    facts += slow_request_facts(case, suspect.name) if main == "latency" else ()
    sharp = bool(suspect.signs) and suspect.signs[0].sharp
    if not sharp and _loaded(profile):
        felt *= 0.6
    usual = moved.usual_facts(f"{moved.signal.source.name} of {suspect.name} does so") if moved is not None else ()
    felt *= _EXPECTED if usual else 1.0
    strength = (
        (_SHARP if sharp else _GUESS_WITH_LOGS if case.streams else _GUESS)
        * suspect.part**0.2
        * (1.0 if place == 0 else 0.7)
        * felt
    )
    return Finding(
        analyzer="origin",
        fault=_fault(suspect, main),
        object=object_of(case, suspect.name, profile.entity.namespace),
        strength=round(strength, 3),
        statement=_statement(suspect, main),
        facts=tuple(facts),
        against=usual,
        onset=facts[0].time,
        explains=tuple(object_of(case, name) for name in calls(case).callers.get(suspect.name, ())),
        distinguish=f"profile or trace one slow or failed request inside {suspect.name}",
    )


def _loaded(profile: Profile) -> bool:
    """Whether it gets more requests than usual: then it may be slow for that reason alone."""
    return profile.traffic is not None and profile.traffic.ratio >= 1.2 and profile.traffic.z >= 3


def _fault(suspect: Suspect, main: str) -> str:
    if suspect.signs:
        return suspect.signs[0].fault
    return "unhandled_exception" if main == "errors" else "pod_network_delay"


def _statement(suspect: Suspect, main: str) -> str:
    if suspect.waiting <= 0 and suspect.failing <= 0 and not suspect.network:
        return f"The resources of {suspect.name} left their usual level with the incident."
    if suspect.network:
        return f"All that call {suspect.name} wait for it, more than they add themselves."
    what = "failures begin" if main == "errors" else "waiting begins"
    return f"The extra {what} in {suspect.name}: what it adds is not explained by what it calls."


def _signs_told(signs: tuple[Sign, ...]) -> tuple[Fact, ...]:
    return tuple(sign.fact for sign in signs[:4])


def _callers_told(case: CaseFile, suspect: Suspect) -> list[Fact]:
    """What its callers show, where the workload itself shows nothing."""
    known, facts = profiles(case), []
    for name in calls(case).callers.get(suspect.name, ()):
        moved = _evidence(known[name], "latency") if name in known else None
        if moved is not None:
            level = f"{number(moved.after)} instead of {number(moved.before)} {moved.signal.unit}"
            facts.append(moved.fact(f"{name}, which calls it, shows {level} of {moved.signal.source.name}"))
    return facts[:3]


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
