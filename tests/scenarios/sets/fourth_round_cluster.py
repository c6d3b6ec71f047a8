"""Fourth blind round, what the cluster refuses, cannot place, cannot start or ends, at a ticket seller's.

Each is one incident as somebody on call would find it: the alert is mostly vague, callers shout louder than the origin,
and what proves the cause is in one place only: an event, an init container, a sidecar, a Job's pod, one of three replicas.
"""

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.application import http_probe, tcp_probe
from tests.scenarios.sets.fourth_round_ground import NODES, Hall, boot, boots, hall
from tests.scenarios.sets.registry import scenario

UNREACHED = 'I/O error on GET request for "http://{to}/api/{to}/17": Connection refused'
VAGUE = "5xx ratio at lobby-gateway is 0.11 (threshold 0.02)"


def callers_fail(app: Hall, name: str, *callers: str, why: str = "Connection refused") -> None:
    """What callers say of a service that does not answer."""
    for caller in callers:
        app.says(
            caller,
            boot("ERROR", "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() for servlet [dispatcherServlet] in context "
                 "with path [] threw exception [Request processing failed: org.springframework.web.client.ResourceAccessException: "
                 f'I/O error on GET request for "http://{name}/api": {why}] with root cause'),
            f"java.net.ConnectException: {why}",
            every=9,
        )  # fmt: skip


# ---------------------------------------------------------------------------------------------------------- admission


@scenario(
    "namespace_memory_quota_exceeded",
    "Namespace",
    "stagedoor",
    accept=[("namespace_memory_quota_exceeded", "Deployment", "waitroom")],
)
def the_sale_starts_and_the_quota_is_full() -> Hall:
    app = hall("waitroom should have eight replicas for the on-sale and has two")
    app.get("Deployment", "waitroom")["spec"]["replicas"] = 8
    owner = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith("waitroom-")][-1]
    owner["spec"]["replicas"] = 8
    quota = {"hard": {"limits.memory": "64Gi", "pods": "140"}, "used": {"limits.memory": "64Gi", "pods": "94"}}
    app.add({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": kube.metadata("ResourceQuota", "compute", app.namespace),
             "spec": {"hard": quota["hard"]}, "status": quota})  # fmt: skip
    app.not_created("waitroom-", f'pods "{owner["metadata"]["name"]}-7xk2p" is forbidden: exceeded quota: compute, requested: '
                    "limits.memory=1Gi, used: limits.memory=64Gi, limited: limits.memory=64Gi")  # fmt: skip
    app.alert(
        "KubeDeploymentReplicasMismatch",
        "Deployment stagedoor/waitroom has not matched the expected number of replicas",
    )
    return app.settled()


