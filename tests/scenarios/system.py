"""A running system to put a fault into: services, their pods, requests, resources and everyday log lines.

``System`` is a ``Frozen`` that already lives: ``serve`` adds a service with its objects, its request and resource
metrics in one of the conventions people use, and the lines it writes on a good day. A scenario then says what differs:
levels that jump, log lines that appear, changes that were made. Everything healthy around it is noise on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.frozen import Frozen, Level


def jump(before: float, after: float, minutes_ago: float, until: float = 0.0) -> Callable[[float], float]:
    """``before``, then ``after`` from so many minutes ago (until ``until`` minutes ago)."""
    return lambda t: after if -minutes_ago <= t and (not until or t < -until) else before


def ramp(before: float, after: float, minutes_ago: float) -> Callable[[float], float]:
    """``before`` until so many minutes ago, then in a line to ``after`` now."""
    return lambda t: before if t < -minutes_ago else before + (after - before) * (1 + t / minutes_ago)


def level_at(level: Level, t: float) -> float:
    """The level at a moment in minutes (negative: before now)."""
    return level(t) if callable(level) else level


def product(*levels: Level) -> Callable[[float], float]:
    """The product of levels."""

    def multiply(t: float) -> float:
        found = 1.0
        for level in levels:
            found *= level_at(level, t)
        return found

    return multiply


_LINES = (
    "INFO request completed method=GET route=/v1/items status=200 duration_ms=23",
    "INFO request completed method=POST route=/v1/items status=201 duration_ms=41",
    "INFO health check ok",
    "DEBUG refreshed settings, nothing new",
    "INFO request completed method=GET route=/v1/items/77 status=200 duration_ms=12",
)


@dataclass
class System(Frozen):
    """A ``Frozen`` whose services live. ``style`` is the convention of the request metrics: otel, istio, spring, go,
    quantile or "" for none."""

    style: str = "otel"
    step: float = 30.0
    resources: bool = True
    """Whether cAdvisor's metrics are there."""

    def serve(
        self,
        name: str,
        *,
        rate: Level = 20.0,
        seconds: Level = 0.04,
        errors: Level = 0.0,
        cpu: Level = 0.15,
        memory: Level = 1.8e8,
        replicas: int = 2,
        node: str = "",
        image: str = "",
        env: dict[str, str] | None = None,
        code: str = "500",
        talks: bool = True,
        stateful: bool = False,
        port: int = 8080,
        resources: dict[str, Any] | None = None,
        style: str | None = None,
        caller: str = "",
    ) -> "System":
        """A service: ``rate`` requests a second of all pods, ``seconds`` each, ``errors`` the failing share, ``cpu``
        cores and ``memory`` bytes of one pod. ``talks`` False: it writes no everyday lines."""
        pods = [self.pod(name, place, stateful=stateful) for place in range(replicas)]
        if self.objects is not None:
            item = k8s.container(
                name, image or f"registry.test/{name}:1.8.{len(name)}", env=env, port=port, resources=resources
            )
            self._objects(name, pods, node, item, stateful=stateful)
        if self.resources:
            for pod in pods:
                given = {"namespace": self.namespace, "pod": pod, "container": name}
                self.counter("container_cpu_usage_seconds_total", cpu, **given)
                self.gauge("container_memory_working_set_bytes", memory, **given)
        self._requests(
            name, self.style if style is None else style, rate, seconds, errors=errors, code=code, caller=caller
        )
        if talks:
            lines = [_LINES[(place + len(name)) % len(_LINES)] for place in range(int(self.hours * 60))]
            self.log(pods[0], name, *lines, minutes_ago=self.hours * 60, every_seconds=60)
        return self

    def pod(self, name: str, place: int = 0, *, stateful: bool = False) -> str:
        """The name of a service's pod."""
        return f"{name}-{place}" if stateful else f"{name}-6f7d9c8b54-{_tail(name, place)}"

    def _objects(self, name: str, pods: list[str], node: str, item: dict[str, Any], *, stateful: bool) -> None:
        owner = k8s.deployment(name, self.namespace, template=k8s.pod_template(name, [item]), replicas=len(pods))
        if stateful:
            owner |= {"kind": "StatefulSet"}
            owner["metadata"] = k8s.metadata("StatefulSet", name, self.namespace, labels={"app": name})
            parent = owner
            self.add(owner)
        else:
            parent = k8s.replica_set(owner, "6f7d9c8b54", revision=1, replicas=len(pods))
            self.add(owner, parent)
        for place, pod in enumerate(pods):
            found = k8s.pod(pod, self.namespace, owner=parent, node_name=node or f"worker-{1 + place % 3}")
            found["status"]["podIP"] = f"10.1.{place}.{len(self.objects or ()) % 250}"
            self.add(found)
        port = item["ports"][0]["containerPort"]
        self.add(k8s.service(name, self.namespace, port=port, target_port=port))
        self.add(
            k8s.endpoints(name, self.namespace, addresses=[f"10.1.0.{p + 3}" for p in range(len(pods))], port=port)
        )

    def nodes(self, *names: str) -> "System":
        """Healthy nodes."""
        self.add(*(k8s.node(name) for name in names or ("worker-1", "worker-2", "worker-3")))
        return self

    def _requests(
        self, name: str, style: str, rate: Level, seconds: Level, *, errors: Level, code: str, caller: str
    ) -> None:
        good = product(rate, lambda t: 1 - level_at(errors, t))
        bad = product(rate, errors)
        if style == "quantile":
            given = {"namespace": self.namespace, "workload": name}
            self.gauge("workload:request_duration_milliseconds:p50", product(seconds, 700.0), **given)
            self.gauge("workload:request_duration_milliseconds:p95", product(seconds, 2600.0), **given)
        elif style:
            metric, unit, labels, status = _conventions(style, name, self.namespace, caller)
            for value, level in (("200", good), (code, bad)):
                if value == code and not callable(errors) and not errors:
                    continue
                given = {**labels, status: value}
                self.counter(f"{metric}_sum", product(level, seconds, unit), **given)
                self.counter(f"{metric}_count", level, **given)
                if style == "istio":
                    self.counter("istio_requests_total", level, **given)


def _conventions(style: str, name: str, namespace: str, caller: str) -> tuple[str, float, dict[str, str], str]:
    if style == "otel":
        labels = {"service_name": name, "service_namespace": namespace, "http_request_method": "GET"}
        return "http_server_request_duration_seconds", 1.0, labels, "http_response_status_code"
    if style == "spring":
        labels = {"application": name, "namespace": namespace, "uri": "/v1/items", "method": "GET"}
        return "http_server_requests_seconds", 1.0, labels, "status"
    if style == "go":
        return "http_request_duration_seconds", 1.0, {"service": name, "namespace": namespace}, "code"
    assert style == "istio", style
    labels = {
        "destination_workload": name,
        "destination_workload_namespace": namespace,
        "source_workload": caller or "gateway",
        "reporter": "destination",
    }
    return "istio_request_duration_milliseconds", 1000.0, labels, "response_code"


def _tail(name: str, place: int) -> str:
    letters = "bcdfghjklmnpqrstvwxz2456789"
    code = sum(ord(letter) * (position + 3) for position, letter in enumerate(name)) + 101 * place
    return "".join(letters[(code // 27**digit + digit * 5 + place) % 27] for digit in range(5))
