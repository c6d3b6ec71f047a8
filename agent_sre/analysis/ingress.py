"""Ingresses: what enters the cluster, followed to the class, certificate, backend and protocol that it names.

An Ingress that names what does not exist is simply not served, or served by the controller's default; no object of the
application shows anything. The controller's log, where it can be read, confirms.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen
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
from agent_sre.analysis.kubernetes.serving import probe_port
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_PROTOCOL = "nginx.ingress.kubernetes.io/backend-protocol"
_OLD_CLASS = "kubernetes.io/ingress.class"
_NO_CERTIFICATE = re.compile(r"certificate|secret", re.I)
_NOT_FOUND = re.compile(r"not found|does not exist|no such|default certificate|missing", re.I)


def analyze_ingresses(case: CaseFile) -> Iterator[Finding]:
    """At most one finding for each Ingress that cannot do what it says."""
    cluster = cluster_of(case)
    for seen in cluster.objects("Ingress"):
        if case.namespaces and namespace_of(seen.value) not in case.namespaces:
            continue
        problems = (*_class(cluster, seen), *_rules(cluster, seen), *_certificates(case, cluster, seen))
        found = max(problems, key=lambda item: item.strength, default=None)
        if found is not None:
            yield found


def _finding(seen: Seen[K8sObject], strength: float, why: str, *facts: Fact) -> Finding:
    ref = ref_of(seen.value)
    return Finding(
        "ingress", "ingress_misconfigured", ref, strength, f"{ref} {why}.", facts,
        distinguish=f"a request to the host of {ref.name}, and the log of its controller",
    )  # fmt: skip


def _class(cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    """A class that no controller serves."""
    named = text(seen.value, "spec", "ingressClassName")
    classes = cluster.objects("IngressClass")
    if named and classes and named not in {name_of(item.value) for item in classes}:
        known = fact(f"A class that exists is {name_of(classes[0].value)}", classes[0], ("metadata", "name"))
        shown = fact("The class it asks for", seen, ("spec", "ingressClassName"))
        yield _finding(seen, 0.92, f"asks for the class {named}, which does not exist", shown, known)
    elif not named and classes and not labels(seen.value, "metadata", "annotations").get(_OLD_CLASS):
        default = "ingressclass.kubernetes.io/is-default-class"
        if not any(labels(item.value, "metadata", "annotations").get(default) == "true" for item in classes):
            shown = fact("It names no class", seen, ("spec", "rules"))
            yield _finding(seen, 0.45, "names no class, and none is the default", shown)


def _rules(cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    space = namespace_of(seen.value)
    for path, backend in _backends(seen.value):
        name = text(backend, "service", "name") or text(backend, "serviceName")
        service = cluster.get(ObjectRef("Service", space, name)) if name else None
        if name and service is None and cluster.looked_at("Service"):
            yield _finding(seen, 0.93, f"sends to Service {name}, which does not exist", fact("Its rule", seen, path))
        elif service is not None and not _has_port(service.value, backend):
            ports = fact(f"Ports of Service {name}", service, ("spec", "ports"))
            why = f"sends to a port that Service {name} does not have"
            yield _finding(seen, 0.93, why, fact("Its rule", seen, path), ports)
        elif service is not None:
            yield from _protocol(cluster, seen, service)


def _backends(ingress: K8sObject) -> Iterator[tuple[Path, K8sObject]]:
    default = mapping(ingress, "spec", "defaultBackend")
    if default:
        yield ("spec", "defaultBackend"), default
    for rule, _ in positions(ingress, "spec", "rules"):
        for place, item in positions(ingress, "spec", "rules", rule, "http", "paths"):
            yield ("spec", "rules", rule, "http", "paths", place), mapping(item, "backend")


def _has_port(service: K8sObject, backend: K8sObject) -> bool:
    wanted = number(backend, "service", "port", "number") or number(backend, "servicePort")
    name = text(backend, "service", "port", "name")
    if wanted is None and not name:
        return True
    return any(
        (wanted is not None and number(item, "port") == wanted) or (name and text(item, "name") == name)
        for item in items(service, "spec", "ports")
    )


def _protocol(cluster: Cluster, seen: Seen[K8sObject], service: Seen[K8sObject]) -> Iterator[Finding]:
    """The protocol that the controller is told to speak, against the scheme of the pods' own probes."""
    told = labels(seen.value, "metadata", "annotations").get(_PROTOCOL, "").upper()
    if told not in ("HTTPS", "GRPCS", "HTTP"):
        return
    selector = labels(service.value, "spec", "selector")
    for workload in cluster.workloads.values():
        if workload.ref.namespace != namespace_of(service.value) or not selects(selector, workload.labels):
            continue
        for container in workload.containers:
            for kind in ("readinessProbe", "livenessProbe"):
                probe = mapping(container.spec, kind, "httpGet")
                scheme = text(probe, "scheme") or "HTTP"
                secure = told in ("HTTPS", "GRPCS")
                if probe and probe_port(container, probe) in container.ports() and secure != (scheme == "HTTPS"):
                    source = workload.spec_source
                    shown = [fact("The protocol it is told to speak", seen, ("metadata", "annotations"))]
                    shown += (
                        [fact("How the pods are probed", source[0], (*container.spec_path, kind))] if source else []
                    )
                    yield _finding(seen, 0.85, f"speaks {told} to {workload.ref}, which serves {scheme}", *shown)
                    return


def _certificates(case: CaseFile, cluster: Cluster, seen: Seen[K8sObject]) -> Iterator[Finding]:
    """A TLS Secret that is not in the listing, or that a controller says it cannot find."""
    for place, item in positions(seen.value, "spec", "tls"):
        name = text(item, "secretName")
        known = cluster.objects("Secret", namespace_of(seen.value))
        absent = bool(known) and name not in {name_of(secret.value) for secret in known}
        logged = _said(case, name) if name else None
        if name and (absent or logged is not None):
            facts = [fact("The certificate it names", seen, ("spec", "tls", place))]
            facts += [log_fact("A controller cannot find it", *logged)] if logged is not None else []
            strength = 0.93 if absent and logged else 0.85
            yield _finding(seen, strength, f"names the Secret {name} for TLS, which does not exist", *facts)


def _said(case: CaseFile, secret: str) -> LineSeen | None:
    named = re.compile(rf"(?<![\w-]){re.escape(secret)}(?![\w-])")
    for stream in case.streams:
        for line in stream.value.lines:
            words = line.text
            if secret in words and named.search(words) and _NO_CERTIFICATE.search(words) and _NOT_FOUND.search(words):
                return stream, line
    return None
