"""A real VictoriaLogs on loopback, and how rows get into it."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from agent_sre.adapters.logs_victorialogs import FIELDS
from tests.contract.log_values import Row
from tests.e2e.processes import free_port, running


@contextmanager
def victoria_logs(folder: Path) -> Iterator[str]:
    """Start it with an empty store; gives its URL."""
    found = os.environ.get("VICTORIA_LOGS") or shutil.which("victoria-logs")
    assert found, "victoria-logs is not there; make e2e builds it, or set VICTORIA_LOGS to a binary"
    url = f"http://127.0.0.1:{free_port()}"
    command = [found, f"-httpListenAddr={url.removeprefix('http://')}", f"-storageDataPath={folder / 'data'}"]
    command += ["-retentionPeriod=100y", "-loggerLevel=ERROR"]
    with running(command, folder / "victoria-logs.log", f"{url}/health"):
        yield url


def ship(url: str, rows: Iterable[Row], headers: Mapping[str, str] | None = None) -> None:
    """Send rows as a shipper does, and make them searchable."""
    names = FIELDS
    documents = (
        {
            "_time": row.time,
            "_msg": row.text,
            names.namespace: row.source.namespace,
            names.pod: row.source.pod,
            names.container: row.source.container,
        }
        for row in rows
    )
    ship_documents(url, documents, headers)


def ship_documents(url: str, documents: Iterable[Mapping[str, str]], headers: Mapping[str, str] | None = None) -> None:
    """Send documents of any fields, and make them searchable."""
    body = "\n".join(json.dumps(document) for document in documents).encode()
    params = {"_stream_fields": f"{FIELDS.namespace},{FIELDS.pod},{FIELDS.container}"}
    given = {"Content-Type": "application/stream+json", **(headers or {})}
    httpx.post(f"{url}/insert/jsonline", params=params, content=body, headers=given, timeout=30).raise_for_status()
    httpx.get(f"{url}/internal/force_flush", timeout=30).raise_for_status()
