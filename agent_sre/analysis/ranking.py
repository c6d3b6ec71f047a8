"""Which of several findings is the cause: merge, explain, score, and say how sure.

A cause counts by what its facts prove, less what speaks against it. Findings of one fault at one object are one
cause, the surer for being found independently. A cause that explains another object's trouble outranks that trouble:
a node its pods, a quota its workloads, a callee the callers that merely crash or throw because of it. A rollout of
the same object just before is no rival but the deeper change, and is attached. What the alerts are about, and what
those depend on, comes before things that are odd elsewhere. The nearer a rival, the less sure the first.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from agent_sre.analysis.calibration import calibration
from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import alerted
from agent_sre.analysis.full_cpus import explains_itself
from agent_sre.analysis.mechanisms import asks_more, behind, coincide, fold, may_explain, never_ran
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef

_AGAINST = 0.75
"""What one fact against a cause leaves of its score."""
_SYMPTOM = 0.55
"""What is left of a finding that another, about as strong, explains."""
_ELSEWHERE = 0.85
"""What is left of a finding that the alerted workloads do not depend on."""
_LEAST = 0.05
_RIVAL = 0.6
_BY_CALLEE = frozenset(
    {
        "crash_on_start",
        "unhandled_exception",
        "init_container_failed",
        "job_failed",
        "timeout_too_short",
        "upstream_provider_outage",
    }
)
"""Faults that a dead callee causes in its callers; what the caller's own specification has wrong is not among them."""
_ROLLOUT = "bad_deploy"
_CHANGES = frozenset(
    {
        "bad_deploy",
        "bad_config_change",
        "bad_feature_flag",
        "bad_migration",
        "dependency_upgrade_broken",
        "credentials_rotated",
        "network_policy_denied",
    }
)
_BY_CHANGE = frozenset(
    {
        "db_schema_mismatch",
        "service_dns_resolution_failure",
        "db_connection_exhaustion",
        "file_descriptors_exhausted",
        "unhandled_exception",
        "timeout_too_short",
        "n_plus_one_queries",
        "retry_storm",
        "slow_query",
        "write_capacity_exceeded",
        "poison_message",
        "pod_network_delay",
        "connection_pool_exhausted",
        "thread_pool_exhausted",
        "lock_contention",
        "pod_cpu_overload",
        "memory_leak",
    }
)
"""Faults that a change of the same object brings about, and of which it is then the deeper cause."""
_BY_MIGRATION = frozenset({"db_lock_contention"})
"""What a change of the schema does to its store: it holds the table while it runs."""
_UNCHANGED = frozenset(
    {
        "upstream_provider_outage",
        "traffic_surge",
        "client_abuse",
        "batch_job_contention",
        "certificate_expired",
        "noisy_neighbor",
    }
)
"""Causes that nobody inside brought about: a change that happened to come before them is not attached."""
_ATTACHED = 0.3
"""The least strength of a change that is attached to what began after it."""
_PROVEN = 0.6
"""A recorded change is taken for the deeper cause from this strength on: place, time and its own text agree."""
_SLACK = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A merged finding with its score in 0..1. ``explained_by`` is the cause of which it is a symptom."""

    finding: Finding
    score: float
    explained_by: Finding | None = None


def rank(case: CaseFile, findings: Sequence[Finding]) -> list[Candidate]:
    """The causes, best first; the order of the findings given does not matter."""
    merged = merge(never_ran(fold(coincide(findings, partial(explains_itself, case)))))
    plain = {_key(item): item.strength * _AGAINST ** len(item.against) for item in merged}
    candidates = []
    for item in merged:
        score = plain[_key(item)] * (1.0 if _concerns_alerts(case, item) else _ELSEWHERE)
        cause = _explanation(case, item, merged, plain)
        found = replace(item, change=item.change or _change_before(item, merged))
        candidates.append(Candidate(found, score * _SYMPTOM if cause else score, cause))
    return sorted((item for item in candidates if item.score >= _LEAST), key=order)


def merge(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each fault at each object: facts together, independent strengths combined."""
    groups: defaultdict[tuple[str, ObjectRef], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[_key(finding)].append(finding)
    return [_together(sorted(group, key=_by_strength)) for _, group in sorted(groups.items())]


def confidence(candidate: Candidate, ranked: Sequence[Candidate]) -> float:
    """How often such a cause is right: by its score, the less the nearer a rival for another cause comes."""
    ours = candidate.score
    rivals = [item.score for item in ranked if item is not candidate and not _same_story(candidate, item)]
    rival = max(rivals, default=0.0)
    share = ours / (ours + _RIVAL * rival * rival / ours)
    return round(calibration().rate(min(0.98, ours * share)), 4)


def rival_of(candidate: Candidate, ranked: Sequence[Candidate]) -> Finding | None:
    """The strongest other cause that tells another story, or None."""
    rivals = (item.finding for item in ranked if item is not candidate and not _same_story(candidate, item))
    return next(rivals, None)


def _same_story(first: Candidate, second: Candidate) -> bool:
    """Whether the second is no rival: the change behind the first, or a symptom that the first explains."""
    if first.finding.object == second.finding.object and _one_change(first.finding, second.finding):
        return True
    explained = second.explained_by
    return explained is not None and _key(explained) == _key(first.finding)


def _one_change(first: Finding, second: Finding) -> bool:
    """Whether one of two findings about an object is the change that the other is put down to."""
    return _ROLLOUT in (first.fault, second.fault) or (
        first.change is not None and first.change == second.change and bool({first.fault, second.fault} & _CHANGES)
    )


def _key(finding: Finding) -> tuple[str, ObjectRef]:
    return finding.fault, finding.object


def _by_strength(item: Finding) -> tuple[float, str, str]:
    return -item.strength, item.analyzer, item.statement


def _together(group: Sequence[Finding]) -> Finding:
    first = group[0]
    doubt = 1.0
    for item in {entry.analyzer: entry for entry in reversed(group)}.values():
        doubt *= 1.0 - min(item.strength, 0.99)
    return replace(
        first,
        strength=max(first.strength, 1.0 - doubt),
        facts=tuple(dict.fromkeys(fact for item in group for fact in item.facts)),
        against=tuple(dict.fromkeys(fact for item in group for fact in item.against)),
        explains=tuple(dict.fromkeys(ref for item in group for ref in item.explains)),
        change=next((item.change for item in group if item.change), None),
        onset=min((item.onset for item in group if item.onset), default=None),
    )


def _explanation(
    case: CaseFile, item: Finding, merged: Sequence[Finding], plain: dict[tuple[str, ObjectRef], float]
) -> Finding | None:
    """The strongest finding of which this one is a symptom: about another object, or deeper at its own."""
    found = [
        other
        for other in merged
        if (_deeper_change(other, item) and not behind(item, other))
        or behind(other, item)
        or (
            other.object != item.object
            and plain[_key(other)] >= 0.8 * plain[_key(item)]
            and may_explain(other, item)
            and _explains(case, other, item)
            and (_mechanism_behind(other, item) or not (may_explain(item, other) and _explains(case, item, other)))
        )
    ]
    return max(found, key=lambda other: (plain[_key(other)], str(other.object)), default=None)


def _deeper_change(cause: Finding, symptom: Finding) -> bool:
    """Whether the cause is a proven change of the object in which the symptom shows."""
    return (
        cause.change is not None
        and cause.fault in _CHANGES
        and cause.strength >= _PROVEN
        and cause.fault != symptom.fault
        and (cause.object == symptom.object or symptom.object in cause.explains)
        and (symptom.fault in _BY_CHANGE or (symptom.fault in _BY_MIGRATION and cause.fault == "bad_migration"))
    )


def _mechanism_behind(cause: Finding, symptom: Finding) -> bool:
    """Whether, of two that explain each other, the first is a thing that breaks and the second what a callee does."""
    if asks_more(cause, symptom):
        return True
    return symptom.fault in _BY_CALLEE and cause.fault not in (*_BY_CALLEE, *_CHANGES)


def _explains(case: CaseFile, cause: Finding, symptom: Finding) -> bool:
    if symptom.object in cause.explains:
        return True
    if symptom.fault not in _BY_CALLEE:
        return False
    graph = calls(case)
    return cause.object.name in graph.reached(frozenset({symptom.object.name})) - {symptom.object.name}


def _concerns_alerts(case: CaseFile, item: Finding) -> bool:
    """Whether an alerted workload is the object, is explained by it or depends on it; True where none is named."""
    named = frozenset(alert.service for alert in case.alerts if alert.service)
    graph = calls(case)
    if not named or graph.empty:
        return True
    reached = graph.reached(named) | alerted(case)
    return item.object.kind in ("Node", "Namespace") or bool(
        reached & {item.object.name, *(ref.name for ref in item.explains)}
    )


def _change_before(item: Finding, merged: Sequence[Finding]) -> str | None:
    """The likeliest change of the same object that came before this began."""
    if item.fault in _UNCHANGED:
        return None
    before = [
        other
        for other in merged
        if other.change is not None
        and other.fault in _CHANGES
        and other.object == item.object
        and other.strength >= _ATTACHED
        and (item.onset is None or other.onset is None or item.onset >= other.onset - _SLACK)
    ]
    found = max(before, key=lambda other: (other.strength, other.change or ""), default=None)
    return found.change if found is not None else None


def order(item: Candidate) -> tuple[float, int, str, ObjectRef]:
    """The key by which candidates are sorted, best first."""
    return -round(item.score, 6), -len(item.finding.explains), item.finding.fault, item.finding.object
