"""What the logs say is wrong, where it began, and who merely reports somebody else's trouble.

An error log names its cause in one of three ways: by a well-known message (``log_patterns``), by an exception of its
own, or by pointing at somebody else (``log_chains``). A well-known message about a store is a fault of the store,
whoever logs it. Who points at a workload that complains itself is a witness, and his own troubles count for less where
they are of the kind that a failing callee brings about. A host outside the cluster at the end of the chain is an
outside cause. Log text is never more than a witness: a cause found only here stays below what the cluster's own objects
prove.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.log_chains import Chains
from agent_sre.analysis.log_entries import Statement, risen, statements, troubles
from agent_sre.analysis.log_patterns import NODE, PEER, STORE, Pattern, classify, is_somebody_else_s, outside_host
from agent_sre.analysis.log_records import ERROR, WARNING
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.stores import stores
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.visible import one_line

_WITNESS = 0.45
"""What is left of a strength where the workload only reports another's trouble."""
_PER_WITNESS, _MOST_WITNESSES = 0.04, 3
_BROUGHT_ABOUT = frozenset(
    {
        "unhandled_exception",
        "timeout_too_short",
        "traffic_surge",
        "retry_storm",
        "thread_pool_exhausted",
        "connection_pool_exhausted",
        "queue_backlog",
        "service_dns_resolution_failure",
    }
)
"""Faults that a failing callee brings about in its callers."""
_OWN_EXCEPTION = 0.42
_AGAIN = 3
"""How often a store must say calmly what would be trouble at a higher level."""
_MOST = 300
"""Statements looked at, the worst first: a log that says more different things at once says nothing."""


def log_findings(case: CaseFile) -> Iterable[Finding]:
    """Causes that logs name, and outside hosts at the end of their chains."""
    found = [*troubles(case)[:_MOST], *_said_calmly(case)]
    if not found:
        return
    chains = Chains(case, found)
    yield from _named_causes(case, found, chains)
    yield from _outside(case, found, chains)


def _said_calmly(case: CaseFile) -> list[Statement]:
    """What stores say of their own trouble as if it were everyday news: waits, drops and refusals, again and again."""
    return [
        item
        for item in statements(case)
        if item.workload in stores(case)
        and item.severity < WARNING
        and item.since >= _AGAIN
        and risen(case, item)
        and (pattern := classify(item.said)) is not None
        and pattern.place == STORE
    ]


def _named_causes(case: CaseFile, found: list[Statement], chains: Chains) -> Iterable[Finding]:
    best: dict[tuple[str, ObjectRef], Finding] = {}
    for item in found:
        finding = _cause(case, item, chains)
        if finding is None:
            continue
        key = finding.fault, finding.object
        known = best.get(key)
        if known is None:
            best[key] = finding
        elif len(known.facts) < 4:
            first, second = sorted((known, finding), key=lambda one: -one.strength)
            best[key] = replace(first, facts=(*first.facts, *second.facts))
    yield from best.values()


def _cause(case: CaseFile, item: Statement, chains: Chains) -> Finding | None:
    pattern = classify(item.said)
    fault, base, meaning, place = _reading(item, pattern)
    if not fault or (item.severity < ERROR and base < 0.5):
        return None
    at = _place(case, item, chains, place)
    if at is None:
        return None
    strength = base * (1.0 if item.new else 0.8) * (1.0 if item.timed else 0.85)
    if fault in _BROUGHT_ABOUT and chains.blames_another(item.workload):
        strength *= _WITNESS
    witnesses = [name for name in chains.leading_to(at.name) if name != item.workload] if at.kind != "Node" else []
    strength = min(0.9 * strength + _PER_WITNESS * min(len(witnesses), _MOST_WITNESSES), 0.88)
    explained = [*witnesses, *([item.workload] if at.kind != "Node" and at.name != item.workload else [])]
    return Finding(
        analyzer="log_errors",
        fault=fault,
        object=at,
        strength=round(strength, 3),
        statement=f"The log of {item.workload} says that {meaning}.",
        facts=(item.fact(f"{item.workload} logs {item.quoted}"), *_pointing(chains, at.name, item.workload)),
        onset=item.first,
        explains=tuple(object_of(case, name) for name in explained),
        distinguish=f"all lines of {item.workload} from a minute before the first of these",
    )


def _reading(item: Statement, pattern: Pattern | None) -> tuple[str, float, str, str]:
    """Fault, strength, meaning and place: of the pattern, else of an exception that is the workload's own."""
    if pattern is not None:
        return pattern.fault, pattern.strength, pattern.meaning, pattern.place
    own = item.trace is not None and "\n" in item.said and not is_somebody_else_s(item.said)
    return ("unhandled_exception", _OWN_EXCEPTION, "the program throws", "") if own else ("", 0.0, "", "")


def _place(case: CaseFile, item: Statement, chains: Chains, place: str) -> ObjectRef | None:
    """The object at fault; None where a message speaks of a node that is not known."""
    if place == NODE:
        pods = [pod for pod in cluster_of(case).pods if pod.ref.name == item.source.split("/")[1]]
        return ObjectRef("Node", "", pods[0].node) if pods and pods[0].node else None
    if place == STORE and (store := chains.store_of(item)):
        return object_of(case, store, item.namespace)
    if place == PEER and len(called := {one.target for one in chains.pointers if one.statement is item}) == 1:
        return object_of(case, called.pop(), item.namespace)
    return object_of(case, item.workload, item.namespace)


def _pointing(chains: Chains, name: str, logger: str) -> list[Fact]:
    """Facts of the workloads that say that this one fails, one each, at most two."""
    first: dict[str, Fact] = {}
    for pointer in chains.pointers:
        if pointer.target == name and pointer.failing and pointer.workload not in (name, logger, *first):
            words = f"{pointer.workload} says of {name}: {one_line(pointer.statement.quoted, 120)}"
            first[pointer.workload] = pointer.statement.fact(words)
    return list(first.values())[:2]


def _outside(case: CaseFile, found: list[Statement], chains: Chains) -> Iterable[Finding]:
    """Hosts outside the cluster that fail or do not answer, by the workload that calls them."""
    by_host: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for item in found:
        if not is_somebody_else_s(item.said):
            continue
        host = outside_host(item.said, lambda name: bool(chains.workload_named(name)))
        if host:
            by_host[host, item.workload].append(item)
    callers = {host: sum(other == host for other, _ in by_host) for host, _ in by_host}
    for (host, workload), items in sorted(by_host.items()):
        count = sum(item.since for item in items)
        yield Finding(
            analyzer="log_errors",
            fault="upstream_provider_outage",
            object=object_of(case, workload, items[0].namespace),
            strength=0.74 if count >= 5 or callers[host] > 1 else 0.5,
            statement=f"{host}, outside the cluster, fails or does not answer {workload}.",
            facts=tuple(item.fact(f"{workload} cannot use {host}: {item.quoted}") for item in items[:4]),
            onset=min((item.first for item in items if item.first), default=None),
            explains=tuple(object_of(case, name) for name in chains.leading_to(workload)),
            distinguish=f"the provider's status page, and a request to {host} from elsewhere",
        )
