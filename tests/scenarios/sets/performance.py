"""Services that are slow for a reason of their own: CPU, network, disk, neighbours, pools, locks, time-outs, retries."""

from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import System, jump, ramp

LIMITED = {"requests": {"cpu": "200m", "memory": "256Mi"}, "limits": {"cpu": "1", "memory": "512Mi"}}


# ---------------------------------------------------------------------------------------------- pod_cpu_overload


@scenario("pod_cpu_overload", name="pricing", variants=("no_logs",))
def cpu_at_the_limit() -> Frozen:
    s = System(namespace="retail", seed=101).nodes()
    s.serve("web", seconds=jump(0.2, 1.9, 14)).serve("catalog", seconds=0.05)
    s.serve("pricing", seconds=jump(0.05, 1.6, 14), cpu=jump(0.3, 0.99, 14), resources=LIMITED)
    s.calls(("web", "pricing"), ("web", "catalog"), ("catalog", "pricing"))
    return s.alert("WebLatency", "web slow", service="web")


@scenario("pod_cpu_overload", name="render", variants=("sparse",))
def cpu_without_a_limit_and_quantiles_only() -> Frozen:
    s = System(namespace="maps", seed=102, style="quantile", step=60, hours=2).nodes()
    s.serve("edge", seconds=jump(0.1, 0.9, 20)).serve("tiles", seconds=jump(0.06, 0.8, 20)).serve("geocode")
    s.serve("render", seconds=jump(0.05, 0.75, 20), cpu=jump(0.4, 3.6, 21)).serve("styles")
    s.calls(("edge", "tiles"), ("tiles", "render"), ("edge", "geocode"), ("render", "styles"))
    return s.alert("EdgeLatency", "edge p95 high", service="edge")


@scenario("pod_cpu_overload", name="recommender")
def one_pod_of_three_spins() -> Frozen:
    s = System(namespace="video", seed=103, style="istio").nodes()
    s.serve("home", seconds=jump(0.1, 0.5, 12)).serve("recommender", seconds=jump(0.04, 0.4, 12), replicas=2, cpu=0.3)
    s.serve("history")
    s.calls(("home", "recommender"), ("home", "history"))
    s.counter("container_cpu_usage_seconds_total", jump(0.3, 3.8, 12), namespace="video", pod="recommender-6f7d9c8b54-zz9x4", container="recommender")  # fmt: skip
    return s.alert("HomeLatency", "home slow", service="home")


@scenario("pod_cpu_overload", name="pricing")
def a_release_came_just_before_the_cpu_was_full() -> Frozen:
    s = System(namespace="retail", seed=143).nodes()
    s.serve("web", seconds=jump(0.2, 1.9, 14)).serve("catalog", seconds=0.05)
    s.serve("pricing", seconds=jump(0.05, 1.6, 14), cpu=jump(0.3, 0.98, 14), resources=LIMITED)
    s.calls(("web", "pricing"), ("web", "catalog"), ("catalog", "pricing"))
    s.change("deploy", "pricing", "pricing 4.0.1", minutes_ago=15.5, id="dep-1")
    return s.alert("WebLatency", "web slow", service="web")


@scenario("pod_cpu_overload", name="pricing")
def a_release_came_just_before_one_pod_span() -> Frozen:
    s = System(namespace="retail", seed=144).nodes()
    s.serve("web", seconds=jump(0.2, 0.9, 14)).serve("pricing", seconds=jump(0.05, 0.7, 14), cpu=0.3)
    given = {"namespace": "retail", "pod": "pricing-6f7d9c8b54-zz9x4", "container": "pricing"}
    s.counter("container_cpu_usage_seconds_total", jump(0.3, 0.9, 14), **given)
    s.calls(("web", "pricing"))
    s.change("feature_flag", "pricing", "pricing: spring_banner off -> on", minutes_ago=15, id="flag-1")
    return s.alert("WebLatency", "web slow", service="web")


# --------------------------------------------------------------------------------------------- pod_cpu_throttled


@scenario("pod_cpu_throttled", name="checkout")
def limit_is_too_low() -> Frozen:
    s = System(namespace="kiosk", seed=104).nodes()
    tight = {"requests": {"cpu": "100m"}, "limits": {"cpu": "250m", "memory": "256Mi"}}
    s.serve("ui", rate=jump(30, 50, 15), seconds=jump(0.1, 0.9, 15))
    s.serve("checkout", rate=jump(30, 50, 15), seconds=jump(0.05, 0.8, 15), cpu=jump(0.15, 0.245, 15), resources=tight)
    s.serve("vat", rate=jump(30, 50, 15))
    for n in range(2):
        given = {"namespace": "kiosk", "pod": s.pod("checkout", n), "container": "checkout"}
        s.counter("container_cpu_cfs_throttled_periods_total", jump(0.1, 8.7, 15), **given)
        s.counter("container_cpu_cfs_periods_total", 10, noise=0, **given)
        s.counter("container_cpu_cfs_throttled_seconds_total", jump(0.01, 0.9, 15), **given)
    s.calls(("ui", "checkout"), ("checkout", "vat"))
    return s.alert("UiLatency", "ui slow", service="ui")


