"""People merge incidents and split them, and it holds: later messages follow, and correlation does not undo it.

A merge moves every alert and every binding of the source to the target and closes the source. A split moves alerts to
an incident of their own and pins them there. Each undoes the other: what was merged is split off again, what was split
off is merged back. Refused, with the reason, while an action is under way in either incident, because its verification
watches the alerts that it was approved for. Approvals that wait in the source have lost their ground.

Audited before and after, as decisions are: a process killed in between leaves an attempt without an outcome.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.footprint import Footprint
from agent_sre.domain.incident import ACTING, Incident, IncidentStatus
from agent_sre.domain.placement import Binding, BindingKind, Placement, Reason
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.prioritize import prioritize
from agent_sre.ingest.traits import footprint_of
from agent_sre.ports.clock import Clock, Ids
from agent_sre.ports.intake import IntakeStore, PlacementStore, Regrouping
from agent_sre.ports.store import ApprovalStore, IncidentStore, Journal
from agent_sre.service.end_approvals import end_approvals

_MAX_NAME = 80
_MAX_REASON = 1000


@dataclass(frozen=True, slots=True)
class RegroupPorts:
    """What a merge and a split work with."""

    incidents: IncidentStore
    intake: IntakeStore
    placements: PlacementStore
    approvals: ApprovalStore
    journal: Journal
    clock: Clock
    ids: Ids


class RegroupRefused(PermanentError):
    """A merge or a split that the incidents' state forbids, and why. Nothing was changed."""


async def merge_incidents(source_id: str, target_id: str, *, by: str, reason: str, ports: RegroupPorts) -> Incident:
    """Move all alerts of the source to the target and close the source; returns the target as stored.

    Raises RegroupRefused, and TemporaryError where somebody changed one of them at the same time.
    """
    by, reason = one_line(by, _MAX_NAME) or "unnamed operator", one_line(reason, _MAX_REASON)
    detail = {"into": one_line(target_id, 120), "reason": reason}
    await ports.journal.audit(ports.clock.now(), by, "incidents.merge_attempted", one_line(source_id, 120), detail)
    try:
        source, target = await _both(source_id, target_id, ports)
        await _merge(source, target, by, reason, ports)
    except RegroupRefused as refused:
        await _audit_refusal(source_id, by, detail, refused, ports)
        raise
    await ports.journal.audit(ports.clock.now(), by, "incidents.merged", source.id, detail)
    return await _stored(target.id, ports)


async def split_incident(
    incident_id: str, fingerprints: Collection[str], *, by: str, reason: str, ports: RegroupPorts
) -> Incident:
    """Move some of an incident's alerts to a new one, which is investigated by itself; returns the new one as stored.

    Raises RegroupRefused, and TemporaryError where somebody changed it at the same time.
    """
    by, reason = one_line(by, _MAX_NAME) or "unnamed operator", one_line(reason, _MAX_REASON)
    detail = {"alerts": one_line(", ".join(sorted(fingerprints)), 500), "reason": reason}
    await ports.journal.audit(ports.clock.now(), by, "incident.split_attempted", one_line(incident_id, 120), detail)
    try:
        source = await _existing(incident_id, ports)
        new_id = await _split(source, set(fingerprints), by, reason, ports)
    except RegroupRefused as refused:
        await _audit_refusal(incident_id, by, detail, refused, ports)
        raise
    await ports.journal.audit(ports.clock.now(), by, "incident.split", source.id, {**detail, "into": new_id})
    return await _stored(new_id, ports)


