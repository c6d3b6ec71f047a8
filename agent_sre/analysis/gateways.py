"""Gateways: routes written in configuration files, followed to the Services they name.

A proxy or API gateway keeps its routes in a ConfigMap. Each route's host and port are set against the Services that
exist, as callers' addresses are. A route nobody can serve is proven by the specifications; the proxy's log confirms.
The same goes for a name that pods cannot resolve because their DNS settings lead elsewhere.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.addresses import addresses, hosts_in, known_namespaces, service_named
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact, part_fact
from agent_sre.analysis.kubernetes.logs import matching, streams
from agent_sre.analysis.kubernetes.reading import items, mapping, name_of, number, ref_of, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "gateways"
_ROUTES = re.compile(r"proxy_pass|upstream|\broutes?\b|predicates|\bbackend\b|reverse_proxy|\bcluster(s|_name)?:", re.I)
_TROUBLE = re.compile(
    r"host not found|no such host|could not be resolved|connection refused|no live upstreams|50[234]|timed? ?out"
    r"|unknownhost|unable to find instance|name or service not known|could not translate|ENOTFOUND|EAI_AGAIN"
    r"|ECONNREFUSED|name resolution|no route to host", re.I
)  # fmt: skip
_LOOKUP = re.compile(
    r"no such host|name or service not known|name resolution|ENOTFOUND|EAI_AGAIN|UnknownHost|server misbehaving"
    r"|lookup \S+ on ", re.I
)  # fmt: skip


def analyze_gateways(case: CaseFile) -> Iterator[Finding]:
    """Findings for routes that lead nowhere, and for pods whose own DNS settings lead elsewhere."""
    cluster = cluster_of(case)
    if not cluster.objects("Service"):
        return
    for workload in cluster.in_scope():
        for seen in _config_maps(cluster, workload):
            yield from _routes(case, cluster, workload, seen)
        yield from _name_resolution(case, cluster, workload)


def _config_maps(cluster: Cluster, workload: Workload) -> list[Seen[K8sObject]]:
    spec = workload.pod_spec
    names = {text(item, "configMap", "name") for item in items(spec, "volumes")}
    for container in workload.containers:
        names |= {text(item, "configMapRef", "name") for item in items(container.spec, "envFrom")}
    refs = [ObjectRef("ConfigMap", workload.ref.namespace, name) for name in sorted(names - {""})]
    return [seen for ref in refs if (seen := cluster.get(ref)) is not None]


def _routes(case: CaseFile, cluster: Cluster, workload: Workload, seen: Seen[K8sObject]) -> Iterator[Finding]:
    known = known_namespaces(cluster)
    for key, content in mapping(seen.value, "data").items():
        if not isinstance(content, str) or len(content) > 200_000:
            continue
        routing = bool(_ROUTES.search(content))
        for line in content.splitlines():
            bare = line.strip()
            if not bare or bare.startswith("#"):
                continue
            for host, port in hosts_in(bare.rstrip(";,")):
                service = service_named(host, workload.ref.namespace, known)
                if service is None:
                    continue
                yield from _route(case, cluster, workload, (seen, str(key), bare, routing), service, port)


def _route(
    case: CaseFile,
    cluster: Cluster,
    workload: Workload,
    place: tuple[Seen[K8sObject], str, str, bool],
    service: ObjectRef,
    port: int | None,
) -> Iterator[Finding]:
    seen, key, line, routing = place
    target = cluster.get(service)
    ports = [number(item, "port") for item in items(target.value, "spec", "ports")] if target else []
    if target is not None and (port is None or port in ports or not ports):
        return
    facts = [part_fact(f"{ref_of(seen.value)} names this address", seen, ("data", key), line)]
    if target is not None:
        facts.append(fact(f"{service} has these ports", target, ("spec", "ports")))
    place_named = re.compile(rf"\b{re.escape(service.name)}\b")
    lines = matching(streams(case, workload), _TROUBLE, service.name)
    logged = next((item for item in lines if place_named.search(item[1].text)), None)
    facts += [log_fact("Its log complains of this address", *logged)] if logged else []
    missing = f"no Service is called {service.name}" if target is None else f"{service} has no port {port}"
    yield Finding(
        analyzer=_ANALYZER,
        fault="gateway_misroute" if routing else "service_env_var_address_mismatch",
        object=workload.ref,
        strength=0.95 if logged else 0.8 if target is not None else 0.55 if routing else 0.2,
        statement=f"{workload.ref} routes to an address of {name_of(seen.value)} that leads nowhere: {missing}.",
        facts=tuple(facts),
        distinguish=f"a request along this route, and the log of {workload.ref.name}",
    )


def _name_resolution(case: CaseFile, cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    """Pods that look names up somewhere else than in the cluster, and need names of the cluster."""
    source, spec = workload.spec_source, workload.pod_spec
    policy = text(spec, "dnsPolicy")
    outside = policy in ("None", "Default")
    if spec.get("hostNetwork") is True:
        outside = policy != "ClusterFirstWithHostNet"  # anything else is the node's own resolver there
    if source is None or not outside:
        return
    ours = [item for item in addresses(cluster) if item.workload.ref == workload.ref and cluster.get(item.service)]
    if not ours:
        return
    seen, path = source
    sentence = f"Pods of {workload.ref} resolve names by these settings"
    facts = [fact(sentence, seen, (*path, "dnsPolicy"), (*path, "dnsConfig"), (*path, "hostNetwork")), ours[0].fact()]
    logged = next(matching(streams(case, workload), _LOOKUP), None)
    if logged is None and spec.get("hostNetwork") is True:
        return  # many agents of nodes run so on purpose
    facts += [log_fact("Its log says that names do not resolve", *logged)] if logged else []
    yield Finding(
        analyzer=_ANALYZER,
        fault="service_dns_resolution_failure",
        object=workload.ref,
        strength=0.95 if logged else 0.65,
        statement=f"{workload.ref} cannot resolve Services: its DNS settings lead out of the cluster.",
        facts=tuple(facts),
        distinguish=f"nslookup of {ours[0].service.name} from a pod of {workload.ref.name}",
    )
