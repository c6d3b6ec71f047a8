"""Fourth blind round, nodes, zones, control plane, changes, and days on which nothing is wrong, at a ticket seller's.

Where one node or one zone is at fault, the pods on it suffer and their brothers elsewhere do not. Where a change is at
fault there are others around it, nearer in time or louder in name.
"""

from tests.scenarios.application import http_probe
from tests.scenarios.frozen import Object
from tests.scenarios.sets.fourth_round_ground import NODES, Hall, boot, boots, hall
from tests.scenarios.sets.registry import scenario
from tests.scenarios.system import jump, ramp

SERVLET = "o.a.c.c.C.[.[.[/].[dispatcherServlet]"
SYSTEM = "kube-system"
MASTER = "ip-10-8-10-5"
SICK = "ip-10-8-37-9"


def innocent(app: Hall) -> None:
    """What else was changed today."""
    app.change("deploy", "venue-admin", "deploy venue-admin 3.14.6", minutes_ago=71, id="rel-201")
    app.change("commit", "docs/oncall.md", "docs: phone list", minutes_ago=44, id="d0c5aa1", diff="+Monday: Ada\n")
    app.change("feature_flag", "mailroom", "flag mail_rich_footer: off->on", minutes_ago=26, id="flag-11")
    app.change("deploy", "loyalty", "deploy loyalty 3.14.8", minutes_ago=6, id="rel-209")


def set_condition(node: Object, kind: str, status: str, reason: str, message: str, since: str) -> None:
    """A condition of a node."""
    found = next(item for item in node["status"]["conditions"] if item["type"] == kind)
    found |= {"status": status, "reason": reason, "message": message, "lastTransitionTime": since}


def lost(app: Hall, name: str, minutes_ago: float) -> None:
    """A node the control plane hears no more of."""
    node = app.get("Node", name)
    for condition in node["status"]["conditions"]:
        condition |= {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
                      "lastHeartbeatTime": app.stamp(minutes_ago + 1), "lastTransitionTime": app.stamp(minutes_ago)}  # fmt: skip
    node["spec"]["taints"] = [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": app.stamp(minutes_ago)}
    ]
    app.event(
        node,
        "NodeNotReady",
        f"Node {name} status is now: NodeNotReady",
        kind="Normal",
        minutes_ago=minutes_ago,
        component="node-controller",
    )
    for pod in app.all("Pod"):
        if pod["spec"].get("nodeName") == name and pod["status"]["phase"] == "Running":
            for condition in pod["status"]["conditions"]:
                if condition["type"] == "Ready":
                    condition |= {"status": "False", "lastTransitionTime": app.stamp(minutes_ago)}


def master(app: Hall, *components: str) -> dict[str, Object]:
    """A control-plane node with static pods."""
    node = app.node(MASTER, "eu-a", control_plane=True)
    made = {}
    for name in components:
        pod = app.pod(node | {"metadata": {**node["metadata"], "namespace": SYSTEM}, "spec": {**node["spec"]}}, f"{name}-{MASTER}",
                      app.stamp(90000), node=MASTER)  # fmt: skip
        pod["metadata"] |= {"labels": {"component": name, "tier": "control-plane"}, "namespace": SYSTEM}
        pod["spec"]["containers"][0]["name"] = pod["status"]["containerStatuses"][0]["name"] = name
        made[name] = pod
    return made


# -------------------------------------------------------------------------------------------------------- infrastructure


@scenario("node_not_ready", "Node", SICK, accept=[("kubelet_unavailable", "Node", SICK)])
def a_node_falls_silent() -> Hall:
    app = hall("Several services have fewer replicas than wanted", since=9).measured(errors={"lobby-gateway": 0.05})
    lost(app, SICK, 8)
    return app.settled()


