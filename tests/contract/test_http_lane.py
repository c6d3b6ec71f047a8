"""A plain post takes a short way through the application; its answer is the one that the long way gives."""

import json

import httpx
import pytest

from agent_sre.entrypoints.webhook_auth import WebhookAuth
from tests.contract.http_server import MAX_BYTES, PATH, Build, running
from tests.unit.alerts import message, payload

GOOD = json.dumps(payload(message(fires=0))).encode()
BODIES = {"good": GOOD, "broken": GOOD[:-9], "no alert": b"{}", "empty": b"", "large": b" " * (MAX_BYTES + 1)}


def told(answer: httpx.Response) -> tuple[int, object, dict[str, str]]:
    varying = {"date", "content-length", "connection"}
    return answer.status_code, answer.json(), {k: v for k, v in answer.headers.items() if k not in varying}


@pytest.mark.parametrize("name", BODIES)
async def test_both_ways_answer_alike(name: str) -> None:
    body = BODIES[name]

    async def chunks() -> object:
        yield body

    async with running() as server:
        headers = {"Content-Type": "application/json"}
        short = await server.client.post(PATH, content=body, headers=headers)
        long = await server.client.post(PATH, content=chunks(), headers=headers)  # type: ignore[arg-type]
        assert told(short) == told(long)
        assert await server.metric("agent_sre_webhook_requests_total{") == 2


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/html"}, {"Origin": "https://elsewhere.example"}])
async def test_both_ways_turn_away_alike(headers: dict[str, str]) -> None:
    async def chunks() -> object:
        yield GOOD

    async with running(Build(auth=WebhookAuth("s3cret"))) as server:
        short = await server.client.post(PATH, content=GOOD, headers=headers)
        long = await server.client.post(PATH, content=chunks(), headers=headers)  # type: ignore[arg-type]
        assert told(short) == told(long)
        assert short.status_code == 401
