"""One client that sends far more than its share, told from a surge of many by who is in the logs.

A rise of requests is a surge when it is spread and abuse when one address, key, tenant or account makes it. Metrics
cannot tell the two apart; request logs can. So each identity that request lines carry is counted before and since: the
client that holds most of the lines now, and held few of them before, while the lines themselves became many more, is
the cause. So is the only one that is named at all, where requests multiplied. Not here: surges (``outside``), and what
the workload suffers from it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.departures import incident_start
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.analysis.stores import dependants
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.telemetry import LogLine, LogStream

_NAMED = re.compile(
    r"\b(?P<kind>remote_addr|client_ip|clientip|remote_ip|source_ip|src_ip|x[-_]forwarded[-_]for|peer|ip|client_id|client"
    r"|api[-_]?key(?:_id)?|key_id|tenant(?:_id)?|customer(?:_id)?|account(?:_id)?|consumer|user_agent|caller)"
    r"\"?[=:]\s?\"?(?P<value>[\w.:@/*-]{2,80})",
    re.IGNORECASE,
)
_NAMED_HOLDS = ("addr", "ip", "forwarded", "peer", "client", "key", "tenant", "customer", "account", "consumer",
                "user_agent", "caller")  # fmt: skip
_LEADING_ADDRESS = re.compile(r"^(?P<value>\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}) ")
_PRIVATE = re.compile(r"^(?:127\.|0\.0\.0\.0|::1)")
_LEAST_LINES = 60
_SHARE = 0.5
_WAS = 0.35
_RISE = 2.5
_NEARLY_ALL = 0.9
_EARLY = 60.0


@dataclass(slots=True)
class _Seen:
    """Lines of one workload by one kind of identity."""

    before: "Counter[str]" = field(default_factory=Counter)
    since: "Counter[str]" = field(default_factory=Counter)
    last: dict[str, tuple[Seen[LogStream], LogLine]] = field(default_factory=dict)


def client_abuse(case: CaseFile) -> Iterable[Finding]:
    """Workloads where one client makes most of the requests since the incident began, and did not before."""
    start = incident_start(case) - _EARLY
    reported: set[str] = set()
    for (namespace, workload, kind), seen in sorted(_counted(case, start).items()):
        if workload in reported or not seen.since:
            continue
        client, count = seen.since.most_common(1)[0]
        total, earlier = seen.since.total(), seen.before.total()
        rose = _traffic(case, workload)
        apart = _stands_out(case, seen, start) or (bool(rose) and _only_one(case, seen))
        if total < _LEAST_LINES or count < _SHARE * total or not apart:
            continue
        reported.add(workload)
        stream, line = seen.last[client]
        told = f"{kind} {client} makes {count} of {total} requests of {workload}"
        shown = f"{stream.value.source}: {line.text[:200]}; {told}, before {seen.before[client]} of {earlier}"
        yield Finding(
            analyzer="client_abuse",
            fault="client_abuse",
            object=object_of(case, workload, namespace),
            strength=0.84,
            statement=f"One client, {client}, sends {workload} most of its requests.",
            facts=(Fact(told, stream.observation, shown, line.time), *rose),
            explains=(*dependants(case, workload), *_callees(case, workload)),
            distinguish=f"requests of {workload} without those of {client}",
        )


def _stands_out(case: CaseFile, seen: _Seen, start: float) -> bool:
    """Whether the lines that name clients became many more, and the first among them had few of them before."""
    usual_minutes = max((start - case.window.start.timestamp()) / 60, 1.0)
    since_minutes = max((case.now.timestamp() - start) / 60, 1.0)
    client, _ = seen.since.most_common(1)[0]
    total, earlier = seen.since.total(), seen.before.total()
    was = seen.before[client] / earlier if earlier else 0.0
    more = total / since_minutes > _RISE * earlier / usual_minutes
    return was <= _WAS and more and len(seen.before) >= 2


def _only_one(case: CaseFile, seen: _Seen) -> bool:
    """Whether lines name a client only since the incident, and one from outside in nearly all of them.

    Servers that name nobody on a good day name the one whom they turn away. That proves nothing where requests did not
    multiply, and an address or name of something inside is a caller's, which has other reasons.
    """
    client, count = seen.since.most_common(1)[0]
    return not seen.before and count >= _NEARLY_ALL * seen.since.total() and client not in _inside(case)


@per_case
def _inside(case: CaseFile) -> frozenset[str]:
    """Names and addresses of the cluster's own workloads and pods."""
    pods = [seen.value for seen in case.objects("Pod")]
    found = {str(pod.get("status", {}).get("podIP") or "") for pod in pods}
    found |= {str(pod.get("metadata", {}).get("name", "")) for pod in pods}
    graph = calls(case)
    return frozenset({*found, *graph.callees, *graph.callers, *profiles(case)} - {""})


def _callees(case: CaseFile, workload: str) -> tuple[ObjectRef, ...]:
    """What the workload calls gets the load too."""
    reached = sorted(calls(case).reached(frozenset({workload})) - {workload})
    return tuple(object_of(case, name) for name in reached)


def _traffic(case: CaseFile, workload: str) -> list[Fact]:
    profile = profiles(case).get(workload)
    moved = profile.traffic if profile is not None else None
    if moved is None or not moved.strong or moved.after <= moved.before:
        return []
    return [moved.fact(f"{workload} gets {moved.told}")]


def _counted(case: CaseFile, start: float) -> dict[tuple[str, str, str], _Seen]:
    found: defaultdict[tuple[str, str, str], _Seen] = defaultdict(_Seen)
    for seen in case.streams:
        source = seen.value.source
        if source.namespace == "@nodes" or source.previous:
            continue
        workload = workload_of_pod(source.pod)
        for line in _naming(seen.value):
            if line.time is None:
                continue
            for kind, value in identities(line.text):
                entry = found[source.namespace, workload, kind]
                if line.time.timestamp() >= start:
                    entry.since[value] += 1
                    entry.last[value] = seen, line
                else:
                    entry.before[value] += 1
    return found


def _naming(stream: LogStream) -> Iterator[LogLine]:
    """The lines that may say whom a request came from."""
    numbers = set(stream.index.holding(_NAMED_HOLDS))
    for number, line in enumerate(stream.lines):
        if (number in numbers and ("=" in line.text or ":" in line.text)) or _LEADING_ADDRESS.match(line.text):
            yield line


def identities(words: str) -> Iterator[tuple[str, str]]:
    """Who a request line says that it came from: (kind of identity, value)."""
    leading = _LEADING_ADDRESS.match(words)
    if leading and not _PRIVATE.match(leading["value"]):
        yield "address", leading["value"]
    for match in _NAMED.finditer(words):
        yield match["kind"].lower(), match["value"]
