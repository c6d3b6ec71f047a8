"""A second blind round over the same families, in forms that the first did not think of."""

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump, ramp


@scenario("db_connection_exhaustion", kind="StatefulSet", name="ptah")
def pgbouncer_has_clients_waiting() -> Frozen:
    s = System(namespace="zoo", seed=501).nodes()
    s.serve("tickets", seconds=jump(0.05, 4, 12), errors=jump(0, 0.2, 12)).serve(
        "ptah", style="", stateful=True, port=5432
    )
    s.calls(("tickets", "ptah"))
    s.gauge(
        "pg_stat_database_numbackends", jump(31, 99, 12), noise=0.002, namespace="zoo", service="ptah", datname="zoo"
    )
    s.gauge("pg_settings_max_connections", 100, noise=0, namespace="zoo", service="ptah")
    s.log(s.pod("tickets"), "tickets", *["ERROR asyncpg.exceptions.TooManyConnectionsError: sorry, too many clients already"] * 25, minutes_ago=12, every_seconds=28)  # fmt: skip
    return s.alert("TicketsErrors", "tickets 5xx", minutes_ago=10, service="tickets")


@scenario("db_read_only", kind="StatefulSet", name="docstore")
def mongo_stepped_down() -> Frozen:
    s = System(namespace="legal", seed=502, style="go").nodes()
    s.serve("cases", errors=jump(0, 0.7, 13)).serve("docstore", style="", stateful=True, port=27017, replicas=3)
    s.calls(("cases", "docstore"))
    s.log(s.pod("cases"), "cases", *["ERROR insert case: (NotWritablePrimary) not primary"] * 30, minutes_ago=13, every_seconds=25)  # fmt: skip
    s.log("docstore-0", "docstore", '{"s":"I","c":"REPL","msg":"Stepping down from primary","attr":{"reason":"step down cmd"}}', minutes_ago=13.2)  # fmt: skip
    return s.alert("CasesErrors", "cases 5xx", minutes_ago=11, service="cases")


@scenario("db_lock_contention", kind="StatefulSet", name="books-db")
def innodb_waits_without_any_error() -> Frozen:
    s = System(namespace="lib", seed=503).nodes()
    s.serve("loans", seconds=jump(0.05, 2.4, 14)).serve("books-db", style="", stateful=True, port=3306, replicas=1)
    s.serve("desk", seconds=jump(0.1, 2.5, 14))
    s.calls(("desk", "loans"), ("loans", "books-db"))
    s.gauge(
        "mysql_global_status_innodb_row_lock_current_waits", jump(0, 31, 14), namespace="lib", job="books-db-exporter"
    )
    s.counter("mysql_global_status_innodb_row_lock_waits", jump(0.05, 21, 14), namespace="lib", job="books-db-exporter")
    return s.alert("DeskLatency", "desk slow", minutes_ago=12, service="desk")


@scenario("slow_query", kind="StatefulSet", name="search-cluster")
def elasticsearch_slow_log() -> Frozen:
    s = System(namespace="jobs", seed=504, style="istio").nodes()
    s.serve("finder", seconds=jump(0.1, 3.9, 15)).serve("search-cluster", style="", stateful=True, port=9200, cpu=jump(0.5, 1.9, 15))  # fmt: skip
    s.calls(("finder", "search-cluster"))
    s.log("search-cluster-0", "search-cluster", *['[WARN ][i.s.s.query] [search-cluster-0] [jobs-v4][2] took[3.7s], took_millis[3712], total_hits[120000 hits], source[{"query":{"wildcard":{"title":"*eng*"}}}]'] * 25, minutes_ago=15, every_seconds=30)  # fmt: skip
    return s.alert("FinderLatency", "finder slow", minutes_ago=13, service="finder")


@scenario("db_disk_full", kind="StatefulSet", name="metrics-mysql")
def claim_is_full_and_the_log_says_table_is_full() -> Frozen:
    s = System(namespace="stats", seed=505).nodes()
    s.serve("collector", errors=jump(0, 0.9, 9)).serve("metrics-mysql", style="", stateful=True, port=3306, replicas=1)
    s.calls(("collector", "metrics-mysql"))
    s.gauge("kubelet_volume_stats_available_bytes", ramp(4e8, 2e6, 50), noise=0, namespace="stats", persistentvolumeclaim="data-metrics-mysql-0", node="worker-1")  # fmt: skip
    s.gauge("kubelet_volume_stats_capacity_bytes", 2e10, noise=0, namespace="stats", persistentvolumeclaim="data-metrics-mysql-0", node="worker-1")  # fmt: skip
    s.log(s.pod("collector"), "collector", *["ERROR Error 1114 (HY000): The table 'samples' is full"] * 25, minutes_ago=9, every_seconds=20)  # fmt: skip
    return s.alert("CollectorErrors", "collector 5xx", minutes_ago=7, service="collector")


