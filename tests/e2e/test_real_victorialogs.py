"""The log port over a real VictoriaLogs: the conformance suite, then what only a real one can show."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_sre.adapters.logs_victorialogs import FIELDS, VictoriaLogs, VictoriaLogsProbe, tenant_headers
from agent_sre.bootstrap.examination import examine
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_search import Level, LogSearch
from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.redaction import Redaction
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Limits, Readers, Scope
from agent_sre.outbound import Endpoint
from agent_sre.ports.health import CheckState
from agent_sre.ports.logs import LogReader
from agent_sre.settings import Settings
from tests.contract.log_suite import *  # noqa: F403
from tests.contract.log_values import SOURCES, WINDOW, Row, rows
from tests.e2e.victoria_logs import ship, ship_documents, victoria_logs


def endpoint(url: str, tenant: str = "") -> Endpoint:
    return Endpoint("VictoriaLogs", "AGENT_SRE_LOGS", url, headers=tenant_headers(tenant))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with victoria_logs(tmp_path_factory.mktemp("victoria-logs")) as found:
        ship(found, rows())
        yield found


@pytest.fixture
async def logs(url: str) -> AsyncIterator[LogReader]:
    reader = VictoriaLogs(endpoint(url), ui_url="https://logs.example.org/")
    yield reader
    await reader.close()


async def test_a_tenant_sees_its_own_lines_only(url: str) -> None:
    theirs = LogSource("shop", "theirs-0", "app")
    ship(url, [Row(theirs, "2026-03-01T11:45:00Z", "secret of tenant 7")], tenant_headers("7:1"))
    reader = VictoriaLogs(endpoint(url, "7:1"))
    assert await reader.sources("shop", WINDOW) == (theirs,)
    await reader.close()
    ours = VictoriaLogs(endpoint(url))
    assert theirs not in await ours.sources("shop", WINDOW)
    await ours.close()


async def test_a_level_field_decides_where_there_is_one_and_details_are_shown(url: str) -> None:
    base = {FIELDS.namespace: "levels", FIELDS.pod: "api-0", FIELDS.container: "app"}
    lines = [("error", "lost", "no route to db"), ("info", "error rate is fine", ""), ("", "plain ERROR", "")]
    documents = [
        {**base, "_time": f"2026-03-01T11:45:0{n}Z", "_msg": message, "level": level, "error": error}
        for n, (level, message, error) in enumerate(lines)
    ]
    ship_documents(url, documents)
    reader = VictoriaLogs(endpoint(url))
    (stream,) = (await reader.search(LogSearch("levels", WINDOW, level=Level.ERROR), 10)).streams
    assert [line.text for line in stream.lines] == ["level=error lost error=no route to db", "plain ERROR"]
    await reader.close()


async def test_journals_of_nodes_are_listed_by_node_and_unit(url: str) -> None:
    document = {"_time": "2026-03-01T11:45:00Z", "_msg": "PLEG is not healthy"}
    ship_documents(url, [{**document, FIELDS.node: "worker-1", FIELDS.unit: "kubelet.service"}], tenant_headers("8"))
    reader = VictoriaLogs(endpoint(url, "8"))
    (source,) = await reader.sources("@nodes", WINDOW)
    assert source == LogSource("@nodes", "worker-1", "kubelet.service")
    (stream,) = (await reader.read(source, WINDOW, 10)).streams
    assert [line.text for line in stream.lines] == ["PLEG is not healthy"]
    await reader.close()


async def test_a_query_that_it_refuses_is_a_permanent_error_in_its_words(url: str) -> None:
    reader = VictoriaLogs(endpoint(url))
    with pytest.raises(PermanentError, match=r"400.*cannot parse"):
        await reader.ask('_msg:~"("', lambda row: None)
    await reader.close()


async def test_the_link_opens_the_query_in_vmui(logs: LogReader) -> None:
    answer = await logs.search(LogSearch("shop", WINDOW, text="connect error"), 10)
    assert answer.link.startswith("https://logs.example.org/select/vmui/#/?query=_time%3A%5B2026-03-01T11%3A30%3A00")


async def test_the_doctor_names_tenant_fields_and_what_is_missing(url: str) -> None:
    (empty,) = await VictoriaLogsProbe(VictoriaLogs(endpoint(url, "9")), "9").check()
    assert empty.state is CheckState.WARNING
    assert "tenant 9" in empty.detail
    assert "AGENT_SRE_LOGS_TENANT" in empty.fix
    now = datetime.now(UTC) - timedelta(seconds=5)
    recent = Row(LogSource("shop", "api-0", "app"), now.isoformat(), "here")
    ship(url, [recent], tenant_headers("10"))
    (good,) = await VictoriaLogsProbe(VictoriaLogs(endpoint(url, "10")), "10").check()
    assert (good.state, "1 lines in the last hour" in good.detail) == (CheckState.OK, True)
    ship_documents(url, [{"_time": now.isoformat(), "_msg": "x", "k8s_pod": "api-0"}], tenant_headers("11"))
    (named,) = await VictoriaLogsProbe(VictoriaLogs(endpoint(url, "11")), "11").check()
    assert named.state is CheckState.WARNING
    assert "k8s_pod" in named.fix


async def test_agent_sre_doctor_reaches_it_by_its_settings(url: str, tmp_path: Path) -> None:
    given = {"logs_backend": "victorialogs", "logs_url": url, "data_dir": tmp_path, "kubernetes": "off"}
    checks = await examine(Settings(_env_file=None, **given))  # type: ignore[arg-type]
    (found,) = [check for check in checks if check.subject == "logs (VictoriaLogs)"]
    assert f"{url} answers queries of tenant 0:0" in found.detail


async def test_an_incident_gets_its_lines_with_query_and_link(logs: LogReader) -> None:
    limits = Limits(redaction=Redaction(b"k"))
    scope = Scope("i", 1, WINDOW.end, WINDOW, namespaces=("shop",), alerts=(), limits=limits)
    collector = next(item for item in COLLECTORS if item.name == "pod_logs")
    found = await run_collector(collector, scope, Readers(log_store=logs))
    assert found.gaps == ()
    assert {stream.source for item in found.observations for stream in item.streams} == set(SOURCES)
    assert all(item.query.startswith("_time:[") and "vmui" in item.link for item in found.observations)
    (counts,) = [item for item in found.observations if item.series]
    assert sum(counts.series[0].values) == 3


WORDS = st.text(st.sampled_from("ab \"'`\\{}()[]|*:=~<>!#%$^.,;/?&+-é雪\t"), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=WORDS)
def test_whatever_is_searched_for_stays_a_text(url: str, text: str) -> None:
    """No text is refused as a query, and none finds more or less than a reader of plain text would."""

    async def searched() -> None:
        reader = VictoriaLogs(endpoint(url))
        everything = await reader.search(LogSearch("texts", WINDOW), 1000)
        asked = LogSearch("texts", WINDOW, text=text)
        expected = [line.text for line in everything.streams[0].lines if asked.admits(line)]
        found = [line.text for stream in (await reader.search(asked, 1000)).streams for line in stream.lines]
        assert sorted(found) == sorted(expected)
        await reader.close()

    asyncio.run(searched())


@pytest.fixture(scope="module", autouse=True)
def texts_to_find(url: str) -> None:
    """Lines in which hostile texts may be found or not."""
    letters = ["a", "b", "ab", 'a"b', "a'b", "a\\b", "{a}", "(a)", "a|b", "*", "a:=b", "#a", "100%", "é", "雪", "`a`"]
    lines = [f"{first} {second}" for first in letters for second in letters]
    source = LogSource("texts", "any-0", "app")
    ship(url, (Row(source, f"2026-03-01T11:{40 + n // 60}:{n % 60:02d}Z", text) for n, text in enumerate(lines)))
