"""Suppress: an alert that is expected, silenced or told by a graver one is kept and counted, and changes nothing.

Asked once the message has its incident, because even a suppressed alert is kept with one. Whether the incident itself
is left alone, because nothing else fires in it, is decided when all messages that arrived together are seen: ``hold``.
"""

from dataclasses import replace

from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.visible import one_line
from agent_sre.ingest.step import Decision, Reason, Step

_ACTED_UPON = frozenset(
    {
        *(Reason.OPENED, Reason.JOINED, Reason.CORRELATED, Reason.CHILD, Reason.STORM, Reason.REOPENED),
        *(Reason.REPEATED, Reason.FLAPPING),
    }
)


def suppress(step: Step) -> Step:
    """The decision of a message whose firing alert is suppressed; how grave it is does not count either."""
    alert, decision, incident = step.alert, step.decision, step.incident
    if decision is None or incident is None:
        raise AssertionError("unreachable: a message has its incident before it is asked whether it is suppressed")
    if alert.status is not AlertStatus.FIRING or decision.reason not in _ACTED_UPON:
        return step
    found = step.known.suppressors.suppression(alert, step.now)
    if found is None:
        return step
    before = step.known.incidents.get(incident.id)
    if before is not None and before.active:
        incident = replace(incident, severity=before.severity, footprint=before.footprint)
    sentence = f"{one_line(alert.name, 120)}: {found.sentence}; kept with {incident.id}"
    facts = (*decision.facts, found.sentence)
    told = Decision(alert, incident.id, Reason.SUPPRESSED, sentence, "suppress", facts, suppressed=decision.reason)
    return replace(step, incident=incident, decision=told)
