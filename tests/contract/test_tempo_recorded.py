"""The trace port over Tempo's recorded protocol (``testing/tempo_server``, written from its API documents; not the real
Tempo): the conformance suite, then both versions of reading a trace, limits, partial answers and refusals."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st

from agent_sre.adapters.traces_tempo import Tempo, TempoProbe
from agent_sre.adapters.traces_tempo.language import filter_of
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.outbound import Endpoint
from agent_sre.ports.health import CheckState
from agent_sre.testing.recorded_server import Fault
from agent_sre.testing.tempo_server import TempoServer
from tests.contract.trace_suite import *  # noqa: F403
from tests.contract.trace_suite import MINUTE, search, traces_by_id
from tests.contract.trace_values import FAILED, WINDOW, spans


@pytest.fixture
async def server() -> AsyncIterator[TempoServer]:
    found = TempoServer(spans())
    async with found.http.running():
        yield found


def opened(server: TempoServer, tenant: str = "") -> Tempo:
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    endpoint = Endpoint("Tempo", "AGENT_SRE_TRACES", server.http.url, headers=headers, timeout_seconds=5.0)

    async def no_wait(seconds: float) -> None: ...

    return Tempo(endpoint, "https://grafana.example.org", "ds", no_wait)


@pytest.fixture
async def traces(server: TempoServer) -> AsyncIterator[Tempo]:
    reader = opened(server)
    yield reader
    await reader.close()


async def test_an_older_tempo_is_read_over_the_first_version(traces: Tempo, server: TempoServer) -> None:
    server.second = False
    answer = await traces.search(search(service="basket", errors=True), 1_000)
    assert set(traces_by_id(answer.spans)) == FAILED
    assert not answer.notes


async def test_more_traces_than_may_be_read_are_told_and_come_from_all_of_the_window(traces: Tempo) -> None:
    answer = await traces.search(search(service="basket"), 100_000)
    found = traces_by_id(answer.spans)
    assert len(found) == 48
    assert {number * 6 // 360 for number in found} == set(range(6))
    assert answer.notes == ("traces beyond the 48 that were read, some from each part of the window",)


async def test_no_more_traces_are_read_than_the_spans_allow(traces: Tempo, server: TempoServer) -> None:
    answer = await traces.search(search(service="basket"), 30)
    assert len(answer.spans) == 30
    assert sum("/traces/" in request.path for request in server.http.requests) == 16
    assert answer.notes[0] == "32 of 48 traces, left evenly over the window because of the limit on spans"


async def test_what_tempo_says_is_partial_is_told(traces: Tempo, server: TempoServer) -> None:
    server.partial = "trace exceeds max size (5000000 bytes)"
    server.unfinished = 1
    answer = await traces.search(search(window=MINUTE, service="basket"), 1_000)
    assert answer.more
    assert "a search that finished 3 of 4 parts" in answer.notes
    assert any("trace exceeds max size" in note for note in answer.notes)


async def test_a_trace_that_is_gone_or_too_long_does_not_lose_the_others(traces: Tempo, server: TempoServer) -> None:
    server.lost = frozenset({f"{101:032x}"})
    answer = await traces.search(search(service="basket", errors=True), 1_000)
    assert set(traces_by_id(answer.spans)) == FAILED - {100}
    assert answer.notes == ("traces that were found but could not be read any more",)
    server.lost = frozenset()
    at, heavy = WINDOW.start.timestamp() + 60, {"k": "x" * 100_000}
    big = replace(server.spans[0], trace_id="e" * 32, service="big", start=at, end=at + 1, attributes=heavy)
    server.spans += [replace(big, span_id=f"{number:016x}") for number in range(90)]
    long = await traces.search(search(service="big"), 1_000)
    assert long.spans == ()
    assert long.notes == ("traces of more than 8 MB, which are too long to be read",)


async def test_traces_that_do_not_say_their_namespace_are_looked_for_where_no_others_are(
    traces: Tempo, server: TempoServer
) -> None:
    answer = await traces.search(search(window=MINUTE, service="store"), 1_000)
    assert answer.query == '{ resource.service.name = "store" }'
    assert len(traces_by_id(answer.spans)) == 6
    server.spans = [replace(span, attributes={}) for span in server.spans]
    assert await traces.services(("shop",), WINDOW) == ("bank", "basket", "front", "store")


async def test_a_tenant_is_named_and_a_missing_one_is_refused_with_the_setting(server: TempoServer) -> None:
    server.tenants = frozenset({"team"})
    member, stranger = opened(server, "team"), opened(server)
    assert (await member.search(search(service="basket", errors=True), 100)).spans
    with pytest.raises(PermanentError, match=r"no org id.*check AGENT_SRE_TRACES_TOKEN"):
        await stranger.search(search(service="basket"), 10)
    await member.close()
    await stranger.close()


async def test_too_many_requests_are_waited_out_and_named_where_they_stay(traces: Tempo, server: TempoServer) -> None:
    busy = Fault(429, b"job queue full", {"Retry-After": "1"})
    server.http.faults = [busy]
    assert (await traces.search(search(service="basket", errors=True), 100)).spans
    server.http.faults = [busy] * 40
    with pytest.raises(TemporaryError, match="429: job queue full"):
        await traces.search(search(service="basket"), 10)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'["prometheus"]', "is no Tempo"),
        (b'{"traces": {"a": 1}}', "is no Tempo"),
        (b'{"traces": [{}]}', "not well formed"),
        (b"<html>", "is not what it should be"),
    ],
)
async def test_what_is_foreign_stays_an_error(traces: Tempo, server: TempoServer, body: bytes, message: str) -> None:
    server.http.faults = [Fault(200, body)] * 6
    with pytest.raises(PermanentError, match=message):
        await traces.search(search(service="basket"), 10)


async def test_a_window_that_is_too_long_is_refused_in_tempos_words(traces: Tempo, server: TempoServer) -> None:
    server.longest = 60
    with pytest.raises(PermanentError, match="range specified by start and end exceeds 60s"):
        await traces.search(search(service="basket"), 10)


async def test_the_link_opens_the_query_and_window_in_grafanas_explore(traces: Tempo) -> None:
    answer = await traces.search(search(service="basket", errors=True), 10)
    (pane,) = json.loads(parse_qs(urlsplit(answer.link).query)["panes"][0]).values()
    assert pane["queries"][0]["query"] == answer.query
    assert pane["datasource"] == "ds"
    assert int(pane["range"]["from"]) == WINDOW.start.timestamp() * 1000


async def test_the_doctor_names_version_and_tenant(server: TempoServer) -> None:
    (empty,) = await TempoProbe(opened(server)).check()  # its spans are of another year
    assert empty.state is CheckState.WARNING
    assert "no tenant, version 2.8.1, but has no span of the last hour" in empty.detail
    now = datetime.now(UTC).timestamp() - 60
    server.spans = [replace(span, start=now, end=now + 1) for span in server.spans]
    (good,) = await TempoProbe(opened(server, "team"), "team").check()
    assert good.state is CheckState.OK
    assert "tenant team, version 2.8.1; 4 services have spans" in good.detail
    server.tenants = frozenset({"other"})
    (refused,) = await TempoProbe(opened(server)).check()
    assert (refused.state, "AGENT_SRE_TRACES_TENANT" in refused.fix) == (CheckState.FAILED, True)


@given(service=st.text(min_size=1, max_size=40), namespace=st.text(min_size=1, max_size=20))
def test_no_name_leaves_its_literal(service: str, namespace: str) -> None:
    """The query without its literals is the same whatever is searched for."""
    query = filter_of(search(service=service, namespaces=(namespace,), errors=True), in_namespaces=True)
    skeleton, literals, position = [], [], 0
    while position < len(query):
        if query[position] == '"':
            value, position = json.JSONDecoder().raw_decode(query, position)
            literals.append(value)
        else:
            skeleton.append(query[position])
            position += 1
    assert "".join(skeleton) == "{ resource.service.name =  && resource.k8s.namespace.name =  && status = error }"
    assert literals == [service, namespace]