@scenario("containerd_unavailable", "Node", SICK)
def the_runtime_hangs() -> Hall:
    app = hall("Pods in ContainerCreating for twenty minutes", since=22)
    node = app.get("Node", SICK)
    told = "[container runtime is down, PLEG is not healthy: pleg was last seen active 21m4.81s ago; threshold is 3m0s]"
    set_condition(node, "Ready", "False", "KubeletNotReady", told, app.stamp(18))
    app.journal(SICK, "kubelet", 'E0414 09:12:44.901022    1412 kubelet.go:2412] "Skipping pod synchronization" err="' + told + '"',
                'E0414 09:12:45.112077    1412 remote_runtime.go:633] "Status from runtime service failed" err="rpc error: code = DeadlineExceeded '
                'desc = context deadline exceeded"', minutes_ago=17)  # fmt: skip
    pod = app.pods("voucher")[0]
    pod["spec"]["nodeName"] = SICK
    app.waits(pod, "ContainerCreating")
    app.event(pod, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
              first_minutes_ago=20, minutes_ago=2, count=5)  # fmt: skip
    return app.settled()


@scenario("kubelet_unavailable", "Node", "ip-10-8-54-18", accept=[("node_not_ready", "Node", "ip-10-8-54-18")])
def the_kubelet_s_certificate_is_not_renewed() -> Hall:
    app = hall("Node ip-10-8-54-18 NotReady", since=31)
    lost(app, "ip-10-8-54-18", 30)
    app.journal("ip-10-8-54-18", "kubelet", 'E0414 08:59:02.118041    1133 bootstrap.go:266] part of the existing bootstrap client certificate in '
                "/etc/kubernetes/kubelet.conf is expired: 2026-04-14 08:58:51 +0000 UTC", 'E0414 08:59:02.118722    1133 run.go:74] "command failed" '
                'err="failed to run Kubelet: unable to load bootstrap kubeconfig: stat /etc/kubernetes/bootstrap-kubelet.conf: no such file or '
                'directory"', "kubelet.service: Main process exited, code=exited, status=1/FAILURE", minutes_ago=30)  # fmt: skip
    for node in app.nodes:
        for state in ("active", "failed"):
            bad = node == "ip-10-8-54-18"
            app.once(
                "node_systemd_unit_state",
                float((state == "failed") == bad),
                instance=node,
                name="kubelet.service",
                state=state,
            )
    return app.settled()


@scenario(
    "coredns_degraded",
    "Component",
    "coredns",
    accept=[("coredns_degraded", "Deployment", "coredns"), ("coredns_degraded", "Service", "kube-dns")],
)
def the_resolvers_time_out_on_their_upstream() -> Hall:
    app = hall("Sporadic 500 everywhere", since=14).measured(
        errors={"boxoffice": 0.08, "tillroom": 0.1, "member": 0.05, "lobby-gateway": 0.05}
    )
    app.deploy("coredns", 53, namespace=SYSTEM, service=False)
    app.serve("kube-dns", 53, namespace=SYSTEM, app="coredns")
    pod = app.pods("coredns")[1]
    app.crashing(pod, 137, "OOMKilled", restarts=7, ran_seconds=70)
    app.says("coredns", "[ERROR] plugin/errors: 2 tillroom-mysql.stagedoor.svc.cluster.local. A: read udp 10.244.1.4:41992->169.254.169.253:53: i/o timeout",
             pods=app.pods("coredns")[:1], every=2)  # fmt: skip
    for name in ("boxoffice", "tillroom", "member"):
        app.says(
            name,
            boot("ERROR", SERVLET, "java.net.UnknownHostException: tariff: Temporary failure in name resolution"),
            every=11,
        )
    app.says(
        "clickpath",
        'level=error msg="dial" err="lookup booking-kafka on 10.96.0.10:53: read udp 10.244.5.5:55120->10.96.0.10:53: i/o timeout"',
        every=13,
    )
    return app.settled()


@scenario(
    "kube_proxy_unavailable", "Node", "ip-10-8-22-61", accept=[("kube_proxy_unavailable", "DaemonSet", "kube-proxy")]
)
def one_node_has_old_rules() -> Hall:
    app = hall("Calls from one node fail", since=26)
    made = app.stateful("kube-proxy", 10249, kind="DaemonSet", namespace=SYSTEM)
    assert made
    pod = next(item for item in app.pods("kube-proxy") if item["spec"]["nodeName"] == "ip-10-8-22-61")
    app.crashing(pod, 1, restarts=9, ran_seconds=1)
    app.says("kube-proxy", 'E0414 09:24:10.771203       1 server.go:494] "Error running ProxyServer" err="stat /var/lib/kube-proxy/kubeconfig.conf: no such '
             'file or directory"', pods=[pod], rounds=1, ago=1.7)  # fmt: skip
    mine = app.pods("resale")[0]
    mine["spec"]["nodeName"] = "ip-10-8-22-61"
    app.says(
        "resale",
        boot("ERROR", SERVLET, 'I/O error on GET request for "http://seatmap:8083/api/seatmap/9": connect timed out'),
        pods=[mine],
        every=6,
    )
    return app.settled()


