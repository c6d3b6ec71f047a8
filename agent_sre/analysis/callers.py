"""Callers: the address that a workload is configured with, against the Services that exist.

A wrong host or port is proven by two witnesses: the configuration that no Service fits, and the caller's log, a name
that an existing Service almost has, or other callers that agree on another address. An address that nothing fails on
is only a dangling setting: many programs carry addresses of optional parts. For a database port the fault has its own
name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.data_stores import database_port
from agent_sre.analysis.kubernetes.addresses import Address, addresses, known_namespaces
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen, matching, streams
from agent_sre.analysis.kubernetes.reading import Path, dig, items, labels, name_of, number, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "callers"
_NO_NAME = re.compile(
    r"no such host|name or service not known|temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|unknown host"
    r"|UnknownHostException|could not resolve|name does not resolve|nodename nor servname|lookup .{1,100} on "
    r"|server misbehaving", re.I
)  # fmt: skip
_NO_ANSWER = re.compile(
    r"connection refused|ECONNREFUSED|UnableToConnect|failed to connect|connect(ion)? timed? ?out|i/o timeout|ETIMEDOUT"
    r"|unavailable|Communications link failure|deadline exceeded|no route to host", re.I
)  # fmt: skip
_ROUTE = re.compile(r"(^|_)(ROUTES?|UPSTREAMS?)(_|$)", re.I)
_NEAR = 0.82


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an address cannot be right, and the Service it was probably meant to name."""

    why: str
    meant: Seen[K8sObject] | None
    port_only: bool
    elsewhere: bool = False
    """Whether it leads into a namespace of which nothing is known: only a complaint proves it wrong."""


def analyze_callers(case: CaseFile) -> Iterator[Finding]:
    """One finding for each workload and address that no Service fits."""
    cluster = cluster_of(case)
    if not cluster.looked_at("Service") or not cluster.objects("Service"):
        return
    done: set[tuple[str, str]] = set()
    for address in addresses(cluster):
        if case.namespaces and address.workload.ref.namespace not in case.namespaces:
            continue
        key = (str(address.workload.ref), address.variable)
        doubt = _doubt(cluster, address)
        if doubt is not None and key not in done:
            done.add(key)
            yield from _finding(case, cluster, address, doubt)


def _doubt(cluster: Cluster, address: Address) -> Doubt | None:
    service = cluster.get(address.service)
    if service is None and address.service.namespace not in known_namespaces(cluster):
        # Another namespace, of which nothing was listed: in doubt only where its namesake is here.
        here = cluster.get(ObjectRef("Service", address.workload.ref.namespace, address.service.name))
        return Doubt(f"{address.service.name} is in another namespace", here, False, True) if here else None
    if service is None:
        if not address.explicit and _nearest(cluster, address) is None:
            return None
        return Doubt(f"no Service is called {address.service.name}", _nearest(cluster, address), False)
    if address.port is None or text(service.value, "spec", "type") == "ExternalName":
        return None
    ports = [number(item, "port") for item in items(service.value, "spec", "ports")]
    if not ports or address.port in ports or _headless_target(service.value, address.port):
        return None
    return Doubt(f"Service {address.service.name} has no port {address.port}", service, True)


def _headless_target(service: K8sObject, port: int) -> bool:
    """A headless Service's name leads to the pods themselves, so their own port is right too."""
    if text(service, "spec", "clusterIP") != "None":
        return False
    return any(number(item, "targetPort") == port for item in items(service, "spec", "ports"))


def _nearest(cluster: Cluster, address: Address) -> Seen[K8sObject] | None:
    """An existing Service whose name is nearly the one written, the nearest first."""
    best, found = 0.0, None
    for seen in cluster.objects("Service", address.service.namespace):
        name, written = name_of(seen.value), address.service.name
        likeness = SequenceMatcher(None, name, written).ratio()
        if written.startswith(f"{name}-") or name.startswith(f"{written}-"):
            likeness = max(likeness, 0.85)
        if likeness > best:
            best, found = likeness, seen
    return found if best >= _NEAR else None


