"""A storm: ten thousand distinct alerts a minute, of several shapes, and a critical one in the middle of it.

The real rate for a minute (row 10 of the faults), then the rest of the 100,000 in a tenth of the time they would take.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import httpx

from agent_sre.domain.instant import format_instant
from benchmarks.figures import Figure
from benchmarks.ingest import payloads, servers
from benchmarks.ingest.load import Measured, Plan, drive

RATE = 10_000 / 60
_SETTLE_SECONDS = 60.0


def _plan(server: servers.Server, shape: str, posts: int, per_post: int, first: int, rate: float) -> Plan:
    path = "/webhooks/pagerduty" if shape == "pagerduty" else server.path
    # So few that none idles for as long as the server keeps an idle one: two seconds between its requests.
    connections = max(min(64, int(2 * rate)), 1)
    return Plan(server.port, path, shape, posts, per_post, first, connections=connections, rate=rate)


def measure(start: Callable[[], AbstractContextManager[servers.Server]], minutes: float = 1.0) -> list[Figure]:
    """The storm at the real rate for so many minutes, then compressed tenfold."""
    figures: list[Figure] = []
    with start() as server:
        before = server.memory()
        seconds, alerts = 60 * minutes, round(10_000 * minutes)
        with ThreadPoolExecutor(3) as pool:
            third = alerts // 3
            running = [
                pool.submit(drive, _plan(server, "one group", third // 10, 10, 0, RATE / 30), seconds + 60),
                pool.submit(drive, _plan(server, "many groups", third, 1, 200_000, RATE / 3), seconds + 60),
                pool.submit(drive, _plan(server, "pagerduty", third, 1, 400_000, RATE / 3), seconds + 60),
            ]
            time.sleep(seconds / 2)
            begun = _critical(server)
            done = [item.result() for item in running]
        name = f"{start.__name__}, storm at {RATE:.0f} alerts/s for {seconds:.0f} s"
        figures += _told(name, server, done, before)
        figures.append(Figure(f"{name}: a critical alert in the middle, to its investigation's start", begun, "s"))
        if minutes >= 1:
            rest = 100_000 - alerts
            fast = drive(_plan(server, "one group", rest // 10, 10, 600_000, RATE), 400)
            figures += _told(f"{start.__name__}, {rest} more at {RATE * 10:.0f} alerts/s", server, [fast], before)
    return figures


def _told(name: str, server: servers.Server, done: list[Measured], before: float) -> list[Figure]:
    query = server.query
    assert query is not None
    answered, last = time.monotonic(), time.monotonic() + _SETTLE_SECONDS
    while (waiting := query("SELECT count(*) FROM inbox WHERE incident_id IS NULL")) and time.monotonic() < last:
        time.sleep(0.2)
    p99 = max(item.p99 for item in done)
    return [
        Figure(f"{name}: acknowledgement p99", p99 * 1e3, "ms", goal="< 50 ms", met=p99 < 0.05),
        Figure(f"{name}: slowest acknowledgement", max(item.slowest for item in done) * 1e3, "ms"),
        Figure(f"{name}: incidents", query("SELECT count(*) FROM incidents"), "incidents"),
        Figure(f"{name}: alerts not in an incident after the last answer", waiting, "alerts"),
        Figure(f"{name}: folded after the last answer", time.monotonic() - answered, "s"),
        Figure(f"{name}: memory grew at its peak", server.memory("VmHWM") - before, "MB"),
    ]


def _critical(server: servers.Server) -> float:
    """Seconds from posting a critical alert to the moment its investigation has begun."""
    now = format_instant(payloads.now())
    body = payloads.critical(now)
    posted = time.monotonic()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client:
        before = {row["id"] for row in client.get("/api/incidents").json()["incidents"]}
        client.post(server.path, json=body).raise_for_status()
        while time.monotonic() - posted < _SETTLE_SECONDS:
            rows = client.get("/api/incidents").json()["incidents"]
            mine = next((row for row in rows if row["id"] not in before and row["severity"] == "critical"), None)
            if mine and mine["status"] != "open":
                return time.monotonic() - posted
            time.sleep(0.1)
    return float("inf")
