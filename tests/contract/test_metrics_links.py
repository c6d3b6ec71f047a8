"""Every piece of evidence has a page: where it is comes from the settings, what is asked for is only ever a value."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from agent_sre.adapters.metrics_merged import MergedMetrics
from agent_sre.adapters.metrics_prometheus import Flavour, MetricsLinks, PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.bootstrap.metrics import open_metrics
from agent_sre.domain.evidence import Evidence
from agent_sre.domain.reference import Window
from agent_sre.graph.nodes.hypothesize import linked
from agent_sre.settings import Settings
from agent_sre.testing.prometheus_server import PrometheusServer
from tests.contract.telemetry_values import NOW, SERIES, WINDOW

HOUR = Window(datetime(2026, 3, 1, 11, tzinfo=UTC), datetime(2026, 3, 1, 12, tzinfo=UTC))
HOSTILE = 'up{a="&g0.expr=x#y\\"></a>"} > 5 @ https://evil.example/?x=1'
PAGE = "https://prometheus.example/base"


def fields(link: str) -> dict[str, str]:
    parts = urlsplit(link)
    text = parts.query or parts.fragment.partition("?")[2]
    return {key: values[0] for key, values in parse_qs(text, strict_parsing=True).items()}


def test_explore_shows_the_query_over_the_window() -> None:
    link = MetricsLinks(PAGE, "https://grafana.example/g/", "uid-1").to(HOSTILE, HOUR)
    assert link.startswith("https://grafana.example/g/explore?")
    (pane,) = json.loads(fields(link)["panes"]).values()
    assert pane["datasource"] == "uid-1"
    assert pane["queries"][0]["expr"] == HOSTILE
    assert pane["queries"][0]["datasource"] == {"type": "prometheus", "uid": "uid-1"}
    start, end = (int(pane["range"][key]) / 1000 for key in ("from", "to"))
    assert start == HOUR.start.timestamp()
    assert end == pytest.approx(HOUR.end.timestamp(), abs=0.002)


@pytest.mark.parametrize("flavour", [None, Flavour.PROMETHEUS, Flavour.THANOS])
def test_without_grafana_it_is_the_products_own_page(flavour: Flavour | None) -> None:
    link = MetricsLinks(PAGE, flavour=flavour).to(HOSTILE, HOUR)
    assert link.startswith(f"{PAGE}/graph?")
    assert fields(link) == {
        "g0.expr": HOSTILE,
        "g0.range_input": "3600s",
        "g0.end_input": "2026-03-01 12:00:00",
        "g0.tab": "0",
    }


def test_victoriametrics_has_a_page_of_its_own_and_mimir_none() -> None:
    link = MetricsLinks(PAGE, flavour=Flavour.VICTORIAMETRICS).to(HOSTILE, HOUR)
    assert link.startswith(f"{PAGE}/vmui/#/?")
    assert fields(link)["g0.expr"] == HOSTILE
    for flavour in (Flavour.MIMIR, Flavour.CORTEX):
        assert MetricsLinks(PAGE, flavour=flavour).to("up", HOUR) == ""
        assert MetricsLinks(PAGE, "https://g", "uid", flavour).to("up", HOUR).startswith("https://g/explore?")
    assert MetricsLinks().to("up", HOUR) == ""
    assert MetricsLinks(PAGE).to("a" * 9_000, HOUR) == ""


async def test_answers_carry_the_link_of_what_was_asked() -> None:
    async with PrometheusServer(SnapshotMetrics(lambda: SERIES, lambda: NOW)).running() as server:
        reader = PrometheusMetrics(PrometheusOptions(server.url, links=MetricsLinks(PAGE)))
        other = PrometheusMetrics(PrometheusOptions(server.url, links=MetricsLinks("https://other.example")))
        raw = await reader.query_range("queue_depth", WINDOW, timedelta(minutes=1))
        summed = await reader.query_range("sum(queue_depth)", WINDOW, timedelta(minutes=1))
        instant = await reader.query("queue_depth", NOW)
        merged = await MergedMetrics({"a": reader, "b": other}).query("queue_depth", NOW)
        await reader.close()
        await other.close()
    assert [fields(answer.link)["g0.expr"] for answer in (raw, summed)] == ["queue_depth", "sum(queue_depth)"]
    assert fields(raw.link)["g0.range_input"] == "1800s"
    assert fields(instant.link)["g0.range_input"] == "3600s"
    assert merged.link.startswith(PAGE)


async def test_links_come_from_the_settings() -> None:
    given = Settings(
        _env_file=None,
        prometheus_url="http://user:hunter2@prometheus:9090",
        grafana_url="https://grafana.example",
        prometheus_instances=[{"name": "eu", "url": "http://eu:9090", "grafana_source": "uid-eu"}],
    )
    opened = open_metrics(given)
    assert opened is not None
    links = {name: reader.connection.options.links for name, reader in opened.readers.items()}  # type: ignore[attr-defined]
    await opened.close()
    assert links["main"].to("up", HOUR).startswith("http://prometheus:9090/graph?")
    assert links["eu"].to("up", HOUR).startswith("https://grafana.example/explore?")


def test_what_has_no_page_is_shown_by_the_console() -> None:
    seen = [
        Evidence("E1", "o/1", "kubernetes", "q", "x"),
        Evidence("E2", "o/2", "logs", "q", "x", link="https://logs/1"),
    ]
    found = linked(seen, "INC 1", "https://sre.example/")
    assert [item.link for item in found] == ["https://sre.example/incidents/INC%201#E1", "https://logs/1"]
    assert [item.link for item in linked(seen, "INC 1", "")] == ["", "https://logs/1"]


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "::1", "port": 9}, "http://[::1]:9"),
        ({"port": 0}, ""),
        ({"external_url": "https://sre.example"}, "https://sre.example"),
    ],
)
def test_where_the_console_is(values: dict[str, object], url: str) -> None:
    assert Settings(_env_file=None, **values).console_url == url  # type: ignore[arg-type]