@scenario("limit_range_violation", "StatefulSet", "finder-es")
def a_bigger_heap_than_a_container_may_have() -> Hall:
    app = hall("finder-es lost a member and does not get it back")
    app.get("StatefulSet", "finder-es")["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "requests": {"memory": "12Gi", "cpu": "1"}, "limits": {"memory": "12Gi"}}  # fmt: skip
    app.objects.remove(app.pods("finder-es")[2])
    app.add({"apiVersion": "v1", "kind": "LimitRange", "metadata": kube.metadata("LimitRange", "bounds", app.namespace),
             "spec": {"limits": [{"type": "Container", "max": {"memory": "8Gi"}, "default": {"memory": "512Mi"}}]}})  # fmt: skip
    app.not_created("finder-es", "create Pod finder-es-2 in StatefulSet finder-es failed error: pods \"finder-es-2\" is forbidden: "
                    "maximum memory usage per Container is 8Gi, but limit is 12Gi", kind="StatefulSet")  # fmt: skip
    app.says(
        "finder-es",
        "[WARN ][o.e.c.r.a.AllocationService] [finder-es-0] [102] unassigned shards, cluster health [YELLOW]",
        every=40,
    )
    return app.settled()


@scenario("admission_webhook_denied", "Deployment", "tillroom", variants=("events_expired",))
def a_policy_wants_a_signed_image() -> Hall:
    app = hall("Rollout of tillroom is stuck for half an hour", since=31)
    app.template("tillroom")["image"] = "registry.test/hall/tillroom:3.15.0"
    app.rollout("tillroom", 31, surge=0)
    app.all("ReplicaSet")[-1] |= {"status": {"observedGeneration": 1, "replicas": 0}}
    app.all("ReplicaSet")[-1]["spec"]["replicas"] = 1
    app.not_created("tillroom-", 'admission webhook "mutate.kyverno.svc-fail" denied the request: \n\nresource Pod/stagedoor/'
                    "tillroom-5b9d8f7c64-qq2lz was blocked due to the following policies \n\nverify-images:\n  cosign-keys: 'failed to "
                    "verify image registry.test/hall/tillroom:3.15.0: .attestors[0].entries[0].keys: no matching signatures'")  # fmt: skip
    app.change("deploy", "tillroom", "deploy tillroom 3.15.0", minutes_ago=31, id="rel-8812")
    app.change("deploy", "loyalty", "deploy loyalty 3.14.9", minutes_ago=48, id="rel-8809")
    return app.settled()


@scenario("pod_security_denied", "DaemonSet", "edge-collector")
def a_daemon_set_wants_the_host() -> Hall:
    app = hall("No logs from edge-collector since the namespace was hardened")
    made = app.stateful("edge-collector", 2021, kind="DaemonSet", headless=False, hostNetwork=True)
    app.objects = [item for item in app.objects if item not in app.pods("edge-collector")]
    made["spec"]["template"]["spec"]["volumes"] = [{"name": "varlog", "hostPath": {"path": "/var/log"}}]
    app.not_created("edge-collector", 'pods "edge-collector-9x7kz" is forbidden: violates PodSecurity "baseline:latest": host namespaces '
                    '(hostNetwork=true), hostPath volumes (volume "varlog"), hostPort (container "edge-collector" uses hostPort 2021)',
                    kind="DaemonSet")  # fmt: skip
    app.settled()
    made["status"] = {
        "desiredNumberScheduled": 6,
        "currentNumberScheduled": 0,
        "numberReady": 0,
        "numberUnavailable": 6,
    }
    return app


@scenario(
    "missing_service_account",
    "CronJob",
    "settle-promoters",
    accept=[("missing_service_account", "Job", "settle-promoters-29402370")],
)
def the_nightly_settlement_has_no_account() -> Hall:
    app = hall("Promoters were not settled this morning", since=180)
    app.cron("settle-promoters", "30 6 * * *", last=180)
    job = app.job("settle-promoters-29402370", cron="settle-promoters", created=180, serviceAccountName="settler")
    app.not_created("settle-promoters-29402370", 'pods "settle-promoters-29402370-" is forbidden: error looking up service account '
                    'stagedoor/settler: serviceaccount "settler" not found', kind="Job", count=9)  # fmt: skip
    job["status"] = {"startTime": app.stamp(180)}
    app.alert("SettlementMissing", "no settlement written for business day 2026-04-13", minutes_ago=30)
    return app.settled()


@scenario("rbac_forbidden", "Deployment", "payout")
def the_leader_may_not_take_its_lease() -> Hall:
    app = hall("No payouts leave the house", since=35)
    app.says("payout", boot("ERROR", "i.f.k.c.e.leaderelection.LeaderElector",
             "Exception occurred while acquiring lock 'LeaseLock: stagedoor - payout-leader (payout-0)'", thread="pool-4-thread-1"),
             "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: GET at: https://10.96.0.1:443/apis/"
             "coordination.k8s.io/v1/namespaces/stagedoor/leases/payout-leader. Message: leases.coordination.k8s.io \"payout-leader\" is "
             "forbidden: User \"system:serviceaccount:stagedoor:payout\" cannot get resource \"leases\" in API group "
             "\"coordination.k8s.io\" in the namespace \"stagedoor\". Received status: Status(code=403, reason=Forbidden)", every=15)  # fmt: skip
    app.alert("PayoutsStalled", "payout queue age 35m", minutes_ago=5)
    return app.settled()


# --------------------------------------------------------------------------------------------------------- scheduling


@scenario("taint_toleration_mismatch", "Deployment", "recommender")
def one_of_two_waits_for_the_tainted_pool() -> Hall:
    app = hall("recommender p99 doubled; one replica is missing", since=50)
    for name in ("ip-10-8-53-77", "ip-10-8-54-18"):
        app.get("Node", name)["spec"]["taints"] = [{"key": "pool", "value": "memory", "effect": "NoSchedule"}]
    app.get("Deployment", "recommender")["spec"]["template"]["spec"]["nodeSelector"] = {
        "topology.kubernetes.io/zone": "eu-c"
    }
    for item in app.all("ReplicaSet"):
        if item["metadata"]["name"].startswith("recommender-"):
            item["spec"]["template"]["spec"]["nodeSelector"] = {"topology.kubernetes.io/zone": "eu-c"}
    pod = app.pods("recommender")[0]
    pod["spec"]["nodeSelector"] = {"topology.kubernetes.io/zone": "eu-c"}
    app.pending(pod, "0/6 nodes are available: 2 node(s) had untolerated taint {pool: memory}, 4 node(s) didn't match Pod's node "
                "affinity/selector. preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.")  # fmt: skip
    return app.settled()


@scenario("pod_anti_affinity_conflict", "Deployment", "seatmap")
def seven_replicas_on_six_nodes() -> Hall:
    app = hall("HPA wants seven seatmap pods, one has been pending since", since=22)
    rule = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"labelSelector": {"matchLabels": {"app": "seatmap"}}, "topologyKey": "kubernetes.io/hostname"}]}}  # fmt: skip
    owner = app.get("Deployment", "seatmap")
    app.objects = [item for item in app.objects if item not in app.pods("seatmap")]
    replica_set = [item for item in app.all("ReplicaSet") if item["metadata"]["name"].startswith("seatmap-")][-1]
    for item in (owner, replica_set):
        item["spec"]["replicas"] = 7
        item["spec"]["template"]["spec"]["affinity"] = rule
    for node in (*NODES, "ip-10-8-21-14"):
        pod = app.pod(replica_set, f"{replica_set['metadata']['name']}-{app.hash(5)}", app.stamp(3000), node=node)
    app.pending(pod, "0/6 nodes are available: 6 node(s) didn't match pod anti-affinity rules. preemption: 0/6 nodes are available: "
                "6 No preemption victims found for incoming pod.")  # fmt: skip
    return app.settled()


@scenario("volume_zone_conflict", "StatefulSet", "queue-rabbit")
def the_zone_s_last_node_is_gone_and_the_disk_stays() -> Hall:
    app = hall("queue-rabbit runs with two of three members since the node upgrade", since=70)
    app.objects = [
        item
        for item in app.objects
        if not (item["kind"] == "Node" and item["metadata"]["name"].startswith("ip-10-8-5"))
    ]
    for pod in app.all("Pod"):
        if pod["spec"].get("nodeName", "").startswith("ip-10-8-5"):
            pod["spec"]["nodeName"] = "ip-10-8-37-9"
    pod = app.pods("queue-rabbit")[2]
    claim = "data-queue-rabbit-2"
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
    app.add({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": kube.metadata("PersistentVolumeClaim", claim, app.namespace),
             "spec": {"storageClassName": "gp3", "volumeName": "pvc-7d3e", "accessModes": ["ReadWriteOnce"],
                      "resources": {"requests": {"storage": "50Gi"}}}, "status": {"phase": "Bound"}})  # fmt: skip
    app.add({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": kube.metadata("PersistentVolume", "pvc-7d3e"),
             "spec": {"storageClassName": "gp3", "capacity": {"storage": "50Gi"}, "accessModes": ["ReadWriteOnce"],
                      "claimRef": {"kind": "PersistentVolumeClaim", "namespace": app.namespace, "name": claim},
                      "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                          {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-c"]}]}]}}},
             "status": {"phase": "Bound"}})  # fmt: skip
    app.pending(pod, "0/4 nodes are available: 4 node(s) had volume node affinity conflict. preemption: 0/4 nodes are available: 4 "
                "Preemption is not helpful for scheduling.", count=31)  # fmt: skip
    return app.settled()


