"""Single observations that a cause predicts or forbids, each answered from the case file or named as not to be seen.

A check asks one question about one object: have its pods restarted, does its log speak of timeouts, did its CPU rise?
It holds, it fails, or it could not be looked at, and then it says what is missing; absence of a source is never taken
for an answer. Each carries the query by which a person would look for himself. What predicts what is in
``predictions``; nothing here knows fault types.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.departures import Departure, number
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import items, labels, mapping, name_of, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.profiles import profiles
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import ObjectRef


class State(StrEnum):
    """What became of a check."""

    HOLDS = "holds"
    FAILS = "fails"
    UNSEEN = "unseen"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of a check; ``missing`` says what would have had to be there to see."""

    state: State
    facts: tuple[Fact, ...] = ()
    missing: str = ""


_STILL = 1.1
"""A signal that is above this part of its usual level, and did not clearly rise, answers nothing."""
Look = Callable[[CaseFile, ObjectRef], Outcome]


@dataclass(frozen=True, slots=True)
class Check:
    """``says`` what is expected, ``look`` answers it, ``query`` is a command with {namespace} and {name} to fill in."""

    says: str
    look: Look
    query: str


def unseen(missing: str) -> Outcome:
    """It could not be looked at."""
    return Outcome(State.UNSEEN, (), missing)


def told(holds: bool, *facts: Fact) -> Outcome:
    """It was looked at."""
    return Outcome(State.HOLDS if holds else State.FAILS, facts)


def _workload(case: CaseFile, ref: ObjectRef) -> Workload | None:
    cluster = cluster_of(case)
    return cluster.workloads.get(ref) or cluster.named(ref.namespace, ref.name)


def _pods(case: CaseFile, ref: ObjectRef) -> tuple[Pod, ...]:
    found = _workload(case, ref)
    return found.current_pods if found is not None else ()


def pods(question: Callable[[Pod], bool], words: str, *, every: bool = False) -> Look:
    """Whether a pod (or every pod) of the workload answers the question with yes."""

    def look(case: CaseFile, ref: ObjectRef) -> Outcome:
        found = [pod for pod in _pods(case, ref) if not pod.done]
        if not found:
            return unseen(f"no pod of {ref.name} was listed")
        fitting = [pod for pod in found if question(pod)]
        holds = len(fitting) == len(found) if every else bool(fitting)
        shown = (fitting if holds else [pod for pod in found if pod not in fitting] or found)[:2]
        sentence = "{} " + (words if holds else f"does not show that it {words}")
        return told(holds, *(_pod_fact(sentence.format(pod.ref.name), pod) for pod in shown))

    return look


def _pod_fact(sentence: str, pod: Pod) -> Fact:
    paths = [("status", "phase"), ("spec", "nodeName")]
    return fact(
        sentence, pod.seen, *paths, *(("status", field) for field in ("containerStatuses", "initContainerStatuses"))
    )


def restarted(pod: Pod) -> bool:
    """A container was restarted, or waits to be."""
    return pod.restarts > 0 or any(item.waiting == "CrashLoopBackOff" for item in pod.containers)


def killed_for_memory(pod: Pod) -> bool:
    """The last run of a container ended by the kernel's hand."""
    ends = [item.terminated[0] for item in pod.containers]
    return any(text(end, "reason") == "OOMKilled" or end.get("exitCode") == 137 for end in ends)


def waits(pod: Pod) -> bool:
    """A container waits to run its first time."""
    return any(item.waiting and item.waiting != "CrashLoopBackOff" for item in pod.containers) or not pod.node


def not_ready(pod: Pod) -> bool:
    """It does not serve."""
    return not pod.ready


def unscheduled(pod: Pod) -> bool:
    """No node has taken it."""
    return not pod.node


def short_of_pods(case: CaseFile, ref: ObjectRef) -> Outcome:
    """Whether fewer pods exist than wanted."""
    found = _workload(case, ref)
    seen = found.current or found.seen if found is not None else None
    if found is None or seen is None:
        return unseen(f"{ref.name} itself was not listed")
    words = "has fewer pods than it wants" if found.short else "has the pods it wants"
    return told(found.short, fact(f"{name_of(seen.value)} {words}", seen, ("spec", "replicas"), ("status", "replicas")))


def addresses(wanted: bool) -> Look:
    """Whether the Service in front of the workload (or the Service itself) has addresses that serve, or has none."""

    def look(case: CaseFile, ref: ObjectRef) -> Outcome:
        names = _services(case, ref)
        found = [seen for seen in case.objects("Endpoints", ref.namespace) if name_of(seen.value) in names]
        if not found:
            return unseen(f"no Endpoints in front of {ref.name} were listed")
        serving = [seen for seen in found if any(items(part, "addresses") for part in items(seen.value, "subsets"))]
        shown = serving or found
        words = "has addresses that serve" if serving else "has no address that serves"
        return told(bool(serving) == wanted, *(_endpoints_fact(seen, words) for seen in shown[:1]))

    return look


def _endpoints_fact(seen: Seen[object], words: str) -> Fact:
    return fact(f"Service {name_of(seen.value)} {words}", seen, ("subsets",))  # type: ignore[arg-type]


def _services(case: CaseFile, ref: ObjectRef) -> set[str]:
    if ref.kind == "Service":
        return {ref.name}
    found = _workload(case, ref)
    if found is None:
        return set()
    listed = case.objects("Service", ref.namespace)
    return {name_of(seen.value) for seen in listed if selects(labels(seen.value, "spec", "selector"), found.labels)}


