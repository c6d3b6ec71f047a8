"""The intake pipeline: what becomes of each alert message, as a pure function of the messages and of what is known.

Called by ``service.fold_alerts``, which loads what is known under the group keys, and stores the outcome in one
transaction per incident. A stage that is added here is one file and one line.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident
from agent_sre.ingest.attach import attach
from agent_sre.ingest.deduplicate import deduplicate
from agent_sre.ingest.group import group
from agent_sre.ingest.settle import settle
from agent_sre.ingest.step import Decision, Reason, Standing, Step
from agent_sre.ingest.suppress import suppress
from agent_sre.ingest.suppressors import NOTHING, Suppressors

STAGES = (
    group,
    deduplicate,
    attach,
    suppress,
)
"""In the order in which a message passes them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One incident after the messages, what was decided about each in order, and whether all is over now ("" if not).

    ``positions`` are the messages' places in the sequence that was handed in.
    """

    incident: Incident
    decisions: tuple[Decision, ...]
    positions: tuple[int, ...]
    settled: str


@dataclass(slots=True)
class _Open:
    """An outcome in the making."""

    standing: Standing
    words: dict[str, Alert]
    decisions: list[Decision]
    positions: list[int]


def run(
    alerts: Sequence[Alert],
    known: Mapping[str, Standing],
    now: datetime,
    new_id: Callable[[], str],
    suppressors: Suppressors = NOTHING,
) -> tuple[Outcome, ...]:
    """Pass the messages through all stages in their order; one outcome for each incident that they touch.

    ``known`` holds what is stored, by group key; ``new_id`` gives the id of an incident that has to be opened;
    ``suppressors`` is what suppresses alerts.
    """
    standings = dict(known)
    outcomes: dict[str, _Open] = {}
    for position, alert in enumerate(alerts):
        step = Step(alert, now, new_id, standings, suppressors)
        for stage in STAGES:
            step = stage(step)
        if step.incident is None or step.decision is None:
            raise AssertionError(f"unreachable: {STAGES[-1].__name__} decides about every message")
        outcome = outcomes.get(step.incident.id)
        if outcome is None:
            stored = known.get(step.group_key)
            words = dict(stored.words) if stored and stored.incident.id == step.incident.id else {}
            outcome = outcomes[step.incident.id] = _Open(Standing(step.incident, words), words, [], [])
        last = outcome.words.get(alert.fingerprint)
        if last is None or alert.overrides(last):
            outcome.words[alert.fingerprint] = alert
        outcome.standing = standings[step.group_key] = Standing(step.incident, outcome.words)
        outcome.decisions.append(step.decision)
        outcome.positions.append(position)
    return tuple(_close(outcome, now) for outcome in outcomes.values())


def _close(outcome: _Open, now: datetime) -> Outcome:
    ended = any(
        item.alert.status is AlertStatus.RESOLVED and item.reason is not Reason.STALE for item in outcome.decisions
    )
    incident, settled = settle(outcome.standing.incident, outcome.words, ended, now)
    return Outcome(incident, tuple(outcome.decisions), tuple(outcome.positions), settled)
