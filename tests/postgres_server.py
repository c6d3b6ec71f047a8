"""A real PostgreSQL on loopback and on a Unix socket, in a temporary folder, with everything at its durable default.

The programs are the system's. A machine without them fails the tests that need them: it does not skip them.
"""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from agent_sre.adapters.store_sql import upgrade
from tests.e2e.processes import free_port

USER, PASSWORD = "owner", "pg-t0p-secret"
TEMPLATE = "migrated"
_UNPRIVILEGED = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]


def program(name: str) -> str:
    """Where Debian keeps it, if it is not in PATH: one folder for each version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name)
    places = os.pathsep.join([os.environ.get("PATH", ""), *(str(folder) for folder in reversed(versions))])
    found = shutil.which(name, path=places)
    assert found, f"{name} is not installed; apt-get install --no-install-recommends postgresql"
    return found


class PostgresServer:
    """One cluster. ``max_connections`` leaves three to the superuser, whom the tests are not."""

    def __init__(self, folder: Path, max_connections: int = 60) -> None:
        self.folder = folder
        self.port = free_port()
        self._max_connections = max_connections
        self._numbers = itertools.count(1)
        self._child: subprocess.Popen[bytes] | None = None
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        if os.geteuid() == 0:  # the server refuses to be root
            for path in (folder, password):
                shutil.chown(path, "nobody", "nogroup")
        made = subprocess.run(
            [
                *self._as_user(program("initdb")),
                *("--pgdata", str(folder / "data"), "--username", USER, "--pwfile", str(password)),
                *("--auth-local", "trust", "--auth-host", "scram-sha-256", "--encoding", "UTF8", "--locale", "C"),
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _as_user(self, *command: str) -> list[str]:
        # The parent's death ends the server: a test run that is killed leaves nothing behind.
        change = _UNPRIVILEGED if os.geteuid() == 0 else []
        return ["setpriv", *change, "--pdeathsig", "INT", *command]

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        log = (self.folder / "log").open("ab")
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self.folder,
            "max_connections": self._max_connections,
            "shared_buffers": "32MB",
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = self._as_user(program("postgres"), "-D", str(self.folder / "data"), *given)
        with log:
            self._child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.local_url("postgres")).close()
                return
            except psycopg.OperationalError as error:
                ended = self._child.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise AssertionError(f"PostgreSQL: {error}; {self.log[-2000:]}") from error
                time.sleep(0.05)

    @property
    def log(self) -> str:
        """What the server said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def stop(self) -> None:
        """End its sessions and itself, in order ("fast")."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would: "immediate", without a checkpoint, so that the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)
            try:
                self._child.wait(20)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
                raise AssertionError(f"PostgreSQL did not stop: {self.log[-2000:]}") from None

    def local_url(self, database: str) -> str:
        """Over the Unix socket, without a password."""
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        """Over loopback, with a password."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def run(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """What an administrator types; gives the last statement's rows."""
        with psycopg.connect(self.local_url(database), autocommit=True) as connection:
            rows: list[tuple[object, ...]] = []
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
            return rows

    def make(self, template: str = "template1") -> str:
        """A new database, by name: empty, or as ``template`` is."""
        name = f"test_{next(self._numbers)}"
        self.run("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def postgres_server(max_connections: int = 60) -> Iterator[PostgresServer]:
    """A running cluster with nothing in it; gone afterwards."""
    # Not pytest's folder: the path of a Unix socket may have a hundred characters only.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        server = PostgresServer(folder, max_connections)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def migrated_postgres_server() -> Iterator[PostgresServer]:
    """A running cluster with a database named ``TEMPLATE`` that has the newest schema."""
    with postgres_server() as server:
        server.run("postgres", f"CREATE DATABASE {TEMPLATE}")
        upgrade(server.local_url(TEMPLATE))
        yield server
