"""SIGKILL right after the last acknowledgement, then a new start: what was acknowledged must be there."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from benchmarks.figures import Figure
from benchmarks.ingest import servers
from benchmarks.ingest.load import Plan, drive

ALERTS = 10_000
REPEATS = 20
PER_POST = 10


def lost_by_kills(server: servers.Server, alerts: int, repeats: int) -> list[int]:
    """For each repeat, acknowledged minus stored after the restart. The server is kept, so its alerts add up."""
    lost, before = [], server.stored()
    for repeat in range(repeats):
        plan = Plan(server.port, server.path, server.shape, alerts // PER_POST, PER_POST, first=repeat * alerts)
        done = drive(plan)
        server.kill()
        server.start(settle=False)
        after = server.stored()
        lost.append(done.acknowledged - (after - before))
        before = after
    return lost


def measure(
    databases: Sequence[Callable[[], AbstractContextManager[servers.Server]]], repeats: int = REPEATS
) -> list[Figure]:
    """Each database, and Alertmanager for comparison."""
    figures = []
    for start in databases:
        with start() as server:
            lost = lost_by_kills(server, ALERTS, repeats)
        what = f"{start.__name__}: lost by SIGKILL after {ALERTS} acknowledged alerts, {repeats} times"
        figures.append(Figure(what, sum(lost), "alerts", goal="0", met=not any(lost)))
    with servers.alertmanager() as server:
        lost = lost_by_kills(server, ALERTS, 3)
    figures.append(Figure(f"Alertmanager: the same, 3 times, on average of {ALERTS}", sum(lost) / 3, "alerts"))
    return figures
