"""Which workloads are data stores, who uses them, and which one an exporter's series are about.

What a workload is follows from the ports it or its Service has, because names and images are a site's own. Who uses a
store follows from the call graph and from the addresses that workloads are configured with. An exporter's series carry
the exporter's name or the store's; both lead to the store. Called by the analyzers of data stores, caches, queues and
batch jobs.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure
from agent_sre.analysis.kubernetes.addresses import addresses
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.reading import items, labels, number
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.topology import behind
from agent_sre.domain.reference import ObjectRef

PORTS = {
    3306: "mysql", 33060: "mysql",
    5432: "postgres", 6432: "postgres", 26257: "postgres",
    6379: "redis", 11211: "memcached",
    27017: "mongo", 9200: "search", 9300: "search", 9042: "cassandra", 1433: "mssql", 1521: "oracle",
    9092: "queue", 5672: "queue", 5671: "queue", 4222: "queue", 61616: "queue",
}  # fmt: skip
"""The families of stores by the port that their protocol has by default."""
CACHES = frozenset({"redis", "memcached"})
_EXPORTER = re.compile(r"[-_.]?(?:exporter|metrics|monitor)$")

_KEPT: "WeakKeyDictionary[CaseFile, dict[str, str]]" = WeakKeyDictionary()


def stores(case: CaseFile) -> Mapping[str, str]:
    """The workloads that are data stores, by name, each with its family."""
    kept = _KEPT.get(case)
    if kept is None:
        cluster = cluster_of(case)
        found = {item.ref.name: _family(cluster, item) for item in cluster.workloads.values()}
        kept = _KEPT[case] = {name: family for name, family in sorted(found.items()) if family}
    return kept


def _family(cluster: Cluster, workload: Workload) -> str:
    own = [port for container in workload.containers if not container.init for port in container.ports()]
    chosen = [
        service.value
        for service in cluster.objects("Service", workload.ref.namespace)
        if workload.labels and selects(labels(service.value, "spec", "selector"), workload.labels)
    ]
    served = [number(port, "port") for value in chosen for port in items(value, "spec", "ports")]
    return next((PORTS[port] for port in (*own, *served) if port in PORTS), "")


def stores_of(case: CaseFile, client: str) -> tuple[str, ...]:
    """The stores that a client uses, by the call graph and by the addresses it is configured with."""
    known = stores(case)
    used = set(calls(case).callees.get(client, ()))
    cluster = cluster_of(case)
    for address in addresses(cluster):
        if address.workload.ref.name == client:
            used |= {item.ref.name for item in behind(cluster, address.service)}
    return tuple(sorted(used & set(known)))


def store_object(case: CaseFile, entity: str, namespace: str = "") -> ObjectRef:
    """The store that an exporter's series are about: the workload of this name, or of the name it exports for."""
    known = stores(case)
    bare = _EXPORTER.sub("", entity)
    for name in (entity, bare):
        if name in known:
            return object_of(case, name, namespace)
    used = stores_of(case, entity)
    if _EXPORTER.search(entity) and len(used) == 1:
        return object_of(case, used[0], namespace)
    if object_of(case, bare, namespace).name != entity and case.get(object_of(case, bare, namespace)) is not None:
        return object_of(case, bare, namespace)
    return object_of(case, entity, namespace)


def dependants(case: CaseFile, name: str) -> tuple[ObjectRef, ...]:
    """All that call this, directly or through others: what its trouble explains."""
    graph = calls(case)
    found: dict[str, None] = {}
    todo = [name]
    while todo:
        for caller in graph.callers.get(todo.pop(0), ()):
            if caller not in found and caller != name:
                found[caller] = None
                todo.append(caller)
    return tuple(object_of(case, caller) for caller in found)


def clients(case: CaseFile) -> Mapping[str, tuple[str, ...]]:
    """The clients of each store, by the store's name."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    names = {item.ref.name for item in cluster_of(case).workloads.values()} | set(calls(case).callees)
    for client in names:
        for store in stores_of(case, client):
            found[store].add(client)
    return {store: tuple(sorted(names)) for store, names in sorted(found.items())}


def busier_store(case: CaseFile, name: str) -> Departure | None:
    """The rise of a store's CPU with the incident, half as much again or more; None where there is none."""
    profile = profiles(case).get(name)
    rises = profile.departures.get("cpu", ()) if profile is not None else ()
    return next((moved for moved in rises if moved.strong and moved.after >= 1.5 * moved.before), None)