@scenario("kube_scheduler_unavailable", "Component", "kube-scheduler", accept=[("kube_scheduler_unavailable", "Node", MASTER),
          ("kube_scheduler_unavailable", "Pod", f"kube-scheduler-{MASTER}")])  # fmt: skip
def pods_wait_and_nobody_says_why() -> Hall:
    app = hall("KubePodNotReady: three pods Pending", since=35)
    made = master(app, "kube-scheduler", "kube-apiserver", "kube-controller-manager", "etcd")
    app.crashing(made["kube-scheduler"], 1, restarts=10, ran_seconds=2)
    app.log(f"kube-scheduler-{MASTER}", "kube-scheduler", 'E0414 09:27:51.014412       1 run.go:72] "command failed" err="invalid configuration: no '
            'server found for cluster \\"kubernetes\\""', namespace=SYSTEM)  # fmt: skip
    for name in ("playbill", "login", "refunds"):
        pod = app.pods(name)[0]
        pod["spec"].pop("nodeName")
        pod["status"] = {"phase": "Pending", "qosClass": "Burstable", "conditions": []}
        pod["metadata"]["creationTimestamp"] = app.stamp(33)
    return app.settled()


@scenario(
    "etcd_unhealthy",
    "Component",
    "etcd",
    accept=[("etcd_unhealthy", "Node", MASTER), ("etcd_unhealthy", "Pod", f"etcd-{MASTER}")],
)
def the_disk_below_etcd_is_slow() -> Hall:
    app = hall("kubectl is slow, leader elections everywhere", since=20)
    made = master(app, "etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")
    for name in ("kube-scheduler", "kube-controller-manager"):
        app.status(made[name]).update(restartCount=4, lastState={"terminated": {"exitCode": 1, "reason": "Error", "startedAt": app.stamp(400),
                                      "finishedAt": app.stamp(11)}})  # fmt: skip
        app.log(f"{name}-{MASTER}", name, f"E0414 09:19:02.114417       1 leaderelection.go:369] Failed to update lock: Put \"https://10.8.10.5:6443/apis/"
                f'coordination.k8s.io/v1/namespaces/kube-system/leases/{name}?timeout=5s": context deadline exceeded', f"I0414 09:19:07.110318       1 "
                f"leaderelection.go:285] failed to renew lease kube-system/{name}: timed out waiting for the condition", namespace=SYSTEM, minutes_ago=11,
                previous=True)  # fmt: skip
    app.log(f"etcd-{MASTER}", "etcd", *['{"level":"warn","ts":"2026-04-14T09:21:18.401Z","caller":"etcdserver/util.go:170","msg":"apply request took too long",'
            '"took":"1.911s","expected-duration":"100ms","prefix":"read-only range ","request":"key:\\"/registry/leases/kube-system/kube-scheduler\\" "}',
            '{"level":"warn","ts":"2026-04-14T09:21:20.001Z","caller":"wal/wal.go:805","msg":"slow fdatasync","took":"2.311s","expected-duration":"1s"}'] * 30,
            namespace=SYSTEM, minutes_ago=19, every_seconds=18)  # fmt: skip
    app.log(f"kube-apiserver-{MASTER}", "kube-apiserver", *['{"level":"warn","msg":"retrying of unary invoker failed","target":"etcd-endpoints://0xc0008/127.0.0.1:2379",'
            '"method":"/etcdserverpb.KV/Txn","attempt":0,"error":"rpc error: code = Unknown desc = etcdserver: request timed out"}'] * 20,
            namespace=SYSTEM, minutes_ago=19, every_seconds=30)  # fmt: skip
    return app.settled()