def _finding(case: CaseFile, cluster: Cluster, address: Address, doubt: Doubt) -> Iterator[Finding]:
    workload = address.workload
    if workload.desired == 0:
        return
    logged = _complaint(case, workload, address, doubt)
    others = _agreeing(cluster, address)
    previous = _before(workload, address)
    facts = [address.fact(), *_meant_facts(doubt)]
    facts += [log_fact("Its log complains of this address", *logged)] if logged else []
    facts += [item.fact() for item in others[:2]]
    facts += [previous] if previous else []
    fault = "service_env_var_address_mismatch"
    if doubt.port_only and database_port(cluster, address):
        fault = "mysql_invalid_port"
    elif _ROUTE.search(address.variable):
        fault = "gateway_misroute"
    at_service = _service_at_fault(cluster, address, doubt, facts) if not others and previous is None else None
    strength = _strength(doubt, bool(logged), len(others), previous is not None)
    yield Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=workload.ref,
        strength=min(strength, 0.8) if at_service else strength,
        statement=f"{workload.ref} calls {address.shown} ({address.variable}), but {doubt.why}.",
        facts=tuple(facts),
        distinguish=f"the log of {workload.ref.name} for failing lookups or refused connections to {address.host}",
    )
    if at_service is not None:
        yield at_service


def _strength(doubt: Doubt, logged: bool, others: int, changed: bool) -> float:
    base = 0.85 if doubt.port_only else 0.7 if doubt.meant is not None else 0.15
    base += (0.1 if doubt.meant is not None else 0.65) if logged else 0.0
    base += 0.08 if others else 0.0
    base += 0.1 if changed else 0.0
    return min(base, 0.3 if doubt.elsewhere and not logged else 0.97)


def _complaint(case: CaseFile, workload: Workload, address: Address, doubt: Doubt) -> LineSeen | None:
    """A line of the caller's log that names the address and says that it does not answer."""
    host, port = re.escape(address.host), address.port
    place = re.compile(rf"\b{host}\b" if not doubt.port_only else rf"\b{host}[: ]+{port}\b|:{port}\b")
    pattern = _NO_NAME if not doubt.port_only else _NO_ANSWER
    naming = str(port) if doubt.port_only else address.host
    for words in dict.fromkeys((pattern, _NO_ANSWER)):
        for seen, line in matching(streams(case, workload), words, naming):
            if place.search(line.text):
                return seen, line
    return None


def _agreeing(cluster: Cluster, address: Address) -> list[Address]:
    """Other workloads' addresses that fit: of the Service meant here, or under the same variable."""
    found = []
    for other in addresses(cluster):
        if other.workload.ref == address.workload.ref or other.port is None:
            continue
        same = other.service == address.service or other.variable == address.variable
        if same and (other.host, other.port) != (address.host, address.port) and _doubt(cluster, other) is None:
            found.append(other)
    return found


def _before(workload: Workload, address: Address) -> Fact | None:
    """The value that the generation before had, where it differs."""
    if workload.previous is None or workload.template is None or len(address.paths) != 1:
        return None
    previous, template = workload.previous
    prefix = workload.template[1]
    path: Path = (*template, *address.paths[0][len(prefix) :])
    before, now = dig(previous.value, *path), dig(address.seen.value, *address.paths[0])
    if before is None or before == now or text(before, "name") != address.variable:
        return None
    return fact(f"The generation before had another value of {address.variable}", previous, path)


def _meant_facts(doubt: Doubt) -> list[Fact]:
    if doubt.meant is None:
        return []
    sentence = f"Service {name_of(doubt.meant.value)} exists with these ports"
    return [fact(sentence, doubt.meant, ("spec", "ports"))]


def _service_at_fault(cluster: Cluster, address: Address, doubt: Doubt, facts: list[Fact]) -> Finding | None:
    """The Service instead of its callers: all of them ask for the same port, and its pods listen on it."""
    if not doubt.port_only or doubt.meant is None:
        return None
    selector = labels(doubt.meant.value, "spec", "selector")
    chosen = [item for item in cluster.workloads.values() if selects(selector, item.labels)]
    if address.port not in {port for item in chosen for container in item.containers for port in container.ports()}:
        return None
    alike = [other for other in addresses(cluster) if (other.service, other.port) == (address.service, address.port)]
    return Finding(
        analyzer=_ANALYZER,
        fault="service_port_mapping_mismatch",
        object=address.service,
        strength=0.95 if len(alike) > 1 else 0.85,
        statement=f"{address.service} has no port {address.port}, which is asked of it and which its pods listen on.",
        facts=(*facts, *(other.fact() for other in alike if other.workload.ref != address.workload.ref)),
        explains=tuple(dict.fromkeys(other.workload.ref for other in alike)),
        distinguish="the Service's history: did its port change, or did the callers' configuration",
    )
