"""Fourth blind round, data stores and routing at a ticket seller's: who holds the wrong value, and who only suffers.

Most evidence is what clients say, in the words of HikariCP, Connector/J, Lettuce, Spring AMQP, the Kafka client, Envoy and
nginx; what the store says itself is there in some and missing in others.
"""

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import grpc_probe
from tests.scenarios.sets.fourth_round_ground import Hall, boot, boots, hall
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, ramp

VAGUE = "5xx ratio at lobby-gateway is 0.11 (threshold 0.02)"
SQL = "o.h.engine.jdbc.spi.SqlExceptionHelper"
SERVLET = "o.a.c.c.C.[.[.[/].[dispatcherServlet]"


def gateway_shouts(app: Hall, name: str, *, status: int = 503, every: float = 3) -> None:
    """The gateway, which has no idea and says the most."""
    app.says("lobby-gateway", boot("ERROR", "a.w.r.e.AbstractErrorWebExceptionHandler", f"[7c1e-{status}]  {status} Server Error for HTTP "
             f'GET "/api/{name}/v2"', thread="r-http-epoll-3"),
             boot("WARN", "c.h.gateway.Fallback", f"route {name}: circuit breaker '{name}' is OPEN and does not permit further calls"),
             every=every)  # fmt: skip


# ----------------------------------------------------------------------------------------------------------- data stores


@scenario("mysql_invalid_credentials", "Deployment", "seatmap", change="cfg-301",
          accept=[("bad_config_change", "Deployment", "seatmap"), ("credentials_rotated", "Deployment", "seatmap")])  # fmt: skip
def the_user_was_spelt_anew() -> Hall:
    app = hall(VAGUE, since=11).measured(
        "lobby-gateway", "seatmap", "boxoffice", errors={"seatmap": 0.9, "lobby-gateway": 0.2}
    )
    app.says("seatmap", boot("WARN", SQL, "SQL Error: 1045, SQLState: 28000"),
             boot("ERROR", SQL, "Access denied for user 'seatmap_rw'@'10.244.3.17' (using password: YES)"), every=3)  # fmt: skip
    gateway_shouts(app, "seatmap")
    app.change("config", "seatmap", "seatmap: datasource user from vault template", minutes_ago=11.5, id="cfg-301",
               diff="-SPRING_DATASOURCE_USERNAME: seatmap\n+SPRING_DATASOURCE_USERNAME: seatmap_rw\n")  # fmt: skip
    app.change("deploy", "promoter", "deploy promoter 3.14.8", minutes_ago=30, id="rel-1")
    return app.settled()


@scenario("mysql_invalid_port", "Deployment", "loyalty")
def the_port_of_the_old_proxy() -> Hall:
    app = hall("loyalty is not ready after its rollout", since=16)
    app.env(
        "loyalty",
        SPRING_DATASOURCE_URL="jdbc:mysql://member-mysql:6033/loyalty?useSSL=false",
        SPRING_PROFILES_ACTIVE="prod",
    )
    for pod in app.pods("loyalty"):
        app.crashing(pod, 1, restarts=5, ran_seconds=38)
        app.says("loyalty", boot("ERROR", "com.zaxxer.hikari.pool.HikariPool", "HikariPool-1 - Exception during pool initialization.",
                 thread="main"), "com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure",
                 "The last packet sent successfully to the server was 0 milliseconds ago. The driver has not received any packets from the server.",
                 "Caused by: java.net.ConnectException: Connection refused", pods=[pod], rounds=1, ago=1.7, every=0.3)  # fmt: skip
    return app.settled()


@scenario("credentials_rotated", "Deployment", "tillroom", change="vault-77", accept=[("credentials_rotated", "StatefulSet", "queue-rabbit"),
          ("credentials_rotated", "Deployment", "refunds")])  # fmt: skip
