"""A shop of services that call each other, and the physics of it: load, queueing, waiting, failing, using things up.

Time runs along the second axis of every array, services along the first, in call order: a service calls later ones
only. Load goes down the graph, latency and failures come up it. Users wait for an answer before they ask again, so a
slow shop gets fewer requests. What goes wrong is in ``Trouble``, which is neutral where nothing does.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_THINK = 1.0
_TIMEOUT = 10.0
_RESEND = 0.25
_FULL = 0.97


@dataclass(frozen=True, slots=True)
class Service:
    """One service: seconds and CPU seconds of its own per request, its CPU limit in cores over all replicas."""

    name: str
    seconds: float
    cores: float
    limit: float
    replicas: int
    node: int
    memory: float
    descriptors: float
    pool: float
    bytes_in: float
    bytes_out: float
    disk: float


@dataclass(frozen=True, slots=True)
class Shop:
    """Services, calls per request from caller (row) to callee (column), requests a second at the entry, and nodes."""

    services: tuple[Service, ...]
    calls: Floats
    requests: float
    nodes: int
    retries: float

    def callers(self, place: int) -> list[int]:
        """Places of those that call it."""
        return [int(item) for item in np.flatnonzero(self.calls[:, place])]

    def callees(self, place: int) -> list[int]:
        """Places of those that it calls."""
        return [int(item) for item in np.flatnonzero(self.calls[place])]


class Trouble:
    """What is out of order, by service and sample; neutral to begin with."""

    def __init__(self, services: int, samples: int) -> None:
        shape = (services, samples)
        self.load = np.ones(samples)
        self.share = np.zeros(shape)
        """Requests a second that come from elsewhere than the shop's own callers."""
        self.calls = np.ones((services, services, samples))
        self.burn = np.zeros(shape)
        """Cores that something else than requests uses inside the pods."""
        self.limit = np.ones(shape)
        self.work = np.ones(shape)
        """Own time and CPU per request, as a multiple."""
        self.wait = np.zeros(shape)
        """Own seconds per request that use no CPU."""
        self.delay = np.zeros(shape)
        self.loss = np.zeros(shape)
        self.errors = np.zeros(shape)
        self.memory = np.zeros(shape)
        self.descriptors = np.zeros(shape)
        self.disk = np.zeros(shape)
        self.gc = np.zeros(shape)
        self.held = np.zeros(shape)
        """Connections of the pool that nobody gives back."""
        self.threads = np.zeros(shape)
        self.loud: dict[int, Floats] = {}
        """By node: the share of its CPU that a workload from outside the shop takes."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the services did; arrays by service and sample, per service, not per replica."""

    load: Floats
    inner: Floats
    """Mean seconds as the service itself measures them."""
    outer: Floats
    """Mean seconds as its callers do."""
    tail: Floats
    """Seconds that only the slowest requests take more."""
    fails: Floats
    cpu: Floats
    throttled: Floats
    memory: Floats
    descriptors: Floats
    in_flight: Floats
    disk: Floats
    received: Floats
    sent: Floats
    lost: Floats
    gc: Floats
    pool: Floats
    waiting: Floats
    edges: Floats
    """Requests a second from caller to callee."""
    loud: Mapping[int, Floats]


def live(shop: Shop, load: Floats, trouble: Trouble) -> Day:
    """Let the shop run under ``load`` (requests a second at the entry) with ``trouble``."""
    quiet = _answer(shop, _spread(shop, load, trouble, None), trouble)
    calm = _answer(shop, _spread(shop, load, Trouble(len(shop.services), load.size), None), None)
    slower = (_THINK + calm[0][0]) / (_THINK + quiet[0][0])
    loads, edges = _spread(shop, load * slower, trouble, quiet[2])
    inner, outer, fails, cpu, throttled, tail = _answer(shop, (loads, edges), trouble)
    items = shop.services

    def column(values: list[float]) -> Floats:
        return np.array(values)[:, None]

    in_flight = loads * inner
    pool = column([item.pool for item in items])
    wanted = in_flight * 0.6 + trouble.held + 1.0
    passed = 1.0 - np.clip(trouble.loss, 0, 0.9)
    answered = loads * (1.0 - 0.8 * fails)
    made = edges.sum(axis=1)
    return Day(
        load=loads,
        inner=inner,
        outer=outer,
        tail=tail,
        fails=fails,
        cpu=cpu,
        throttled=throttled,
        memory=column([item.memory for item in items]) + trouble.memory + 2e5 * in_flight,
        descriptors=column([item.descriptors for item in items]) + 2 * in_flight + trouble.descriptors,
        in_flight=in_flight + trouble.threads,
        disk=np.clip(column([item.disk for item in items]) * loads / max(shop.requests, 1) + trouble.disk, 0, 1),
        received=(column([item.bytes_in for item in items]) * loads + 900 * made) * passed + 200,
        sent=(column([item.bytes_out for item in items]) * answered + 500 * made) * passed + 150,
        lost=(loads + made) * 6 * trouble.loss,
        gc=0.004 + 0.02 * cpu / column([item.limit for item in items]) + trouble.gc,
        pool=np.minimum(wanted, pool),
        waiting=np.maximum(wanted - pool, 0.0),
        edges=edges,
        loud=trouble.loud,
    )


