"""The shop's metrics: what Prometheus would hold, made tick by tick from the state of the services.

Counters only ever grow and gauges wobble around plausible values; the wobble comes from a hash of time and series, so
two runs at the same times give the same numbers.
"""

import hashlib
import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent_sre.domain.telemetry import Series

NAMESPACE = "shop"
TICK = 5.0
"""Seconds between samples: the shop's scrape interval."""

CALLS: tuple[tuple[str, str, float], ...] = (
    ("ingress", "web", 42.0),
    ("web", "catalog", 55.0),
    ("web", "cart", 18.0),
    ("web", "checkout", 9.0),
    ("checkout", "payments", 8.5),
    ("checkout", "shipping", 8.5),
    ("cart", "redis", 24.0),
)
"""Caller, callee and requests per second."""

BASE_P95_MS: Mapping[str, float] = {
    "web": 85.0,
    "catalog": 22.0,
    "cart": 14.0,
    "checkout": 60.0,
    "payments": 35.0,
    "shipping": 18.0,
    "redis": 2.0,
}
REQUESTS = "istio_requests_total"
_LABELS = {1: ("workload",), 2: ("pod", "container")}
"""The varying labels of all other metrics, by how many there are."""


def wobble(key: str, tick: int, size: float) -> float:
    """A repeatable value in -size..size."""
    digest = hashlib.blake2b(f"{key}/{tick}".encode(), digest_size=4).digest()
    return (int.from_bytes(digest, "big") / 0xFFFFFFFF * 2.0 - 1.0) * size


@dataclass(slots=True)
class _Line:
    name: str
    labels: Mapping[str, str]
    kind: str
    times: "array[float]" = field(default_factory=lambda: array("d"))
    values: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, time: float, value: float) -> None:
        self.times.append(time)
        self.values.append(value)

    def grow(self, time: float, step: float) -> None:
        self.add(time, (self.values[-1] if self.values else 0.0) + step)


class Traffic:
    """Metrics from ``start`` (seconds since the epoch) on.

    ``error_share(service, time)`` says how broken a service is, ``pods(service, time)`` which pods it has.
    """

    def __init__(
        self,
        start: float,
        error_share: Callable[[str, float], float],
        pods: Callable[[str, float], Sequence[str]],
    ) -> None:
        self._tick = math.floor(start / TICK)
        self._error_share = error_share
        self._pods = pods
        self._lines: dict[tuple[str, ...], _Line] = {}

    def series(self, until: float) -> tuple[Series, ...]:
        """Everything scraped up to ``until``."""
        while (self._tick + 1) * TICK <= until:
            self._tick += 1
            self._scrape(self._tick)
        return tuple(
            Series(line.name, line.labels, line.times, line.values, line.kind) for line in self._lines.values()
        )

    def _line(self, kind: str, name: str, *key: str) -> _Line:
        """The line of a metric and its varying labels' values, made when first asked for."""
        full = (name, *key)
        line = self._lines.get(full)
        if line is None:
            labels = _call_labels(*key) if name == REQUESTS else dict(zip(_LABELS[len(key)], key, strict=True))
            line = self._lines[full] = _Line(name, {"namespace": NAMESPACE, **labels}, kind)
        return line

    def _scrape(self, tick: int) -> None:
        time = tick * TICK
        for caller, callee, rate in CALLS:
            share = self._error_share(callee, time)
            count = rate * TICK * (1.0 + wobble(f"rate/{caller}/{callee}", tick, 0.08))
            self._line("counter", REQUESTS, caller, callee, "200").grow(time, count * (1.0 - share))
            self._line("counter", REQUESTS, caller, callee, "500").grow(time, count * share)
        for service, base in BASE_P95_MS.items():
            p95 = base * (1.0 + wobble(f"p95/{service}", tick, 0.06) + 0.5 * self._error_share(service, time))
            self._line("gauge", "workload:request_duration_milliseconds:p95", service).add(time, p95)
            for pod in self._pods(service, time):
                self._resources(pod, service, tick, time)

    def _resources(self, pod: str, container: str, tick: int, time: float) -> None:
        noise = wobble(pod, tick, 1.0)
        cpu = 0.12 * (1.0 + 0.1 * noise) * TICK
        self._line("counter", "container_cpu_usage_seconds_total", pod, container).grow(time, cpu)
        memory = 180e6 * (1.0 - 0.02 * noise)
        self._line("gauge", "container_memory_working_set_bytes", pod, container).add(time, memory)
        self._line("counter", "kube_pod_container_status_restarts_total", pod, container).grow(time, 0.0)


def _call_labels(caller: str, callee: str, code: str) -> dict[str, str]:
    return {
        "reporter": "destination",
        "source_workload": caller,
        "destination_workload": callee,
        "destination_workload_namespace": NAMESPACE,
        "destination_service_name": callee,
        "response_code": code,
    }
