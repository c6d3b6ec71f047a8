"""What a node's own pods, events and journals say is wrong with it, beyond its conditions.

A condition is over as soon as the kubelet has made room, but the evicted pods and the events stay. A journal names the
part that fails before any condition changes. Each kind of trouble is a row: the words, where they may stand, and the
fault that they mean. Every row needs words of the node or about it; what a container says of itself counts only where
pods of one node say it and those of other nodes do not (``_shared``).
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen, per_case
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, log_fact, message
from agent_sre.analysis.kubernetes.kernel import journal
from agent_sre.analysis.kubernetes.logs import LineSeen
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import instant, items, name_of, ref_of, text
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef


@dataclass(frozen=True, slots=True)
class Trouble:
    """Words of a node's trouble by where they stand: events, journals, the logs of its pods."""

    fault: str
    what: str
    event: str = ""
    journal: str = ""
    pods: str = ""
    evicted: str = ""


_ROWS = (
    Trouble(
        "containerd_unavailable",
        "its container runtime does not answer",
        event=r"(containerd|crio|dockerd?|cri-dockerd)\.sock",
        journal=r"(containerd|crio|dockerd?|cri-dockerd)\.sock.{0,40}(no such file|connection refused|connect:)"
        r"|containerd\.service: (Main process exited|Failed)|container runtime is down",
    ),
    Trouble(
        "kubelet_unavailable",
        "its kubelet does not stay up",
        journal=r"failed to run Kubelet|kubelet\.service: (Main process exited|Failed with|Scheduled restart job)",
    ),
    Trouble(
        "kube_proxy_unavailable",
        "its kube-proxy does not stay up",
        journal=r"kube-proxy\.service: (Main process exited|Failed with)|Error running ProxyServer",
    ),
    Trouble(
        "node_memory_pressure",
        "it has run out of memory",
        event=r"^System OOM encountered|Attempting to reclaim memory|status is now: NodeHasInsufficientMemory",
        journal=r"CONSTRAINT_NONE|global_oom|^Out of memory: Killed process|attempting to reclaim.{0,20}memory",
        evicted=r"low on resource: memory|MemoryPressure",
    ),
    Trouble(
        "node_disk_pressure",
        "it has run out of disk",
        event=r"Failed to garbage collect required amount of images|failed to garbage collect required amount"
        r"|Attempting to reclaim (ephemeral-storage|nodefs|imagefs|inodes)|status is now: NodeHasDiskPressure"
        r"|invalid capacity 0 on image filesystem|no space left on device",
        journal=r"no space left on device|must evict pod\(s\) to reclaim\S* ephemeral-storage",
        evicted=r"low on resource: (ephemeral-storage|inodes|nodefs|imagefs)|DiskPressure",
    ),
    Trouble(
        "node_pid_pressure",
        "it has run out of process ids",
        event=r"Attempting to reclaim pids|status is now: NodeHasInsufficientPID"
        r"|(fork/exec|clone|pthread_create)\S*.{0,60}resource temporarily unavailable",
        journal=r"fork rejected by pids controller|(fork|clone)\S*.{0,80}[Rr]esource temporarily unavailable"
        r"|Cannot fork",
        pods=r"can't start new thread|fork: (retry: )?[Rr]esource temporarily unavailable|EAGAIN.{0,20}fork"
        r"|unable to create (new )?native thread",
        evicted=r"low on resource: pids|PIDPressure",
    ),
    Trouble(
        "node_clock_skew",
        "its clock is wrong",
        journal=r"System clock wrong by|no selectable sources|System clock was stepped by|clock (skew|jump)"
        r"|time (may be|is) (out of sync|not synchronised|not synchronized)|Time has been changed",
        pods=r"not yet valid|used before issued|iat.{0,20}in the future|clock skew|RequestTimeTooSkewed"
        r"|issued in the future|timestamp .{0,40}in the future|Clock is skewed",
    ),
    Trouble(
        "node_network_packet_loss",
        "its network interface loses packets",
        journal=r"NIC Link is Down|Link is Down|transmit queue \d+ timed out|Tx Unit Hang|carrier lost|link down"
        r"|nf_conntrack: table full, dropping packet|rx_crc_errors",
    ),
)
_LEAD = timedelta(hours=1)
"""How long before the window an eviction may lie and still belong to the incident."""
_STRENGTH = {"node_clock_skew": 0.85, "node_network_packet_loss": 0.85}