def _spread(shop: Shop, load: Floats, trouble: Trouble, fails: Floats | None) -> tuple[Floats, Floats]:
    """Requests a second by service and by call; failed calls are made again."""
    size = len(shop.services)
    loads, edges = trouble.share.copy(), np.zeros((size, size, load.size))
    loads[0] += load * trouble.load
    again = 1.0 if fails is None else 1.0 + shop.retries * fails
    for caller in range(size):
        edges[caller] = loads[caller] * shop.calls[caller][:, None] * trouble.calls[caller] * again
        loads += edges[caller]
    return loads, edges


def _answer(shop: Shop, spread: tuple[Floats, Floats], trouble: Trouble | None) -> tuple[Floats, ...]:
    """Latency, failures and CPU, from the last callee up to the entry."""
    loads, edges = spread
    size, samples = loads.shape
    out = trouble or Trouble(size, samples)
    cores = np.array([item.cores for item in shop.services])[:, None]
    limit = np.array([item.limit for item in shop.services])[:, None] * out.limit
    demand = 0.004 + loads * cores * out.work + out.burn
    busy = np.clip(demand / limit, 0.0, _FULL)
    cpu = np.minimum(demand, limit)
    throttled = np.clip(demand / limit - 0.8, 0.0, 1.0) ** 2 * 2 + 0.002 * busy
    own = np.array([item.seconds for item in shop.services])[:, None] * out.work / (1.0 - busy**3) + out.wait
    inner, tail, fails = own.copy(), np.zeros_like(own), np.clip(out.errors + 0.0005, 0.0, 1.0)
    outer = np.zeros_like(own)
    for place in range(size - 1, -1, -1):
        per = edges[place] / np.maximum(loads[place], 1e-9)
        lost = np.clip(out.loss[place] + out.loss, 0.0, 0.9)
        seen = outer + out.delay[place] + _RESEND * lost / (1.0 - lost)
        inner[place] += (per * seen).sum(axis=0)
        tail[place] += (np.minimum(per, 1.0) * (tail + 2 * _RESEND * np.sqrt(lost) * (lost > 0.001))).max(axis=0)
        passed = np.prod((1.0 - np.clip(fails + 0.3 * lost**2, 0, 0.999)) ** np.minimum(per, 3.0), axis=0)
        late = np.clip(inner[place] / _TIMEOUT - 0.6, 0.0, 0.9)
        fails[place] = 1.0 - (1.0 - fails[place]) * (1.0 - 0.9 * (1.0 - passed)) * (1.0 - late)
        inner[place] = np.minimum(inner[place], _TIMEOUT)
        outer[place] = inner[place] + out.delay[place] + _RESEND * out.loss[place]
    return inner, outer, fails, cpu, throttled, tail


def random_shop(chance: np.random.Generator, services: int) -> Shop:
    """A shop with an entry, layers of services and stores at the ends."""
    calls = np.zeros((services, services))
    for callee in range(1, services):
        nearest = max(0, callee - 12)
        wide = chance.random() < 0.35
        for caller in {
            int(item) for item in chance.integers(0, 1 if wide else max(nearest, callee), 1 + (chance.random() < 0.3))
        }:
            calls[caller, callee] = float(chance.choice([0.1, 0.3, 0.6, 1.0, 1.0, 1.0, 2.0]))
    requests = float(np.exp(chance.uniform(np.log(2), np.log(80))))
    loads = np.zeros(services)
    loads[0] = requests
    for caller in range(services):
        loads += loads[caller] * calls[caller]
    names = _names(chance, services)
    nodes = max(1, min(6, services // 3))
    made = []
    for place in range(services):
        cores = float(np.exp(chance.uniform(np.log(5e-4), np.log(6e-3))))
        used = 0.004 + float(loads[place]) * cores
        made.append(
            Service(
                name=names[place],
                seconds=float(np.exp(chance.uniform(np.log(0.001), np.log(0.03)))),
                cores=cores,
                limit=max(0.2, used / float(chance.uniform(0.1, 0.5))),
                replicas=int(chance.choice([1, 1, 1, 2, 3])),
                node=int(chance.integers(nodes)),
                memory=float(np.exp(chance.uniform(np.log(2e7), np.log(8e8)))),
                descriptors=float(chance.integers(15, 200)),
                pool=float(chance.choice([10, 20, 50])),
                bytes_in=float(chance.uniform(300, 3000)),
                bytes_out=float(chance.uniform(500, 20000)),
                disk=float(chance.choice([0.0, 0.005, 0.05])),
            )
        )
    return Shop(tuple(made), calls, requests, nodes, float(chance.choice([0.0, 1.0])))


_SYLLABLES = ("ka", "lo", "mi", "ru", "ten", "vo", "sar", "pel", "dun", "ge", "fi", "nor", "zu", "bri", "tal", "om")


def _names(chance: np.random.Generator, count: int) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(str(item) for item in chance.choice(_SYLLABLES, 3))] = None
    return list(found)
