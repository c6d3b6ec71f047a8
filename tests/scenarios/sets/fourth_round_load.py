"""Fourth blind round, slowness, load, the world outside and the alerts themselves, at a ticket seller's.

Metrics are those of Micrometer, cAdvisor, node-exporter, HikariCP and the JVM; every service is measured, most of them
are fine, and the caller's latency is mostly the worst of all.
"""

from tests.scenarios.sets.fourth_round_ground import Hall, boot, hall
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, product

SERVLET = "o.a.c.c.C.[.[.[/].[dispatcherServlet]"


def pods_of(app: Hall, name: str) -> list[dict[str, str]]:
    """The labels of a workload's containers."""
    return [{"namespace": app.namespace, "pod": pod["metadata"]["name"], "container": name} for pod in app.pods(name)]


# ----------------------------------------------------------------------------------------------------------- performance


@scenario("pod_cpu_throttled", "Deployment", "tariff")
def the_limit_is_met_at_the_peak() -> Hall:
    app = hall("seatmap p99 is 1.9 s", since=17)
    app.configure(
        "tariff", resources={"requests": {"cpu": "200m", "memory": "512Mi"}, "limits": {"cpu": "250m", "memory": "1Gi"}}
    )
    app.measured(slow={"tariff": 25, "seatmap": 9, "boxoffice": 4, "lobby-gateway": 2}, cpu={"tariff": 1.34})
    for name in ("tariff", "seatmap", "playbill"):
        for labels in pods_of(app, name):
            share = jump(0.02, 0.81, 17) if name == "tariff" else 0.02
            app.counter("container_cpu_cfs_periods_total", 10, **labels)
            app.counter("container_cpu_cfs_throttled_periods_total", product(10, share), **labels)
            app.counter("container_cpu_cfs_throttled_seconds_total", product(0.6, share), **labels)
    return app.settled()


@scenario("pod_cpu_overload", "Deployment", "fraud-check", variants=("late_alert",))
def a_rule_that_burns() -> Hall:
    app = hall("tillroom latency", since=15)
    app.measured(slow={"fraud-check": 12, "tillroom": 6, "boxoffice": 3}, cpu={"fraud-check": 19, "tillroom": 1.1})
    return app.settled()


@scenario("gc_pressure", "Deployment", "playbill")
def the_heap_is_full_and_the_collector_works() -> Hall:
    app = hall("playbill p99 above 4 s", since=24)
    app.measured(slow={"playbill": 30, "lobby-gateway": 5}, cpu={"playbill": 3.2})
    for labels in pods_of(app, "playbill"):
        app.counter(
            "jvm_gc_pause_seconds_sum",
            jump(0.004, 0.63, 24),
            application="playbill",
            cause="G1 Evacuation Pause",
            **labels,
        )
        app.counter(
            "jvm_gc_pause_seconds_count",
            jump(0.2, 2.4, 24),
            application="playbill",
            cause="G1 Evacuation Pause",
            **labels,
        )
        app.gauge("jvm_memory_used_bytes", jump(3.1e8, 7.55e8, 24), application="playbill", area="heap", **labels)
        app.gauge("jvm_memory_max_bytes", 7.68e8, noise=0, application="playbill", area="heap", **labels)
    app.says("playbill", "[5321.201s][info][gc] GC(8812) Pause Full (G1 Compaction Pause) 766M->741M(768M) 2911.402ms",
             "[5326.882s][info][gc] GC(8813) To-space exhausted", every=12)  # fmt: skip
    return app.settled()


@scenario(
    "connection_pool_exhausted",
    "Deployment",
    "member",
    change="cfg-812",
    accept=[("bad_config_change", "Deployment", "member")],
)
def ten_became_two() -> Hall:
    app = hall("Profile page slow and failing", since=12)
    app.measured(errors={"member": 0.4, "lobby-gateway": 0.07}, slow={"member": 200})
    app.gauge(
        "hikaricp_connections_pending",
        jump(0, 38, 12),
        application="member",
        pool="HikariPool-1",
        namespace=app.namespace,
    )
    app.gauge(
        "hikaricp_connections_active",
        jump(4, 2, 12),
        noise=0,
        application="member",
        pool="HikariPool-1",
        namespace=app.namespace,
    )
    app.gauge(
        "hikaricp_connections_max",
        jump(10, 2, 12),
        noise=0,
        application="member",
        pool="HikariPool-1",
        namespace=app.namespace,
    )
    app.says("member", boot("WARN", "o.h.engine.jdbc.spi.SqlExceptionHelper", "SQL Error: 0, SQLState: null"), boot("ERROR",
             "o.h.engine.jdbc.spi.SqlExceptionHelper", "HikariPool-1 - Connection is not available, request timed out after 30001ms "
             "(total=2, active=2, idle=0, waiting=37)"), every=4)  # fmt: skip
    app.change("config", "member", "member: align datasource settings with template", minutes_ago=12.3, id="cfg-812",
               diff="-spring.datasource.hikari.maximum-pool-size: 10\n+spring.datasource.hikari.maximum-pool-size: 2\n")  # fmt: skip
    app.change(
        "config",
        "voucher",
        "voucher: log format",
        minutes_ago=8,
        id="cfg-815",
        diff="-logging.pattern: plain\n+logging.pattern: json\n",
    )
    return app.settled()


