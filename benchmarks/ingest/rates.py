"""Alerts a second and the time to the acknowledgement, one and ten alerts per POST."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.ingest import servers
from benchmarks.ingest.load import Measured, Plan, drive

PER_POST = {1: (20_000, 1.0), 10: (40_000, 3.0)}
"""Alerts to send, and the least ratio to Alertmanager that is the goal."""
CONNECTIONS = 32
_WARM = 500
_DRAIN_SECONDS = 120.0

Start = Callable[[], AbstractContextManager[servers.Server]]


@dataclass(frozen=True)
class Rate:
    """What one server did. ``lost`` is acknowledged minus stored; ``folded`` alerts a second until all have an
    incident, 0 where there are none."""

    measured: Measured
    cpu: float
    lost: int
    folded: float


def measure(databases: Sequence[Start]) -> list[Figure]:
    """All rates. The generator's own ceiling comes first."""
    figures = [_ceiling()]
    for per_post, (alerts, goal) in PER_POST.items():
        theirs = _rate(servers.alertmanager, alerts, per_post)
        for start in databases:
            ours = _rate(start, alerts, per_post)
            figures += _figures(start.__name__, per_post, ours, theirs, goal)
        figures.append(
            Figure(f"Alertmanager, {per_post}/POST: acknowledged minus held", theirs.lost, "alerts", goal="0")
        )
    return figures


def _ceiling() -> Figure:
    with servers.trivial() as server:
        done = drive(Plan(server.port, server.path, server.shape, 20_000, 1, connections=CONNECTIONS))
    return Figure("the generator against a server that does nothing", done.alerts_per_second, "requests/s")


def _rate(start: Start, alerts: int, per_post: int) -> Rate:
    with start() as server:
        warm = Plan(server.port, server.path, server.shape, _WARM // per_post, per_post, connections=CONNECTIONS)
        drive(warm)
        plan = Plan(
            server.port, server.path, server.shape, alerts // per_post, per_post, _WARM, connections=CONNECTIONS
        )
        there, began, before = server.stored(), time.monotonic(), server.cpu()
        done = drive(plan)
        cpu = (server.cpu() - before) / done.seconds
        assert set(done.statuses) <= {"200", "202"}, done.statuses
        lost = done.acknowledged - (server.stored() - there)
        return Rate(done, cpu, lost, _folded(server, began, done.acknowledged))


def _folded(server: servers.Server, began: float, alerts: int) -> float:
    if server.query is None:
        return 0.0
    deadline = time.monotonic() + _DRAIN_SECONDS
    while server.query("SELECT count(*) FROM inbox WHERE incident_id IS NULL"):
        assert time.monotonic() < deadline, "the inbox was not folded"
        time.sleep(0.2)
    return alerts / (time.monotonic() - began)


def _figures(name: str, per_post: int, ours: Rate, theirs: Rate, goal: float) -> list[Figure]:
    what, peer = f"{name}, {per_post}/POST", "Alertmanager (memory)"
    fast, slow = ours.measured, theirs.measured
    ratio = fast.alerts_per_second / slow.alerts_per_second
    return [
        Figure(
            f"{what}: durable alerts",
            fast.alerts_per_second,
            "alerts/s",
            peer,
            slow.alerts_per_second,
            f"ratio >= {goal:.1f}",
            ratio >= goal,
        ),
        Figure(f"{what}: acknowledgement p50", fast.p50 * 1e3, "ms", peer, slow.p50 * 1e3),
        Figure(f"{what}: acknowledgement p99", fast.p99 * 1e3, "ms", peer, slow.p99 * 1e3),
        Figure(f"{what}: processors busy", ours.cpu, "cores", peer, theirs.cpu),
        Figure(f"{what}: generator busy", fast.cpu / fast.seconds, "cores", peer, slow.cpu / slow.seconds),
        Figure(f"{what}: until all are in incidents", ours.folded, "alerts/s"),
        Figure(f"{what}: acknowledged minus stored", ours.lost, "alerts", goal="0", met=ours.lost == 0),
    ]
