"""Alertmanager's side of the contract: what it posts, is answered, and what is kept (faults, rows 1-3, 9, 11, 35)."""

import asyncio
import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from agent_sre.domain.incident import IncidentStatus
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from tests.contract.http_server import MAX_BYTES, PATH, Build, running
from tests.unit.alerts import message, payload

SMALL = payload(message(fires=0))


async def test_accepted_alerts_are_in_the_inbox_when_the_answer_comes() -> None:
    async with running() as server:
        answer = await server.post(payload(message(fires=0), message(fires=1, pod="b")))
        assert (answer.status_code, answer.json()) == (202, {"accepted": 2, "truncated": 0})
        assert len(await server.store.inbox.pending(10)) == 2
        assert await server.metric('agent_sre_alerts_accepted_total{source="alertmanager"}') == 2


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in SMALL.items() if key != name}


def labelled(labels: object) -> dict[str, Any]:
    return {**SMALL, "alerts": [{**SMALL["alerts"][0], "labels": labels}]}


ROW_1 = {
    "alerts missing": json.dumps(without("alerts")).encode(),
    "alerts null": json.dumps({**SMALL, "alerts": None}).encode(),
    "alerts a string": json.dumps({**SMALL, "alerts": "firing"}).encode(),
    "labels a list": json.dumps(labelled(["alertname"])).encode(),
    "truncated": json.dumps(SMALL).encode()[:-40],
}
ROW_9 = {
    "deep": b'{"alerts":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "NaN": b'{"alerts": [], "truncatedAlerts": NaN}',
    "Infinity": b'{"alerts": [], "truncatedAlerts": -Infinity}',
    "duplicate keys": json.dumps(SMALL).encode()[:-1] + b', "alerts": []}',
    "lone surrogate": json.dumps(labelled({"alertname": "\ud800"})).encode(),
    "NUL in a label": json.dumps(labelled({"alertname": "a\0b"})).encode(),
    "NUL in a label's name": json.dumps(labelled({"alert\0name": "a"})).encode(),
    "not UTF-8": b'{"alerts": "\xff"}',
}


@pytest.mark.parametrize("body", [*ROW_1.values(), *ROW_9.values()], ids=[*ROW_1, *ROW_9])
async def test_what_cannot_be_read_is_refused_for_good_and_kept(body: bytes) -> None:
    async with running() as server:
        answer = await server.raw(body)
        assert answer.status_code == 400
        assert set(answer.json()) == {"error", "fix"}
        (kept,) = await server.store.inbox.quarantined(10)
        assert (kept.body, kept.size) == (body[:4096], len(body))
        assert await server.incidents() == ()
        assert await server.metric('agent_sre_webhook_requests_total{outcome="unreadable"') == 1


async def test_row_2_an_incomplete_message_is_accepted_and_the_incident_says_so() -> None:
    async with running() as server:
        answer = await server.post({**SMALL, "truncatedAlerts": 37})
        assert (answer.status_code, answer.json()["truncated"]) == (202, 37)
        (incident,) = await server.incidents()
        assert incident.truncated == 37
        timeline = await server.store.journal.timeline(incident.id)
        assert any("left out 37 further alerts" in entry.text for entry in timeline)


