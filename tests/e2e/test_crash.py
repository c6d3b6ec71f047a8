"""kill -9 while an approval waits: after the restart it still waits, and approving it acts once.

The shop (its API server and its Prometheus) runs in a process of its own, so its state survives the agent.
"""

import json
import os
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


@contextmanager
def agent(shop: Shop, folder: Path, port: int) -> Iterator[Running]:
    settings = {
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
def test_kill_9_while_an_approval_waits(shop: Shop, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def incident() -> dict[str, Any]:
        rows = httpx.get(url + "/api/incidents", timeout=5).json()["incidents"]
        return httpx.get(f"{url}/api/incidents/{rows[0]['id']}", timeout=5).json() if rows else {}

    def waiting() -> dict[str, Any] | None:
        found = incident()
        return found if found.get("status") == "awaiting_approval" else None

    body = httpx.get(shop.url + "/shop/alert", timeout=5).content
    with agent(shop, tmp_path, port) as process:
        httpx.post(url + "/webhooks/alertmanager", content=body, timeout=5).raise_for_status()
        before = wait_for("the approval", waiting, 60)
        process.kill()
    with agent(shop, tmp_path, port) as process:
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
    with agent(shop, tmp_path, port):
        wait_for("recovery", lambda: incident()["status"] == "resolved", 120)
        [effect] = incident()["effects"]
        assert (effect["state"], effect["verified"]) == ("done", "recovered")
        assert shop.patches() == 1
    settings = {**os.environ, "AGENT_SRE_DATA_DIR": str(tmp_path / "data")}
    verify = subprocess.run(agent_sre("audit", "verify"), env=settings, capture_output=True, text=True, check=False)
    assert verify.returncode == 0, verify.stderr
    assert "chain intact" in verify.stdout
