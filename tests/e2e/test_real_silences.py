"""Silences of a real Alertmanager: read as it means them, made for what we look after, and expired afterwards."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent_sre.adapters.silences_alertmanager import AlertmanagerProbe, AlertmanagerSilences
from agent_sre.adapters.writeback_alertmanager import AlertmanagerSilencer
from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.domain.writeback import Verb, Writeback
from agent_sre.ingest.suppressors import Suppressors
from agent_sre.outbound import Endpoint
from agent_sre.ports.health import CheckState
from tests.e2e.processes import binary, free_port, running, wait_for

NOW = datetime.now(UTC).replace(microsecond=0)
ALERTS = (
    {"alertname": "A", "pod": "checkout-1", "zone": "a"},
    {"alertname": "A", "pod": "cart-1"},
    {"alertname": "B", "pod": "checkout-2", "zone": "b"},
    {"alertname": "C"},
)
SILENCED = (
    [Matcher("alertname", Operator.EQUAL, "A"), Matcher("pod", Operator.MATCHES, "checkout-.*")],
    [Matcher("pod", Operator.EQUAL, ""), Matcher("alertname", Operator.NOT_EQUAL, "A")],
    [Matcher("zone", Operator.NOT_MATCHES, "a|c"), Matcher("alertname", Operator.MATCHES, "[BD]")],
)


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps({"route": {"receiver": "none"}, "receivers": [{"name": "none"}]}))
    command = [
        binary("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={config}",
        f"--storage.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, tmp_path / "alertmanager.log", url + "/-/ready"):
        yield url


def endpoint(url: str) -> Endpoint:
    return Endpoint("Alertmanager", "AGENT_SRE_ALERTMANAGER", url, timeout_seconds=3)


def alert(labels: dict[str, str]) -> Alert:
    fingerprint = fingerprint_of(labels)
    return Alert(fingerprint, AlertStatus.FIRING, labels, {}, NOW, None, NOW, "alertmanager")


def post(url: str, matchers: list[Matcher], comment: str = "test") -> str:
    document = {
        "matchers": [
            {
                "name": one.label,
                "value": one.value,
                "isRegex": one.operator in (Operator.MATCHES, Operator.NOT_MATCHES),
                "isEqual": one.operator in (Operator.EQUAL, Operator.MATCHES),
            }
            for one in matchers
        ],
        "startsAt": NOW.isoformat(),
        "endsAt": (NOW + timedelta(hours=1)).isoformat(),
        "createdBy": "ben",
        "comment": comment,
    }
    answer = httpx.post(url + "/api/v2/silences", json=document)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["silenceID"])


def expire(url: str, silence_id: str) -> None:
    httpx.delete(f"{url}/api/v2/silence/{silence_id}").raise_for_status()


def fire(url: str) -> dict[str, bool]:
    """All alerts fire; whether each is silenced, by fingerprint."""
    httpx.post(url + "/api/v2/alerts", json=[{"labels": labels} for labels in ALERTS]).raise_for_status()

    def seen() -> dict[str, bool] | None:
        found = silenced(url)
        return found if len(found) == len(ALERTS) else None

    return wait_for("the alerts", seen)


def silenced(url: str) -> dict[str, bool]:
    answer = httpx.get(url + "/api/v2/alerts", params={"silenced": "true", "active": "true"}).json()
    return {item["fingerprint"]: bool(item["status"]["silencedBy"]) for item in answer}


@pytest.mark.timeout(90)
async def test_the_same_alerts_are_silenced_here_and_there(alertmanager: str) -> None:
    ids = {post(alertmanager, matchers) for matchers in SILENCED}
    expired = post(alertmanager, [Matcher("alertname", Operator.EQUAL, "C")])
    expire(alertmanager, expired)
    theirs = fire(alertmanager)
    reader = AlertmanagerSilences([endpoint(alertmanager)])
    found = (await reader.silences()).items
    assert {item.id for item in found} == ids
    assert {matcher for item in found for matcher in item.matchers} == {one for group in SILENCED for one in group}
    suppressors = Suppressors(silences=found)
    now = datetime.now(UTC)
    ours = {fingerprint_of(labels): suppressors.suppression(alert(labels), now) is not None for labels in ALERTS}
    assert ours == theirs
    assert sorted(ours.values()) == [False, True, True, True]
    await reader.close()


@pytest.mark.timeout(90)
async def test_peers_are_read_together_and_one_that_is_away_is_a_gap(alertmanager: str) -> None:
    post(alertmanager, SILENCED[0])
    away = endpoint(f"http://127.0.0.1:{free_port()}")
    reader = AlertmanagerSilences([endpoint(alertmanager), endpoint(alertmanager), away])
    found = await reader.silences()
    assert len(found.items) == 1 and "cannot be reached" in found.gap
    await reader.close()
    alone = AlertmanagerSilences([away])
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await alone.silences()
    await alone.close()
    checks = await AlertmanagerProbe([endpoint(alertmanager), away]).check()
    assert [check.state for check in checks] == [CheckState.OK, CheckState.WARNING]


@pytest.mark.timeout(90)
async def test_what_is_acknowledged_is_silenced_once_and_expired_when_that_is_taken_back(alertmanager: str) -> None:
    silencer = AlertmanagerSilencer([endpoint(alertmanager)], timedelta(hours=2))
    alerts = [alert(labels) for labels in ALERTS[:2]]
    item = Writeback("INC-1/3/acknowledge", "INC-1", Verb.ACKNOWLEDGE, "ana", NOW, NOW)

    def active() -> list[dict[str, object]]:
        everything = httpx.get(alertmanager + "/api/v2/silences").json()
        return [one for one in everything if one["status"]["state"] == "active"]

    assert (await silencer.write(item, alerts)).startswith("2 alerts silenced until ")
    assert (await silencer.write(item, alerts)).startswith("2 alerts silenced until ")
    assert len(active()) == 2
    theirs = fire(alertmanager)
    assert sum(theirs.values()) == 2

    snooze = Writeback("INC-1/4/snooze", "INC-1", Verb.SNOOZE, "ana", NOW, NOW, until=NOW + timedelta(hours=5))
    await silencer.write(snooze, alerts)
    assert {one["endsAt"][:19] for one in active()} == {(NOW + timedelta(hours=5)).isoformat()[:19]}  # type: ignore[index]
    assert len(active()) == 2

    # Ours keep Alertmanager quiet, and do not suppress anything here.
    reader = AlertmanagerSilences([endpoint(alertmanager)])
    assert (await reader.silences()).items == ()
    await reader.close()

    other = post(alertmanager, SILENCED[0], "agent_sre looks after INC-10")
    undo = Writeback("INC-1/5/unacknowledge", "INC-1", Verb.UNACKNOWLEDGE, "ana", NOW, NOW)
    assert await silencer.write(undo, alerts) == "2 of our silences expired"
    assert await silencer.write(undo, alerts) == ""
    assert [one["id"] for one in active()] == [other]
    await silencer.close()
