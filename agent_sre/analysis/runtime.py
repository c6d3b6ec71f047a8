"""Runtime: the process ran and ended, or is not meant to run at all.

Memory kills are said by the runtime itself. For other exits the exit code, the length of the run and the last words
of the log tell a bad configuration, an unhandled exception and an early crash apart; kills by probes are ``probes``'
and kills at start ``startup``'s; Jobs that failed for good are ``batch``'s. Zero replicas count where something
still needs them.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from agent_sre.analysis.batch import failure
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.addresses import addresses
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, log_fact, message
from agent_sre.analysis.kubernetes.kernel import kernel_kill
from agent_sre.analysis.kubernetes.logs import last_lines, last_match
from agent_sre.analysis.kubernetes.pods import Container, Pod
from agent_sre.analysis.kubernetes.reading import Path, dig, instant, labels, number, ref_of, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.performance import memory_leak
from agent_sre.domain.finding import Fact, Finding

_ANALYZER = "runtime"
_OOM = re.compile(r"OOM-?killed|out of memory|memory cgroup", re.I)
_TRACE = re.compile(
    r"^Traceback |^\s+at [\w.$<>]+\(|^panic: |^goroutine \d+|Unhandled exception|Exception in thread|Caused by: "
    r"|UnhandledPromiseRejection|segmentation fault|core dumped|thread '.*' panicked|fatal error: ", re.I
)  # fmt: skip
_CONFIG = re.compile(
    r"(missing|required|invalid|unknown|unrecognized|undefined|malformed|bad|cannot parse|failed to (load|parse|read)|"
    r"could not (load|parse|read)|no such|error (loading|parsing|reading))[^\n]{0,60}"
    r"(config|configuration|setting|environment variable|env var|flag|option|argument|property|properties|yaml|toml)"
    r"|(environment variable|config(uration)?|setting|property)[^\n]{0,80}"
    r"(not set|missing|required|invalid|must be|not found|undefined)"
    r"|\[emerg\]|unknown directive|failed to bind properties|could not resolve placeholder"
    r"|(yaml|toml|json|ini): line \d+"
    r"|parse error .{0,40}(line|column) \d+"
    r"|(config|settings?)\S*[ :].{0,40}(unexpected|syntax error|validation error|unknown)"
    r"|time: (unknown|missing) unit",
    re.I,
)
_HEAP = re.compile(r"heap out of memory|OutOfMemoryError: Java heap|perhaps out of memory|Cannot allocate memory", re.I)
_LIMITS = re.compile(r"too many open files|EMFILE|unable to create (new )?native thread|can't start new thread", re.I)
"""Last words that name a limit of the process (``process_limits``): the exit is only its consequence."""
_BUSY_PORT = re.compile(r"address already in use|EADDRINUSE|port \d+ (is|was) already in use|bind.{0,40}failed", re.I)
_MESH_PORTS = frozenset({15000, 15001, 15004, 15006, 15008, 15009, 15020, 15021, 15053, 15090, 4140, 4143, 4190, 4191})
_KILLING = re.compile(r"^(Liveness|Startup) probe")
_SHORT_RUN = timedelta(seconds=60)
_OLD = timedelta(hours=1)


def analyze_runtime(case: CaseFile) -> Iterator[Finding]:
    """Findings for containers that end, and for workloads scaled to nothing."""
    cluster = cluster_of(case)
    leaks = {item.object: item for item in memory_leak(case)}
    for workload in cluster.in_scope():
        found = _once(_exits(case, cluster, workload))
        leak = leaks.get(workload.ref)
        yield from found if leak is None else (_leaking(item, leak) for item in found)
        yield from _scaled_to_zero(cluster, workload)


def _leaking(finding: Finding, leak: Finding) -> Finding:
    """An end for want of memory that has grown steadily up to it is the leak's last stage, not a limit set too low."""
    heap = any(_HEAP.search(item.excerpt) for item in finding.facts)
    if finding.fault != "oom_killed" and not heap:
        return finding
    statement = f"{finding.object} loses memory steadily until it ends."
    return replace(
        finding, fault="memory_leak", strength=max(finding.strength, 0.9), statement=statement,
        facts=(*finding.facts, *leak.facts),
    )  # fmt: skip


def _once(findings: Iterator[Finding]) -> Iterator[Finding]:
    done: set[str] = set()
    for finding in findings:
        if finding.fault not in done:
            done.add(finding.fault)
            yield finding


def _exits(case: CaseFile, cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    for pod in workload.current_pods:
        for container in pod.containers:
            yield from _memory(case, cluster, workload, pod, container)
            yield from _port_conflict(case, workload, pod, container)
            if not container.init:
                yield from _crash(case, cluster, workload, pod, container)


def _finding(workload: Workload, pod: Pod, fault: str, strength: float, why: str, facts: list[Fact]) -> Finding:
    ends = (instant(item.terminated[0], "finishedAt") for item in pod.containers)
    # An end before the pod was there is a clock's fault, or the snapshot's.
    own = [end for end in ends if end and (pod.created is None or end >= pod.created)]
    times = [item.time for item in facts if item.time] or own
    onset = min(times, default=None) or pod.created
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=workload.ref,
        strength=strength,
        statement=f"{workload.ref} {why}.",
        facts=tuple(facts),
        onset=onset,
        distinguish=f"kubectl -n {pod.ref.namespace} logs {pod.ref.name} --previous",
    )