async def _merge(source: Incident, target: Incident, by: str, reason: str, ports: RegroupPorts) -> None:
    now = ports.clock.now()
    moving = await ports.incidents.alerts(source.id)
    staying = {alert.fingerprint: alert for alert in await ports.incidents.alerts(target.id)}
    if not target.active and any(alert.status is AlertStatus.FIRING for alert in moving):
        raise RegroupRefused(
            f"{target.id} is {target.status} and alerts of {source.id} still fire: merge {target.id} into {source.id}"
        )
    sentence = f"{by} merged {source.id} into {target.id}" + (f": {reason}" if reason else "")
    held = {item.fingerprint: item for item in await ports.placements.of_incident(source.id)}
    joined = dict(staying)
    for alert in moving:
        known = joined.get(alert.fingerprint)
        if known is None or alert.overrides(known):
            joined[alert.fingerprint] = alert
    after, raised = prioritize(
        replace(
            target,
            firing=_firing(joined.values()),
            alerts=target.alerts + source.alerts,
            truncated=max(target.truncated, source.truncated),
            footprint=target.footprint.joined(source.footprint),
            reach=target.reach.joined(source.reach),
            children=target.children + source.children,
            parent_id="" if target.parent_id == source.id else target.parent_id,
            updated_at=now,
        ),
        moving,
    )
    closed = replace(
        source.to(IncidentStatus.CLOSED, now),
        merged_into=target.id,
        # An investigation under way is brought to its end; one that never began is not begun.
        due_at=None if source.status is IncidentStatus.OPEN else now,
        firing=0,
        alerts=0,
        tend_at=None,
    )
    entries = [Entry(source.id, now, "note", sentence, actor=by), Entry(target.id, now, "note", sentence, actor=by)]
    entries += [Entry(target.id, now, "note", raised)] if raised else []
    entries += await end_approvals(source, f"merged into {target.id}", ports.approvals, ports.journal, now)
    placements = tuple(
        _moved(held.get(item.fingerprint), item, target.id, Reason.MERGED, sentence, now) for item in moving
    )
    await ports.intake.regroup(Regrouping(closed, after, placements, tuple(entries), takes_bindings=True))


async def _split(source: Incident, wanted: set[str], by: str, reason: str, ports: RegroupPorts) -> str:
    now = ports.clock.now()
    alerts = {alert.fingerprint: alert for alert in await ports.incidents.alerts(source.id)}
    await _check(source, ports)
    _check_split(source, wanted, set(alerts))
    moving = [alert for name, alert in alerts.items() if name in wanted]
    staying = [alert for name, alert in alerts.items() if name not in wanted]
    held = {item.fingerprint: item for item in await ports.placements.of_incident(source.id)}
    messages = sum(held[name].messages for name in wanted if name in held)
    new = _split_off(source, moving, messages, ports.ids.new("INC"), now)
    names = one_line(", ".join(sorted({alert.name for alert in moving})), 200)
    why = f": {reason}" if reason else ""
    sentence = f"{by} split {len(moving)} alerts ({names}) off {source.id} into {new.id}{why}"
    rest = replace(
        source,
        firing=_firing(staying),
        alerts=max(source.alerts - messages, 0),
        footprint=_footprint(staying),
        updated_at=now,
        due_at=source.due_at or (now if source.active and not source.parent_id else None),
    )
    if source.active and not rest.firing and rest.flapping_since is None:
        rest = replace(rest.to(IncidentStatus.RESOLVED, now), due_at=now)
    entries = [Entry(source.id, now, "note", sentence, actor=by), Entry(new.id, now, "note", sentence, actor=by)]
    entries += await end_approvals(source, "alerts were split off", ports.approvals, ports.journal, now)
    bindings = [Binding(BindingKind.ALERT, alert.fingerprint, new.id) for alert in moving]
    bindings += [Binding(BindingKind.GROUP, key, new.id) for key in _whole_groups(moving, staying)]
    placements = tuple(_moved(held.get(item.fingerprint), item, new.id, Reason.SPLIT, sentence, now) for item in moving)
    await ports.intake.regroup(Regrouping(rest, new, placements, tuple(entries), tuple(bindings)))
    return new.id


def _check_split(source: Incident, wanted: set[str], known: set[str]) -> None:
    if not wanted:
        raise RegroupRefused(f"no alert is named that is to be split off {source.id}: name at least one fingerprint")
    if unknown := sorted(wanted - known):
        raise RegroupRefused(f"{source.id} has no alert {one_line(', '.join(unknown), 200)}: name those that it lists")
    if wanted == known:
        raise RegroupRefused(f"these are all alerts of {source.id}: leave at least one in it")


