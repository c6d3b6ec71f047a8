"""Addresses of Services in workloads' configuration: environment, arguments, and host and port in separate variables.

Only names that mean a Service are kept: a single label, ``name.namespace`` with a namespace that is known, or
``name.namespace.svc[.domain]``; and ``name.other`` where a Service of that name is next door. Anything else is outside
the cluster and none of our business here.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Container
from agent_sre.analysis.kubernetes.reading import Path, positions, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import ObjectRef

_HOST = r"[a-zA-Z0-9](?:[-a-zA-Z0-9_.]*[a-zA-Z0-9])?"
_URL = re.compile(
    rf"(?:[a-z0-9+]+:)*[a-z0-9+]+://(?:[^/@\s]+@)?({_HOST})(?::(\d{{1,5}}))?(?=[/?,;\s\"']|$)", re.IGNORECASE
)
_HOST_PORT = re.compile(rf"(?:^|[=,;\s])({_HOST}):(\d{{1,5}})(?=[/,;\s]|$)")
_NAMES_HOST = re.compile(r"(?:HOST|HOSTNAME|ADDR|ADDRESS|SERVER|ENDPOINT|SERVICE|SERVICE_NAME)$", re.IGNORECASE)
_HOST_SUFFIX = re.compile(r"_?(?:HOSTNAME|HOST|ADDRESS|ADDR|SERVER|ENDPOINT|SERVICE_NAME|SERVICE)$", re.IGNORECASE)
_BARE_HOST = re.compile(r"^[a-z](?:[-a-z0-9.]*[a-z0-9])?$")
_IP = re.compile(r"^\d+(\.\d+){3}$")
Meant = Callable[[str], ObjectRef | None]
"""The Service that a host name means to one workload."""
_LOCAL = frozenset({"localhost", "true", "false", "none", "null", "auto", "default", "info", "debug", "production"})


@dataclass(frozen=True, slots=True, eq=False)
class Address:
    """A place where a workload is told a Service's address. ``port`` is None where only the host is given.

    ``explicit`` says that the text itself is an address (``host:port`` or a URL), not merely a name in a host variable.
    """

    workload: Workload
    variable: str
    shown: str
    host: str
    port: int | None
    service: ObjectRef
    seen: Seen[K8sObject]
    paths: tuple[Path, ...]
    explicit: bool

    def fact(self) -> Fact:
        """That the workload is configured with it."""
        return fact(f"{self.workload.ref} is configured with {self.variable}={self.shown}", self.seen, *self.paths)


_KEPT: "WeakKeyDictionary[Cluster, tuple[Address, ...]]" = WeakKeyDictionary()


def addresses(cluster: Cluster) -> tuple[Address, ...]:
    """All addresses of Services in the workloads' templates, in the workloads' order."""
    kept = _KEPT.get(cluster)
    if kept is None:
        known = known_namespaces(cluster)
        kept = tuple(
            item
            for workload in cluster.workloads.values()
            for item in _of_workload(workload, partial(_meant, cluster, known, workload.ref.namespace))
        )
        _KEPT[cluster] = kept
    return kept


def known_namespaces(cluster: Cluster) -> frozenset[str]:
    """Namespaces that anything seen lives in."""
    spaces = {ref.namespace for ref in cluster.workloads} | set(cluster.namespaces)
    spaces |= {text(item.value, "metadata", "namespace") for item in cluster.objects("Service")}
    return frozenset(spaces | {text(item.value, "metadata", "name") for item in cluster.objects("Namespace")}) - {""}


def service_named(host: str, namespace: str, known: frozenset[str]) -> ObjectRef | None:
    """The Service a host name means from inside a namespace, or None where it means none."""
    parts = host.rstrip(".").split(".")
    if _IP.match(host) or not parts[0] or parts[0].lower() in _LOCAL:
        return None
    if len(parts) == 1:
        return ObjectRef("Service", namespace, parts[0])
    if (parts[1] in known and len(parts) == 2) or parts[2:3] == ["svc"]:
        return ObjectRef("Service", parts[1], parts[0])
    return None


def _meant(cluster: Cluster, known: frozenset[str], namespace: str, host: str) -> ObjectRef | None:
    """The same for an address that a workload is given; a namesake next door makes the rest mean a namespace."""
    found = service_named(host, namespace, known)
    name, _, rest = host.partition(".")
    if found is not None or not rest or "." in rest or cluster.get(ObjectRef("Service", namespace, name)) is None:
        return found
    return ObjectRef("Service", rest, name)


def hosts_in(words: str) -> Iterator[tuple[str, int | None]]:
    """The hosts and ports of URLs and ``host:port`` pairs in a text."""
    for match in _URL.finditer(words):
        yield match[1], int(match[2]) if match[2] else None
    if "://" not in words:
        for match in _HOST_PORT.finditer(words):
            if not match[1].isdigit():
                yield match[1], int(match[2])


def _of_workload(workload: Workload, meant: Meant) -> Iterator[Address]:
    source = workload.spec_source
    if source is None:
        return
    for container in workload.containers:
        literal = {name: (value, path) for name, value, path in _literals(container)}
        for name, (value, path) in literal.items():
            yield from _in_value(workload, source[0], name, value, path, meant)
            yield from _host_and_port(workload, source[0], name, value, literal, meant)
        for place, argument in enumerate(container.spec.get("args") or ()):
            if isinstance(argument, str) and ":" in argument:
                path = (*container.spec_path, "args", place)
                yield from _in_value(workload, source[0], argument.partition("=")[0], argument, path, meant)


def _literals(container: Container) -> Iterator[tuple[str, str, Path]]:
    for place, item in positions(container.spec, "env"):
        value = text(item, "value")
        if value:
            yield text(item, "name"), value, (*container.spec_path, "env", place)


def _in_value(
    workload: Workload, seen: Seen[K8sObject], name: str, value: str, path: Path, meant: Meant
) -> Iterator[Address]:
    for host, port in hosts_in(value):
        service = meant(host)
        if service is not None and (port is None or port <= 65535):
            yield Address(workload, name, value, host, port, service, seen, (path,), True)


def _host_and_port(
    workload: Workload,
    seen: Seen[K8sObject],
    name: str,
    value: str,
    literal: dict[str, tuple[str, Path]],
    meant: Meant,
) -> Iterator[Address]:
    if not _NAMES_HOST.search(name) or not _BARE_HOST.match(value):
        return
    service = meant(value)
    if service is None:
        return
    prefix = _HOST_SUFFIX.sub("", name)
    for other in (f"{prefix}_PORT", f"{prefix}PORT", f"{name}_PORT"):
        if other in literal and literal[other][0].isdecimal():
            shown, paths = f"{value}, {other}={literal[other][0]}", (literal[name][1], literal[other][1])
            yield Address(workload, name, shown, value, int(literal[other][0]), service, seen, paths, True)
            return
    yield Address(workload, name, value, value, None, service, seen, (literal[name][1],), False)
