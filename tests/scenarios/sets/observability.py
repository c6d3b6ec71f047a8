"""The watching is broken, not the watched: wrong rules, targets that are not scraped, series that ended; or nothing is."""

from urllib.parse import quote

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump


def _expression(s: System, text: str, **annotations: str) -> System:
    """Give the last alert the expression that Prometheus sends along, and annotations."""
    s.alerts[-1]["generatorURL"] = f"http://prometheus:9090/graph?g0.expr={quote(text)}&g0.tab=1"
    s.alerts[-1]["annotations"] |= annotations
    return s


def _cleared(s: System, minutes_ago: float) -> System:
    s.alerts[-1] |= {"status": "resolved", "endsAt": s.stamp(minutes_ago)}
    return s


# ------------------------------------------------------------------------------------------------ alert_rule_wrong


@scenario("alert_rule_wrong", kind="Component", name="CheckoutLatencyHigh")
def milliseconds_against_a_threshold_in_seconds() -> Frozen:
    s = System(namespace="shop", seed=401, style="quantile").nodes()
    s.serve("checkout", seconds=0.05).serve("web", seconds=0.08).serve("stock")
    s.calls(("web", "checkout"), ("checkout", "stock"))
    s.alert("CheckoutLatencyHigh", "checkout p95 above 0.5 s", service="checkout")
    return _expression(s, 'workload:request_duration_milliseconds:p95{namespace="shop",workload="checkout"} > 0.5')


@scenario("alert_rule_wrong", kind="Component", name="HighMemoryUsage")
def threshold_far_below_every_normal_value() -> Frozen:
    s = System(namespace="api", seed=402).nodes()
    s.serve("api", memory=1.8e8).serve("worker", style="", memory=1.5e8)
    s.calls(("api", "worker"))
    s.alert("HighMemoryUsage", "pods of api use more than 200 (MB)", service="api", minutes_ago=40)
    return _expression(s, 'container_memory_working_set_bytes{namespace="api",pod=~"api-.*"} > 200')


@scenario("alert_rule_wrong", kind="Component", name="LowTraffic")
def the_comparison_is_the_wrong_way_round() -> Frozen:
    s = System(namespace="ads", seed=403, style="go").nodes()
    s.serve("bids", rate=120).serve("sites", rate=80)
    s.calls(("sites", "bids"))
    s.alert("LowTraffic", "bids receives too little traffic: below 5 requests/s", service="bids", minutes_ago=35)
    return _expression(s, 'sum(rate(http_request_duration_seconds_count{service="bids"}[5m])) > 5')


# ----------------------------------------------------------------------------------------------- scrape_target_down


@scenario("scrape_target_down", name="ledger")
def up_is_zero_and_the_service_serves() -> Frozen:
    s = System(namespace="fin", seed=404, style="istio").nodes()
    s.serve("ledger").serve("web")
    s.gauge("up", jump(1, 0, 14), noise=0, job="ledger", instance="10.1.0.14:9102", namespace="fin", service="ledger")
    s.gauge("up", 1, noise=0, job="web", instance="10.1.0.15:9102", namespace="fin", service="web")
    s.calls(("web", "ledger"))
    return s.alert("TargetDown", "100% of the ledger/ledger targets in fin namespace are down.", job="ledger", service="ledger")  # fmt: skip


@scenario("scrape_target_down", kind="DaemonSet", name="node-exporter")
def an_exporter_is_not_reached() -> Frozen:
    s = System(namespace="monitoring", seed=405).nodes()
    s.serve("api").serve("grafana", style="")
    s.gauge("up", 1, noise=0, job="kubelet", instance="10.0.0.1:10250")
    s.gauge("up", jump(1, 0, 22), noise=0, job="node-exporter", instance="10.0.0.1:9100", namespace="monitoring")
    s.gauge("scrape_duration_seconds", jump(0.03, 10, 22), job="node-exporter", instance="10.0.0.1:9100", namespace="monitoring")  # fmt: skip
    s.log("prometheus-0", "prometheus", *['level=WARN msg="Scrape failed" scrape_pool=node-exporter target=http://10.0.0.1:9100/metrics err="Get \\"http://10.0.0.1:9100/metrics\\": context deadline exceeded"'] * 20, minutes_ago=22, every_seconds=60)  # fmt: skip
    return s.alert("TargetDown", "100% of the node-exporter targets are down", job="node-exporter")


@scenario("scrape_target_down", name="orders")
def metrics_path_answers_404() -> Frozen:
    s = System(namespace="shop", seed=406, style="", resources=True).nodes()
    s.serve("orders").serve("front")
    s.gauge("up", jump(1, 0, 18), noise=0, job="shop/orders", instance="10.1.0.9:8080", namespace="shop", pod=s.pod("orders"), container="orders")  # fmt: skip
    s.gauge("up", jump(1, 0, 18), noise=0, job="shop/orders", instance="10.1.1.9:8080", namespace="shop", pod=s.pod("orders", 1), container="orders")  # fmt: skip
    s.gauge("up", 1, noise=0, job="shop/front", instance="10.1.0.7:8080", namespace="shop", pod=s.pod("front"), container="front")  # fmt: skip
    s.log(s.pod("orders"), "orders", *['INFO "GET /metrics HTTP/1.1" 404 19'] * 36, minutes_ago=18, every_seconds=30)
    s.log(s.pod("orders"), "orders", *["INFO request completed method=POST route=/orders status=201"] * 36, minutes_ago=18, every_seconds=30)  # fmt: skip
    return s.alert("PrometheusTargetMissing", "A Prometheus target has disappeared: orders", job="shop/orders", instance="10.1.0.9:8080")  # fmt: skip


