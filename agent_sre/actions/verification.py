"""Did the world get better? Looked at through what was wrong, not through whether the patch was accepted.

Two things are asked until both have held for a while or the time is over: the condition of every alert that fired, and
the rollout of the object that was changed. Recovered takes both. What could not be looked at is never counted as good:
then the answer is unknown and says why. A change that somebody put back is not a recovery either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agent_sre.actions.alert_condition import expression_of, still_firing
from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.kind import ActionKind
from agent_sre.actions.rollout_health import rollout_health
from agent_sre.domain.action import Operation, Proposal
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.effect import Verified
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock
from agent_sre.ports.cluster import READ_KINDS, ClusterReader
from agent_sre.ports.metrics import MetricsReader

HOLD = timedelta(seconds=30)
"""How long everything must be well before it counts: a crashing pod looks well between two crashes."""
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Look:
    """One answer: well, not well, or (None) not known; ``lasting`` says that looking again will not change that."""

    good: bool | None
    words: str
    lasting: bool = False


async def verify(
    proposal: Proposal,
    alerts: Sequence[Alert],
    *,
    reader: ClusterReader | None,
    metrics: MetricsReader | None,
    clock: Clock,
    timeout: timedelta,  # noqa: ASYNC109 - waited for on the injected clock, and named in the answer
    poll: timedelta,
) -> tuple[Verified, str]:
    """Look every ``poll`` until all has been well for HOLD (a quarter of ``timeout`` where shorter), or time is up.

    The sentence names what was seen. Raises nothing of the readers: what they cannot answer is part of the sentence.
    """
    deadline, hold = clock.now() + timeout, min(HOLD, timeout / 4)
    since: datetime | None = None
    while True:
        looks = (await _alerts(alerts, metrics, clock.now()), await _rollout(proposal, reader))
        now = clock.now()
        well = all(look.good or (look.good is None and look.lasting) for look in looks)
        since = (since or now) if well else None
        # What became well just before the deadline gets the time to show that it lasts.
        end = deadline if since is None else since + hold
        if now >= end:
            return _answer(looks, None if since is None else now - since, timeout)
        await clock.sleep(min(poll, end - now).total_seconds())


def _answer(looks: Sequence[_Look], held: timedelta | None, timeout: timedelta) -> tuple[Verified, str]:
    if any(look.good is False for look in looks):
        bad = "; ".join(look.words for look in looks if look.good is False)
        return Verified.NOT_RECOVERED, f"Not recovered after {_seconds(timeout)}: {bad}."
    words = "; ".join(look.words for look in looks)
    if held is None or any(look.good is None for look in looks):
        return Verified.UNKNOWN, f"Whether it recovered is unknown: {words}."
    return Verified.RECOVERED, f"Recovered: {words}; this held for {_seconds(held)}."


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


async def _alerts(alerts: Sequence[Alert], metrics: MetricsReader | None, now: datetime) -> _Look:
    """The conditions of the alerts that fired when verification began."""
    firing = [alert for alert in alerts if alert.status is AlertStatus.FIRING]
    if not firing:
        return _Look(True, "every alert was reported as resolved") if alerts else _Look(None, "there is no alert", True)
    if metrics is None:
        return _Look(None, "no metrics source is configured to ask for the alert's condition", lasting=True)
    try:
        rules = await _rules(metrics)
        looks = [await _condition(alert, expression_of(alert, rules), metrics, now) for alert in firing]
    except TemporaryError as error:
        return _Look(None, f"the alert's condition could not be asked for: {error}")
    except PermanentError as error:
        return _Look(None, f"the alert's condition cannot be asked for: {error}", lasting=True)
    decisive = [look for look in looks if look.good is False] or [look for look in looks if look.good is None] or looks
    words = "; ".join(dict.fromkeys(look.words for look in decisive[:_MAX_NAMED]))
    more = len(decisive) - _MAX_NAMED
    words += f" (and {more} more alerts)" if more > 0 else ""
    return _Look(decisive[0].good, words, all(look.lasting for look in decisive))


async def _rules(metrics: MetricsReader) -> tuple[Mapping[str, Any], ...]:
    """The rules; none where the source keeps none: the alert's own link may still carry its expression."""
    try:
        return await metrics.rules()
    except PermanentError:
        return ()


async def _condition(alert: Alert, expression: str, metrics: MetricsReader, now: datetime) -> _Look:
    name = one_line(alert.name, 80)
    if not expression:
        return _Look(None, f"the rule of {name} is not known to the metrics source", lasting=True)
    answer = await metrics.query(expression, now)
    shown = one_line(expression, 120)
    if bad := still_firing(alert, answer.series):
        value = f"{bad[0].values[-1]:g}" if bad[0].values else "no value"
        return _Look(False, f"the condition of {name} still holds ({shown}: {value} for {one_line(str(bad[0]), 120)})")
    if doubts := (*answer.missing, *answer.warnings):
        return _Look(None, f"the condition of {name} was answered with a warning: {one_line(doubts[0], 120)}")
    return _Look(True, f"the condition of {name} no longer holds ({shown} returns no such series)")


async def _rollout(proposal: Proposal, reader: ClusterReader | None) -> _Look:
    """The change is still in place, and what it was for is well: the object, and the workload that feels it."""
    if reader is None:
        return _Look(None, "no cluster is configured to look at the rollout", lasting=True)
    kind = ACTIONS.get(proposal.action)
    look = _gone if proposal.operation in (Operation.DELETE, Operation.EVICT) else _changed
    try:
        own = await look(proposal, kind, reader)
        if proposal.workload is None or own.good is False or proposal.workload.kind not in READ_KINDS:
            return own
        felt = await reader.get(proposal.workload)
    except TemporaryError as error:
        return _Look(None, f"{proposal.target} could not be read: {error}")
    except PermanentError as error:
        return _Look(None, f"{proposal.target} cannot be read: {error}", lasting=True)
    if felt is None:
        return _Look(False, f"{proposal.workload} does not exist any more")
    health = (kind.health if kind is not None and proposal.operation is Operation.CREATE else rollout_health)(felt)
    return _Look(health.complete, f"{own.words}; {health.words}")


async def _changed(proposal: Proposal, kind: ActionKind | None, reader: ClusterReader) -> _Look:
    found = await reader.get(proposal.target)
    if found is None:
        return _Look(False, f"{proposal.target} does not exist any more")
    if proposal.operation is Operation.CREATE:
        return _Look(True, f"{proposal.target} was started again")
    if kind is not None and not kind.applied(found, proposal.patch):
        return _Look(False, f"the change is no longer in place on {proposal.target}: somebody or something put it back")
    health = (kind.health if kind is not None else rollout_health)(found)
    return _Look(health.complete, health.words)


async def _gone(proposal: Proposal, kind: ActionKind | None, reader: ClusterReader) -> _Look:
    del kind
    found = await reader.get(proposal.target)
    if found is not None and found["metadata"].get("uid") == proposal.uid:
        return _Look(False, f"{proposal.target} is still there")
    return _Look(True, f"{proposal.target} is gone")
