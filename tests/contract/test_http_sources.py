"""Every source over HTTP: taken, refused, proven, counted (faults, rows 4 to 9 and the table of authentication)."""

import hmac
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest

from agent_sre.adapters.sns_signature import Certificates, SnsProof
from agent_sre.entrypoints.quota import Quota
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.entrypoints.webhook_signature import PagerDutySignature, SignedMessage
from agent_sre.service.alert_sources import SOURCES
from agent_sre.testing.clock import FrozenClock
from tests.contract.http_server import Build, Running, running
from tests.unit.recorded_payloads import body, document, shapes

LOOPBACK = {"127.0.0.1", "::1"}
_attempts: list[list[str]] = []


def _note_connection(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook cannot be removed; without a list to fill it does nothing."""
    if not _attempts or event not in {"socket.connect", "socket.getaddrinfo"}:
        return
    host = arguments[1][0] if event == "socket.connect" and isinstance(arguments[1], tuple) else arguments[0]
    if str(host) not in LOOPBACK:
        _attempts[-1].append(f"{event} {host}")


sys.addaudithook(_note_connection)


@contextmanager
def connections() -> Iterator[list[str]]:
    """Every attempt of this process to reach or look up anything but loopback."""
    _attempts.append([])
    try:
        yield _attempts[-1]
    finally:
        _attempts.pop()


async def post(server: Running, path: str, content: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    given = {name.replace("_", "-"): text for name, text in headers.items()}
    answer = await server.client.post(f"/webhooks/{path}", content=content, headers=given)
    assert set(answer.json()) in ({"error", "fix"}, {"accepted", "truncated"}, {"accepted", "truncated", "ignored"})
    return answer.status_code, answer.json()


async def pending(server: Running) -> int:
    return len(await server.store.inbox.pending(10_000))


async def test_every_recorded_payload_is_taken_or_ignored_by_name() -> None:
    async with running() as server:
        for source, shape in shapes():
            if shape == "ignored_url_verification":
                continue  # answered with what Slack wants to hear: tests/contract/test_http_slack.py
            status, answer = await post(server, source, body(source, shape))
            assert status == 202, (source, shape, answer)
            assert ("ignored" in answer) == shape.startswith("ignored")
            assert (answer["accepted"] == 0) == shape.startswith("ignored")
        incidents = await server.incidents()
        folded = [alert for incident in incidents for alert in await server.store.incidents.alerts(incident.id)]
        assert {alert.source for alert in folded} == set(SOURCES)
        # Nearly all tell of one service: what is correlated is one incident, whoever told.
        assert len(incidents) < len(folded)


ROW_9 = {
    "empty": b"",
    "cut": b'{"a": ',
    "deep": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "NaN": b'{"a": NaN}',
    "duplicate keys": b'{"a": 1, "a": 2}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "null": b"null",
    "a number": b"7",
    "a text": b'"a"',
    "a list": b"[7]",
    "nothing in it": b"{}",
    "huge": b'{"a": "' + b"x" * 1_100_000 + b'"}',
    "a bomb of values": b"[" + b"{}," * 300_000 + b"{}]",
}


@pytest.mark.parametrize("source", SOURCES)
async def test_row_9_at_every_source(source: str) -> None:
    async with running() as server:
        for name, content in ROW_9.items():
            status, answer = await post(server, source, content, Content_Type="application/json")
            assert status in {400, 413}, (name, answer)
        assert await pending(server) == 0
        assert await server.metric("agent_sre_unforeseen_errors_total{") == 0


async def test_row_5_a_pagerduty_event_is_taken_once_and_only_when_signed() -> None:
    door = Door(WebhookAuth(), "AGENT_SRE_PAGERDUTY_SECRET", PagerDutySignature("s"), signs=True)
    content = body("pagerduty", "firing")
    right = hmac.new(b"s", content, sha256).hexdigest()
    async with running(Build(doors={"pagerduty": door})) as server:
        assert (await post(server, "pagerduty", content))[0] == 401
        assert (await post(server, "pagerduty", content, X_PagerDuty_Signature="v1=" + "0" * 64))[0] == 403
        assert (await post(server, "pagerduty", content + b" ", X_PagerDuty_Signature=f"v1={right}"))[0] == 403
        assert await pending(server) == 0
        for _ in range(3):
            assert (await post(server, "pagerduty", content, X_PagerDuty_Signature=f"v1={'0' * 64},v1={right}"))[
                0
            ] == 202
        assert await pending(server) == 1
        assert await server.metric('agent_sre_webhook_requests_total{outcome="unauthorized",source="pagerduty"}') == 3
        assert await server.store.inbox.quarantined(10) == (), "what is not proven is not kept"


async def test_row_7_datadog_may_send_a_form_and_others_may_not() -> None:
    form = b"alert_id=1&transition=Triggered&title=High&scope=host%3Aa"
    async with running() as server:
        assert (await post(server, "datadog", form, Content_Type="application/x-www-form-urlencoded"))[0] == 202
        assert (await post(server, "generic", form, Content_Type="application/x-www-form-urlencoded"))[0] == 415
        assert (await post(server, "datadog", b"a=1&a=2", Content_Type="application/x-www-form-urlencoded"))[0] == 400


async def test_row_8_nothing_is_contacted_before_a_message_is_proven() -> None:
    """Neither the SubscribeURL nor a certificate's address, and afterwards only Amazon's own."""
    asked: list[str] = []

    async def fetch(host: str, path: str) -> bytes:
        asked.append(host)
        return b"no certificate"

    topic = "arn:aws:sns:eu-west-1:123456789012:alarms"
    proof = SnsProof(frozenset({topic}), Certificates(fetch), FrozenClock())
    doors = {"cloudwatch": Door(WebhookAuth(), "AGENT_SRE_CLOUDWATCH_TOPICS", SignedMessage(proof), signs=True)}
    with connections() as attempts:
        async with running(Build(doors=doors)) as server:
            for shape in ("firing", "ignored_subscription", "ignored_unsubscribe"):
                message = document("cloudwatch", shape)
                for changes in (
                    {"SigningCertURL": "https://evil.example/SimpleNotificationService-0123456789.pem"},
                    {"SubscribeURL": "https://evil.example/"},
                    {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:alarms"},
                ):
                    content = json.dumps({**message, **changes}).encode()
                    assert (await post(server, "cloudwatch", content, Content_Type="text/plain"))[0] == 403
            assert await pending(server) == 0
        assert attempts == []
    assert asked == [], "the recorded Signature and certificate path are not Amazon's form"


async def test_a_proven_confirmation_is_told_and_never_followed() -> None:
    with connections() as attempts:
        async with running() as server:
            status, answer = await post(server, "cloudwatch", body("cloudwatch", "ignored_subscription"))
            assert (status, answer["accepted"]) == (202, 0)
            assert "waits to be confirmed by an operator" in answer["ignored"]
    assert attempts == []


async def test_a_webhook_without_secret_is_closed_and_says_what_opens_it() -> None:
    closed = {name: Door(WebhookAuth(), f"AGENT_SRE_{name.upper()}_TOKEN") for name in SOURCES}
    async with running(Build(doors=closed)) as server:
        for name in SOURCES:
            status, answer = await post(server, name, b"{}", Authorization="Bearer x")
            assert status == 401
            assert f"AGENT_SRE_{name.upper()}_TOKEN" in answer["fix"]
        assert await server.store.inbox.quarantined(10) == ()


async def test_over_its_quota_a_source_is_told_when_to_come_back_and_strangers_cannot_use_it_up() -> None:
    limited = Door(WebhookAuth("t"), "AGENT_SRE_GENERIC_TOKEN", quota=Quota(rate=0.25, burst=2, monotonic=lambda: 0.0))
    other = Door(WebhookAuth("t"), "AGENT_SRE_AZURE_TOKEN")
    content = body("generic", "firing")
    async with running(Build(doors={"generic": limited, "azure": other})) as server:
        for _ in range(5):
            assert (await post(server, "generic", content, Authorization="Bearer wrong"))[0] == 401
        statuses = [(await post(server, "generic", content, Authorization="Bearer t"))[0] for _ in range(3)]
        assert statuses == [202, 202, 429]
        answer = await server.client.post("/webhooks/generic", content=content, headers={"Authorization": "Bearer t"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
        assert (await post(server, "azure", body("azure", "firing"), Authorization="Bearer t"))[0] == 202
        assert await server.metric('agent_sre_webhook_requests_total{outcome="over_quota",source="generic"}') == 2


async def test_a_key_in_the_path_opens_a_webhook() -> None:
    keyed = Door(WebhookAuth(), "AGENT_SRE_GOOGLE_TOKEN", route_key="k3y")
    async with running(Build(doors={"google": keyed})) as server:
        content = body("google", "firing")
        assert [(await post(server, path, content))[0] for path in ("google/k3y", "google/k3x", "google")] == [
            202,
            401,
            401,
        ]


async def test_cloudevents_come_structured_batched_and_binary() -> None:
    async with running() as server:
        assert (await post(server, "cloudevents", body("cloudevents", "grouped")))[1]["accepted"] == 2
        event = document("cloudevents", "firing")
        attributes = {f"ce_{name}": event[name] for name in ("specversion", "source", "type", "subject", "time")}
        data = json.dumps(event["data"]).encode()
        kind = "application/json"
        status, answer = await post(server, "cloudevents", data, Content_Type=kind, ce_id="A-9", **attributes)
        assert (status, answer["accepted"]) == (202, 1)
        assert (await post(server, "cloudevents", b"{", Content_Type=kind, ce_id="A-8", **attributes))[0] == 400
        alerts = [alert for _, alert in await server.store.inbox.pending(10)]
        assert alerts[0].fingerprint == alerts[2].fingerprint
        assert [alert.message_id for alert in alerts] == [f"https://mon.example/rules A-{n}" for n in (1, 3, 9)]


async def test_a_broker_that_may_post_is_agreed_to() -> None:
    doors = {
        "cloudevents": Door(WebhookAuth(), "AGENT_SRE_CLOUDEVENTS_TOKEN", route_key="k"),
        "azure": Door(WebhookAuth()),
    }
    async with running(Build(doors=doors)) as server:
        asked = {"WebHook-Request-Origin": "eventgrid.azure.net"}
        answer = await server.client.options("/webhooks/cloudevents/k", headers=asked)
        assert (answer.status_code, answer.headers["webhook-allowed-origin"]) == (200, "eventgrid.azure.net")
        assert (await server.client.options("/webhooks/cloudevents/k")).status_code == 400
        assert (await server.client.options("/webhooks/cloudevents", headers=asked)).status_code == 401
        assert (await server.client.options("/webhooks/azure", headers=asked)).status_code == 405


async def test_sentrys_other_resources_are_ignored_by_name() -> None:
    async with running() as server:
        content = json.dumps({"action": "created", "data": {"installation": {}}}).encode()
        status, answer = await post(server, "sentry", content, Sentry_Hook_Resource="installation")
        assert (status, answer["ignored"]) == (202, "installation holds no alert")
        assert (await post(server, "sentry", body("sentry", "firing"), Sentry_Hook_Resource="event_alert"))[0] == 202


async def test_the_webhooks_describe_themselves() -> None:
    async with running() as server:
        answer = await server.client.get("/openapi.json")
        assert answer.status_code == 200
        assert set(SOURCES) <= {path.split("/")[2] for path in answer.json()["paths"]}