@scenario("node_disk_pressure", "Node", SICK)
def images_and_logs_fill_one_node() -> Hall:
    app = hall("Evictions in stagedoor", since=40)
    set_condition(
        app.get("Node", SICK),
        "DiskPressure",
        "True",
        "KubeletHasDiskPressure",
        "kubelet has disk pressure",
        app.stamp(38),
    )
    app.get("Node", SICK)["spec"]["taints"] = [
        {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule", "timeAdded": app.stamp(38)}
    ]
    for name in ("voucher", "promoter"):
        owner = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith(f"{name}-")][-1]
        pod = app.pod(owner, f"{owner['metadata']['name']}-{app.hash(5)}", app.stamp(4000), node=SICK)
        pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: ephemeral-storage. Threshold quantity: "
                         "10735881216, available: 8821412Ki. Container task was using 4188Ki, request is 0, has larger consumption of ephemeral-storage. ",
                         "startTime": app.stamp(4000), "conditions": []}  # fmt: skip
    app.event(
        app.get("Node", SICK),
        "EvictionThresholdMet",
        "Attempting to reclaim ephemeral-storage",
        minutes_ago=3,
        first_minutes_ago=38,
        count=61,
    )
    return app.settled()


@scenario("node_memory_pressure", "Node", "ip-10-8-21-14")
def pods_without_limits_eat_the_node() -> Hall:
    app = hall("playbill and geo-fence pods evicted", since=12)
    name = "ip-10-8-21-14"
    set_condition(
        app.get("Node", name),
        "MemoryPressure",
        "True",
        "KubeletHasInsufficientMemory",
        "kubelet has insufficient memory available",
        app.stamp(11),
    )
    for workload in ("playbill", "geo-fence"):
        owner = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith(f"{workload}-")][-1]
        pod = app.pod(owner, f"{owner['metadata']['name']}-{app.hash(5)}", app.stamp(4000), node=name)
        told = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 71204Ki. "
        pod["status"] = {
            "phase": "Failed",
            "reason": "Evicted",
            "message": told,
            "startTime": app.stamp(4000),
            "conditions": [],
        }
        app.event(pod, "Evicted", told, minutes_ago=10)
    for node in app.nodes:
        app.gauge("instance:node_memory_utilisation:ratio", ramp(0.7, 0.99, 40) if node == name else 0.6, instance=node)
    return app.settled()


@scenario("node_clock_skew", "Node", "ip-10-8-38-120")
def one_node_lives_in_the_past() -> Hall:
    app = hall("Tokens rejected at random", since=45).measured(errors={"login": 0.2, "member": 0.1}, code="401")
    for node in app.nodes:
        bad = node == "ip-10-8-38-120"
        app.gauge("node_timex_offset_seconds", ramp(0.001, -94, 45) if bad else 0.0004, instance=node)
        app.gauge("node_timex_sync_status", jump(1, 0, 46) if bad else 1, noise=0, instance=node)
    pod = app.pods("login")[0]
    pod["spec"]["nodeName"] = "ip-10-8-38-120"
    app.says("member", boot("WARN", "o.s.s.o.s.r.a.JwtAuthenticationProvider", "Failed to authenticate since the JWT was invalid: Jwt used before "
             "2026-04-14T09:31:02Z"), every=6)  # fmt: skip
    return app.settled()


@scenario("cloud_zone_impairment", "Component", "eu-c")
def a_whole_zone_goes() -> Hall:
    app = hall("A third of all replicas is gone", since=7).measured(errors={"lobby-gateway": 0.12, "boxoffice": 0.1})
    for name, zone in NODES.items():
        if zone == "eu-c":
            lost(app, name, 6)
    return app.settled()


@scenario("node_network_packet_loss", "Node", "ip-10-8-53-77")
def a_bad_card_in_one_machine() -> Hall:
    app = hall("Latency everywhere, a bit", since=18).measured(slow={"wallet-pass": 4, "resale": 5, "tariff": 3})
    for node in app.nodes:
        bad = node == "ip-10-8-53-77"
        where = {"instance": node, "device": "eth0"}
        app.counter("node_network_receive_packets_total", 21000, **where)
        app.counter("node_network_receive_errs_total", jump(0, 1400, 18) if bad else 0.0, **where)
        app.counter("node_network_receive_drop_total", jump(0.1, 900, 18) if bad else 0.1, **where)
        app.counter("node_netstat_Tcp_RetransSegs", jump(3, 700, 18) if bad else 3.0, instance=node)
    for name in ("wallet-pass", "resale", "tariff"):
        app.pods(name)[0]["spec"]["nodeName"] = "ip-10-8-53-77"
    return app.settled()


