"""Calls that were seen: parents and children of spans, peers that client spans name, metrics that name both sides.

Names are as the sources write them; a span's service and a metric's workload are taken to be the same thing where their
names are equal. Of many spans or series that show one call, the first is cited.
"""

from collections.abc import Iterator

from agent_sre.analysis.call_graph import CallEdge, Source, told
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.reading import name_of
from agent_sre.analysis.signals import measured
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import Series, Span

_UNKNOWN = frozenset({"", "unknown"})
_MESHES = ("istio_", "response_total", "request_total")
_SERVICE_GRAPH = "traces_service_graph_"
_KINDS = ("deployment", "statefulset", "daemonset")
_CLIENTS = frozenset({"client", "producer"})
_HOSTS = ("server.address", "net.peer.name")


def seen_calls(case: CaseFile) -> Iterator[CallEdge]:
    """Every call that the given topology, spans or metrics tell of; several times where several do."""
    for seen in case.edges:
        edge = seen.value
        excerpt = f"{edge.caller} calls {edge.callee}, says {edge.origin}"
        yield from _told(edge.caller, edge.callee, Source.GIVEN, seen.observation, excerpt)
    yield from _spans(case)
    yield from _metrics(case)
    yield from _linkerd(case)


def _told(caller: str, callee: str, source: Source, observation: str, excerpt: str) -> Iterator[CallEdge]:
    if caller != callee and not {caller, callee} & _UNKNOWN:
        yield told(caller, callee, source, Fact(f"{caller} calls {callee}", observation, excerpt))


def _spans(case: CaseFile) -> Iterator[CallEdge]:
    trees = trees_of(case)
    known = {*trees.by_service, *(name_of(item.value) for item in case.objects("Service"))}
    # The first span of each call, by caller and callee.
    first: dict[tuple[str, str, Source], Span] = {}
    for span, parent, below in trees.walk():
        if parent is not None and span.parent_id:
            first.setdefault((parent.service, span.service, Source.TRACES), span)
        if not below and (peer := _peer(span, known)):
            first.setdefault((span.service, peer, Source.PEERS), span)
    for (caller, callee, source), span in first.items():
        if caller:
            shown = (
                f"{caller} calls {callee}: span {span.span_id} ({span.service} {span.name}) of trace {span.trace_id}"
            )
            yield from _told(caller, callee, source, trees.seen_in[span.trace_id], shown)


def _peer(span: Span, known: set[str]) -> str:
    """Whom a client span says that it asks: a name it gives, or a host that is a service that is known."""
    if span.attributes.get("span.kind") not in _CLIENTS:
        return ""
    if named := span.attributes.get("peer.service", ""):
        return named
    hosts = (span.attributes.get(name, "").partition(":")[0].partition(".")[0] for name in _HOSTS)
    return next((host for host in hosts if host in known), "")


def _metrics(case: CaseFile) -> Iterator[CallEdge]:
    done: set[tuple[str, str, Source]] = set()
    for item in measured(case):
        caller = item.entity.peer if item.entity.kind == "edge" else item.labels.get("caller", "")
        if not caller or item.entity.kind not in ("edge", "workload"):
            continue
        source = _source(item.source.name)
        if (caller, item.entity.name, source) in done or _virtual(item.source, caller):
            continue
        done.add((caller, item.entity.name, source))
        yield from _told(caller, item.entity.name, source, item.observation, str(item.source))


def _source(metric: str) -> Source:
    if metric.startswith(_SERVICE_GRAPH):
        return Source.SERVICE_GRAPH
    return Source.MESH if metric.startswith(_MESHES) else Source.CALL_METRICS


def _virtual(series: Series, caller: str) -> bool:
    """Whether the caller is a stand-in of the service graph for whoever sent the request."""
    return caller == "user" and series.labels.get("connection_type") == "virtual_node"


def _linkerd(case: CaseFile) -> Iterator[CallEdge]:
    """Requests that a proxy sent on behalf of its workload, with where they went."""
    for seen in case.series:
        series = seen.value
        if series.name not in ("response_total", "request_total") or series.labels.get("direction") != "outbound":
            continue
        caller = next((series.labels[kind] for kind in _KINDS if series.labels.get(kind)), "")
        callee = next((series.labels[f"dst_{kind}"] for kind in _KINDS if series.labels.get(f"dst_{kind}")), "")
        callee = callee or series.labels.get("dst_service", "").partition(":")[0].partition(".")[0]
        yield from _told(caller, callee, Source.MESH, seen.observation, str(series))
