"""A zone of the cloud: its nodes fail together while those of other zones work, whatever each of them says.

Two nodes down by coincidence are as likely in two zones as in one, so it takes all nodes of a zone, at least two, and
another zone that is well. The zone explains its nodes, and they their pods.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import Path, instant, labels, name_of, positions, ref_of, text
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef

_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


def analyze_zones(case: CaseFile) -> Iterator[Finding]:
    """One finding for each zone all of whose nodes are not ready while another zone's are."""
    cluster = cluster_of(case)
    zones: defaultdict[str, list[Seen[K8sObject]]] = defaultdict(list)
    for seen in cluster.objects("Node"):
        found = labels(seen.value, "metadata", "labels")
        zone = next((found[label] for label in _LABELS if label in found), "")
        if zone:
            zones[zone].append(seen)
    down = {zone: [seen for seen in nodes if _down(seen)] for zone, nodes in zones.items()}
    well = [zone for zone in zones if not down[zone]]
    for zone, nodes in sorted(zones.items()):
        if len(nodes) >= 2 and len(down[zone]) == len(nodes) and well:
            names = {name_of(seen.value) for seen in nodes}
            facts = [
                fact(f"Node {name_of(seen.value)} of zone {zone} is not ready", seen, ("metadata", "labels"), path)
                for seen in nodes[:4]
                if (path := _down(seen))
            ]
            yield Finding(
                "zones", "cloud_zone_impairment", ObjectRef("Zone", "", zone), 0.92,
                f"All nodes of zone {zone} are not ready, and those of {well[0]} are.", tuple(facts),
                onset=_since(nodes),
                explains=(
                    *(ref_of(seen.value) for seen in nodes),
                    *dict.fromkeys(cluster.workload_of(pod.ref) for pod in cluster.pods if pod.node in names),
                ),
                distinguish="the cloud provider's status page for the zone",
            )  # fmt: skip


def _since(nodes: list[Seen[K8sObject]]) -> datetime | None:
    found = [instant(seen.value, *_down(seen), "lastTransitionTime") for seen in nodes]
    return min((moment for moment in found if moment is not None), default=None)


def _down(seen: Seen[K8sObject]) -> Path:
    """Where the node says that it is not ready; () where it is."""
    for place, item in positions(seen.value, "status", "conditions"):
        if text(item, "type") == "Ready" and text(item, "status") != "True":
            return ("status", "conditions", place)
    return ()