@scenario("pod_cpu_throttled", name="signer")
def throttled_without_objects() -> Frozen:
    s = System(namespace="keys", seed=105, style="go", objects=None)
    s.serve("portal", rate=jump(40, 65, 10), seconds=jump(0.08, 0.6, 10))
    s.serve("signer", rate=jump(40, 65, 10), seconds=jump(0.03, 0.5, 10), cpu=jump(0.31, 0.5, 10))
    s.serve("vault", rate=jump(40, 65, 10))
    for n in range(2):
        given = {"namespace": "keys", "pod": s.pod("signer", n), "container": "signer"}
        s.counter("container_cpu_cfs_throttled_seconds_total", jump(0.02, 1.4, 10), **given)
        s.gauge("kube_pod_container_resource_limits", 0.5, noise=0, resource="cpu", unit="core", **given)
    s.calls(("portal", "signer"), ("signer", "vault"))
    return s.alert("PortalLatency", "portal slow", service="portal")


@scenario("pod_cpu_throttled", name="parser")
def throttling_alert_names_the_pod() -> Frozen:
    s = System(namespace="docs", seed=106, style="").nodes()
    s.serve("api").serve("parser", cpu=jump(0.1, 0.3, 22), resources={"limits": {"cpu": "300m", "memory": "512Mi"}})
    for n in range(2):
        given = {"namespace": "docs", "pod": s.pod("parser", n), "container": "parser"}
        s.counter("container_cpu_cfs_throttled_periods_total", jump(0.2, 7.1, 22), **given)
        s.counter("container_cpu_cfs_periods_total", 10, noise=0, **given)
    s.calls(("api", "parser"))
    return s.alert("CPUThrottlingHigh", "71% throttling of CPU in container parser", pod=s.pod("parser"), container="parser")  # fmt: skip


# --------------------------------------------------------------------------------------------- pod_network_delay


@scenario("pod_network_delay", name="geo")
def one_callee_answers_late_with_idle_cpu() -> Frozen:
    s = System(namespace="cabs", seed=107).nodes()
    s.serve("app", seconds=jump(0.12, 0.45, 13)).serve("geo", seconds=jump(0.02, 0.33, 13)).serve("cards", seconds=0.03)
    s.serve("prices", seconds=0.03)
    s.calls(("app", "geo"), ("app", "cards"), ("geo", "prices"))
    return s.alert("AppLatency", "app slow", service="app")


@scenario("pod_network_delay", name="seatmap")
def spans_gap_between_client_and_server() -> Frozen:
    s = System(namespace="opera", seed=108, style="").nodes()
    s.serve("site").serve("seatmap").serve("artists")
    s.calls(("site", "seatmap"), ("site", "artists"))
    for n in range(1, 61):
        ago = 30 - n * 0.48
        late = 250 if ago < 12 else 0
        common = {"trace": n, "minutes_ago": ago}
        s.span("site", "GET /evening", span=n * 10, milliseconds=70 + late * 2, **common)
        s.span("site", "GET seatmap", span=n * 10 + 1, parent=n * 10, milliseconds=30 + late * 2, **common)
        s.span("seatmap", "GET /map", span=n * 10 + 2, parent=n * 10 + 1, milliseconds=22, **common)
        s.span("site", "GET artists", span=n * 10 + 3, parent=n * 10, milliseconds=18, **common)
        s.span("artists", "GET /all", span=n * 10 + 4, parent=n * 10 + 3, milliseconds=11, **common)
    return s.alert("SiteLatency", "site slow", service="site")


@scenario("pod_network_delay", name="stock")
def delay_halves_its_own_packets() -> Frozen:
    s = System(namespace="mart", seed=109, style="quantile", hours=2, step=60).nodes()
    s.serve("front", seconds=jump(0.08, 0.6, 18)).serve("stock", seconds=jump(0.03, 0.55, 18)).serve("offers")
    for name, level in (("front", 400.0), ("stock", jump(900, 310, 18)), ("offers", 500.0)):
        given = {"namespace": "mart", "pod": s.pod(name)}
        s.counter("container_network_receive_packets_total", level, **given)
        s.counter("container_network_transmit_packets_total", level, **given)
    s.calls(("front", "stock"), ("front", "offers"))
    return s.alert("FrontLatency", "front slow", service="front")


# ---------------------------------------------------------------------------------------------- pod_network_loss


@scenario("pod_network_loss", name="chat")
def drops_on_one_pod() -> Frozen:
    s = System(namespace="talk", seed=110).nodes()
    s.serve("web", seconds=jump(0.1, 1.3, 11), errors=jump(0, 0.1, 11)).serve("emoji", seconds=0.02)
    s.serve("chat", seconds=jump(0.03, 1.1, 11), errors=jump(0, 0.12, 11), code="504")
    for name, level in (("chat", jump(0, 41, 11)), ("emoji", 0.0), ("web", 0.01)):
        given = {"namespace": "talk", "pod": s.pod(name), "interface": "eth0"}
        s.counter("container_network_receive_packets_dropped_total", level, **given)
        s.counter("container_network_transmit_packets_dropped_total", level, **given)
    s.calls(("web", "chat"), ("web", "emoji"))
    return s.alert("WebLatency", "web slow", service="web")


