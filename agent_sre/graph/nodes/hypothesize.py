"""Hypothesize: findings to a ranked, grounded verdict. The deterministic engine; a model may only improve on it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

from langgraph.runtime import Runtime

from agent_sre.analysis.judge import judge
from agent_sre.domain.evidence import Evidence
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Question, Verdict
from agent_sre.graph.casefile import load_case
from agent_sre.graph.state import Context, State, Update


async def hypothesize(state: State, runtime: Runtime[Context]) -> Update:
    """Rank, ground and store the verdict; say it on the timeline."""
    started = time.perf_counter()
    context = runtime.context
    incident_id, run = state["incident_id"], state["run"]
    findings, gaps = await context.cases.findings(incident_id, run)
    case = await load_case(context, state)
    verdict = await asyncio.to_thread(judge, case, findings)
    seconds = {**state.get("seconds", {}), "hypothesize": time.perf_counter() - started}
    question = Question(case.now, case.window, case.namespaces)
    evidence = linked(verdict.evidence, incident_id, context.options.console_url)
    verdict = replace(verdict, gaps=gaps, seconds=seconds, question=question, evidence=evidence)
    await context.cases.save_verdict(incident_id, run, verdict)
    now = context.options.fixed_now or context.clock.now()
    cited = verdict.hypotheses[0].evidence if verdict.hypotheses else ()
    entry = Entry(incident_id, now, "investigation", _sentence(verdict), evidence=cited, key=f"verdict/{run}")
    await context.journal.add(entry)
    return {"status": str(verdict.status), "seconds": {"hypothesize": seconds["hypothesize"]}}


def linked(evidence: Sequence[Evidence], incident_id: str, console: str) -> tuple[Evidence, ...]:
    """What has no page of its back end's is shown by the console."""
    page = f"{console.rstrip('/')}/incidents/{quote(incident_id, safe='')}" if console else ""
    return tuple(item if item.link or not page else replace(item, link=f"{page}#{item.id}") for item in evidence)


def _sentence(verdict: Verdict) -> str:
    if not verdict.hypotheses:
        return f"No cause found; {len(verdict.gaps)} things could not be looked at"
    first = verdict.hypotheses[0]
    lead = "Most likely" if verdict.status == "conclusive" else "Inconclusive; leading candidate"
    return f"{lead} ({first.confidence:.0%}): {first.statement}"
