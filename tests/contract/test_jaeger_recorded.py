"""The trace port over Jaeger's recorded protocols (``testing/jaeger_server``, written from its documents and sources;
not the real Jaeger): the conformance suite in both dialects, then limits, partial answers and refusals."""

import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from agent_sre.adapters.traces_jaeger import Jaeger, JaegerProbe
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Endpoint
from agent_sre.ports.health import CheckState
from agent_sre.testing.jaeger_server import JaegerServer
from agent_sre.testing.recorded_server import Fault
from tests.contract.trace_suite import *  # noqa: F403
from tests.contract.trace_suite import MINUTE, search, traces_by_id
from tests.contract.trace_values import FAILED, WINDOW, spans


@pytest.fixture(params=["json", "third"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[JaegerServer]:
    found = JaegerServer(spans(), first_api=request.param == "json")
    async with found.http.running():
        yield found


@pytest.fixture
async def json_server() -> AsyncIterator[JaegerServer]:
    found = JaegerServer(spans())
    async with found.http.running():
        yield found


def opened(server: JaegerServer, tenant: str = "", source: str = "") -> Jaeger:
    headers = {"x-tenant": tenant} if tenant else {}
    endpoint = Endpoint("Jaeger", "AGENT_SRE_TRACES", server.http.url, headers=headers, timeout_seconds=5.0)

    async def no_wait(seconds: float) -> None: ...

    return Jaeger(endpoint, "https://look.example.org/", source, no_wait)


@pytest.fixture
async def traces(server: JaegerServer) -> AsyncIterator[Jaeger]:
    reader = opened(server)
    yield reader
    await reader.close()


@pytest.fixture
async def reader(json_server: JaegerServer) -> AsyncIterator[Jaeger]:
    found = opened(json_server)
    yield found
    await found.close()


async def test_the_json_api_is_asked_as_its_user_interface_asks(reader: Jaeger, json_server: JaegerServer) -> None:
    await reader.search(search(service="basket", errors=True, at_least=0.1), 1_000)
    asked = [request for request in json_server.http.requests if request.path == "/api/traces"]
    assert {request.fields["tags"] for request in asked} == {'{"error":"true"}'}
    assert {request.fields["minDuration"] for request in asked} == {"100000us"}
    starts = sorted(int(request.fields["start"]) for request in asked)
    assert starts[0] == WINDOW.start.timestamp() * 1e6
    assert len({later - sooner for sooner, later in itertools.pairwise(starts)}) == 1


async def test_the_third_api_says_that_it_cannot_search_for_errors() -> None:
    server = JaegerServer(spans(), first_api=False)
    async with server.http.running():
        reader = opened(server)
        answer = await reader.search(search(service="basket", errors=True), 10_000)
        assert any("cannot search for them" in note for note in answer.notes)
        assert answer.query.startswith("GET api/v3/traces?query.service_name=basket")
        await reader.close()


async def test_a_part_with_more_traces_than_its_share_is_told(reader: Jaeger) -> None:
    answer = await reader.search(search(service="basket"), 100_000)
    assert answer.more
    assert answer.notes == ("traces beyond the newest 30 in 8 of 8 parts of the window and services",)
    assert len(traces_by_id(answer.spans)) == 240


async def test_an_answer_that_is_too_long_is_asked_for_in_smaller_parts(
    reader: Jaeger, json_server: JaegerServer
) -> None:
    await reader.services((), WINDOW)
    json_server.http.faults = [Fault(200, b" " * 1_000_000, times=9)]
    answer = await reader.search(search(service="basket", errors=True), 1_000)
    assert set(traces_by_id(answer.spans)) == FAILED
    assert "7" in {request.fields.get("limit") for request in json_server.http.requests}


async def test_many_services_are_asked_about_up_to_a_number_and_the_rest_is_told(
    reader: Jaeger, json_server: JaegerServer
) -> None:
    (template, *_) = spans()
    json_server.spans += [replace(template, service=f"s{number:02d}", trace_id="f" * 32) for number in range(20)]
    answer = await reader.search(search(), 1_000)
    assert any(note.startswith("services beyond 12 of 24") for note in answer.notes)
    assert "and of basket, front, s00" in answer.query


async def test_what_jaeger_says_is_missing_is_told(reader: Jaeger, json_server: JaegerServer) -> None:
    json_server.errors = ("trace 12ab could not be read from the archive",)
    answer = await reader.search(search(window=MINUTE, service="basket"), 1_000)
    assert answer.notes == ("Jaeger said: trace 12ab could not be read from the archive",)
    assert answer.more


async def test_a_refusal_keeps_jaegers_words(reader: Jaeger, json_server: JaegerServer) -> None:
    await reader.services((), WINDOW)
    said = (
        b'{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":400,"msg":"unable to parse param \'start\'"}]}'
    )
    json_server.http.faults = [Fault(400, said)]
    with pytest.raises(
        PermanentError, match=r"Jaeger at .* refused the request \(400\): unable to parse param 'start'"
    ):
        await reader.search(search(service="basket"), 10)
    json_server.http.faults = [Fault(200, said)]
    with pytest.raises(PermanentError, match="unable to parse param"):
        await reader.search(search(service="basket"), 10)


async def test_a_missing_login_names_the_settings(json_server: JaegerServer) -> None:
    json_server.tenants = frozenset({"team"})
    stranger, member = opened(json_server), opened(json_server, "team")
    with pytest.raises(PermanentError, match=r"missing tenant header; check AGENT_SRE_TRACES_TOKEN"):
        await stranger.search(search(service="basket"), 10)
    assert (await member.search(search(service="basket"), 10)).spans
    await stranger.close()
    await member.close()


async def test_too_many_requests_are_waited_out_and_named_where_they_stay(
    reader: Jaeger, json_server: JaegerServer
) -> None:
    await reader.services((), WINDOW)
    busy = Fault(429, b"rate limited", {"Retry-After": "1"})
    json_server.http.faults = [busy]
    assert (await reader.search(search(service="basket"), 10)).spans
    json_server.http.faults = [busy] * 30
    with pytest.raises(TemporaryError, match="429: rate limited"):
        await reader.search(search(service="basket"), 10)


@pytest.mark.parametrize(
    "body", [b'["prometheus"]', b'{"data": {"a": 1}}', b'{"data": [{"spans": [{}]}]}', b"<html>", b'{"data": [7]}']
)
async def test_what_is_foreign_stays_an_error(reader: Jaeger, json_server: JaegerServer, body: bytes) -> None:
    await reader.services((), WINDOW)
    json_server.http.faults = [Fault(200, body)]
    with pytest.raises(PermanentError, match="AGENT_SRE_TRACES_URL"):
        await reader.search(search(service="basket"), 10)


async def test_a_server_with_neither_api_is_refused_by_the_first_ones_answer() -> None:
    server = JaegerServer(first_api=False, third_api=False)
    async with server.http.running():
        reader = opened(server)
        with pytest.raises(PermanentError, match=r"api/services answered '<!doctype html>"):
            await reader.services((), WINDOW)
        await reader.close()


async def test_the_link_opens_the_search_in_jaeger_or_grafana(json_server: JaegerServer) -> None:
    plain, grafana = opened(json_server), opened(json_server, source="uid1")
    wanted = search(service="basket", errors=True)
    asked = urlsplit((await plain.search(wanted, 10)).link)
    assert asked.path == "/search"
    assert parse_qs(asked.query)["service"] == ["basket"]
    assert parse_qs(asked.query)["start"] == [str(round(WINDOW.start.timestamp() * 1e6))]
    explored = urlsplit((await grafana.search(wanted, 10)).link)
    (pane,) = json.loads(parse_qs(explored.query)["panes"][0]).values()
    assert (pane["datasource"], pane["queries"][0]["service"]) == ("uid1", "basket")
    await plain.close()
    await grafana.close()


async def test_the_doctor_names_version_and_dialect(json_server: JaegerServer) -> None:
    (good,) = await JaegerProbe(opened(json_server)).check()
    assert good.state is CheckState.OK
    assert "version v1.62.0, its JSON API; 4 services have spans" in good.detail
    json_server.first_api = False
    (third,) = await JaegerProbe(opened(json_server)).check()
    assert "third API only" in third.detail
    json_server.spans = []
    (empty,) = await JaegerProbe(opened(json_server)).check()
    assert empty.state is CheckState.WARNING
    json_server.tenants = frozenset({"team"})
    (refused,) = await JaegerProbe(opened(json_server)).check()
    assert (refused.state, "AGENT_SRE_TRACES_" in refused.fix) == (CheckState.FAILED, True)
