"""What a site's metrics show of a shop's day: series under the names of common exporters, or of the site itself.

Each view is a function from the day to series, and a site has some of the views. Samples carry noise of their own
beside that of the shop: counts are Poisson, means wander with the number of requests behind them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Series
from tests.scenarios.simulated.shop import Day, Floats, Shop

NAMESPACE = "market"
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Site:
    """The shop, its day, when samples were taken, and the noise of the site."""

    chance: np.random.Generator
    shop: Shop
    day: Day
    times: Floats
    noise: float
    kept: Bools
    restart: int

    @property
    def step(self) -> float:
        """Seconds between samples."""
        return float(self.times[1] - self.times[0])

    def wander(self, values: Floats, noise: float = 0.0) -> Floats:
        """The values with relative noise in which neighbours are alike."""
        white = self.chance.normal(size=values.size)
        slow = np.convolve(self.chance.normal(size=values.size + 4), np.full(5, 0.45), mode="valid")
        return values * np.clip(1 + (noise or self.noise) * (0.8 * white + 0.6 * slow), 0.05, 3.0)

    def mean(self, seconds: Floats, load: Floats, spread: float = 0.5) -> Floats:
        """A mean or quantile of latency, the less certain the fewer requests there were."""
        few = spread / np.sqrt(np.maximum(load * self.step, 0.3))
        return self.wander(seconds) * np.exp(np.clip(few, 0, 0.7) * self.chance.normal(size=seconds.size))

    def count(self, rate: Floats) -> Floats:
        """Events in each step."""
        return self.chance.poisson(np.clip(rate, 0, None) * self.step).astype(float)

    def gauge(self, name: str, values: Floats, **labels: str) -> Series:
        """A series of levels, with gaps where the site has them."""
        return self._series(name, labels, values, "gauge")

    def counter(self, name: str, steps: Floats, **labels: str) -> Series:
        """A running total of increases; all begin again at zero together where the site has had a restart."""
        total = np.cumsum(steps)
        if self.restart:
            total[self.restart :] -= total[self.restart]
        return self._series(name, labels, total, "counter")

    def _series(self, name: str, labels: dict[str, str], values: Floats, kind: str) -> Series:
        pairs = zip(self.times[self.kept].tolist(), values[self.kept].tolist(), strict=True)
        return Series.of(name, labels, pairs, kind)


def site_of(chance: np.random.Generator, shop: Shop, day: Day, times: Floats, gaps: bool) -> Site:
    """A site of random noise; with ``gaps``, scrapes are missing here and there, and counters began anew once."""
    kept, restart = np.ones(times.size, bool), 0
    if gaps:
        kept = chance.random(times.size) > 0.03
        begin = int(chance.integers(times.size // 2))
        kept[begin : begin + 5] = False
        restart = int(chance.integers(times.size // 2))
    return Site(chance, shop, day, times, float(chance.uniform(0.02, 0.1)), kept, restart)


View = Callable[[Site], Iterator[Series]]


def _pods(site: Site, place: int) -> list[str]:
    name = site.shop.services[place].name
    return [
        f"{name}-7c9f6d5b8{'456789'[i]}-{'bcdfg'[i]}x2z{place % 10}" for i in range(site.shop.services[place].replicas)
    ]


def containers(site: Site) -> Iterator[Series]:
    """cAdvisor: CPU, throttling, memory, network, disk; and limits from kube-state-metrics."""
    for place, item in enumerate(site.shop.services):
        day = site.day
        for pod in _pods(site, place):
            pods = 1.0 / item.replicas
            labels = {"namespace": NAMESPACE, "pod": pod, "node": f"node-{item.node}"}
            inside = labels | {"container": "app"}
            yield site.counter(
                "container_cpu_usage_seconds_total", site.wander(day.cpu[place] * pods, 0.06) * site.step, **inside
            )
            yield site.counter(
                "container_cpu_cfs_throttled_seconds_total",
                site.wander(day.throttled[place] * pods, 0.2) * site.step,
                **inside,
            )
            yield site.gauge(
                "container_memory_working_set_bytes", site.wander(day.memory[place] * pods, 0.01), **inside
            )
            yield site.counter(
                "container_network_receive_bytes_total",
                site.wander(day.received[place] * pods, 0.08) * site.step,
                **labels,
            )
            yield site.counter(
                "container_network_transmit_bytes_total",
                site.wander(day.sent[place] * pods, 0.08) * site.step,
                **labels,
            )
            yield site.counter(
                "container_network_receive_packets_dropped_total", site.count(day.lost[place] * pods), **labels
            )
            yield site.counter(
                "container_fs_io_time_seconds_total", site.wander(day.disk[place] * pods, 0.2) * site.step, **inside
            )
            yield site.counter(
                "container_fs_writes_bytes_total", site.wander(day.disk[place] * pods * 6e7, 0.2) * site.step, **inside
            )
            yield site.gauge(
                "container_file_descriptors", np.round(site.wander(day.descriptors[place] * pods, 0.02)), **inside
            )
            yield site.gauge(
                "container_sockets", np.round(site.wander(day.descriptors[place] * pods * 0.7, 0.03)), **inside
            )
            full = np.full(site.times.size, item.memory * pods * 8)
            yield site.gauge("kube_pod_container_resource_limits", full, **inside, resource="memory")
            cores = np.full(site.times.size, item.limit * pods)
            yield site.gauge("kube_pod_container_resource_limits", cores, **inside, resource="cpu")


def mesh(site: Site) -> Iterator[Series]:
    """Istio: requests and durations of each call, from both sides."""
    day = site.day
    for callee, item in enumerate(site.shop.services):
        for caller in site.shop.callers(callee) or [-1]:
            load = day.edges[caller, callee] if caller >= 0 else day.load[callee]
            source = site.shop.services[caller].name if caller >= 0 else "unknown"
            for reporter, seconds in (("destination", day.inner[callee]), ("source", day.outer[callee])):
                labels = {
                    "reporter": reporter,
                    "source_workload": source,
                    "destination_workload": item.name,
                    "destination_workload_namespace": NAMESPACE,
                }
                failed, served = site.count(load * day.fails[callee]), site.count(load * (1 - day.fails[callee]))
                done = failed + served
                yield site.counter("istio_requests_total", served, **labels, response_code="200")
                yield site.counter("istio_requests_total", failed, **labels, response_code="500")
                spent = site.mean(1000 * (seconds + 0.1 * day.tail[callee]), load) * done
                yield site.counter("istio_request_duration_milliseconds_sum", spent, **labels)
                yield site.counter("istio_request_duration_milliseconds_count", done, **labels)


def site_gauges(site: Site) -> Iterator[Series]:
    """A site of its own: quantiles, failures and load of each service under names that only its catalogue knows."""
    day = site.day
    seconds = day.outer if site.noise > 0.06 else day.inner
    for place, item in enumerate(site.shop.services):
        labels = {"svc": item.name}
        yield site.gauge("app_latency_p50", site.mean(0.8 * seconds[place], day.load[place]), **labels)
        yield site.gauge(
            "app_latency_p90", site.mean(2 * seconds[place] + day.tail[place], day.load[place], 1.0), **labels
        )
        load = np.maximum(day.load[place], 1e-6)
        yield site.gauge(
            "app_error_ratio", np.clip(site.count(load * day.fails[place]) / (load * site.step), 0, 1), **labels
        )
        yield site.gauge("app_load", site.count(load) / site.step, **labels)


SITE_SIGNALS = (
    Signal("app_latency_p50", "latency", "seconds", {"svc": "workload"}),
    Signal("app_latency_p90", "latency", "seconds", {"svc": "workload"}),
    Signal("app_error_ratio", "errors", "ratio", {"svc": "workload"}),
    Signal("app_load", "traffic", "per_second", {"svc": "workload"}),
)


def availability(site: Site) -> Iterator[Series]:
    """Means, availability and counts a step, as tracing back ends keep them."""
    day = site.day
    for place, item in enumerate(site.shop.services):
        labels = {"service": item.name}
        load = np.maximum(day.load[place], 1e-6)
        yield site.gauge("trace_latency_avg", site.mean(day.inner[place] + 0.1 * day.tail[place], load), **labels)
        requests = site.count(load)
        yield site.gauge("trace_requests", requests, **labels)
        failed = np.minimum(site.count(load * day.fails[place]), requests)
        kept = requests > 0
        shown = np.where(kept, 100 * (1 - failed / np.maximum(requests, 1)), np.nan)
        yield site.gauge("trace_availability", shown, **labels)


AVAILABILITY_SIGNALS = (
    Signal("trace_latency_avg", "latency", "seconds", {"service": "workload"}),
    Signal("trace_requests", "traffic", "count_per_1_minutes", {"service": "workload"}),
    Signal("trace_availability", "availability", "percent", {"service": "workload"}),
)


def runtime(site: Site) -> Iterator[Series]:
    """Spring Boot and its JVM: request timers, collections, pool, threads, descriptors."""
    day = site.day
    for place, item in enumerate(site.shop.services):
        for pod in _pods(site, place):
            part = 1.0 / item.replicas
            labels = {"namespace": NAMESPACE, "application": item.name, "pod": pod}
            failed = site.count(day.load[place] * part * day.fails[place])
            served = site.count(day.load[place] * part * (1 - day.fails[place]))
            for status, done in (("200", served), ("500", failed)):
                spent = site.mean(day.inner[place], day.load[place]) * done
                yield site.counter("http_server_requests_seconds_count", done, **labels, status=status)
                yield site.counter("http_server_requests_seconds_sum", spent, **labels, status=status)
            yield site.counter("jvm_gc_pause_seconds_sum", site.wander(day.gc[place], 0.2) * site.step, **labels)
            yield site.gauge("hikaricp_connections_active", np.round(day.pool[place]), **labels)
            yield site.gauge("hikaricp_connections_max", np.full(site.times.size, item.pool), **labels)
            yield site.gauge("hikaricp_connections_pending", np.round(day.waiting[place]), **labels)
            busy = np.minimum(np.round(day.in_flight[place] * part + 2), 200)
            yield site.gauge("tomcat_threads_busy_threads", busy, **labels)
            yield site.gauge("tomcat_threads_config_max_threads", np.full(site.times.size, 200.0), **labels)


def nodes(site: Site) -> Iterator[Series]:
    """node-exporter: CPU and retransmissions of each node; and who else runs there."""
    day = site.day
    for node in range(site.shop.nodes):
        here = [place for place, item in enumerate(site.shop.services) if item.node == node]
        used = day.cpu[here].sum(axis=0) if here else np.zeros(site.times.size)
        loud = day.loud.get(node, np.zeros(site.times.size))
        size = max(4.0, 3 * float(used[: used.size // 2].max()))
        yield site.gauge(
            "instance:node_cpu_utilisation:rate5m",
            np.clip(site.wander(used / size + loud, 0.03), 0, 1),
            instance=f"node-{node}",
        )
        delayed = float(len(here) > 0) * (day.outer[here] - day.inner[here]).min(axis=0) if here else 0.0
        resent = site.count(0.2 + 8 * np.clip(delayed + np.zeros(site.times.size), 0, 1))
        yield site.counter("node_netstat_Tcp_RetransSegs", resent, instance=f"node-{node}")
        if float(np.max(loud, initial=0)) > 0:
            labels = {
                "namespace": NAMESPACE,
                "pod": "nightly-report-29000123-x7k2p",
                "container": "app",
                "node": f"node-{node}",
            }
            yield site.counter(
                "container_cpu_usage_seconds_total", site.wander(0.02 + loud * size, 0.05) * site.step, **labels
            )