@scenario("pod_network_loss", name="tracker")
def timeouts_and_retransmissions_of_a_pod() -> Frozen:
    s = System(namespace="fleet", seed=111, style="go").nodes()
    s.serve("map", seconds=jump(0.1, 0.8, 16), errors=jump(0, 0.08, 16)).serve("fuel")
    s.serve("tracker", seconds=jump(0.04, 0.7, 16), errors=jump(0, 0.09, 16), code="503")
    s.counter("container_network_receive_errors_total", jump(0, 22, 16), namespace="fleet", pod=s.pod("tracker"))
    s.counter("container_network_transmit_packets_dropped_total", jump(0, 18, 16), namespace="fleet", pod=s.pod("tracker"))  # fmt: skip
    told = 'ERROR Get "http://tracker:8080/pos": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
    s.log(s.pod("map"), "map", *[told] * 20, minutes_ago=16, every_seconds=40)
    s.calls(("map", "tracker"), ("map", "fuel"))
    return s.alert("MapErrors", "map errors", service="map")


@scenario("pod_network_loss", name="quota")
def istio_sees_resets_of_one_workload() -> Frozen:
    s = System(namespace="cloud", seed=112, style="istio").nodes()
    s.serve("console", seconds=jump(0.07, 0.5, 14), errors=jump(0, 0.06, 14)).serve("billing")
    s.serve("quota", seconds=jump(0.02, 0.45, 14), errors=jump(0, 0.07, 14), code="503")
    s.counter(
        "container_network_receive_packets_dropped_total", jump(0.02, 30, 14), namespace="cloud", pod=s.pod("quota", 1)
    )
    s.counter(
        "container_network_transmit_packets_dropped_total", jump(0.02, 26, 14), namespace="cloud", pod=s.pod("quota", 1)
    )
    s.calls(("console", "quota"), ("console", "billing"))
    return s.alert("ConsoleErrors", "console errors", service="console")


# ---------------------------------------------------------------------------------------- pod_disk_io_saturation


@scenario("pod_disk_io_saturation", name="archive")
def container_io_time_is_full() -> Frozen:
    s = System(namespace="files", seed=113).nodes()
    s.serve("portal", seconds=jump(0.1, 2.0, 17)).serve("archive", seconds=jump(0.06, 1.8, 17)).serve("acl")
    for n in range(2):
        given = {"namespace": "files", "pod": s.pod("archive", n), "container": "archive", "device": "/dev/nvme1n1"}
        s.counter("container_fs_io_time_seconds_total", jump(0.05, 0.99, 17), **given)
        s.counter("container_fs_writes_bytes_total", jump(2e5, 9e7, 17), **given)
    s.calls(("portal", "archive"), ("portal", "acl"))
    return s.alert("PortalLatency", "portal slow", service="portal")


@scenario("pod_disk_io_saturation", kind="StatefulSet", name="tsdb")
def a_store_reads_its_disk_to_death() -> Frozen:
    s = System(namespace="meters", seed=114, style="go").nodes()
    s.serve("graph", seconds=jump(0.1, 3, 12)).serve("labels")
    s.serve("tsdb", style="", stateful=True, port=9090, replicas=1, cpu=jump(0.4, 0.5, 12))
    given = {"namespace": "meters", "pod": "tsdb-0", "container": "tsdb", "device": "/dev/sdb"}
    s.counter("container_fs_reads_bytes_total", jump(4e5, 2.3e8, 12), **given)
    s.counter("container_fs_io_time_seconds_total", jump(0.04, 0.98, 12), **given)
    s.log("tsdb-0", "tsdb", *["WARN slow fsync took 2.81s on /data/wal"] * 15, minutes_ago=12, every_seconds=45)
    s.calls(("graph", "tsdb"), ("graph", "labels"))
    return s.alert("GraphLatency", "graph slow", service="graph")


@scenario("pod_disk_io_saturation", name="uploads")
def writes_without_request_metrics() -> Frozen:
    s = System(namespace="drive", seed=115, style="").nodes()
    s.serve("uploads").serve("index").serve("share")
    for name, level in (("uploads", jump(3e5, 1.6e8, 9)), ("index", 2e5), ("share", 1e5)):
        given = {"namespace": "drive", "pod": s.pod(name), "container": name}
        s.counter("container_fs_writes_bytes_total", level, **given)
    s.counter("container_fs_io_time_seconds_total", jump(0.03, 0.97, 9), namespace="drive", pod=s.pod("uploads"), container="uploads")  # fmt: skip
    s.calls(("share", "uploads"), ("share", "index"))
    return s.alert("DiskBusy", "disk of uploads is busy", service="share")


# ------------------------------------------------------------------------------------------------ noisy_neighbor


@scenario("noisy_neighbor", name="transcoder", accept=[("noisy_neighbor", "Deployment", "api")])
def a_neighbour_eats_the_node() -> Frozen:
    s = System(namespace="clips", seed=116).nodes()
    s.serve("api", seconds=jump(0.05, 0.7, 13), cpu=jump(0.5, 0.3, 13), node="worker-2")
    s.serve("transcoder", style="", cpu=jump(0.2, 3.3, 13), replicas=1, node="worker-2", resources={})
    s.serve("likes", node="worker-1")
    for name, level in (("worker-1", 0.3), ("worker-2", jump(0.35, 0.99, 13)), ("worker-3", 0.2)):
        s.gauge("instance:node_cpu_utilisation:rate5m", level, instance=name)
    s.calls(("likes", "api"))
    return s.alert("ApiLatency", "api slow", service="api")


