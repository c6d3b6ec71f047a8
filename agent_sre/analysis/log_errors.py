"""What the logs say is wrong, where it began, and who merely reports somebody else's trouble.

An error log names its cause in one of three ways: by a well-known message (``log_patterns``), by an exception of its
own, or by pointing at somebody else: refused by, timed out calling, answered with 5xx by. Pointers are followed: the
workload that is pointed at and complains itself, or is pointed at by several, is nearer to the origin than the one that
points. A host outside the cluster at the end of the chain is an outside cause. Log text is never more than a witness:
a cause found only here stays below what the cluster's own objects prove.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.log_entries import Statement, troubles
from agent_sre.analysis.log_patterns import REFUSED, SERVER_ERROR, TIMED_OUT, classify, outside_host
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.stack_traces import exception
from agent_sre.domain.finding import Finding
from agent_sre.domain.visible import one_line

_WITNESS = 0.45
"""What is left of a strength where the workload only reports another's trouble."""


def log_findings(case: CaseFile) -> Iterable[Finding]:
    """Causes that logs name, and outside hosts at the end of their chains."""
    found = troubles(case)
    pointing = _pointers(case, found)
    yield from _named_causes(case, found, pointing)
    yield from _outside(case, found)


def _pointers(case: CaseFile, found: list[Statement]) -> Mapping[str, set[str]]:
    """By workload, the others that its errors name and that could be to blame: its callees, or any that complains."""
    graph, complaining = calls(case), {item.workload for item in found}
    pointing: dict[str, set[str]] = defaultdict(set)
    for item in found:
        candidates = set(graph.callees.get(item.workload, ())) | complaining
        for name in sorted(candidates - {item.workload}):
            if _names(item.sample, name) and item.workload not in graph.callees.get(name, ()):
                pointing[item.workload].add(name)
    return pointing


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE) is not None


def _named_causes(case: CaseFile, found: list[Statement], pointing: Mapping[str, set[str]]) -> Iterable[Finding]:
    best: dict[tuple[str, str], Finding] = {}
    for item in found:
        finding = _cause(case, item, pointing)
        if finding is None:
            continue
        key = item.workload, finding.fault
        known = best.get(key)
        if known is None:
            best[key] = finding
        elif len(known.facts) < 4:
            merged = (*known.facts, *finding.facts)
            best[key] = replace(known, facts=merged, strength=max(known.strength, finding.strength))
    yield from best.values()


def _cause(case: CaseFile, item: Statement, pointing: Mapping[str, set[str]]) -> Finding | None:
    pattern = classify(item.sample)
    if pattern is None or (item.severity < 3 and pattern.strength < 0.5):
        return None
    strength = pattern.strength * (1.0 if item.new else 0.8) * (1.0 if item.timed else 0.85)
    if pointing.get(item.workload) and pattern.fault in ("unhandled_exception", "timeout_too_short", "traffic_surge"):
        strength *= _WITNESS
    thrown = exception(item.sample)
    quoted = one_line(thrown or item.template, 120)
    return Finding(
        analyzer="log_errors",
        fault=pattern.fault,
        object=object_of(case, item.workload, item.namespace),
        strength=round(strength * 0.9, 3),
        statement=f"The log of {item.workload} says that {pattern.meaning}.",
        facts=(item.fact(f"{item.workload} logs {quoted}"),),
        onset=item.first,
        distinguish=f"all lines of {item.workload} from a minute before the first of these",
    )


def _outside(case: CaseFile, found: list[Statement]) -> Iterable[Finding]:
    """Hosts outside the cluster that fail or do not answer, by the workload that calls them."""
    by_host: dict[tuple[str, str], list[Statement]] = defaultdict(list)
    for item in found:
        text = item.sample
        if not (REFUSED.search(text) or TIMED_OUT.search(text) or SERVER_ERROR.search(text)):
            continue
        host = outside_host(text)
        if host:
            by_host[item.workload, host].append(item)
    for (workload, host), items in sorted(by_host.items()):
        count = sum(item.since for item in items)
        yield Finding(
            analyzer="log_errors",
            fault="upstream_provider_outage",
            object=object_of(case, workload, items[0].namespace),
            strength=0.74 if count >= 5 else 0.5,
            statement=f"{host}, outside the cluster, fails or does not answer {workload}.",
            facts=tuple(
                item.fact(f"{workload} cannot use {host}: {one_line(item.template, 120)}") for item in items[:4]
            ),
            onset=min((item.first for item in items if item.first), default=None),
            distinguish=f"the provider's status page, and a request to {host} from elsewhere",
        )
