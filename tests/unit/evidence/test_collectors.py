"""What every collector brings back, and that what it could not see is a gap."""

import asyncio
from datetime import timedelta

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.metrics_merged import MergedMetrics
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence.catalogue import COLLECTORS, Collector
from agent_sre.evidence.redaction import Redaction
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS
from agent_sre.testing.cluster import FakeCluster
from tests.unit.evidence.worlds import METRICS, NOW, Refusing, alert, log_reader, named, pod, readers, run, scope

ASKS_NOBODY = "alerts_received"  # the incident brings them along
NAMES = [collector.name for collector in COLLECTORS if collector.name != ASKS_NOBODY]
KUBERNETES = ("kubernetes_objects", "kubernetes_nodes", "kubernetes_events")
EXPRESSION = "http://prometheus:9090/graph?g0.expr=sum%28http_requests_total%29+%3E+5&g0.tab=1"


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_ids_are_numbered_per_collector_and_a_repeat_gives_the_same(name: str) -> None:
    wanted = scope(alert(url=EXPRESSION))
    first, second = await run(name, wanted, readers()), await run(name, wanted, readers())
    assert [item.id for item in first.observations] == [f"{name}/{n + 1}" for n in range(len(first.observations))]
    assert [(item.id, item.query) for item in first.observations] == [
        (item.id, item.query) for item in second.observations
    ]
    assert first.gaps == second.gaps


@pytest.mark.parametrize("name", NAMES)
async def test_a_source_that_is_not_there_is_a_gap_with_a_fix(name: str) -> None:
    found = await run(name, scope(), Readers())
    assert found.observations == ()
    assert [bool(gap.fix) for gap in found.gaps] == [True]
    assert "not configured" in found.gaps[0].reason


@pytest.mark.parametrize("error", [TemporaryError("down for now"), PermanentError("pods is forbidden")])
@pytest.mark.parametrize("name", NAMES)
async def test_a_refusal_is_a_gap_with_the_reason(name: str, error: TemporaryError | PermanentError) -> None:
    refusing = Refusing(error)
    found = await run(name, scope(), Readers(*([refusing] * 6)))  # type: ignore[arg-type]
    assert found.observations == ()
    assert found.gaps
    assert {gap.reason for gap in found.gaps if gap.reason == str(error)} == {str(error)}


@pytest.mark.parametrize("name", NAMES)
async def test_silence_is_a_gap_and_is_waited_for_only_so_long(name: str) -> None:
    silent = Refusing(None)
    async with asyncio.timeout(5):
        found = await run(name, scope(timeout=0.1), Readers(*([silent] * 6)))  # type: ignore[arg-type]
    assert found.gaps
    assert any("within" in gap.reason for gap in found.gaps)


async def test_one_slow_read_does_not_lose_the_others() -> None:
    wanted = scope(timeout=0.3, namespaces=("shop",))
    given = readers()

    class HalfSilent(Refusing):
        async def read(self, source: LogSource, *rest: object) -> object:
            if source.pod == "slow":
                await asyncio.Event().wait()
            assert given.logs is not None
            return await given.logs.read(LogSource("shop", "cart-1", "app"), wanted.window, 10)

        async def sources(self, *of: object) -> tuple[LogSource, ...]:
            return (LogSource("shop", "slow", "app"), LogSource("shop", "cart-1", "app"))

    found = await run("pod_logs", wanted, Readers(logs=HalfSilent(None)))  # type: ignore[arg-type]
    assert len(found.observations) == 1
    assert [gap.what for gap in found.gaps] == ["log of shop/slow/app"]


async def test_a_collector_that_hangs_elsewhere_is_given_up() -> None:
    async def hang(_scope: Scope, _readers: Readers) -> Collected:
        await asyncio.Event().wait()
        raise AssertionError

    found = await run_collector(Collector("hanging", hang), scope(timeout=0.05), Readers())
    assert [gap.reason for gap in found.gaps] == ["not finished within 0.05 s"]


async def test_what_is_stored_is_redacted() -> None:
    found = await run("pod_logs", scope(redaction=Redaction(b"k")), readers())
    (line,) = found.observations[0].streams[0].lines
    assert line.text.startswith("token=[redacted:value:")


async def test_objects_are_listed_by_kind_and_empty_listings_are_observed() -> None:
    found = await run("kubernetes_objects", scope(), readers())
    queries = {item.query: item for item in found.observations}
    pods = queries["GET /api/v1/namespaces/shop/pods kind=Pod"]
    assert [item["metadata"] for item in pods.objects] == [{"name": "cart-1", "namespace": "shop"}]
    assert queries["GET /apis/apps/v1/namespaces/shop/deployments kind=Deployment"].objects == ()
    assert not any("Secret" in query or "bank" in query for query in queries)
    (gap,) = found.gaps
    assert "Lease in shop; " in gap.what
    assert "whether there was any is not known" in gap.reason