@scenario("noisy_neighbor", name="spark-exec", accept=[("noisy_neighbor", "Deployment", "fraud")])
def several_victims_share_a_node_with_it() -> Frozen:
    s = System(namespace="risk", seed=117, style="go").nodes()
    s.serve("fraud", seconds=jump(0.04, 0.5, 16), node="worker-3").serve(
        "scores", seconds=jump(0.03, 0.4, 16), node="worker-3"
    )
    s.serve("rules", node="worker-1").serve(
        "spark-exec", style="", cpu=jump(0.1, 3.6, 16), replicas=1, node="worker-3", resources={}
    )
    for name, level in (("worker-1", 0.25), ("worker-2", 0.3), ("worker-3", jump(0.4, 1.0, 16))):
        s.gauge("instance:node_cpu_utilisation:rate5m", level, instance=name)
        s.gauge("node_load1", 1.1 if name != "worker-3" else jump(1.5, 14, 16), instance=name)
    s.calls(("rules", "fraud"), ("rules", "scores"))
    return s.alert("FraudLatency", "fraud slow", service="fraud")


@scenario("noisy_neighbor", name="log-compactor", accept=[("noisy_neighbor", "StatefulSet", "kv")])
def a_neighbour_takes_the_disk() -> Frozen:
    s = System(namespace="kvs", seed=118).nodes()
    s.serve("kv", seconds=jump(0.01, 0.6, 14), stateful=True, node="worker-1", replicas=1)
    s.serve("log-compactor", style="", node="worker-1", replicas=1).serve(
        "reader", node="worker-2", seconds=jump(0.05, 0.7, 14)
    )
    s.counter("node_disk_io_time_seconds_total", jump(0.1, 1.0, 14), instance="worker-1", device="nvme0n1", noise=0.003)
    s.counter("node_disk_io_time_seconds_total", 0.1, instance="worker-2", device="nvme0n1")
    s.counter("container_fs_writes_bytes_total", jump(1e5, 3.1e8, 14), namespace="kvs", pod=s.pod("log-compactor"), container="log-compactor")  # fmt: skip
    s.counter("container_fs_writes_bytes_total", 4e5, namespace="kvs", pod="kv-0", container="kv")
    s.calls(("reader", "kv"))
    return s.alert("KvLatency", "kv slow", service="kv")


# ----------------------------------------------------------------------------------------------------- hpa_at_max


def _autoscaler(s: System, name: str, most: int, metric: int, target: int) -> None:
    s.add(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": s.namespace, "creationTimestamp": "2026-01-05T08:00:00Z"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": 2,
                "maxReplicas": most,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}}],
            },
            "status": {
                "currentReplicas": most,
                "desiredReplicas": most,
                "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": metric}}}],
                "conditions": [
                    {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"},
                    {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas", "message": "the desired replica count is more than the maximum replica count"},
                ],
            },
        }
    )  # fmt: skip


@scenario("hpa_at_max", name="search", variants=("events_expired",))
def autoscaler_object_says_too_many_replicas() -> Frozen:
    s = System(namespace="find", seed=119).nodes()
    s.serve(
        "search",
        rate=ramp(100, 165, 25),
        seconds=ramp(0.08, 1.4, 20),
        cpu=ramp(0.5, 0.98, 22),
        replicas=4,
        resources=LIMITED,
    )
    s.serve("home", rate=ramp(100, 165, 25), seconds=ramp(0.15, 1.5, 20))
    _autoscaler(s, "search", 4, 187, 60)
    s.calls(("home", "search"))
    return s.alert("SearchLatency", "search slow", service="search")


@scenario("hpa_at_max", name="api", accept=[("traffic_surge", "Deployment", "api")])
def metrics_say_replicas_at_maximum() -> Frozen:
    s = System(namespace="poll", seed=120, style="istio", hours=2).nodes()
    s.serve(
        "api",
        rate=ramp(90, 400, 40),
        seconds=ramp(0.06, 1.1, 25),
        cpu=ramp(0.3, 0.99, 35),
        replicas=6,
        resources=LIMITED,
    )
    given = {"namespace": "poll", "horizontalpodautoscaler": "api"}
    s.gauge("kube_horizontalpodautoscaler_status_current_replicas", jump(3, 6, 28), noise=0, **given)
    s.gauge("kube_horizontalpodautoscaler_status_desired_replicas", jump(3, 6, 28), noise=0, **given)
    s.gauge("kube_horizontalpodautoscaler_spec_max_replicas", 6, noise=0, **given)
    return s.alert("KubeHpaMaxedOut", "HPA poll/api has been running at max replicas for longer than 15 minutes.", horizontalpodautoscaler="api")  # fmt: skip


@scenario("hpa_at_max", name="encoder")
def maxed_out_on_a_custom_metric() -> Frozen:
    s = System(namespace="media", seed=121, style="go").nodes()
    s.serve("encoder", rate=ramp(10, 16.5, 20), seconds=ramp(0.5, 5, 18), cpu=0.9, replicas=3, resources=LIMITED)
    s.serve("uploader", rate=ramp(10, 16.5, 20), seconds=ramp(0.6, 5.2, 18))
    _autoscaler(s, "encoder", 3, 240, 80)
    s.event(("HorizontalPodAutoscaler", "encoder"), "SuccessfulRescale", "New size: 3; reason: cpu resource utilization (percentage of request) above target", minutes_ago=19, kind="Normal", component="horizontal-pod-autoscaler")  # fmt: skip
    s.calls(("uploader", "encoder"))
    return s.alert("UploaderLatency", "uploader slow", service="uploader")


