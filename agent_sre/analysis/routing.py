"""Service routing: every pod may be well and nothing arrives, because two specifications disagree.

For each Service its selector is set against the workloads' labels, and its ports against the ports, names and
protocols that the selected containers serve; endpoints confirm. A Service whose workload exists but has no ready pods
is a victim, not a cause. Ingresses (``ingress``), routes (``routes``) and addresses that callers are given
(``callers``) are next door.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen, matching, streams
from agent_sre.analysis.kubernetes.reading import (
    Path,
    dig,
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
from agent_sre.analysis.kubernetes.serving import Served, probe_port, protocol_named, served_by
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "routing"
_SIMILAR = 0.8
_WRONG_ANSWER = re.compile(r"\b40[045]\b|\b50[0234]\b|not found|refused|unexpected|malformed|bad gateway", re.I)


def analyze_routing(case: CaseFile) -> Iterator[Finding]:
    """Findings for Services whose specification cannot reach what it is meant to."""
    cluster = cluster_of(case)
    for seen in cluster.objects("Service"):
        if case.namespaces and namespace_of(seen.value) not in case.namespaces:
            continue
        selector = labels(seen.value, "spec", "selector")
        if not selector or text(seen.value, "spec", "type") == "ExternalName":
            continue
        chosen = [item for item in _beside(cluster, seen) if selects(selector, item.labels)]
        meant = _meant(cluster, seen, selector)
        if not chosen or (meant is not None and meant not in chosen):
            yield from _selector(cluster, seen, meant, chosen)
        # The ports of another's pods say nothing about the Service's own mistake.
        for workload in chosen if meant is None or meant in chosen else ():
            yield from _ports(cluster, seen, workload)
            yield from _sidecar_port(case, cluster, seen, workload)


def _beside(cluster: Cluster, seen: Seen[K8sObject]) -> list[Workload]:
    space = namespace_of(seen.value)
    return [item for ref, item in cluster.workloads.items() if ref.namespace == space and not item.finished_kind]


def _meant(cluster: Cluster, seen: Seen[K8sObject], selector: dict[str, str]) -> Workload | None:
    """The workload that the Service is for: of its name, else the one whose labels come nearest to the selector."""
    named = cluster.named(namespace_of(seen.value), name_of(seen.value))
    if named is not None:
        return named
    best, nearest = 0.0, None
    for workload in _beside(cluster, seen):
        likeness = _likeness(selector, workload.labels)
        if likeness > best:
            best, nearest = likeness, workload
    return nearest if best >= _SIMILAR else None


def _likeness(selector: dict[str, str], found: dict[str, str]) -> float:
    """How near labels come to a selector: each requirement by its best counterpart, key or value."""
    total = 0.0
    for key, value in selector.items():
        same_value = 1.0 if value in found.values() else 0.0
        same_key = SequenceMatcher(None, value, found.get(key, "")).ratio()
        total += max(same_value, same_key)
    return total / len(selector)


def endpoints(cluster: Cluster, seen: Seen[K8sObject]) -> tuple[int | None, Seen[K8sObject] | None]:
    """How many ready addresses the Service has (None: not looked at), and the object that tells."""
    found = cluster.get(ObjectRef("Endpoints", namespace_of(seen.value), name_of(seen.value)))
    if found is not None:
        return sum(len(items(part, "addresses")) for part in items(found.value, "subsets")), found
    slices = [
        piece
        for piece in cluster.objects("EndpointSlice", namespace_of(seen.value))
        if text(piece.value, "metadata", "labels", "kubernetes.io/service-name") == name_of(seen.value)
    ]
    if not slices:
        return (None, None)
    ready = {
        str(address)
        for piece in slices
        for part in items(piece.value, "endpoints")
        if dig(part, "conditions", "ready") is not False
        for address in dig(part, "addresses", default=())
    }
    return len(ready), slices[0]


def _endpoint_facts(cluster: Cluster, seen: Seen[K8sObject]) -> list[Fact]:
    count, found = endpoints(cluster, seen)
    if found is None or count:
        return []
    return [fact(f"Service {name_of(seen.value)} has no endpoints", found, ("subsets",), ("endpoints",))]


def _selector(
    cluster: Cluster, seen: Seen[K8sObject], meant: Workload | None, chosen: list[Workload]
) -> Iterator[Finding]:
    count, _ = endpoints(cluster, seen)
    service = ref_of(seen.value)
    facts = [
        fact(f"{service} selects pods by these labels", seen, ("spec", "selector")),
        *_endpoint_facts(cluster, seen),
    ]
    if chosen and meant is not None:
        if any(name_of(other.value) == chosen[0].ref.name for other in cluster.objects("Service", service.namespace)):
            facts.append(_labels_fact(meant))
            statement = f"{service} selects the pods of {chosen[0].ref}, not those of {meant.ref}."
            yield _finding("service_selector_mismatch", service, 0.75, statement, facts, (meant.ref,))
        return
    if count:
        return  # endpoints kept by hand or by another controller
    if meant is None:
        statement = f"{service} selects no pod of any workload."
        yield _finding("service_selector_mismatch", service, 0.35, statement, facts, ())
        return
    facts.append(_labels_fact(meant))
    strength = 0.97 if count == 0 else 0.9
    if meant.desired == 0:
        strength = 0.5
    statement = f"{service} reaches no pod: its selector differs from the labels of {meant.ref}."
    yield _finding("service_selector_mismatch", service, strength, statement, facts, (meant.ref,))


def _labels_fact(workload: Workload) -> Fact:
    sentence = f"Labels that the pods of {workload.ref} get"
    if workload.template is not None:
        seen, path = workload.template
        return fact(sentence, seen, (*path, "metadata", "labels"))
    return fact(sentence, workload.pods[0].seen, ("metadata", "labels"))


def _finding(
    fault: str, service: ObjectRef, strength: float, statement: str, facts: list[Fact], explains: tuple[ObjectRef, ...]
) -> Finding:
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=service,
        strength=strength,
        statement=statement,
        facts=tuple(facts),
        explains=explains,
        distinguish=f"kubectl -n {service.namespace} get endpointslices, and a request to a pod's own address",
    )


def _ports(cluster: Cluster, seen: Seen[K8sObject], workload: Workload) -> Iterator[Finding]:
    containers = [item for item in workload.containers if not item.init]
    served = [served_by(cluster, workload, item) for item in containers]
    declared = {port for item in containers for port in item.ports()} | _listening(workload)
    names = {text(port, "name") for item in containers for port in items(item.spec, "ports")}
    for place, item in positions(seen.value, "spec", "ports"):
        path: Path = ("spec", "ports", place)
        raw = item.get("targetPort", item.get("port"))
        if isinstance(raw, str) and not raw.isdecimal():
            if raw not in names:
                yield from _unserved(cluster, seen, workload, path, raw, named=True)
            continue
        target = number({"port": raw}, "port")
        if target is not None and declared and target not in declared:
            yield from _unserved(cluster, seen, workload, path, str(target), named=False)
        elif target is not None:
            yield from _protocol(cluster, seen, workload, served, path)


def _listening(workload: Workload) -> set[int]:
    told = [item.env().get("PORT", "") for item in workload.containers if not item.init]
    return {int(value) for value in told if value.isdecimal()}


def _unserved(
    cluster: Cluster, seen: Seen[K8sObject], workload: Workload, path: Path, target: str, *, named: bool
) -> Iterator[Finding]:
    """A target that no container has. A named one proves itself by empty endpoints while pods are ready."""
    count, _ = endpoints(cluster, seen)
    if named and count:
        return
    service = ref_of(seen.value)
    facts = [fact(f"{service} sends to {target}", seen, path), *_ports_facts(workload), *_endpoint_facts(cluster, seen)]
    healthy = any(pod.ready for pod in workload.current_pods)
    strength = 0.95 if healthy else 0.8
    what = "port name" if named else "port"
    statement = f"{service} sends to the {what} {target}, which no container of {workload.ref} has."
    yield _finding("service_port_mapping_mismatch", service, strength, statement, facts, (workload.ref,))


def _ports_facts(workload: Workload) -> list[Fact]:
    source = workload.spec_source
    if source is None:
        return []
    paths = [(*item.spec_path, "ports") for item in workload.containers if not item.init]
    return [fact(f"Ports that the containers of {workload.ref} declare", source[0], *paths)]


def _meshed(cluster: Cluster) -> bool:
    """Whether a service mesh carries the traffic: a sidecar in a pod, or the mesh's own settings on a template."""
    names = {item.name for pod in cluster.pods for item in pod.containers}
    return bool(names & {"istio-proxy", "linkerd-proxy", "envoy-sidecar", "kuma-sidecar"})