async def test_row_3_both_forms_of_one_alert_are_one() -> None:
    plain = {"startsAt": "2026-01-05T12:00:00.123456Z", "endsAt": "0001-01-01T00:00:00Z"}
    offset = {"startsAt": "2026-01-05T14:00:00.123456789+02:00", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": ""}
    async with running() as server:
        for fields in (plain, offset):
            answer = await server.post({**SMALL, "alerts": [{**SMALL["alerts"][0], **fields}]})
            assert answer.status_code == 202
        (incident,) = await server.incidents()
        (alert,) = await server.store.incidents.alerts(incident.id)
        assert (incident.alerts, incident.firing) == (2, 1)
        assert alert.starts_at.isoformat() == "2026-01-05T12:00:00.123456+00:00"
        assert alert.ends_at is None


async def test_row_11_a_thousand_posts_from_three_peers_are_one_incident() -> None:
    async with running() as server:
        limit = asyncio.Semaphore(20)

        async def post(peer: int) -> int:
            async with limit:
                document = {**SMALL, "externalURL": f"http://alertmanager-{peer}.example"}
                return (await server.post(document)).status_code

        answers = await asyncio.gather(*(post(number % 3) for number in range(1_000)))
        assert set(answers) == {202}
        (incident,) = await server.incidents()
        assert (incident.alerts, incident.firing, incident.run) == (1_000, 1, 1)


async def test_resolved_resolves_and_the_late_firing_message_does_not_reopen() -> None:
    async with running() as server:
        for alert in (message(fires=0), message(fires=0, ended=5), message(fires=0)):
            await server.post(payload(alert))
            await server.incidents()
        (incident,) = await server.incidents()
        assert (incident.status, incident.run, incident.alerts) == (IncidentStatus.RESOLVED, 1, 3)


async def test_a_store_that_is_down_is_503_and_nothing_is_acknowledged() -> None:
    async with running() as server:
        server.failing.down = True
        answer = await server.post(SMALL)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
        assert set(answer.json()) == {"error", "fix"}
        assert (await server.raw(b"not json")).status_code == 503
        server.failing.down = False
        assert await server.store.inbox.pending(10) == ()
        assert (await server.post(SMALL)).status_code == 202
        assert len(await server.store.inbox.pending(10)) == 1


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("application/vnd.alertmanager+json", 202),
        ("text/plain", 202),
        ("", 202),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/html", 415),
        ("image/png", 415),
    ],
)
async def test_only_what_is_clearly_not_json_is_an_unsupported_type(kind: str, status: int) -> None:
    async with running() as server:
        assert (await server.raw(json.dumps(SMALL).encode(), Content_Type=kind)).status_code == status


async def test_with_a_token_configured_only_its_holder_may_post() -> None:
    async with running(Build(auth=WebhookAuth("correct-horse"))) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic Y29ycmVjdC1ob3JzZQ=="}):
            answer = await server.post(SMALL, headers=headers)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            assert "correct-horse" not in answer.text
        assert (await server.post(SMALL, headers={"Authorization": "Bearer correct-horse"})).status_code == 202
        assert len(await server.store.inbox.pending(10)) == 1
        assert await server.store.inbox.quarantined(10) == ()


async def test_a_source_without_a_secret_is_refused_unless_it_is_declared_open() -> None:
    async with running(Build(auth=WebhookAuth())) as server:
        answer = await server.post(SMALL)
        assert answer.status_code == 401
        assert "AGENT_SRE_ALERTMANAGER_TOKEN" in answer.json()["fix"]
    async with running() as server:
        assert (await server.post(SMALL)).status_code == 202
        assert (await server.post(SMALL, headers={"Origin": "https://evil.example"})).status_code == 401


# --------------------------------------------------------------------------------------------------- sizes and times


async def test_a_gzip_body_is_unpacked() -> None:
    async with running() as server:
        body = gzip.compress(json.dumps(SMALL).encode())
        assert (await server.raw(body, Content_Encoding="gzip")).status_code == 202
        assert len(await server.store.inbox.pending(10)) == 1


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * (MAX_BYTES + 1)), "gzip", 413),
        (gzip.compress(json.dumps(SMALL).encode())[:-10], "gzip", 400),
        (gzip.compress(json.dumps(SMALL).encode()) + b"more", "gzip", 400),
        (b"not gzip", "gzip", 400),
        (zlib.compress(b"{}"), "deflate", 415),
        (b"{}", "br", 415),
    ],
    ids=["one byte too much", "cut", "goes on", "not gzip", "deflate", "brotli"],
)
async def test_bodies_that_cannot_or_may_not_be_unpacked(body: bytes, encoding: str, status: int) -> None:
    async with running() as server:
        answer = await server.raw(body, Content_Encoding=encoding)
        assert answer.status_code == status
        assert set(answer.json()) == {"error", "fix"}
        assert await server.store.inbox.pending(10) == ()


