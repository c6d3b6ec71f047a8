"""Slack's door over HTTP: proven, fresh, of our workspace, from a channel that counts, and each message once."""

import hmac
from hashlib import sha256

import pytest

from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.entrypoints.webhook_signature import SlackSignature
from tests.contract.http_server import Build, Running, running
from tests.unit.alerts import at
from tests.unit.recorded_payloads import body

NOW = int(at(60).timestamp())
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


def build(*teams: str) -> Build:
    made = Build()
    signature = SlackSignature(SECRET, frozenset(teams or ("T0SHOP",)), made.clock.now)
    made.doors = {"slack": Door(WebhookAuth(), "AGENT_SRE_SLACK_SECRET", signature, signs=True)}
    return made


async def post(
    server: Running, content: bytes, *, stamp: int = NOW, secret: str = SECRET, signed: bytes | None = None
) -> tuple[int, dict[str, object]]:
    base = f"v0:{stamp}:".encode() + (content if signed is None else signed)
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": str(stamp),
        "X-Slack-Signature": "v0=" + hmac.new(secret.encode(), base, sha256).hexdigest(),
    }
    answer = await server.client.post("/webhooks/slack", content=content, headers=headers)
    return answer.status_code, answer.json()


async def pending(server: Running) -> int:
    return len(await server.store.inbox.pending(100))


async def test_a_signed_message_is_taken_once_however_often_it_is_delivered() -> None:
    content = body("slack", "firing")
    async with running(build()) as server:
        for _ in range(3):
            assert (await post(server, content))[0] == 202
        again = content.replace(b"Ev0000001", b"Ev0000777")
        assert (await post(server, again))[0] == 202
        assert await pending(server) == 1


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"secret": "wrong"}, 403),
        ({"signed": b"{}"}, 403),
        ({"stamp": NOW - 301}, 403),
        ({"stamp": NOW + 301}, 403),
    ],
)
async def test_forged_and_replayed_messages_are_refused_and_not_kept(options: dict[str, object], status: int) -> None:
    async with running(build()) as server:
        assert (await post(server, body("slack", "firing"), **options))[0] == status  # type: ignore[arg-type]
        assert (await pending(server), await server.store.inbox.quarantined(5)) == (0, ())


async def test_a_message_without_a_signature_is_refused() -> None:
    async with running(build()) as server:
        answer = await server.client.post("/webhooks/slack", content=body("slack", "firing"))
        assert (answer.status_code, await pending(server)) == (401, 0)


async def test_another_workspace_is_refused_although_its_signature_is_right() -> None:
    async with running(build("T0OTHER")) as server:
        status, answer = await post(server, body("slack", "firing"))
        assert (status, answer["error"]) == (403, "the message is of another workspace")


async def test_another_channel_is_ignored_so_that_slack_does_not_give_up() -> None:
    async with running(build()) as server:
        status, answer = await post(server, body("slack", "firing").replace(b"C0ALERTS", b"C0RANDOM"))
        assert (status, answer["accepted"]) == (202, 0)
        assert answer["ignored"] == "C0RANDOM is not among the places that count"
        assert await pending(server) == 0


async def test_the_challenge_is_answered_only_to_who_can_sign() -> None:
    content = body("slack", "ignored_url_verification")
    async with running(build()) as server:
        assert (await post(server, content, secret="wrong"))[0] == 403
        status, answer = await post(server, content)
        assert status == 200
        assert answer == {"challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}
