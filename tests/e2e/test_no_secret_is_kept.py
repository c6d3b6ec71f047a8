"""Row 30: a real service investigates an incident that is full of secrets; afterwards none is anywhere.

Searched are the databases with their write-ahead logs, the log, and every page and answer of the console. What is
stored is compressed, so the observations are unpacked too.
"""

import json
import re
import sqlite3
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.leaky_estate import SECRETS
from tests.e2e.processes import ROOT, Running, agent_sre, free_port, running, wait_for


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[dict[str, Any]]:
    log = tmp_path / "estate.log"
    process = Running([sys.executable, "-m", "tests.e2e.leaky_estate"], log, cwd=ROOT)
    try:
        line = wait_for("the estate", lambda: next(iter(re.findall(r"^\{.*$", log.read_text(), re.MULTILINE)), ""))
        yield json.loads(line)
    finally:
        process.kill()


@pytest.mark.timeout(180)
def test_no_secret_is_kept_shown_or_logged(estate: dict[str, Any], tmp_path: Path) -> None:
    port, place = free_port(), tmp_path / "service"
    place.mkdir()
    (place / "kubeconfig").write_text(estate["kubeconfig"])
    url = f"http://127.0.0.1:{port}"
    settings = {
        "AGENT_SRE_PORT": str(port),
        "AGENT_SRE_DATA_DIR": str(place / "data"),
        "AGENT_SRE_PROMETHEUS_URL": estate["prometheus"],
        "AGENT_SRE_KUBERNETES": "kubeconfig",
        "AGENT_SRE_KUBECONFIG": str(place / "kubeconfig"),
        "AGENT_SRE_LOG_LEVEL": "debug",
    }
    with (
        running(agent_sre("serve"), place / "serve.log", f"{url}/readyz", env=settings, cwd=place),
        httpx.Client(base_url=url, timeout=20) as client,
    ):
        client.post("/webhooks/changes", json=estate["change"]).raise_for_status()
        broken = client.post("/webhooks/alertmanager", content=json.dumps(estate["alert"])[:-9])
        assert broken.status_code == 400
        client.post("/webhooks/alertmanager", json=estate["alert"]).raise_for_status()
        incident = wait_for("the verdict", lambda: _investigated(client), 90)
        shown = [broken.text, *(_pages(client, incident["id"]))]
    kept = {path.name: path.read_bytes() for path in (place / "data").rglob("*") if path.is_file()}
    assert kept
    seen = {
        "observations": _observations(place / "data" / "agent_sre.sqlite"),
        "pages": "\n".join(shown),
        "log": (place / "serve.log").read_text(),
        **{name: content.decode("latin-1") for name, content in kept.items()},
    }
    # The estate was looked at, and what it says is there without its secrets.
    assert "using key [redacted:" in seen["observations"]
    assert "Back-off restarting failed container" in seen["observations"]
    assert "[redacted:" in seen["pages"]
    leaks = [(name, where) for name, secret in SECRETS.items() for where, text in seen.items() if secret in text]
    assert leaks == []


def _investigated(client: httpx.Client) -> dict[str, Any] | None:
    rows = client.get("/api/incidents").json()["incidents"]
    found = client.get(f"/api/incidents/{rows[0]['id']}").json() if rows else {}
    return found if found.get("answer") else None


def _pages(client: httpx.Client, incident: str) -> Iterator[str]:
    yield client.get(f"/api/incidents/{incident}").text
    for path in ("/", f"/incidents/{incident}", "/metrics", "/readyz"):
        yield client.get(path).text
    for question in (
        "why",
        "what changed",
        "logs of leaky",
        "show requests of leaky",
        "what could you not see",
        "show E1",
    ):
        yield client.get(f"/incidents/{incident}", params={"q": question}).text


def _observations(file: Path) -> str:
    """What is stored of the observations, unpacked."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("select payload from observations").fetchall()
    return "\n".join(json.dumps(json.loads(zlib.decompress(row)), ensure_ascii=False) for (row,) in rows)