def rabbit_s_password_is_new_and_two_clients_have_the_old_one() -> Hall:
    app = hall("Payment confirmations are late", since=25)
    for name in ("tillroom", "refunds"):
        app.says(name, boot("ERROR", "o.s.a.r.l.SimpleMessageListenerContainer", "Failed to check/redeclare auto-delete queue(s).",
                 thread="ontainer#1-1"), "org.springframework.amqp.AmqpAuthenticationException: com.rabbitmq.client."
                 "AuthenticationFailureException: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details "
                 "see the broker logfile.", every=5)  # fmt: skip
    app.says("queue-rabbit", "{pg}000+00:00 [error] <0.11218.4> Error on AMQP connection <0.11218.4> (10.244.1.31:48210 -> 10.244.4.8:5672, state: "
             "starting):", "PLAIN login refused: user 'tillroom' - invalid credentials", every=5, pods=app.pods("queue-rabbit")[:1])  # fmt: skip
    app.change(
        "config", "queue-rabbit", "rotate password of rabbit user tillroom (quarterly)", minutes_ago=25.5, id="vault-77"
    )
    app.change("deploy", "tillroom", "deploy tillroom 3.14.2", minutes_ago=320, id="rel-55")
    app.change("deploy", "wallet-pass", "deploy wallet-pass 3.14.4", minutes_ago=22, id="rel-61")
    return app.settled()


@scenario("db_connection_exhaustion", "StatefulSet", "boxoffice-mysql")
def no_connection_is_left_for_anybody() -> Hall:
    app = hall(VAGUE, since=8).measured(
        "lobby-gateway", "boxoffice", "voucher", "resale", errors={"boxoffice": 0.5, "voucher": 0.4, "resale": 0.3}
    )
    for name in ("boxoffice", "voucher", "resale"):
        app.says(name, boot("WARN", SQL, "SQL Error: 1040, SQLState: 08004"), boot("ERROR", SQL, 'Data source rejected establishment of '
                 'connection,  message from server: "Too many connections"'), every=4)  # fmt: skip
    app.says("boxoffice-mysql", "2026-04-14T09:22:01.004512Z 0 [Warning] [MY-010055] [Server] IP address '10.244.2.9' could not be resolved: "
             "Name or service not known", rounds=2, ago=70)  # fmt: skip
    app.gauge(
        "mysql_global_status_threads_connected", ramp(90, 151, 9), namespace=app.namespace, pod="boxoffice-mysql-0"
    )
    app.gauge("mysql_global_variables_max_connections", 151, noise=0, namespace=app.namespace, pod="boxoffice-mysql-0")
    gateway_shouts(app, "boxoffice")
    return app.settled()


@scenario("db_read_only", "StatefulSet", "boxoffice-mysql")
def writes_go_to_the_replica_after_the_failover() -> Hall:
    app = hall("Orders fail, browsing works", since=10).measured(
        "lobby-gateway", "boxoffice", "voucher", errors={"boxoffice": 0.6}
    )
    for name in ("boxoffice", "voucher"):
        app.says(name, boot("WARN", SQL, "SQL Error: 1290, SQLState: HY000"), boot("ERROR", SQL, "The MySQL server is running with the "
                 "--super-read-only option so it cannot execute this statement"), every=4)  # fmt: skip
    return app.settled()


@scenario("db_lock_contention", "StatefulSet", "seatmap-mysql")
def a_forgotten_transaction_holds_the_rows() -> Hall:
    app = hall("seatmap p95 51 s", since=13).measured(
        "lobby-gateway", "seatmap", "resale", slow={"seatmap": 60, "resale": 20}, errors={"seatmap": 0.35}
    )
    app.says("seatmap", boot("WARN", SQL, "SQL Error: 1205, SQLState: 40001"),
             boot("ERROR", SQL, "Lock wait timeout exceeded; try restarting transaction"), every=6)  # fmt: skip
    app.says("seatmap-mysql", "---TRANSACTION 98123374, ACTIVE 811 sec", "3 lock struct(s), heap size 1136, 1 row lock(s), undo log entries 1",
             "MySQL thread id 11712, OS thread handle 1399, query id 88231 10.244.9.4 ops_readwrite", rounds=1, ago=1, every=0.1)  # fmt: skip
    return app.settled()