def speaks(pattern: str, *, callers: bool = False) -> Look:
    """Whether the object's log (or that of its callers) came to say something of this kind."""
    words = re.compile(pattern, re.IGNORECASE)

    def look(case: CaseFile, ref: ObjectRef) -> Outcome:
        names = {ref.name} | (set(calls(case).callers.get(ref.name, ())) if callers else set())
        heard = [item for item in statements(case) if item.workload in names]
        if not heard:
            return unseen(f"no log of {', '.join(sorted(names))} was read")
        fitting = [item for item in heard if item.new and words.search(item.sample)]
        # Logs are cut and sampled, and programs keep silent: what a log does not say proves nothing.
        silent = unseen(f"the log of {', '.join(sorted(names))} that was read does not speak of it")
        return told(True, *(_said(item) for item in fitting[:2])) if fitting else silent

    return look


def _said(item: Statement) -> Fact:
    return item.fact(f"{item.workload} says so in its log")


def level(meaning: str, *, up: bool = True, least: float = 1.3) -> Look:
    """Whether a signal of the workload rose (or did not rise) with the incident."""

    def look(case: CaseFile, ref: ObjectRef) -> Outcome:
        profile = profiles(case).get(ref.name)
        found = profile.departures.get(meaning, []) if profile else []
        if not found:
            return unseen(f"{meaning} of {ref.name} is not measured over time")
        risen = [moved for moved in found if moved.strong and moved.after > moved.before and moved.ratio >= least]
        if not risen and max(moved.ratio for moved in found) >= _STILL:
            return unseen(f"{meaning} of {ref.name} moved too little to say")
        shown = risen[0] if risen else found[0]
        return told(bool(risen) == up, shown.fact(_moved(shown)))

    return look


def _moved(item: Departure) -> str:
    return f"{item.signal.meaning} of {item.signal.entity.name} went from {number(item.before)} to {number(item.after)}"


def failing(case: CaseFile, ref: ObjectRef) -> Outcome:
    """Whether more requests of the workload fail than usual."""
    profile = profiles(case).get(ref.name)
    if profile is None:
        return unseen(f"requests of {ref.name} are not measured")
    found = [*profile.departures.get("errors", ()), *profile.departures.get("availability", ())]
    found += [item for item in profile.departures.get("traffic", ()) if item.signal.role == "errors"]
    if not found:
        return unseen(f"failures of {ref.name} are not measured")
    worst = max(found, key=lambda item: (abs(item.z), str(item.signal.source)))
    return told(profile.failing > 0.001, worst.fact(_moved(worst)))


def suffering(case: CaseFile, ref: ObjectRef) -> Outcome:
    """Whether somebody who calls it is slower or fails more."""
    known = profiles(case)
    callers = [known[name] for name in calls(case).callers.get(ref.name, ()) if name in known]
    measured = [item for item in callers if item.departures.get("latency") or item.departures.get("errors")]
    if not measured:
        return unseen(f"nobody who calls {ref.name} is measured")
    hurt = [item for item in measured if item.slow > 0.01 or item.failing > 0.001]
    shown = (hurt or measured)[0]
    moved = shown.strongest("latency") or shown.strongest("errors")
    if moved is None or (not hurt and moved.ratio >= _STILL):
        return unseen(f"who calls {ref.name} moved too little to say")
    return told(bool(hurt), moved.fact(_moved(moved)))


def node_condition(kind: str, wanted: str) -> Look:
    """Whether a node's condition has this status, "not True" included."""

    def look(case: CaseFile, ref: ObjectRef) -> Outcome:
        seen = case.get(ObjectRef("Node", "", ref.name))
        conditions = items(seen.value, "status", "conditions") if seen is not None else []
        place = next((at for at, item in enumerate(conditions) if text(item, "type") == kind), None)
        if seen is None or place is None:
            return unseen(f"conditions of node {ref.name} were not listed")
        status = text(conditions[place], "status")
        holds = status != "True" if wanted == "not True" else status == wanted
        base = ("status", "conditions", place)
        return told(holds, fact(f"Node {ref.name}: {kind} is {status}", seen, (*base, "type"), (*base, "status")))

    return look


def on_node_suffer(case: CaseFile, ref: ObjectRef) -> Outcome:
    """Whether a pod on the node does not serve."""
    found = [pod for pod in cluster_of(case).on_node(ref.name) if not pod.done]
    if not found:
        return unseen(f"no pod on {ref.name} was listed")
    hurt = [pod for pod in found if not pod.ready]
    words = "does not serve" if hurt else "serves"
    return told(bool(hurt), *(_pod_fact(f"{pod.ref.name} on {ref.name} {words}", pod) for pod in (hurt or found)[:2]))


def policy_selects(case: CaseFile, ref: ObjectRef) -> Outcome:
    """Whether a NetworkPolicy selects the workload's pods."""
    found = _workload(case, ref)
    if not case.looked_at("NetworkPolicy") or found is None:
        return unseen("NetworkPolicies were not listed")
    policies = case.objects("NetworkPolicy", ref.namespace)
    chosen = [
        seen
        for seen in policies
        if selects(wanted := labels(seen.value, "spec", "podSelector", "matchLabels"), found.labels)
        or not (wanted or mapping(seen.value, "spec", "podSelector"))
    ]
    return told(bool(chosen), *(fact(f"{name_of(seen.value)} selects it", seen, ("spec",)) for seen in chosen[:1]))
