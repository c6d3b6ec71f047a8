"""The ways in which one part of a shop breaks: each sets the ``Trouble`` and says what a right answer names.

``on`` is 0 before the onset and 1 since, with the fault's own rise between them. Sizes are drawn so that users feel
them, from just visible to severe.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.scenarios.simulated.shop import Floats, Shop, Trouble

Fault = Callable[["Draw"], "Truth"]


@dataclass(frozen=True, slots=True)
class Draw:
    """What a fault is made of: randomness, the shop, the service hit, when, and the trouble to fill."""

    chance: np.random.Generator
    shop: Shop
    at: int
    on: Floats
    trouble: Trouble
    elapsed: Floats
    """Seconds since the onset; 0 before."""

    @property
    def name(self) -> str:
        """The name of the service hit."""
        return self.shop.services[self.at].name

    def size(self, least: float, most: float) -> float:
        """A size between the two, even on a logarithmic scale."""
        return float(np.exp(self.chance.uniform(np.log(least), np.log(most))))


@dataclass(frozen=True, slots=True)
class Truth:
    """Fault types and object names that are right; both empty where nothing is guilty."""

    faults: tuple[str, ...]
    objects: tuple[str, ...]
    unseen: "Truth | None" = None
    """What is right where nothing is measured about nodes."""


def cpu_stress(draw: Draw) -> Truth:
    """Something in the pods burns CPU up to the limit and beyond."""
    limit = draw.shop.services[draw.at].limit
    draw.trouble.burn[draw.at] += draw.on * limit * draw.size(0.7, 1.5)
    return Truth(("pod_cpu_overload",), (draw.name,))


def cpu_limit(draw: Draw) -> Truth:
    """The CPU limit was lowered below what the requests need."""
    item = draw.shop.services[draw.at]
    draw.trouble.limit[draw.at] = 1 - draw.on * 0.92
    draw.trouble.burn[draw.at] += draw.on * 0.05 * item.limit
    return Truth(("pod_cpu_throttled", "pod_cpu_overload"), (draw.name,))


def memory_stress(draw: Draw) -> Truth:
    """Memory fills within a minute and paging slows the service."""
    item = draw.shop.services[draw.at]
    draw.trouble.memory[draw.at] += draw.on * item.memory * draw.size(0.8, 5)
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.01, 0.1)
    draw.trouble.disk[draw.at] += draw.on * 0.1
    return Truth(("memory_leak", "oom_killed", "gc_pressure"), (draw.name,))


def memory_leak(draw: Draw) -> Truth:
    """Memory grows with every request; collections take ever more time."""
    item = draw.shop.services[draw.at]
    share = draw.elapsed / max(float(draw.elapsed[-1]), 1.0)
    draw.trouble.memory[draw.at] += item.memory * draw.size(2, 6) * share
    draw.trouble.wait[draw.at] += draw.size(0.02, 0.2) * share**2
    return Truth(("memory_leak", "gc_pressure"), (draw.name,))


def network_delay(draw: Draw) -> Truth:
    """Every packet of the pods is late."""
    draw.trouble.delay[draw.at] += draw.on * draw.size(0.05, 2)
    return Truth(("pod_network_delay",), (draw.name,))


def network_loss(draw: Draw) -> Truth:
    """A share of the pods' packets is lost."""
    draw.trouble.loss[draw.at] += draw.on * draw.size(0.08, 0.4)
    return Truth(("pod_network_loss", "pod_network_delay"), (draw.name,))


def disk_busy(draw: Draw) -> Truth:
    """Something writes as fast as the disk takes it."""
    draw.trouble.disk[draw.at] += draw.on * 0.97
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.03, 0.5)
    return Truth(("pod_disk_io_saturation",), (draw.name,))


def descriptors(draw: Draw) -> Truth:
    """Sockets and files are opened and not closed until none is left."""
    rise = np.minimum(draw.elapsed / 90.0, 1.0)
    draw.trouble.descriptors[draw.at] += rise * draw.size(400, 4000)
    draw.trouble.errors[draw.at] += 0.6 * (rise >= 1)
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.005, 0.05)
    return Truth(("file_descriptors_exhausted",), (draw.name,))


def threads(draw: Draw) -> Truth:
    """All worker threads hang."""
    draw.trouble.threads[draw.at] += draw.on * 400
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.3, 4)
    return Truth(("thread_pool_exhausted", "deadlock", "lock_contention"), (draw.name,))


