"""What the console is given by ``bootstrap``, and the one way in which it passes on a decision."""

from collections.abc import Callable
from dataclasses import dataclass, field

from agent_sre.domain.approval import Approval, Decision
from agent_sre.entrypoints.console_auth import Access
from agent_sre.entrypoints.console_stream import ChangeSignal, Pace
from agent_sre.ports.clock import Clock
from agent_sre.service.ask_live import LiveMetrics
from agent_sre.service.decide_approval import decide_approval
from agent_sre.service.quiet_desk import QuietDesk
from agent_sre.service.read_incident import Stores
from agent_sre.service.regroup_incidents import RegroupPorts


def _nobody(incident_id: str) -> None:
    """Nobody needs to be told."""


@dataclass(frozen=True, slots=True)
class ConsoleDeps:
    """What the console needs. ``on_decision`` is told the incident's id after an attempt, to wake the worker.

    ``live`` answers PromQL; None where no metrics store is configured. ``desk`` takes maintenance windows and
    words about incidents.
    """

    stores: Stores
    clock: Clock
    signal: ChangeSignal
    access: Access
    regroup: RegroupPorts
    on_decision: Callable[[str], None] = _nobody
    pace: Pace = field(default_factory=Pace)
    live: LiveMetrics | None = None
    desk: QuietDesk | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a person wants of an approval. ``digest`` is of the proposal as it was shown to them."""

    approval_id: str
    approve: bool
    by: str
    digest: str
    reason: str


async def attempt_decision(deps: ConsoleDeps, attempt: Attempt) -> tuple[Decision, Approval | None]:
    """Pass the attempt on; whoever watches the incident hears of it. The approval is as it stands afterwards."""
    decision = await decide_approval(
        deps.stores.approvals,
        deps.stores.journal,
        deps.clock,
        approval_id=attempt.approval_id,
        approve=attempt.approve,
        by=attempt.by,
        digest=attempt.digest,
        reason=attempt.reason,
    )
    approval = await deps.stores.approvals.get(attempt.approval_id)
    if approval is not None:
        deps.signal.notify(approval.incident_id)
        deps.on_decision(approval.incident_id)
    return decision, approval
