"""What happened in a case, source by source, whether or not a hypothesis cites it: the raw material of the timeline.

A reader who doubts the leading cause wants to see the change that nobody blamed and the warning that nobody used, so
each source is told whole, in the order of how much it matters: what concerns the objects under suspicion first, then
what lies nearest to the incident's start. The moment is when a thing began: an Event's first occurrence, a statement's
first line, a signal's first sample beyond half way. Not here: which of these are shown (``chronicle``).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.departures import Departure, departures, incident_start, number
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, message, show_value
from agent_sre.analysis.kubernetes.reading import instant, text
from agent_sre.analysis.kubernetes.workload import revision_path
from agent_sre.analysis.log_entries import statements
from agent_sre.analysis.log_records import ERROR
from agent_sre.analysis.rollout import change_of, rollouts
from agent_sre.analysis.signals import measured
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.telemetry import Change
from agent_sre.domain.visible import one_line

LONGEST_TEXT = 220
_FELT = ("latency", "errors", "availability", "traffic", "saturation")
"""Meanings that users feel, which are told before resources are."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened at a ``time``; ``plain`` says it where the fact's own words do not stand."""

    kind: str
    time: datetime
    fact: Fact
    actor: str
    plain: str = ""


Rank = tuple[float, ...]
Ranked = tuple[Rank, Happening]


def happenings(case: CaseFile, suspects: frozenset[str]) -> dict[str, list[Happening]]:
    """What happened by kind, what matters most first. ``suspects`` are the names that the hypotheses speak about."""
    start = incident_start(case)
    sources: dict[str, Iterable[Ranked]] = {
        "change": (*_changes(case, start), *_rollouts(case, start)),
        "alert": _alerts(case),
        "onset": _onsets(case, suspects),
        "event": _warnings(case, suspects, start),
        "error": _errors(case, suspects),
    }
    return {
        kind: [item for _, item in sorted(found, key=lambda pair: (pair[0], pair[1].fact.text))]
        for kind, found in sources.items()
    }


def change_told(change: Change) -> str:
    """A recorded change in words."""
    return one_line(f"{change.kind} of {change.target}: {change.summary}", LONGEST_TEXT)


def _apart(moment: datetime, start: float) -> float:
    """How far from the incident's start: what came after it cannot have caused it, so it counts as twice as far."""
    after = moment.timestamp() - start
    return 2 * after if after > 0 else -after


def _changes(case: CaseFile, start: float) -> Iterator[Ranked]:
    for seen in case.changes:
        change = seen.value
        told, by = change_told(change), f" by {change.author}" if change.author else ""
        shown = f"{format_instant(change.time)} {change.id}{by}: {told}"
        found = Fact(told, seen.observation, shown, change.time)
        yield (_apart(change.time, start),), Happening("change", change.time, found, change.author or "changes")


def _rollouts(case: CaseFile, start: float) -> Iterator[Ranked]:
    """Rollouts that the cluster's own objects show and no record tells of."""
    recorded = {seen.value.id for seen in case.changes}
    for rollout in rollouts(cluster_of(case), case.now):
        if change_of(case, rollout) not in recorded:
            told = f"{rollout.workload.ref} was rolled out as revision {rollout.revision}"
            after, made = rollout.after, ("metadata", "creationTimestamp")
            found = fact(told, after, revision_path(after.value), made, time=rollout.moment)
            yield (_apart(rollout.moment, start),), Happening("change", rollout.moment, found, "kubernetes")