async def test_a_body_of_just_the_limit_is_read_and_one_byte_more_is_not() -> None:
    body = json.dumps(SMALL).encode()
    async with running() as server:
        assert (await server.raw(body.ljust(MAX_BYTES))).status_code == 202
        assert (await server.raw(body.ljust(MAX_BYTES + 1))).status_code == 413
        assert (await server.raw(gzip.compress(body.ljust(MAX_BYTES)), Content_Encoding="gzip")).status_code == 202


async def test_a_chunked_body_is_counted_as_it_arrives() -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b" " * 65_536

    async with running() as server:
        answer = await server.client.post(PATH, content=pieces(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert await server.metric('agent_sre_webhook_requests_total{outcome="too_large"') == 1


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async with running(Build(body_seconds=0.1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        status = await reader.readline()
        writer.close()
        assert b" 408 " in status


async def test_a_client_that_leaves_in_the_middle_is_no_error_of_ours() -> None:
    async with running() as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        while not await server.metric('agent_sre_webhook_requests_total{outcome="gone"'):
            continue  # each look is a request, which lets the server go on
        assert await server.metric("agent_sre_unforeseen_errors_total{") == 0


# ----------------------------------------------------------------------------------- health, headers, the last resort


async def test_health_and_readiness() -> None:
    async with running() as server:
        assert (await server.client.get("/healthz")).status_code == 200
        answer = await server.client.get("/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (200, True)
        assert [check["subject"] for check in answer.json()["checks"]] == ["store", "worker"]
        server.failing.down = True
        assert (await server.client.get("/readyz")).status_code == 503
        assert (await server.client.get("/healthz")).status_code == 200
        server.failing.down = False
        await server.worker.stop(1)
        answer = await server.client.get("/readyz")
        assert (answer.status_code, answer.json()["checks"][1]["state"]) == (503, "failed")


async def test_metrics_have_no_label_from_outside() -> None:
    async with running() as server:
        await server.post(payload(replace(message(fires=0, name="NameFromOutside"), group_key="key-from-outside")))
        await server.client.get("/path-from-outside")
        await server.incidents()
        text = (await server.client.get("/metrics")).text
        assert "outside" not in text.lower()
        assert 'agent_sre_incidents{status="open"} 1.0' in text
        assert "agent_sre_accept_seconds_bucket" in text


async def fails(request: Request) -> Response:
    raise RuntimeError("secret-in-an-exception")


async def fails_halfway(request: Request) -> Response:
    async def pieces() -> Any:
        yield b"half"
        raise RuntimeError("secret-in-an-exception")

    return StreamingResponse(pieces())


async def page(request: Request) -> Response:
    return PlainTextResponse("page", headers={"Content-Security-Policy": "default-src 'self'"})


ROUTES = (Route("/fails", fails), Route("/fails-halfway", fails_halfway), Route("/page", page))


async def test_an_unforeseen_error_is_answered_with_an_id_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async with running(Build(extra_routes=ROUTES)) as server:
        answer = await server.client.get("/fails")
        assert answer.status_code == 500
        assert set(answer.json()) == {"error", "error_id", "fix"}
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        with pytest.raises(httpx.RemoteProtocolError):
            await server.client.get("/fails-halfway")
        assert await server.metric("agent_sre_unforeseen_errors_total{") == 2
        assert (await server.post(SMALL)).status_code == 202


async def test_every_answer_has_the_security_headers_and_a_page_may_set_its_own() -> None:
    async with running(Build(extra_routes=ROUTES)) as server:
        for answer in (await server.post(SMALL), await server.client.get("/nowhere"), await server.raw(b"{")):
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
        assert (await server.client.get("/page")).headers["content-security-policy"] == "default-src 'self'"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", PATH, 405), ("POST", "/webhooks/unknown", 404)])
async def test_other_paths_and_methods_are_told_what_to_use(method: str, path: str, status: int) -> None:
    async with running() as server:
        answer = await server.client.request(method, path)
        assert (answer.status_code, set(answer.json())) == (status, {"error", "fix"})