@scenario("db_schema_mismatch", "Deployment", "resale", change="rel-410", accept=[("bad_deploy", "Deployment", "resale"),
          ("db_schema_mismatch", "StatefulSet", "boxoffice-mysql"), ("bad_migration", "Deployment", "resale")])  # fmt: skip
def code_before_its_column() -> Hall:
    app = hall("resale listing fails", since=9).measured("lobby-gateway", "resale", errors={"resale": 0.8})
    app.says("resale", boot("WARN", SQL, "SQL Error: 1054, SQLState: 42S22"), boot("ERROR", SQL, "Unknown column 'l1_0.row_label' in "
             "'field list'"), every=3)  # fmt: skip
    app.change("deploy", "resale", "deploy resale 3.15.0: row labels in listings", minutes_ago=9.3, id="rel-410")
    app.change("feature_flag", "loyalty", "flag loyalty_double_points: off->on", minutes_ago=17, id="flag-5")
    return app.settled()


@scenario("slow_query", "StatefulSet", "report-pg", accept=[("slow_query", "Deployment", "report-mill")])
def a_sequential_scan_over_the_whole_year() -> Hall:
    app = hall("report-mill p95 above 20 s", since=30).measured(
        "report-mill", "recommender", "promoter", slow={"report-mill": 30, "promoter": 8}
    )
    app.says("report-pg", "{pg} UTC [1822] report-mill@reports LOG:  duration: 21874.402 ms  execute <unnamed>: SELECT venue_id, sum(total) "
             "FROM bookings WHERE booked_at::date = $1 GROUP BY venue_id", "{pg} UTC [1822] report-mill@reports LOG:  duration: 19022.118 ms  "
             "plan: Query Text: SELECT venue_id, sum(total) FROM bookings Seq Scan on bookings  (cost=0.00..4188123.10 rows=88214112 width=22)",
             every=9)  # fmt: skip
    return app.settled()


@scenario("db_disk_full", "StatefulSet", "report-pg")
def postgres_cannot_extend_a_file() -> Hall:
    app = hall("recommender and report-mill answer 500", since=12).measured(
        "report-mill", "recommender", errors={"report-mill": 0.5, "recommender": 0.3}
    )
    app.says("report-pg", '{pg} UTC [2214] recommender@reports ERROR:  could not extend file "base/16401/99120.4": No space left on device',
             "{pg} UTC [2214] recommender@reports HINT:  Check free disk space.", every=5)  # fmt: skip
    app.says(
        "recommender",
        'psycopg.errors.DiskFull: could not extend file "base/16401/99120.4": No space left on device',
        every=5,
    )
    app.says("report-mill", "sqlalchemy.exc.OperationalError: (psycopg.errors.DiskFull) could not extend file", every=7)
    return app.settled()


@scenario("db_disk_full", "StatefulSet", "queue-rabbit", accept=[("queue_backlog", "StatefulSet", "queue-rabbit")])
def rabbit_blocks_its_publishers() -> Hall:
    app = hall("Orders hang at the last step", since=15).measured(
        "lobby-gateway", "boxoffice", "tillroom", slow={"boxoffice": 30, "tillroom": 12}
    )
    app.says("queue-rabbit", "{pg}000+00:00 [warning] <0.447.0> disk resource limit alarm set on node 'rabbit@queue-rabbit-1'.", "",
             "**********************************************************", "*** Publishers will be blocked until this alarm clears ***",
             "**********************************************************", "{pg}000+00:00 [info] <0.447.0> Free disk space is insufficient. Free bytes: "
             "48009216. Limit: 50000000", pods=app.pods("queue-rabbit")[1:2], rounds=1, ago=15, every=0.2)  # fmt: skip
    app.says("boxoffice", boot("WARN", "o.s.a.r.c.CachingConnectionFactory", "Connection blocked: low on disk", thread="127.0.0.1:5672"),
             boot("ERROR", "c.h.boxoffice.OrderPublisher", "org.springframework.amqp.AmqpTimeoutException: java.util.concurrent."
                  "TimeoutException: confirm not received within 10000 ms"), every=9)  # fmt: skip
    return app.settled()


