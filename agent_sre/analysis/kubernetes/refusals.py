"""What the API server said when it refused to create something a controller wanted.

A refusal is written twice: as a FailedCreate event, which expires after an hour, and as the ReplicaFailure condition of
the ReplicaSet and its Deployment, which stays. Both are read the same way. Also here: whether pods are missing at all,
since a refusal of a generation that has its pods is history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, message
from agent_sre.analysis.kubernetes.reading import Path, instant, positions, ref_of, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact

_REASONS = ("FailedCreate", "ReplicaSetCreateError")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal: its words, the fact that shows them, and the earliest time it was seen."""

    words: str
    fact: Fact
    since: datetime | None


def refusals(cluster: Cluster, workload: Workload) -> list[Refusal]:
    """All refusals of the workload's current generation: events, the latest first, then conditions."""
    told = [
        Refusal(
            message(event.value), event_fact(event), instant(event.value, "firstTimestamp") or event_time(event.value)
        )
        for event in cluster.events_of_workload(workload, *_REASONS)
    ]
    return [*told, *_conditions(workload)]


def _conditions(workload: Workload) -> Iterator[Refusal]:
    for seen in (workload.current, workload.seen):
        if seen is None:
            continue
        for path, item in _failures(seen.value):
            if not text(item, "message"):
                continue  # described objects show that it failed, not why
            sentence = f"{ref_of(seen.value)} has the condition ReplicaFailure"
            shown = fact(sentence, seen, (*path, "type"), (*path, "reason"), (*path, "message"))
            yield Refusal(text(item, "message"), shown, instant(item, "lastTransitionTime"))


def _failures(value: K8sObject) -> Iterator[tuple[Path, K8sObject]]:
    for place, item in positions(value, "status", "conditions"):
        if text(item, "type") == "ReplicaFailure" and text(item, "status") != "False":
            yield ("status", "conditions", place), item


def shortage(workload: Workload) -> list[Fact]:
    """That pods are missing now, from the generation's own status."""
    seen: Seen[K8sObject] | None = workload.newest
    if seen is None:
        return []
    paths: list[Path] = [("spec", "replicas"), ("status", "replicas")]
    paths += [("status", "desiredNumberScheduled"), ("status", "currentNumberScheduled")]
    paths += [("spec", "parallelism"), ("status", "active")]
    paths += [path for path, _ in _failures(seen.value)]
    return [fact(f"{ref_of(seen.value)} has fewer pods than it wants", seen, *paths)]
