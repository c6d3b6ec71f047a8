"""Who is hit, since when: from the alerts, workloads that do not serve, and what the leading cause explains."""

from collections.abc import Sequence

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.evidence_ids import Mint
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.ranking import Candidate
from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.finding import Fact
from agent_sre.domain.instant import format_instant
from agent_sre.domain.verdict import Impact

_MOST_FACTS = 3


def impact(case: CaseFile, ranked: Sequence[Candidate], mint: Mint) -> Impact:
    """The services that are hit, since when as far as evidence shows, and one sentence."""
    firing = [alert for alert in case.alerts if alert.status is AlertStatus.FIRING]
    broken = [item for item in cluster_of(case).in_scope() if item.broken]
    leading = ranked[0].finding if ranked else None
    services = {alert.service for alert in firing if alert.service} | {item.ref.name for item in broken}
    if leading is not None:
        services |= {ref.name for ref in leading.explains}
        services |= {leading.object.name} if leading.object.kind not in ("Node", "Namespace") else set()
    moments = [alert.starts_at for alert in firing]
    moments += [leading.onset] if leading is not None and leading.onset else []
    evidence = mint.cite([item for workload in broken[:_MOST_FACTS] for item in _broken_facts(workload)])
    since = format_instant(min(moments)) if moments else ""
    return Impact(tuple(sorted(services)), since, _summary(firing[0].summary if firing else "", broken), evidence)


def _summary(told: str, broken: Sequence[Workload]) -> str:
    names = ", ".join(item.ref.name for item in broken[:8])
    more = " and others" if len(broken) > 8 else ""
    state = f"Without enough ready pods: {names}{more}." if broken else ""
    return " ".join(part for part in (told, state) if part)


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