@scenario("pvc_storage_class_mismatch", "StatefulSet", "ledger-pg")
def a_new_store_asks_for_a_class_of_another_cloud() -> Hall:
    app = hall("ledger-pg never became ready", since=40)
    app.add({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": kube.metadata("StorageClass", "gp3"),
             "provisioner": "ebs.csi.aws.com", "volumeBindingMode": "WaitForFirstConsumer"})  # fmt: skip
    app.stateful("ledger-pg", 5432, replicas=1)
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
             "metadata": kube.metadata("PersistentVolumeClaim", "data-ledger-pg-0", app.namespace, created=app.stamp(40)),
             "spec": {"storageClassName": "managed-csi-premium", "accessModes": ["ReadWriteOnce"],
                      "resources": {"requests": {"storage": "20Gi"}}}, "status": {"phase": "Pending"}}  # fmt: skip
    app.add(claim)
    pod = app.pods("ledger-pg")[0]
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-ledger-pg-0"}}]
    app.pending(pod, "0/6 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/6 nodes are available: 6 "
                "Preemption is not helpful for scheduling.")  # fmt: skip
    app.event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "managed-csi-premium" not found', first_minutes_ago=40,
              minutes_ago=1, count=120, component="persistentvolume-controller")  # fmt: skip
    return app.settled()


@scenario("memory_capacity_mismatch", "Deployment", "report-mill", variants=("events_expired",))
def a_request_larger_than_any_node() -> Hall:
    app = hall("Monday reports are late", since=65)
    app.template("report-mill")["resources"] = {
        "requests": {"memory": "20Gi", "cpu": "1"},
        "limits": {"memory": "24Gi"},
    }
    pod = app.rollout("report-mill", 65)[0]
    app.pending(pod, "0/6 nodes are available: 6 Insufficient memory. preemption: 0/6 nodes are available: 6 No preemption victims "
                "found for incoming pod.", count=26)  # fmt: skip
    app.event(pod, "NotTriggerScaleUp", "pod didn't trigger scale-up: 2 Insufficient memory", kind="Normal", count=70,
              component="cluster-autoscaler")  # fmt: skip
    app.change("commit", "charts/report-mill/values.yaml", "report-mill: bigger heap for month end", minutes_ago=66, id="a41be09",
               diff="-    memory: 2Gi\n+    memory: 20Gi\n")  # fmt: skip
    return app.settled()


@scenario(
    "node_selector_mismatch",
    "CronJob",
    "poster-render",
    accept=[("node_selector_mismatch", "Job", "poster-render-29402460")],
)
def the_gpu_pool_was_renamed() -> Hall:
    app = hall("No posters rendered since yesterday", since=90)
    app.cron("poster-render", "0 * * * *", last=90)
    job = app.job("poster-render-29402460", cron="poster-render", created=90, active=1, nodeSelector={"pool": "gpu-t4"})
    for node in ("ip-10-8-53-77", "ip-10-8-54-18"):
        app.get("Node", node)["metadata"]["labels"]["pool"] = "gpu-l4"
    app.pending(app.job_pod(job, minutes_ago=89), "0/6 nodes are available: 6 node(s) didn't match Pod's node affinity/selector. "
                "preemption: 0/6 nodes are available: 6 Preemption is not helpful for scheduling.", count=18)  # fmt: skip
    return app.settled()


@scenario("topology_spread_unsatisfiable", "Deployment", "boxoffice")
def the_spread_counts_a_zone_that_is_drained() -> Hall:
    app = hall("boxoffice does not get its third replica", since=18)
    for name in ("ip-10-8-53-77", "ip-10-8-54-18"):
        node = app.get("Node", name)
        node["spec"] |= {
            "unschedulable": True,
            "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}],
        }
    rule = [{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
             "labelSelector": {"matchLabels": {"app": "boxoffice"}}, "nodeTaintsPolicy": "Ignore"}]  # fmt: skip
    app.get("Deployment", "boxoffice")["spec"]["template"]["spec"]["topologySpreadConstraints"] = rule
    first, second, third = app.pods("boxoffice")
    for pod, node in ((first, "ip-10-8-21-14"), (second, "ip-10-8-37-9"), (third, "")):
        pod["spec"] |= {"topologySpreadConstraints": rule, "nodeName": node}
    app.pending(third, "0/6 nodes are available: 2 node(s) were unschedulable, 4 node(s) didn't match pod topology spread constraints. "
                "preemption: 0/6 nodes are available: 2 Preemption is not helpful for scheduling, 4 No preemption victims found for "
                "incoming pod.")  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------------------ startup


@scenario("incorrect_image_reference", "Deployment", "seatmap", variants=("events_expired", "sparse"))
def the_init_container_s_tag_does_not_exist() -> Hall:
    app = hall(VAGUE)
    owner = app.get("Deployment", "seatmap")
    owner["spec"]["template"]["spec"]["initContainers"] = [
        kube.container("warm-cache", "registry.test/hall/cache-warmer:v2.08")
    ]
    pod = app.rollout("seatmap", 14, down=1)[0]
    told = ('Failed to pull image "registry.test/hall/cache-warmer:v2.08": rpc error: code = NotFound desc = failed to pull and unpack '
            'image "registry.test/hall/cache-warmer:v2.08": failed to resolve reference "registry.test/hall/cache-warmer:v2.08": '
            "registry.test/hall/cache-warmer:v2.08: not found")  # fmt: skip
    app.waits(
        pod, "ImagePullBackOff", 'Back-off pulling image "registry.test/hall/cache-warmer:v2.08"', init="warm-cache"
    )
    app.event(pod, "Failed", told, first_minutes_ago=13, minutes_ago=1, count=7)
    app.event(pod, "Failed", "Error: ErrImagePull", first_minutes_ago=13, minutes_ago=1, count=7)
    return app.settled()