@scenario("replication_lag", "StatefulSet", "member-mysql-replica")
def what_was_just_saved_is_not_there() -> Hall:
    app = hall("Customers see old addresses after saving", since=40)
    app.stateful("member-mysql-replica", 3306, replicas=1)
    app.gauge(
        "mysql_slave_status_seconds_behind_master",
        ramp(1, 1900, 40),
        namespace=app.namespace,
        pod="member-mysql-replica-0",
    )
    app.measured("member", "login", "lobby-gateway", errors={"member": 0.01})
    app.says(
        "member",
        boot("WARN", "c.h.member.ReadYourWrites", "profile 88123 version 41 expected, replica returned 39"),
        every=12,
    )
    app.calls(("member", "member-mysql-replica"))
    return app.settled()


@scenario("cache_stampede", "StatefulSet", "hall-redis", accept=[("cache_stampede", "Deployment", "playbill")])
def everything_expires_at_ten() -> Hall:
    app = hall("playbill latency", since=7).measured(
        "lobby-gateway", "playbill", slow={"playbill": 14, "lobby-gateway": 4}, cpu={"playbill": 1.6}
    )
    where = {"namespace": app.namespace, "pod": "hall-redis-0"}
    app.counter("redis_keyspace_hits_total", jump(2400, 180, 7), **where)
    app.counter("redis_keyspace_misses_total", jump(30, 2250, 7), **where)
    app.counter("redis_expired_keys_total", lambda t: 9000 if -8 < t < -7 else 4, **where)
    app.counter("mysql_global_status_questions", jump(160, 2400, 7), namespace=app.namespace, pod="playbill-mysql-0")
    app.says(
        "playbill",
        boot("WARN", "c.h.playbill.ShowCache", "cache miss for show:8841, loading from database (inflight=61)"),
        every=3,
    )
    return app.settled()


@scenario("queue_backlog", "Deployment", "mailroom", accept=[("queue_backlog", "StatefulSet", "queue-rabbit")])
def mails_pile_up() -> Hall:
    app = hall("QueueDepthHigh mail.confirmations", since=45).measured("mailroom", "boxoffice", "tillroom")
    for queue, level in (("mail.confirmations", ramp(20, 61000, 45)), ("wallet.issue", 12)):
        app.gauge("rabbitmq_queue_messages_ready", level, queue=queue, namespace=app.namespace, pod="queue-rabbit-0")
    app.gauge(
        "rabbitmq_queue_consumers",
        jump(4, 1, 46),
        noise=0,
        queue="mail.confirmations",
        namespace=app.namespace,
        pod="queue-rabbit-0",
    )
    app.says(
        "mailroom", boot("WARN", "c.h.mail.SmtpPool", "sent 1 message in 4120 ms, 3 consumers cancelled"), every=10
    )
    app.alert("QueueDepthHigh", "mail.confirmations has 61000 messages ready", queue="mail.confirmations")
    return app.settled()


@scenario("poison_message", "Deployment", "audit-trail")
def the_same_offset_for_half_an_hour() -> Hall:
    app = hall("Consumer lag of audit-trail grows", since=33)
    app.says("audit-trail", boot("ERROR", "o.s.k.l.KafkaMessageListenerContainer", "Consumer exception", thread="ner#0-0-C-1"),
             "java.lang.IllegalStateException: This error handler cannot process 'SerializationException's directly; please consider configuring "
             "an 'ErrorHandlingDeserializer' in the value and/or key deserializer", "Caused by: org.apache.kafka.common.errors."
             "RecordDeserializationException: Error deserializing VALUE for partition bookings-4 at offset 8821734. If needed, please seek past "
             "the record to continue consumption.", every=2)  # fmt: skip
    app.gauge(
        "kafka_consumergroup_lag",
        ramp(10, 41000, 33),
        consumergroup="audit-trail",
        topic="bookings",
        partition="4",
        namespace=app.namespace,
    )
    return app.settled()