def _memory(case: CaseFile, cluster: Cluster, workload: Workload, pod: Pod, container: Container) -> Iterator[Finding]:
    ended, path = container.terminated
    if _stale(case, container):
        return
    killed = text(ended, "reason") == "OOMKilled" or bool(_OOM.search(text(ended, "message")))
    kernel = kernel_kill(case, pod)
    events = [
        event
        for event in cluster.events(pod.ref)
        if _OOM.search(message(event.value)) or text(event.value, "reason") == "OOMKilling"
    ]
    if not killed and kernel is None and (not events or pod.ready):
        return
    limit: Path = (*container.spec_path, "resources", "limits", "memory")
    facts = [fact(f"How {container.name} of {pod.ref} ended, and its limit", pod.seen, path, limit)] if killed else []
    if not killed:
        facts.append(fact(f"Memory limit of {container.name} of {pod.ref}", pod.seen, limit))
    facts += [event_fact(event) for event in events[:1]]
    facts += [log_fact("The kernel of its node says what it killed", *kernel)] if kernel is not None else []
    strength = 0.97 if killed and not pod.ready else 0.93 if events or kernel else 0.85
    if dig(pod.seen.value, *limit) is None:
        strength = min(strength, 0.6)  # without a limit of its own it is the node that has run out
    why = f"is killed for memory: {container.name} exceeds its limit"
    yield _finding(workload, pod, "oom_killed", strength, why, facts)


def _port_conflict(case: CaseFile, workload: Workload, pod: Pod, container: Container) -> Iterator[Finding]:
    """A container that cannot have its port, because another one of the pod or the mesh has it."""
    rivals = _rivals(pod, container)
    if container.ready and container.restarts == 0:
        return
    logged = last_match(case, workload, _BUSY_PORT, container.name)
    if not rivals and logged is None:
        return
    paths = [path for path, _ in rivals]
    facts = [fact(f"Ports of the containers of {pod.ref}", pod.seen, (*container.spec_path, "ports"), *paths)]
    if logged is not None:
        facts.append(log_fact("The container's log says that the port is taken", *logged))
    strength = 0.95 if rivals and logged else 0.8 if rivals else 0.7
    why = f"has two processes that want the same port: {container.name} and another of its pod"
    yield _finding(workload, pod, "service_sidecar_port_conflict", strength, why, facts)


def _rivals(pod: Pod, container: Container) -> list[tuple[Path, str]]:
    ports = set(container.ports())
    others = [item for item in pod.containers if item.name != container.name and not item.init]
    found = [((*item.spec_path, "ports"), item.name) for item in others if ports & set(item.ports())]
    meshed = [item for item in pod.containers if item.name in ("istio-proxy", "linkerd-proxy")]
    if meshed and container.name != meshed[0].name and ports & _MESH_PORTS:
        found.append(((*meshed[0].spec_path, "name"), meshed[0].name))
    return found


def _crash(case: CaseFile, cluster: Cluster, workload: Workload, pod: Pod, container: Container) -> Iterator[Finding]:
    ended, path = container.terminated
    code = number(ended, "exitCode")
    if not path or code is None or text(ended, "reason") in ("OOMKilled", "StartError", "ContainerCannotRun"):
        return
    looping = container.waiting == "CrashLoopBackOff" or container.restarts >= 2 or not container.ready
    if (
        not looping
        or _killed(cluster, pod, code)
        or (workload.finished_kind and (code == 0 or _given_up(cluster, pod)))
    ):
        return
    if _stale(case, container) or kernel_kill(case, pod) is not None:
        return
    status: Path = (*container.status_path, "restartCount")
    facts = [fact(f"How {container.name} of {pod.ref} ended, and how often it restarted", pod.seen, path, status)]
    backoff = cluster.events(pod.ref, "BackOff")
    facts += [event_fact(event) for event in backoff[:1]]
    yield from _by_last_words(case, workload, pod, container, facts)