@scenario("replication_lag", kind="StatefulSet", name="reader")
def redis_replica_lags_seconds_only() -> Frozen:
    s = System(namespace="game", seed=506, style="go").nodes()
    s.serve("ranks").serve("writer", style="", stateful=True, port=6379).serve(
        "reader", style="", stateful=True, port=6379
    )
    s.calls(("ranks", "reader"))
    s.gauge("redis_connected_slave_lag_seconds", ramp(0.4, 95, 16), namespace="game", service="reader")
    return s.alert("ReplicaLag", "replica of ranks is behind", minutes_ago=12, service="reader")


@scenario("cache_stampede", name="edge-cache")
def a_restart_empties_the_cache() -> Frozen:
    s = System(namespace="cdn", seed=507).nodes()
    s.serve("pages", seconds=jump(0.02, 0.9, 10), rate=180).serve("edge-cache", style="", port=6379)
    s.serve("content-db", style="", stateful=True, port=5432, replicas=1, cpu=jump(0.2, 1.7, 10))
    given = {"namespace": "cdn", "job": "edge-cache-exporter"}
    s.counter("redis_keyspace_hits_total", jump(800, 150, 10), **given)
    s.counter("redis_keyspace_misses_total", jump(10, 640, 10), **given)
    s.gauge("redis_db_keys", jump(62000, 900, 10), db="db0", **given)
    s.calls(("pages", "edge-cache"), ("pages", "content-db"))
    return s.alert("PagesLatency", "pages slow", minutes_ago=8, service="pages")


@scenario("queue_backlog", name="ocr")
def consumer_reports_its_own_lag() -> Frozen:
    s = System(namespace="scan", seed=508, style="spring").nodes()
    s.serve("ocr", style="", cpu=jump(0.3, 0.02, 17)).serve("inbox", style="spring")
    s.gauge("kafka_consumer_fetch_manager_records_lag_max", ramp(12, 31000, 17), namespace="scan", application="ocr")
    s.calls(("inbox", "ocr"))
    return s.alert("RecordsLag", "records lag of ocr", minutes_ago=12, service="ocr")


@scenario("queue_backlog", name="delivery")
def producers_double_and_one_consumer_is_not_enough() -> Frozen:
    s = System(namespace="mail", seed=509, style="go").nodes()
    s.serve("delivery", style="", env={"QUEUE_NAME": "outgoing-v2"}).serve("composer", rate=jump(10, 60, 18))
    s.serve("broker", style="", stateful=True, port=5672, replicas=1)
    given = {"namespace": "mail", "queue": "outgoing-v2"}
    s.gauge("rabbitmq_queue_messages", ramp(8, 7200, 18), **given)
    s.counter("rabbitmq_queue_messages_published_total", jump(9, 55, 18), **given)
    s.counter("rabbitmq_queue_messages_acked_total", 9, **given)
    s.calls(("composer", "broker"), ("delivery", "broker"))
    return s.alert("QueueGrows", "outgoing-v2 grows", minutes_ago=12, queue="outgoing-v2")


@scenario("poison_message", name="ledger-writer")
def sqs_receive_count_rises() -> Frozen:
    s = System(namespace="fin", seed=510, style="", resources=False)
    s.serve("ledger-writer").serve("api")
    lines = [f"ERROR could not handle message_id=a81c9d02-77ef receive_count={n}: ValueError: negative amount, will retry" for n in range(1, 50)]  # fmt: skip
    s.log(s.pod("ledger-writer"), "ledger-writer", *lines, minutes_ago=15, every_seconds=18)
    return s.alert("LedgerStuck", "ledger-writer makes no progress", minutes_ago=12, service="ledger-writer")


@scenario("write_capacity_exceeded", name="events-sink")
def kinesis_throttles_puts() -> Frozen:
    s = System(namespace="track", seed=511).nodes()
    s.serve("events-sink", errors=jump(0, 0.3, 11), rate=jump(40, 95, 12)).serve("web")
    s.log(s.pod("events-sink"), "events-sink", *["ERROR PutRecords: ProvisionedThroughputExceededException: Rate exceeded for shard shardId-000000000001 in stream events"] * 30, minutes_ago=11, every_seconds=20)  # fmt: skip
    s.calls(("web", "events-sink"))
    return s.alert("SinkErrors", "events-sink errors", minutes_ago=9, service="events-sink")


