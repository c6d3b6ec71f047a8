"""Who is hit, since when and how badly: workloads and routes, the share of their requests, the budget it costs.

The services are those that the alerts name, that do not serve, and that the leading cause explains. What their users
feel is a share of requests (``request_share``), by route where labels or access lines name one, and how fast that
spends an error budget where an objective is known (``error_budget``). What runs out if it goes on is told with the time
that is left (``exhaustion``). Each figure of the summary is in a cited excerpt.
"""

from collections.abc import Sequence
from dataclasses import replace

from agent_sre.analysis.access_lines import access_hits
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import number
from agent_sre.analysis.error_budget import objectives
from agent_sre.analysis.evidence_ids import Mint
from agent_sre.analysis.exhaustion import Running, running_out
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.ranking import Candidate
from agent_sre.analysis.request_share import Hit, hits, route_hits
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.verdict import Exhaustion, Impact

_MOST_FACTS = 3
_MOST_ROUTES = 5


def impact(case: CaseFile, ranked: Sequence[Candidate], mint: Mint) -> Impact:
    """The services and routes that are hit, since when as far as evidence shows, how badly, and a summary."""
    firing = [alert for alert in case.alerts if alert.status is AlertStatus.FIRING]
    broken = [item for item in cluster_of(case).in_scope() if item.broken]
    services = _services(firing, broken, ranked)
    felt = [hit for hit in hits(case, services) if stands(hit.fact, case)][:_MOST_FACTS]
    routes = route_hits(case, services) or access_hits(case, services)
    routes = [hit for hit in routes if stands(hit.fact, case)][:_MOST_ROUTES]
    burning, burn, spent = _burning(case, felt[0] if felt else None)
    told = [burning.fact, *(hit.fact for hit in felt[1:])] if burning is not None else []
    shown = [*(item for workload in broken[:_MOST_FACTS] for item in _broken_facts(workload)), *told]
    leading = ranked[0].finding if ranked else None
    moments = [alert.starts_at for alert in firing] + [item.time for item in told if item.time]
    moments += [leading.onset] if leading is not None and leading.onset else []
    ending = [item for item in running_out(case, services) if stands(item.fact, case)]
    ending = sorted([*ending, *spent], key=lambda item: (item.minutes, item.what))[:_MOST_FACTS]
    return Impact(
        services=tuple(sorted(services)),
        since=format_instant(min(moments)) if moments else "",
        summary=_summary(firing[0].summary if firing else "", broken, told, routes, ending),
        evidence=mint.cite([*shown, *(hit.fact for hit in routes), *(item.fact for item in ending)]),
        routes=tuple(dict.fromkeys(hit.route for hit in routes)),
        failing=round(felt[0].failing, 4) if felt and felt[0].failing is not None else None,
        burn=burn,
        running_out=tuple(
            Exhaustion(item.what, round(item.minutes, 1), item.fact.text, mint.cite([item.fact])) for item in ending
        ),
    )


def _services(firing: Sequence[Alert], broken: Sequence[Workload], ranked: Sequence[Candidate]) -> set[str]:
    services = {alert.service for alert in firing if alert.service} | {item.ref.name for item in broken}
    if ranked:
        leading = ranked[0].finding
        services |= {ref.name for ref in leading.explains}
        services |= {leading.object.name} if leading.object.kind not in ("Node", "Namespace") else set()
    return services


def _burning(case: CaseFile, worst: Hit | None) -> tuple[Hit | None, float | None, list[Running]]:
    """The worst hit, with how fast it spends its error budget where an objective is known for it, and how long a whole
    budget lasts where its period is."""
    if worst is None or worst.failing is None:
        return worst, None, []
    known = [item for item in objectives(case) if item.service in ("", worst.service)]
    if not known:
        return worst, None, []
    objective = known[0]
    burn = number(objective.burn(worst.failing))
    spent = (
        f"at an objective of {number(100 * objective.share)} % the error budget burns {burn} times as fast as it may"
    )
    text, shown = f"{worst.fact.text}; {spent}", f"{worst.fact.excerpt}; {spent} ({objective.source})"
    lasting = objective.lasts(float(burn))
    ending: list[Running] = []
    if objective.period is not None and lasting is not None:
        what = f"error budget of {worst.service}"
        told = f"A whole {what} for {objective.period[1]} burns {burn} times as fast as it may"
        told += f" and lasts about {number(max(round(lasting), 1))} minutes"
        ending.append(Running(what, lasting, replace(worst.fact, text=told, excerpt=f"{shown}; {told}")))
    return replace(worst, fact=replace(worst.fact, text=text, excerpt=shown)), float(burn), ending


def _summary(
    told: str, broken: Sequence[Workload], felt: Sequence[Fact], routes: Sequence[Hit], ending: Sequence[Running]
) -> str:
    names = ", ".join(item.ref.name for item in broken[:8])
    more = " and others" if len(broken) > 8 else ""
    state = f"Without enough ready pods: {names}{more}." if broken else ""
    shares = [f"{item.text}." for item in (*felt, *(entry.fact for entry in ending))]
    paths = ", ".join(dict.fromkeys(hit.route for hit in routes))
    told = f"{told}." if told and told[-1] not in ".!?" else told
    return " ".join(part for part in (told, state, *shares, f"Routes hit: {paths}." if paths else "") if part)


def _broken_facts(workload: Workload) -> list[Fact]:
    for pod in workload.current_pods:
        if not pod.ready and not pod.done:
            return [fact(f"{pod.ref} is not ready", pod.seen, ("status", "phase"), ("status", "containerStatuses"))]
    if workload.seen is None:
        return []
    paths = (
        ("spec", "replicas"),
        ("status", "replicas"),
        ("status", "readyReplicas"),
        ("status", "unavailableReplicas"),
    )
    return [fact(f"{workload.ref} has no pods", workload.seen, *paths)]