def _split_off(source: Incident, moving: Sequence[Alert], messages: int, new_id: str, now: datetime) -> Incident:
    first = min(moving, key=lambda alert: (alert.status is AlertStatus.RESOLVED, alert.starts_at, alert.fingerprint))
    firing = _firing(moving)
    new = Incident(
        id=new_id,
        title=one_line(first.summary),
        status=IncidentStatus.OPEN if firing else IncidentStatus.RESOLVED,
        severity=first.severity,
        namespace=first.namespace,
        service=first.service,
        group_key=group_key_of(first),
        opened_at=now,
        updated_at=now,
        resolved_at=None if firing else now,
        due_at=now if firing else None,
        firing=firing,
        alerts=messages,
        footprint=_footprint(moving),
        earlier_id=source.id,
    )
    return prioritize(new, moving)[0]


def _moved(
    held: Placement | None, alert: Alert, incident_id: str, reason: Reason, sentence: str, now: datetime
) -> Placement:
    if held is None:
        counts = {str(reason): 1}
        return Placement(
            incident_id,
            alert.fingerprint,
            alert.name,
            reason,
            sentence,
            "person",
            now,
            reason,
            sentence,
            now,
            (),
            counts,
        )
    return replace(
        held,
        incident_id=incident_id,
        reason=reason,
        sentence=sentence,
        stage="person",
        placed_at=now,
        latest=reason,
        latest_sentence=sentence,
        latest_at=now,
        facts=(),
    )


def _whole_groups(moving: Sequence[Alert], staying: Sequence[Alert]) -> list[str]:
    """Groups of which everything goes: what else comes under their keys goes there too."""
    left = {group_key_of(alert) for alert in staying}
    return sorted({group_key_of(alert) for alert in moving} - left)


async def _both(source_id: str, target_id: str, ports: RegroupPorts) -> tuple[Incident, Incident]:
    if source_id == target_id:
        raise RegroupRefused(f"{source_id} cannot be merged into itself: name another incident")
    source, target = await _existing(source_id, ports), await _existing(target_id, ports)
    for incident in (source, target):
        await _check(incident, ports)
    return source, target


async def _existing(incident_id: str, ports: RegroupPorts) -> Incident:
    incident = await ports.incidents.get(incident_id)
    if incident is None:
        raise RegroupRefused(f"there is no incident {one_line(incident_id, 120)}: check the id")
    return incident


async def _check(incident: Incident, ports: RegroupPorts) -> None:
    asked = await ports.approvals.of_incident(incident.id)
    about_to_act = incident.status is IncidentStatus.AWAITING_APPROVAL and any(
        item.state is ApprovalState.APPROVED for item in asked
    )
    if incident.status in ACTING or about_to_act:
        raise RegroupRefused(
            f"{incident.id} is {incident.status}: an action is under way, and its verification watches these alerts; "
            f"wait for its outcome"
        )
    if incident.status is IncidentStatus.CLOSED:
        into = f", merged into {incident.merged_into}" if incident.merged_into else ""
        raise RegroupRefused(f"{incident.id} is closed{into}: a closed incident is not changed any more")


async def _audit_refusal(
    subject: str, by: str, detail: dict[str, str], refused: RegroupRefused, ports: RegroupPorts
) -> None:
    told = {**detail, "because": one_line(str(refused), 500)}
    await ports.journal.audit(ports.clock.now(), by, "incident.regroup_refused", one_line(subject, 120), told)


async def _stored(incident_id: str, ports: RegroupPorts) -> Incident:
    return await _existing(incident_id, ports)


def _firing(alerts: Collection[Alert]) -> int:
    return sum(alert.status is AlertStatus.FIRING for alert in alerts)


def _footprint(alerts: Collection[Alert]) -> Footprint:
    footprint = Footprint()
    for alert in alerts:
        if alert.status is AlertStatus.FIRING:
            footprint = footprint.joined(footprint_of(alert))
    return footprint
