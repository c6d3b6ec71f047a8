"""Gather: one branch of the fan-out, one collector. What it brings back is stored before the step counts as done."""

import time
from dataclasses import asdict, replace

from langgraph.runtime import Runtime

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Scope
from agent_sre.graph.state import Context, GatherTask, Update


async def gather(state: GatherTask, runtime: Runtime[Context]) -> Update:
    """Run the collector named in the branch's input. A repeated step replaces its own observations."""
    started = time.perf_counter()
    context = runtime.context
    collector = next((item for item in COLLECTORS if item.name == state["collector"]), None)
    if collector is None:
        known = ", ".join(item.name for item in COLLECTORS)
        raise PermanentError(f"collector {state['collector']!r} of a stored run no longer exists; known: {known}")
    early = context.early
    if not collector.quick and not (early and early.is_stored(state["incident_id"], state["run"])):
        await context.head_starts.wait(state["incident_id"], state["run"])
    start, end = state["window"]
    scope = Scope(
        incident_id=state["incident_id"],
        run=state["run"],
        now=parse_instant(state["now"]),
        window=Window(parse_instant(start), parse_instant(end)),
        namespaces=tuple(state["namespaces"]),
        alerts=await context.incidents.alerts(state["incident_id"]),
        limits=context.limits,
        signals=context.signals,
        gitops_namespaces=context.options.gitops_namespaces,
        early=await early.of(state["incident_id"], state["run"]) if early and collector.quick else (),
        budget=context.budgets.of(state["incident_id"], state["run"], context.limits.per_backend),
    )
    if context.recording is not None:
        collected = await context.recording.collected(collector.name, context.limits.redaction)
    else:
        cluster = context.listings.of(state["incident_id"], state["run"], context.readers.cluster)
        collected = await run_collector(collector, scope, replace(context.readers, cluster=cluster))
    await context.cases.add_observations(state["incident_id"], state["run"], collected.observations)
    if collector.quick:
        context.head_starts.done(state["incident_id"], state["run"])
    return {
        "observations": [item.id for item in collected.observations],
        "gaps": [asdict(gap) for gap in collected.gaps],
        "seconds": {"gather": time.perf_counter() - started},
    }
