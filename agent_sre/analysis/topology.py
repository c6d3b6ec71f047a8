"""Which workload calls which, through which Service: from configured addresses and from the observed call graph."""

from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.addresses import addresses
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.reading import labels
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.reference import ObjectRef

Call = tuple[Workload, ObjectRef, Workload]


def configured_calls(case: CaseFile, cluster: Cluster) -> Iterator[Call]:
    """Every caller, the Service it calls, and a workload behind that Service with pods; each once."""
    done: set[tuple[ObjectRef, ObjectRef]] = set()
    for caller, service in _pairs(case, cluster):
        for callee in behind(cluster, service):
            if callee.current_pods and caller.current_pods and (caller.ref, callee.ref) not in done:
                done.add((caller.ref, callee.ref))
                yield caller, service, callee


def behind(cluster: Cluster, service: ObjectRef) -> list[Workload]:
    """The workloads whose pods a Service selects; none where it is not known or selects nothing."""
    seen = cluster.get(service)
    selector = labels(seen.value, "spec", "selector") if seen is not None else {}
    found = cluster.workloads.values()
    return [item for item in found if item.ref.namespace == service.namespace and selects(selector, item.labels)]


def _pairs(case: CaseFile, cluster: Cluster) -> Iterator[tuple[Workload, ObjectRef]]:
    for address in addresses(cluster):
        yield address.workload, address.service
    for seen in case.edges:
        for space in case.namespaces:
            caller = cluster.named(space, seen.value.caller)
            if caller is not None:
                yield caller, ObjectRef("Service", space, seen.value.callee)