# ---------------------------------------------------------------------------------------------------------------- change


@scenario(
    "bad_deploy", "Deployment", "voucher", change="rel-205", accept=[("unhandled_exception", "Deployment", "voucher")]
)
def a_null_pointer_came_with_the_release() -> Hall:
    app = hall("boxoffice 500s", since=13).measured(errors={"voucher": 0.5, "boxoffice": 0.3, "lobby-gateway": 0.04})
    app.template("voucher")["image"] = "registry.test/hall/voucher:3.15.0"
    app.rollout("voucher", 13, surge=2, down=2)
    app.says("voucher", boot("ERROR", SERVLET, "Servlet.service() for servlet [dispatcherServlet] threw exception"), 'java.lang.NullPointerException: Cannot '
             'invoke "com.hall.voucher.Campaign.endsAt()" because "campaign" is null', "\tat com.hall.voucher.Redeem.check(Redeem.java:118)", every=3)  # fmt: skip
    app.says(
        "boxoffice",
        boot("ERROR", SERVLET, '500 Internal Server Error on POST request for "http://voucher:8088/api/redeem"'),
        every=1.5,
    )
    innocent(app)
    app.change("deploy", "voucher", "deploy voucher 3.15.0", minutes_ago=13.4, id="rel-205")
    return app.settled()


@scenario(
    "bad_feature_flag", "Deployment", "tariff", change="flag-31", accept=[("bad_feature_flag", "Deployment", "seatmap")]
)
def the_dynamic_prices_were_switched_on() -> Hall:
    app = hall("seatmap latency", since=12).measured(slow={"tariff": 40, "seatmap": 15}, errors={"tariff": 0.2})
    app.says(
        "tariff",
        boot(
            "ERROR",
            "c.h.tariff.dynamic.DynamicPricing",
            "dynamic_pricing_v2: no demand model for event 8841, recomputing inline",
        ),
        every=2,
    )
    innocent(app)
    app.change("feature_flag", "tariff", "flag dynamic_pricing_v2: 0% -> 100%", minutes_ago=12.2, id="flag-31")
    return app.settled()


@scenario("bad_migration", "StatefulSet", "boxoffice-mysql", change="mig-88", accept=[("bad_migration", "Deployment", "boxoffice"),
          ("db_lock_contention", "StatefulSet", "boxoffice-mysql")])  # fmt: skip
def an_alter_table_in_the_middle_of_the_day() -> Hall:
    app = hall("Orders hang", since=9).measured(
        slow={"boxoffice": 100, "voucher": 60, "resale": 60}, errors={"boxoffice": 0.5}
    )
    for name in ("boxoffice", "voucher", "resale"):
        app.says(name, boot("WARN", "o.h.engine.jdbc.spi.SqlExceptionHelper", "SQL Error: 1205, SQLState: 40001"), boot("ERROR",
                 "o.h.engine.jdbc.spi.SqlExceptionHelper", "Lock wait timeout exceeded; try restarting transaction"), every=5)  # fmt: skip
    app.says("boxoffice-mysql", "| 88120 | flyway | 10.244.8.2 | boxoffice | Query | 540 | altering table | ALTER TABLE orders ADD COLUMN channel VARCHAR(16) "
             "NOT NULL DEFAULT 'web', ALGORITHM=COPY |", "| 88131 | boxoffice | 10.244.3.2 | boxoffice | Query | 49 | Waiting for table metadata lock | "
             "insert into orders ... |", rounds=1, ago=0.8)  # fmt: skip
    innocent(app)
    app.change("other", "boxoffice", "flyway migrate V88__orders_channel.sql on boxoffice", minutes_ago=9.1, id="mig-88",
               diff="+ALTER TABLE orders ADD COLUMN channel VARCHAR(16) NOT NULL DEFAULT 'web', ALGORITHM=COPY;\n")  # fmt: skip
    return app.settled()


