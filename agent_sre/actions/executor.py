"""Carries out one approved proposal, at most once, and always comes to know what became of it.

Intent is committed first, then comes a dry run, then the change, then the outcome is recorded. The change names what
it was approved for as a precondition (``sending``), so two sendings cannot both take effect. Policy is asked before the
dry run, and the kill switch once more between it and the change. Wherever the process dies or an answer is lost, the
next call finds the intent without an outcome, reads the object back and believes what it sees. Every step is audited
before the ledger is told of an outcome: an audit row may be written twice, it is never missing.

The only holder of a ClusterWriter. Not here: whether the world got better (``verification``).
"""

from dataclasses import dataclass, replace

from agent_sre.actions.policy import Policy, PolicyDecision, permit
from agent_sre.actions.sending import Look, Sight, look, send
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock
from agent_sre.ports.cluster import ClusterReader, ClusterWriter
from agent_sre.ports.kill_switch import KillSwitch
from agent_sre.ports.store import EffectLedger, Journal

ATTEMPTS = 4
MAX_WAIT = 30.0
_ACTOR = "agent_sre"
_DETAIL = 500


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: EffectState
    detail: str


@dataclass(slots=True)
class _Work:
    """One execution. ``sent`` says that the change may have reached the server, by this process or one before it."""

    approval: Approval
    effect: Effect
    writer: ClusterWriter
    reader: ClusterReader
    clock: Clock
    policy: Policy
    journal: Journal
    ledger: EffectLedger
    kill_switch: KillSwitch | None
    sent: bool

    async def audit(self, verb: str, **detail: str) -> None:
        """One row about this effect."""
        proposal = self.approval.proposal
        common = {"approval": self.approval.id, "action": proposal.action, "target": str(proposal.target)}
        cut = {key: one_line(value, _DETAIL) for key, value in detail.items()}
        await self.journal.audit(self.clock.now(), _ACTOR, verb, self.effect.id, common | cut)


async def execute(  # noqa: PLR0913  one action, and by name every port that it may touch
    approval: Approval,
    *,
    writer: ClusterWriter,
    reader: ClusterReader,
    ledger: EffectLedger,
    clock: Clock,
    policy: Policy,
    journal: Journal,
    kill_switch: KillSwitch | None = None,
) -> Effect:
    """Do what was approved, or refuse, or find out what an earlier, interrupted call did; returns the final effect.

    Raises TemporaryError where a patch may have been applied and the object cannot be read just now: the effect stays
    an intent, and calling again resolves it.
    """
    proposal = approval.proposal
    effect_id, workload = f"EFF-{approval.id}", str(proposal.concerns)
    state = EffectState.INTENDED
    wanted = Effect(effect_id, approval.id, approval.incident_id, state, clock.now(), workload=workload)
    effect, first = await ledger.intend(wanted)
    if effect.state is not EffectState.INTENDED:
        return effect
    work = _Work(approval, effect, writer, reader, clock, policy, journal, ledger, kill_switch, sent=not first)
    await work.audit("effect.intended" if first else "effect.resumed", digest=approval.digest, by=approval.decided_by)
    outcome = await _settle(work)
    await work.audit(f"effect.{outcome.state}", detail=outcome.detail)
    text = f"{outcome.state.capitalize()}: {proposal.action} on {proposal.target}. {outcome.detail}"
    key = f"effect/{effect.id}/{outcome.state}"
    await journal.add(Entry(approval.incident_id, clock.now(), "action", one_line(text, _DETAIL), key=key))
    final = replace(effect, state=outcome.state, finished_at=clock.now(), detail=outcome.detail)
    await ledger.record(final)
    return final


async def _settle(work: _Work) -> _Outcome:
    """Attempts, each of which first reads the object; only failures that may pass are tried again."""
    last = ""
    for attempt in range(ATTEMPTS):
        try:
            return await _attempt(work)
        except TemporaryError as error:
            last = str(error)
            await work.audit("effect.retry", attempt=str(attempt + 1), error=last)
            await work.clock.sleep(min(error.retry_after or 2.0**attempt, MAX_WAIT))
    if not work.sent:
        return _Outcome(EffectState.FAILED, f"Nothing was changed: given up after {ATTEMPTS} attempts; last: {last}")
    # From here an unreadable object means that nobody knows; the TemporaryError tells the caller to come back.
    return await _by_sight(work, f"given up after {ATTEMPTS} attempts; last: {last}")


async def _attempt(work: _Work) -> _Outcome:
    try:
        seen = await _look(work)
    except PermanentError as error:
        unknown = "whether it was applied is unknown; " if work.sent else "nothing was changed; "
        return _Outcome(EffectState.FAILED, f"The object cannot be read, {unknown}{error}")
    if seen.sight is not Sight.AS_APPROVED:
        return _seen(work, seen)
    if refused := await _gate(work):
        return _Outcome(EffectState.REFUSED, refused)
    proposal, effect_id = work.approval.proposal, work.effect.id
    try:
        await send(proposal, effect_id, seen.version, work.writer, dry_run=True)
        await work.audit("effect.dry_run", resource_version=seen.version)
        if refused := await _stopped(work):
            return _Outcome(EffectState.REFUSED, refused)
        work.sent = True
        return _Outcome(EffectState.DONE, await send(proposal, effect_id, seen.version, work.writer, dry_run=False))
    except PermanentError as error:
        return await _by_sight(work, str(error))


async def _by_sight(work: _Work, error: str) -> _Outcome:
    """The outcome after the server said no, or nothing: what the object itself shows."""
    seen = await _look(work)
    if seen.sight is Sight.AS_APPROVED:
        return _Outcome(EffectState.FAILED, f"Nothing was changed: {error}")
    return _seen(work, seen)


async def _look(work: _Work) -> Look:
    return await look(work.approval.proposal, work.effect.id, work.reader, sent=work.sent)


def _seen(work: _Work, seen: Look) -> _Outcome:
    target = work.approval.proposal.target
    if seen.sight is Sight.DONE:
        return _Outcome(EffectState.DONE, f"Read back: {target} already is as approved, so nothing was sent again.")
    if seen.sight is Sight.MISSING:
        return _Outcome(EffectState.REFUSED, f"{target} does not exist any more; nothing was changed.")
    sentence = f"{target} changed since it was approved, so nothing was changed; ask again to see the difference."
    return _Outcome(EffectState.REFUSED, sentence)


async def _gate(work: _Work) -> str:
    """Why it must not be done after all, immediately before it would be; "" where it may."""
    approval, now = work.approval, work.clock.now()
    if approval.state is not ApprovalState.APPROVED:
        return f"Approval {approval.id} is {approval.state}, not approved; nothing was changed."
    if approval.digest != approval.proposal.digest:
        return f"Approval {approval.id} is for another action than the one it holds; nothing was changed."
    others = await work.ledger.since(now - work.policy.cooldown)
    decision = permit(approval.proposal, work.policy, now, others, work.effect)
    if decision is not PolicyDecision.ALLOWED:
        return f"{decision.sentence} Nothing was changed."
    return await _stopped(work)


async def _stopped(work: _Work) -> str:
    """What the kill switch says at this moment; "" where it lets actions through."""
    return "" if work.kill_switch is None else await work.kill_switch.engaged()
