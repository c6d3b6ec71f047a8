"""Propose: runbook actions that fit the hypotheses, exact to the patch, checked by policy, asked for approval.

Only a runbook's own action templates can be proposed, and only at objects that a hypothesis grounded in evidence names:
nothing in telemetry can add to the set.
"""

from langgraph.runtime import Runtime

from agent_sre.actions.policy import PolicyDecision, permit
from agent_sre.actions.propose import Refusal, propose as build_proposal
from agent_sre.domain.action import Proposal
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.runbook import ActionTemplate, Runbook
from agent_sre.domain.timeline import Entry
from agent_sre.graph.lifecycle import load, move
from agent_sre.graph.state import Context, State, Update
from agent_sre.runbooks.match import matching


async def propose(state: State, runtime: Runtime[Context]) -> Update:
    """Ask for approval of each proposal; ids are derived from the run, so a repeated step asks once."""
    context = runtime.context
    incident = await load(context, state["incident_id"])
    verdict = await context.cases.verdict(incident.id, state["run"])
    if verdict is None or verdict.status != "conclusive" or not incident.active:
        return {"approvals": []}
    # One action per hypothesis, and only for causes that are not far behind the first: a person at 3 a.m. wants
    # one button, not a menu.
    leading = verdict.hypotheses[0]
    close = [item for item in verdict.hypotheses if item.confidence >= 0.5 * leading.confidence]
    approvals: list[Approval] = []
    for hypothesis in close:
        offered = await _first_permitted(context, incident, state["run"], hypothesis, len(approvals))
        if offered is not None and all(offered.digest != other.digest for other in approvals):
            approvals.append(await context.approvals.ask(offered))
        if len(approvals) >= context.options.max_proposals:
            break
    waiting = [item.id for item in approvals if item.state is not ApprovalState.SUGGESTED]
    for item in approvals:
        await _tell(context, item, state["run"])
    if waiting:
        moved = await move(context, incident.id, IncidentStatus.AWAITING_APPROVAL)
        if not moved.active:
            # It resolved while this was being proposed: nobody must be left with a button that does nothing.
            await context.approvals.supersede(incident.id, context.clock.now(), "the incident resolved first")
            return {"approvals": []}
    return {"approvals": waiting}


async def _first_permitted(
    context: Context, incident: Incident, run: int, hypothesis: Hypothesis, index: int
) -> Approval | None:
    if context.readers.cluster is None:
        return None
    now = context.options.fixed_now or context.clock.now()
    lately = await context.effects.since(now - context.policy.cooldown)
    for runbook, template in _offers(context, incident, hypothesis):
        proposal = await build_proposal(
            template,
            runbook,
            hypothesis,
            context.readers.cluster,
            incident_id=incident.id,
            proposal_id=f"{incident.id}-{run}-{index + 1}",
            now=now,
        )
        if isinstance(proposal, Refusal):
            await _note(context, incident, run, hypothesis, template, proposal.sentence)
            continue
        decision = permit(proposal, context.policy, now, lately)
        if decision in (PolicyDecision.ALLOWED, PolicyDecision.SUGGEST_ONLY):
            return _approval(context, proposal, decision)
        await _note(context, incident, run, hypothesis, template, decision.sentence)
    return None


async def _note(
    context: Context, incident: Incident, run: int, hypothesis: Hypothesis, template: ActionTemplate, why: str
) -> None:
    now = context.options.fixed_now or context.clock.now()
    key = f"not-offered/{run}/{hypothesis.rank}/{template.action}"
    await context.journal.add(Entry(incident.id, now, "note", f"Not offered: {template.action}: {why}", key=key))


def _offers(context: Context, incident: Incident, hypothesis: Hypothesis) -> list[tuple[Runbook, ActionTemplate]]:
    labels = {"namespace": incident.namespace, "service": incident.service, "alertname": incident.title}
    return [
        (runbook, template)
        for runbook in matching(context.runbooks, hypothesis.fault, labels)
        for template in runbook.actions
        if not template.when or hypothesis.fault in template.when
    ]


def _approval(context: Context, proposal: Proposal, decision: PolicyDecision) -> Approval:
    runnable = decision is PolicyDecision.ALLOWED and context.writer is not None
    now = context.options.fixed_now or context.clock.now()
    return Approval(
        id=f"APR-{proposal.id}",
        incident_id=proposal.incident_id,
        proposal=proposal,
        digest=proposal.digest,
        state=ApprovalState.WAITING if runnable else ApprovalState.SUGGESTED,
        asked_at=now,
        expires_at=now + context.options.approval_ttl,
    )


async def _tell(context: Context, approval: Approval, run: int) -> None:
    proposal = approval.proposal
    verb = "Suggested" if approval.state is ApprovalState.SUGGESTED else "Approval asked for"
    text = f"{verb}: {proposal.action} on {proposal.target} (runbook {proposal.runbook}, risk {proposal.risk})"
    entry = Entry(approval.incident_id, approval.asked_at, "approval", text, key=f"propose/{approval.id}")
    await context.journal.add(entry)
    if approval.state is ApprovalState.WAITING:
        await context.journal.audit(
            approval.asked_at,
            "agent_sre",
            "approval.asked",
            approval.id,
            {"digest": approval.digest, "target": str(proposal.target), "runbook": proposal.runbook, "run": str(run)},
        )