def _by_last_words(
    case: CaseFile, workload: Workload, pod: Pod, container: Container, facts: list[Fact]
) -> Iterator[Finding]:
    ended, path = container.terminated
    begun, over = instant(pod.seen.value, *path, "startedAt"), instant(pod.seen.value, *path, "finishedAt")
    short = begun is None or over is None or over - begun <= _SHORT_RUN
    tail = last_lines(case, workload, container.name, 40)
    if any(_BUSY_PORT.search(line.text) or _LIMITS.search(line.text) for _, line in tail):
        return
    config = next(((seen, line) for seen, line in reversed(tail) if _CONFIG.search(line.text)), None)
    trace = next(((seen, line) for seen, line in reversed(tail) if _TRACE.search(line.text)), None)
    code = text(ended, "exitCode")
    heap = next(((seen, line) for seen, line in reversed(tail) if _HEAP.search(line.text)), None)
    if heap is not None:
        words = [*facts, log_fact("The last run says that it has no memory left", *heap)]
        yield _finding(workload, pod, "oom_killed", 0.82, "ends because it can get no more memory", words)
        return
    signalled = number(ended, "exitCode") in (137, 143)
    if signalled and trace is None and config is None:
        yield from _signalled(workload, pod, container, facts)
        return
    if config is not None and short:
        words = [*facts, log_fact("The last run names the setting", *config)]
        yield _finding(workload, pod, "config_invalid", 0.8, "ends at start: its configuration is wrong", words)
    if trace is not None and not short:
        words = [*facts, log_fact("The last run ends in a stack trace", *trace)]
        why = f"ends with exit code {code} after an exception nobody handled"
        yield _finding(workload, pod, "unhandled_exception", 0.75, why, words)
    elif config is None:
        words = [*facts, *(log_fact("The last words before the end", *tail[-1]) for _ in tail[-1:])]
        if trace is not None:
            words.append(log_fact("The last run ends in a stack trace", *trace))
        fault = "crash_on_start" if short else "unhandled_exception"
        why = f"ends with exit code {code} {'soon after each start' if short else 'while running'}"
        yield _finding(workload, pod, fault, 0.7 if short else 0.5, why, words)


def _signalled(workload: Workload, pod: Pod, container: Container, facts: list[Fact]) -> Iterator[Finding]:
    """An end by a signal from outside: no crash of its own making, least of all where a probe may have sent it."""
    probed = any(kind in container.spec for kind in ("livenessProbe", "startupProbe"))
    why = f"is ended by a signal again and again (exit code {text(container.terminated[0], 'exitCode')})"
    yield _finding(workload, pod, "crash_on_start", 0.25 if probed else 0.5, why, facts)


def _given_up(cluster: Cluster, pod: Pod) -> bool:
    """Whether the pod's Job has failed for good, which says more than one pod's end."""
    owner = cluster.owner_of(pod.ref)
    job = cluster.get(owner) if owner is not None and owner.kind == "Job" else None
    return job is not None and failure(job.value) is not None


def _stale(case: CaseFile, container: Container) -> bool:
    """Whether the container has run since long before the incident, ready or not: its last end is history."""
    started = container.started
    return started is not None and started < case.window.start - _OLD


def _killed(cluster: Cluster, pod: Pod, code: int) -> bool:
    """Whether a probe ended it: the kubelet says so, or liveness fails and the end is one that follows a signal.

    A process may turn the signal into any exit code of its own, so the code alone decides nothing.
    """
    if any("probe" in message(event.value) for event in cluster.events(pod.ref, "Killing")):
        return True
    failing = [event for event in cluster.events(pod.ref, "Unhealthy") if _KILLING.search(message(event.value))]
    times = sum(number(event.value, "count") or 1 for event in failing)
    return bool(failing) and (code in (137, 143) or times >= 3)


def _handed_over(cluster: Cluster, workload: Workload) -> bool:
    """Whether an Argo Rollout runs the Deployment's pods in its place, and therefore scaled it down."""
    return any(
        text(seen.value, "spec", "workloadRef", "kind") == workload.ref.kind
        and text(seen.value, "spec", "workloadRef", "name") == workload.ref.name
        for seen in cluster.objects("Rollout", workload.ref.namespace)
    )


def _scaled_to_zero(cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    if workload.ref.kind not in ("Deployment", "StatefulSet") or workload.desired != 0 or workload.seen is None:
        return
    if _handed_over(cluster, workload):
        return
    services = [
        seen
        for seen in cluster.objects("Service", workload.ref.namespace)
        if selects(labels(seen.value, "spec", "selector"), workload.labels)
    ]
    names = {ref_of(seen.value) for seen in services}
    callers = [item for item in addresses(cluster) if item.service in names and item.workload.ref != workload.ref]
    scaling = [event for event in cluster.events(workload.ref, "ScalingReplicaSet") if "to 0" in message(event.value)]
    facts = [
        fact(
            f"{workload.ref} is meant to have no replicas", workload.seen, ("spec", "replicas"), ("status", "replicas")
        )
    ]
    facts += [fact(f"{ref_of(seen.value)} selects its pods", seen, ("spec", "selector")) for seen in services[:1]]
    facts += [item.fact() for item in callers[:2]]
    facts += [event_fact(event) for event in scaling[:1]]
    yield Finding(
        analyzer=_ANALYZER,
        fault="deployment_zero_replicas",
        object=workload.ref,
        strength=0.95 if services and callers else 0.85 if services else 0.4,
        statement=f"{workload.ref} is scaled to 0 although it is needed.",
        facts=tuple(facts),
        onset=event_time(scaling[0].value) if scaling else None,
        distinguish="who scaled it down and when: the audit log, or the Deployment's managed fields",
    )
