"""A maintenance window made by the command beside a running service, up to its end."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import agent_sre, free_port, running, wait_for
from tests.unit.alerts import message, payload


@dataclass(frozen=True)
class World:
    url: str
    folder: Path
    settings: dict[str, str]

    def command(self, *arguments: str) -> str:
        done = subprocess.run(
            agent_sre(*arguments), cwd=self.folder, env=self.settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fire(self) -> None:
        httpx.post(self.url + "/webhooks/alertmanager", json=payload(message(fires=50))).raise_for_status()

    def incident(self) -> dict[str, object] | None:
        found = httpx.get(self.url + "/api/incidents").json()["incidents"]
        return found[0] if found else None

    def story(self) -> list[str]:
        incident = self.incident() or {}
        told = httpx.get(f"{self.url}/api/incidents/{incident['id']}").json()["timeline"]
        return [entry["text"] for entry in told]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    port = free_port()
    settings = {
        "AGENT_SRE_PORT": str(port),
        "AGENT_SRE_DATA_DIR": str(tmp_path / "data"),
        "AGENT_SRE_KUBERNETES": "off",
        "AGENT_SRE_POLL_SECONDS": "0.2",
    }
    url = f"http://127.0.0.1:{port}"
    with running(agent_sre("serve"), tmp_path / "agent.log", url + "/readyz", env=settings, cwd=tmp_path):
        yield World(url, tmp_path, settings)


def held(world: World) -> bool:
    incident = world.incident()
    return incident is not None and incident["hold"] is not None


def handed_over(world: World) -> bool:
    incident = world.incident()
    return incident is not None and incident["status"] == "escalated"


@pytest.mark.timeout(170)
def test_an_alert_in_a_window_waits_for_its_end_and_is_then_investigated(world: World) -> None:
    made = world.command(
        "maintenance", "add", "namespace=shop", "--for", "20s", "--comment", "db upgrade", "--by", "ana"
    )
    assert "active" in made and "by ana" in made
    world.fire()
    wait_for("the held incident", lambda: held(world))
    assert any("suppressed by maintenance window" in text and "'db upgrade'" in text for text in world.story())
    assert not any("Investigation 1 started" in text for text in world.story())
    wait_for("the investigation", lambda: handed_over(world), 60)
    story = world.story()
    taken_up = next(n for n, text in enumerate(story) if text.startswith("Taken up"))
    assert any("Investigation 1 started" in text for text in story[taken_up:])


@pytest.mark.timeout(170)
def test_a_window_ended_by_the_command_and_a_mute_beside_the_running_service(world: World) -> None:
    window_id = world.command("maintenance", "add", "namespace=shop", "--for", "2h").split()[0]
    world.fire()
    wait_for("the held incident", lambda: held(world))
    incident_id = str((world.incident() or {})["id"])
    world.command("incident", "mute", incident_id, "--by", "ana", "--reason", "known")
    world.command("maintenance", "end", window_id)
    (listed,) = json.loads(world.command("maintenance", "list", "--json"))
    assert listed["state"] == "over"
    world.fire()
    wait_for("the second message", lambda: any("ana muted" in text for text in world.story()))
    assert not any("Investigation" in text for text in world.story())
    world.command("incident", "unmute", incident_id, "--by", "ana")
    wait_for("the investigation", lambda: handed_over(world), 60)
    assert "chain intact" in world.command("audit", "verify")
