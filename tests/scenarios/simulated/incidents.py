"""One simulated incident from a seed: a shop, a fault, what a site can see of it, the alert, and the truth.

A setting says which metrics exist, whether the call graph is given, and how often samples are taken. Faults that users
do not feel are drawn again, since nobody would be paged. Bystanders have troubles of their own now and then: a burst of
CPU that hurts nobody, at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal, default_signals
from agent_sre.domain.telemetry import Edge, Series
from tests.scenarios.simulated import telemetry
from tests.scenarios.simulated.faults import FAULTLESS, FAULTS, GRADUAL, Draw, Truth
from tests.scenarios.simulated.shop import Day, Floats, Shop, Trouble, live, random_shop

NOW = datetime(2026, 5, 6, 14, 20, tzinfo=UTC)
_TRIES = 25


@dataclass(frozen=True, slots=True)
class Setting:
    """What a site can see: its views of the metrics, rows of its own for the catalogue, the call graph, the steps."""

    views: tuple[telemetry.View, ...]
    signals: tuple[Signal, ...] = ()
    topology: bool = True
    steps: tuple[int, ...] = (15, 30, 60)
    gaps: bool = False


_OWN = (telemetry.site_gauges, telemetry.containers)
SETTINGS: Mapping[str, Setting] = {
    "own": Setting(_OWN, telemetry.SITE_SIGNALS),
    "own, no topology": Setting(_OWN, telemetry.SITE_SIGNALS, topology=False, steps=(5, 15, 60)),
    "latency and errors": Setting((telemetry.site_gauges,), telemetry.SITE_SIGNALS),
    "latency, no topology": Setting((telemetry.site_gauges,), telemetry.SITE_SIGNALS, topology=False),
    "containers": Setting((telemetry.containers,), gaps=True),
    "containers, no topology": Setting((telemetry.containers,), topology=False),
    "mesh": Setting((telemetry.mesh, telemetry.containers, telemetry.nodes), topology=False, gaps=True),
    "traces": Setting((telemetry.availability,), telemetry.AVAILABILITY_SIGNALS, steps=(60,)),
    "runtime": Setting((telemetry.runtime, telemetry.containers, telemetry.nodes), gaps=True),
}


@dataclass(frozen=True, slots=True)
class Simulated:
    """An incident as the engine gets it, and what is right."""

    case: CaseFile
    truth: Truth
    fault: str
    setting: str
    seed: int
    onset: float


def simulate(seed: int, setting: str, fault: str) -> Simulated:
    """The incident of this seed: equal arguments give equal incidents."""
    chance = np.random.default_rng([seed, *setting.encode(), *fault.encode()])
    for _ in range(_TRIES):
        shop = random_shop(chance, int(chance.integers(5, 26)))
        step = int(chance.choice(SETTINGS[setting].steps))
        since = 60 * float(chance.uniform(3, 20))
        history = 60 * float(chance.choice([25, 60, 120]))
        times = NOW.timestamp() - np.arange(int((since + history) / step), -1, -1) * float(step)
        onset = NOW.timestamp() - since
        day, truth, place = _day(chance, shop, times, onset, fault)
        if fault in FAULTLESS or _felt(day, times, onset):
            break
    site = telemetry.site_of(chance, shop, day, times, SETTINGS[setting].gaps)
    if truth.unseen and telemetry.nodes not in SETTINGS[setting].views:
        truth = truth.unseen
    return Simulated(_case(site, SETTINGS[setting], onset, place), truth, fault, setting, seed, onset)


def _day(chance: np.random.Generator, shop: Shop, times: Floats, onset: float, fault: str) -> tuple[Day, Truth, int]:
    size = len(shop.services)
    trouble = Trouble(size, times.size)
    rise = 1.0 if fault in GRADUAL else float(chance.uniform(5, 60))
    elapsed = np.clip(times - onset, 0, None)
    busy = [place for place in range(size) if not fault.startswith("many") or shop.callees(place)]
    place = int(chance.choice(busy))
    truth = FAULTS[fault](Draw(chance, shop, place, np.clip(elapsed / rise, 0, 1), trouble, elapsed))
    if chance.random() < 0.4:
        other = int(chance.choice([item for item in range(size) if item != place]))
        begin = float(chance.uniform(times[0], times[-1]))
        item = shop.services[other]
        trouble.burn[other] += 0.3 * item.limit * ((times >= begin) & (times < begin + 150))
    hours = (times - times[-1]) / 3600
    load = shop.requests * (1 + 0.3 * np.sin(2 * np.pi * hours / 24 + chance.uniform(0, 6)))
    return live(shop, load, trouble), truth, place


def _felt(day: Day, times: Floats, onset: float) -> bool:
    """Whether users notice: slower by a fifth, or one request in fifty more fails."""
    late, early = times > onset + 0.5 * (times[-1] - onset), times < onset
    slower = float(day.inner[0][late].mean()) > 1.2 * float(day.inner[0][early].mean()) + 0.01
    return slower or float(day.fails[0][late].mean()) > 0.02 + float(day.fails[0][early].mean())


def _case(site: telemetry.Site, setting: Setting, onset: float, place: int) -> CaseFile:
    series: dict[str, list[Series]] = {}
    for view in setting.views:
        for item in view(site):
            series.setdefault(item.name, []).append(item)
    observations = [
        Observation(f"metrics/{name}", "metrics", "metrics", name, NOW, series=tuple(found))
        for name, found in series.items()
    ]
    shop = site.shop
    if setting.topology:
        edges = tuple(
            Edge(shop.services[caller].name, item.name, "given")
            for callee, item in enumerate(shop.services)
            for caller in shop.callers(callee)
        )
        observations.append(Observation("topology/1", "topology", "topology", "who calls whom", NOW, edges=edges))
    return CaseFile(
        now=NOW,
        window=Window(datetime.fromtimestamp(float(site.times[0]), UTC), NOW),
        namespaces=[telemetry.NAMESPACE],
        alerts=[_alert(site, onset, place)],
        observations=observations,
        signals=(*setting.signals, *default_signals()),
    )


def _alert(site: telemetry.Site, onset: float, place: int) -> Alert:
    late = site.times > onset
    failing = float(site.day.fails[0][late].mean()) > 0.03
    at = site.shop.services[0 if site.chance.random() < 0.8 else place].name
    name = "ErrorRateHigh" if failing else "LatencyHigh"
    labels = {"alertname": name, "namespace": telemetry.NAMESPACE, "service": at, "severity": "critical"}
    begun = datetime.fromtimestamp(onset, UTC) + timedelta(minutes=float(site.chance.uniform(1, 2.5)))
    begun = min(begun, NOW - timedelta(seconds=30))
    return Alert(fingerprint_of(labels), AlertStatus.FIRING, labels, {"summary": name}, begun, None, begun, "test")
