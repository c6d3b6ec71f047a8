"""Execute: what was approved, through the effect ledger, at most once."""

from langgraph.runtime import Runtime

from agent_sre.actions.executor import execute as carry_out
from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.effect import EffectState
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.graph.lifecycle import move
from agent_sre.graph.state import Context, State, Update


async def execute(state: State, runtime: Runtime[Context]) -> Update:
    """Carry out each approved action in the order asked; close what nobody decided."""
    context = runtime.context
    if context.writer is None or context.readers.cluster is None:
        raise PermanentError(
            "an action was approved but no cluster is configured to act on; set AGENT_SRE_ACTIONS_MODE"
        )
    incident_id = state["incident_id"]
    await context.approvals.supersede(incident_id, context.clock.now(), "another action was approved")
    await move(context, incident_id, IncidentStatus.MITIGATING)
    effects = []
    for approval in await context.approvals.of_incident(incident_id):
        if approval.id in state["approvals"] and approval.state is ApprovalState.APPROVED:
            effects.append(
                await carry_out(
                    approval,
                    writer=context.writer,
                    reader=context.readers.cluster,
                    ledger=context.effects,
                    clock=context.clock,
                    policy=context.policy,
                    journal=context.journal,
                    kill_switch=context.kill_switch,
                )
            )
    done = any(effect.state is EffectState.DONE for effect in effects)
    return {"effects": [effect.id for effect in effects], "applied": done}
