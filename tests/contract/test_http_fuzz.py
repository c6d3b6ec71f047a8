"""Thousands of broken requests at every webhook: each is answered, none with a 5xx, and nothing grows."""

import random
import resource
from collections import Counter

import pytest

from agent_sre.service.alert_sources import SOURCES
from tests.contract.http_server import Running, running
from tests.unit.recorded_payloads import body, shapes

REQUESTS = 120
TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "",
    "application/cloudevents+json",
    "a;;",
)
PIECES = (
    b"\0",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\",
    b"\\ud800",
    b"\xff",
    b"null",
    b"1e400",
    b"-1",
    b"$X",
    b"\xf0\x9f\x98",
)


def broken(source: str, chance: random.Random) -> bytes:
    """A recorded payload of any source with a few bytes cut, moved, doubled or put in."""
    own = [(name, shape) for name, shape in shapes() if name == source] or shapes()  # changes: anything
    made = bytearray(body(*chance.choice(own if chance.random() < 0.8 else shapes())))
    for _ in range(chance.randint(0, 4)):
        start = chance.randrange(len(made))
        end = min(start + chance.randint(1, 60), len(made))
        match chance.randrange(4):
            case 0:
                del made[start:end]
            case 1:
                made[start:start] = chance.choice(PIECES)
            case 2:
                made[start:start] = made[start:end] * chance.randint(1, 30)
            case _:
                made[start:end] = bytes(chance.randrange(256) for _ in range(end - start))
        if not made:
            return b""
    return bytes(made)


async def fuzz(server: Running, source: str, seed: str) -> Counter[int]:
    chance = random.Random(seed)  # noqa: S311
    statuses: Counter[int] = Counter()
    for _ in range(REQUESTS):
        headers = {"Content-Type": chance.choice(TYPES)}
        if chance.random() < 0.1:
            headers |= {
                "ce-specversion": "1.0",
                "ce-id": "1",
                "ce-source": "s",
                "ce-type": chance.choice(["a.firing", ""]),
            }
        if chance.random() < 0.1:
            headers["Sentry-Hook-Resource"] = chance.choice(["issue", "installation", "x" * 3_000])
        answer = await server.client.post(f"/webhooks/{source}", content=broken(source, chance), headers=headers)
        assert answer.json().keys() & {"accepted", "error", "challenge"}
        statuses[answer.status_code] += 1
    return statuses


@pytest.mark.parametrize("source", [*SOURCES, "changes"])
async def test_whatever_comes_is_answered(source: str) -> None:
    async with running() as server:
        await fuzz(server, source, "warm")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        statuses = await fuzz(server, source, source)
        assert set(statuses) <= ({200, 202, 400, 413, 415} if source == "slack" else {202, 400, 413, 415})
        assert statuses[202], "some were left whole"
        assert statuses[400], "some were broken"
        assert await server.metric("agent_sre_unforeseen_errors_total{") == 0
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes"
        await server.incidents()