@scenario("index_mapping_broken", name="feeder", accept=[("index_mapping_broken", "StatefulSet", "os")])
def strict_mapping_refuses_a_field() -> Frozen:
    s = System(namespace="shop", seed=512, style="go").nodes()
    s.serve("feeder", errors=jump(0, 0.8, 13)).serve("os", style="", stateful=True, port=9200)
    s.log(s.pod("feeder"), "feeder", *["ERROR 400: strict_dynamic_mapping_exception: mapping set to strict, dynamic introduction of [discount] within [_doc] is not allowed"] * 30, minutes_ago=13, every_seconds=20)  # fmt: skip
    s.calls(("feeder", "os"))
    return s.alert("FeederErrors", "feeder errors", minutes_ago=11, service="feeder")


@scenario("db_schema_mismatch", name="tariff")
def oracle_and_hibernate_words() -> Frozen:
    s = System(namespace="rail", seed=513, style="spring").nodes()
    s.serve("tariff", errors=jump(0, 0.6, 12)).serve("booking", errors=jump(0, 0.4, 12))
    s.log(s.pod("tariff"), "tariff", *["ERROR o.h.engine.jdbc.spi.SqlExceptionHelper : ORA-00904: \"T\".\"ZONE_ID\": invalid identifier"] * 30, minutes_ago=12, every_seconds=20)  # fmt: skip
    s.calls(("booking", "tariff"))
    return s.alert("BookingErrors", "booking errors", minutes_ago=10, service="booking")


@scenario("client_abuse", name="export-api")
def one_tenant_in_json_logs() -> Frozen:
    s = System(namespace="saas", seed=514).nodes()
    s.serve("export-api", rate=jump(20, 180, 12), seconds=jump(0.2, 2.8, 12), cpu=jump(0.3, 1.1, 12))
    usual = [f'{{"level":"info","msg":"export","tenant_id":"t{n % 31}","status":200}}' for n in range(110)]
    s.log(s.pod("export-api"), "export-api", *usual, minutes_ago=58, every_seconds=31)
    s.log(s.pod("export-api"), "export-api", *['{"level":"info","msg":"export","tenant_id":"t4","status":200}'] * 420, minutes_ago=12, every_seconds=1.6)  # fmt: skip
    return s.alert("ExportLatency", "export-api slow", minutes_ago=10, service="export-api")


@scenario("traffic_surge", name="portal", accept=[("traffic_surge", "Deployment", "grades")])
def many_clients_at_once_are_no_abuse() -> Frozen:
    s = System(namespace="uni", seed=515).nodes()
    s.serve("portal", rate=jump(60, 500, 11), seconds=jump(0.1, 1.6, 10)).serve("grades", rate=jump(50, 430, 11), seconds=jump(0.05, 1.2, 10))  # fmt: skip
    for ago, count, every in ((58, 90, 30), (11, 400, 1.6)):
        lines = [f'10.{n * 7 % 250}.{n * 13 % 250}.{n % 250} - - "GET /results HTTP/2" 200 812' for n in range(count)]
        s.log(s.pod("portal"), "portal", *lines, minutes_ago=ago, every_seconds=every)
    s.calls(("portal", "grades"))
    return s.alert("PortalLatency", "portal slow", minutes_ago=9, service="portal")


@scenario("upstream_provider_outage", name="sms.carrier.test", accept=[("upstream_provider_outage", "Deployment", "otp"), ("upstream_provider_outage", "Deployment", "reminders")])  # fmt: skip
def provider_answers_502_to_several() -> Frozen:
    s = System(namespace="care", seed=516, style="istio").nodes()
    s.serve("otp", errors=jump(0, 0.9, 14)).serve("reminders", errors=jump(0, 0.8, 14)).serve(
        "login", errors=jump(0, 0.4, 14)
    )
    for name in ("otp", "reminders"):
        s.log(s.pod(name), name, *["ERROR upstream https://sms.carrier.test/send returned 502 Bad Gateway"] * 25, minutes_ago=14, every_seconds=30)  # fmt: skip
    s.calls(("login", "otp"), ("login", "reminders"))
    s.change("deploy", "login", "login 8", minutes_ago=17, id="l8")
    return s.alert("LoginErrors", "login errors", minutes_ago=12, service="login")


