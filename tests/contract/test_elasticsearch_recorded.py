"""The log port over the recorded protocol of Elasticsearch and OpenSearch (``testing/elasticsearch_server``, written
from their API documents; not the real programs): the conformance suite, then mappings, partial answers and refusals."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, strategies as st

from agent_sre.adapters.logs_elasticsearch import SCHEMAS, Elasticsearch, ElasticsearchProbe
from agent_sre.adapters.logs_elasticsearch.language import Terms, search_query
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.log_search import Level, LogSearch
from agent_sre.domain.telemetry import LogSource
from agent_sre.outbound import Endpoint
from agent_sre.outbound.stored_entry import LogFields
from agent_sre.ports.health import CheckState
from agent_sre.testing.elasticsearch_server import ElasticsearchServer
from agent_sre.testing.recorded_server import Fault
from tests.contract.log_suite import *  # noqa: F403
from tests.contract.log_values import AILING, MANY, WINDOW, Row, rows


def keywords(fields: LogFields) -> dict[str, str]:
    """A mapping that was made for logs."""
    exact = (fields.namespace, fields.pod, fields.container, fields.level, fields.node, fields.unit)
    return {fields.message: "text", fields.time: "date", **dict.fromkeys(exact, "keyword")}


def guessed(fields: LogFields) -> dict[str, str]:
    """A mapping that the index made up: every string is text, with a keyword beside it."""
    texts = [name for name, kind in keywords(fields).items() if kind == "keyword"]
    beside = {f"{name}.keyword": "keyword" for name in texts}
    return {**dict.fromkeys(texts, "text"), **beside, fields.message: "text", fields.time: "date"}


MAPPINGS: dict[str, Any] = {"ecs": keywords, "openshift": keywords, "fluentbit": guessed}


def stored(fields: LogFields, row: Row, **more: Any) -> dict[str, Any]:
    place = {fields.namespace: row.source.namespace, fields.pod: row.source.pod, fields.container: row.source.container}
    return {fields.time: row.time, fields.message: row.text, **place, **more}


def server_of(schema: str) -> ElasticsearchServer:
    fields = SCHEMAS[schema]
    return ElasticsearchServer([stored(fields, row) for row in rows()], MAPPINGS[schema](fields))


def opened(server: ElasticsearchServer, schema: str = "ecs", index: str = "logs-*", key: str = "") -> Elasticsearch:
    endpoint = Endpoint("Elasticsearch", "AGENT_SRE_LOGS", server.http.url, api_key=key, timeout_seconds=5.0)

    async def no_wait(seconds: float) -> None: ...

    return Elasticsearch(endpoint, index, SCHEMAS[schema], ("https://kibana.example.org", "logs-view"), no_wait)


@pytest.fixture(params=["ecs", "openshift", "fluentbit"])
async def logs(request: pytest.FixtureRequest) -> AsyncIterator[Elasticsearch]:
    server = server_of(request.param)
    async with server.http.running():
        reader = opened(server, request.param)
        yield reader
        await reader.close()


@pytest.fixture
async def server() -> AsyncIterator[ElasticsearchServer]:
    found = server_of("ecs")
    async with found.http.running():
        yield found


@pytest.fixture
async def ecs(server: ElasticsearchServer) -> AsyncIterator[Elasticsearch]:
    reader = opened(server)
    yield reader
    await reader.close()


async def test_more_than_a_page_is_read_page_by_page_and_once_each(
    ecs: Elasticsearch, server: ElasticsearchServer
) -> None:
    (stream,) = (await ecs.read(MANY, WINDOW, 5_000)).streams
    assert [line.text for line in stream.lines] == [f"line {n}" for n in range(600)]
    pages = [json.loads(request.body) for request in server.http.requests if b'"from"' in request.body]
    assert [(page["from"], page["size"]) for page in pages] == [(0, 500), (500, 500)]


async def test_an_answer_of_many_megabytes_is_asked_for_in_smaller_parts(
    ecs: Elasticsearch, server: ElasticsearchServer
) -> None:
    fields = SCHEMAS["ecs"]
    long = [Row(AILING, f"2026-03-01T11:40:00.{n:03d}Z", f"{n} " + "x" * 250_000) for n in range(140)]
    server.documents = [stored(fields, row) for row in long]
    (stream,) = (await ecs.read(AILING, WINDOW, 5_000)).streams
    assert [line.text.split()[0] for line in stream.lines] == [str(n) for n in range(140)]
    assert all(line.text.endswith("[line cut]") for line in stream.lines)


async def test_a_level_field_decides_and_details_are_shown(ecs: Elasticsearch, server: ElasticsearchServer) -> None:
    fields = SCHEMAS["ecs"]
    lost, fine = Row(AILING, "2026-03-01T11:40:00Z", "lost"), Row(AILING, "2026-03-01T11:41:00Z", "error rate is fine")
    server.documents = [
        stored(fields, lost, **{"log.level": "ERROR", "error.message": "no route to db"}),
        stored(fields, fine, **{"log.level": "info"}),
    ]
    found = await ecs.search(LogSearch("shop", WINDOW, level=Level.ERROR), 10)
    assert texts(found) == ["level=ERROR lost error.message=no route to db"]  # noqa: F405


@pytest.mark.parametrize(
    ("partial", "note"),
    [
        ({"timed_out": True}, "cut short by its time limit"),
        (
            {"_shards": {"total": 5, "failed": 2, "failures": [{"reason": {"reason": "shard is down"}}]}},
            "2 of 5 shards failed: shard is down",
        ),
        ({"_clusters": {"total": 3, "successful": 2, "skipped": 1}}, "1 of 3 remote clusters were skipped"),
    ],
)
async def test_a_partial_answer_says_so(
    ecs: Elasticsearch, server: ElasticsearchServer, partial: dict[str, Any], note: str
) -> None:
    server.partial = partial
    assert note in (await ecs.read(AILING, WINDOW, 10)).notes[0]
    assert note in (await ecs.counts(LogSearch("shop", WINDOW), timedelta(minutes=5))).notes[0]


async def test_a_key_is_sent_and_a_wrong_one_refused_with_the_setting(server: ElasticsearchServer) -> None:
    server.key = "c2VjcmV0"
    reader, stranger = opened(server, key="c2VjcmV0"), opened(server, key="bm8")
    assert (await reader.read(AILING, WINDOW, 10)).streams[0].lines
    with pytest.raises(PermanentError, match=r"\(401\): security_exception: unable.*check AGENT_SRE_LOGS_"):
        await stranger.read(AILING, WINDOW, 10)
    await reader.close()
    await stranger.close()


async def test_an_index_that_is_not_there_is_no_empty_answer(server: ElasticsearchServer) -> None:
    reader = opened(server, index="nothing-*")
    with pytest.raises(PermanentError, match=r"no index 'nothing-\*' that may be read; correct AGENT_SRE_LOGS_INDEX"):
        await reader.search(LogSearch("shop", WINDOW), 10)
    await reader.close()


async def test_fields_of_another_shipper_are_named(server: ElasticsearchServer) -> None:
    reader = opened(server, "openshift")
    with pytest.raises(PermanentError, match=r"no field 'kubernetes\.namespace_name'.*_FIELDS or choose a _SCHEMA"):
        await reader.read(AILING, WINDOW, 10)
    await reader.close()


async def test_rejections_are_waited_out_and_named_where_they_stay(
    ecs: Elasticsearch, server: ElasticsearchServer
) -> None:
    busy = Fault(429, b'{"error":{"type":"es_rejected_execution_exception"},"status":429}')
    server.http.faults = [busy]
    assert (await ecs.read(AILING, WINDOW, 10)).streams[0].lines
    server.http.faults = [busy] * 3
    with pytest.raises(TemporaryError, match=r"429.*es_rejected_execution_exception"):
        await ecs.read(AILING, WINDOW, 10)


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"hits":{}}', b'{"aggregations":{"groups":{}},"hits":{}}', b"<html>"])
@pytest.mark.parametrize("before", [0, 1, 2])
async def test_what_is_no_elasticsearch_is_refused(
    ecs: Elasticsearch, server: ElasticsearchServer, body: bytes, before: int
) -> None:
    """Whichever of its requests is answered so: the fields', the counts' or the page's."""
    if before:
        await ecs.terms()
    if before == 2:
        group = {"key": {"first": AILING.pod, "second": "app"}, "doc_count": 1}
        told = {"hits": {"hits": []}, "aggregations": {"groups": {"buckets": [group]}}}
        server.http.faults = [Fault(200, json.dumps(told).encode())]
    server.http.faults += [Fault(200, body)]
    with pytest.raises(PermanentError, match=r"is no Elasticsearch|is not what it should be|not well formed"):
        await ecs.read(AILING, WINDOW, 10)