# --------------------------------------------------------------------------------------- connection_pool_exhausted


@scenario("connection_pool_exhausted", name="orders")
def hikari_times_out() -> Frozen:
    s = System(namespace="trade", seed=122, style="spring").nodes()
    s.serve("web", errors=jump(0, 0.3, 15), seconds=jump(0.1, 9, 15))
    s.serve("orders", errors=jump(0, 0.5, 15), seconds=jump(0.05, 20, 15), cpu=jump(0.3, 0.1, 15))
    s.serve("pg", style="", stateful=True, port=5432, replicas=1)
    given = {"namespace": "trade", "application": "orders", "pool": "HikariPool-1"}
    s.gauge("hikaricp_connections_active", jump(3, 10, 15), noise=0, **given)
    s.gauge("hikaricp_connections_max", 10, noise=0, **given)
    s.gauge("hikaricp_connections_pending", jump(0, 87, 15), **given)
    told = "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms (total=10, active=10, idle=0, waiting=87)"
    s.log(s.pod("orders"), "orders", *[f"ERROR {told}"] * 25, minutes_ago=14, every_seconds=30)
    s.calls(("web", "orders"), ("orders", "pg"))
    return s.alert("WebErrors", "web errors", service="web")


@scenario("connection_pool_exhausted", name="members")
def sqlalchemy_queue_pool_limit() -> Frozen:
    s = System(namespace="club", seed=123, style="", resources=False)
    s.serve("members").serve("cards").serve("postgres", port=5432, stateful=True, replicas=1)
    told = "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)"
    s.log(s.pod("members"), "members", *[told] * 20, minutes_ago=12, every_seconds=30)
    s.log(s.pod("cards"), "cards", *["ERROR members: read timed out"] * 20, minutes_ago=12, every_seconds=30)
    return s.alert("CardsErrors", "cards fails", service="cards")


@scenario("connection_pool_exhausted", name="profile")
def http_client_pool_is_full() -> Frozen:
    s = System(namespace="people", seed=124).nodes()
    s.serve("profile", errors=jump(0, 0.2, 18), seconds=jump(0.08, 5.1, 18)).serve("photos", seconds=0.06)
    s.serve("site", errors=jump(0, 0.15, 18), seconds=jump(0.2, 5.3, 18))
    given = {"namespace": "people", "service_name": "profile", "pool_name": "photos"}
    s.gauge("db_client_connections_pending_requests", jump(0, 42, 18), **given)
    told = "org.apache.http.conn.ConnectionPoolTimeoutException: Timeout waiting for connection from pool"
    s.log(s.pod("profile"), "profile", *[f"ERROR {told}"] * 25, minutes_ago=18, every_seconds=40)
    s.calls(("site", "profile"), ("profile", "photos"))
    return s.alert("SiteLatency", "site slow", service="site")


# -------------------------------------------------------------------------------------------- n_plus_one_queries


@scenario("n_plus_one_queries", name="orders-view")
def traces_count_the_statements() -> Frozen:
    s = System(namespace="crm", seed=125).nodes()
    s.serve("orders-view", seconds=jump(0.06, 1.2, 12)).serve("auth")
    s.serve("pg", style="", stateful=True, port=5432, cpu=jump(0.2, 0.8, 12), replicas=1)
    for n in range(1, 31):
        ago, number = 24 - n * 0.78, 0
        many = 45 if ago < 12 else 1
        root = n * 1000
        s.span("orders-view", "GET /orders", trace=n, span=root, minutes_ago=ago, milliseconds=60 + 25 * (many - 1))
        s.span("orders-view", "SELECT orders", trace=n, span=root + 1, parent=root, minutes_ago=ago, milliseconds=12, **{"db.system": "postgresql", "db.statement": "SELECT * FROM orders WHERE customer_id = $1"})  # fmt: skip
        for number in range(many):
            s.span("orders-view", "SELECT order_lines", trace=n, span=root + 2 + number, parent=root, minutes_ago=ago - number * 0.0004, milliseconds=22, **{"db.system": "postgresql", "db.statement": "SELECT * FROM order_lines WHERE order_id = $1"})  # fmt: skip
    s.calls(("orders-view", "pg"), ("orders-view", "auth"))
    return s.alert("ViewLatency", "orders-view slow", service="orders-view")


@scenario("n_plus_one_queries", name="menu")
def query_rate_rises_and_requests_do_not() -> Frozen:
    s = System(namespace="diner", seed=126, style="go").nodes()
    s.serve("menu", rate=30, seconds=jump(0.05, 0.9, 16)).serve("tables")
    s.serve("mysql", style="", stateful=True, port=3306, cpu=jump(0.3, 1.1, 16), replicas=1)
    s.counter("mysql_global_status_queries", jump(70, 2400, 16), namespace="diner", service="mysql")
    s.log(
        s.pod("menu"), "menu",
        *["DEBUG SELECT * FROM dish_options WHERE dish_id = 4411", "DEBUG SELECT * FROM dish_options WHERE dish_id = 4412", "DEBUG SELECT * FROM dish_options WHERE dish_id = 4413"] * 60,
        minutes_ago=16, every_seconds=5,
    )  # fmt: skip
    s.change("deploy", "menu", "menu 3.4: show options of each dish", minutes_ago=17)
    s.calls(("menu", "mysql"), ("tables", "mysql"))
    return s.alert("MenuLatency", "menu slow", service="menu")


