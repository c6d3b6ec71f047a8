"""Where trouble begins and what it is, put together; and which of two mechanisms at one object lies behind the other.

The origin analyzer says where: it shares out the extra waiting and failing. Where no resource speaks, it can only name
the fault by exclusion, as an exception or a delay. Others say what: a message, a store's own figures, a retried offset.
At one object the two are not rivals: the mechanism is the cause, and that the trouble begins there supports it.
Likewise a busy CPU is what a slow query looks like from outside, and what an edit does to its service; so trouble that
begins at once after a change of the object speaks for the change. Called by ``ranking``.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from agent_sre.domain.fault import fault_types
from agent_sre.domain.finding import Finding

_BY_EXCLUSION = frozenset({"unhandled_exception", "pod_network_delay"})
"""What the origin says where it knows no mechanism."""
_GUESSING = frozenset({"origin", "cut_short"})
_EDITS = frozenset(
    {"bad_deploy", "bad_config_change", "bad_feature_flag", "bad_migration", "dependency_upgrade_broken"}
)
"""Changes whose harm has no form of its own: what the origin sees at their object is how it shows."""
_UNNAMED_EDITS = frozenset({"bad_deploy", "bad_config_change"})
"""Kinds of change that say nothing of what was changed: a mechanism that only an edit brings about says more."""
_SEEN_FROM_OUTSIDE = _BY_EXCLUSION | {"pod_cpu_overload"}
_AT_ONCE = timedelta(minutes=3)
"""How soon after a change its object is in trouble where the two belong together by their moment alone."""
_SAMPLING = timedelta(minutes=1)
_COINCIDES = 0.5
"""How much of the origin's strength a change gains after which the trouble at its object began at once."""
_PLACED = 0.4
"""The least strength of a change that gains so: its own place and moment already speak for it."""
_NOT_MECHANISMS = _EDITS | frozenset(
    {
        "no_fault_found",
        "alert_rule_wrong",
        "no_data",
        "scrape_target_down",
    }
)
_KNOWS = 0.4
"""The least strength of a mechanism that takes the origin's place."""
_SUPPORT = 0.4
"""How much of the origin's strength a mechanism at the same object gains."""
_LOAD = frozenset({"pod_cpu_overload", "pod_disk_io_saturation"})
_ASKING = frozenset({"n_plus_one_queries", "retry_storm", "batch_job_contention"})
_BEHIND = {
    "slow_query": _LOAD,
    "db_lock_contention": _LOAD,
    "cache_stampede": _LOAD,
    "n_plus_one_queries": _LOAD | {"bad_deploy"},
    "gc_pressure": _LOAD,
    "memory_leak": frozenset({"gc_pressure", "oom_killed", "pod_cpu_overload"}),
    "write_capacity_exceeded": _LOAD,
    "db_disk_full": frozenset({"crash_on_start", "unhandled_exception", "db_read_only"}),
    "node_network_packet_loss": frozenset({"node_network_delay"}),
    "hpa_at_max": frozenset({"pod_cpu_overload", "pod_cpu_throttled"}),
    "pod_cpu_throttled": frozenset({"pod_cpu_overload"}),
    "retry_storm": frozenset({"pod_cpu_overload", "traffic_surge"}),
    "client_abuse": frozenset({"pod_cpu_overload", "traffic_surge", "retry_storm"}),
    "poison_message": frozenset({"queue_backlog", "unhandled_exception"}),
    "liveness_probe_incorrect_port": frozenset({"crash_on_start"}),
    "liveness_probe_incorrect_protocol": frozenset({"crash_on_start"}),
    "credentials_rotated": frozenset({"mysql_invalid_credentials"}),
    "timeout_too_short": frozenset({"unhandled_exception", "retry_storm", *_UNNAMED_EDITS}),
}
"""By mechanism, what it looks like at the same object to somebody who sees less."""
_BEFORE_RUNNING = frozenset({"scheduling", "startup"})
"""Families of faults that keep a pod from running at all: what a rollout did wrong, where there was one."""
_AS_SURE = 0.6


