"""Hostile bodies against a server in a process of its own, whose memory is measured (faults, row 9)."""

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent_sre.service.alert_sources import SOURCES
from tests.contract.http_server import PATH
from tests.unit.alerts import message, payload

ROOT = Path(__file__).parents[2]
GROWTH = 50 * 1024 * 1024
MEGABYTE = 1_000_000
SMALL = payload(message(fires=0))


def peak(pid: int) -> int:
    """The most memory that the process ever had resident, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


@dataclass(frozen=True)
class Server:
    client: httpx.Client
    pid: int
    warm: int
    """Bytes resident at most after a normal request."""

    def post(self, body: bytes | Iterator[bytes], path: str = PATH, **headers: str) -> int:
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.post(path, content=body, headers=given).status_code


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.contract.http_server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = json.loads(child.stdout.readline())["port"]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            client.post(PATH, json=SMALL).raise_for_status()
            yield Server(client, child.pid, peak(child.pid))
        child.terminate()


def bomb() -> bytes:
    """A gigabyte of spaces in a megabyte of gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b" " * (10 * MEGABYTE)) for _ in range(100)]
    return b"".join(parts) + packer.flush()


def endless() -> Iterator[bytes]:
    """50 MB without a length."""
    for _ in range(50):
        yield b"[" * MEGABYTE


BODIES: dict[str, tuple[Callable[[], bytes | Iterator[bytes]], dict[str, str], int]] = {
    "50 MB": (lambda: b" " * (50 * MEGABYTE), {}, 413),
    "50 MB in chunks": (endless, {}, 413),
    "gzip bomb": (bomb, {"Content_Encoding": "gzip"}, 413),
    "gzip of gzip bomb": (lambda: gzip.compress(bomb()), {"Content_Encoding": "gzip"}, 400),
    "10,000 deep": (lambda: b"[" * 10_000 + b"]" * 10_000, {}, 400),
    "as deep as 5 MB allow": (lambda: b"[" * (5 * MEGABYTE), {}, 400),
    "5 MB of quotes": (lambda: b'"' + b'\\"' * 2_400_000, {}, 400),
    "a million empty objects": (lambda: b'{"alerts": [{}' + b",{}" * 1_600_000 + b"]}", {}, 413),
    "as many objects as are read": (lambda: b'{"alerts": [{}' + b",{}" * 133_000 + b"]}", {}, 400),
    "5 MB of NUL": (lambda: b"\0" * (5 * MEGABYTE), {}, 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_and_memory_grows_by_less_than_50_mb(server: Server, name: str) -> None:
    make, headers, status = BODIES[name]
    body = make()
    for _ in range(3):
        assert server.post(body if isinstance(body, bytes) else make(), **headers) == status
    assert peak(server.pid) - server.warm < GROWTH
    assert server.post(json.dumps(SMALL).encode()) == 202


@pytest.mark.parametrize("source", [*SOURCES, "changes"])
def test_row_9_at_every_door(server: Server, source: str) -> None:
    path = f"/webhooks/{source}"
    for name in ("50 MB", "50 MB in chunks", "gzip bomb", "10,000 deep"):
        make, headers, status = BODIES[name]
        assert server.post(make(), path, **headers) == status, name
    assert peak(server.pid) - server.warm < GROWTH