def _alerts(case: CaseFile) -> Iterator[Ranked]:
    """Firing alerts, those of one name and service once, from the first on."""
    holders = {
        str(rule.get("name", "")): seen for seen in case.observations.values() for rule in seen.rules if seen.rules
    }
    first: dict[tuple[str, str], Alert] = {}
    for alert in sorted(case.alerts, key=lambda item: item.starts_at):
        if alert.status is AlertStatus.FIRING:
            first.setdefault((alert.name, alert.service), alert)
    for alert in first.values():
        holder: Observation | None = holders.get(alert.name)
        if holder is not None:
            told = one_line(f"{alert.name} fires: {alert.summary}", LONGEST_TEXT)
            shown = f"{format_instant(alert.starts_at)} {told}"
            found = Fact(told, holder.id, shown, alert.starts_at)
            yield (alert.starts_at.timestamp(),), Happening("alert", alert.starts_at, found, alert.source)


def _onsets(case: CaseFile, suspects: frozenset[str]) -> Iterator[Ranked]:
    """Signals that clearly left their usual level, the strongest of each thing and meaning."""
    strongest: dict[tuple[object, str], Departure] = {}
    for moved in departures(case, measured(case)):
        key = moved.signal.entity, moved.signal.meaning
        if moved.strong and (key not in strongest or abs(moved.z) > abs(strongest[key].z)):
            strongest[key] = moved
    for moved in strongest.values():
        signal = moved.signal
        unit = signal.unit.replace("_", " ")
        what = f"{signal.meaning.replace('_', ' ')} of {signal.entity.name}"
        told = f"{what} went from {number(moved.before)} to {number(moved.after)} {unit}"
        felt = _FELT.index(signal.meaning) if signal.meaning in _FELT else len(_FELT)
        rank = (float(signal.entity.name not in suspects), float(felt), -abs(moved.z))
        begun = datetime.fromtimestamp(moved.start, UTC)
        yield rank, Happening("onset", begun, moved.fact(told[0].upper() + told[1:]), signal.source.name)


def _warnings(case: CaseFile, suspects: frozenset[str], start: float) -> Iterator[Ranked]:
    """Warning Events of the window, one for each reason and workload, as of its first occurrence in the window."""
    cluster = cluster_of(case)
    first: dict[tuple[str, ObjectRef], tuple[datetime, Seen[K8sObject]]] = {}
    for seen in case.objects("Event"):
        moment = _began(case, seen.value) if text(seen.value, "type") == "Warning" else None
        if moment is not None:
            key = text(seen.value, "reason"), cluster.workload_of(_subject(seen.value))
            if key not in first or moment < first[key][0]:
                first[key] = moment, seen
    for (reason, owner), (moment, seen) in first.items():
        subject = _subject(seen.value)
        plain = f"{reason} on {subject.kind} {subject.name}"
        found = replace(event_fact(seen, f"{plain}: {show_value(message(seen.value))}"), time=moment)
        rank = (float(owner.name not in suspects), float(case.get(subject) is None), _apart(moment, start))
        yield rank, Happening("event", moment, found, "kubernetes", plain)


def _began(case: CaseFile, event: K8sObject) -> datetime | None:
    """The event's first occurrence in the window, as far as its two times tell; None where it has none in it."""
    times = (instant(event, "firstTimestamp"), event_time(event))
    return next((time for time in times if time is not None and case.window.contains(time)), None)


def _subject(event: K8sObject) -> ObjectRef:
    kind = "involvedObject" if "involvedObject" in event else "regarding"
    return ObjectRef(text(event, kind, "kind"), text(event, kind, "namespace"), text(event, kind, "name"))


def _errors(case: CaseFile, suspects: frozenset[str]) -> Iterator[Ranked]:
    """Errors that no log had before the incident, as of their first line. Where a log begins with the incident, each
    of its lines is a first one, so there only suspects are heard, and after the others."""
    for item in statements(case):
        suspected, moment = item.workload in suspects, item.first
        if item.severity < ERROR or not item.new or moment is None or not case.window.contains(moment):
            continue
        if item.timed or suspected:
            verb = "first logs" if item.timed else "logs"
            found = item.fact(f"{item.workload} {verb} {item.quoted}")
            rank = (float(not item.timed), float(not suspected), moment.timestamp())
            yield rank, Happening("error", moment, found, item.source, f"{item.workload} {verb} an error")