@scenario("n_plus_one_queries", name="timeline")
def calls_to_a_service_multiply() -> Frozen:
    s = System(namespace="social", seed=127, style="istio").nodes()
    s.serve("timeline", rate=20, seconds=jump(0.08, 1.0, 14)).serve("web", seconds=jump(0.15, 1.1, 14))
    s.serve("users", rate=jump(20, 900, 14), seconds=0.012, cpu=jump(0.1, 0.6, 14), caller="timeline").serve(
        "media", rate=15
    )
    s.log(s.pod("timeline"), "timeline", *["WARN 47 sequential calls to users for one request of /timeline"] * 15, minutes_ago=13, every_seconds=45)  # fmt: skip
    s.calls(("web", "timeline"), ("timeline", "users"), ("web", "media"))
    return s.alert("TimelineLatency", "timeline slow", service="timeline")


# ------------------------------------------------------------------------------------------------ lock_contention


@scenario("lock_contention", name="counter")
def threads_are_blocked() -> Frozen:
    s = System(namespace="votes", seed=128, style="spring").nodes()
    s.serve("counter", seconds=jump(0.03, 2.4, 15), cpu=jump(0.5, 0.15, 15)).serve("page", seconds=jump(0.1, 2.6, 15))
    given = {"namespace": "votes", "application": "counter"}
    s.gauge("jvm_threads_states_threads", jump(1, 164, 15), state="blocked", **given)
    s.gauge("jvm_threads_states_threads", jump(30, 25, 15), state="runnable", **given)
    told = '"http-nio-8080-exec-41" #88 java.lang.Thread.State: BLOCKED (on object monitor) - waiting to lock <0x00000000e1a2> (a app.Tally)'
    s.log(s.pod("counter"), "counter", *[told] * 25, minutes_ago=14, every_seconds=20)
    s.calls(("page", "counter"))
    return s.alert("PageLatency", "page slow", service="page")


@scenario("lock_contention", name="pricer")
def go_mutex_wait_rises() -> Frozen:
    s = System(namespace="desk", seed=129, style="go").nodes()
    s.serve("pricer", seconds=jump(0.02, 1.1, 12), cpu=0.3).serve("blotter", seconds=jump(0.06, 1.2, 12)).serve(
        "refdata"
    )
    given = {"namespace": "desk", "service": "pricer"}
    s.counter("go_sync_mutex_wait_total_seconds_total", jump(0.02, 38, 12), **given)
    s.gauge("go_goroutines", jump(90, 2100, 12), **given)
    s.log(s.pod("pricer"), "pricer", *["WARN waited 1.04s for mutex bookLock held by refresh()"] * 25, minutes_ago=12, every_seconds=25)  # fmt: skip
    s.calls(("blotter", "pricer"), ("pricer", "refdata"))
    return s.alert("BlotterLatency", "blotter slow", service="blotter")


@scenario("lock_contention", name="scheduler-api")
def a_distributed_lock_is_fought_over() -> Frozen:
    s = System(namespace="plan", seed=130, resources=False)
    s.serve("scheduler-api", seconds=jump(0.05, 3, 17), errors=jump(0, 0.1, 17)).serve(
        "board", seconds=jump(0.1, 3.1, 17)
    )
    s.log(s.pod("scheduler-api"), "scheduler-api", *["WARN lock contention on key lock:calendar:7 after 2900 ms, 58 waiters", "ERROR could not acquire lock lock:calendar:7 within 5000 ms"] * 20, minutes_ago=17, every_seconds=20)  # fmt: skip
    s.calls(("board", "scheduler-api"))
    return s.alert("BoardLatency", "board slow", service="board")


# --------------------------------------------------------------------------------------------------- gc_pressure


@scenario("gc_pressure", name="basket")
def jvm_collects_all_the_time() -> Frozen:
    s = System(namespace="shop", seed=131, style="spring").nodes()
    limits = {"limits": {"memory": "1Gi", "cpu": "2"}}
    s.serve(
        "basket", seconds=jump(0.04, 1.3, 19), memory=ramp(6e8, 1.03e9, 25), cpu=jump(0.4, 1.6, 19), resources=limits
    )
    s.serve("web", seconds=jump(0.1, 1.5, 19))
    given = {"namespace": "shop", "application": "basket"}
    s.counter(
        "jvm_gc_pause_seconds_sum", jump(0.01, 0.62, 19), action="end of major GC", cause="Allocation Failure", **given
    )
    s.gauge("jvm_memory_used_bytes", ramp(4e8, 7.6e8, 25), area="heap", **given)
    s.gauge("jvm_memory_max_bytes", 7.7e8, noise=0, area="heap", **given)
    s.log(s.pod("basket"), "basket", *["[gc] GC(8812) Pause Full (G1 Compaction Pause) 733M->729M(736M) 1893.221ms"] * 20, minutes_ago=18, every_seconds=40)  # fmt: skip
    s.calls(("web", "basket"))
    return s.alert("WebLatency", "web slow", service="web")