def _protocol(
    cluster: Cluster, seen: Seen[K8sObject], workload: Workload, served: list[Served], path: Path
) -> Iterator[Finding]:
    service, meshed = ref_of(seen.value), _meshed(cluster)
    item = mapping(seen.value, *path)
    target = number({"port": item.get("targetPort", item.get("port"))}, "port") or 0
    transport = {
        text(port, "protocol") or "TCP"
        for container in workload.containers
        for port in items(container.spec, "ports")
        if number(port, "containerPort") == target
    }
    ours = text(item, "protocol") or "TCP"
    if transport and ours not in transport:
        facts = [fact(f"{service} declares {ours} for port {target}", seen, path), *_ports_facts(workload)]
        statement = f"{service} forwards {ours} to port {target}, which {workload.ref} serves in another transport."
        yield _finding("service_protocol_mismatch", service, 0.95, statement, facts, (workload.ref,))
        return
    yield from _tls(seen, workload, path, target, meshed=meshed)
    declared = protocol_named(text(item, "appProtocol")) or protocol_named(text(item, "name"))
    spoken = {protocol for entry in served for protocol in entry.protocols(target, except_path=path)}
    if declared in ("http", "grpc", "udp") and spoken and declared not in spoken:
        facts = [fact(f"{service} declares {declared} for port {target}", seen, path), *_probe_facts(workload)]
        words = " and ".join(sorted(spoken))
        statement = f"{service} declares {declared} for port {target}, which {workload.ref} serves as {words}."
        # Only a mesh or gateway reads these words; without one the port works whatever it is called.
        strength = (0.93 if meshed else 0.55) if text(item, "appProtocol") else (0.88 if meshed else 0.25)
        yield _finding("service_protocol_mismatch", service, strength, statement, facts, (workload.ref,))


