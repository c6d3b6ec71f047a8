"""Calls that configuration speaks of: addresses of Services, routes into the cluster, and peers that policies let in.

None of it proves that a request was ever made. An address in a template may be dead, a ConfigMap may hold more than is
read, and a policy says only what is let through: so these are weaker witnesses (``call_graph.TRUST``). Only Services
that exist count, and the callee is the workload behind the Service, so that an edge has one name whoever tells of it.
"""

from collections.abc import Iterator
from itertools import islice

from agent_sre.analysis.call_graph import CallEdge, Source, told
from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.addresses import addresses, hosts_in, known_namespaces, service_named
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, part_fact
from agent_sre.analysis.kubernetes.network_peers import directions, is_peer
from agent_sre.analysis.kubernetes.reading import Path, items, mapping, name_of, namespace_of, positions, ref_of, text
from agent_sre.analysis.kubernetes.selectors import label_selector
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.topology import behind
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import ObjectRef

_LONGEST = 200_000
_ROUTES = ("HTTPRoute", "GRPCRoute")
_MOST_PEERS = 2_000


def configured(case: CaseFile) -> Iterator[CallEdge]:
    """Every call that the objects of the case speak of."""
    cluster = cluster_of(case)
    for address in addresses(cluster):
        yield from _calls(cluster, address.workload.ref.name, address.service, Source.CONFIGURATION, address.fact())
    for workload in cluster.workloads.values():
        for seen, keys in _config_maps(cluster, workload):
            yield from _config_map(cluster, workload, seen, keys)
    yield from _ingresses(cluster)
    yield from _gateway_routes(cluster)
    yield from _policies(cluster)


def _calls(cluster: Cluster, caller: str, service: ObjectRef, source: Source, fact: Fact) -> Iterator[CallEdge]:
    """The caller to each workload behind the Service, or to the Service where none is known."""
    if cluster.get(service) is None:
        return
    for callee in [item.ref.name for item in behind(cluster, service)] or [service.name]:
        if callee != caller:
            yield told(caller, callee, source, fact)


def _config_maps(cluster: Cluster, workload: Workload) -> Iterator[tuple[Seen[K8sObject], frozenset[str]]]:
    """The ConfigMaps that a workload reads, with the keys that it reads; no keys: all of them."""
    wanted: dict[str, set[str]] = {}
    for volume in items(workload.pod_spec, "volumes"):
        for source in (volume, *items(volume, "projected", "sources")):
            wanted.setdefault(text(source, "configMap", "name"), {""})
    for container in workload.containers:
        for item in items(container.spec, "envFrom"):
            wanted.setdefault(text(item, "configMapRef", "name"), set()).add("")
        for item in items(container.spec, "env"):
            key = mapping(item, "valueFrom", "configMapKeyRef")
            wanted.setdefault(text(key, "name"), set()).add(text(key, "key"))
    for name, keys in sorted(wanted.items()):
        seen = cluster.get(ObjectRef("ConfigMap", workload.ref.namespace, name)) if name else None
        if seen is not None:
            yield seen, frozenset() if "" in keys else frozenset(keys)


def _config_map(
    cluster: Cluster, workload: Workload, seen: Seen[K8sObject], keys: frozenset[str]
) -> Iterator[CallEdge]:
    known = known_namespaces(cluster)
    space, caller = workload.ref.namespace, workload.ref.name
    for key, content in mapping(seen.value, "data").items():
        if not isinstance(content, str) or len(content) > _LONGEST or (keys and key not in keys):
            continue
        for line in content.splitlines():
            bare = line.strip()
            if not bare or bare.startswith("#"):
                continue
            names = {host for host, _ in hosts_in(bare.rstrip(";,"))} | ({bare} if bare == content.strip() else set())
            for service in filter(None, (service_named(name, space, known) for name in sorted(names))):
                shown = part_fact(
                    f"{caller} reads {ref_of(seen.value)}, which names {service}", seen, ("data", key), bare
                )
                yield from _calls(cluster, caller, service, Source.CONFIG_MAPS, shown)


def _ingresses(cluster: Cluster) -> Iterator[CallEdge]:
    for seen in cluster.objects("Ingress"):
        backends: list[tuple[Path, K8sObject]] = [
            (("spec", "defaultBackend"), mapping(seen.value, "spec", "defaultBackend"))
        ]
        for rule, _ in positions(seen.value, "spec", "rules"):
            for place, item in positions(seen.value, "spec", "rules", rule, "http", "paths"):
                backends.append((("spec", "rules", rule, "http", "paths", place), mapping(item, "backend")))
        for path, backend in backends:
            service = ObjectRef("Service", namespace_of(seen.value), text(backend, "service", "name"))
            shown = fact(f"{ref_of(seen.value)} routes to {service}", seen, path)
            yield from _calls(cluster, f"Ingress {name_of(seen.value)}", service, Source.ROUTES, shown)


def _gateway_routes(cluster: Cluster) -> Iterator[CallEdge]:
    for seen in (item for kind in _ROUTES for item in cluster.objects(kind)):
        space = namespace_of(seen.value)
        gates = [text(item, "name") for item in items(seen.value, "spec", "parentRefs")]
        for rule, _ in positions(seen.value, "spec", "rules"):
            for place, item in positions(seen.value, "spec", "rules", rule, "backendRefs"):
                if item.get("kind", "Service") != "Service":
                    continue
                service = ObjectRef("Service", text(item, "namespace") or space, text(item, "name"))
                shown = fact(
                    f"{ref_of(seen.value)} routes to {service}", seen, ("spec", "rules", rule, "backendRefs", place)
                )
                for gate in filter(None, gates):
                    yield from _calls(cluster, f"Gateway {gate}", service, Source.ROUTES, shown)


def _policies(cluster: Cluster) -> Iterator[CallEdge]:
    """Workloads that a policy lets in or out by their labels; whole namespaces and ranges say too little."""
    allowed = (
        (seen, side, path, owner, peer)
        for seen, side, path, item in _named_peers(cluster)
        for owner in _selected(cluster, seen.value)
        for peer in cluster.workloads.values()
        if owner.ref != peer.ref and is_peer(cluster, seen.value, item, peer)
    )
    for seen, side, path, owner, peer in islice(allowed, _MOST_PEERS):
        caller, callee = (peer, owner) if side == "ingress" else (owner, peer)
        sentence = f"{ref_of(seen.value)} lets {caller.ref.name} call {callee.ref.name}"
        yield told(caller.ref.name, callee.ref.name, Source.POLICIES, fact(sentence, seen, path))


def _named_peers(cluster: Cluster) -> Iterator[tuple[Seen[K8sObject], str, Path, K8sObject]]:
    """The peers with labels of all policies' rules, with the side and the place of each."""
    for seen in cluster.objects("NetworkPolicy"):
        for side, end in (("ingress", "from"), ("egress", "to")):
            if side.capitalize() not in directions(seen.value):
                continue
            for rule, _ in positions(seen.value, "spec", side):
                for place, item in positions(seen.value, "spec", side, rule, end):
                    if mapping(item, "podSelector"):
                        yield seen, side, ("spec", side, rule, end, place), item


def _selected(cluster: Cluster, policy: K8sObject) -> list[Workload]:
    space, selector = namespace_of(policy), mapping(policy, "spec", "podSelector")
    found = cluster.workloads.values()
    return [item for item in found if item.ref.namespace == space and label_selector(selector, item.labels)]
