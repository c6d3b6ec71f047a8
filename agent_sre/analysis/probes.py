"""Probes: a healthy process that its own probe declares sick.

A probe is set against what the container serves: its declared ports, the port it is told to listen on, the ports that
Services send to it, and its other probes. The kubelet's words tell a refused connection from a protocol it does not
speak. Only a probe that fails now counts: the pod is not ready (readiness), or it was killed and restarted (liveness,
startup). A probe that fails although port and protocol are right is a symptom, unless its timing leaves no room.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, event_time, fact, log_fact, message
from agent_sre.analysis.kubernetes.logs import last_match
from agent_sre.analysis.kubernetes.pods import Container, Pod
from agent_sre.analysis.kubernetes.reading import Path, dig, instant, mapping, number, text
from agent_sre.analysis.kubernetes.serving import Served, served_by
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding

_ANALYZER = "probes"
_KINDS = {"livenessProbe": "Liveness", "readinessProbe": "Readiness", "startupProbe": "Startup"}
_FAULTS = {
    ("livenessProbe", "port"): "liveness_probe_incorrect_port",
    ("livenessProbe", "protocol"): "liveness_probe_incorrect_protocol",
    ("livenessProbe", "timing"): "liveness_probe_incorrect_timing",
    ("readinessProbe", "port"): "readiness_probe_incorrect_port",
    ("readinessProbe", "protocol"): "readiness_probe_incorrect_protocol",
    ("startupProbe", "timing"): "startup_probe_too_short",
    ("startupProbe", "port"): "startup_probe_too_short",
}
_WRONG_PROTOCOL = re.compile(
    r"malformed HTTP|server gave HTTP response to HTTPS|first record does not look like a TLS|http2: "
    r"|reading server preface"
    r"|does not implement the grpc health|Unimplemented|HTTP/1\.x transport connection broken|unexpected EOF|EOF$"
    r"|frame too large|tls: |x509: |connection reset by peer", re.I
)  # fmt: skip
_CERTAIN_PROTOCOL = re.compile(
    r"malformed HTTP|server gave HTTP response to HTTPS|first record does not look like a TLS|reading server preface"
    r"|does not implement the grpc health|HTTP/1\.x transport connection broken", re.I
)  # fmt: skip
_NO_CONNECTION = re.compile(r"connection refused|failed to connect|dial tcp|no route to host|i/o timeout", re.I)
_TOO_SLOW = re.compile(r"context deadline exceeded|Client\.Timeout|timed? ?out|did not complete within", re.I)
_PLAIN_TO_TLS = re.compile(
    r"HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS|TLS handshake error", re.I
)
_STATUS_400 = re.compile(r"statuscode: 400\b")
_ASKED_BY_COMMAND = re.compile(r"(?:-addr[= ]|-p |--port[= ]|://)[\w.\[\]-]*?:?(\d{2,5})\b")
_JITTER = 5
"""Seconds that a kubelet may be late with a probe and with the end of a container."""
_REWRITTEN = "/app-health/"
"""A mesh rewrites probes to its own port; what the author wrote is in the workload's template."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One probe of one container of one pod, with what speaks about it. ``seen`` and ``path`` show the probe."""

    workload: Workload
    pod: Pod
    container: Container
    kind: str
    probe: Mapping[str, Any]
    seen: Seen[K8sObject]
    path: Path
    served: Served
    failures: tuple[Seen[K8sObject], ...]
    served_elsewhere: bool = False
    """Whether its other probes do not fail."""

    @property
    def handler(self) -> str:
        """``httpGet``, ``grpc``, ``tcpSocket`` or ``exec``."""
        return next((name for name in ("httpGet", "grpc", "tcpSocket", "exec") if name in self.probe), "")

    @property
    def port(self) -> int | str:
        """The port it asks, resolved where it is a name that the container declares; 0 where there is none."""
        raw = self.probe.get(self.handler)
        if self.handler == "exec":
            asked = _ASKED_BY_COMMAND.search(" ".join(map(str, dig(raw, "command", default=()))))
            return int(asked[1]) if asked else 0
        value = raw.get("port") if isinstance(raw, Mapping) else None
        if isinstance(value, str) and not value.isdecimal():
            return self.served.named.get(value, value)
        return int(value) if isinstance(value, int | str) else 0

    @property
    def words(self) -> str:
        """What the kubelet said of its failures, the latest first."""
        return "\n".join(message(event.value) for event in self.failures)


