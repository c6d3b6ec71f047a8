"""What a container serves: its ports and the protocol of each, from everything that says something about them.

Declared container ports, the port it is told to listen on (``PORT``), the Services that send to it and its probes. The
port's name and a Service's ``appProtocol`` name the protocol by the conventions that meshes read. Absent declarations
prove nothing: a container may listen on ports that it does not declare.
"""

from dataclasses import dataclass, field

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Container
from agent_sre.analysis.kubernetes.reading import Path, labels, mapping, name_of, number, positions, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NAMED = {
    "http": "http", "http2": "http", "https": "http", "web": "http", "grpc": "grpc", "grpcweb": "grpc",
    "tcp": "tcp", "redis": "tcp", "mysql": "tcp", "mongo": "tcp", "tls": "tcp", "udp": "udp",
    "kubernetes.io/h2c": "grpc", "kubernetes.io/ws": "http",
}  # fmt: skip


def protocol_named(name: str) -> str:
    """The protocol that a port's name or ``appProtocol`` declares (``http``, ``grpc``, ``tcp``, ``udp``), or ""."""
    lowered = name.lower()
    return _NAMED.get(lowered) or _NAMED.get(lowered.partition("-")[0], "")


def probe_port(container: Container, handler: K8sObject) -> int | None:
    """The port a probe's handler asks, resolved where it is the name of one that the container declares."""
    asked, name = number(handler, "port"), text(handler, "port")
    if asked is not None or not name:
        return asked
    ports = [item for _, item in positions(container.spec, "ports") if text(item, "name") == name]
    return number(ports[0], "containerPort") if ports else None


@dataclass(frozen=True, slots=True, eq=False)
class Served:
    """The ports of one container. ``asked`` are those that Services send to; ``named`` the declared names."""

    ports: frozenset[int]
    asked: frozenset[int]
    named: dict[str, int]
    said: list[tuple[int, str, Path]] = field(default_factory=list)
    facts: tuple[Fact, ...] = ()

    def protocols(self, port: int, except_path: Path = ()) -> set[str]:
        """The application protocols that other evidence than ``except_path`` tells of the port; TCP says nothing.

        What another probe speaks counts for more than what a port is called.
        """
        told = [(protocol, path) for at, protocol, path in self.said if at == port and path != except_path]
        probed = {protocol for protocol, path in told if path[-1] in _PROBES}
        return (probed or {protocol for protocol, _ in told}) & {"http", "grpc"}


def served_by(cluster: Cluster, workload: Workload, container: Container) -> Served:
    """What one container of a workload serves. The container may be the template's or a pod's."""
    declared: dict[str, int] = {}
    ports: set[int] = set()
    said: list[tuple[int, str, Path]] = []
    facts: list[Fact] = []
    source = workload.spec_source
    for place, item in positions(container.spec, "ports"):
        port = number(item, "containerPort")
        if port is not None:
            ports.add(port)
            declared[text(item, "name")] = port
            said.append((port, protocol_named(text(item, "name")), (*container.spec_path, "ports", place)))
    if source is not None and ports:
        facts.append(fact(f"Ports that {container.name} declares", source[0], (*container.spec_path, "ports")))
    listening = container.env().get("PORT", "")
    if listening.isdecimal():
        ports.add(int(listening))
    asked = set()
    for seen in services_of(cluster, workload):
        for target, protocol, path in _targets(seen, declared):
            asked.add(target)
            said.append((target, protocol, path))
            facts.append(fact(f"Service {name_of(seen.value)} sends to {target}", seen, path))
    for kind in _PROBES:
        probe = mapping(container.spec, kind)
        for handler, protocol in (("httpGet", "http"), ("grpc", "grpc")):
            at = probe_port(container, mapping(probe, handler))
            if at is not None:
                said.append((at, protocol, (*container.spec_path, kind)))
    return Served(frozenset(ports), frozenset(asked), declared, said, tuple(facts[:3]))


def services_of(cluster: Cluster, workload: Workload) -> list[Seen[K8sObject]]:
    """The Services whose selector matches the workload's pods."""
    found = cluster.objects("Service", workload.ref.namespace)
    return [seen for seen in found if selects(labels(seen.value, "spec", "selector"), workload.labels)]


def _targets(seen: Seen[K8sObject], declared: dict[str, int]) -> list[tuple[int, str, Path]]:
    targets: list[tuple[int, str, Path]] = []
    for place, item in positions(seen.value, "spec", "ports"):
        raw = item.get("targetPort", item.get("port"))
        target = declared.get(raw) if isinstance(raw, str) and not raw.isdecimal() else number({"p": raw}, "p")
        if target is not None:
            protocol = protocol_named(text(item, "appProtocol")) or protocol_named(text(item, "name"))
            targets.append((target, protocol, ("spec", "ports", place)))
    return targets