@scenario("missing_image_pull_secret", "Deployment", "geo-fence")
def cri_o_is_not_let_in() -> Hall:
    app = hall("geo-fence is not available", since=25)
    app.template("geo-fence")["image"] = "quay.example.test/gfence/geo-fence:5.0.1"
    for pod in app.rollout("geo-fence", 25, surge=2, down=2):
        app.waits(pod, "ImagePullBackOff", 'Back-off pulling image "quay.example.test/gfence/geo-fence:5.0.1"')
        app.event(pod, "Failed", 'Failed to pull image "quay.example.test/gfence/geo-fence:5.0.1": rpc error: code = Unknown desc = '
                  "initializing source docker://quay.example.test/gfence/geo-fence:5.0.1: reading manifest 5.0.1 in "
                  "quay.example.test/gfence/geo-fence: unauthorized: access to the requested resource is not authorized",
                  first_minutes_ago=25, minutes_ago=2, count=9)  # fmt: skip
    return app.settled()


@scenario("image_pull_rate_limited", "Deployment", "clickpath")
def the_hub_has_had_enough_of_us() -> Hall:
    app = hall("clickpath: one of two replicas does not come back after the node was replaced", since=33)
    app.configure("clickpath", image="docker.io/hallopen/clickpath:7.1.0")
    pod = app.pods("clickpath")[1]
    app.waits(pod, "ErrImagePull")
    app.event(pod, "Failed", 'Failed to pull image "docker.io/hallopen/clickpath:7.1.0": failed to pull and unpack image '
              '"docker.io/hallopen/clickpath:7.1.0": failed to copy: httpReadSeeker: failed open: unexpected status code '
              "https://registry-1.docker.io/v2/hallopen/clickpath/manifests/sha256:77ab: 429 Too Many Requests - Server message: "
              "toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
              first_minutes_ago=32, minutes_ago=1, count=11)  # fmt: skip
    return app.settled()


@scenario("image_registry_dns_failure", "Deployment", "promoter")
def the_mirror_s_name_is_not_known_here() -> Hall:
    app = hall("Rollout of promoter is stuck", since=21)
    app.template("promoter")["image"] = "mirror.infra.hall.internal/promoter:3.15.1"
    pod = app.rollout("promoter", 21)[0]
    app.waits(pod, "ImagePullBackOff", 'Back-off pulling image "mirror.infra.hall.internal/promoter:3.15.1"')
    app.event(pod, "Failed", 'Failed to pull image "mirror.infra.hall.internal/promoter:3.15.1": failed to pull and unpack image: failed to '
              'resolve reference "mirror.infra.hall.internal/promoter:3.15.1": failed to do request: Head '
              '"https://mirror.infra.hall.internal/v2/promoter/manifests/3.15.1": dial tcp: lookup mirror.infra.hall.internal on '
              "169.254.169.253:53: no such host", first_minutes_ago=21, minutes_ago=2, count=8)  # fmt: skip
    return app.settled()


@scenario("missing_config_map", "Deployment", "login")
def the_sidecar_lacks_its_settings() -> Hall:
    app = hall("Logins fail for some users")
    sidecar = kube.container("token-proxy", "registry.test/hall/token-proxy:1.2", port=9443,
                             envFrom=[{"configMapRef": {"name": "token-proxy-v2"}}])  # fmt: skip
    app.get("Deployment", "login")["spec"]["template"]["spec"]["containers"].append(sidecar)
    pod = app.rollout("login", 14, down=1)[0]
    app.status(pod, "token-proxy").update(ready=False, started=False, state={"waiting": {
        "reason": "CreateContainerConfigError", "message": 'configmap "token-proxy-v2" not found'}}, lastState={})  # fmt: skip
    app.event(
        pod, "Failed", 'Error: configmap "token-proxy-v2" not found', first_minutes_ago=14, minutes_ago=0.3, count=66
    )
    app.says("login", *boots("login", 8090), rounds=1, every=3, pods=[pod])
    return app.settled()


@scenario("missing_secret_binding", "StatefulSet", "booking-kafka")
def a_broker_cannot_mount_its_keystore() -> Hall:
    app = hall("UnderReplicatedPartitions > 0 on booking-kafka", since=26)
    pod = app.pods("booking-kafka")[1]
    volumes = [{"name": "keystore", "secret": {"secretName": "kafka-broker-tls"}}]
    app.get("StatefulSet", "booking-kafka")["spec"]["template"]["spec"]["volumes"] = volumes
    pod["spec"]["volumes"] = volumes
    app.waits(pod, "ContainerCreating")
    app.event(pod, "FailedMount", 'MountVolume.SetUp failed for volume "keystore" : secret "kafka-broker-tls" not found',
              first_minutes_ago=26, minutes_ago=0.6, count=20)  # fmt: skip
    told = "[2026-04-14 09:{:02d}:11,204] WARN [NetworkClient clientId=audit-trail] Connection to node 1 (booking-kafka-1/10.244.2.9:9092) could not be established. Node may not be available. (org.apache.kafka.clients.NetworkClient)"
    app.says("audit-trail", *(told.format(minute) for minute in range(5, 29)), every=60, rounds=1)
    return app.settled()