@scenario(
    "timeout_too_short",
    "Deployment",
    "boxoffice",
    change="rel-620",
    accept=[("bad_config_change", "Deployment", "boxoffice")],
)
def two_hundred_milliseconds_for_a_payment() -> Hall:
    app = hall("Orders fail at payment", since=10)
    app.measured(errors={"boxoffice": 0.55, "lobby-gateway": 0.07})
    app.says("boxoffice", boot("ERROR", SERVLET, 'I/O error on POST request for "http://tillroom:8087/api/charge": Read timed out'),
             "java.net.SocketTimeoutException: Read timed out", every=4)  # fmt: skip
    app.change("config", "boxoffice", "boxoffice: fail fast on slow backends", minutes_ago=10.3, id="rel-620",
               diff="-  tillroom.read-timeout: 5s\n+  tillroom.read-timeout: 200ms\n")  # fmt: skip
    return app.settled()


@scenario(
    "retry_storm",
    "Deployment",
    "seatmap",
    accept=[("retry_storm", "Deployment", "hold-keeper"), ("retry_storm", "Deployment", "lobby-gateway")],
)
def every_failure_is_tried_eight_times() -> Hall:
    app = hall("hold-keeper overloaded", since=11)
    app.measured(
        errors={"hold-keeper": 0.6, "seatmap": 0.3},
        traffic={"hold-keeper": 7.5},
        slow={"hold-keeper": 20, "seatmap": 30},
        cpu={"hold-keeper": 1.0},
        code="503",
    )
    app.says(
        "seatmap",
        boot("WARN", "c.h.seatmap.HoldClient", "hold-keeper answered 503, retrying immediately (attempt 8 of 10)"),
        every=1,
    )
    return app.settled()


@scenario("hpa_at_max", "HorizontalPodAutoscaler", "search-api", accept=[("hpa_at_max", "Deployment", "search-api")])
def eight_is_all_it_may_have() -> Hall:
    app = hall("Search is slow", since=28)
    app.measured(slow={"search-api": 8}, traffic={"search-api": 1.4}, cpu={"search-api": 2.8})
    app.add({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
             "metadata": {"name": "search-api", "namespace": app.namespace, "uid": "hpa-1"},
             "spec": {"minReplicas": 2, "maxReplicas": 2, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "search-api"},
                      "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}]},
             "status": {"currentReplicas": 2, "desiredReplicas": 2, "currentMetrics": [{"type": "Resource", "resource": {
                 "name": "cpu", "current": {"averageUtilization": 188, "averageValue": "376m"}}}],
                 "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
                                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
                                {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "lastTransitionTime": app.stamp(27),
                                 "message": "the desired replica count is more than the maximum replica count"}]}})  # fmt: skip
    return app.settled()


@scenario(
    "noisy_neighbor",
    "Deployment",
    "recommender",
    accept=[("noisy_neighbor", "Deployment", "login"), ("noisy_neighbor", "Node", "ip-10-8-38-120")],
)
def one_neighbour_takes_the_node() -> Hall:
    app = hall("login is slow on one node", since=19)
    for pod in (*app.pods("login"), app.pods("recommender")[0]):
        pod["spec"]["nodeName"] = "ip-10-8-38-120"
    app.configure("recommender", resources={})
    app.measured(slow={"login": 9}, cpu={"login": 1.0, "recommender": 34})
    for node in app.nodes:
        level = jump(0.35, 0.99, 19) if node == "ip-10-8-38-120" else 0.35
        app.gauge("instance:node_cpu_utilisation:rate5m", level, instance=node)
    return app.settled()