def analyze_node_trouble(case: CaseFile) -> Iterator[Finding]:
    """One finding for each trouble of a node that something else than its conditions shows."""
    cluster = cluster_of(case)
    for seen in cluster.objects("Node"):
        name = name_of(seen.value)
        pods = [*cluster.on_node(name)]
        for row in _ROWS:
            facts = [*_evictions(case, pods, row), *_events(cluster, name, pods, row), *_journal(case, name, row)]
            facts += _shared(case, cluster, pods, row)
            if facts:
                yield _finding(cluster, seen, pods, row, facts)


def _finding(cluster: Cluster, seen: Seen[K8sObject], pods: list[Pod], row: Trouble, facts: list[Fact]) -> Finding:
    ref = ref_of(seen.value)
    hit = [cluster.workload_of(pod.ref) for pod in pods if not pod.ready or pod.restarts]
    strength = _STRENGTH.get(row.fault, 0.82) + (0.06 if len(facts) > 1 else 0.0)
    return Finding(
        "node_trouble", row.fault, ref, strength, f"{ref} is in trouble: {row.what}.", tuple(facts[:5]),
        onset=min((item.time for item in facts if item.time), default=None), explains=tuple(dict.fromkeys(hit)),
        distinguish=f"kubectl describe node {ref.name}, and the journal of its units",
    )  # fmt: skip


def _evictions(case: CaseFile, pods: list[Pod], row: Trouble) -> list[Fact]:
    if not row.evicted:
        return []
    words = re.compile(row.evicted)
    found = [pod for pod in pods if text(pod.seen.value, "status", "reason") == "Evicted" and _lately(case, pod)]
    return [
        fact(
            f"{pod.ref} was evicted from it",
            pod.seen,
            ("spec", "nodeName"),
            ("status", "reason"),
            ("status", "message"),
        )
        for pod in found
        if words.search(text(pod.seen.value, "status", "message"))
    ][:2]


def _lately(case: CaseFile, pod: Pod) -> bool:
    """Whether a pod ended within the window, or does not tell when: evicted pods lie about for weeks."""
    times = [
        moment
        for item in items(pod.seen.value, "status", "conditions")
        if text(item, "type") == "DisruptionTarget" and (moment := instant(item, "lastTransitionTime")) is not None
    ]
    return not times or max(times) >= case.window.start - _LEAD


def _events(cluster: Cluster, node: str, pods: list[Pod], row: Trouble) -> list[Fact]:
    if not row.event:
        return []
    words = re.compile(row.event)
    refs = [ObjectRef("Node", "", node), *(pod.ref for pod in pods if not pod.ready)]
    events = [event for ref in refs for event in cluster.events(ref) if words.search(message(event.value))]
    return [event_fact(event) for event in events[:2]]


def _journal(case: CaseFile, node: str, row: Trouble) -> list[Fact]:
    if not row.journal:
        return []
    words = re.compile(row.journal)
    found = [(seen, line) for seen, line in journal(case, node) if words.search(line.text)]
    return [log_fact("Its journal says so", *item) for item in found[-2:]]


def _shared(case: CaseFile, cluster: Cluster, pods: list[Pod], row: Trouble) -> list[Fact]:
    """What at least two workloads' pods on this node say, and no pod on another node."""
    if not row.pods:
        return []
    here = {pod.ref.name: cluster.workload_of(pod.ref) for pod in pods}
    said: dict[ObjectRef, LineSeen] = {}
    elsewhere: defaultdict[str, int] = defaultdict(int)
    for seen, line in _first_said(case)[row.pods]:
        source = seen.value.source
        if source.pod in here:
            said.setdefault(here[source.pod], (seen, line))
        else:
            elsewhere[source.pod] += 1
    if len(said) < 2 or elsewhere:
        return []
    return [log_fact(f"{ref} says so on this node only", *line) for ref, line in list(said.items())[:3]]


@per_case
def _first_said(case: CaseFile) -> dict[str, list[LineSeen]]:
    """For each row's words that pods may say: the first such line of each pod's log."""
    return {
        words: [
            (seen, line)
            for seen in case.streams
            if seen.value.source.namespace != "@nodes"
            and (line := next((line for line in seen.value.lines if re.search(words, line.text)), None)) is not None
        ]
        for words in {row.pods for row in _ROWS if row.pods}
    }