@scenario("volume_mount_permission_denied", "StatefulSet", "finder-es")
def elasticsearch_may_not_write_its_own_disk() -> Hall:
    app = hall("Search is down", since=16)
    for pod in app.pods("finder-es"):
        mount = [{"name": "data", "mountPath": "/usr/share/elasticsearch/data"}]
        pod["spec"]["containers"][0]["volumeMounts"] = mount
        claim = f"data-{pod['metadata']['name']}"
        pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]
        app.crashing(pod, 1)
        app.says("finder-es", '{"@timestamp":"{t}", "log.level":"ERROR", "message":"fatal exception while booting Elasticsearch", '
                 '"ecs.version": "1.2.0","service.name":"ES_ECS","event.dataset":"elasticsearch.server","process.thread.name":"main",'
                 '"error.type":"java.lang.IllegalStateException","error.message":"failed to obtain node locks, tried '
                 '[/usr/share/elasticsearch/data]; maybe these locations are not writable or multiple nodes were started on the same '
                 'data path?","error.stack_trace":"Caused by: java.nio.file.AccessDeniedException: '
                 '/usr/share/elasticsearch/data/node.lock"}', "ERROR: Elasticsearch did not exit normally - check the logs at "
                 "/usr/share/elasticsearch/logs/hall.log", pods=[pod], rounds=1, ago=1.6, every=1)  # fmt: skip
    app.says("search-api", "elastic_transport.ConnectionError: Connection error caused by: ConnectionError(Connection error caused by: "
             "NewConnectionError(<urllib3.connection.HTTPConnection object>: Failed to establish a new connection: [Errno 111] "
             "Connection refused))", every=5)  # fmt: skip
    app.says(
        "finder-indexer", "ERROR bulk index failed: dial tcp 10.96.44.7:9200: connect: connection refused", every=4
    )
    return app.settled()


@scenario("init_container_failed", "Deployment", "geo-fence")
def the_country_borders_are_no_longer_downloaded() -> Hall:
    app = hall("geo-fence pods do not come up after last night's node rotation", since=45)
    init = kube.container("fetch-borders", "registry.test/hall/curl:8.7")
    app.get("Deployment", "geo-fence")["spec"]["template"]["spec"]["initContainers"] = [init]
    for pod in app.pods("geo-fence"):
        pod["spec"]["initContainers"] = [init]
        app.waits(
            pod, "CrashLoopBackOff", "back-off 5m0s restarting failed container=fetch-borders", init="fetch-borders"
        )
        pod["status"]["initContainerStatuses"][0] |= {"restartCount": 11, "lastState": {"terminated": {
            "exitCode": 22, "reason": "Error", "startedAt": app.stamp(3), "finishedAt": app.stamp(2.9)}}}  # fmt: skip
        app.event(pod, "BackOff", f"Back-off restarting failed container fetch-borders in pod {pod['metadata']['name']}_stagedoor",
                  first_minutes_ago=44, minutes_ago=0.5, count=190)  # fmt: skip
        app.says("geo-fence", "fetching https://borders.example.test/2026/world.mmdb", "curl: (22) The requested URL returned error: 403",
                 pods=[pod], container="fetch-borders", rounds=1, ago=3, every=2)  # fmt: skip
    return app.settled()


@scenario("exec_format_error", "Deployment", "wallet-pass")
def only_on_the_new_arm_nodes() -> Hall:
    app = hall("wallet-pass: one replica in CrashLoopBackOff", since=38)
    for name in ("ip-10-8-53-77", "ip-10-8-54-18"):
        app.get("Node", name)["metadata"]["labels"]["kubernetes.io/arch"] = "arm64"
    first, second = app.pods("wallet-pass")
    first["spec"]["nodeName"], second["spec"]["nodeName"] = "ip-10-8-21-14", "ip-10-8-54-18"
    app.crashing(second, 255, ran_seconds=0, restarts=12)
    app.says("wallet-pass", "exec /opt/java/openjdk/bin/java: exec format error", pods=[second], rounds=1, ago=2)
    return app.settled()


@scenario(
    "incorrect_command", "CronJob", "stub-cleanup", accept=[("incorrect_command", "Job", "stub-cleanup-29402480")]
)
def the_script_was_renamed_in_the_image() -> Hall:
    app = hall("KubeJobFailed stub-cleanup-29402480", since=70)
    app.cron("stub-cleanup", "*/40 * * * *", last=70)
    item = kube.container("task", "registry.test/stub-cleanup:2.0.0", command=["/app/run-cleanup.sh"])
    job = app.job("stub-cleanup-29402480", cron="stub-cleanup", created=70, item=item, failed=4, backoff=3)
    for ago in (69, 66, 60, 50):
        pod = app.job_pod(job, exit_code=128, minutes_ago=ago)
        app.status(pod)["state"]["terminated"] |= {"reason": "StartError", "message": "failed to create containerd task: failed to create "
            'shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/app/run-cleanup.sh": '
            "stat /app/run-cleanup.sh: no such file or directory: unknown"}  # fmt: skip
    app.gave_up(job, 40)
    return app.settled()


# ------------------------------------------------------------------------------------------------------------- probes


@scenario("startup_probe_too_short", "Deployment", "tariff", variants=("events_expired",))
def spring_needs_longer_than_it_is_given() -> Hall:
    app = hall("tariff restarts over and over since release 3.15", since=28)
    app.configure("tariff", startupProbe=http_probe(8086, "/actuator/health", periodSeconds=5, failureThreshold=6),
                  livenessProbe=http_probe(8086, "/actuator/health/liveness"))  # fmt: skip
    for pod in app.pods("tariff"):
        app.crashing(pod, 143, restarts=9, ran_seconds=33)
        app.killed(pod, "startup", count=9)
        name = f"http://{pod['status']['podIP']}:8086/actuator/health"
        app.probe_fails(
            pod,
            "Startup",
            f'Get "{name}": dial tcp {pod["status"]["podIP"]}:8086: connect: connection refused',
            count=55,
        )
        app.says("tariff", *boots("tariff", 8086)[:1], boot("INFO", "o.s.d.r.c.RepositoryConfigurationDelegate", "Finished Spring Data "
                 "repository scanning in 4112 ms. Found 61 JPA repository interfaces.", thread="main"), boot("INFO",
                 "liquibase.changelog", "Reading resource: db/changelog/db.changelog-0112.xml", thread="main"),
                 pods=[pod], previous=True, rounds=1, ago=2.1, every=11)  # fmt: skip
    return app.settled()