@scenario("pod_network_loss", "Deployment", "waitroom", variants=("late_alert",))
def one_pod_s_packets_get_lost() -> Hall:
    app = hall("waitroom answers late for every second visitor", since=16)
    app.measured(slow={"waitroom": 40})
    for name in ("waitroom", "login", "member"):
        for place, labels in enumerate(pods_of(app, name)):
            bad = name == "waitroom" and place == 0
            told = {"namespace": labels["namespace"], "pod": labels["pod"], "interface": "eth0"}
            app.counter("container_network_receive_packets_total", 900, **told)
            app.counter("container_network_receive_packets_dropped_total", jump(0, 130, 16) if bad else 0.0, **told)
            app.counter("container_network_transmit_packets_dropped_total", jump(0, 110, 16) if bad else 0.0, **told)
    return app.settled()


@scenario("lock_contention", "Deployment", "hold-keeper", variants=("late_alert",))
def all_threads_wait_for_one_monitor() -> Hall:
    app = hall("hold-keeper p95 3 s at low CPU", since=18)
    app.measured(slow={"hold-keeper": 130, "seatmap": 50, "boxoffice": 18}, cpu={"hold-keeper": 0.4})
    for labels in pods_of(app, "hold-keeper"):
        app.gauge("jvm_threads_states_threads", jump(3, 188, 18), application="hold-keeper", state="blocked", **labels)
        app.gauge("jvm_threads_states_threads", jump(30, 12, 18), application="hold-keeper", state="runnable", **labels)
    app.says(
        "hold-keeper",
        boot(
            "WARN", "c.h.hold.RowLocks", "waited 2871 ms for lock row:hall-3:J (holder nio-8084-exec-41, 187 waiting)"
        ),
        every=4,
    )
    return app.settled()


@scenario(
    "n_plus_one_queries", "Deployment", "promoter", change="rel-71", accept=[("bad_deploy", "Deployment", "promoter")]
)
def a_query_for_every_seat() -> Hall:
    app = hall("Promoter pages take 6 s", since=20)
    app.measured(slow={"promoter": 60})
    app.counter("mysql_global_status_questions", jump(240, 5200, 20), namespace=app.namespace, pod="playbill-mysql-0")
    for number in range(1, 9):
        ago, slow = (60, 80.0) if number > 6 else (8 - number, 5800.0)
        app.span(
            "promoter", "GET /api/promoter/{id}", trace=number, span=number * 1000, minutes_ago=ago, milliseconds=slow
        )
        for child in range(2 if number > 6 else 160):
            app.span("promoter", "SELECT promoter.seat", trace=number, span=number * 1000 + child + 1, parent=number * 1000,
                     minutes_ago=ago - child * 0.0005, milliseconds=4, **{"db.system": "mysql", "db.statement": "select * from seat where id=?"})  # fmt: skip
    app.change("deploy", "promoter", "deploy promoter 3.15.0", minutes_ago=20.4, id="rel-71")
    return app.settled()


@scenario("pod_disk_io_saturation", "StatefulSet", "seatmap-mysql")
def the_store_waits_for_its_disk() -> Hall:
    app = hall("seatmap writes are slow", since=22)
    app.measured(slow={"seatmap": 15, "resale": 3})
    where = {"namespace": app.namespace, "pod": "seatmap-mysql-0", "container": "seatmap-mysql"}
    app.counter("container_fs_writes_bytes_total", jump(4e6, 2.4e8, 22), device="/dev/nvme1n1", **where)
    app.counter("container_fs_io_time_seconds_total", jump(0.05, 0.99, 22), device="/dev/nvme1n1", **where)
    app.counter("container_cpu_usage_seconds_total", 0.4, **where)
    app.says("seatmap-mysql", "2026-04-14T09:12:44.000112Z 0 [Warning] [MY-012985] [InnoDB] page_cleaner: 1000ms intended loop took 14410ms. The "
             "settings might not be optimal. (flushed=1212 and evicted=0, during the time.)", every=30)  # fmt: skip
    return app.settled()


# --------------------------------------------------------------------------------------------------------------- outside


@scenario("traffic_surge", "Deployment", "waitroom", accept=[("traffic_surge", "Deployment", "lobby-gateway"), ("traffic_surge", "Deployment", "playbill"),
          ("traffic_surge", "Deployment", "seatmap")])  # fmt: skip
def the_band_everybody_waited_for() -> Hall:
    app = hall("Everything is slow since 09:20", since=10)
    names = ("lobby-gateway", "waitroom", "playbill", "seatmap", "hold-keeper", "tariff", "login")
    app.measured(
        traffic=dict.fromkeys(names, 6.5),
        slow=dict.fromkeys(names, 5),
        errors={"lobby-gateway": 0.06, "seatmap": 0.05},
        code="503",
    )
    return app.settled()


