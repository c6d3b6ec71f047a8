"""The changes' webhook over HTTP: committed before the answer, secrets gone, fail closed, CloudEvents in both modes."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from tests.contract.http_server import Build, Running, running
from tests.unit.alerts import at

PATH = "/webhooks/changes"


async def kept(server: Running) -> tuple[Change, ...]:
    return await server.store.changes.changes((), Window(at(0) - timedelta(days=1), at(120)))


async def post(server: Running, document: Any, **headers: str) -> httpx.Response:
    return await server.client.post(PATH, json=document, headers=headers)


async def test_a_change_is_kept_when_the_answer_comes() -> None:
    async with running() as server:
        answer = await post(server, {"summary": "flag on", "kind": "feature_flag", "target": "new-cart"})
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
        (found,) = await kept(server)
        assert (found.target, found.time) == ("new-cart", server.clock.now())
        assert await server.incidents() == ()


async def test_a_secret_in_a_diff_is_gone_before_it_is_stored() -> None:
    async with running() as server:
        await post(server, {"summary": "rotate", "diff": "+DB_PASSWORD=hunter2-canary"})
        (found,) = await kept(server)
        assert "hunter2" not in found.diff
        assert "[redacted:" in found.diff


async def test_a_cloud_event_in_binary_mode() -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "e-9",
        "ce-type": "app.deployed",
        "ce-subject": "basket",
        "ce-source": "cd",
    }
    async with running() as server:
        answer = await post(server, {"summary": "basket 1.5"}, **headers)
        assert answer.status_code == 202
        (found,) = await kept(server)
        assert (found.id, found.kind, found.target, found.summary) == ("e-9", "deploy", "basket", "basket 1.5")


@pytest.mark.parametrize("many", [False, True])
async def test_a_cloud_event_in_structured_mode_and_a_batch(many: bool) -> None:
    event = {
        "specversion": "1.0",
        "id": "e-9",
        "type": "com.example.flag.updated",
        "source": "flags",
        "subject": "new-cart",
        "time": "2026-01-05T11:30:00Z",
        "datacontenttype": "application/json",
        "data": {"summary": "new-cart on for everybody", "author": "kim"},
    }
    kind = "application/cloudevents-batch+json" if many else "application/cloudevents+json"
    body = [event, {**event, "id": "e-10"}] if many else event
    async with running() as server:
        answer = await post(server, body, **{"content-type": f"{kind}; charset=utf-8"})
        assert (answer.status_code, answer.json()["accepted"]) == (202, 2 if many else 1)
        found = await kept(server)
        assert {item.id for item in found} == ({"e-9", "e-10"} if many else {"e-9"})
        assert {(item.kind, item.target, item.summary) for item in found} == {
            ("feature_flag", "new-cart", "new-cart on for everybody")
        }


async def test_what_a_flag_service_sends_by_the_documented_template() -> None:
    document = {
        "kind": "feature_flag",
        "target": "new-cart",
        "summary": "feature-environment-enabled: new-cart in production",
        "author": "kim@example.com",
        "id": "1337",
    }
    async with running() as server:
        assert (await post(server, document)).status_code == 202
        (found,) = await kept(server)
        assert (found.kind, found.id, found.target) == ("feature_flag", "1337", "new-cart")


async def test_a_binary_event_that_is_no_json_is_refused_and_kept_in_quarantine() -> None:
    async with running() as server:
        headers = {"ce-specversion": "1.0", "ce-id": "e-9", "content-type": "application/json"}
        answer = await server.client.post(PATH, content=b'{"summary": ', headers=headers)
        assert answer.status_code == 400
        assert len(await server.store.inbox.quarantined(5)) == 1
        assert await kept(server) == ()


async def test_without_the_token_nothing_is_taken() -> None:
    async with running(Build(auth=WebhookAuth("s3cret"))) as server:
        assert (await post(server, {"summary": "x"})).status_code == 401
        assert (await post(server, {"summary": "x"}, Authorization="Bearer s3cret")).status_code == 202
    async with running(Build(auth=WebhookAuth())) as server:
        refused = await post(server, {"summary": "x"})
        assert (refused.status_code, "AGENT_SRE_CHANGES_TOKEN" in refused.json()["fix"]) == (401, True)