@scenario("liveness_probe_incorrect_port", "Deployment", "loyalty")
def the_management_port_moved() -> Hall:
    app = hall("loyalty restarts every minute and a half", since=24)
    app.configure("loyalty", livenessProbe=http_probe(9001, "/actuator/health/liveness", initialDelaySeconds=60),
                  readinessProbe=http_probe(8091, "/api/ping"))  # fmt: skip
    for pod in app.pods("loyalty"):
        ip = pod["status"]["podIP"]
        app.crashing(pod, 143, restarts=13, ran_seconds=95, waiting=False)
        app.killed(pod, count=13)
        app.probe_fails(
            pod,
            "Liveness",
            f'Get "http://{ip}:9001/actuator/health/liveness": dial tcp {ip}:9001: connect: connection refused',
        )
        app.says("loyalty", *boots("loyalty", 8091), boot("INFO", "o.s.b.w.embedded.tomcat.TomcatWebServer",
                 "Tomcat started on port 8081 (http) with context path '/manage'", thread="main"), pods=[pod], rounds=1, ago=1.3, every=2)  # fmt: skip
    return app.settled()


@scenario("readiness_probe_incorrect_protocol", "Deployment", "venue-admin")
def asked_in_tls_what_is_spoken_plain() -> Hall:
    app = hall("venue-admin has no endpoints", since=19)
    probe = http_probe(8098, "/actuator/health/readiness")
    probe["httpGet"]["scheme"] = "HTTPS"
    app.configure("venue-admin", readinessProbe=probe)
    for pod in app.pods("venue-admin"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", f'Get "https://{pod["status"]["podIP"]}:8098/actuator/health/readiness": http: server gave HTTP '
                        "response to HTTPS client", count=110, since=19)  # fmt: skip
        app.says("venue-admin", *boots("venue-admin", 8098), pods=[pod], rounds=1, ago=19, every=3)
        app.says("venue-admin", boot("INFO", "o.apache.coyote.http11.Http11Processor", "Error parsing HTTP request header Note: further "
                 "occurrences of HTTP request parsing errors will be logged at DEBUG level."), pods=[pod], rounds=1)  # fmt: skip
    callers_fail(app, "venue-admin", "playbill")
    return app.settled()


@scenario("liveness_probe_incorrect_timing", "Deployment", "refunds", variants=("events_expired",))
def alive_is_asked_for_before_it_can_be() -> Hall:
    app = hall("refunds is in CrashLoopBackOff", since=36)
    app.configure("refunds", livenessProbe=http_probe(8095, "/actuator/health/liveness", initialDelaySeconds=5, periodSeconds=3,
                  failureThreshold=2))  # fmt: skip
    for pod in app.pods("refunds"):
        app.crashing(pod, 143, restarts=14, ran_seconds=13)
        app.killed(pod, count=14)
        ip = pod["status"]["podIP"]
        app.probe_fails(
            pod,
            "Liveness",
            f'Get "http://{ip}:8095/actuator/health/liveness": dial tcp {ip}:8095: connect: connection refused',
            count=29,
        )
        app.says("refunds", *boots("refunds", 8095)[:2], pods=[pod], previous=True, rounds=1, ago=1.7, every=6)
    return app.settled()


@scenario("liveness_probe_incorrect_protocol", "StatefulSet", "hall-redis")
def redis_is_asked_over_http() -> Hall:
    app = hall("hall-redis restarts; carts vanish", since=27)
    app.configure("hall-redis", kind="StatefulSet", livenessProbe=http_probe(6379, "/", initialDelaySeconds=10))
    pod = app.pods("hall-redis")[0]
    app.crashing(pod, 0, "Completed", restarts=16, ran_seconds=41, waiting=False)
    app.killed(pod, count=16)
    app.probe_fails(pod, "Liveness", f'Get "http://{pod["status"]["podIP"]}:6379/": net/http: HTTP/1.x transport connection broken: '
                    'malformed HTTP response "-ERR wrong number of arguments for \'get\' command"', count=48)  # fmt: skip
    app.says("hall-redis", "1:M 14 Apr 2026 09:28:01.114 # Possible SECURITY ATTACK detected. It looks like somebody is sending POST or "
             "Host: commands to Redis. Connection from 10.244.3.1:51044 aborted.", every=10)  # fmt: skip
    app.says("waitroom", boot("ERROR", "c.s.waitroom.TokenStore", "Unable to connect to Redis; nested exception is "
             "io.lettuce.core.RedisConnectionException: Unable to connect to hall-redis/<unresolved>:6379"), every=7)  # fmt: skip
    return app.settled()


# ------------------------------------------------------------------------------------------------------------ runtime