@scenario(
    "upstream_provider_outage",
    "Component",
    "api.cardpay.example.test",
    accept=[("upstream_provider_outage", "Deployment", "tillroom")],
)
def the_card_processor_answers_503() -> Hall:
    app = hall("Payments fail", since=13)
    app.measured(errors={"tillroom": 0.85, "boxoffice": 0.4, "refunds": 0.8})
    app.says("tillroom", boot("ERROR", "c.h.till.card.CardpayClient", "POST https://api.cardpay.example.test/v2/authorisations: 503 Service "
             'Unavailable: "{"error":"service_degraded","message":"We are experiencing an incident, see status.cardpay.example.test"}"'), every=2)  # fmt: skip
    app.says("boxoffice", boot("ERROR", SERVLET, '502 Bad Gateway on POST request for "http://tillroom:8087/api/charge": '
             '"{"error":"card processor unavailable"}"'), every=2)  # fmt: skip
    app.change("deploy", "boxoffice", "deploy boxoffice 3.14.9", minutes_ago=33, id="rel-90")
    return app.settled()


@scenario("client_abuse", "Deployment", "lobby-gateway", accept=[("client_abuse", "Deployment", "seatmap")])
def one_scraper_asks_for_every_seat() -> Hall:
    app = hall("seatmap traffic 9x", since=16)
    app.measured(traffic={"seatmap": 9, "lobby-gateway": 4}, slow={"seatmap": 4})
    guests = [f'198.51.100.{number * 7 % 250} - - [14/Apr/2026:08:31:02 +0000] "GET /api/playbill/{number} HTTP/2.0" 200 9120 "-" "Mozilla/5.0" 31ms'
              for number in range(60)]  # fmt: skip
    app.says("lobby-gateway", *guests, ago=88, every=80, rounds=1, pods=app.pods("lobby-gateway")[:1])
    app.says("lobby-gateway", '203.0.113.77 - - [14/Apr/2026:09:18:44 +0000] "GET /api/seatmap/hall-3/J/14 HTTP/1.1" 200 412 "-" '
             '"python-requests/2.31.0" 6ms', every=0.8, pods=app.pods("lobby-gateway")[:1])  # fmt: skip
    app.says("lobby-gateway", '198.51.100.9 - - [14/Apr/2026:09:18:45 +0000] "GET /api/playbill/88 HTTP/2.0" 200 9120 "-" "Mozilla/5.0 (iPhone)" 31ms',
             '192.0.2.41 - - [14/Apr/2026:09:18:46 +0000] "GET /api/seatmap/hall-1 HTTP/2.0" 200 5100 "-" "Mozilla/5.0 (Windows NT 10.0)" 42ms',
             every=20, pods=app.pods("lobby-gateway")[:1])  # fmt: skip
    return app.settled()


@scenario("batch_job_contention", "CronJob", "sales-rollup", accept=[("batch_job_contention", "StatefulSet", "report-pg"),
          ("batch_job_contention", "Deployment", "report-mill"), ("batch_job_contention", "Deployment", "recommender"),
          ("batch_job_contention", "Job", "sales-rollup-29402475")])  # fmt: skip
def the_rollup_runs_at_nine() -> Hall:
    app = hall("recommender and report-mill slow", since=15)
    app.measured(slow={"recommender": 9, "report-mill": 12})
    app.cron("sales-rollup", "15 9 * * *", last=15)
    job = app.job("sales-rollup-29402475", cron="sales-rollup", created=15, active=1)
    pod = app.job_pod(job, minutes_ago=15)
    app.says(
        "x",
        "INFO rollup 2026-04-13: INSERT INTO rollup SELECT ... FROM bookings (88 million rows)",
        pods=[pod],
        container="task",
        rounds=1,
        ago=14,
    )
    where = {"namespace": app.namespace, "pod": "report-pg-0", "container": "report-pg"}
    app.counter("container_cpu_usage_seconds_total", jump(0.3, 3.8, 15), **where)
    app.says("report-pg", "{pg} UTC [901] sales_rollup@reports LOG:  duration: 61022.871 ms  statement: INSERT INTO rollup SELECT venue_id, sum(total) "
             "FROM bookings GROUP BY 1", rounds=6, every=100)  # fmt: skip
    return app.settled()


# --------------------------------------------------------------------------------------------------------- observability