def analyze_probes(case: CaseFile) -> Iterator[Finding]:
    """One finding for each probe of a workload that fails for a reason of its own."""
    cluster = cluster_of(case)
    for workload in cluster.in_scope():
        done: set[str] = set()
        for trial in _trials(cluster, workload):
            if not _hurts(cluster, trial):
                continue
            finding = _judged(case, cluster, trial)
            if finding is not None and finding.fault not in done:
                done.add(finding.fault)
                yield finding


def _trials(cluster: Cluster, workload: Workload) -> Iterator[Trial]:
    templates = {item.name: item for item in workload.containers if not item.init}
    for pod in workload.current_pods:
        unhealthy = cluster.events(pod.ref, "Unhealthy")
        for container in pod.containers:
            if container.init or pod.done:
                continue
            template = templates.get(container.name)
            for kind, word in _KINDS.items():
                written = _written(workload, pod, container, template, kind)
                if written is None:
                    continue
                seen, path, probe = written
                said = tuple(event for event in unhealthy if f"{word} probe" in message(event.value))
                served = served_by(cluster, workload, template or container)
                complained = {text(event.value, "message").partition(" probe")[0] for event in unhealthy}
                alone = complained <= {word}
                yield Trial(workload, pod, container, kind, probe, seen, path, served, said, alone)


def _written(
    workload: Workload, pod: Pod, container: Container, template: Container | None, kind: str
) -> tuple[Seen[K8sObject], Path, Mapping[str, Any]] | None:
    """The probe as its author wrote it: in the template, else in the pod unless a mesh rewrote it there."""
    if template is not None and workload.spec_source is not None and mapping(template.spec, kind):
        return workload.spec_source[0], (*template.spec_path, kind), mapping(template.spec, kind)
    probe = mapping(container.spec, kind)
    if not probe or _REWRITTEN in text(probe, "httpGet", "path"):
        return None
    return pod.seen, (*container.spec_path, kind), probe


def _hurts(cluster: Cluster, trial: Trial) -> bool:
    """Whether its failing matters now: not ready by readiness, or killed by liveness or startup."""
    if trial.kind == "readinessProbe":
        return not trial.pod.ready and not trial.container.waiting
    code = number(trial.container.terminated[0], "exitCode")
    killing = _killing(cluster, trial)
    signalled = code in (137, 143) or _lived_as_long_as_probed(trial)
    killed = trial.container.restarts > 0 and (bool(killing) or bool(trial.failures) or signalled)
    return killed or (bool(trial.failures) and _count(trial) >= 3)


def _killing(cluster: Cluster, trial: Trial) -> list[Seen[K8sObject]]:
    """The kubelet's events that this probe (or a probe that it does not name) ended this container."""
    word = _KINDS[trial.kind].lower()
    told = [(event, message(event.value)) for event in cluster.events(trial.pod.ref, "Killing")]
    return [
        event
        for event, words in told
        if "probe" in words
        and (f"{word} probe" in words or not any(f"{kind.lower()} probe" in words for kind in _KINDS.values()))
        and (trial.container.name in words.split() or len(trial.pod.containers) == 1)
    ]


def _count(trial: Trial) -> int:
    return sum(number(event.value, "count") or 1 for event in trial.failures)


