"""What a process runs into from inside: locks that wait for each other, no descriptors, no threads.

Runtimes say it in words that are worth more than their severity: a thread dump is printed as plain output, an accept
loop only warns. So the lines of a workload are read whatever their level. A hang proves itself a second time by probes
that time out on a port that still accepts, which a process that ended or a wrong port would not do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, log_fact, message
from agent_sre.analysis.kubernetes.logs import LineSeen, streams
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.profiles import profiles
from agent_sre.domain.finding import Finding


@dataclass(frozen=True, slots=True)
class Words:
    """What says that a limit is reached. ``alone`` is the strength of a line that needs no second witness."""

    fault: str
    pattern: re.Pattern[str]
    alone: float
    statement: str


_KINDS = (
    Words(
        "file_descriptors_exhausted",
        re.compile(r"too many open files|\bEMFILE\b|\bENFILE\b|no file descriptors available", re.I),
        0.85,
        "has no file descriptors left",
    ),
    Words(
        "deadlock",
        re.compile(
            r"Found (one|\d+) Java-level deadlock|all goroutines are asleep - deadlock|(possible|potential) deadlock"
            r"|deadlock detected in|lock order inversion|cyclic lock|threads? (are |is )?deadlocked", re.I
        ),
        0.85,
        "does not get on: its threads wait for each other",
    ),
    Words(
        "deadlock",
        re.compile(
            r"waiting to lock (monitor |<)0x|BLOCKED \(on object monitor\)"
            r"|goroutine \d+ \[(semacquire|sync\.\w+), \d+ minutes"
            r"|no (request|task|heartbeat)s? (was |were )?(completed|finished|processed) (in|for) the last"
            r"|(worker|thread|lock)\S* .{0,60}blocked for (more than )?\d+ ?(s|seconds|minutes|ms)\b", re.I
        ),
        0.45,
        "does not get on: its threads wait for each other",
    ),
    Words(
        "thread_pool_exhausted",
        re.compile(
            r"RejectedExecutionException|unable to create (new )?native thread|reached (pm\.)?max_children"
            r"|reached MaxRequestWorkers"
            r"|listen queue of socket .{0,40}full|(thread|worker) ?pool .{0,30}(exhausted|full|saturated)"
            r"|no idle (threads|workers)"
            r"|all (\d+ )?(worker |pool )?(threads|workers) (are )?(busy|in use)|there are 0 idle"
            r"|can't start new thread", re.I
        ),
        0.85,
        "has no threads left for requests",
    ),
)  # fmt: skip
_HOLDS = (
    "lock", "thread", "worker", "goroutine", "the last", "open files", "emfile", "enfile", "file descriptors",
    "rejectedexecution", "max_children", "maxrequestworkers", "listen queue", "0 idle",
)  # fmt: skip
"""In lower case: a line that holds none of these can match none of the patterns, which cost twenty times as much."""
_TRANSACTIONS = re.compile(r"transaction|SQLSTATE|trying to get lock|Process \d+ waits for", re.I)
"""A database that breaks a deadlock of transactions is another matter."""
_PLAIN = 0.8
"""From this strength on the words themselves say deadlock; below it they tell of threads that wait."""
_SERVED = 0.5
_HANGS = re.compile(r"probe failed: .*(context deadline exceeded|Client\.Timeout|timed out|timeout)", re.I)


def analyze_process_limits(case: CaseFile) -> Iterator[Finding]:
    """One finding for each limit that a workload's own log says it has reached."""
    cluster = cluster_of(case)
    for workload in cluster.in_scope():
        lines = [
            (seen, seen.value.lines[number])
            for seen in streams(case, workload)
            for number in seen.value.index.holding(_HOLDS)
        ]
        hung = [
            event for event in cluster.events_of_workload(workload, "Unhealthy") if _HANGS.search(message(event.value))
        ]
        for kind in _KINDS:
            found = [
                item for item in lines if kind.pattern.search(item[1].text) and not _TRANSACTIONS.search(item[1].text)
            ]
            if found:
                facts = [log_fact("Its log says so", *item) for item in _spread(found)]
                facts += [event_fact(event) for event in hung[:1]] if kind.fault == "deadlock" else []
                strength = _strength(cluster, workload, kind, len(found), bool(hung))
                fault = kind.fault
                if fault == "deadlock" and kind.alone < _PLAIN and not hung and _goes_on(case, workload.ref.name):
                    fault = "lock_contention"
                yield Finding(
                    "process_limits", fault, workload.ref, strength, f"{workload.ref} {kind.statement}.",
                    tuple(facts),
                    onset=min((line.time for _, line in found if line.time), default=None),
                    distinguish=f"a thread dump and the open descriptors of a pod of {workload.ref.name}",
                )  # fmt: skip


def _goes_on(case: CaseFile, name: str) -> bool:
    """Whether requests still get through: threads that wait for a lock then get it, late; in a deadlock none does."""
    traffic = profiles(case)[name].traffic if name in profiles(case) else None
    return traffic is not None and traffic.ratio >= _SERVED


def _strength(cluster: Cluster, workload: Workload, kind: Words, count: int, hung: bool) -> float:
    if kind.fault == "deadlock" and hung:
        return 0.93 if kind.alone > _PLAIN else 0.85
    return (
        kind.alone if count >= 2 or workload.broken or any(pod.restarts for pod in workload.pods) else 0.8 * kind.alone
    )


def _spread(found: list[LineSeen]) -> list[LineSeen]:
    """The first and the last of them."""
    return found[:1] if len(found) == 1 else [found[0], found[-1]]