@scenario("alert_rule_wrong", kind="Component", name="PaymentErrorBudgetBurn")
def a_ratio_that_divides_by_the_wrong_thing() -> Hall:
    app = hall("PaymentErrorBudgetBurn", since=20).measured()
    app.change("config", "monitoring/rules/payments.yaml", "alerting: PaymentErrorBudgetBurn for the new labels", minutes_ago=21, id="mon-4",
               diff='-  expr: sum(rate(http_server_requests_seconds_count{application="tillroom",status=~"5.."}[5m])) / sum(rate(http_server_requests_seconds_count{application="tillroom"}[5m])) > 0.02\n'
               '+  expr: sum(rate(http_server_requests_seconds_count{application="tillroom",status=~"2.."}[5m])) / sum(rate(http_server_requests_seconds_count{application="tillroom"}[5m])) > 0.02\n')  # fmt: skip
    app.alert("PaymentErrorBudgetBurn", "tillroom error ratio is 0.999 (threshold 0.02)", minutes_ago=18)
    return app.settled()


@scenario("scrape_target_down", "Deployment", "voucher")
def nobody_can_read_the_metrics_of_a_healthy_service() -> Hall:
    app = hall("TargetDown voucher", since=30).measured("lobby-gateway", "boxoffice", "playbill")
    for place, pod in enumerate(app.pods("voucher")):
        app.gauge(
            "up",
            jump(1, 0, 30),
            noise=0,
            job="voucher",
            namespace=app.namespace,
            pod=pod["metadata"]["name"],
            instance=f"10.244.{place}.8:8081",
        )
    for pod in app.pods("boxoffice"):
        app.gauge(
            "up",
            1,
            noise=0,
            job="boxoffice",
            namespace=app.namespace,
            pod=pod["metadata"]["name"],
            instance=f"{pod['status']['podIP']}:8085",
        )
    app.alert(
        "TargetDown",
        "100% of the voucher/voucher targets in stagedoor namespace are down.",
        minutes_ago=15,
        job="voucher",
        service="voucher",
    )
    return app.settled()


# ------------------------------------------------------------------------------------------------------------- no fault


@scenario("no_fault_found")
def the_error_ratio_was_back_before_anybody_looked() -> Hall:
    app = hall("5xx ratio at lobby-gateway", since=42).measured(errors={"lobby-gateway": 0.05}, until=37)
    app.alert("GatewayErrors", "5xx ratio at lobby-gateway is 0.05", minutes_ago=40)
    app.alerts[0] |= {"status": "resolved", "endsAt": app.stamp(35)}
    return app.settled()


@scenario(None, no_cause=True)
def a_scale_up_before_the_sale() -> Hall:
    app = hall("KubeHpaReplicasChanged for waitroom", since=30).measured(traffic={"waitroom": 1.15})
    app.get("Deployment", "waitroom")["spec"]["replicas"] = 4
    app.change("scale", "waitroom", "scale waitroom 2 -> 4 before the on-sale", minutes_ago=30, id="scale-1")
    owner = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith("waitroom-")][-1]
    owner["spec"]["replicas"] = 4
    for _ in range(2):
        app.pod(owner, f"{owner['metadata']['name']}-{app.hash(5)}", app.stamp(30))
    return app.settled()


@scenario(None, no_cause=True)
def nine_deploys_and_nothing_happened() -> Hall:
    app = hall("Weekly latency review: is anything wrong?").measured()
    for place, name in enumerate(
        ("playbill", "seatmap", "tariff", "voucher", "member", "login", "loyalty", "refunds", "resale")
    ):
        app.change("deploy", name, f"deploy {name} 3.15.0", minutes_ago=80 - 8 * place, id=f"rel-{place + 100}")
    return app.settled()


@scenario(None, no_cause=True)
def the_old_noise_is_a_little_louder_today() -> Hall:
    app = hall("Log volume of playbill is up by a third").measured(traffic={"playbill": 1.1})
    app.says(
        "playbill",
        boot("ERROR", "c.h.playbill.Thumbnails", "could not render thumbnail for asset 4411, using the placeholder"),
        ago=88,
        every=40,
    )
    app.says("login", boot("WARN", "o.s.s.a.dao.DaoAuthenticationProvider", "Failed to authenticate since password does not match stored value"),
             ago=88, every=15)  # fmt: skip
    return app.settled()


@scenario(None, no_cause=True)
def a_restart_of_the_night_and_a_completed_job() -> Hall:
    app = hall("Ticket from support: was there an outage last night?").measured()
    pod = app.pods("payout")[0]
    app.status(pod).update(restartCount=1, lastState={"terminated": {"exitCode": 143, "reason": "Error", "startedAt": app.stamp(4000),
                           "finishedAt": app.stamp(560)}}, state={"running": {"startedAt": app.stamp(559)}})  # fmt: skip
    return app.settled()
