"""That nothing is wrong now: the alert has cleared, or what it watches is at its usual level.

Said with confidence only where the alert itself has cleared. While it fires, calm signals are no proof that nobody
suffers, so the finding is weak: it tells what was looked at where nothing else was found, and gives way to any cause.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import incident_start, number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.observability import anybody_suffers
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.finding import Fact, Finding

_FIRING = 0.2


def no_fault_found(case: CaseFile) -> Iterable[Finding]:
    """Alerts that have cleared, or whose workload shows nothing out of the ordinary now."""
    cleared = all(alert.status is AlertStatus.RESOLVED for alert in case.alerts)
    named = {alert.service for alert in case.alerts if alert.service}
    watched = sorted(named) if named or not cleared else _disturbed(case)
    known = [profiles(case)[name] for name in watched if name in profiles(case)]
    if not known or len(known) < len(watched) or (not cleared and anybody_suffers(case)):
        return
    calm = [fact for profile in known for fact in _back_to_normal(case, profile)]
    if not calm or len(calm) < len(known):
        return
    yield Finding(
        analyzer="no_fault_found",
        fault="no_fault_found",
        object=object_of(case, watched[0], known[0].entity.namespace),
        strength=0.8 if cleared else _FIRING,
        statement="Nothing is out of order now" + (": the alert has cleared." if cleared else "."),
        facts=tuple(calm[:4]),
        distinguish="the signal of the alert for another quarter of an hour",
    )


def _disturbed(case: CaseFile) -> list[str]:
    """Where the alert named nobody: whose latency or failures left their usual level, the farthest first."""
    far: dict[str, float] = {}
    for name, profile in profiles(case).items():
        for meaning in ("latency", "errors", "traffic"):
            for moved in profile.departures.get(meaning, ()):
                if moved.strong and moved.z > 0 and (meaning != "traffic" or moved.signal.role == "errors"):
                    far[name] = max(far.get(name, 0.0), moved.z)
    return sorted(far, key=lambda name: (-far[name], name))


def _back_to_normal(case: CaseFile, profile: Profile) -> Iterator[Fact]:
    """The workload's symptoms, each at its usual level over the last minutes; nothing where one is not."""
    facts = []
    for meaning in ("latency", "errors", "traffic"):
        for item in profile.signals.get(meaning, ()):
            usual, last = item.values[item.times < incident_start(case)], item.values[-6:]
            if usual.size < 5 or last.size < 3:
                continue
            before, now = float(np.median(usual)), float(np.median(last))
            noise = max(1.4826 * float(np.median(np.abs(usual - before))), 0.1 * abs(before))
            bad = now - before if meaning != "traffic" or item.role == "errors" else abs(now - before)
            if bad > 3 * noise and bad > 1e-3:
                return
            shown = f"usual {number(before)}, last samples {number(now)}: {item.source}"
            facts.append(
                Fact(
                    f"{item.source.name} of {profile.entity.name} is at {number(now)}, usually {number(before)}",
                    item.observation,
                    shown,
                )
            )
    yield from facts