@scenario("gc_pressure", name="ranker")
def go_collector_takes_the_cpu() -> Frozen:
    s = System(namespace="ads", seed=132, style="go").nodes()
    s.serve("ranker", seconds=jump(0.03, 0.6, 13), memory=jump(4e8, 9.4e8, 15), cpu=jump(0.7, 1.6, 13)).serve("bids", seconds=jump(0.06, 0.7, 13))  # fmt: skip
    given = {"namespace": "ads", "service": "ranker"}
    s.counter("go_gc_duration_seconds_sum", jump(0.002, 0.5, 13), **given)
    s.counter("go_gc_duration_seconds_count", jump(0.2, 22, 13), **given)
    s.calls(("bids", "ranker"))
    return s.alert("BidsLatency", "bids slow", service="bids")


@scenario("gc_pressure", name="ingest")
def logs_say_overhead_limit() -> Frozen:
    s = System(namespace="pipeline", seed=133, style="", resources=False)
    s.serve("ingest").serve("split")
    s.log(
        s.pod("ingest"), "ingest",
        *["WARN [JvmGcMonitorService] [gc][48812] overhead, spent [9.3s] collecting in the last [10s]", "INFO request completed duration_ms=10422"] * 20,
        minutes_ago=16, every_seconds=20,
    )  # fmt: skip
    s.log(s.pod("ingest"), "ingest", "ERROR java.lang.OutOfMemoryError: GC overhead limit exceeded", minutes_ago=3)
    return s.alert("IngestSlow", "ingest is slow", service="ingest")


# --------------------------------------------------------------------------------------------- timeout_too_short


@scenario("timeout_too_short", name="checkout")
def caller_gives_up_while_the_callee_answers() -> Frozen:
    s = System(namespace="buy", seed=134).nodes()
    s.serve(
        "checkout", errors=jump(0, 0.45, 12), seconds=jump(0.4, 0.21, 12), env={"TAX_TIMEOUT_MS": "200"}, code="504"
    )
    s.serve("tax", seconds=0.31).serve("web", errors=jump(0, 0.4, 12))
    told = 'ERROR Post "http://tax:8080/quote": context deadline exceeded after 200ms (Client.Timeout exceeded while awaiting headers)'
    s.log(s.pod("checkout"), "checkout", *[told] * 40, minutes_ago=12, every_seconds=15)
    s.log(s.pod("tax"), "tax", *["INFO request completed route=/quote status=200 duration_ms=312"] * 40, minutes_ago=12, every_seconds=15)  # fmt: skip
    s.change("config", "checkout", "checkout: TAX_TIMEOUT_MS 2000 -> 200", minutes_ago=12.5, id="cfg-801", diff="-TAX_TIMEOUT_MS=2000\n+TAX_TIMEOUT_MS=200")  # fmt: skip
    s.calls(("web", "checkout"), ("checkout", "tax"))
    return s.alert("CheckoutErrors", "checkout errors", service="checkout")


@scenario("timeout_too_short", name="portal")
def grpc_deadline_at_a_fixed_time() -> Frozen:
    s = System(namespace="gov", seed=135, style="go").nodes()
    s.serve("portal", errors=jump(0, 0.6, 15), seconds=jump(0.8, 0.5, 15)).serve("registry", seconds=0.72).serve(
        "forms"
    )
    for n in range(1, 41):
        ago = 30 - n * 0.72
        cut = ago < 15
        error = "rpc error: code = DeadlineExceeded desc = context deadline exceeded" if cut else ""
        s.span("portal", "registry.Lookup", trace=n, span=n * 10, minutes_ago=ago, milliseconds=500 if cut else 741, error=error)  # fmt: skip
        s.span("registry", "Lookup", trace=n, span=n * 10 + 1, parent=n * 10, minutes_ago=ago, milliseconds=722)
    told = "ERROR registry.Lookup: rpc error: code = DeadlineExceeded desc = context deadline exceeded, deadline 500ms"
    s.log(s.pod("portal"), "portal", *[told] * 30, minutes_ago=15, every_seconds=25)
    s.calls(("portal", "registry"), ("portal", "forms"))
    return s.alert("PortalErrors", "portal errors", service="portal")


@scenario("timeout_too_short", name="bff")
def read_timeout_in_logs_only() -> Frozen:
    s = System(namespace="trips", seed=136, style="", resources=False)
    s.serve("bff").serve("offers", talks=False)
    s.log(s.pod("bff"), "bff", *["ERROR offers: requests.exceptions.ReadTimeout: HTTPConnectionPool(host='offers', port=8080): Read timed out. (read timeout=0.3)"] * 30, minutes_ago=14, every_seconds=25)  # fmt: skip
    s.log(s.pod("offers"), "offers", *["INFO POST /search 200 in 480 ms"] * 60, minutes_ago=55, every_seconds=30)
    s.log(s.pod("offers"), "offers", *["INFO POST /search 200 in 495 ms", "WARN client closed connection before the response was written"] * 20, minutes_ago=14, every_seconds=20)  # fmt: skip
    return s.alert("BffErrors", "bff errors", service="bff")


# -------------------------------------------------------------------------------------------------- retry_storm