@scenario("oom_killed", "Deployment", "boxoffice", change="rel-9121")
def the_limit_went_down_and_the_heap_did_not() -> Hall:
    app = hall(VAGUE, since=17)
    small = {"requests": {"memory": "512Mi", "cpu": "200m"}, "limits": {"memory": "640Mi"}}
    app.template("boxoffice")["resources"] = small
    app.env("boxoffice", JAVA_TOOL_OPTIONS="-Xms768m -Xmx768m")
    for pod in app.rollout("boxoffice", 17, surge=3, down=3):
        app.crashing(pod, 137, "OOMKilled", restarts=6, ran_seconds=25)
        app.says("boxoffice", *boots("boxoffice", 8085)[:3], pods=[pod], previous=True, rounds=1, ago=2, every=4)
    callers_fail(app, "boxoffice", "lobby-gateway")
    app.change(
        "deploy",
        "boxoffice",
        "deploy boxoffice 3.14.2 (right-size memory: limit 1Gi -> 640Mi)",
        minutes_ago=17.5,
        id="rel-9121",
    )
    app.change("deploy", "lobby-gateway", "deploy lobby-gateway 3.14.7", minutes_ago=41, id="rel-9117")
    return app.settled()


@scenario("memory_leak", "Deployment", "recommender")
def the_recommender_grows_all_day() -> Hall:
    app = hall("recommender restarted again (third time today)")
    app.hours, app.step = 8.0, 120.0
    app.configure("recommender", resources={"requests": {"memory": "512Mi"}, "limits": {"memory": "1Gi"}})
    for pod in app.pods("recommender"):
        labels = {"namespace": app.namespace, "pod": pod["metadata"]["name"], "container": "recommender"}
        app.gauge(
            "container_memory_working_set_bytes",
            lambda t: 2.1e8 + 8.4e8 * (((t + 480) % 155) / 155),
            noise=0.01,
            **labels,
        )
        app.counter("container_cpu_usage_seconds_total", 0.2, **labels)
        app.status(pod).update(restartCount=3, lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled",
            "startedAt": app.stamp(170), "finishedAt": app.stamp(15)}}, state={"running": {"startedAt": app.stamp(15)}})  # fmt: skip
    for name in ("clickpath", "search-api"):
        for pod in app.pods(name):
            labels = {"namespace": app.namespace, "pod": pod["metadata"]["name"], "container": name}
            app.gauge("container_memory_working_set_bytes", 3e8, **labels)
    return app.settled()


@scenario("crash_on_start", "Deployment", "member", change="rel-7002", accept=[("bad_deploy", "Deployment", "member")])
def a_bean_is_missing() -> Hall:
    app = hall("Rollout of member is stuck; some profile pages fail", since=13)
    app.template("member")["image"] = "registry.test/hall/member:3.15.0"
    pod = app.rollout("member", 13, down=1)[0]
    app.crashing(pod, 1, restarts=6, ran_seconds=14)
    app.says("member", "***************************", "APPLICATION FAILED TO START", "***************************", "Description:",
             "Parameter 2 of constructor in com.hall.member.ProfileService required a bean of type "
             "'com.hall.member.consent.ConsentClient' that could not be found.", "Action:",
             "Consider defining a bean of type 'com.hall.member.consent.ConsentClient' in your configuration.",
             pods=[pod], rounds=1, ago=1.7, every=0.01)  # fmt: skip
    app.change("deploy", "member", "deploy member 3.15.0", minutes_ago=13.2, id="rel-7002")
    app.change("config", "mailroom", "mailroom: sender name", minutes_ago=9, id="cfg-1190")
    return app.settled()


@scenario(
    "config_invalid",
    "Deployment",
    "tariff",
    accept=[("bad_config_change", "Deployment", "tariff"), ("crash_on_start", "Deployment", "tariff")],
)
def a_placeholder_without_a_value() -> Hall:
    app = hall("tariff does not start", since=15)
    for pod in app.pods("tariff"):
        app.crashing(pod, 1, restarts=7, ran_seconds=6)
        app.says("tariff", boot("ERROR", "o.s.boot.SpringApplication", "Application run failed", thread="main"),
                 "org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'surchargeTable': Injection of "
                 "autowired dependencies failed", "Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder "
                 "'tariff.surcharge.cap' in value \"${tariff.surcharge.cap}\"", pods=[pod], rounds=1, ago=1.7, every=0.2)  # fmt: skip
    callers_fail(app, "tariff", "seatmap", "boxoffice")
    return app.settled()


@scenario("unhandled_exception", "Deployment", "clickpath", accept=[("crash_on_start", "Deployment", "clickpath")])
def a_nil_pointer_every_few_minutes() -> Hall:
    app = hall("clickpath restarts every few minutes", since=44)
    for pod in app.pods("clickpath"):
        app.crashing(pod, 2, restarts=8, ran_seconds=260, waiting=False)
        app.says("clickpath", 'level=info msg="listening" addr=:9090', 'level=info msg="flushed batch" events=5000 took=88ms',
                 "panic: runtime error: invalid memory address or nil pointer dereference",
                 "[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x9a4c1e]", "goroutine 219 [running]:",
                 "hall.test/clickpath/session.(*Merger).Join(0x0, {0xc000b1e000, 0x1f})", "\t/src/session/merge.go:88 +0x3e",
                 pods=[pod], previous=True, rounds=1, ago=3, every=12)  # fmt: skip
    return app.settled()


@scenario("deadlock", "Deployment", "hold-keeper")
def two_threads_wait_for_each_other() -> Hall:
    app = hall("Seats can't be held: requests to hold-keeper never return", since=12)
    app.configure("hold-keeper", livenessProbe=tcp_probe(8084))
    told = ("Found one Java-level deadlock:", "=============================", '"nio-8084-exec-3":', "  waiting to lock monitor 0x00007f1c "
            "(object 0x00000000c0a1, a com.hall.hold.Row),", '  which is held by "nio-8084-exec-9"', '"nio-8084-exec-9":',
            "  waiting to lock monitor 0x00007f2d (object 0x00000000c0b4, a com.hall.hold.Block),",
            '  which is held by "nio-8084-exec-3"', "Found 1 deadlock.")  # fmt: skip
    app.says("hold-keeper", "2026-04-14 09:27:40", "Full thread dump OpenJDK 64-Bit Server VM (17.0.11+9 mixed mode, sharing):", *told,
             pods=app.pods("hold-keeper")[:1], rounds=1, ago=2.5, every=0.05)  # fmt: skip
    for pod in app.pods("hold-keeper"):
        app.unready(pod)
        app.probe_fails(pod, "Readiness", f'Get "http://{pod["status"]["podIP"]}:8084/actuator/health/readiness": context deadline exceeded '
                        "(Client.Timeout exceeded while awaiting headers)", since=11)  # fmt: skip
    callers_fail(app, "hold-keeper", "seatmap", "boxoffice", why="Read timed out")
    return app.settled()