async def test_a_time_that_is_none_names_the_setting(ecs: Elasticsearch, server: ElasticsearchServer) -> None:
    hit = {"_id": "1", "_source": {"@timestamp": "yesterday", "message": "x"}}
    group = {"key": {"first": AILING.pod, "second": "app"}, "doc_count": 1}
    await ecs.terms()
    told = {"hits": {"hits": [hit]}, "aggregations": {"groups": {"buckets": [group]}}}
    server.http.faults = [Fault(200, json.dumps(told).encode())] * 2
    with pytest.raises(PermanentError, match=r"@timestamp='yesterday' is no time.*_FIELDS"):
        await ecs.read(AILING, WINDOW, 10)


async def test_nested_documents_are_read_as_dotted_ones(ecs: Elasticsearch, server: ElasticsearchServer) -> None:
    nested = {"namespace": "shop", "pod": {"name": AILING.pod}, "container": {"name": "app"}}
    source = {"@timestamp": "2026-03-01T11:40:00Z", "message": "nested", "kubernetes": nested}
    group = {"key": {"first": AILING.pod, "second": "app"}, "doc_count": 1}
    await ecs.terms()
    told = {"hits": {"hits": [{"_id": "1", "_source": source}]}, "aggregations": {"groups": {"buckets": [group]}}}
    server.http.faults = [Fault(200, json.dumps(told).encode())] * 2
    (stream,) = (await ecs.read(AILING, WINDOW, 10)).streams
    assert (stream.source, [line.text for line in stream.lines]) == (AILING, ["nested"])


