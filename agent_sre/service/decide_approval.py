"""Decide an approval: one attempt by one person, recorded whatever comes of it.

The decision itself is the store's atomic step; the first attempt wins on any number of replicas. Around it stand two
audit rows: one before, so that no decision can exist whose maker is not on record, and one after with what came of it.
A process killed between the two leaves an attempt without an outcome, and the approval's row says the rest.

Not here: who may log in (``entrypoints``) and carrying the action out (the graph, once the incident is due).
"""

from agent_sre.domain.approval import Approval, Decision
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import ApprovalStore, Journal

_MAX_NAME = 80
_MAX_REASON = 1000


async def decide_approval(  # noqa: PLR0913  three ports, and every word of the attempt by name
    approvals: ApprovalStore,
    journal: Journal,
    clock: Clock,
    *,
    approval_id: str,
    approve: bool,
    by: str,
    digest: str,
    reason: str = "",
) -> Decision:
    """Apply one attempt and say what came of it; at most one attempt ever gets APPROVED.

    ``by`` is recorded as the decider (visible characters, cut to 80);
    ``digest`` is that of the proposal the person saw. Raises TemporaryError where the store is down.
    """
    by = one_line(by, _MAX_NAME) or "unnamed operator"
    reason = one_line(reason, _MAX_REASON)
    wanted = "approve" if approve else "reject"
    subject = one_line(approval_id, 120)
    detail = {"wanted": wanted, "digest": one_line(digest, 80), "reason": reason}
    await journal.audit(clock.now(), by, "approval.attempted", subject, detail)
    approval, decision = await approvals.decide(approval_id, approve, by, digest, clock.now(), reason)
    now = clock.now()
    outcome = {**detail, "outcome": str(decision), "because": explain(decision, approval)}
    await journal.audit(now, by, "approval.decided" if _changed(decision) else "approval.refused", subject, outcome)
    if approval is not None:
        text = _sentence(approval, decision, wanted, by, reason)
        await journal.add(Entry(approval.incident_id, now, "approval", text, actor=by))
    return decision


def explain(decision: Decision, approval: Approval | None) -> str:
    """What came of an attempt, as a sentence for the person who made it."""
    first = ""
    if approval is not None:
        who = f" by {approval.decided_by}" if approval.decided_by else ""
        when = f" at {approval.decided_at:%H:%M:%S} UTC" if approval.decided_at else ""
        first = f"{approval.state}{who}{when}"
    return {
        Decision.APPROVED: "Approved. The action is carried out once, then checked.",
        Decision.REJECTED: "Rejected. Nothing was done.",
        Decision.ALREADY_DECIDED: f"Already {first}; this attempt changed nothing.",
        Decision.EXPIRED: "Too late: the approval has expired. Nothing was done; a new investigation can ask again.",
        Decision.DIGEST_MISMATCH: "The proposed action is not the one that was shown. Nothing was done; "
        "reload the page and look again.",
        Decision.SUGGEST_ONLY: "This action is only a suggestion: agent_sre runs in suggest mode and does not act.",
        Decision.UNKNOWN: "There is no such approval. It may belong to a database that was replaced.",
    }[decision]


def _changed(decision: Decision) -> bool:
    return decision in (Decision.APPROVED, Decision.REJECTED)


def _sentence(approval: Approval, decision: Decision, wanted: str, by: str, reason: str) -> str:
    what = f"{approval.proposal.action} on {approval.proposal.target}"
    if _changed(decision):
        return f"{by} {decision} {what}" + (f": {reason}" if reason else "")
    return f"{by} tried to {wanted} {what}; refused ({decision}). {explain(decision, approval)}"
