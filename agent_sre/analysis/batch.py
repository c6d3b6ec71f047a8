"""Jobs that failed for good, and CronJobs that did not start when they should have.

A Job tells its failure by a condition that stays until the Job is deleted, so its age counts: one of last month is
untidy, not today's incident, unless an alert names it or nothing has succeeded since. A CronJob is late where its
schedule has come due since the last start; whether it is suspended, still busy with an earlier run that must not
overlap, or told off by the controller says why.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, log_fact
from agent_sre.analysis.kubernetes.logs import last_lines
from agent_sre.analysis.kubernetes.reading import (
    Path,
    instant,
    items,
    name_of,
    namespace_of,
    number,
    positions,
    ref_of,
    text,
)
from agent_sre.analysis.kubernetes.schedule import starts_between
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "batch"
_RECENT = timedelta(hours=3)
_SLACK = timedelta(minutes=2)
_MISSED = ("FailedNeedsStart", "TooManyMissedTimes", "MissSchedule", "MissedSchedule")


def analyze_batch(case: CaseFile) -> Iterator[Finding]:
    """Findings for failed Jobs and late CronJobs."""
    cluster = cluster_of(case)
    wanted = set(case.namespaces)
    for seen in cluster.objects("Job"):
        if not wanted or namespace_of(seen.value) in wanted:
            yield from _failed(case, cluster, seen)
    for workload in cluster.in_scope():
        if workload.ref.kind == "CronJob" and workload.seen is not None:
            yield from _late(case, cluster, workload, workload.seen)


def failure(job: K8sObject) -> tuple[Path, K8sObject] | None:
    """The condition that says that a Job has failed for good, with its path; None where it has not."""
    for place, item in positions(job, "status", "conditions"):
        if text(item, "type") == "Failed" and text(item, "status") == "True":
            return ("status", "conditions", place), item
    return None


def _failed(case: CaseFile, cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    found = failure(seen.value)
    if found is None:
        return
    path, condition = found
    job = ref_of(seen.value)
    owner = cluster.workload_of(job)
    moment = instant(seen.value, *path, "lastTransitionTime")
    if moment is not None and _succeeded_since(cluster, owner, moment):
        return
    recent = moment is None or moment >= case.window.start - _RECENT
    words = f"{job} has failed: {text(condition, 'reason')}"
    facts: list[Fact] = [fact(words, seen, path, ("status", "failed"), time=moment)]
    facts += [event_fact(event) for event in cluster.events(job)[:1]]
    workload = cluster.workloads.get(owner)
    if workload is not None and workload.containers:
        tail = last_lines(case, workload, workload.containers[-1].name, 1)
        facts += [log_fact("The last words of its pod", *tail[-1])] if tail else []
    strength = 0.88 if recent or _named(case, job, owner) else 0.2
    if workload is not None and _never_began(workload):
        strength = min(strength, 0.55)  # the init container says more
    yield Finding(
        _ANALYZER, "job_failed", owner, strength, f"{words}.", tuple(facts),
        onset=moment, distinguish=f"kubectl -n {job.namespace} logs job/{job.name} --all-containers",
    )  # fmt: skip


def _never_began(workload: Workload) -> bool:
    """Whether an init container failed, so that the Job's own program never ran."""
    ends = [item.terminated[0] for pod in workload.pods for item in pod.containers if item.init]
    return any(number(ended, "exitCode") not in (None, 0) for ended in ends)


def _succeeded_since(cluster: Cluster, owner: ObjectRef, moment: datetime) -> bool:
    """Whether the CronJob behind it has had a run that went well afterwards."""
    found = cluster.get(owner)
    success = instant(found.value, "status", "lastSuccessfulTime") if found is not None else None
    return success is not None and success > moment


def _named(case: CaseFile, *refs: ObjectRef) -> bool:
    names = {ref.name for ref in refs}
    return any(names & set(alert.labels.values()) for alert in case.alerts)


def _late(case: CaseFile, cluster: Cluster, workload: Workload, seen: Seen[K8sObject]) -> Iterator[Finding]:
    cron = seen.value
    last = instant(cron, "status", "lastScheduleTime") or instant(cron, "metadata", "creationTimestamp")
    zone, schedule = text(cron, "spec", "timeZone"), text(cron, "spec", "schedule")
    due = list(starts_between(schedule, zone, last, case.now - _SLACK)) if last is not None else []
    told = cluster.events(workload.ref, *_MISSED)
    suspended = workload.value("spec", "suspend") is True
    busy = _unfinished(cluster, workload) if text(cron, "spec", "concurrencyPolicy") == "Forbid" else None
    if not (suspended or told or due):
        return
    paths: tuple[Path, ...] = tuple(("spec", field) for field in
        ("suspend", "schedule", "concurrencyPolicy", "startingDeadlineSeconds"))  # fmt: skip
    facts = [fact(f"{workload.ref} as it is set, and its last start", seen, *paths, ("status", "lastScheduleTime"))]
    facts += [event_fact(event) for event in told[:1]]
    if suspended:
        why, strength = "is suspended", 0.8 if _named(case, workload.ref) else 0.7 if due else 0.45
    elif busy is not None:
        facts.append(fact(f"{ref_of(busy.value)} still runs, and runs may not overlap", busy, ("status",)))
        why, strength = f"does not start while {name_of(busy.value)} still runs", 0.85 if due or told else 0.3
    elif told:
        why, strength = "missed its start times", 0.8
    else:
        why, strength = "has not started though its schedule came due", 0.65 if len(due) > 1 else 0.5
    yield Finding(
        _ANALYZER, "cronjob_missed", workload.ref, strength, f"{workload.ref} {why}.", tuple(facts),
        onset=due[0] if due else None,
        distinguish=f"kubectl -n {workload.ref.namespace} describe cronjob {workload.ref.name}",
    )  # fmt: skip


def _unfinished(cluster: Cluster, workload: Workload) -> Seen[K8sObject] | None:
    """A Job of the CronJob that has neither completed nor failed."""
    for seen in cluster.objects("Job", workload.ref.namespace):
        ended = {
            text(item, "type") for item in items(seen.value, "status", "conditions") if text(item, "status") == "True"
        }
        if cluster.workload_of(ref_of(seen.value)) == workload.ref and not ended & {"Complete", "Failed"}:
            return seen
    return None