@scenario("dependency_upgrade_broken", "Deployment", "wallet-pass", change="9f31c0d", accept=[("bad_deploy", "Deployment", "wallet-pass"),
          ("crash_on_start", "Deployment", "wallet-pass")])  # fmt: skip
def a_library_lost_a_method() -> Hall:
    app = hall("No passes issued", since=15).measured(errors={"wallet-pass": 0.9})
    app.template("wallet-pass")["image"] = "registry.test/hall/wallet-pass:3.14.3"
    app.rollout("wallet-pass", 15, surge=2, down=2)
    app.says("wallet-pass", boot("ERROR", SERVLET, "Handler dispatch failed: java.lang.NoSuchMethodError: 'com.fasterxml.jackson.core.StreamReadConstraints "
             "com.fasterxml.jackson.core.JsonFactory.streamReadConstraints()'"), every=3)  # fmt: skip
    innocent(app)
    app.change("commit", "wallet-pass/pom.xml", "build(deps): bump jackson-databind from 2.14.2 to 2.17.0", minutes_ago=22, id="9f31c0d",
               diff="-      <version>2.14.2</version>\n+      <version>2.17.0</version>\n")  # fmt: skip
    app.change("deploy", "wallet-pass", "deploy wallet-pass 3.14.3 (9f31c0d)", minutes_ago=15.2, id="9f31c0d")
    return app.settled()


@scenario(
    "certificate_expired",
    "Deployment",
    "fraud-check",
    accept=[("certificate_expired", "Deployment", "tillroom"), ("certificate_expired", "Service", "fraud-check")],
)
def at_nine_exactly_the_handshakes_fail() -> Hall:
    app = hall("Payment error ratio 0.9", since=30).measured(
        errors={"tillroom": 0.9, "boxoffice": 0.4}, traffic={"fraud-check": 0.02}
    )
    app.says("tillroom", boot("ERROR", "c.h.till.Fraud", 'I/O error on POST request for "https://fraud-check:8092/score": PKIX path validation failed: '
             "java.security.cert.CertPathValidatorException: validity check failed"), "Caused by: java.security.cert.CertificateExpiredException: NotAfter: "
             "Tue Apr 14 09:00:00 UTC 2026", every=3)  # fmt: skip
    innocent(app)
    return app.settled()


@scenario(
    "bad_config_change",
    "Deployment",
    "waitroom",
    change="cfg-77",
    accept=[("config_invalid", "Deployment", "waitroom")],
)
def a_zero_too_few() -> Hall:
    app = hall("Visitors wait although there is room", since=16).measured(
        errors={"waitroom": 0.45, "lobby-gateway": 0.1}, code="429"
    )
    app.says("waitroom", boot("WARN", "c.h.waitroom.Admission", "admission rejected: 50 of 50 slots taken"), every=1)
    innocent(app)
    app.change(
        "config",
        "waitroom",
        "waitroom: tidy up limits",
        minutes_ago=16.2,
        id="cfg-77",
        diff="-admission.slots: 5000\n+admission.slots: 50\n",
    )
    return app.settled()


@scenario("bad_deploy", "Deployment", "recommender", change="rel-330")
def the_release_made_it_slow_and_only_that() -> Hall:
    app = hall("recommender p95 1.4 s", since=25).measured(slow={"recommender": 9}, cpu={"recommender": 2.2})
    app.template("recommender")["image"] = "registry.test/hall/recommender:4.0.0"
    app.rollout("recommender", 25, surge=2, down=2)
    innocent(app)
    app.change("deploy", "recommender", "deploy recommender 4.0.0", minutes_ago=25.3, id="rel-330")
    return app.settled()


# ------------------------------------------------------------------------------------------------------------- no fault