@scenario("write_capacity_exceeded", "Deployment", "clickpath")
def the_table_s_units_are_used_up() -> Hall:
    app = hall("clickpath drops sessions", since=14).measured(
        "clickpath", "fraud-check", errors={"clickpath": 0.2}, traffic={"clickpath": 1.1}
    )
    app.says("clickpath", 'level=error msg="put session" err="operation error DynamoDB: BatchWriteItem, https response error StatusCode: 400, '
             "ProvisionedThroughputExceededException: The level of configured provisioned throughput for the table was exceeded. Consider "
             'increasing your provisioning level with the UpdateTable API." table=sessions', every=3)  # fmt: skip
    return app.settled()


@scenario(
    "index_mapping_broken",
    "StatefulSet",
    "finder-es",
    accept=[("index_mapping_broken", "Deployment", "finder-indexer")],
)
def new_shows_are_not_found() -> Hall:
    app = hall("New shows do not appear in search", since=38)
    app.says("finder-indexer", "ERROR bulk: 500 of 500 items failed, first: {'type': 'document_parsing_exception', 'reason': \"[1:214] failed to "
             "parse field [doors_open] of type [date] in document with id 'show-88123'. Preview of field's value: 'tba'\", 'caused_by': {'type': "
             "'illegal_argument_exception', 'reason': 'failed to parse date field [tba] with format [strict_date_optional_time]'}}", every=20)  # fmt: skip
    app.says("search-api", "WARN slow search took=812ms q=concert", rounds=3, ago=80, every=600)
    return app.settled()


@scenario("db_disk_full", "StatefulSet", "finder-es")
def the_flood_stage_is_reached() -> Hall:
    app = hall("Search results are stale", since=50)
    app.says("finder-es", '{"@timestamp":"{t}", "log.level": "WARN", "message":"flood stage disk watermark [95%] exceeded on '
             '[kPq2][finder-es-1][/usr/share/elasticsearch/data] free: 2.1gb[4.2%], all indices on this node will be marked read-only", '
             '"ecs.version": "1.2.0","log.logger":"org.elasticsearch.cluster.routing.allocation.DiskThresholdMonitor"}', every=30,
             pods=app.pods("finder-es")[:1])  # fmt: skip
    app.says("finder-indexer", "ERROR bulk: {'type': 'cluster_block_exception', 'reason': 'index [shows-7] blocked by: [TOO_MANY_REQUESTS/12/disk "
             "usage exceeded flood-stage watermark, index has read-only-allow-delete block];'}", every=5)  # fmt: skip
    return app.settled()


# --------------------------------------------------------------------------------------------------------------- routing


@scenario("service_selector_mismatch", "Service", "tariff")
def a_label_was_tidied_away() -> Hall:
    app = hall(VAGUE, since=12)
    app.get("Service", "tariff")["spec"]["selector"] = {"app": "tariff", "tier": "pricing"}
    for name in ("seatmap", "boxoffice"):
        app.says(name, boot("ERROR", SERVLET, 'I/O error on GET request for "http://tariff:8086/api/quote": Connection refused; nested '
                 "exception is java.net.ConnectException: Connection refused"), every=4)  # fmt: skip
    gateway_shouts(app, "seatmap", status=500)
    return app.settled()


@scenario("service_port_mapping_mismatch", "Service", "search-api")
def the_target_port_has_a_name_nobody_bears() -> Hall:
    app = hall("Search unavailable", since=20)
    app.get("Service", "search-api")["spec"]["ports"][0]["targetPort"] = "http-api"
    gateway_shouts(app, "search-api")
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "fraud-check")
def a_host_that_was_never_there() -> Hall:
    app = hall("Payments wait for the fraud check", since=19)
    app.env("fraud-check", SPRING_PROFILES_ACTIVE="prod", CLICKPATH_URL="http://click-path:9090")
    app.says("fraud-check", boot("ERROR", SERVLET, 'I/O error on GET request for "http://click-path:9090/sessions/91": click-path: Name or '
             "service not known"), "Caused by: java.net.UnknownHostException: click-path: Name or service not known", every=4)  # fmt: skip
    app.says(
        "tillroom", boot("WARN", "c.h.till.Fraud", "fraud check answered 500, falling back to manual review"), every=6
    )
    return app.settled()


