"""Admission: the API server refused to create what a controller wanted.

The tell-tale is a generation that has fewer pods than it wants. Why is in FailedCreate events on its ReplicaSet;
where those have expired, the specification is compared with what is listed: service accounts, and quotas' used
against hard. A FailedCreate on a generation that has all its pods is history, however often it was counted. Quotas
that fill without a refusal in sight (services, claims) are found from what is missing.
"""

import re
from collections.abc import Iterable, Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, message
from agent_sre.analysis.kubernetes.quotas import Overrun, blocking_quotas, overruns
from agent_sre.analysis.kubernetes.reading import Path, positions, ref_of, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "admission"
_REFUSALS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "missing_service_account",
        re.compile(r"service ?account .{0,120}not found|looking up service account", re.I),
        "its service account does not exist",
    ),
    (
        "pod_security_denied",
        re.compile(r"violates PodSecurity|unable to validate against any security context constraint", re.I),
        "the namespace's Pod Security level forbids its pods",
    ),
    (
        "admission_webhook_denied",
        re.compile(r"admission webhook .{0,200}denied|failed calling webhook", re.I),
        "an admission webhook refuses its pods",
    ),
    (
        "limit_range_violation",
        re.compile(r"(maximum|minimum) (cpu|memory|\S*storage|usage).{0,80} per|limit to request ratio", re.I),
        "its requests or limits lie outside the namespace's LimitRange",
    ),
    (
        "rbac_forbidden",
        re.compile(r"(User|serviceaccount) .{0,200}cannot \w+ resource", re.I),
        "an identity lacks the right to create its pods",
    ),
)  # fmt: skip


def analyze_admission(case: CaseFile) -> Iterator[Finding]:
    """Findings for every workload whose current generation is short of pods, and for quotas that are full."""
    cluster = cluster_of(case)
    for workload in cluster.in_scope():
        if workload.short:
            yield from _refused(cluster, workload)
    yield from blocking_quotas(cluster)


def _refused(cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    events = cluster.events_of_workload(workload, "FailedCreate", "ReplicaSetCreateError")
    short = _shortage(workload)
    found = False
    for fault, pattern, why in _REFUSALS:
        saying = [event for event in events if pattern.search(message(event.value))]
        if saying and not (fault == "missing_service_account" and _account_listed(cluster, workload)):
            found = True
            yield _finding(
                fault, workload, why, 0.97, [event_fact(saying[0]), *short, *_context(fault, cluster, workload)], saying
            )
    limited = [item for event in events[:20] for item in overruns(message(event.value))]
    if limited:
        found = True
        yield from _quota(cluster, workload, events, limited, short)
    if not found:
        yield from _without_words(cluster, workload, short)


def _finding(
    fault: str, workload: Workload, why: str, strength: float, facts: Iterable[Fact], events: list[Seen[K8sObject]]
) -> Finding:
    oldest = min((moment for event in events if (moment := event_time(event.value))), default=None)
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=workload.ref,
        strength=strength,
        statement=f"{workload.ref} gets no pods: {why}.",
        facts=tuple(facts),
        onset=oldest,
        distinguish=f"kubectl -n {workload.ref.namespace} describe replicaset: the newest FailedCreate event",
    )


def _shortage(workload: Workload) -> list[Fact]:
    """That pods are missing now, from the generation's own status."""
    paths: list[Path] = [("spec", "replicas"), ("status", "replicas")]
    seen = workload.current or workload.seen
    if seen is None:
        return []
    for place, item in positions(seen.value, "status", "conditions"):
        if text(item, "type") == "ReplicaFailure":
            paths.append(("status", "conditions", place))
    return [fact(f"{ref_of(seen.value)} has fewer pods than it wants", seen, *paths)]


def _context(fault: str, cluster: Cluster, workload: Workload) -> list[Fact]:
    if fault != "missing_service_account" or workload.spec_source is None:
        return []
    seen, path = workload.spec_source
    name = text(seen.value, *path, "serviceAccountName") or "default"
    ref = ObjectRef("ServiceAccount", workload.ref.namespace, name)
    if cluster.get(ref) is not None or not cluster.looked_at("ServiceAccount"):
        return []
    sentence = f"The template names the service account {name}, which is not among those of the namespace"
    return [fact(sentence, seen, (*path, "serviceAccountName"))]


def _account_listed(cluster: Cluster, workload: Workload) -> bool:
    """Whether the account exists by now, so that an early refusal for want of it has healed."""
    name = str(workload.pod_spec.get("serviceAccountName") or "default")
    return cluster.get(ObjectRef("ServiceAccount", workload.ref.namespace, name)) is not None


def _quota(
    cluster: Cluster,
    workload: Workload,
    events: list[Seen[K8sObject]],
    limited: list[Overrun],
    short: list[Fact],
) -> Iterator[Finding]:
    space = ObjectRef("Namespace", "", workload.ref.namespace)
    for overrun in {item.fault: item for item in reversed(limited)}.values():
        saying = next(event for event in events if f"exceeded quota: {overrun.quota}" in message(event.value))
        facts = [event_fact(saying), *short]
        quota = cluster.get(ObjectRef("ResourceQuota", workload.ref.namespace, overrun.quota))
        if quota is not None:
            paths: tuple[Path, ...] = (("status", "hard", overrun.resource), ("status", "used", overrun.resource))
            facts.append(fact(f"Quota {overrun.quota} as it stands for {overrun.resource}", quota, *paths))
        oldest = min((moment for event in events if (moment := event_time(event.value))), default=None)
        yield Finding(
            analyzer=_ANALYZER,
            fault=overrun.fault,
            object=space,
            strength=0.97,
            statement=(
                f"{workload.ref} gets no pods: quota {overrun.quota} of namespace {space.name} allows"
                f" {overrun.limited} of {overrun.resource}, {overrun.used} is used, {overrun.requested} more asked for."
            ),
            facts=tuple(facts),
            onset=oldest,
            explains=(workload.ref,),
            distinguish=f"kubectl -n {space.name} describe resourcequota {overrun.quota}",
        )


def _without_words(cluster: Cluster, workload: Workload, short: list[Fact]) -> Iterator[Finding]:
    """No event tells why: compare the template with what is listed."""
    if not short or workload.spec_source is None:
        return
    context = _context("missing_service_account", cluster, workload)
    seen, path = workload.spec_source
    if context and text(seen.value, *path, "serviceAccountName"):
        why = "its service account is not listed"
        yield _finding("missing_service_account", workload, why, 0.9, [*context, *short], [])