def pool(draw: Draw) -> Truth:
    """Connections of the pool are taken and not given back."""
    draw.trouble.held[draw.at] += draw.on * draw.shop.services[draw.at].pool * 1.5
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.3, 3)
    return Truth(("connection_pool_exhausted", "db_connection_exhaustion"), (draw.name,))


def garbage(draw: Draw) -> Truth:
    """Collections take a large part of the time."""
    item = draw.shop.services[draw.at]
    draw.trouble.gc[draw.at] += draw.on * draw.size(0.3, 0.7)
    draw.trouble.burn[draw.at] += draw.on * item.limit * 0.3
    draw.trouble.memory[draw.at] += draw.on * item.memory * 0.6
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.05, 0.4)
    return Truth(("gc_pressure",), (draw.name,))


def slow_code(draw: Draw) -> Truth:
    """A lock or a slow query: requests take longer inside, without use of anything."""
    draw.trouble.wait[draw.at] += draw.on * draw.size(0.1, 3)
    wrong = ("lock_contention", "slow_query", "pod_network_delay", "db_lock_contention", "deadlock")
    return Truth(wrong, (draw.name,))


def failing_code(draw: Draw) -> Truth:
    """A share of the requests fails inside."""
    draw.trouble.errors[draw.at] += draw.on * draw.size(0.08, 0.9)
    return Truth(("unhandled_exception",), (draw.name,))


def broken_off(draw: Draw) -> Truth:
    """Requests fail before they call on."""
    share = draw.size(0.6, 0.97)
    draw.trouble.errors[draw.at] += draw.on * share
    draw.trouble.calls[draw.at] *= 1 - draw.on * share
    return Truth(("unhandled_exception",), (draw.name,))


def many_queries(draw: Draw) -> Truth:
    """One callee is called many times a request."""
    callee = int(draw.chance.choice(draw.shop.callees(draw.at)))
    draw.trouble.calls[draw.at, callee] *= 1 + draw.on * draw.size(8, 30)
    return Truth(("n_plus_one_queries", "cache_stampede", "retry_storm"), (draw.name,))


def surge(draw: Draw) -> Truth:
    """Many more users, or one client that asks without end."""
    draw.trouble.load *= 1 + draw.on * draw.size(1.5, 6)
    return Truth(("traffic_surge", "client_abuse"), (draw.shop.services[0].name,))


def loud_neighbour(draw: Draw) -> Truth:
    """A workload outside the shop fills the node on which the service runs; everything there slows down."""
    node = draw.shop.services[draw.at].node
    for place, item in enumerate(draw.shop.services):
        if item.node == node:
            draw.trouble.wait[place] += draw.on * item.seconds * draw.size(3, 15)
    draw.trouble.loud[node] = 0.75 * draw.on
    return Truth(("noisy_neighbor", "batch_job_contention"), ("nightly-report", f"node-{node}"), _suffering(draw, node))


def _suffering(draw: Draw, node: int) -> Truth:
    names = tuple(item.name for item in draw.shop.services if item.node == node)
    return Truth(("pod_network_delay", "noisy_neighbor", "slow_query", "lock_contention"), names)


def node_delay(draw: Draw) -> Truth:
    """Packets of everything on one node are late."""
    node = draw.shop.services[draw.at].node
    late = draw.size(0.1, 1)
    for place, item in enumerate(draw.shop.services):
        if item.node == node:
            draw.trouble.delay[place] += draw.on * late
    return Truth(("node_network_delay",), (f"node-{node}",), _suffering(draw, node))


def nothing(_: Draw) -> Truth:
    """Noise only."""
    return Truth((), ())


def mild_load(draw: Draw) -> Truth:
    """Half as many requests again, which the shop bears."""
    draw.trouble.load *= 1 + draw.on * draw.size(0.2, 0.5)
    return Truth((), ())


FAULTS: dict[str, Fault] = {
    item.__name__: item
    for item in (
        cpu_stress, cpu_limit, memory_stress, memory_leak, network_delay, network_loss, disk_busy, descriptors, threads,
        pool, garbage, slow_code, failing_code, broken_off, many_queries, surge, loud_neighbour, node_delay, nothing,
        mild_load,
    )
}  # fmt: skip
GRADUAL = frozenset({"memory_leak"})
FAULTLESS = frozenset({"nothing", "mild_load"})
