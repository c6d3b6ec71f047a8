"""What is stored of the decisions about one alert: the one that placed it, the latest, and how many came to what."""

from dataclasses import replace

from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.placement import Placement
from agent_sre.ingest.flapping import ends_after
from agent_sre.ingest.step import Decision
from agent_sre.ingest.windows import Windows


def placed(before: Placement | None, decision: Decision, windows: Windows, *, last_word: bool) -> Placement:
    """The alert's placement in the decision's incident, after this decision on what is its ``last_word`` or not."""
    alert = decision.alert
    if before is None:
        before = Placement(
            incident_id=decision.incident_id,
            fingerprint=alert.fingerprint,
            name=alert.name,
            reason=decision.reason,
            sentence=decision.sentence,
            stage=decision.stage,
            placed_at=alert.received_at,
            latest=decision.reason,
            latest_sentence=decision.sentence,
            latest_at=alert.received_at,
            facts=decision.facts,
        )
    elif decision.reason.places:
        before = replace(
            before,
            reason=decision.reason,
            sentence=decision.sentence,
            stage=decision.stage,
            facts=decision.facts,
            placed_at=alert.received_at,
        )
    expires_at = before.expires_at
    if last_word:
        expires_at = windows.expires_at(alert) if alert.status is AlertStatus.FIRING else None
    return replace(
        before,
        latest=decision.reason,
        latest_sentence=decision.sentence,
        latest_at=alert.received_at,
        counts={**before.counts, str(decision.reason): before.counts.get(str(decision.reason), 0) + 1},
        ends=ends_after(before.ends, alert),
        expires_at=expires_at,
    )