# -------------------------------------------------------------------------------------------------------- no_data


@scenario("no_data", kind="Component", name="DatasourceNoData", accept=[("no_data", "Deployment", "pricing"), ("no_data", "Component", "PricingErrors")])  # fmt: skip
def grafana_finds_no_series() -> Frozen:
    s = System(namespace="trade", seed=407, style="istio").nodes()
    s.serve("pricing").serve("desk")
    s.calls(("desk", "pricing"))
    s.alert("DatasourceNoData", "No data for rule PricingErrors", service="pricing", rulename="PricingErrors", datasource_uid="prom1", ref_id="A")  # fmt: skip
    return _expression(s, 'sum(rate(pricing_errors_total{service="pricing"}[5m]))')


@scenario("no_data", kind="Component", name="JobMetricsAbsent", accept=[("no_data", "Deployment", "settle")])
def absent_fires_after_a_rename() -> Frozen:
    s = System(namespace="pay", seed=408, style="go").nodes()
    s.serve("settle", style="").serve("pay-api")
    s.gauge("settle_last_success_timestamp_seconds", 1776155000.0, noise=0, hours=1, namespace="pay", service="settle")
    kept = s._samples["settle_last_success_timestamp_seconds"][1]
    del kept[-30:]
    s.calls(("pay-api", "settle"))
    s.alert("JobMetricsAbsent", "settle_last_success_timestamp_seconds is absent", service="settle")
    return _expression(s, 'absent(settle_last_success_timestamp_seconds{service="settle"})')


@scenario("no_data", kind="Component", name="QueueDepthNoData", accept=[("no_data", "Deployment", "rabbit-exporter"), ("no_data", "Deployment", "rabbitmq")])  # fmt: skip
def the_exporter_stopped_to_send() -> Frozen:
    s = System(namespace="mq", seed=409).nodes()
    s.serve("publisher").serve("rabbit-exporter", style="", replicas=1)
    s.gauge("rabbitmq_queue_messages_ready", 4, noise=0.2, namespace="mq", queue="jobs", service="rabbit-exporter")
    rows = s._samples["rabbitmq_queue_messages_ready"][1]
    del rows[-44:]
    s.alert("QueueDepthNoData", "no data: rabbitmq_queue_messages_ready", queue="jobs", grafana_state_reason="NoData")
    return _expression(s, 'rabbitmq_queue_messages_ready{queue="jobs"} > 1000')


# -------------------------------------------------------------------------------------------------- no_fault_found


@scenario("no_fault_found")
def the_alert_has_cleared() -> Frozen:
    s = System(namespace="shop", seed=410).nodes()
    s.serve("web", seconds=jump(0.1, 0.9, 28, 24)).serve("cart").serve("mail")
    s.calls(("web", "cart"), ("cart", "mail"))
    s.change("deploy", "mail", "mail 3.2", minutes_ago=20, id="m32")
    s.alert("WebLatency", "web slow", service="web", minutes_ago=27)
    return _cleared(s, 23)


@scenario("no_fault_found")
def everything_is_normal_while_it_fires() -> Frozen:
    s = System(namespace="bank", seed=411, style="istio", hours=1.5).nodes()
    s.serve("teller").serve("ledger").serve("fx")
    s.calls(("teller", "ledger"), ("teller", "fx"))
    s.change("deploy", "fx", "fx 9.1", minutes_ago=35, id="fx91")
    s.change("feature_flag", "new-menu", "new-menu on", minutes_ago=12, id="menu")
    s.log(s.pod("teller"), "teller", *["WARN slow client, response took 812 ms"] * 3, minutes_ago=50, every_seconds=900)
    return s.alert("TellerLatency", "teller p99 above 800 ms", service="teller")


@scenario("no_fault_found")
def cleared_with_untidy_bystanders() -> Frozen:
    s = System(namespace="docs", seed=412, style="spring").nodes()
    s.serve("editor", errors=jump(0.001, 0.05, 40, 36)).serve("export").serve("spell")
    s.calls(("editor", "export"), ("editor", "spell"))
    s.event(
        ("Pod", "export-old-7b5d9c-abcde"), "Unhealthy", "Readiness probe failed: connection refused", minutes_ago=51
    )
    s.change("config", "spell", "spell: add a dictionary", minutes_ago=39, id="dict")
    s.alert("EditorErrors", "editor errors above 1 %", service="editor", minutes_ago=38)
    return _cleared(s, 33)