@scenario("retry_storm", name="gateway", accept=[("retry_storm", "Deployment", "catalog")])
def retries_multiply_the_calls() -> Frozen:
    s = System(namespace="shop", seed=137, style="istio").nodes()
    s.serve("gateway", rate=50, seconds=jump(0.1, 2.2, 16), errors=jump(0, 0.3, 16))
    s.serve("catalog", rate=jump(50, 420, 16), seconds=jump(0.04, 1.5, 16), errors=jump(0, 0.7, 16), code="503", cpu=jump(0.3, 1.0, 16), caller="gateway", resources=LIMITED)  # fmt: skip
    s.log(s.pod("gateway"), "gateway", *["WARN catalog answered 503, retrying attempt=1", "WARN catalog answered 503, retrying attempt=2", "WARN catalog answered 503, retrying attempt=3"] * 30, minutes_ago=16, every_seconds=10)  # fmt: skip
    s.calls(("gateway", "catalog"))
    return s.alert("GatewayErrors", "gateway errors", service="gateway")


@scenario("retry_storm", name="mobile-api", accept=[("retry_storm", "Deployment", "tokens")])
def envoy_counts_retries() -> Frozen:
    s = System(namespace="id", seed=138, style="go").nodes()
    s.serve("mobile-api", rate=40, errors=jump(0, 0.25, 12), seconds=jump(0.08, 1.8, 12))
    s.serve("tokens", rate=jump(40, 380, 12), seconds=jump(0.03, 1.2, 12), errors=jump(0, 0.6, 12), code="503")
    given = {"namespace": "id", "envoy_cluster_name": "tokens", "service": "mobile-api"}
    s.counter("envoy_cluster_upstream_rq_retry", jump(0.05, 320, 12), **given)
    s.counter("envoy_cluster_upstream_rq_retry_limit_exceeded", jump(0, 11, 12), **given)
    s.calls(("mobile-api", "tokens"))
    return s.alert("MobileErrors", "mobile-api errors", service="mobile-api")


@scenario("retry_storm", name="sync-agent", accept=[("retry_storm", "Deployment", "store")])
def immediate_retries_in_logs() -> Frozen:
    s = System(namespace="backup", seed=139, hours=1).nodes()
    s.serve("sync-agent", style="", cpu=jump(0.1, 0.5, 14)).serve("store", rate=jump(8, 240, 14), errors=jump(0, 0.8, 14), code="429", seconds=0.02)  # fmt: skip
    s.log(s.pod("sync-agent"), "sync-agent", *["WARN PUT /chunks failed with 429, retrying immediately (attempt 118)", "WARN PUT /chunks failed with 429, retrying immediately (attempt 119)"] * 60, minutes_ago=14, every_seconds=7)  # fmt: skip
    s.calls(("sync-agent", "store"))
    return s.alert("StoreErrors", "store answers 429", service="store")


# ------------------------------------------------------------------------------------------------- memory_leak


@scenario("memory_leak", name="notifier")
def saw_tooth_across_restarts() -> Frozen:
    s = System(namespace="push", seed=140, hours=2, step=60).nodes()
    limits = {"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}}

    def saw(t: float) -> float:
        return 1.2e8 + 4.1e8 * ((t + 120) % 42) / 42

    s.serve("notifier", memory=saw, resources=limits, style="").serve("inbox")
    s.counter("kube_pod_container_status_restarts_total", jump(0, 0.001, 80), namespace="push", pod=s.pod("notifier"), container="notifier")  # fmt: skip
    pod = s.find("Pod", "notifier")
    pod["status"]["containerStatuses"][0] |= {
        "restartCount": 3,
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137, "startedAt": s.stamp(78), "finishedAt": s.stamp(36)}},
    }  # fmt: skip
    s.calls(("inbox", "notifier"))
    return s.alert("PodRestarting", "notifier restarts", pod=s.pod("notifier"))


@scenario("memory_leak", name="bridge")
def steady_growth_not_yet_killed() -> Frozen:
    s = System(namespace="mqtt", seed=141, hours=2, step=60, style="go").nodes()
    limits = {"limits": {"memory": "1Gi"}, "requests": {"memory": "256Mi"}}
    s.serve("bridge", memory=ramp(2.2e8, 1.02e9, 120), resources=limits, replicas=1, rate=50).serve("devices", rate=50)
    s.calls(("devices", "bridge"))
    return s.alert("MemoryNearLimit", "bridge uses 95 % of its memory limit", pod=s.pod("bridge"), service="bridge")


@scenario("memory_leak", name="exporter")
def heap_grows_until_the_process_dies() -> Frozen:
    s = System(namespace="etl", seed=142, hours=2, step=60, style="spring").nodes()
    limits = {"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}}
    s.serve("exporter", memory=ramp(6e8, 1.9e9, 100), resources=limits, replicas=1, seconds=ramp(0.1, 0.6, 30))
    s.gauge("jvm_memory_used_bytes", ramp(3e8, 1.5e9, 100), area="heap", namespace="etl", application="exporter")
    s.gauge("jvm_memory_max_bytes", 1.55e9, noise=0, area="heap", namespace="etl", application="exporter")
    s.log(s.pod("exporter"), "exporter", *["ERROR java.lang.OutOfMemoryError: Java heap space"] * 5, minutes_ago=4, every_seconds=40)  # fmt: skip
    return s.alert("ExporterErrors", "exporter is failing", service="exporter")