def _tls(seen: Seen[K8sObject], workload: Workload, path: Path, target: int, *, meshed: bool) -> Iterator[Finding]:
    """A port that is declared with TLS and served without, or the other way round, as its working probes show."""
    told = text(seen.value, *path, "appProtocol").lower()
    if told not in ("http", "https") or not any(pod.ready for pod in workload.current_pods):
        return
    schemes = {
        text(probe, "scheme").upper() or "HTTP"
        for container in workload.containers
        for kind in ("readinessProbe", "livenessProbe")
        if (probe := mapping(container.spec, kind, "httpGet")) and probe_port(container, probe) == target
    }
    if not schemes or told.upper() in schemes:
        return
    service = ref_of(seen.value)
    facts = [fact(f"{service} declares {told} for port {target}", seen, path), *_probe_facts(workload)]
    words = f"{service} declares {told} for port {target}, which {workload.ref} serves as {schemes.pop().lower()}."
    yield _finding("service_protocol_mismatch", service, 0.93 if meshed else 0.6, words, facts, (workload.ref,))


def _sidecar_port(case: CaseFile, cluster: Cluster, seen: Seen[K8sObject], workload: Workload) -> Iterator[Finding]:
    """A Service that sends to a helper's port though the container it is named for serves the Service's own port.

    Proxies in front of the program look the same, so it takes a caller that complains of what it gets.
    """
    containers = [item for item in workload.containers if not item.init]
    for place, item in positions(seen.value, "spec", "ports"):
        port, target = number(item, "port"), number(item, "targetPort")
        if len(containers) < 2 or port is None or target is None or port == target:
            continue
        own = next((one for one in containers if port in one.ports()), None)
        helper = next((one for one in containers if target in one.ports()), None)
        logged = (
            _complaint(case, cluster, seen) if own is not None and helper is not None and own is not helper else None
        )
        if own is None or helper is None or logged is None:
            continue
        service, path = ref_of(seen.value), ("spec", "ports", place)
        facts = [fact(f"{service} sends to {target}", seen, path), *_ports_facts(workload)]
        facts.append(log_fact("A caller complains of what it gets", *logged))
        statement = f"{service} sends to port {target} of {helper.name}; {own.name} serves {port} itself."
        yield _finding("service_port_mapping_mismatch", service, 0.75, statement, facts, (workload.ref,))


def _complaint(case: CaseFile, cluster: Cluster, seen: Seen[K8sObject]) -> LineSeen | None:
    named = re.compile(rf"\b{re.escape(name_of(seen.value))}\b")
    for caller in cluster.in_scope():
        if caller.ref.name != name_of(seen.value):
            lines = matching(streams(case, caller), _WRONG_ANSWER)
            found = next((item for item in lines if named.search(item[1].text)), None)
            if found is not None:
                return found
    return None


def _probe_facts(workload: Workload) -> list[Fact]:
    source = workload.spec_source
    if source is None:
        return []
    kinds = ("readinessProbe", "livenessProbe", "ports")
    paths = [(*item.spec_path, kind) for item in workload.containers if not item.init for kind in kinds]
    return [fact(f"What the containers of {workload.ref} serve", source[0], *paths)]
