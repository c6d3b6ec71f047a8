"""etcd behind everything: a slow or full store shows in its own log, the API server's, and in events of whoever writes.

When etcd fails, the API server, the scheduler and the controller manager fail with it: they are named as explained.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes import placement as at
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, log_fact, message
from agent_sre.analysis.kubernetes.kernel import JOURNALS
from agent_sre.analysis.kubernetes.reading import name_of, ref_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_SYSTEM = "kube-system"
_WORDS = re.compile(
    r"etcdserver: (request timed out|leader changed|mvcc: database space exceeded|no leader|too many requests)"
    r"|apply request took too long|slow fdatasync|took too long to execute|waiting for ReadIndex response took too long"
    r"|failed to send out heartbeat on time|database space exceeded|failed to recover v3 backend|lost leader"
    r"|NOSPACE", re.I
)  # fmt: skip
_GRAVE = re.compile(r"request timed out|space exceeded|NOSPACE|no leader|lost leader|failed to recover", re.I)
_LEAST = 3


def analyze_control_plane(case: CaseFile) -> Iterator[Finding]:
    """One finding where etcd is said to fail."""
    cluster = cluster_of(case)
    facts: list[Fact] = []
    count = grave = 0
    node = ""
    for seen in case.streams:
        source = seen.value.source
        if source.namespace not in (_SYSTEM, JOURNALS):
            continue
        found = [line for line in seen.value.lines if _WORDS.search(line.text)]
        count, grave = count + len(found), grave + sum(bool(_GRAVE.search(line.text)) for line in found)
        facts += [log_fact("The control plane's log says so", seen, line) for line in found[-1:]]
        node = node or (source.pod.removeprefix("etcd-") if found and source.pod.startswith("etcd-") else "")
    told = [event for event in cluster.objects("Event") if "etcdserver:" in message(event.value)]
    facts += [event_fact(event) for event in told[:2]]
    if told or grave or count >= _LEAST:
        yield Finding(
            "control_plane", "etcd_unhealthy", _place(cluster, node), 0.85 if told or grave else 0.7,
            "etcd does not answer in time or takes no more writes.", tuple(facts[:5]),
            onset=min((item.time for item in facts if item.time), default=None),
            explains=tuple(item.ref for item in cluster.in_scope() if item.broken),
            distinguish="etcdctl endpoint status and the latency of its disk: etcd_disk_wal_fsync_duration_seconds",
        )  # fmt: skip


def _place(cluster: Cluster, node: str) -> ObjectRef:
    """The node of etcd: of its pod, else the first of the control plane."""
    if cluster.get(ObjectRef("Node", "", node)) is not None:
        return ObjectRef("Node", "", node)
    hosts = [pod.node for pod in cluster.pods if pod.ref.namespace == _SYSTEM and pod.ref.name.startswith("etcd-")]
    masters = [name_of(seen.value) for seen in cluster.objects("Node") if at.is_control_plane(seen.value)]
    found = next(iter([*hosts, *masters]), "")
    seen = cluster.get(ObjectRef("Node", "", found))
    return ref_of(seen.value) if seen is not None else ObjectRef("Component", "", "etcd")
