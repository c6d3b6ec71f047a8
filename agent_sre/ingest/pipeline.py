"""The intake pipeline: what becomes of each alert message, as a pure function of the messages and of what is known.

Called by ``service.fold_alerts``, which loads what is known, and stores the outcome in one transaction per incident. A
stage that is added here is one file and one line.

Messages of one alert pass in the order of their arrival; alerts and groups pass in the order in which they began to
fire, so that what opens an incident and what joins it does not depend on which of them was faster.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.placement import Binding, BindingKind, Placement
from agent_sre.ingest.attach import attach
from agent_sre.ingest.correlate import correlate
from agent_sre.ingest.deduplicate import deduplicate
from agent_sre.ingest.flapping import flapping
from agent_sre.ingest.group import group, group_key_of
from agent_sre.ingest.hold import review
from agent_sre.ingest.known import Held, Known
from agent_sre.ingest.locate import locate
from agent_sre.ingest.placing import placed
from agent_sre.ingest.prioritize import prioritize
from agent_sre.ingest.settle import settle
from agent_sre.ingest.step import Decision, Reason, Step
from agent_sre.ingest.storm import storm_keys
from agent_sre.ingest.suppress import suppress

STAGES = (
    group,
    deduplicate,
    locate,
    correlate,
    attach,
    suppress,
)
"""In the order in which a message passes them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One incident after the messages, what was decided about each in order, and whether all is over now ("" if not).

    ``before`` is the incident as it was, None for a new one; ``positions`` are the messages' places in the sequence
    that was handed in, none where the incident only gained or lost parts; ``told`` are further sentences;
    ``held`` is one where the incident is left alone from now on, or taken up.
    """

    incident: Incident
    decisions: tuple[Decision, ...]
    positions: tuple[int, ...]
    settled: str
    before: Incident | None = None
    placements: tuple[Placement, ...] = ()
    bindings: tuple[Binding, ...] = ()
    told: tuple[str, ...] = ()
    held: str = ""


@dataclass(slots=True)
class _Open:
    """An outcome in the making."""

    before: Incident | None
    decisions: dict[int, Decision] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    bindings: dict[tuple[BindingKind, str], Binding] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def run(alerts: Sequence[Alert], known: Known, now: datetime, new_id: Callable[[], str]) -> tuple[Outcome, ...]:
    """Pass the messages through all stages; one outcome for each incident that they touch, those of parts last.

    ``known`` is brought up to date as they pass; ``new_id`` gives the id of an incident that has to be opened.
    """
    outcomes: dict[str, _Open] = {}
    for position in _order(alerts):
        step = Step(alerts[position], now, new_id, known)
        for stage in STAGES:
            step = stage(step)
        if step.incident is None or step.decision is None:
            raise AssertionError(f"unreachable: {STAGES[-1].__name__} decides about every message")
        _keep(step, step.incident, step.decision, position, outcomes)
    closed = [_close(incident_id, outcome, known, now) for incident_id, outcome in outcomes.items()]
    return tuple(sorted(closed, key=lambda item: bool(item.incident.parent_id)))


def _order(alerts: Sequence[Alert]) -> list[int]:
    """Groups by when their first alert began, alerts of a group likewise, messages of an alert as they came."""
    groups: dict[str, datetime] = {}
    begun: dict[str, datetime] = {}
    keys = [group_key_of(alert) for alert in alerts]
    for key, alert in zip(keys, alerts, strict=True):
        groups[key] = min(groups.get(key, alert.starts_at), alert.starts_at)
        begun[alert.fingerprint] = min(begun.get(alert.fingerprint, alert.starts_at), alert.starts_at)

    def rank(position: int) -> tuple[datetime, str, datetime, str]:
        fingerprint = alerts[position].fingerprint
        return groups[keys[position]], keys[position], begun[fingerprint], fingerprint

    return sorted(range(len(alerts)), key=rank)


def _keep(step: Step, incident: Incident, decision: Decision, position: int, outcomes: dict[str, _Open]) -> None:
    """Bring what is known up to date with one message."""
    known, alert = step.known, step.alert
    outcome = outcomes.get(incident.id)
    if outcome is None:
        outcome = outcomes[incident.id] = _Open(known.incidents.get(incident.id))
    held = known.words.get(alert.fingerprint)
    same = held if held is not None and held.incident_id == incident.id else None
    later = held is None or alert.overrides(held.alert)
    placement = placed(same.placement if same else None, decision, step.known.windows, last_word=later)
    if later:
        was = same is not None and same.alert.status is AlertStatus.FIRING
        firing = incident.firing + (alert.status is AlertStatus.FIRING) - was
        incident = replace(incident, firing=max(firing, 0))
    if incident.active:
        incident = flapping(incident, placement.ends, alert.speaks_of, known.windows)
    if later or same is not None:
        word = alert if later or held is None else held.alert
        known.words[alert.fingerprint] = Held(word, incident.id, placement)
    outcome.placements[alert.fingerprint] = placement
    outcome.decisions[position] = decision
    _bind(step, incident, outcome)
    if decision.attached is Reason.CHILD and incident.parent_id:
        _gains(known, known.incidents[incident.parent_id], incident, outcomes)
    known.put(incident)
    if decision.attached is Reason.STORM and incident.storm and outcome.before is None and incident.children == 0:
        _gather(known, incident, step, outcomes)


def _bind(step: Step, incident: Incident, outcome: _Open) -> None:
    known, key = step.known, step.group_key
    pin = known.pins.get(step.alert.fingerprint)
    if pin is not None:
        if pin != incident.id:
            known.pins[step.alert.fingerprint] = incident.id
            kind = BindingKind.ALERT
            outcome.bindings[kind, step.alert.fingerprint] = Binding(kind, step.alert.fingerprint, incident.id)
        return
    bound = known.incidents.get(known.groups.get(key, ""))
    if bound is not None and (bound.id == incident.id or bound.active):
        return
    known.groups[key] = incident.id
    outcome.bindings[BindingKind.GROUP, key] = Binding(BindingKind.GROUP, key, incident.id)


def _gains(known: Known, parent: Incident, part: Incident, outcomes: dict[str, _Open]) -> None:
    """The whole reaches as far as its parts do."""
    if parent.id not in outcomes:
        outcomes[parent.id] = _Open(known.incidents.get(parent.id))
    outcomes[parent.id].told.append(f"{part.id} is part of this incident: {part.title}")
    known.put(replace(parent, children=parent.children + 1, reach=parent.reach.joined(part.footprint)))


def _gather(known: Known, storm: Incident, step: Step, outcomes: dict[str, _Open]) -> None:
    """A storm incident takes in those like it that were opened before the storm was known, and not looked at yet."""
    for incident in known.candidates.opened_within(known.windows.storm, step.now):
        alike = storm.storm in storm_keys(incident.footprint)
        grave = incident.severity.rank > storm.severity.rank
        if incident.id == storm.id or incident.storm or not alike or grave:
            continue
        if incident.status is not IncidentStatus.OPEN or incident.run > 1:
            continue
        if incident.id not in outcomes:
            outcomes[incident.id] = _Open(incident)
        outcomes[incident.id].told.append(f"Part of {storm.id} now, which gathers a storm by {storm.storm}")
        part = replace(incident, parent_id=storm.id, due_at=None)
        known.put(part)
        _gains(known, known.incidents[storm.id], part, outcomes)


def _close(incident_id: str, outcome: _Open, known: Known, now: datetime) -> Outcome:
    decisions = [outcome.decisions[position] for position in sorted(outcome.decisions)]
    ended = any(item.alert.status is AlertStatus.RESOLVED and item.reason is not Reason.STALE for item in decisions)
    was = known.incidents[incident_id]
    incident, settled = settle(was, ended, now)
    incident, held = _review(incident, was.status, decisions, known, now)
    before = outcome.before
    told = list(outcome.told)
    if incident.flapping_since is not None and (before is None or before.flapping_since is None):
        told.append(
            f"Flapping: its alerts come and go; this incident stays open until they are calm for "
            f"{known.windows.flap.total_seconds() / 60:.0f} min, and is not investigated anew each time"
        )
    incident, raised = prioritize(incident, [item.alert for item in decisions if item.suppressed is None])
    known.put(incident)
    return Outcome(
        incident=incident,
        decisions=tuple(decisions),
        positions=tuple(sorted(outcome.decisions)),
        settled=settled,
        before=before,
        placements=tuple(outcome.placements.values()),
        bindings=tuple(outcome.bindings.values()),
        told=(*told, raised) if raised else tuple(told),
        held=held,
    )


def _review(
    incident: Incident, was: IncidentStatus, decisions: Sequence[Decision], known: Known, now: datetime
) -> tuple[Incident, str]:
    """Whether it is left alone. Of an incident that is known for longer only the alerts of these messages are known."""
    held = {item.alert.fingerprint: known.words[item.alert.fingerprint] for item in decisions}
    words = {name: word.alert for name, word in held.items() if word.incident_id == incident.id}
    firing = sum(word.status is AlertStatus.FIRING for word in words.values())
    return review(incident, words, known.suppressors, now, was, all_words=firing == incident.firing)
