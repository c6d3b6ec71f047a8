"""What every adapter's HTTP exchange does with a back end that fails, over real sockets."""

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Call, Endpoint, Exchange
from agent_sre.outbound.breaker import Breaker
from agent_sre.outbound.exchange import TooLong
from agent_sre.testing.recorded_server import Fault, Recorded, Request

CALL = Call("GET", "api/things")


class Slept:
    """Waits that are only written down."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def well(request: Request) -> web.Response:
    return web.json_response({"path": request.path})


@pytest.fixture
async def server() -> AsyncIterator[Recorded]:
    async with Recorded(well).running() as running:
        yield running


@pytest.fixture
async def slept() -> Slept:
    return Slept()


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def exchange(server: Recorded, slept: Slept, clock: Clock) -> AsyncIterator[Exchange]:
    endpoint = Endpoint("Store", "AGENT_SRE_LOGS", server.url + "/base/", bearer="t0ken", timeout_seconds=1.0)
    opened = Exchange(endpoint, slept, Breaker(monotonic=clock))
    yield opened
    await opened.close()


async def test_the_address_keeps_its_path_and_the_login_goes_along(exchange: Exchange, server: Recorded) -> None:
    assert await exchange.document(CALL) == {"path": "/base/api/things"}
    assert server.requests[0].headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_may_pass_is_tried_again(exchange: Exchange, server: Recorded, slept: Slept, status: int) -> None:
    server.faults = [Fault(status, b"upstream gone"), Fault(0)]
    assert await exchange.document(CALL) == {"path": "/base/api/things"}
    assert (len(server.requests), len(slept.seconds)) == (3, 2)


async def test_the_wait_that_was_asked_for_is_kept(exchange: Exchange, server: Recorded, slept: Slept) -> None:
    server.faults = [Fault(429, b"slow down", {"Retry-After": "3"})]
    await exchange.document(CALL)
    assert slept.seconds == [3.0]


async def test_what_stays_down_is_a_temporary_error_in_its_words(exchange: Exchange, server: Recorded) -> None:
    server.faults = [Fault(503, b"no healthy upstream")] * 3
    with pytest.raises(TemporaryError, match=r"Store at http.* answered 503: no healthy upstream"):
        await exchange.document(CALL)


@pytest.mark.parametrize(
    "fault", [Fault(200, b"{", delay=30), Fault(200, b"{", times=100, pause=0.2)], ids=["silence", "a drip"]
)
async def test_silence_is_waited_for_once_and_only_so_long(exchange: Exchange, server: Recorded, fault: Fault) -> None:
    server.faults = [fault] * 3
    started = time.monotonic()
    with pytest.raises(TemporaryError, match=r"no complete answer to api/things within 1 s"):
        await exchange.document(CALL)
    assert time.monotonic() - started < 4


async def test_an_answer_that_is_cut_is_no_answer(exchange: Exchange, server: Recorded) -> None:
    server.faults = [Fault(200, b'{"a":', cut=True)] * 3
    with pytest.raises(TemporaryError, match="cannot be reached"):
        await exchange.document(CALL)


async def test_a_redirect_is_not_followed(exchange: Exchange, server: Recorded) -> None:
    async with Recorded(well).running() as other:
        server.faults = [Fault(302, b"", {"Location": f"{other.url}/steal"})]
        with pytest.raises(PermanentError, match=r"redirects to .*/steal, .*not followed; set AGENT_SRE_LOGS_URL"):
            await exchange.document(CALL)
        assert other.requests == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_login_says_which_settings(exchange: Exchange, server: Recorded, status: int) -> None:
    server.faults = [Fault(status, b"no org id")]
    with pytest.raises(PermanentError, match=r"refused the credentials.*no org id; check AGENT_SRE_LOGS_TOKEN"):
        await exchange.document(CALL)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(400, b"parse error at line 1"), r"refused the request \(400\): parse error"),
        (Fault(404, b"404 page not found"), r"has no api/things \(404\).*AGENT_SRE_LOGS_URL, and that it is Store"),
        (Fault(200, b"<html>welcome</html>"), "is not what it should be.*welcome"),
    ],
)
async def test_what_stays_wrong_is_a_permanent_error(
    exchange: Exchange, server: Recorded, fault: Fault, message: str
) -> None:
    server.faults = [fault]
    with pytest.raises(PermanentError, match=message):
        await exchange.document(CALL)
    assert len(server.requests) == 1


async def test_an_answer_without_end_is_not_read_to_its_end(exchange: Exchange, server: Recorded) -> None:
    server.faults = [Fault(200, b"x" * 100_000, times=10_000)]
    with pytest.raises(TooLong, match="longer than 1 MB"):
        await exchange.document(CALL, max_bytes=1024**2)


async def test_a_back_end_that_keeps_failing_is_left_alone_for_a_while(
    exchange: Exchange, server: Recorded, clock: Clock
) -> None:
    server.faults = [Fault(503, b"overloaded")] * 15
    for _ in range(5):
        with pytest.raises(TemporaryError, match="503"):
            await exchange.document(CALL)
    asked = len(server.requests)
    with pytest.raises(TemporaryError, match=r"was not asked: its last 5 requests failed.*overloaded.*again in 30 s"):
        await exchange.document(CALL)
    assert len(server.requests) == asked
    clock.now = 31.0
    assert await exchange.document(CALL) == {"path": "/base/api/things"}
    assert await exchange.document(CALL) == {"path": "/base/api/things"}


async def test_a_refusal_is_no_failure_of_the_back_end(exchange: Exchange, server: Recorded) -> None:
    server.faults = [Fault(400, b"bad query")] * 8
    for _ in range(8):
        with pytest.raises(PermanentError, match="bad query"):
            await exchange.document(CALL)
    assert len(server.requests) == 8


async def test_secrets_are_not_shown() -> None:
    endpoint = Endpoint(
        "Store", "AGENT_SRE_LOGS", "http://user:pass@store", bearer="t0ken", password="p4ss", api_key="k3y"
    )
    shown = f"{endpoint!r} {endpoint}".replace("http://user:pass@store", "", 1)
    assert not any(secret in shown for secret in ("t0ken", "p4ss", "k3y", "pass"))


@pytest.mark.parametrize("url", ["store:9428", "ftp://store", "", "http://[::1"])
async def test_an_address_that_is_none_names_its_setting(url: str) -> None:
    with pytest.raises(PermanentError, match="AGENT_SRE_LOGS_URL"):
        await Exchange(Endpoint("Store", "AGENT_SRE_LOGS", url)).document(CALL)