def _judged(case: CaseFile, cluster: Cluster, trial: Trial) -> Finding | None:
    if not trial.handler:
        return None
    if trial.handler == "exec" and not trial.port:
        return _timing(cluster, trial)
    if trial.failures and _STATUS_400.search(trial.words):
        refused = last_match(case, trial.workload, _PLAIN_TO_TLS, trial.container.name)
        if refused is not None:
            why = f"speaks plain HTTP to port {trial.port}, which is served with TLS"
            return _finding(trial, "protocol", 0.95, why, log_fact("Its log says what came in", *refused))
    beside = _refused_beside(trial)
    wrong_port = _wrong_port(trial) or beside
    mismatch = _protocol_mismatch(trial)
    if wrong_port and not (mismatch and trial.port in trial.served.asked):
        if trial.failures and not _NO_CONNECTION.search(trial.words) and not _TOO_SLOW.search(trial.words):
            return _finding(trial, "port", 0.6, f"asks port {trial.port}, which the container does not serve")
        strength = 0.8 if beside or not trial.failures else 0.96
        return _finding(trial, "port", strength, f"asks port {trial.port}, which the container does not serve")
    if mismatch:
        strength = 0.96 if _WRONG_PROTOCOL.search(trial.words) else 0.85 if trial.failures else 0.6
        return _finding(trial, "protocol", strength, mismatch)
    if trial.failures and _WRONG_PROTOCOL.search(trial.words):
        strength = 0.95 if _CERTAIN_PROTOCOL.search(trial.words) else 0.85
        return _finding(trial, "protocol", strength, f"speaks {trial.handler} to a port that answers otherwise")
    return _timing(cluster, trial)


def _refused_beside(trial: Trial) -> bool:
    """Whether a declared port refuses the probe while the container serves another port to another probe."""
    if not isinstance(trial.port, int) or "connection refused" not in trial.words:
        return False
    others = [kind for kind in _KINDS if kind != trial.kind and mapping(trial.container.spec, kind)]
    asked = {port for kind in others for port in _ports_of(mapping(trial.container.spec, kind), trial.served)}
    return trial.served_elsewhere and bool(asked) and trial.port not in asked


def _ports_of(probe: Mapping[str, Any], served: Served) -> set[int]:
    found = [dig(probe, handler, "port") for handler in ("httpGet", "grpc", "tcpSocket")]
    named = [served.named.get(port, port) if isinstance(port, str) else port for port in found]
    return {port for port in named if isinstance(port, int)}


def _wrong_port(trial: Trial) -> bool:
    if isinstance(trial.port, str):
        return True  # a name that no port of the container has
    ports = trial.served.ports
    if not ports and not trial.failures and trial.kind == "livenessProbe":
        ports = trial.served.asked | _ports_of(mapping(trial.container.spec, "readinessProbe"), trial.served)
    return bool(ports) and trial.port not in ports


def _protocol_mismatch(trial: Trial) -> str:
    """Words for a handler that contradicts what is known of the port, or "" where nothing does."""
    if not isinstance(trial.port, int) or trial.handler not in ("httpGet", "grpc"):
        return ""
    spoken = trial.served.protocols(trial.port, except_path=trial.path)
    ours = {"httpGet": "http", "grpc": "grpc"}[trial.handler]
    if not spoken or ours in spoken:
        return ""
    return f"speaks {trial.handler} to port {trial.port}, which is served as {' and '.join(sorted(spoken))}"


