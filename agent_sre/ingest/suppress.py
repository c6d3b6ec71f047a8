"""Suppress: an alert that is expected, silenced or told by a graver one is kept and counted, and changes nothing.

Asked once the message has its incident, because even a suppressed alert is kept with one. Whether the incident itself
is left alone, because nothing else fires in it, is decided when all messages that arrived together are seen: ``hold``.
"""

from dataclasses import replace

from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.visible import one_line
from agent_sre.ingest.step import Decision, Reason, Step

_ACTED_UPON = frozenset({Reason.OPENED, Reason.JOINED, Reason.REOPENED, Reason.REPEATED})


def suppress(step: Step) -> Step:
    """The decision of a message whose firing alert is suppressed; its severity does not count either."""
    alert, decision, incident = step.alert, step.decision, step.incident
    if decision is None or incident is None:
        raise AssertionError("unreachable: a message has its incident before it is asked whether it is suppressed")
    if alert.status is not AlertStatus.FIRING or decision.reason not in _ACTED_UPON:
        return step
    found = step.suppressors.suppression(alert, step.now)
    if found is None:
        return step
    before = step.standing.incident if step.standing else None
    if before is not None and before.active and before.id == incident.id:
        incident = replace(incident, severity=before.severity)
    sentence = f"{one_line(alert.name, 120)}: {found.sentence}; kept with {incident.id}"
    return replace(step, incident=incident, decision=Decision(alert, incident.id, Reason.SUPPRESSED, sentence))
