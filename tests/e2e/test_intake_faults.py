"""The intake of a real process under kills, a storm and a store that fails (faults, rows 10 and 35).

The load generator and the payloads are the benchmark's: what ``make bench-ingest`` shows in large is tested in small.
"""

import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from agent_sre.domain.instant import format_instant
from benchmarks.ingest import kills, payloads, servers
from benchmarks.ingest.load import Plan, drive

DATABASES = {"sqlite": servers.sqlite, "postgresql": servers.postgresql}
BATCH = 100


def post(server: servers.Server, group: str) -> httpx.Response:
    body = payloads.critical(format_instant(payloads.now()), group)
    return httpx.post(server.url + server.path, json=body, timeout=30)


def settled(server: servers.Server, seconds: float = 60.0) -> bool:
    """Every alert has an incident, and every incident was looked at."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = httpx.get(server.url + "/api/incidents", timeout=30)
        rows = answer.json()["incidents"] if answer.status_code == 200 else []
        done = rows and all(row["status"] not in {"open", "investigating"} for row in rows)
        if done and server.query and not server.query("SELECT count(*) FROM inbox WHERE incident_id IS NULL"):
            return True
        time.sleep(0.2)
    return False


def file_of(server: servers.Server) -> Path:
    return Path(server.env["AGENT_SRE_DATA_DIR"]) / "agent_sre.sqlite"


@contextmanager
def no_file_may_grow(pid: int) -> Iterator[None]:
    """What a full disk or a used-up quota does to a process: every write beyond a megabyte fails."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("database", DATABASES)
def test_what_was_acknowledged_before_a_kill_is_there(database: str) -> None:
    with DATABASES[database]() as server:
        assert kills.lost_by_kills(server, alerts=1_000, repeats=3) == [0, 0, 0]


@pytest.mark.timeout(180)
def test_row_35_on_a_full_disk_nothing_is_acknowledged_and_the_retry_is_taken() -> None:
    with servers.sqlite() as server:
        before = server.stored()
        with no_file_may_grow(server.pid):
            refused = [post(server, "full") for _ in range(3)]
            assert {answer.status_code for answer in refused} == {503}
            assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
            assert httpx.get(server.url + "/healthz").status_code == 200
        assert server.stored() == before
        assert post(server, "full").status_code == 202
        assert server.stored() == before + 1
        assert settled(server)
        assert "Traceback" not in server.log.read_text()


@pytest.mark.timeout(180)
def test_row_35_a_disk_that_fills_during_a_run_pauses_it() -> None:
    with servers.sqlite() as server:
        assert post(server, "run").status_code == 202
        with no_file_may_grow(server.pid):
            time.sleep(2)  # the fold or the investigation meets the full disk
        assert settled(server)
        assert post(server, "after").status_code == 202
        assert settled(server)


@pytest.mark.timeout(180)
def test_row_35_a_database_that_somebody_locks_is_503_until_it_is_free() -> None:
    with servers.sqlite() as server:
        before = server.stored()
        with contextlib.closing(sqlite3.connect(file_of(server), isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert post(server, "locked").status_code == 503
            other.execute("ROLLBACK")
        assert server.stored() == before
        assert post(server, "locked").status_code == 202
        assert server.stored() == before + 1


@pytest.mark.timeout(240)
@pytest.mark.parametrize("database", DATABASES)
def test_row_10_a_storm_is_counted_whole_and_a_critical_alert_does_not_wait_behind_it(database: str) -> None:
    with DATABASES[database]() as server:
        before, memory = server.stored(), server.memory()
        plan = Plan(server.port, server.path, "one group", 300, BATCH // 10, 0, connections=16)
        assert drive(plan).acknowledged == 3_000
        assert post(server, "grave").status_code == 202
        assert settled(server, 120)
        assert server.stored() == before + 3_001
        rows = httpx.get(server.url + "/api/incidents").json()["incidents"]
        assert len(rows) == 3, "the first, the storm and the grave one"
        assert sum(row["alert_messages"] for row in rows) == before + 3_001
        assert server.memory("VmHWM") - memory < 200
