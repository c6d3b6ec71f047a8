"""Admission: the API server refused to create what a controller wanted.

The tell-tale is a generation that has fewer pods than it wants. Why is in the refusals that were written down (events
and conditions, see ``refusals``). Where none is left, the API server's own checks are done again on the template:
service account, Pod Security level, LimitRanges, quotas. A refusal of a generation that has all its pods is history,
however often it was counted. Quotas that fill without a refusal in sight (services, claims) are found from what is
missing.
"""

import re
from collections.abc import Iterable, Iterator

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.limits import violations
from agent_sre.analysis.kubernetes.pod_security import forbidden
from agent_sre.analysis.kubernetes.quotas import Overrun, blocking_quotas, overruns, would_exceed
from agent_sre.analysis.kubernetes.reading import Path, text
from agent_sre.analysis.kubernetes.refusals import Refusal, refusals, shortage
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
        re.compile(
            r"admission webhook .{0,200}denied|failed calling webhook|ValidatingAdmissionPolicy .{0,300}denied", re.I
        ),
        "an admission webhook or policy refuses its pods",
    ),
    (
        "limit_range_violation",
        re.compile(
            r"(maximum|minimum) \S+ (usage|limit|request)?.{0,80} per (Container|Pod|PersistentVolumeClaim)"
            r"|limit to request ratio|must be less than or equal to (cpu|memory|\S*storage) limit",
            re.I,
        ),
        "its requests or limits lie outside the namespace's LimitRange",
    ),
    (
        "config_invalid",
        re.compile(r"failed quota: .{0,200}must specify", re.I),
        "a quota of the namespace asks for requests and limits that it does not set",
    ),
    (
        "config_invalid",
        re.compile(r"no PriorityClass with name .{0,100} was found|RuntimeClass .{0,100}not found", re.I),
        "a class that its template names does not exist",
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
    said, short = refusals(cluster, workload), shortage(workload)
    found = False
    for fault, pattern, why in _REFUSALS:
        saying = [item for item in said if pattern.search(item.words)]
        if saying and not (fault == "missing_service_account" and _account_listed(cluster, workload)):
            found = True
            facts = [saying[0].fact, *short, *_account(fault, cluster, workload)]
            yield _finding(fault, workload, why, 0.97, facts, saying)
    limited = [(item, over) for item in said[:20] for over in overruns(item.words)]
    if limited:
        found = True
        yield from _quota(cluster, workload, limited, short)
    if not found and short and not said:
        yield from _checked_again(cluster, workload, short)


def _finding(
    fault: str, workload: Workload, why: str, strength: float, facts: Iterable[Fact], said: list[Refusal]
) -> Finding:
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=workload.ref,
        strength=strength,
        statement=f"{workload.ref} gets no pods: {why}.",
        facts=tuple(facts),
        onset=min((item.since for item in said if item.since), default=None),
        distinguish=f"kubectl -n {workload.ref.namespace} get events: the newest FailedCreate",
    )


def _account(fault: str, cluster: Cluster, workload: Workload) -> list[Fact]:
    """That the template's service account is not among those listed."""
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
    cluster: Cluster, workload: Workload, limited: list[tuple[Refusal, Overrun]], short: list[Fact]
) -> Iterator[Finding]:
    for refusal, over in {item.fault: (said, item) for said, item in reversed(limited)}.values():
        yield _quota_finding(cluster, workload, over, [refusal.fact, *short], 0.97, refusal)


def _quota_finding(
    cluster: Cluster, workload: Workload, over: Overrun, facts: list[Fact], strength: float, said: Refusal | None = None
) -> Finding:
    space = ObjectRef("Namespace", "", workload.ref.namespace)
    quota = cluster.get(ObjectRef("ResourceQuota", workload.ref.namespace, over.quota))
    if quota is not None:
        paths: tuple[Path, ...] = (("status", "hard", over.resource), ("status", "used", over.resource))
        facts = [*facts, fact(f"Quota {over.quota} as it stands for {over.resource}", quota, *paths)]
    asked = f", {over.requested} more asked for" if said else ", and one more pod does not fit"
    return Finding(
        analyzer=_ANALYZER,
        fault=over.fault,
        object=space,
        strength=strength,
        statement=(
            f"{workload.ref} gets no pods: quota {over.quota} of namespace {space.name} allows"
            f" {over.limited} of {over.resource}, {over.used} is used{asked}."
        ),
        facts=tuple(facts),
        onset=said.since if said else None,
        explains=(workload.ref,),
        distinguish=f"kubectl -n {space.name} describe resourcequota {over.quota}",
    )


def _checked_again(cluster: Cluster, workload: Workload, short: list[Fact]) -> Iterator[Finding]:
    """No refusal is left: do the API server's checks again on the template."""
    if workload.spec_source is None:
        return
    account = _account("missing_service_account", cluster, workload)
    if account and text(workload.spec_source[0].value, *workload.spec_source[1], "serviceAccountName"):
        yield _finding(
            "missing_service_account", workload, "its service account is not listed", 0.9, [*account, *short], []
        )
    broken = forbidden(cluster, workload)
    if broken:
        why = "the namespace's Pod Security level forbids its pods"
        yield _finding("pod_security_denied", workload, why, 0.9, [*broken, *short], [])
    bounds = list(violations(cluster, workload))
    if bounds:
        why = "its requests or limits lie outside the namespace's LimitRange"
        yield _finding("limit_range_violation", workload, why, 0.88, [*bounds[:4], *short], [])
    for over, shown in would_exceed(cluster, workload):
        yield _quota_finding(cluster, workload, over, [shown, *short], 0.88)