@scenario("service_protocol_mismatch", "Service", "geo-fence")
def grpc_behind_a_port_called_http() -> Hall:
    app = hall("waitroom: admission decisions fail", since=26)
    port = app.get("Service", "geo-fence")["spec"]["ports"][0]
    port["name"] = "http"
    for name in ("geo-fence", "waitroom"):
        proxy = kube.container("istio-proxy", "registry.test/istio/proxyv2:1.24.2", port=15090)
        app.get("Deployment", name)["spec"]["template"]["spec"]["containers"].append(proxy)
        for pod in app.pods(name):
            pod["spec"]["containers"].append(proxy)
    app.configure("geo-fence", readinessProbe=grpc_probe(9091))
    app.env("waitroom", GEO_FENCE_TARGET="dns:///geo-fence:9091")
    app.says("geo-fence", 'level=info msg="gRPC server listening" addr=[::]:9091', rounds=1, ago=80)
    app.says("geo-fence", '[{t}] "POST /geofence.v1.Fence/Allow HTTP/1.1" 502 UPE upstream_reset_before_response_started{protocol_error} - '
             '"-" 93 87 2 - "-" "grpc-java-netty/1.62.2" "f1" "geo-fence:9091" "10.244.4.9:9091" inbound|9091||', container="istio-proxy", every=4)  # fmt: skip
    app.says("waitroom", boot("ERROR", "c.h.waitroom.Fence", "io.grpc.StatusRuntimeException: UNAVAILABLE: upstream connect error or "
             "disconnect/reset before headers. reset reason: protocol error"), every=4)  # fmt: skip
    app.calls(("waitroom", "geo-fence"))
    return app.settled()


@scenario("gateway_misroute", "Deployment", "lobby-gateway", change="cfg-900")
def a_route_leads_to_the_wrong_house() -> Hall:
    app = hall("404 ratio at the gateway is 0.2", since=14).measured(
        "lobby-gateway", "playbill", "resale", errors={"lobby-gateway": 0.2}, code="404"
    )
    app.says("lobby-gateway", boot("WARN", "o.s.w.s.h.ResponseStatusExceptionHandler", '[91be] GET "/api/resale/listings/77": 404 NOT_FOUND '
             "from upstream playbill:8082 (route id=resale)", thread="r-http-epoll-1"), every=3)  # fmt: skip
    app.says(
        "playbill", boot("WARN", "o.s.web.servlet.PageNotFound", "No mapping for GET /api/resale/listings/77"), every=3
    )
    app.change("config", "lobby-gateway", "gateway routes: group by backend", minutes_ago=14.4, id="cfg-900",
               diff="   - id: resale\n-    uri: http://resale:8096\n+    uri: http://playbill:8082\n     predicates: Path=/api/resale/**\n")  # fmt: skip
    return app.settled()


@scenario("ingress_misconfigured", "Ingress", "tickets")
def the_backend_of_one_path_has_another_name() -> Hall:
    app = hall("tickets.example.test/wallet answers 503", since=29)
    rules = [{"host": "tickets.example.test", "http": {"paths": [
        {"path": path, "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": port}}}}
        for path, name, port in (("/", "lobby-gateway", 8080), ("/wallet", "walletpass", 8094))]}}]  # fmt: skip
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": kube.metadata("Ingress", "tickets", app.namespace),
               "spec": {"ingressClassName": "nginx", "rules": rules}, "status": {"loadBalancer": {"ingress": [{"ip": "10.8.0.80"}]}}}  # fmt: skip
    app.add(ingress)
    app.deploy("ingress-nginx-controller", 80, namespace="ingress-nginx")
    app.says("ingress-nginx-controller", 'W0414 09:01:12.338120       7 controller.go:1216] Error obtaining Endpoints for Service '
             '"stagedoor/walletpass": no object matching key "stagedoor/walletpass" in local store', '10.8.0.80 - - [14/Apr/2026:09:12:08 +0000] '
             '"GET /wallet/91 HTTP/2.0" 503 592 "-" "Mozilla/5.0" 41 0.000 [stagedoor-walletpass-8094] [] - - - - 7f', every=6)  # fmt: skip
    return app.settled()