async def test_journals_of_nodes_are_listed_by_node_and_unit(ecs: Elasticsearch, server: ElasticsearchServer) -> None:
    place = {"host.name": "worker-1", "systemd.unit": "kubelet.service"}
    server.documents.append({"@timestamp": "2026-03-01T11:40:00Z", "message": "PLEG is not healthy", **place})
    (source,) = await ecs.sources("@nodes", WINDOW)
    assert source == LogSource("@nodes", "worker-1", "kubelet.service")
    assert [line.text for line in (await ecs.read(source, WINDOW, 10)).streams[0].lines] == ["PLEG is not healthy"]


async def test_the_link_opens_the_search_in_discover(ecs: Elasticsearch) -> None:
    answer = await ecs.search(LogSearch("shop", WINDOW, text='it\'s "here"!'), 10)
    shown = unquote(answer.link)
    assert shown.startswith("https://kibana.example.org/app/discover#/?_g=(time:(from:'2026-03-01T11:30:00Z'")
    assert "index:'logs-view'" in shown
    assert 'kubernetes.namespace: "shop" and message: "it!\'s \\"here\\"!!"' in shown


async def test_the_doctor_names_kind_version_index_and_what_is_missing(server: ElasticsearchServer) -> None:
    server.distribution = "opensearch"
    (quiet,) = await ElasticsearchProbe(opened(server)).check()
    assert quiet.state is CheckState.WARNING
    assert "'logs-*', opensearch 8.17.1, but has no line" in quiet.detail
    now = Row(AILING, datetime.now(UTC).isoformat(), "here")
    server.documents.append(stored(SCHEMAS["ecs"], now))
    (good,) = await ElasticsearchProbe(opened(server)).check()
    assert (good.state, "1 lines of pods" in good.detail) == (CheckState.OK, True)
    server.http.faults = [Fault(403, b"action [indices:data/read/field_caps] is unauthorized for user [agent]")]
    (refused,) = await ElasticsearchProbe(opened(server)).check()
    assert refused.state is CheckState.FAILED
    assert "indices:data/read/field_caps" in refused.detail
    assert "read on the indices" in refused.fix


ECS = SCHEMAS["ecs"]
TERMS = Terms(ECS, ECS.namespace, ECS.pod, ECS.container, ECS.level, ECS.node, ECS.unit)


@given(text=st.text(min_size=1, max_size=60), workload=st.text(min_size=1, max_size=20))
def test_no_text_or_name_changes_the_form_of_the_query(text: str, workload: str) -> None:
    try:
        search = LogSearch("shop", WINDOW, workload=workload, text=text)
    except PermanentError:
        return  # no Unicode text
    parts = search_query(search, TERMS)["bool"]["filter"]
    assert [next(iter(part)) for part in parts] == ["range", "term", "regexp", "match_phrase"]
    assert parts[3]["match_phrase"]["message"]["query"] == text
    assert parts[2]["regexp"][ECS.pod]["value"] == search.pod_pattern
    assert json.loads(json.dumps(parts)) == parts
