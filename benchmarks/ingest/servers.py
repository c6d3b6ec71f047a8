"""The servers that are compared, as real processes, and what each holds when all is said."""

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from agent_sre.domain.instant import format_instant
from benchmarks.ingest import payloads
from tests.e2e.processes import Running, agent_sre, answers, binary, free_port, wait_for
from tests.postgres_server import PostgresServer

_LOADED_SECONDS = 90.0
"""After its first answer the service imports the graph, which takes the interpreter from everything else; its first
investigation tells that this is over."""


@dataclass
class Server:
    """A server that can be killed and started again on what it left on disk. ``stored`` counts its alerts."""

    name: str
    command: list[str]
    env: dict[str, str]
    port: int
    path: str
    shape: str
    ready: str
    log: Path
    stored: Callable[[], int]
    query: Callable[[str], int] | None = None
    """Runs an SQL query for one number; None where there is no database."""
    process: Running | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.child.pid

    def start(self, settle: bool = True) -> None:
        self.process = Running(self.command, self.log, env=self.env, cwd=self.log.parent)
        wait_for(f"{self.name} to answer", answers(self.url + self.ready))
        if settle and self.query:
            httpx.post(
                self.url + self.path, json=payloads.critical(format_instant(payloads.now()), "TheFirst")
            ).raise_for_status()
            wait_for("the first investigation", self._has_investigated, _LOADED_SECONDS)

    def _has_investigated(self) -> bool:
        rows = httpx.get(self.url + "/api/incidents", timeout=10).json()["incidents"]
        return any(row["status"] not in {"open", "investigating"} for row in rows)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, what: str = "VmRSS") -> float:
        """Megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith(what + ":"))) / 1024


def _ours(name: str, place: Path, extra: dict[str, str], query: Callable[[str], int]) -> Server:
    port = free_port()
    env = {
        "AGENT_SRE_PORT": str(port),
        "AGENT_SRE_DATA_DIR": str(place / "data"),
        "AGENT_SRE_KUBERNETES": "off",
        **extra,
    }
    return Server(
        name,
        agent_sre("serve"),
        env,
        port,
        "/webhooks/alertmanager",
        "one group",
        "/readyz",
        place / "log",
        lambda: query("SELECT count(*) FROM inbox"),
        query,
    )


@contextmanager
def sqlite() -> Iterator[Server]:
    """Ours on its embedded database."""
    with _place() as place:

        def query(text: str) -> int:
            file = place / "data" / "agent_sre.sqlite"
            with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
                return int(connection.execute(text).fetchone()[0])

        with _stopped(_ours("SQLite", place, {}, query)) as server:
            yield server


@contextmanager
def postgresql() -> Iterator[Server]:
    """Ours on a PostgreSQL of its own, with everything at its durable default."""
    with tempfile.TemporaryDirectory(prefix="bench-pg-") as folder, _place() as place:
        Path(folder).chmod(0o755)
        cluster = PostgresServer(Path(folder))
        cluster.start()
        try:
            url = cluster.url(cluster.make())

            def query(text: str) -> int:
                with psycopg.connect(url) as connection:
                    row = connection.execute(text.encode()).fetchone()
                    assert row is not None
                    return int(row[0])

            with _stopped(_ours("PostgreSQL", place, {"AGENT_SRE_DATABASE_URL": url}, query)) as server:
                yield server
        finally:
            cluster.stop()


@contextmanager
def alertmanager() -> Iterator[Server]:
    """Debian's, alone, with a route that tells nobody."""
    with _place() as place:
        port = free_port()
        (place / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        command = [
            binary("prometheus-alertmanager", "prometheus-alertmanager"),
            f"--config.file={place}/alertmanager.yml",
            f"--storage.path={place}/alertmanager",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]

        def stored() -> int:
            return len(httpx.get(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=60).json())

        server = Server(
            "Alertmanager", command, {}, port, "/api/v2/alerts", "alertmanager", "/-/ready", place / "log", stored
        )
        with _stopped(server):
            yield server


@contextmanager
def trivial() -> Iterator[Server]:
    """Answers everything with 200 and does nothing: what the generator can do."""
    with _place() as place:
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.ingest.trivial", str(port)]
        env = {"PYTHONPATH": str(Path(__file__).parents[2])}
        server = Server("trivial", command, env, port, "/", "one group", "/", place / "log", lambda: 0)
        with _stopped(server):
            yield server


@contextmanager
def _place() -> Iterator[Path]:
    # Not in /tmp, which is memory on many systems, where fsync costs nothing.
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="build", prefix="bench-ingest-") as folder:
        yield Path(folder).resolve()


@contextmanager
def _stopped(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.process.stop(60)
