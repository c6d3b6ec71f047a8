"""Starts real processes on loopback and stops them for certain: Prometheus, Alertmanager, the product itself."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import httpx

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: str, look: Callable[[], T | None], seconds: float = 30.0) -> T:
    """Look again until there is something; fail with ``what`` and the last thing seen when the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"gave up after {seconds:.0f} s waiting for {what}")


def answers(url: str) -> Callable[[], bool]:
    def look() -> bool:
        try:
            return httpx.get(url, timeout=2).status_code < 500
        except httpx.TransportError:
            return False

    return look


class Running:
    """A child process with its output in a file."""

    def __init__(self, command: list[str], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None):
        self.log = log
        self._file = log.open("ab")
        self.child = subprocess.Popen(
            command,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )

    def kill(self) -> None:
        """SIGKILL, as a lost machine would."""
        self.child.kill()
        self.child.wait()
        self._file.close()

    def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM, and the exit status; SIGKILL and a failure where it does not stop in time."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"{self.child.args} did not stop within {seconds:.0f} s; {self.log.read_text()[-2000:]}"
            ) from None
        finally:
            self._file.close()


@contextmanager
def running(command: list[str], log: Path, ready: str, **options: object) -> Iterator[Running]:
    process = Running(command, log, **options)  # type: ignore[arg-type]
    try:

        def up() -> bool:
            if process.child.poll() is not None:
                raise AssertionError(f"{command[0]} ended with {process.child.returncode}: {log.read_text()[-3000:]}")
            return answers(ready)()

        wait_for(f"{ready} of {Path(command[0]).name}", up)
        yield process
    finally:
        process.stop()


def agent_sre(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "agent_sre", *arguments]


def binary(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert found, f"{name} is not installed; apt-get install {package}"
    return found
