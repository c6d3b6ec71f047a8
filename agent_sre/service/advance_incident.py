"""Carry an incident's investigation one stretch further: start it, go on after a crash, or resume after a decision.

The worker calls this for every incident that is due. Whatever happened to the process in between, the checkpoint says
which node is next and the approval's row says whether somebody decided; nothing is held in memory. Who may run an
incident is settled before this is called: LangGraph itself would let two processes run one node twice.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.incident import Incident
from agent_sre.graph.build import Graph
from agent_sre.graph.run import Position, carry_on, position
from agent_sre.graph.state import Context, Outcome

_ATTEMPTS = 5


async def advance_incident(incident_id: str, graph: Graph, context: Context) -> None:
    """Run the graph until it waits or ends, then note when the incident needs a look again.

    Raises TemporaryError where a dependency of the run is down: the caller tries again later.
    """
    incident = await context.incidents.get(incident_id)
    if incident is None:
        raise PermanentError(f"incident {incident_id} is not in the database; was the database replaced?")
    at = await position(graph, incident.id, incident.run)
    outcome: Outcome | None = None
    if at.waits_for is not None:
        asked = await _asked(at, incident, context)
        outcome = outcome_of(asked, incident.active, context.clock.now())
    if not at.finished and (at.waits_for is None or outcome is not None):
        await carry_on(graph, context, incident.id, incident.run, at, outcome)
    await _note_due(incident, graph, context)


def outcome_of(approvals: Sequence[Approval], active: bool, now: datetime) -> Outcome | None:
    """What a waiting run is resumed with, or None while somebody may still decide.

    What the world says outranks everything: once the alert has resolved, the ground of every approval is gone.
    """
    states = {item.state for item in approvals}
    if not active:
        return "superseded"
    if ApprovalState.APPROVED in states:
        return "approved"
    waiting = [item for item in approvals if item.state is ApprovalState.WAITING]
    if any(now < item.expires_at for item in waiting):
        return None
    if waiting or ApprovalState.EXPIRED in states:
        return "expired"
    return "rejected" if ApprovalState.REJECTED in states else "superseded"


async def _asked(at: Position, incident: Incident, context: Context) -> list[Approval]:
    wanted = set(at.waits_for or ())
    return [item for item in await context.approvals.of_incident(incident.id) if item.id in wanted]


async def _note_due(incident: Incident, graph: Graph, context: Context) -> None:
    """Set ``due_at`` from what is waited for; a wake-up that came during the run is not lost."""
    for attempt in range(_ATTEMPTS):
        current = await context.incidents.get(incident.id)
        if current is None or current.run != incident.run:
            # Reopened while this run ended: the next run is due by its own account.
            return
        due = await _next_due(current, graph, context)
        if due == current.due_at:
            return
        try:
            await context.incidents.fold(replace(current, due_at=due), (), ())
            return
        except TemporaryError:
            if attempt == _ATTEMPTS - 1:
                raise


async def _next_due(incident: Incident, graph: Graph, context: Context) -> datetime | None:
    at = await position(graph, incident.id, incident.run)
    if at.finished:
        return None
    now = context.clock.now()
    asked = await _asked(at, incident, context)
    if at.waits_for is not None and outcome_of(asked, incident.active, now) is None:
        return min(item.expires_at for item in asked if item.state is ApprovalState.WAITING)
    return now