@scenario(
    "network_policy_denied", "NetworkPolicy", "tills-only", accept=[("network_policy_denied", "Deployment", "tillroom")]
)
def the_till_may_be_called_by_nobody_but_itself() -> Hall:
    app = hall("Checkout: payment step times out", since=16).measured(
        "lobby-gateway",
        "boxoffice",
        "tillroom",
        errors={"boxoffice": 0.4},
        slow={"boxoffice": 20},
        traffic={"tillroom": 0.05},
    )
    policy = {"podSelector": {"matchLabels": {"app": "tillroom"}}, "policyTypes": ["Ingress"],
              "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "refunds"}}}]}]}  # fmt: skip
    app.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": policy,
             "metadata": kube.metadata("NetworkPolicy", "tills-only", app.namespace, created=app.stamp(16.5))})  # fmt: skip
    app.says("boxoffice", boot("ERROR", SERVLET, 'I/O error on POST request for "http://tillroom:8087/api/charge": connect timed out'),
             "Caused by: java.net.SocketTimeoutException: connect timed out", every=6)  # fmt: skip
    return app.settled()


@scenario("service_dns_resolution_failure", "Deployment", "report-mill")
def only_one_service_asks_the_node_s_resolver() -> Hall:
    app = hall("report-mill fails every request", since=42).measured(
        "report-mill", "promoter", errors={"report-mill": 1.0}
    )
    for item in (
        app.get("Deployment", "report-mill")["spec"]["template"]["spec"],
        *(pod["spec"] for pod in app.pods("report-mill")),
    ):
        item["dnsPolicy"] = "Default"
    app.says("report-mill", 'sqlalchemy.exc.OperationalError: (psycopg.OperationalError) [Errno -2] Name or service not known: could not '
             'translate host name "report-pg" to address: Name or service not known', every=6)  # fmt: skip
    return app.settled()


@scenario("mtls_mismatch", "Deployment", "payout", accept=[("mtls_mismatch", "Deployment", "tillroom"), ("mtls_mismatch", "Service", "tillroom"),
          ("mtls_mismatch", "PeerAuthentication", "strict")])  # fmt: skip
def strict_for_all_and_one_without_a_sidecar() -> Hall:
    app = hall("Payout runs fail since the mesh was made strict", since=55)
    app.add({"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", "spec": {"mtls": {"mode": "STRICT"}},
             "metadata": kube.metadata("PeerAuthentication", "strict", app.namespace, created=app.stamp(56))})  # fmt: skip
    for name in ("lobby-gateway", "tillroom", "boxoffice", "refunds"):
        proxy = kube.container("istio-proxy", "registry.test/istio/proxyv2:1.24.2", port=15090)
        app.get("Deployment", name)["spec"]["template"]["spec"]["containers"].append(proxy)
        for pod in app.pods(name):
            pod["spec"]["containers"].append(proxy)
    app.says("tillroom", '[{t}] "- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.244.2.8:8087 10.244.5.19:39122 - -',
             container="istio-proxy", every=5)  # fmt: skip
    app.says("payout", boot("ERROR", "c.h.payout.Run", 'I/O error on GET request for "http://tillroom:8087/api/ledger": Connection reset'),
             "Caused by: java.net.SocketException: Connection reset", every=5)  # fmt: skip
    app.calls(("payout", "tillroom"))
    return app.settled()


@scenario("service_env_var_address_mismatch", "Deployment", "promoter")
def right_host_and_the_port_of_another_service() -> Hall:
    app = hall("Promoter dashboards are empty", since=18)
    app.env(
        "promoter",
        SPRING_PROFILES_ACTIVE="prod",
        SPRING_DATASOURCE_URL="jdbc:mysql://playbill-mysql:3306/promoter",
        REPORT_MILL_URL="http://report-mill:8013",
    )
    app.says("promoter", *boots("promoter", 8099), rounds=1, ago=18)
    app.says("promoter", boot("ERROR", SERVLET, 'I/O error on GET request for "http://report-mill:8013/reports/sales": Connection refused'),
             "java.net.ConnectException: Connection refused", every=5)  # fmt: skip
    return app.settled()
