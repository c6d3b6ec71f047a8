"""Carries out one approved proposal, at most once, and always comes to know what became of it.

Intent is committed first, then comes a dry run, then the patch, then the outcome is recorded. The patch carries the
effect's id as an annotation and the approved resourceVersion as a precondition, so two sendings cannot both take
effect. Wherever the process dies or an answer is lost, the next call finds the intent without an outcome, reads the
object back and believes what it sees. Every step is audited before the ledger is told of an outcome: an audit row may
be written twice, it is never missing.

The only holder of a ClusterWriter. Not here: whether the world got better (``verification``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.marks import EFFECT
from agent_sre.actions.policy import Policy, PolicyDecision, permit
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock
from agent_sre.ports.cluster import ClusterReader, ClusterWriter
from agent_sre.ports.store import EffectLedger, Journal

ATTEMPTS = 4
MAX_WAIT = 30.0
_ACTOR = "agent_sre"
_DETAIL = 500


class _Look(StrEnum):
    """What reading the object back shows."""

    DONE = "done"
    AS_APPROVED = "as_approved"
    CHANGED = "changed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class _Outcome:
    state: EffectState
    detail: str


@dataclass(slots=True)
class _Work:
    """One execution. ``sent`` says that a patch may have reached the server, by this process or one before it."""

    approval: Approval
    effect: Effect
    writer: ClusterWriter
    reader: ClusterReader
    clock: Clock
    policy: Policy
    journal: Journal
    sent: bool

    async def audit(self, verb: str, **detail: str) -> None:
        """One row about this effect."""
        proposal = self.approval.proposal
        common = {"approval": self.approval.id, "action": proposal.action, "target": str(proposal.target)}
        cut = {key: one_line(value, _DETAIL) for key, value in detail.items()}
        await self.journal.audit(self.clock.now(), _ACTOR, verb, self.effect.id, common | cut)


async def execute(
    approval: Approval,
    *,
    writer: ClusterWriter,
    reader: ClusterReader,
    ledger: EffectLedger,
    clock: Clock,
    policy: Policy,
    journal: Journal,
) -> Effect:
    """Do what was approved, or refuse, or find out what an earlier, interrupted call did; returns the final effect.

    Raises TemporaryError where a patch may have been applied and the object cannot be read just now: the effect stays
    an intent, and calling again resolves it.
    """
    wanted = Effect(f"EFF-{approval.id}", approval.id, approval.incident_id, EffectState.INTENDED, clock.now())
    effect, first = await ledger.intend(wanted)
    if effect.state is not EffectState.INTENDED:
        return effect
    work = _Work(approval, effect, writer, reader, clock, policy, journal, sent=not first)
    await work.audit("effect.intended" if first else "effect.resumed", digest=approval.digest, by=approval.decided_by)
    outcome = await _settle(work)
    await work.audit(f"effect.{outcome.state}", detail=outcome.detail)
    proposal = approval.proposal
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
        look = await _look(work)
    except PermanentError as error:
        unknown = "whether it was applied is unknown; " if work.sent else "nothing was changed; "
        return _Outcome(EffectState.FAILED, f"The object cannot be read, {unknown}{error}")
    if look is not _Look.AS_APPROVED:
        return _seen(work, look)
    refused = _gate(work)
    if refused:
        return _Outcome(EffectState.REFUSED, refused)
    proposal = work.approval.proposal
    patch = _stamped(proposal.patch, work.effect.id)
    version = proposal.resource_version
    try:
        await work.writer.patch(proposal.target, patch, resource_version=version, dry_run=True)
        await work.audit("effect.dry_run", resource_version=version)
        work.sent = True
        after = await work.writer.patch(proposal.target, patch, resource_version=version)
    except PermanentError as error:
        return await _by_sight(work, str(error))
    shown = str(after.get("metadata", {}).get("resourceVersion", "unknown"))
    return _Outcome(EffectState.DONE, f"Applied to resourceVersion {version}; it is {shown} now.")


async def _by_sight(work: _Work, error: str) -> _Outcome:
    """The outcome after the server said no, or nothing: what the object itself shows."""
    look = await _look(work)
    if look is _Look.AS_APPROVED:
        return _Outcome(EffectState.FAILED, f"Nothing was changed: {error}")
    return _seen(work, look)


async def _look(work: _Work) -> _Look:
    """Read the object. Raises what the reader raises."""
    proposal = work.approval.proposal
    found = await work.reader.get(proposal.target)
    if found is None:
        return _Look.MISSING
    meta = found["metadata"]
    if (meta.get("annotations") or {}).get(EFFECT) == work.effect.id:
        return _Look.DONE
    kind = ACTIONS.get(proposal.action)
    if work.sent and kind is not None and kind.applied(found, proposal.patch):
        return _Look.DONE
    same_version = str(meta.get("resourceVersion", "")) == proposal.resource_version
    return _Look.AS_APPROVED if same_version else _Look.CHANGED


def _seen(work: _Work, look: _Look) -> _Outcome:
    target = work.approval.proposal.target
    if look is _Look.DONE:
        return _Outcome(EffectState.DONE, f"Read back: {target} already is as approved, so nothing was sent again.")
    if look is _Look.MISSING:
        return _Outcome(EffectState.REFUSED, f"{target} does not exist any more; nothing was changed.")
    sentence = f"{target} changed since it was approved, so nothing was changed; ask again to see the difference."
    return _Outcome(EffectState.REFUSED, sentence)


def _gate(work: _Work) -> str:
    """Why it must not be done after all, immediately before it would be; "" where it may."""
    approval = work.approval
    if approval.state is not ApprovalState.APPROVED:
        return f"Approval {approval.id} is {approval.state}, not approved; nothing was changed."
    if approval.digest != approval.proposal.digest:
        return f"Approval {approval.id} is for another action than the one it holds; nothing was changed."
    decision = permit(approval.proposal, work.policy)
    return "" if decision is PolicyDecision.ALLOWED else f"{decision.sentence} Nothing was changed."


def _stamped(patch: Mapping[str, object], effect_id: str) -> Mapping[str, Any]:
    """The patch with the effect's id; merged by hand, since applying one patch to another drops the nulls of both."""
    meta = patch.get("metadata")
    meta = meta if isinstance(meta, Mapping) else {}
    return {**patch, "metadata": {**meta, "annotations": {**(meta.get("annotations") or {}), EFFECT: effect_id}}}