def fold(findings: Sequence[Finding]) -> list[Finding]:
    """The findings without the origin's guesses where a mechanism is known; the strongest one there is the surer."""
    guesses = [item for item in findings if _is_guess(item, findings)]
    found = [item for item in findings if item not in guesses]
    for guess in guesses:
        known = [item for item in found if item.object == guess.object and _is_mechanism(item)]
        if not known:
            found.append(guess)
            continue
        best = max(known, key=lambda item: (item.strength, item.fault, item.analyzer))
        stronger = 1 - (1 - best.strength) * (1 - _SUPPORT * guess.strength)
        explains = tuple(dict.fromkeys((*best.explains, *guess.explains)))
        told = replace(best, strength=round(stronger, 4), facts=(*best.facts, *guess.facts[:1]), explains=explains)
        found[found.index(best)] = told
    return found


def coincide(findings: Sequence[Finding], explains_itself: Callable[[Finding], bool]) -> list[Finding]:
    """The findings, where the likeliest change of an object is the surer for the trouble that began there at once.

    Its moment alone says nothing against a change where the trouble has a mechanism that ``explains_itself``.
    """
    found = list(findings)
    for trouble in findings:
        if trouble.analyzer not in _GUESSING or trouble.fault not in _SEEN_FROM_OUTSIDE or explains_itself(trouble):
            continue
        changes = [item for item in findings if item.change is not None and item.object == trouble.object]
        best = max(changes, key=lambda item: (item.strength, item.change or ""), default=None)
        if best is not None and best in found and _just_before(best, trouble):
            stronger = 1 - (1 - best.strength) * (1 - _COINCIDES * trouble.strength)
            facts = (*best.facts, *trouble.facts[:1])
            found[found.index(best)] = replace(best, strength=round(stronger, 4), facts=facts)
    return found


def never_ran(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, where a rollout whose pods never ran supports what keeps them from it: the change and its defect.

    That a rollout is stuck is then no rival; it is the change in which the defect came.
    """
    found = list(findings)
    for rollout in (item for item in findings if item.analyzer == "rollout"):
        held = [item for item in found if item.object == rollout.object and _keeps_from_running(item)]
        best = max(held, key=lambda item: (item.strength, item.fault), default=None)
        if best is not None:
            stronger = 1 - (1 - best.strength) * (1 - _SUPPORT * rollout.strength)
            found[found.index(best)] = replace(best, strength=round(stronger, 4))
    return found


def _keeps_from_running(item: Finding) -> bool:
    known = fault_types().get(item.fault)
    return known is not None and known.family in _BEFORE_RUNNING and item.strength >= _KNOWS


def _just_before(change: Finding, trouble: Finding) -> bool:
    """Whether a recorded change of the troubled object came so shortly before that its moment speaks for it."""
    if change.change is None or change.fault not in _EDITS or change.object != trouble.object:
        return False
    if change.onset is None or trouble.onset is None or change.strength < _PLACED:
        return False
    return -_SAMPLING <= trouble.onset - change.onset <= _AT_ONCE


def _is_guess(item: Finding, findings: Sequence[Finding]) -> bool:
    """Whether the origin says it and nobody else does."""
    return (
        item.analyzer == "origin"
        and item.fault in _BY_EXCLUSION
        and all(other is item or (other.fault, other.object) != (item.fault, item.object) for other in findings)
    )


def _is_mechanism(item: Finding) -> bool:
    named = item.fault not in _NOT_MECHANISMS and item.fault not in _BY_EXCLUSION
    return named and item.strength * 0.75 ** len(item.against) >= _KNOWS


def may_explain(cause: Finding, symptom: Finding) -> bool:
    """Whether the first is of a kind that can explain the second: a guess by exclusion explains no known mechanism."""
    guess = cause.fault in _BY_EXCLUSION and cause.analyzer in _GUESSING
    return not (guess and _is_mechanism(symptom))


def asks_more(cause: Finding, symptom: Finding) -> bool:
    """Whether the first makes more calls than its requests need, and the second is the load that they are."""
    return cause.fault in _ASKING and symptom.fault in _LOAD and symptom.object in cause.explains


def behind(cause: Finding, symptom: Finding) -> bool:
    """Whether the first is the mechanism behind the second, at the same object and about as sure."""
    return (
        cause.object == symptom.object
        and (symptom.fault in _BEHIND.get(cause.fault, ()) or _stuck(cause, symptom))
        and cause.strength >= _AS_SURE * symptom.strength
    )


def _stuck(cause: Finding, symptom: Finding) -> bool:
    """Whether the second is a rollout whose pods the first keeps from running."""
    return symptom.analyzer == "rollout" and symptom.fault == "bad_deploy" and _keeps_from_running(cause)