@pytest.mark.parametrize("kind", [*READ_KINDS, "Secret"])
async def test_every_kind_reaches_the_case(kind: str) -> None:
    namespace = "" if kind in CLUSTER_SCOPED else "shop"
    name = "shop" if kind == "Namespace" else "one"
    item = {"kind": kind, "metadata": {"name": name, "namespace": namespace}, "data": {"key": "value"}}
    given = readers(cluster=SnapshotCluster([item]))
    observed = [entry for collector in KUBERNETES for entry in (await run(collector, scope(), given)).observations]
    seen = [found for entry in observed for found in entry.objects]
    assert [(found["kind"], found["metadata"]["name"]) for found in seen] == [(kind, name)]
    assert seen[0]["data"] == ({"key": "[redacted:secret]"} if kind == "Secret" else {"key": "value"})


@pytest.mark.parametrize("kind", ["Pod", "DaemonSet", "ConfigMap", "Lease", "EndpointSlice"])
async def test_the_systems_own_parts_reach_the_case(kind: str) -> None:
    item = {"kind": kind, "metadata": {"name": "coredns", "namespace": "kube-system"}}
    found = await run("kubernetes_nodes", scope(), readers(cluster=SnapshotCluster([item])))
    assert [entry.objects[0]["kind"] for entry in found.observations if entry.objects] == [kind]


async def test_the_heartbeats_of_nodes_reach_the_case() -> None:
    lease = {"kind": "Lease", "metadata": {"name": "worker-1", "namespace": "kube-node-lease"}}
    found = await run("kubernetes_nodes", scope(), readers(cluster=SnapshotCluster([lease])))
    assert [entry.objects for entry in found.observations if "kube-node-lease" in entry.query] == [
        ({"apiVersion": "coordination.k8s.io/v1", **lease},)
    ]


async def test_a_webhooks_service_is_looked_at_wherever_it_lies() -> None:
    client = {"service": {"name": "policy", "namespace": "guard"}, "caBundle": "LS0tLS1CRUdJTg=="}
    hook = {"name": "policy.guard.example", "failurePolicy": "Fail", "clientConfig": client}
    objects = [
        {**named("ValidatingWebhookConfiguration", "policy"), "webhooks": [hook]},
        {"kind": "Endpoints", "metadata": {"name": "policy", "namespace": "guard"}},
    ]
    found = await run("kubernetes_nodes", scope(), readers(cluster=SnapshotCluster(objects)))
    seen = {item["kind"]: item for entry in found.observations for item in entry.objects}
    assert seen["ValidatingWebhookConfiguration"]["webhooks"] == [
        {**hook, "clientConfig": {"service": client["service"]}}
    ]
    assert "Endpoints" in seen


async def test_a_missing_right_is_said_once_for_each_kind_and_a_refusal_on_principle_needs_no_right() -> None:
    cluster = FakeCluster([pod("cart-1")])
    cluster.forbid("list", "Role")
    found = await run("kubernetes_objects", scope(), readers(cluster=cluster))
    assert [(gap.what, gap.fix) for gap in found.gaps] == [
        ("Role in shop", "grant the reader's account list on roles (rbac.authorization.k8s.io) in namespace shop"),
        ("Secret in shop", ""),
    ]


async def test_of_too_many_objects_those_that_are_not_well_are_kept() -> None:
    cluster = SnapshotCluster([pod("a"), pod("b"), pod("c", ready=False)])
    found = await run("kubernetes_objects", scope(objects_per_kind=1), readers(cluster=cluster))
    (pods,) = [item for item in found.observations if "kind=Pod " in f"{item.query} "]
    assert [item["metadata"]["name"] for item in pods.objects] == ["c"]
    assert pods.left_out == ("2 of 3 objects of kind Pod beyond the limit of 1",)


async def test_without_a_namespace_nothing_is_listed_and_said() -> None:
    found = await run("kubernetes_objects", scope(namespaces=()), readers())
    assert found.observations == ()
    assert "AGENT_SRE_NAMESPACES" in found.gaps[0].fix


async def test_nodes_the_system_and_the_namespaces() -> None:
    found = await run("kubernetes_nodes", scope(), readers())
    seen = {(item["kind"], item["metadata"]["name"]) for observed in found.observations for item in observed.objects}
    assert seen == {("Node", "worker-1"), ("Pod", "kube-dns"), ("Namespace", "shop")}