@scenario("file_descriptors_exhausted", "Deployment", "lobby-gateway")
def the_gateway_has_no_descriptor_left() -> Hall:
    app = hall("Connection errors at the edge", since=9)
    app.says("lobby-gateway", boot("WARN", "i.n.channel.DefaultChannelPipeline", "An exceptionCaught() event was fired, and it reached at the "
             "tail of the pipeline.", thread="r-http-epoll-1"), "io.netty.channel.unix.Errors$NativeIoException: accept(..) failed: "
             "Too many open files", pods=app.pods("lobby-gateway")[:1], every=3)  # fmt: skip
    return app.settled()


@scenario("thread_pool_exhausted", "Deployment", "mailroom")
def the_executor_takes_nothing_more() -> Hall:
    app = hall("Confirmation mails are not sent", since=20)
    app.says("mailroom", boot("ERROR", "o.s.a.r.l.ConditionalRejectingErrorHandler", "Execution of Rabbit message listener failed.",
             thread="ontainer#0-4"), "Caused by: org.springframework.core.task.TaskRejectedException: ExecutorService in active state did "
             "not accept task: com.hall.mail.Sender$$Lambda/0x00007f", "Caused by: java.util.concurrent.RejectedExecutionException: Task "
             "java.util.concurrent.FutureTask@5f1c rejected from java.util.concurrent.ThreadPoolExecutor@31b2[Running, pool size = 4, "
             "active threads = 4, queued tasks = 100, completed tasks = 50112]", every=4)  # fmt: skip
    return app.settled()


@scenario("service_sidecar_port_conflict", "Deployment", "wallet-pass")
def two_containers_want_8094() -> Hall:
    app = hall("wallet-pass never gets ready", since=23)
    sidecar = kube.container("static", "registry.test/nginx:1.27", port=8094)
    app.get("Deployment", "wallet-pass")["spec"]["template"]["spec"]["containers"].append(sidecar)
    for pod in app.rollout("wallet-pass", 23, surge=2, down=2):
        app.crashing(pod, 1, restarts=8, ran_seconds=18, container="wallet-pass")
        app.says("wallet-pass", "***************************", "APPLICATION FAILED TO START", "***************************", "Description:",
                 "Web server failed to start. Port 8094 was already in use.", "Action:", "Identify and stop the process that's listening on "
                 "port 8094 or configure this application to listen on another port.", pods=[pod], rounds=1, ago=1.8, every=0.02)  # fmt: skip
        app.says(
            "wallet-pass",
            "2026/04/14 09:06:44 [notice] 1#1: start worker processes",
            pods=[pod],
            container="static",
            rounds=1,
        )
    return app.settled()


@scenario("deployment_zero_replicas", "Deployment", "hold-keeper")
def scaled_to_nothing_for_the_night() -> Hall:
    app = hall(VAGUE, since=62)
    app.objects = [item for item in app.objects if item not in app.pods("hold-keeper")]
    for kind in ("Deployment", "ReplicaSet"):
        for item in app.all(kind):
            if item["metadata"]["name"].startswith("hold-keeper"):
                item["spec"]["replicas"] = 0
                item["status"] = {"observedGeneration": 1} | (
                    {"conditions": item["status"].get("conditions", [])} if kind == "Deployment" else {}
                )
    callers_fail(app, "hold-keeper", "seatmap", "boxoffice")
    return app.settled()


@scenario("job_failed", "CronJob", "promoter-import", accept=[("job_failed", "Job", "promoter-import-29402490")])
def a_partner_s_file_has_no_header() -> Hall:
    app = hall("KubeJobFailed in stagedoor", since=20)
    app.cron("promoter-import", "*/30 * * * *", last=20)
    job = app.job("promoter-import-29402490", cron="promoter-import", created=20, failed=4)
    for ago in (19, 17, 14, 9):
        pod = app.job_pod(job, exit_code=1, minutes_ago=ago)
        app.says("x", "INFO reading s3://partner-drop/2026-04-14/seats.csv", "Traceback (most recent call last):",
                 '  File "/app/import.py", line 41, in <module>', "ValueError: header row missing in seats.csv: expected 14 columns, got 1",
                 pods=[pod], container="task", rounds=1, ago=ago + 0.4, every=3)  # fmt: skip
    app.gave_up(job, 8)
    return app.settled()


@scenario("cronjob_missed", "CronJob", "release-holds")
def yesterday_s_run_still_blocks_today_s() -> Hall:
    app = hall("Expired holds are not released: seats look sold", since=60)
    cron = app.cron("release-holds", "*/5 * * * *", last=1460)
    cron["status"]["active"] = [{"kind": "Job", "name": "release-holds-29401050", "namespace": app.namespace}]
    job = app.job("release-holds-29401050", cron="release-holds", created=1460, active=1)
    pod = app.job_pod(job, minutes_ago=1459)
    app.says(
        "x", "INFO 2026-04-13T09:10:02Z connecting to hall-redis:6379", pods=[pod], container="task", rounds=1, ago=1459
    )
    app.event(cron, "JobAlreadyActive", "Not starting job because prior execution is running and concurrency policy is Forbid",
              kind="Normal", minutes_ago=4, first_minutes_ago=59, count=12, component="cronjob-controller")  # fmt: skip
    return app.settled()