@scenario(None, no_cause=True)
def a_rollout_that_goes_well() -> Hall:
    app = hall("KubeDeploymentGenerationMismatch for playbill", since=3).measured()
    app.template("playbill")["image"] = "registry.test/hall/playbill:3.15.0"
    pod = app.rollout("playbill", 0.6, surge=1)[0]
    app.unready(pod)
    app.probe_fails(pod, "Readiness", f'Get "http://{pod["status"]["podIP"]}:8082/actuator/health/readiness": dial tcp {pod["status"]["podIP"]}:8082: '
                    "connect: connection refused", count=2, since=0.4, minutes_ago=0.2)  # fmt: skip
    app.says("playbill", *boots("playbill", 8082)[:2], pods=[pod], rounds=1, ago=0.4, every=4)
    app.change("deploy", "playbill", "deploy playbill 3.15.0", minutes_ago=0.8, id="rel-400")
    return app.settled()


@scenario(None, no_cause=True)
def a_node_is_drained_for_maintenance() -> Hall:
    app = hall("KubeNodeUnschedulable ip-10-8-54-18", since=25).measured()
    node = app.get("Node", "ip-10-8-54-18")
    node["spec"] |= {
        "unschedulable": True,
        "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "timeAdded": app.stamp(25)}],
    }
    for pod in app.all("Pod"):
        if pod["spec"].get("nodeName") == "ip-10-8-54-18":
            pod["spec"]["nodeName"] = "ip-10-8-53-77"
    app.change(
        "infrastructure", "ip-10-8-54-18", "kernel update: drain ip-10-8-54-18 (planned)", minutes_ago=26, id="maint-5"
    )
    return app.settled()


@scenario(None, no_cause=True)
def a_flapping_probe_that_settled() -> Hall:
    app = hall("KubePodNotReady cleared for refunds", since=50).measured()
    pod = app.pods("refunds")[0]
    app.probe_fails(pod, "Readiness", "HTTP probe failed with statuscode: 503", count=3, minutes_ago=44, since=46)
    app.says(
        "refunds",
        boot("WARN", "o.s.b.a.jdbc.DataSourceHealthIndicator", "DataSource health check failed"),
        rounds=2,
        ago=46,
    )
    return app.settled()


@scenario(None, no_cause=True)
def changes_by_the_dozen_and_a_vague_question() -> Hall:
    app = hall("Somebody on the phone says it feels slow").measured()
    innocent(app)
    for place in range(10):
        app.change(
            "commit",
            f"seatmap/src/Row{place}.java",
            f"seatmap: rename field {place}",
            minutes_ago=60 - 5 * place,
            id=f"e{place}77aa1",
            diff="-a\n+b\n",
        )
    return app.settled()


@scenario(None, no_cause=True)
def a_cron_job_failed_once_and_then_ran() -> Hall:
    app = hall("KubeJobFailed (resolved)", since=50).measured("lobby-gateway", "playbill")
    app.cron("geo-refresh", "*/20 * * * *", last=10, failedJobsHistoryLimit=1)
    failed = app.job("geo-refresh-29402460", cron="geo-refresh", created=50, failed=1, backoff=0)
    app.job_pod(failed, exit_code=1, minutes_ago=49)
    app.gave_up(failed, 49)
    for number, ago in ((29402480, 30), (29402500, 10)):
        good = app.job(f"geo-refresh-{number}", cron="geo-refresh", created=ago, succeeded=1)
        app.job_pod(good, exit_code=0, minutes_ago=ago - 2)
    return app.settled()


@scenario(None, no_cause=True)
def a_probe_was_loosened_and_all_is_well() -> Hall:
    app = hall("Config drift report: login").measured()
    app.configure("login", livenessProbe=http_probe(8090, "/actuator/health/liveness", periodSeconds=30))
    app.change(
        "config",
        "login",
        "login: liveness period 10s -> 30s",
        minutes_ago=70,
        id="cfg-500",
        diff="-periodSeconds: 10\n+periodSeconds: 30\n",
    )
    return app.settled()


@scenario(None, no_cause=True)
def one_evicted_pod_of_yesterday() -> Hall:
    app = hall("Evicted pods in stagedoor: 1").measured()
    owner = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith("member-")][-1]
    pod = app.pod(owner, f"{owner['metadata']['name']}-{app.hash(5)}", app.stamp(4000), node=SICK)
    pod["status"] = {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. Threshold quantity: 100Mi, available: 88Mi. ",
                     "startTime": app.stamp(2000), "conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet",
                     "lastTransitionTime": app.stamp(1500)}]}  # fmt: skip
    return app.settled()
