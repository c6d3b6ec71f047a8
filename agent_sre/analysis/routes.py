"""Routes that are objects: Gateway API and Istio, followed to the Services, ports and subsets they name.

A Gateway API controller says itself what it could not attach or resolve; without its word, and for Istio always, the
specification is set against what exists. A subset is a set of labels: one that no pod of the Service carries takes its
share of the requests and answers none. Hosts outside the cluster are not judged here.
"""

from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.addresses import known_namespaces, service_named
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import (
    Path,
    items,
    labels,
    mapping,
    name_of,
    namespace_of,
    number,
    positions,
    ref_of,
    text,
)
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_FAULT = "gateway_misroute"
_GATEWAY_API = ("HTTPRoute", "GRPCRoute")


def analyze_routes(case: CaseFile) -> Iterator[Finding]:
    """At most one finding for each route that leads nowhere."""
    cluster = cluster_of(case)
    for kind in (*_GATEWAY_API, "VirtualService"):
        for seen in cluster.objects(kind):
            if case.namespaces and namespace_of(seen.value) not in case.namespaces:
                continue
            problems = _virtual(cluster, seen) if kind == "VirtualService" else _gateway_api(cluster, seen)
            found = max(problems, key=lambda item: item.strength, default=None)
            if found is not None:
                yield found


def _finding(seen: Seen[K8sObject], strength: float, why: str, *facts: Fact) -> Finding:
    ref = ref_of(seen.value)
    return Finding(
        "routes", _FAULT, ref, strength, f"{ref} {why}.", facts, distinguish=f"a request along {ref}, and its status"
    )


def _gateway_api(cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    for parent, _ in positions(seen.value, "status", "parents"):
        for place, item in positions(seen.value, "status", "parents", parent, "conditions"):
            if text(item, "type") in ("Accepted", "ResolvedRefs") and text(item, "status") == "False":
                path: Path = ("status", "parents", parent, "conditions", place)
                why = f"is not served: {text(item, 'message') or text(item, 'reason')}"
                yield _finding(seen, 0.93, why, fact("What its gateway says of it", seen, path))
    space = namespace_of(seen.value)
    for rule, _ in positions(seen.value, "spec", "rules"):
        for place, item in positions(seen.value, "spec", "rules", rule, "backendRefs"):
            if text(item, "kind") in ("", "Service") and number(item, "weight") != 0:
                ref = ObjectRef("Service", text(item, "namespace") or space, text(item, "name"))
                path = ("spec", "rules", rule, "backendRefs", place)
                yield from _backend(cluster, seen, path, ref, number(item, "port"))


def _backend(
    cluster: Cluster, seen: Seen[K8sObject], path: Path, service: ObjectRef, port: int | None
) -> Iterator[Finding]:
    """A Service or port that does not exist, in a namespace whose Services were listed."""
    found = cluster.get(service)
    if found is None:
        if cluster.objects("Service", service.namespace):
            yield _finding(
                seen, 0.9, f"sends to {service}, which does not exist", fact("Where it sends to", seen, path)
            )
        return
    ports = [number(item, "port") for item in items(found.value, "spec", "ports")]
    if port is not None and ports and port not in ports and text(found.value, "spec", "type") != "ExternalName":
        facts = (fact("Where it sends to", seen, path), fact(f"Ports of {service}", found, ("spec", "ports")))
        yield _finding(seen, 0.9, f"sends to port {port} of {service}, which has no such port", *facts)


def _virtual(cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    known = known_namespaces(cluster)
    for field in ("http", "tls", "tcp"):
        for rule, _ in positions(seen.value, "spec", field):
            for place, item in positions(seen.value, "spec", field, rule, "route"):
                path: Path = ("spec", field, rule, "route", place)
                host, subset = text(item, "destination", "host"), text(item, "destination", "subset")
                service = service_named(host, namespace_of(seen.value), known)
                if service is None or number(item, "weight") == 0:
                    continue
                yield from _backend(cluster, seen, path, service, number(item, "destination", "port", "number"))
                if subset and cluster.get(service) is not None:
                    yield from _subset(cluster, seen, path, service, subset)


def _subset(cluster: Cluster, seen: Seen[K8sObject], path: Path, service: ObjectRef, subset: str) -> Iterator[Finding]:
    rules = rules_for(cluster, service)
    route = fact("Where it sends to", seen, path)
    defined = [
        (rule, place, item)
        for rule in rules
        for place, item in positions(rule.value, "spec", "subsets")
        if text(item, "name") == subset
    ]
    if not defined:
        shown = [fact(f"{ref_of(rule.value)} has these subsets", rule, ("spec", "subsets")) for rule in rules]
        if cluster.looked_at("DestinationRule"):
            yield _finding(seen, 0.92, f"sends to subset {subset} of {service}, which no rule defines", route, *shown)
        return
    found = cluster.get(service)
    selector = labels(found.value, "spec", "selector") if found is not None else {}
    pods = [pod for pod in cluster.pods if pod.ref.namespace == service.namespace and selects(selector, pod.labels)]
    rule, place, item = defined[0]
    wanted = labels(item, "labels")
    if pods and wanted and not any(selects(wanted, pod.labels) for pod in pods):
        shown = [fact("The labels of the subset", rule, ("spec", "subsets", place))]
        shown += [fact(f"Labels of {pod.ref}", pod.seen, ("metadata", "labels")) for pod in pods[:2]]
        yield _finding(seen, 0.9, f"sends to subset {subset} of {service}, whose labels no pod has", route, *shown)


def rules_for(cluster: Cluster, service: ObjectRef) -> list[Seen[K8sObject]]:
    """The DestinationRules for a Service's host."""
    known = known_namespaces(cluster)
    return [
        seen
        for seen in cluster.objects("DestinationRule")
        if service_named(text(seen.value, "spec", "host"), namespace_of(seen.value), known) == service
    ]


def tls_mode(rule: Seen[K8sObject]) -> str:
    """The TLS mode that a DestinationRule sets for all of its host's traffic, or ""."""
    return text(mapping(rule.value, "spec", "trafficPolicy"), "tls", "mode")


def rule_fact(rule: Seen[K8sObject]) -> Fact:
    """That a DestinationRule sets a TLS mode."""
    return fact(f"{name_of(rule.value)} says how to call its host", rule, ("spec", "host"), ("spec", "trafficPolicy"))
