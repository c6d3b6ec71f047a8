"""kill -9 while an approval waits: after the restart it still waits, and approving it acts once. On either database.

The shop (its API server and its Prometheus) runs in a process of its own, so its state survives the agent. On
PostgreSQL the data folder does not survive: nothing that matters may be in it.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_sre.domain.errors import PermanentError
from tests.e2e.processes import ROOT, Running, agent_sre, answers, free_port, wait_for
from tests.postgres_server import PASSWORD, PostgresServer, postgres_server


@dataclass
class Shop:
    url: str
    kubeconfig: str

    def patches(self) -> int:
        count: int = httpx.get(self.url + "/shop/patches", timeout=5).json()["patches"]
        return count


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    log = tmp_path / "shop.log"
    process = Running([sys.executable, "-m", "agent_sre.bootstrap.shop_server"], log, cwd=ROOT)

    def announced() -> dict[str, str] | None:
        if process.child.poll() is not None:
            raise PermanentError(f"the shop ended: {log.read_text()}")
        line = next((line for line in log.read_text().splitlines() if line.startswith("{")), None)
        return json.loads(line) if line else None

    try:
        found = wait_for("the shop", announced)
        yield Shop(found["url"], found["kubeconfig"])
    finally:
        process.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """What AGENT_SRE_DATABASE_URL is set to: empty for SQLite in the data folder, an empty database on PostgreSQL."""
    if request.param == "sqlite":
        yield ""
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.make()
    yield server.url(name)
    server.drop(name)


@contextmanager
def agent(shop: Shop, folder: Path, port: int, database: str) -> Iterator[Running]:
    if database:
        shutil.rmtree(folder / "data", ignore_errors=True)
    settings = {
        "AGENT_SRE_DATABASE_URL": database,
        "AGENT_SRE_PORT": str(port),
        "AGENT_SRE_DATA_DIR": str(folder / "data"),
        "AGENT_SRE_PROMETHEUS_URL": shop.url,
        "AGENT_SRE_KUBERNETES": "kubeconfig",
        "AGENT_SRE_KUBECONFIG": shop.kubeconfig,
        "AGENT_SRE_ACTIONS_MODE": "approve",
        "AGENT_SRE_ACTIONS_NAMESPACES": "shop",
        "AGENT_SRE_VERIFY_TIMEOUT": "90",
        "AGENT_SRE_VERIFY_POLL": "2",
        "AGENT_SRE_POLL_SECONDS": "0.3",
    }
    process = Running(agent_sre("serve"), folder / "agent.log", env=settings, cwd=folder)
    try:
        wait_for("the agent", answers(f"http://127.0.0.1:{port}/readyz"))
        yield process
    finally:
        process.stop()


@pytest.mark.timeout(300)
def test_kill_9_while_an_approval_waits(shop: Shop, tmp_path: Path, database: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def incident() -> dict[str, Any]:
        rows = httpx.get(url + "/api/incidents", timeout=5).json()["incidents"]
        return httpx.get(f"{url}/api/incidents/{rows[0]['id']}", timeout=5).json() if rows else {}

    def waiting() -> dict[str, Any] | None:
        found = incident()
        return found if found.get("status") == "awaiting_approval" else None

    body = httpx.get(shop.url + "/shop/alert", timeout=5).content
    with agent(shop, tmp_path, port, database) as process:
        httpx.post(url + "/webhooks/alertmanager", content=body, timeout=5).raise_for_status()
        before = wait_for("the approval", waiting, 60)
        process.kill()
    with agent(shop, tmp_path, port, database) as process:
        after = incident()
        assert after["status"] == "awaiting_approval"
        assert [(a["id"], a["state"], a["digest"]) for a in after["approvals"]] == [
            (a["id"], a["state"], a["digest"]) for a in before["approvals"]
        ]
        assert after["answer"]["hypotheses"] == before["answer"]["hypotheses"]
        asked = after["approvals"][0]
        decision = {"decision": "approve", "digest": asked["digest"], "by": "ana"}
        first = httpx.post(f"{url}/api/approvals/{asked['id']}", json=decision, timeout=5)
        second = httpx.post(f"{url}/api/approvals/{asked['id']}", json={**decision, "by": "ben"}, timeout=5)
        assert (first.status_code, second.status_code) == (200, 409)
        assert second.json()["decided_by"] == "ana"
        # Killed again, now that it acts or is about to.
        wait_for("the effect's intent", lambda: incident()["effects"], 30)
        process.kill()
    with agent(shop, tmp_path, port, database):
        wait_for("recovery", lambda: incident()["status"] == "resolved", 120)
        [effect] = incident()["effects"]
        assert (effect["state"], effect["verified"]) == ("done", "recovered")
        assert shop.patches() == 1
    place = {"AGENT_SRE_DATA_DIR": str(tmp_path / "data"), "AGENT_SRE_DATABASE_URL": database}
    settings = {**os.environ, **place}
    verify = subprocess.run(agent_sre("audit", "verify"), env=settings, capture_output=True, text=True, check=False)
    assert verify.returncode == 0, verify.stderr
    assert "chain intact" in verify.stdout
    assert PASSWORD not in (tmp_path / "agent.log").read_text()


@pytest.mark.timeout(200)
def test_the_service_outlives_its_database(shop: Shop, tmp_path: Path) -> None:
    """PostgreSQL dies during an investigation: alerts are refused for now, then everything goes on by itself."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    body = httpx.get(shop.url + "/shop/alert", timeout=5).content

    def post() -> httpx.Response:
        return httpx.post(url + "/webhooks/alertmanager", content=body, timeout=20)

    def incidents() -> list[dict[str, Any]]:
        answer = httpx.get(url + "/api/incidents", timeout=20)
        return list(answer.json()["incidents"]) if answer.status_code == 200 else []

    with postgres_server() as server:
        name = server.make()
        with agent(shop, tmp_path, port, server.url(name)) as process:
            post().raise_for_status()
            wait_for("the investigation", lambda: [item for item in incidents() if item["status"] == "investigating"])
            server.kill()
            refused = post()
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert httpx.get(url + "/healthz", timeout=5).status_code == 200
            assert httpx.get(url + "/readyz", timeout=20).status_code == 503
            server.start()
            wait_for("readiness", lambda: httpx.get(url + "/readyz", timeout=20).status_code == 200)
            post().raise_for_status()
            wait_for("the approval", lambda: [i for i in incidents() if i["status"] == "awaiting_approval"], 90)
            assert len(incidents()) == 1
            second = subprocess.run(
                agent_sre("serve", "--port", "0"),
                env={**os.environ, "AGENT_SRE_DATABASE_URL": server.url(name), "AGENT_SRE_KUBERNETES": "off"},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert second.returncode == 2, second.stderr
            assert f"in use by agent_sre {os.uname().nodename}/{process.child.pid} on 127.0.0.1" in second.stderr
    assert PASSWORD not in (tmp_path / "agent.log").read_text() + second.stderr
