"""The log port over Loki's recorded protocol (``testing/loki_server``, written from its API documents; not the real
Loki): the conformance suite, then the shapes of partial answers, limits and refusals."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, strategies as st

from agent_sre.adapters.logs_loki import FIELDS, Loki, LokiProbe
from agent_sre.adapters.logs_loki.language import search_query
from agent_sre.adapters.logs_loki.ranges import shares
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.log_search import Level, LogSearch
from agent_sre.domain.telemetry import LogSource
from agent_sre.outbound import Endpoint
from agent_sre.ports.health import CheckState
from agent_sre.testing.loki_server import Line, LokiServer
from agent_sre.testing.recorded_server import Fault
from tests.contract.log_suite import *  # noqa: F403
from tests.contract.log_values import AILING, MANY, WINDOW, rows


@pytest.fixture
async def server() -> AsyncIterator[LokiServer]:
    found = LokiServer([stored(row.source, row.nanoseconds, row.text) for row in rows()])
    async with found.http.running():
        yield found


def stored(source: LogSource, time: int, text: str) -> Line:
    labels = {"namespace": source.namespace, "pod": source.pod, "container": source.container, "stream": "stdout"}
    return Line(time, labels, text)


def opened(server: LokiServer, tenant: str = "", **fields: str) -> Loki:
    headers = {"X-Scope-OrgID": tenant} if tenant else {}
    endpoint = Endpoint("Loki", "AGENT_SRE_LOGS", server.http.url, headers=headers, timeout_seconds=5.0)

    async def no_wait(seconds: float) -> None: ...

    return Loki(endpoint, FIELDS.changed(fields, "AGENT_SRE_LOGS_FIELDS"), "https://grafana.example.org", "ds", no_wait)


@pytest.fixture
async def logs(server: LokiServer) -> AsyncIterator[Loki]:
    reader = opened(server)
    yield reader
    await reader.close()


async def test_more_lines_than_a_page_are_read_page_by_page_those_of_one_instant_too(
    logs: Loki, server: LokiServer
) -> None:
    start = int(WINDOW.start.timestamp()) * 10**9
    server.lines = [stored(AILING, start + n // 7 * 10**8, f"line {n % 3500}") for n in range(3_507)]
    (stream,) = (await logs.read(AILING, WINDOW, 5_000)).streams
    assert len(stream.lines) == 3_507
    assert stream.left_out == 0


async def test_a_burst_is_sampled_as_evenly_as_a_calm(logs: Loki, server: LokiServer) -> None:
    start = int(WINDOW.start.timestamp() + 600) * 10**9
    server.lines = [stored(AILING, start + n * 10**7, f"line {n}") for n in range(6_000)]  # a minute, 100 a second
    (stream,) = (await logs.read(AILING, WINDOW, 100)).streams
    seconds = {int(line.text.split()[1]) // 1_000 for line in stream.lines}
    assert len(stream.lines) == 100
    assert stream.left_out == 5_900
    assert seconds == set(range(6))  # each ten seconds of the minute


async def test_a_lower_limit_of_the_server_is_kept_to(logs: Loki, server: LokiServer) -> None:
    server.most = 100
    (stream,) = (await logs.read(MANY, WINDOW, 1_000)).streams
    assert len(stream.lines) == 600


async def test_an_answer_of_many_megabytes_is_asked_for_in_smaller_parts(logs: Loki, server: LokiServer) -> None:
    start = int(WINDOW.start.timestamp()) * 10**9
    server.lines = [stored(AILING, start + n, f"{n} " + "x" * 250_000) for n in range(140)]
    (stream,) = (await logs.read(AILING, WINDOW, 5_000)).streams
    assert len(stream.lines) == 140
    assert all(line.text.endswith("[line cut]") for line in stream.lines)


async def test_a_partial_answer_says_so(logs: Loki, server: LokiServer) -> None:
    server.warnings = ("maximum number of series (500) reached for a single query; returning partial results",)
    assert "partial results" in (await logs.read(AILING, WINDOW, 10)).notes[0]
    assert "partial results" in (await logs.counts(LogSearch("shop", WINDOW), timedelta(minutes=5))).notes[0]


async def test_a_tenant_is_named_and_a_missing_one_is_refused_with_the_setting(server: LokiServer) -> None:
    server.tenants = frozenset({"team"})
    reader, stranger = opened(server, "team"), opened(server)
    assert (await reader.read(AILING, WINDOW, 10)).streams[0].lines
    with pytest.raises(PermanentError, match=r"no org id.*check AGENT_SRE_LOGS_TOKEN"):
        await stranger.read(AILING, WINDOW, 10)
    await reader.close()
    await stranger.close()


async def test_too_many_requests_are_waited_out_and_named_where_they_stay(logs: Loki, server: LokiServer) -> None:
    busy = Fault(429, b"too many outstanding requests", {"Retry-After": "1"})
    server.http.faults = [busy]
    assert (await logs.read(AILING, WINDOW, 10)).streams[0].lines
    server.http.faults = [busy] * 3
    with pytest.raises(TemporaryError, match="429: too many outstanding requests"):
        await logs.read(AILING, WINDOW, 10)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(400, b"parse error at line 1, col 3: syntax error"), "refused the request .*parse error"),
        (Fault(400, b"the query time range exceeds the limit (query length: 721h)"), "exceeds the limit"),
        (Fault(200, b'{"status":"success","data":{"resultType":"matrix","result":[]}}'), "is no Loki"),
        (Fault(200, b'["prometheus"]'), "is no Loki"),
    ],
)
async def test_what_is_refused_or_foreign_stays_an_error(
    logs: Loki, server: LokiServer, fault: Fault, message: str
) -> None:
    server.http.faults = [fault]
    with pytest.raises(PermanentError, match=message):
        await logs.read(AILING, WINDOW, 10)


async def test_labels_have_the_sites_own_names_and_a_level_label_may_decide(server: LokiServer) -> None:
    start = int(WINDOW.start.timestamp()) * 10**9
    place = {"kubernetes_namespace": "shop", "namespace": "wrong", "pod": "api-0", "container": "app"}
    server.lines = [
        Line(start, {**place, "detected_level": "error"}, "lost"),
        Line(start, {**place, "detected_level": "info"}, "error rate is fine"),
    ]
    reader = opened(server, namespace="kubernetes_namespace", level="detected_level")
    found = await reader.search(LogSearch("shop", WINDOW, level=Level.ERROR), 10)
    assert texts(found) == ["lost"]  # noqa: F405
    await reader.close()
    with pytest.raises(PermanentError, match="cannot be a label"):
        opened(server, namespace='x="y"} or {a')


async def test_journals_of_nodes_are_listed_by_node_and_unit(logs: Loki, server: LokiServer) -> None:
    start = int(WINDOW.start.timestamp()) * 10**9
    server.lines.append(Line(start, {"nodename": "worker-1", "unit": "kubelet.service"}, "PLEG is not healthy"))
    (source,) = await logs.sources("@nodes", WINDOW)
    assert source == LogSource("@nodes", "worker-1", "kubelet.service")
    assert [line.text for line in (await logs.read(source, WINDOW, 10)).streams[0].lines] == ["PLEG is not healthy"]


async def test_the_link_opens_the_query_and_window_in_grafanas_explore(logs: Loki) -> None:
    answer = await logs.search(LogSearch("shop", WINDOW, text='say "hi"'), 10)
    asked = urlsplit(answer.link)
    assert answer.link.startswith("https://grafana.example.org/explore?")
    (pane,) = json.loads(parse_qs(asked.query)["panes"][0]).values()
    assert pane["queries"][0]["expr"] == answer.query
    assert pane["datasource"] == "ds"
    assert int(pane["range"]["from"]) == WINDOW.start.timestamp() * 1000


async def test_the_doctor_names_version_tenant_and_missing_labels(server: LokiServer) -> None:
    (good,) = await LokiProbe(opened(server, "team"), "team").check()
    assert good.state is CheckState.OK
    assert "tenant team, version 3.5.1" in good.detail
    (renamed,) = await LokiProbe(opened(server, pod="kubernetes_pod")).check()
    assert renamed.state is CheckState.WARNING
    assert "kubernetes_pod" in renamed.detail
    assert "container, namespace, pod, stream" in renamed.fix
    server.tenants = frozenset({"other"})
    (refused,) = await LokiProbe(opened(server)).check()
    assert (refused.state, "AGENT_SRE_LOGS_TENANT" in refused.fix) == (CheckState.FAILED, True)
    server.tenants = frozenset()
    server.lines = []
    (empty,) = await LokiProbe(opened(server)).check()
    assert empty.state is CheckState.WARNING


@given(text=st.text(min_size=1, max_size=60).filter(lambda text: "\0" not in text), workload=st.text(max_size=20))
def test_no_text_or_name_leaves_its_literal(text: str, workload: str) -> None:
    """The query without its literals is the same whatever is searched for."""
    try:
        search = LogSearch("shop", WINDOW, workload=workload or "w", text=text)
    except PermanentError:
        return  # no Unicode text
    query = search_query(search, FIELDS)
    skeleton, literals = [], []
    decoder, position = json.JSONDecoder(), 0
    while position < len(query):
        if query[position] == '"':
            value, position = decoder.raw_decode(query, position)
            literals.append(value)
        else:
            skeleton.append(query[position])
            position += 1
    assert "".join(skeleton) == "{namespace=, pod=~} |~ "
    assert literals == ["shop", search.pod_pattern, search.text_pattern]


@given(st.dictionaries(st.integers(0, 30), st.integers(1, 10**6)), st.integers(1, 5_000))
def test_shares_add_up_and_none_is_larger_than_its_slice(counts: dict[int, int], wanted: int) -> None:
    found = shares(counts, min(wanted, sum(counts.values())))
    assert sum(found.values()) == min(wanted, sum(counts.values()))
    assert all(share <= counts[number] for number, share in found.items())
