"""How a message stands to the last word on the same alert: news, a repetition, or overtaken.

Messages are ordered by the moment they speak of (``Alert.overrides``), never by their arrival: peers, retries and slow
networks reorder them. So a firing message that comes after its resolve is stale, and so is a resolve of an earlier
episode that comes while the alert fires anew. Nothing is dropped: a stale or repeated message is counted and kept.
"""

from dataclasses import replace

from agent_sre.domain.alert import AlertStatus
from agent_sre.ingest.step import Novelty, Step


def deduplicate(step: Step) -> Step:
    """Set the step's novelty."""
    return replace(step, novelty=_novelty(step))


def _novelty(step: Step) -> Novelty:
    alert, last = step.alert, step.last_word
    fires = alert.status is AlertStatus.FIRING
    if last is None:
        return Novelty.FIRST if fires else Novelty.UNSEEN
    if last.lapsed and alert.overrides(last):
        return Novelty.AGAIN if fires else Novelty.REPEAT
    if last.status is alert.status:
        later = fires and alert.speaks_of > last.speaks_of
        return Novelty.AGAIN if later else Novelty.REPEAT
    if not alert.overrides(last):
        return Novelty.STALE
    return Novelty.AGAIN if fires else Novelty.RESOLVE