async def test_events_of_namespaces_nodes_and_system_newest_first() -> None:
    found = await run("kubernetes_events", scope(events=1), readers())
    names = {item.query: [event["metadata"]["name"] for event in item.objects] for item in found.observations}
    assert names["GET /api/v1/namespaces/shop/events kind=Event"] == ["e2"]
    assert names["GET /api/v1/namespaces/default/events?fieldSelector=involvedObject.kind!=Pod kind=Event"] == ["n1"]
    assert any("oldest" in text for item in found.observations for text in item.left_out)


async def test_telling_logs_come_first_and_healthy_replicas_are_few() -> None:
    line = "2026-03-01T11:59:00Z x\n"
    healthy = {LogSource("shop", f"web-6d4cf56db6-abcd{n}", "app"): line for n in range(6)}
    named = {LogSource("shop", "cart-0", "app"): line, LogSource("shop", "db-0", "app", previous=True): line}
    bad = {LogSource("shop", "api-6d4cf56db6-zzzzz", "app"): line}
    cluster = SnapshotCluster([pod("api-6d4cf56db6-zzzzz", ready=False)])
    given = readers(cluster=cluster, logs=log_reader({**healthy, **named, **bad}))
    found = await run("pod_logs", scope(alert(service="cart")), given)
    pods = [item.streams[0].source.pod for item in found.observations]
    assert pods[:3] == ["db-0", "api-6d4cf56db6-zzzzz", "cart-0"]
    assert len(pods) == 6
    assert "3 more containers" in found.gaps[0].what


async def test_many_large_logs_share_one_budget_evenly_and_small_ones_stay_whole() -> None:
    rows = "".join(f"2026-03-01T11:{n // 10:02d}:{n % 10 * 6:02d}Z {'x' * 1900}\n" for n in range(300, 600))
    large = {LogSource("shop", f"db-{n}", "app", previous=True): rows for n in range(4)}
    small = {LogSource("shop", "web-0", "app"): "2026-03-01T11:59:00Z x\n" * 20}
    found = await run("pod_logs", scope(log_bytes=700_000), readers(logs=log_reader({**large, **small})))
    streams = {item.streams[0].source.pod: item.streams[0] for item in found.observations}
    assert len(streams.pop("web-0").lines) == 20
    assert sum(len(line.text) for stream in streams.values() for line in stream.lines) < 700_000
    assert all(len(stream.lines) + stream.left_out == 300 for stream in streams.values())
    assert all(stream.lines[0].time < stream.lines[-1].time - timedelta(minutes=29) for stream in streams.values())
    assert all(len(stream.lines) >= 75 for stream in streams.values())
    said = {text for item in found.observations for text in item.left_out}
    assert any(text.endswith("lines, sampled evenly") for text in said)


async def test_node_journals_are_read_where_there_are_any() -> None:
    journal = {LogSource("@nodes", "worker-1", "kubelet"): "2026-03-01T11:59:00Z PLEG is not healthy\n"}
    found = await run("node_journals", scope(), readers(logs=log_reader(journal)))
    assert [item.query for item in found.observations] == ["journalctl --unit kubelet on node worker-1"]
    assert (await run("node_journals", scope(), readers())).gaps[0].fix


async def test_metrics_of_the_catalogue_in_the_namespaces() -> None:
    found = await run("metrics_signals", scope(), readers())
    seen = {item.query: sorted(str(series) for series in item.series) for item in found.observations}
    assert seen == {
        'http_requests_total{namespace=~"shop|"}': [
            'http_requests_total{app="cart",namespace="shop"}',
            'http_requests_total{app="no-namespace"}',
        ],
        'istio_total{destination_namespace=~"shop|"}': ['istio_total{destination_namespace="shop"}'],
        "node_load1": ['node_load1{instance="worker-1",namespace="monitoring"}'],
        'took_seconds_count{namespace=~"shop|"}': ['took_seconds_count{namespace="shop"}'],
        'took_seconds_sum{namespace=~"shop|"}': ['took_seconds_sum{namespace="shop"}'],
    }


async def test_a_namespace_from_an_alert_cannot_leave_its_quotes() -> None:
    hostile = 'x"} or {__name__=~".+'
    found = await run("metrics_signals", scope(namespaces=(hostile,)), readers())
    assert found.gaps == ()
    kept = {str(series) for item in found.observations for series in item.series if "http" in series.name}
    assert kept == {'http_requests_total{app="no-namespace"}'}


async def test_an_instance_of_several_that_does_not_answer_is_one_gap_that_names_it() -> None:
    there = readers().metrics
    assert there is not None
    several = MergedMetrics({"eu": there, "us": Refusing(PermanentError("certificate expired"))})  # type: ignore[dict-item]
    found = await run("metrics_signals", scope(), Readers(metrics=several))
    assert [series for item in found.observations for series in item.series]
    assert [gap.reason for gap in found.gaps] == ["metrics instance 'us' is missing: certificate expired"]
    assert "names of metrics" in found.gaps[0].what