@scenario("batch_job_contention", kind="Job", name="reindex", accept=[("batch_job_contention", "StatefulSet", "pg"), ("batch_job_contention", "Deployment", "catalog")])  # fmt: skip
def a_manual_job_without_a_cron_job() -> Frozen:
    s = System(namespace="art", seed=517).nodes()
    s.serve("catalog", seconds=jump(0.05, 1.4, 12)).serve("pg", style="", stateful=True, port=5432, replicas=1, cpu=jump(0.2, 1.9, 12))  # fmt: skip
    meta = {"namespace": "art", "creationTimestamp": s.stamp(12.1)}
    container = {
        "name": "reindex",
        "image": "registry.test/reindex:1",
        "env": [{"name": "DATABASE_HOST", "value": "pg"}],
    }
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "reindex", "uid": "u-reindex", "controller": True}
    s.add(
        {
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "reindex", "uid": "u-reindex", **meta},
            "spec": {"completions": 1, "parallelism": 1, "template": {"metadata": {"labels": {"job-name": "reindex"}}, "spec": {"containers": [container]}}},
            "status": {"active": 1, "startTime": s.stamp(12.1)},
        },
        {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "reindex-m2x8k", "uid": "u-pod", "labels": {"job-name": "reindex"}, "ownerReferences": [owner], **meta},
            "spec": {"nodeName": "worker-3", "containers": [container]},
            "status": {"phase": "Running", "startTime": s.stamp(12.1), "containerStatuses": [{"name": "reindex", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": s.stamp(12.1)}}}]},
        },
    )  # fmt: skip
    s.calls(("catalog", "pg"))
    return s.alert("CatalogLatency", "catalog slow", minutes_ago=10, service="catalog")


@scenario("alert_rule_wrong", kind="Component", name="ErrorBudgetBurn")
def a_percentage_is_compared_as_a_ratio() -> Frozen:
    s = System(namespace="pay", seed=518).nodes()
    s.serve("pay", errors=0.0004, rate=200).serve("web")
    s.calls(("web", "pay"))
    s.alert("ErrorBudgetBurn", "pay fails more than 1 % of its requests", minutes_ago=50, service="pay")
    expr = '100 * sum(rate(http_server_request_duration_seconds_count{service_name="pay",http_response_status_code="500"}[5m])) / sum(rate(http_server_request_duration_seconds_count{service_name="pay"}[5m])) > 0.01'
    from urllib.parse import quote

    s.alerts[-1]["generatorURL"] = f"http://prometheus:9090/graph?g0.expr={quote(expr)}"
    return s


@scenario("scrape_target_down", name="billing")
def annotations_point_to_a_closed_port() -> Frozen:
    s = System(namespace="bill", seed=519, style="").nodes()
    s.serve("billing").serve("front")
    s.gauge("up", jump(1, 0, 16), noise=0, job="kubernetes-pods", namespace="bill", pod=s.pod("billing"), instance="10.1.0.7:9999")  # fmt: skip
    s.gauge("up", 1, noise=0, job="kubernetes-pods", namespace="bill", pod=s.pod("front"), instance="10.1.0.8:8080")
    return s.alert("TargetDown", "50% of the kubernetes-pods targets are down", minutes_ago=12, job="kubernetes-pods")


@scenario("no_data", kind="Component", name="SensorSilent", accept=[("no_data", "Deployment", "gateway")])
def series_ended_but_the_service_serves() -> Frozen:
    s = System(namespace="iot", seed=520, style="istio").nodes()
    s.serve("gateway").serve("rules")
    s.gauge("sensor_last_value", 21.5, namespace="iot", service="gateway", sensor="hall-3")
    del s._samples["sensor_last_value"][1][-34:]
    s.calls(("rules", "gateway"))
    s.alert("SensorSilent", "no data from hall-3", minutes_ago=11, service="gateway")
    s.alerts[-1]["generatorURL"] = (
        "http://prometheus:9090/graph?g0.expr=absent(sensor_last_value%7Bsensor%3D%22hall-3%22%7D)"
    )
    return s


@scenario("no_fault_found")
def resolved_after_a_short_spike_of_errors() -> Frozen:
    s = System(namespace="post", seed=521, style="go").nodes()
    s.serve("parcels", errors=jump(0, 0.2, 31, 28)).serve("labels")
    s.calls(("parcels", "labels"))
    s.change("deploy", "labels", "labels 3", minutes_ago=33, id="l3")
    s.alert("ParcelErrors", "parcels errors", minutes_ago=30, service="parcels")
    s.alerts[-1] |= {"status": "resolved", "endsAt": s.stamp(26)}
    return s


@scenario("certificate_expired", name="pay-gw", accept=[("certificate_expired", "Deployment", "orders")])
def node_client_sees_cert_has_expired() -> Frozen:
    s = System(namespace="shop", seed=522).nodes()
    s.serve("orders", errors=jump(0, 0.8, 12)).serve("pay-gw", rate=jump(20, 0.3, 12), port=8443)
    s.log(s.pod("orders"), "orders", *["Error: certificate has expired at TLSSocket.onConnectSecure (node:_tls_wrap:1550) code: 'CERT_HAS_EXPIRED' calling https://pay-gw:8443/charge"] * 25, minutes_ago=12, every_seconds=28)  # fmt: skip
    s.calls(("orders", "pay-gw"))
    return s.alert("OrdersErrors", "orders errors", minutes_ago=10, service="orders")


@scenario("credentials_rotated", name="indexer", change="rot-44")
def redis_password_changed() -> Frozen:
    s = System(namespace="find", seed=523, style="go").nodes()
    s.serve("indexer", errors=jump(0, 1, 13)).serve("redis", style="", stateful=True, port=6379)
    s.log(s.pod("indexer"), "indexer", *["ERROR WRONGPASS invalid username-password pair or user is disabled."] * 25, minutes_ago=13, every_seconds=30)  # fmt: skip
    s.change("config", "indexer", "rotate redis password (secret redis-auth)", minutes_ago=13.4, id="rot-44")
    s.change("deploy", "redis", "redis chart 7.2.1: labels only", minutes_ago=45, id="r7")
    s.calls(("indexer", "redis"))
    return s.alert("IndexerErrors", "indexer errors", minutes_ago=11, service="indexer")


@scenario("bad_migration", name="members", change="mig-9", accept=[("bad_migration", "StatefulSet", "pg"), ("db_schema_mismatch", "Deployment", "members")])  # fmt: skip
def a_rename_breaks_the_old_code() -> Frozen:
    s = System(namespace="club", seed=524).nodes()
    s.serve("members", errors=jump(0, 0.9, 11)).serve("pg", style="", stateful=True, port=5432).serve("cards")
    s.log(s.pod("members"), "members", *['ERROR db: column members.surname does not exist (SQLSTATE 42703)'] * 25, minutes_ago=11, every_seconds=25)  # fmt: skip
    s.change("other", "pg", "db migration 0009: rename members.surname to family_name", minutes_ago=11.4, id="mig-9", diff="+ALTER TABLE members RENAME COLUMN surname TO family_name;")  # fmt: skip
    s.change("deploy", "cards", "cards 2.2", minutes_ago=6, id="c22")
    s.calls(("members", "pg"), ("cards", "members"))
    return s.alert("MembersErrors", "members errors", minutes_ago=9, service="members")


@scenario("connection_pool_exhausted", name="quoter")
def go_pool_waits_without_words() -> Frozen:
    s = System(namespace="risk", seed=525, style="spring").nodes()
    s.serve("quoter", seconds=jump(0.05, 3, 13), cpu=jump(0.3, 0.1, 13)).serve("pg", style="", stateful=True, port=5432)
    s.gauge("hikaricp_connections_active", jump(4, 20, 13), noise=0, namespace="risk", application="quoter")
    s.gauge("hikaricp_connections_max", 20, noise=0, namespace="risk", application="quoter")
    s.gauge("hikaricp_connections_pending", jump(0, 35, 13), namespace="risk", application="quoter")
    s.calls(("quoter", "pg"))
    return s.alert("QuoterLatency", "quoter slow", minutes_ago=11, service="quoter")


@scenario("gc_pressure", name="planner")
def gc_time_and_no_other_sign() -> Frozen:
    s = System(namespace="fleet", seed=526, style="spring").nodes()
    s.serve("planner", seconds=jump(0.05, 1.2, 14), cpu=jump(0.4, 0.5, 14)).serve("map", seconds=jump(0.1, 1.3, 14))
    s.counter("jvm_gc_pause_seconds_sum", jump(0.01, 0.55, 14), namespace="fleet", application="planner", action="end of major GC")  # fmt: skip
    s.calls(("map", "planner"))
    return s.alert("MapLatency", "map slow", minutes_ago=12, service="map")
