"""A configured source that is away: the alert is taken in, the incident says what could not be looked at."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from agent_sre.testing.shop.alertmanager import payload
from tests.e2e.processes import agent_sre, free_port, running, wait_for


def test_a_prometheus_that_is_down_becomes_a_gap(tmp_path: Path) -> None:
    port, dead = free_port(), f"http://127.0.0.1:{free_port()}"
    url = f"http://127.0.0.1:{port}"
    env = {
        "AGENT_SRE_PORT": str(port),
        "AGENT_SRE_DATA_DIR": str(tmp_path / "data"),
        "AGENT_SRE_KUBERNETES": "off",
        "AGENT_SRE_PROMETHEUS_URL": dead,
    }
    with running(agent_sre("serve"), tmp_path / "log", url + "/readyz", env=env, cwd=tmp_path):
        accepted = httpx.post(url + "/webhooks/alertmanager", json=payload("firing", datetime.now(UTC), None))
        assert accepted.status_code < 300

        def answer() -> dict[str, Any] | None:
            rows = httpx.get(url + "/api/incidents").json()["incidents"]
            found = httpx.get(f"{url}/api/incidents/{rows[0]['id']}").json() if rows else {}
            return found.get("answer")

        found = wait_for("the answer", answer, 60)
    assert found["status"] == "inconclusive"
    assert any(dead in gap["reason"] for gap in found["gaps"] if gap["source"] == "metrics")
    assert {"metrics", "kubernetes", "logs"} <= {gap["source"] for gap in found["gaps"]}