async def test_none_of_the_catalogues_metrics_is_a_gap() -> None:
    found = await run("metrics_signals", scope(signals=()), readers())
    assert "none of the 0 metrics" in found.gaps[0].reason


async def test_the_alerts_own_condition_is_evaluated() -> None:
    found = await run("alert_conditions", scope(alert(url=EXPRESSION)), readers())
    (condition,) = found.observations
    assert condition.query == "sum(http_requests_total) > 5"
    assert all(value > 5 for value in condition.series[0].values)
    assert found.gaps == ()


async def test_an_alert_without_an_expression_is_a_gap() -> None:
    found = await run("alert_conditions", scope(alert("Odd", url="http://[bad")), readers())
    assert "condition of alert Odd" in {gap.what for gap in found.gaps}


async def test_rules_and_active_alerts_of_the_same_name() -> None:
    rules = ({"name": "TooManyErrors", "query": "sum(node_load1)"}, {"name": "Other", "query": "1"})
    active = ({"labels": {"alertname": "TooManyErrors"}, "state": "firing"}, {"labels": {"alertname": "Other"}})
    metrics = SnapshotMetrics(lambda: METRICS, lambda: NOW, rules=lambda: rules, alerts=lambda: active)
    found = await run("alert_conditions", scope(), readers(metrics=metrics))
    assert [item.query for item in found.observations] == [
        "GET /api/v1/rules?type=alert",
        "GET /api/v1/alerts",
        "sum(node_load1)",
    ]
    assert [rule["name"] for rule in found.observations[0].rules] == ["TooManyErrors"]
    assert found.observations[1].rules[0]["alerts"] == [active[0]]


async def test_the_threshold_of_a_rule_and_how_long_it_must_hold_are_read() -> None:
    rule = {"name": "TooManyErrors", "query": "sum(http_requests_total) > 5", "duration": 3600.0, "labels": {}}
    metrics = SnapshotMetrics(lambda: METRICS, lambda: NOW, rules=lambda: (rule,), alerts=lambda: ())
    found = await run("alert_conditions", scope(), readers(metrics=metrics))
    assert found.observations[0].rules == ({**rule, "condition": {"operator": ">", "threshold": 5.0}},)
    condition = found.observations[-1]
    assert condition.query == rule["query"]
    assert condition.window is not None
    # The alert fires since now, so the condition began an hour before: earlier than the window of half an hour.
    assert condition.window.start <= NOW - timedelta(hours=1)


async def test_of_rules_of_one_name_those_that_fit_the_alert_are_evaluated() -> None:
    rules = tuple(
        {"name": "TooManyErrors", "query": f"sum(node_load1) > {level}", "labels": {"severity": severity}}
        for level, severity in ((1, "warning"), (9, "critical"))
    )
    metrics = SnapshotMetrics(lambda: METRICS, lambda: NOW, rules=lambda: rules, alerts=lambda: ())
    found = await run("alert_conditions", scope(alert(severity="critical")), readers(metrics=metrics))
    assert [item.query for item in found.observations if item.query.startswith("sum")] == ["sum(node_load1) > 9"]
    doubtful = await run("alert_conditions", scope(alert()), readers(metrics=metrics))
    assert len([item for item in doubtful.observations if item.query.startswith("sum")]) == 2


@pytest.mark.parametrize(
    "link",
    [
        "http://vm/vmui/#/?g0.expr=sum%28http_requests_total%29+%3E+5",
        "https://grafana/explore?panes=%7B%22a%22%3A%7B%22queries%22%3A%5B%7B%22expr%22%3A%22sum%28http_requests_total%29"
        "%20%3E%205%22%7D%5D%7D%7D",
    ],
)
async def test_the_condition_in_other_links_is_evaluated_too(link: str) -> None:
    found = await run("alert_conditions", scope(alert(url=link)), readers())
    assert [item.query for item in found.observations] == ["sum(http_requests_total) > 5"]


async def test_changes_from_a_day_before_the_window() -> None:
    found = await run("changes", scope(), readers())
    assert [change.id for change in found.observations[0].changes] == ["c1", "c2"]
    limited = await run("changes", scope(changes=1), readers())
    assert [change.id for change in limited.observations[0].changes] == ["c2"]
    assert limited.observations[0].left_out


async def test_topology_and_traces() -> None:
    edges = (await run("topology", scope(), readers())).observations[0].edges
    assert [(edge.caller, edge.callee) for edge in edges] == [("web", "cart")]
    spans = (await run("traces", scope(), readers())).observations[0].spans
    assert [span.trace_id for span in spans] == ["t"]