def _timing(cluster: Cluster, trial: Trial) -> Finding | None:
    """A probe on the right port and protocol that leaves the container no time, while it does start in the end."""
    killing = _killing(cluster, trial)
    by_clock = not (trial.failures or killing) and _ended_by_signal(trial) and _lived_as_long_as_probed(trial)
    if trial.kind == "readinessProbe" or trial.container.restarts == 0 or not (trial.failures or killing or by_clock):
        return None
    if not killing and number(trial.container.terminated[0], "exitCode") not in (137, 143):
        return None  # it ended by itself, and the probe failed because of that
    delay = number(trial.probe, "initialDelaySeconds") or 0
    period = number(trial.probe, "periodSeconds") or 10
    threshold = number(trial.probe, "failureThreshold") or 3
    timeout = number(trial.probe, "timeoutSeconds") or 1
    grace, lived = delay + period * threshold, _lived(trial)
    died_early = lived is None or lived <= timedelta(seconds=grace + 35)
    if trial.kind == "startupProbe":
        why = "gives up before the container has started"
        return _finding(trial, "timing", 0.93 if killing and died_early else 0.7, why, *map(event_fact, killing[:1]))
    slow = timeout <= 2 and bool(_TOO_SLOW.search(trial.words)) and threshold <= 2
    hasty = grace <= 15 or (threshold == 1 and timeout <= 1) or (delay <= 3 and period * threshold <= 15) or slow
    never_up = bool(killing) and died_early and grace <= 30 and "connection refused" in trial.words
    if not (hasty or never_up) or not (trial.failures or by_clock):
        return None
    why = "starts too early or gives up too soon for the container to come up"
    if slow and not died_early:
        why = "waits too short for an answer and forgives too little"
    certain = hasty and (died_early or slow)  # else it may as well hang before it listens
    return _finding(trial, "timing", 0.88 if certain else 0.7, why)


def _ended_by_signal(trial: Trial) -> bool:
    """Whether somebody ended the last run from outside, and not for its memory."""
    ended = trial.container.terminated[0]
    return number(ended, "exitCode") in (137, 143) and text(ended, "reason") != "OOMKilled"


def _lived_as_long_as_probed(trial: Trial) -> bool:
    """Whether the last run took as long as this probe takes to give up, and ended in failure again and again.

    A process turns the signal into an exit code of its own; where the kubelet's words are gone, its clock still tells.
    """
    lived, code = _lived(trial), number(trial.container.terminated[0], "exitCode")
    if lived is None or not code or trial.container.restarts < 2:
        return False
    delay = number(trial.probe, "initialDelaySeconds") or 0
    period = number(trial.probe, "periodSeconds") or 10
    threshold = number(trial.probe, "failureThreshold") or 3
    stopping = number(trial.pod.seen.value, "spec", "terminationGracePeriodSeconds") or 30
    first, last = delay + period * (threshold - 1), delay + period * threshold + _JITTER
    seconds = lived.total_seconds()
    return first <= seconds <= last or first + stopping <= seconds <= last + stopping


def _lived(trial: Trial) -> timedelta | None:
    ended, path = trial.container.terminated
    begun, over = instant(ended, "startedAt"), instant(ended, "finishedAt")
    return over - begun if path and begun and over else None


def _finding(trial: Trial, what: str, strength: float, why: str, *more: Fact) -> Finding | None:
    fault = _FAULTS.get((trial.kind, what))
    if fault is None:
        return None
    facts: list[Fact] = [fact(f"The {trial.kind} of {trial.container.name} as it is written", trial.seen, trial.path)]
    facts += [event_fact(event) for event in trial.failures[:1]]
    facts += more
    facts += [item for item in trial.served.facts if item not in facts]
    path = trial.container.terminated[1]
    if path and trial.kind != "readinessProbe":
        status: Path = (*trial.container.status_path, "restartCount")
        facts.append(
            fact(f"{trial.container.name} of {trial.pod.ref} was ended and restarted", trial.pod.seen, path, status)
        )
    if trial.kind == "readinessProbe" and trial.container.status_path:
        facts.append(fact(f"{trial.pod.ref} is not ready", trial.pod.seen, (*trial.container.status_path, "ready")))
    first = [moment for event in trial.failures if (moment := event_time(event.value))]
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=trial.workload.ref,
        strength=strength,
        statement=f"{trial.workload.ref} fails its own {trial.kind}: it {why}.",
        facts=tuple(facts),
        onset=trial.pod.created or min(first, default=None),
        distinguish=f"ask the container's port from inside {trial.pod.ref.name} with the probe's protocol",
    )
