"""A third blind round over all Kubernetes families, written without a look at the analyzers or at the earlier sets.

Every incident plays in another business, in a namespace with some ten services that is healthy but for what the
scenario breaks. What can be seen differs from one to the next: Endpoints or EndpointSlices, ReplicaSets or none, events
or none, the words of one symptom over the structure of another. Those marked no_cause have nothing that proves a cause.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.frozen import Frozen
from tests.scenarios.sets.registry import scenario

Object = dict[str, Any]
AWS = ("ip-10-40-1-17.eu-west-1.compute.internal", "ip-10-40-2-88.eu-west-1.compute.internal",
       "ip-10-40-3-141.eu-west-1.compute.internal")  # fmt: skip
GKE = ("gke-prod-pool-1-5b1e0c4d-2kxw", "gke-prod-pool-1-5b1e0c4d-9qhz", "gke-prod-pool-1-5b1e0c4d-vt7c")
AKS = ("aks-agents-31870013-vmss000000", "aks-agents-31870013-vmss000001", "aks-agents-31870013-vmss000002")
HASH = "6bd9f7c54d"


class Town(Frozen):
    """A namespace with services on three nodes."""

    def __init__(self, space: str, others: str, *, nodes: Sequence[str] = AWS, slices: bool = True, sets: bool = True,
                 zones: Sequence[str] = ("a", "b", "c"), alert: str = "NamespaceUnhealthy") -> None:  # fmt: skip
        super().__init__(namespace=space)
        self.slices, self.sets, self.node_names = slices, sets, tuple(nodes)
        self.alert(alert, f"Something is wrong in {space}.", minutes_ago=0)
        for name, zone in zip(nodes, zones, strict=False):
            item = k8s.node(name)
            item["metadata"]["labels"] |= {"topology.kubernetes.io/zone": f"eu-1{zone}", "kubernetes.io/arch": "amd64"}
            self.add(item)
        for name in others.split():
            self.serve(name)

    def serve(self, name: str, *, replicas: int = 2, bad: int | None = None, run: k8s.Run | None = None,
              made: int | None = None, stateful: bool = False, image: str = "", env: Mapping[str, str] | None = None,
              port: int = 8080, placed: bool = True, spec: Mapping[str, Any] | None = None,
              sidecars: Sequence[Object] = (), service: bool = True, phase: str = "Running", old: bool = False,
              **fields: Any) -> list[Object]:  # fmt: skip
        """A service; ``bad`` of its pods fare as ``run`` (all, where it is given), ``made`` of them exist."""
        made = replicas if made is None else made
        bad = (made if run or not placed else 0) if bad is None else bad
        item = k8s.container(name, image or f"cr.corp.test/{self.namespace}/{name}:2.4.1", env=env, port=port, **fields)
        template = k8s.pod_template(name, [item, *sidecars], **(spec or {}))
        ok = made - bad
        owner = k8s.deployment(name, self.namespace, template=template, replicas=replicas, available=ok)
        if stateful:
            owner["kind"] = "StatefulSet"
            owner["metadata"] = k8s.metadata("StatefulSet", name, self.namespace, labels={"app": name})
            owner["status"] = {"replicas": made, "readyReplicas": ok, "observedGeneration": 1}
        else:
            owner["status"] |= {"replicas": made, "updatedReplicas": made}
        parent = self._parent(owner, template, replicas, made, ok, stateful=stateful, old=old)
        found = []
        for place in range(made):
            broken = place >= ok
            label = f"{name}-{place}" if stateful else f"{name}-{HASH}-{self._tail()}"
            node = "" if broken and not placed else self.node_names[(place + len(name)) % len(self.node_names)]
            how = (run or k8s.Run(ready=False)) if broken else k8s.HEALTHY
            pod = k8s.pod(label, self.namespace, owner=parent, run=how, node_name=node,
                          phase=("Pending" if not placed else phase) if broken else "Running")  # fmt: skip
            if node:
                pod["status"]["podIP"] = f"10.8.{place}.{len(self.objects or ()) % 240 + 2}"
            found.append(pod)
        self.add(*found)
        if service:
            self.add(k8s.service(name, self.namespace, port=80, target_port=port))
            self.reach(name, [p["status"].get("podIP", "") for p in found[:ok]], port)
        return found[ok:] if bad else found

    def _parent(self, owner: Object, template: Object, replicas: int, made: int, ok: int, *, stateful: bool,
                old: bool) -> Object:  # fmt: skip
        self.add(owner)
        if stateful:
            return owner
        parent = k8s.replica_set(owner, HASH, revision=2 if old else 1, template=template, replicas=replicas)
        parent["status"] = {"observedGeneration": 1, "replicas": made, "readyReplicas": ok, "availableReplicas": ok}
        if self.sets:
            self.add(parent)
        return parent

    def reach(self, name: str, addresses: Sequence[str], port: int = 8080) -> None:
        """The Service's EndpointSlice or Endpoints."""
        if not self.slices:
            self.add(k8s.endpoints(name, self.namespace, addresses=addresses, port=port))
            return
        meta = k8s.metadata("EndpointSlice", f"{name}-x7k2q", self.namespace,
                            labels={"kubernetes.io/service-name": name})  # fmt: skip
        rows = [{"addresses": [ip], "conditions": {"ready": True, "serving": True}} for ip in addresses]
        self.add({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta,
                  "addressType": "IPv4", "endpoints": rows,
                  "ports": [{"name": "http", "port": port, "protocol": "TCP"}] if addresses else None})  # fmt: skip

    def _tail(self) -> str:
        return "".join(self.chance.choice("bcdfghjklmnpqrstvwxz2456789") for _ in range(5))

    def nodes(self) -> list[Object]:
        """The nodes."""
        return [item for item in self.objects or () if item["kind"] == "Node"]

    def crashing(self, *callers: str, line: str, reason: str = "Error") -> None:
        """Services that fall over because another does not answer."""
        for name in callers:
            pods = self.serve(name, run=crash(restarts=4))
            for pod in pods:
                self.event(pod, "BackOff", f"Back-off restarting failed container {name} in pod {pod['metadata']['name']}",
                           minutes_ago=0.5, first_minutes_ago=9, count=23)  # fmt: skip
                self.log(pod["metadata"]["name"], name, "starting", line, minutes_ago=3, previous=True)

    def short(self, name: str, message: str, *, reason: str = "FailedCreate", event: bool = True, stateful: bool = False,
              condition: bool = True, **more: Any) -> None:  # fmt: skip
        """A workload whose pods are refused."""
        self.serve(name, made=0, stateful=stateful, **more)
        kind = "StatefulSet" if stateful else "ReplicaSet" if self.sets else "Deployment"
        owner = self.find(kind, name)
        if condition and not stateful:
            row = {"type": "ReplicaFailure", "status": "True", "reason": reason, "message": message,
                   "lastTransitionTime": self.stamp(14)}  # fmt: skip
            owner["status"].setdefault("conditions", []).append(row)
        if event:
            text = message if stateful else f"Error creating: {message}"
            self.event(owner, reason, text, minutes_ago=1, first_minutes_ago=14, count=17,
                       component="replicaset-controller")  # fmt: skip

    def pending(self, name: str, message: str = "", **more: Any) -> list[Object]:
        """Pods that no node takes; a message goes into condition and event."""
        pods = self.serve(name, placed=False, **more)
        for pod in pods:
            pod["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                                            **({"message": message} if message else {})}]  # fmt: skip
            if message:
                self.event(pod, "FailedScheduling", message, minutes_ago=1, first_minutes_ago=11, count=3,
                           component="default-scheduler")  # fmt: skip
        return pods

    def told(self, pods: Sequence[Object], reason: str, message: str, *, count: int = 14, **more: Any) -> None:
        """The same event about pods."""
        for pod in pods:
            self.event(pod, reason, message, minutes_ago=1, first_minutes_ago=12, count=count, **more)

    def says(self, pods: Sequence[Object], *lines: str, previous: bool = False, every: float = 2) -> None:
        """The same lines in the log of the first container of pods."""
        for pod in pods:
            meta = pod["metadata"]
            self.log(meta["name"], pod["spec"]["containers"][0]["name"], *lines, minutes_ago=4, every_seconds=every,
                     previous=previous)  # fmt: skip


def crash(code: int = 1, reason: str = "Error", *, restarts: int = 7) -> k8s.Run:
    """In back-off after an exit; what was killed had lived for as long as a probe waits."""
    begun = "2026-04-14T09:26:43Z" if code == 137 else "2026-04-14T09:27:01Z"
    ended = {"terminated": {"reason": reason, "exitCode": code, "startedAt": begun,
                            "finishedAt": "2026-04-14T09:27:04Z"}}  # fmt: skip
    return k8s.Run(ready=False, restarts=restarts, state=k8s.waiting("CrashLoopBackOff", "back-off 2m40s restarting"),
                   last_state=ended, started="2026-04-14T09:12:00Z")  # fmt: skip


def stuck(reason: str, message: str = "") -> k8s.Run:
    """Waiting, never run."""
    return k8s.Run(ready=False, state=k8s.waiting(reason, message), started="2026-04-14T09:15:00Z")


def unready(restarts: int = 0) -> k8s.Run:
    """Runs and is not ready."""
    return k8s.Run(ready=False, restarts=restarts, started="2026-04-14T09:10:00Z")


def http(port: int | str, path: str = "/healthz", **more: Any) -> Object:
    """An HTTP probe."""
    get = {"path": path, "port": port, "scheme": more.pop("scheme", "HTTP")}
    return {"httpGet": get, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3, **more}


def quota(made: Town, name: str, **rows: tuple[str, str]) -> None:
    """A ResourceQuota: resource to (used, hard); __ stands for a dot, _ for nothing."""
    pairs = {key.replace("__", "."): value for key, value in rows.items()}
    made.add({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": k8s.metadata("ResourceQuota", name, made.namespace),
              "spec": {"hard": {key: hard for key, (_, hard) in pairs.items()}},
              "status": {"hard": {key: hard for key, (_, hard) in pairs.items()},
                         "used": {key: used for key, (used, _) in pairs.items()}}})  # fmt: skip


def claim(made: Town, name: str, *, size: str = "20Gi", cls: str | None = "gp3", bound: str = "",
          modes: Sequence[str] = ("ReadWriteOnce",), **spec: Any) -> Object:  # fmt: skip
    """A PersistentVolumeClaim."""
    item = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": k8s.metadata("PersistentVolumeClaim", name, made.namespace),
            "spec": {"accessModes": list(modes), "resources": {"requests": {"storage": size}}, "volumeMode": "Filesystem",
                     **spec},
            "status": {"phase": "Bound" if bound else "Pending"}}  # fmt: skip
    if cls is not None:
        item["spec"]["storageClassName"] = cls
    if bound:
        item["spec"]["volumeName"] = bound
    made.add(item)
    return item


def volume(made: Town, name: str, *, size: str = "20Gi", cls: str = "local", phase: str = "Available",
           modes: Sequence[str] = ("ReadWriteOnce",), ref: str = "", zone: str = "",
           labels: Mapping[str, str] | None = None) -> None:  # fmt: skip
    """A PersistentVolume."""
    spec: Object = {"accessModes": list(modes), "capacity": {"storage": size}, "storageClassName": cls,
                    "persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}  # fmt: skip
    if ref:
        spec["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": made.namespace, "name": ref}
    if zone:
        row = {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [row]}]}}
    made.add({"apiVersion": "v1", "kind": "PersistentVolume",
              "metadata": k8s.metadata("PersistentVolume", name, labels=labels), "spec": spec,
              "status": {"phase": phase}})  # fmt: skip


def storage_class(
    made: Town, name: str, provisioner: str = "ebs.csi.aws.com", mode: str = "WaitForFirstConsumer"
) -> None:
    """A StorageClass."""
    made.add({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": k8s.metadata("StorageClass", name),
              "provisioner": provisioner, "volumeBindingMode": mode})  # fmt: skip


def mounts(name: str) -> Object:
    """A pod spec with a claim."""
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": name}}]}


def only(made: Town, *dropped: str) -> Town:
    """Without some kinds."""
    made.objects = [item for item in made.objects or () if item["kind"] not in dropped]
    return made


# ---------------------------------------------------------------------------------------------------- admission


@scenario("namespace_cpu_quota_exceeded", "Namespace", "ward")
def hospital_quota_on_limits() -> Frozen:
    made = Town("ward", "admissions triage pharmacy labs imaging billing portal hl7-bridge")
    quota(made, "compute", limits__cpu=("7800m", "8"), requests__memory=("6Gi", "32Gi"), pods=("16", "80"))
    made.short("bed-planner", 'pods "bed-planner-6bd9f7c54d-pq9xz" is forbidden: exceeded quota: compute, requested: '
               "limits.cpu=500m, used: limits.cpu=7800m, limited: limits.cpu=8", event=False,
               resources={"requests": {"cpu": "100m"}, "limits": {"cpu": "500m", "memory": "512Mi"}})  # fmt: skip
    made.crashing("portal-bff", line="Error: connect ECONNREFUSED bed-planner:80")
    return made


@scenario("namespace_service_quota_exceeded", "Namespace", "rail-ops")
def railway_service_that_could_not_be_made() -> Frozen:
    made = Town("rail-ops", "timetable ticketing seatmap delays boarding notices crew stock", slices=False)
    quota(made, "objects", services=("10", "10"), pods=("22", "200"))
    made.serve("fares", service=False)
    made.serve("refunds")
    pods = made.serve("checkout", run=crash(), env={"FARES_URL": "http://fares:80"})
    made.says(pods, "dial tcp: lookup fares on 172.20.0.10:53: no such host", previous=True)
    return made


@scenario("admission_webhook_denied", "Deployment", "ledger-writer")
def bank_webhook_without_endpoints() -> Frozen:
    made = Town("core-bank", "accounts cards fraud ledger-reader statements sepa swift fx", nodes=AKS)
    made.short("ledger-writer", 'Internal error occurred: failed calling webhook "validate.policy.svc-fail": failed to call '
               'webhook: Post "https://policy-svc.policy.svc:443/validate/fail?timeout=10s": no endpoints available for '
               'service "policy-svc"')  # fmt: skip
    return made


@scenario("pod_security_denied", "StatefulSet", "claims-store")
def insurer_restricted_namespace() -> Frozen:
    made = Town("claims", "intake adjuster payout scan mail rating documents")
    made.add({"apiVersion": "v1", "kind": "LimitRange", "metadata": k8s.metadata("LimitRange", "defaults", "claims"),
              "spec": {"limits": [{"type": "Container", "max": {"memory": "4Gi"}}]}})  # fmt: skip
    made.short("claims-store", 'create Pod claims-store-0 in StatefulSet claims-store failed error: pods "claims-store-0" '
               'is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container '
               '"claims-store" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true',
               stateful=True)  # fmt: skip
    made.crashing("payout-worker", line="panic: dial tcp 10.96.0.10:80: connect: connection refused")
    return made


@scenario("limit_range_violation", "Deployment", "exam-grader")
def university_limit_range_told_by_the_deployment() -> Frozen:
    made = Town("campus", "enrol courses library grades timetable sso", sets=False)
    made.add({"apiVersion": "v1", "kind": "LimitRange", "metadata": k8s.metadata("LimitRange", "bounds", "campus"),
              "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}})  # fmt: skip
    quota(made, "compute", requests__cpu=("1900m", "2"))
    made.short("exam-grader", 'pods "exam-grader-6bd9f7c54d-8s2kd" is forbidden: maximum cpu usage per Container is 1, but '
               "limit is 2", event=False,
               resources={"requests": {"cpu": "50m"}, "limits": {"cpu": "2"}})  # fmt: skip
    return made


@scenario("missing_service_account", "Deployment", "meter-reader")
def utility_account_never_made() -> Frozen:
    made = Town("grid", "tariffs outages billing forecasts dispatch scada-gw", sets=False, nodes=GKE)
    for name in ("default", "billing", "scada-gw"):
        made.add(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": k8s.metadata("ServiceAccount", name, "grid")}
        )
    made.serve("meter-reader", made=0, spec={"serviceAccountName": "meter-reader-sa"})
    return made


@scenario("rbac_forbidden", "Deployment", "yard-operator")
def port_operator_may_not_list() -> Frozen:
    made = Town("terminal", "berths cranes gates customs manifests yard-api", slices=False)
    pods = made.serve("yard-operator", run=unready(), replicas=1, spec={"serviceAccountName": "yard-operator"},
                      readinessProbe=http(8080, "/readyz"))  # fmt: skip
    made.told(pods, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
    line = ('E0414 09:28:11 reflector.go:147] failed to list *v1.Lease: leases.coordination.k8s.io is forbidden: User '
            '"system:serviceaccount:terminal:yard-operator" cannot list resource "leases" in API group '
            '"coordination.k8s.io" in the namespace "terminal"')  # fmt: skip
    made.says(pods, *[line] * 12)
    return made


@scenario("namespace_storage_quota_exceeded", "Namespace", "archive")
def museum_claim_template_over_quota() -> Frozen:
    made = Town("archive", "catalogue loans tickets gallery search thumbs")
    quota(made, "disk", requests__storage=("170Gi", "200Gi"))
    made.short("scan-store", "create Pod scan-store-0 in StatefulSet scan-store failed error: failed to create PVC "
               'data-scan-store-0: persistentvolumeclaims "data-scan-store-0" is forbidden: exceeded quota: disk, '
               "requested: requests.storage=50Gi, used: requests.storage=170Gi, limited: requests.storage=200Gi",
               stateful=True)  # fmt: skip
    return made


@scenario("namespace_pod_quota_exceeded", "Namespace", "newsroom")
def newspaper_pod_count() -> Frozen:
    made = Town("newsroom", "stories wire photos paywall comments live search")
    quota(made, "counts", pods=("14", "14"), requests__memory=("2Gi", "64Gi"))
    made.short("frontpage", 'pods "frontpage-6bd9f7c54d-4mcz7" is forbidden: exceeded quota: counts, requested: pods=1, '
               "used: pods=14, limited: pods=14")  # fmt: skip
    made.find("Deployment", "stories")["spec"]["template"]["spec"]["containers"][0]["resources"] = {}
    return made


# --------------------------------------------------------------------------------------------------- scheduling


@scenario("node_cordon_mismatch", "Deployment", "render-farm")
def studio_pool_cordoned() -> Frozen:
    made = Town("studio", "assets review editorial sound titles", nodes=GKE)
    for item in made.nodes()[1:]:
        item["metadata"]["labels"]["pool"] = "batch"
        item["spec"] |= {"unschedulable": True,
                         "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}  # fmt: skip
    made.pending("render-farm", "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 node(s) "
                 "were unschedulable. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
                 spec={"nodeSelector": {"pool": "batch"}})  # fmt: skip
    return made


@scenario("taint_toleration_mismatch", "Deployment", "plate-vision")
def tolls_gpu_pool() -> Frozen:
    made = Town("tolls", "lanes accounts invoices disputes gantry")
    made.nodes()[2]["metadata"]["labels"]["accelerator"] = "l4"
    made.nodes()[2]["spec"]["taints"] = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    made.pending("plate-vision", "0/3 nodes are available: 1 node(s) had untolerated taint {nvidia.com/gpu: present}, 2 "
                 "node(s) didn't match Pod's node affinity/selector.", spec={"nodeSelector": {"accelerator": "l4"}},
                 replicas=1)  # fmt: skip
    return made


@scenario("memory_capacity_mismatch", "Deployment", "route-solver")
def airline_no_words_only_numbers() -> Frozen:
    made = Town("flightops", "crew fuel weather slots manifest gates", nodes=AKS)
    made.pending("route-solver", resources={"requests": {"cpu": "1", "memory": "48Gi"}, "limits": {"memory": "48Gi"}})
    return made


@scenario("cpu_capacity_mismatch", "Deployment", "odds-engine")
def bookmaker_nodes_are_full() -> Frozen:
    made = Town("bets", "markets wallet kyc feeds")
    for name in ("simulator-a", "simulator-b", "simulator-c"):
        pods = made.serve(name, replicas=1, resources={"requests": {"cpu": "3200m", "memory": "1Gi"}})
        pods[0]["spec"]["nodeName"] = AWS[ord(name[-1]) - 97]
    made.pending("odds-engine", resources={"requests": {"cpu": "1200m", "memory": "256Mi"}})
    return made


@scenario("pod_anti_affinity_conflict", "StatefulSet", "quorum")
def exchange_one_per_node() -> Frozen:
    made = Town("exchange", "orders matching marketdata clearing risk")
    term = {"labelSelector": {"matchLabels": {"app": "quorum"}}, "topologyKey": "kubernetes.io/hostname"}
    made.pending("quorum", "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: 0/3 nodes "
                 "are available: 3 No preemption victims found for incoming pod.", replicas=4, bad=1, stateful=True,
                 spec={"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}})  # fmt: skip
    return made


@scenario("node_affinity_mismatch", "Deployment", "dose-calc")
def clinic_affinity_without_events() -> Frozen:
    made = Town("oncology", "protocols orders pharmacy records", sets=False)
    row = {"key": "node.corp.test/disk", "operator": "In", "values": ["nvme"]}
    rule = {"nodeSelectorTerms": [{"matchExpressions": [row]}]}
    made.nodes()[0]["metadata"]["labels"]["node.corp.test/disk"] = "ssd"
    made.pending(
        "dose-calc", spec={"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": rule}}}
    )
    return made


# ------------------------------------------------------------------------------------------------------ volumes


@scenario("pvc_storage_class_mismatch", "StatefulSet", "parcel-db")
def courier_class_unknown() -> Frozen:
    made = Town("courier", "pickup routing labels tracking proof")
    storage_class(made, "gp3")
    storage_class(made, "io2")
    claim(made, "data-parcel-db-0", cls="premium-rwo")
    made.pending("parcel-db", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", replicas=1,
                 stateful=True, spec=mounts("data-parcel-db-0"))  # fmt: skip
    made.crashing("tracking-api", line="org.postgresql.util.PSQLException: Connection to parcel-db:5432 refused")
    return made


@scenario("pvc_capacity_mismatch", "Deployment", "tape-index")
def broadcaster_volume_too_small() -> Frozen:
    made = Town("broadcast", "playout ingest schedule subtitles ads")
    storage_class(made, "local", "kubernetes.io/no-provisioner")
    volume(made, "pv-local-7", size="80Gi")
    claim(made, "tape-index", size="120Gi", cls="local")
    made.pending("tape-index", "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
                 replicas=1, spec=mounts("tape-index"))  # fmt: skip
    return made


@scenario("pv_binding_occupied", "Deployment", "menu-cache")
def restaurant_released_volume() -> Frozen:
    made = Town("kitchen", "tables orders menu tips stock")
    storage_class(made, "local", "kubernetes.io/no-provisioner")
    volume(made, "pv-ssd-2", phase="Released", ref="menu-cache-old")
    claim(made, "menu-cache", cls="local")
    made.pending("menu-cache", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.", replicas=1,
                 spec=mounts("menu-cache"))  # fmt: skip
    return made


@scenario("pvc_access_mode_mismatch", "Deployment", "lesson-media")
def school_many_writers() -> Frozen:
    made = Town("school", "classes homework parents meals bus", nodes=GKE)
    storage_class(made, "manual", "kubernetes.io/no-provisioner", "Immediate")
    volume(made, "pv-media", cls="manual")
    claim(made, "media", cls="manual", modes=("ReadWriteMany",))
    made.pending("lesson-media", spec=mounts("media"))
    return made


@scenario("volume_zone_conflict", "StatefulSet", "seed-bank")
def farm_zone_left_behind() -> Frozen:
    made = Town("farm", "fields weather tractors soil subsidies", zones=("a", "b", "a"))
    storage_class(made, "gp3")
    volume(made, "pvc-0f4c", cls="gp3", phase="Bound", ref="data-seed-bank-0", zone="eu-1c")
    claim(made, "data-seed-bank-0", bound="pvc-0f4c")
    made.pending("seed-bank", "0/3 nodes are available: 3 node(s) had volume node affinity conflict. preemption: 0/3 nodes "
                 "are available: 3 Preemption is not helpful for scheduling.", replicas=1, stateful=True,
                 spec=mounts("data-seed-bank-0"))  # fmt: skip
    return made


# ------------------------------------------------------------------------------------------------------ startup


@scenario("missing_image_pull_secret", "Deployment", "roster")
def police_pull_without_credentials() -> Frozen:
    made = Town("precinct", "cases evidence radio fleet custody", nodes=AKS)
    image = "harbor.precinct.test/duty/roster:1.9.0"
    text = (
        f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": pull access denied, '
        "repository does not exist or may require authorization: authorization failed: no basic auth credentials"
    )
    pods = made.serve("roster", image=image, run=stuck("ImagePullBackOff", f'Back-off pulling image "{image}"'),
                      spec={"imagePullSecrets": [{"name": "harbor-pull"}]}, phase="Pending")  # fmt: skip
    made.told(pods, "Failed", f'Failed to pull image "{image}": {text}')
    made.told(pods, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets (harbor-pull); "
              "attempting to pull the image may not succeed.")  # fmt: skip
    return made


@scenario("incorrect_image_reference", "Deployment", "catalog")
def shop_tag_never_built() -> Frozen:
    made = Town("bookshop", "basket orders reviews search gifts")
    image = "cr.corp.test/bookshop/catalog:2.5.0-rc"
    pods = made.serve("catalog", image=image, run=stuck("ErrImagePull"), phase="Pending")
    made.told(pods, "Failed", f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and '
              f'unpack image "{image}": failed to resolve reference "{image}": {image}: not found')  # fmt: skip
    made.crashing("storefront", line="lookup catalog on 10.96.0.10:53: no such host")
    return made


@scenario("image_registry_dns_failure", "Deployment", "pump-control")
def waterworks_registry_name() -> Frozen:
    made = Town("water", "levels valves quality alarms billing")
    image = "registry.water.internal/pump-control:7"
    pods = made.serve("pump-control", image=image, run=stuck("ImagePullBackOff"), phase="Pending")
    made.told(
        pods,
        "Failed",
        f'Failed to pull image "{image}": failed to do request: Head "https://registry.water.internal'
        '/v2/pump-control/manifests/7": dial tcp: lookup registry.water.internal on 169.254.169.253:53: no such host',
    )
    return made


@scenario("image_pull_rate_limited", "Deployment", "badge-cache")
def conference_hub_limit() -> Frozen:
    made = Town("conference", "talks speakers badges rooms wifi", nodes=GKE)
    pods = made.serve("badge-cache", image="redis:7.2", run=stuck("ErrImagePull"), bad=1, phase="Pending")
    made.told(pods, "Failed", 'Failed to pull image "redis:7.2": failed to copy: httpReadSeeker: failed open: unexpected '
              "status code https://registry-1.docker.io/v2/library/redis/manifests/sha256:ab: 429 Too Many Requests - "
              "Server message: toomanyrequests: You have reached your unauthenticated pull rate limit.")  # fmt: skip
    return made


@scenario("missing_config_map", "Deployment", "tariff-sync")
def telecom_key_of_a_volume() -> Frozen:
    made = Town("telco", "numbers sims roaming usage invoices")
    made.add(k8s.config_map("tariff-sync", "telco", **{"application.yaml": "rates: 3\n"}))
    volumes = [{"name": "conf", "configMap": {"name": "tariff-sync",
                                              "items": [{"key": "application.yml", "path": "application.yml"}]}}]  # fmt: skip
    pods = made.serve("tariff-sync", run=stuck("ContainerCreating"), phase="Pending", spec={"volumes": volumes},
                      volumeMounts=[{"name": "conf", "mountPath": "/etc/app"}])  # fmt: skip
    made.told(pods, "FailedMount", 'MountVolume.SetUp failed for volume "conf" : references non-existent config key: '
              "application.yml")  # fmt: skip
    return made


@scenario("missing_secret_binding", "Deployment", "payout")
def lottery_key_renamed() -> Frozen:
    made = Town("lottery", "draws tickets winners claims shops")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": k8s.metadata("Secret", "payout-db", "lottery"),
              "data": {"user": "", "pass": ""}}  # fmt: skip
    made.add(secret)
    pods = made.serve("payout", run=stuck("CreateContainerConfigError"), phase="Pending")
    env = [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "payout-db", "key": "password"}}}]
    for item in (made.find("Deployment", "payout")["spec"]["template"], made.find("ReplicaSet", "payout")["spec"]["template"],
                 *pods):  # fmt: skip
        item["spec"]["containers"][0]["env"] = env
    return made


@scenario("volume_mount_permission_denied", "StatefulSet", "sample-db")
def lab_data_of_another_user() -> Frozen:
    made = Town("genomics", "intake sequencer aligner reports freezer")
    storage_class(made, "gp3")
    volume(made, "pvc-77", cls="gp3", phase="Bound", ref="data-sample-db-0")
    claim(made, "data-sample-db-0", bound="pvc-77")
    spec = {**mounts("data-sample-db-0"), "securityContext": {"runAsUser": 10001, "runAsNonRoot": True}}
    pods = made.serve("sample-db", run=crash(), replicas=1, stateful=True, spec=spec,
                      volumeMounts=[{"name": "data", "mountPath": "/bitnami/postgresql"}])  # fmt: skip
    made.says(pods, "INFO  ==> ** Starting PostgreSQL setup **", "mkdir: cannot create directory '/bitnami/postgresql/data': "
              "Permission denied", previous=True)  # fmt: skip
    made.crashing("aligner-api", line="FATAL: could not connect to sample-db:5432: Connection refused")
    return made


@scenario("init_container_failed", "Deployment", "theme-park-map")
def park_init_without_a_log() -> Frozen:
    made = Town("park", "rides queues tickets food lockers", nodes=AKS)
    init = k8s.container("fetch-tiles", "cr.corp.test/tools/fetch:3")
    pods = made.serve("theme-park-map", run=stuck("PodInitializing"), phase="Pending", spec={"initContainers": [init]})
    for pod in pods:
        ended = k8s.terminated("Error", 6, "2026-04-14T09:29:00Z")
        pod["status"]["initContainerStatuses"] = [{"name": "fetch-tiles", "ready": False, "restartCount": 9,
            "image": init["image"], "state": k8s.waiting("CrashLoopBackOff"), "lastState": ended}]  # fmt: skip
    made.told(pods, "BackOff", "Back-off restarting failed container fetch-tiles in pod")
    return made


@scenario("exec_format_error", "Deployment", "camera-hub")
def city_arm_nodes_only() -> Frozen:
    made = Town("traffic", "signals sensors counts events")
    for item in made.nodes():
        item["metadata"]["labels"]["kubernetes.io/arch"] = "arm64" if item["metadata"]["name"] == AWS[0] else "amd64"
    pods = made.serve("camera-hub", replicas=3, bad=1, run=crash(255))
    pods[0]["spec"]["nodeName"] = AWS[0]
    made.says(pods, "exec /usr/local/bin/camera-hub: exec format error", previous=True)
    return made


@scenario("incorrect_command", "Deployment", "grain-trade")
def grain_binary_not_there() -> Frozen:
    made = Town("commodities", "quotes hedges silos invoices")
    pods = made.serve("grain-trade", run=crash(127), command=["/bin/sh", "-c", "/srv/bin/tradr --serve"])
    made.says(pods, "/bin/sh: 1: /srv/bin/tradr: not found", previous=True)
    return only(made, "Event")


# ------------------------------------------------------------------------------------------------------ runtime


@scenario("liveness_probe_incorrect_timing", "Deployment", "underwriting")
def insurer_jvm_killed_before_it_is_up() -> Frozen:
    made = Town("policies", "quotes rating brokers renewals letters")
    pods = made.serve("underwriting", run=crash(137), livenessProbe=http(8080, "/actuator/health", initialDelaySeconds=5,
                      periodSeconds=5), readinessProbe=http(8080, "/actuator/health"))  # fmt: skip
    made.told(pods, "Unhealthy", 'Liveness probe failed: Get "http://10.8.0.5:8080/actuator/health": dial tcp '
              "10.8.0.5:8080: connect: connection refused")  # fmt: skip
    made.told(pods, "Killing", "Container underwriting failed liveness probe, will be restarted", kind="Normal")
    made.says(pods, "Starting UnderwritingApplication v2.4.1 using Java 21", "Bootstrapping Spring Data JPA repositories",
              "HikariPool-1 - Start completed.", previous=True, every=6)  # fmt: skip
    return made


@scenario("liveness_probe_incorrect_port", "Deployment", "guest-list")
def hotel_probe_beside_the_port() -> Frozen:
    made = Town("hotel", "rooms rates keys spa minibar", nodes=GKE)
    made.serve("guest-list", run=crash(143, restarts=41), livenessProbe=http(8081), readinessProbe=http(8080))
    return made


@scenario("readiness_probe_incorrect_protocol", "Deployment", "vault-gate")
def custodian_https_on_plain_port() -> Frozen:
    made = Town("custody", "wallets signing audit limits")
    pods = made.serve("vault-gate", run=unready(), readinessProbe=http(8080, scheme="HTTPS"), livenessProbe=http(8080))
    made.told(pods, "Unhealthy", 'Readiness probe failed: Get "https://10.8.0.9:8080/healthz": http: server gave HTTP '
              "response to HTTPS client", count=88)  # fmt: skip
    return made


@scenario("readiness_probe_incorrect_port", "Deployment", "dispatch")
def taxi_probe_without_events() -> Frozen:
    made = Town("taxi", "drivers riders fares maps surge", sets=False)
    pods = made.serve("dispatch", run=unready(), readinessProbe=http(9000), port=5000)
    made.says(pods, "Now listening on: http://[::]:5000", "Application started. Press Ctrl+C to shut down.")
    made.crashing("rider-app", line="System.Net.Http.HttpRequestException: Connection refused (dispatch:80)")
    return only(made, "Event")


@scenario("startup_probe_too_short", "Deployment", "reinsurance")
def dotnet_slow_start() -> Frozen:
    made = Town("treaties", "cessions claims bordereaux fx")
    probe = http(8080, periodSeconds=5, failureThreshold=3)
    pods = made.serve("reinsurance", run=crash(137), startupProbe=probe, livenessProbe=http(8080))
    made.told(pods, "Unhealthy", 'Startup probe failed: Get "http://10.8.1.4:8080/healthz": dial tcp 10.8.1.4:8080: connect: '
              "connection refused")  # fmt: skip
    made.told(pods, "Killing", "Container reinsurance failed startup probe, will be restarted", kind="Normal")
    made.says(pods, "info: warming rate tables 1/9", "info: warming rate tables 3/9", "info: warming rate tables 4/9",
              previous=True, every=5)  # fmt: skip
    return made


@scenario("service_sidecar_port_conflict", "Deployment", "lift-monitor")
def lifts_two_listeners() -> Frozen:
    made = Town("lifts", "shafts doors service-calls parts")
    side = k8s.container("metrics-agent", "cr.corp.test/infra/agent:4", port=9102)
    pods = made.serve("lift-monitor", run=crash(98), port=9102, sidecars=[side])
    made.says(pods, "Error: listen EADDRINUSE: address already in use :::9102", previous=True)
    return made


@scenario("deployment_zero_replicas", "Deployment", "session-store")
def gym_scaled_away() -> Frozen:
    made = Town("gym", "members classes checkin trainers")
    made.serve("session-store", replicas=0, port=6379)
    made.crashing("checkin-api", "members-api", line="redis.exceptions.ConnectionError: Error 111 connecting to "
                  "session-store:6379. Connection refused.")  # fmt: skip
    return made


@scenario("config_invalid", "Deployment", "pension-calc")
def pension_placeholder() -> Frozen:
    made = Town("pension", "members employers payments letters")
    pods = made.serve("pension-calc", run=crash())
    made.says(pods, "org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'rates': "
              "Injection of autowired dependencies failed",
              "Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'rates.table.url' in value "
              '"${rates.table.url}"', previous=True)  # fmt: skip
    return made


@scenario("oom_killed", "Deployment", "xray-resizer")
def radiology_out_of_memory() -> Frozen:
    made = Town("radiology", "viewer worklist dictation pacs-bridge", sets=False, nodes=AKS)
    made.serve("xray-resizer", bad=1, replicas=3, run=crash(137, "OOMKilled"), livenessProbe=http(8080))
    pods = [item for item in made.objects or () if item["metadata"]["name"].startswith("xray-resizer-6bd")]
    made.told(pods[2:], "Unhealthy", "Liveness probe failed: context deadline exceeded")
    return made


@scenario("unhandled_exception", "Deployment", "ferry-booking")
def ferry_panics_after_hours() -> Frozen:
    made = Town("ferry", "sailings cabins vehicles ports")
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "startedAt": "2026-04-14T03:02:00Z",
                            "finishedAt": "2026-04-14T09:26:00Z"}}  # fmt: skip
    run = k8s.Run(restarts=2, last_state=ended, started="2026-04-14T09:26:10Z")
    pods = made.serve("ferry-booking", run=run, bad=2)
    made.says(pods, "panic: assignment to entry in nil map", "", "goroutine 811 [running]:",
              "main.(*Cabins).hold(0x0, {0xc000124000, 0x8})", "\t/src/cabins.go:118 +0x1d", previous=True)  # fmt: skip
    return made


@scenario("job_failed", "Job", "close-of-day-2")
def broker_close_of_day() -> Frozen:
    made = Town("brokerage", "orders positions margin fees", alert="KubeJobFailed")
    made.add({"apiVersion": "batch/v1", "kind": "Job",
              "metadata": k8s.metadata("Job", "close-of-day-2", "brokerage", created=made.stamp(40)),
              "spec": {"backoffLimit": 3, "completions": 1, "activeDeadlineSeconds": 1200,
                       "template": k8s.pod_template("close-of-day", [k8s.container("close", "cr.corp.test/close:1")])},
              "status": {"failed": 1, "startTime": made.stamp(40), "conditions": [
                  {"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "lastTransitionTime": made.stamp(20),
                   "message": "Job was active longer than specified deadline"}]}})  # fmt: skip
    return made


# ---------------------------------------------------------------------------------------------- service routing


@scenario("service_selector_mismatch", "Service", "vaccine-stock")
def pharmacy_selector_typo() -> Frozen:
    made = Town("pharma", "orders batches cold-chain recalls")
    made.serve("vaccine-stock")
    made.find("Service", "vaccine-stock")["spec"]["selector"] = {"app": "vaccine-stocks"}
    made.objects = [o for o in made.objects or () if o["metadata"]["name"] != "vaccine-stock-x7k2q"]
    made.reach("vaccine-stock", [])
    made.crashing("ordering-ui", line="Error: connect ECONNREFUSED 10.96.0.10:80 (vaccine-stock)")
    return made


@scenario("service_port_mapping_mismatch", "Service", "bid-server")
def auction_named_port() -> Frozen:
    made = Town("auction", "lots bidders invoices catalog", slices=False)
    made.serve("bid-server", port=3000)
    made.find("Service", "bid-server")["spec"]["ports"][0]["targetPort"] = "web"
    made.find("Endpoints", "bid-server")["subsets"] = []
    pods = made.serve("saleroom")
    made.says(pods, *["upstream bid-server:80 connect() failed (111: Connection refused)"] * 20)
    return made


@scenario("service_env_var_address_mismatch", "Deployment", "seat-hold")
def cinema_wrong_port_in_env() -> Frozen:
    made = Town("cinema", "films screens snacks loyalty")
    made.serve("payments")
    pods = made.serve("seat-hold", env={"PAYMENTS_ADDR": "payments:8443", "FILMS_ADDR": "films:80"})
    made.says(pods, *['rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial '
              'tcp 10.96.0.10:8443: i/o timeout"'] * 30)  # fmt: skip
    return made


@scenario("network_policy_denied", "Deployment", "blood-registry",
          accept=(("network_policy_denied", "NetworkPolicy", "registry"),))  # fmt: skip
def bloodbank_policy_forgets_a_caller() -> Frozen:
    made = Town("bloodbank", "donors sessions couriers hospitals")
    made.serve("blood-registry")
    made.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
              "metadata": k8s.metadata("NetworkPolicy", "registry", "bloodbank"),
              "spec": {"podSelector": {"matchLabels": {"app": "blood-registry"}}, "policyTypes": ["Ingress"],
                       "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "donors"}}}]}]}})  # fmt: skip
    pods = made.serve("donor-portal", env={"REGISTRY_URL": "http://blood-registry:80"})
    made.says(pods, *["requests.exceptions.ConnectTimeout: HTTPConnectionPool(host='blood-registry', port=80): Max retries "
              "exceeded (Caused by ConnectTimeoutError: timed out)"] * 25)  # fmt: skip
    made.calls(("donor-portal", "blood-registry"), ("donors", "blood-registry"))
    return made


@scenario("service_dns_resolution_failure", "Deployment", "feeder")
def zoo_pod_with_the_nodes_resolver() -> Frozen:
    made = Town("zoo", "animals keepers tickets vets diets")
    pods = made.serve("feeder", run=crash(), env={"DIETS_URL": "http://diets.zoo.svc.cluster.local"},
                      spec={"dnsPolicy": "Default"})  # fmt: skip
    made.says(pods, "Error: getaddrinfo ENOTFOUND diets.zoo.svc.cluster.local", previous=True)
    return made


@scenario("ingress_misconfigured", "Ingress", "public")
def theatre_ingress_names_no_service() -> Frozen:
    made = Town("theatre", "plays box-office seats members")
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "boxoffice", "port": {"number": 80}}}}
    made.add({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": k8s.metadata("Ingress", "public", "theatre"),
              "spec": {"ingressClassName": "nginx", "rules": [{"host": "t.test", "http": {"paths": [path]}}]},
              "status": {"loadBalancer": {}}})  # fmt: skip
    return made


# ----------------------------------------------------------------------------------------------- infrastructure


def kube_system(made: Town, name: str, node: str, run: k8s.Run = k8s.HEALTHY, *, kind: str = "DaemonSet") -> Object:
    """A pod of the cluster's own."""
    owner = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": k8s.metadata(kind, name, "kube-system", labels={"k8s-app": name}),
        "spec": {
            "selector": {"matchLabels": {"k8s-app": name}},
            "template": {
                "metadata": {"labels": {"k8s-app": name, "component": name}},
                "spec": {"containers": [k8s.container(name, f"registry.k8s.io/{name}:v1.31")]},
            },
        },
    }
    tail = "" if kind == "Node" else f"-{made._tail()}"
    item = k8s.pod(f"{name}{tail}" if tail else f"{name}-{node}", "kube-system", owner=owner, run=run, node_name=node)
    item["status"]["podIP"] = "10.40.0.9"
    made.add(item)
    return item


@scenario("kubelet_unavailable", "Node", AWS[1])
def bakery_node_gone_silent() -> Frozen:
    made = Town("bakery", "orders ovens stock vans tills flour invoices")
    node = made.nodes()[1]
    for row in node["status"]["conditions"]:
        row |= {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
                "lastTransitionTime": made.stamp(6)}  # fmt: skip
    for item in made.objects or ():
        if item["kind"] == "Pod" and item["spec"].get("nodeName") == AWS[1]:
            for row in item["status"]["conditions"]:
                if row["type"] in ("Ready", "ContainersReady"):
                    row |= {"status": "False", "lastTransitionTime": made.stamp(6)}
    made.crashing("till-sync", line="read tcp 10.8.0.3:51324->10.96.0.10:80: read: connection reset by peer")
    return made


@scenario("containerd_unavailable", "Node", GKE[2])
def brewery_runtime_down() -> Frozen:
    made = Town("brewery", "tanks recipes bottling shop tours", nodes=GKE)
    row = next(row for row in made.nodes()[2]["status"]["conditions"] if row["type"] == "Ready")
    row |= {"status": "False", "reason": "KubeletNotReady", "lastTransitionTime": made.stamp(7),
            "message": "[container runtime is down, PLEG is not healthy: pleg was last seen active 5m12s ago]"}  # fmt: skip
    pods = made.serve("tap-list", run=stuck("ContainerCreating"), bad=1, phase="Pending")
    pods[0]["spec"]["nodeName"] = GKE[2]
    made.told(pods, "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unavailable desc = connection "
              'error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection '
              'refused"')  # fmt: skip
    return made


@scenario("kube_proxy_unavailable", "Node", AWS[0])
def opera_proxy_of_one_node() -> Frozen:
    made = Town("opera", "seats scores tours donors shop")
    for name in AWS[1:]:
        kube_system(made, "kube-proxy", name)
    kube_system(made, "kube-proxy", AWS[0], crash(1, restarts=19))
    pods = made.serve("subscriptions", replicas=3)
    here = [pod for pod in pods if pod["spec"]["nodeName"] == AWS[0]]
    made.says(here, *["java.net.SocketTimeoutException: connect timed out: seats:80"] * 25)
    return made


@scenario("kube_scheduler_unavailable", "Node", "cp-1.museum.test")
def gallery_nobody_schedules() -> Frozen:
    made = Town("gallery", "works artists loans shop")
    node = k8s.node("cp-1.museum.test")
    node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    made.add(node)
    kube_system(made, "kube-scheduler", "cp-1.museum.test", crash(1, restarts=30), kind="Node")
    pods = made.serve("audio-guide", placed=False)
    for pod in pods:
        pod["status"] = {"phase": "Pending"}
    return made


@scenario("coredns_degraded", "Deployment", "coredns")
def casino_names_fail_everywhere() -> Frozen:
    made = Town("casino", "tables cage hotel shows", nodes=AKS)
    for node in AKS[:2]:
        kube_system(made, "coredns", node, crash(1, restarts=11), kind="ReplicaSet")
    for name in ("loyalty", "surveillance", "slots"):
        made.says(made.serve(name), *["dial tcp: lookup cage on 10.0.0.10:53: read udp 10.8.0.4:41411->10.0.0.10:53: i/o "
                  "timeout"] * 20)  # fmt: skip
    dns = k8s.deployment("coredns", "kube-system", replicas=2, available=0)
    made.add(dns)
    return made


@scenario("node_disk_pressure", "Node", AWS[2])
def printer_evicted() -> Frozen:
    made = Town("printshop", "jobs proofs presses binding")
    for row in made.nodes()[2]["status"]["conditions"]:
        if row["type"] == "DiskPressure":
            row |= {"status": "True", "reason": "KubeletHasDiskPressure", "message": "kubelet has disk pressure"}
    made.nodes()[2]["spec"]["taints"] = [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]
    pods = made.serve("preflight", bad=1, phase="Failed", run=k8s.Run(ready=False, state=k8s.terminated("Error", 137)))
    pods[0]["spec"]["nodeName"] = AWS[2]
    pods[0]["status"] |= {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage. Threshold "
                          "quantity: 10Gi, available: 3Gi. "}  # fmt: skip
    return made


# ---------------------------------------------------------------------------------------------- rollout-caused


@scenario("config_invalid", "Deployment", "tide-tables", change="cfg-7710")
def harbour_config_change() -> Frozen:
    made = Town("harbour", "pilots tugs moorings fees")
    made.change("config", "tide-tables", "tide-tables: refresh every 15m", minutes_ago=16, id="cfg-7710",
                diff="-refresh: 15m\n+refresh: 15 min\n")  # fmt: skip
    made.change("deploy", "fees", "deploy fees 2.4.1", minutes_ago=9, id="d-881")
    pods = made.serve("tide-tables", run=crash())
    made.says(pods, 'fatal: config: time: unknown unit " min" in duration "15 min" for key "refresh"', previous=True)
    return made


@scenario("unhandled_exception", "Deployment", "court-lists", change="d-5512",
          accept=(("bad_deploy", "Deployment", "court-lists"), ("crash_on_start", "Deployment", "court-lists")))  # fmt: skip
def court_new_version_throws() -> Frozen:
    made = Town("court", "cases judges rooms fines")
    made.change("deploy", "court-lists", "deploy court-lists 2.4.1", minutes_ago=17, id="d-5512")
    made.change("deploy", "fines", "deploy fines 2.4.1", minutes_ago=44, id="d-5490")
    pods = made.serve("court-lists", run=crash(), old=True)
    made.find("Deployment", "court-lists")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
    made.says(pods, "Traceback (most recent call last):", '  File "/app/lists.py", line 31, in <module>',
              "    from hearings import parse_slot", "ImportError: cannot import name 'parse_slot' from 'hearings'",
              previous=True)  # fmt: skip
    return made


# ----------------------------------------------------------------------------------------------------- no cause


@scenario(None, no_cause=True)
def none_all_is_well() -> Frozen:
    return Town("embassy", "visas passports appointments fees archive notices")


@scenario(None, no_cause=True)
def none_rollout_under_way() -> Frozen:
    made = Town("vineyard", "cellar orders tastings labels")
    run = k8s.Run(ready=False, state=k8s.waiting("ContainerCreating"), started=made.stamp(0.2))
    pods = made.serve("barrels", bad=1, run=run, phase="Pending")
    made.event(
        pods[0], "Pulling", 'Pulling image "cr.corp.test/vineyard/barrels:2.4.1"', minutes_ago=0.2, kind="Normal"
    )
    return made


@scenario(None, no_cause=True)
def none_off_on_purpose() -> Frozen:
    made = Town("cadastre", "plots owners maps deeds")
    made.serve("bulk-import", replicas=0, service=False)
    return made


@scenario(None, no_cause=True)
def none_full_quota_without_need() -> Frozen:
    made = Town("notary", "deeds seals clients invoices")
    quota(made, "all", pods=("8", "8"), requests__cpu=("2", "2"), services=("4", "4"))
    return made


@scenario(None, no_cause=True)
def none_cordoned_for_maintenance() -> Frozen:
    made = Town("planetarium", "shows domes seats shop")
    made.nodes()[0]["spec"]["unschedulable"] = True
    return made


@scenario(None, no_cause=True)
def none_slow_without_evidence() -> Frozen:
    made = Town("observatory", "queue plates guide dome", alert="HighLatency")
    made.says(made.serve("reduction"), *["WARN slow response took=2100ms, retrying"] * 3)
    return made


@scenario(None, no_cause=True)
def none_one_probe_failed_once() -> Frozen:
    made = Town("aquarium", "tanks feeding tickets pumps")
    pods = made.serve("filters", readinessProbe=http(8080))
    made.event(pods[0], "Unhealthy", "Readiness probe failed: context deadline exceeded", minutes_ago=48, count=1)
    return made


@scenario(None, no_cause=True)
def none_restarted_long_ago() -> Frozen:
    made = Town("lighthouse", "lamps fog ships keepers")
    ended = k8s.terminated("OOMKilled", 137, "2026-02-02T01:00:00Z")
    run = k8s.Run(restarts=1, last_state=ended, started="2026-02-02T01:00:03Z")
    made.serve("signals", run=run, bad=1)
    return made


# -------------------------------------------------------------- harder: the words point elsewhere, or say nothing


@scenario(
    "network_policy_denied", "Deployment", "fx-quotes", accept=(("network_policy_denied", "NetworkPolicy", "egress"),)
)
def bureau_egress_without_dns() -> Frozen:
    made = Town("bureau", "tills vaults rates reports")
    pods = made.serve("fx-quotes", env={"RATES_URL": "http://rates:80"})
    made.says(pods, *["Error: getaddrinfo EAI_AGAIN rates"] * 30)
    made.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
              "metadata": k8s.metadata("NetworkPolicy", "egress", "bureau"),
              "spec": {"podSelector": {"matchLabels": {"app": "fx-quotes"}}, "policyTypes": ["Egress"],
                       "egress": [{"to": [{"podSelector": {"matchLabels": {"app": "rates"}}}],
                                   "ports": [{"protocol": "TCP", "port": 8080}]}]}})  # fmt: skip
    return made


@scenario("deployment_zero_replicas", "StatefulSet", "racing-db")
def racecourse_init_waits_for_a_store_that_is_off() -> Frozen:
    made = Town("racing", "stables odds results jockeys")
    made.serve("racing-db", replicas=0, stateful=True, port=5432)
    init = k8s.container("wait-db", "busybox:1.36", command=["sh", "-c", "until nc -z racing-db 80; do sleep 2; done"])
    pods = made.serve("entries", run=stuck("PodInitializing"), phase="Pending", spec={"initContainers": [init]})
    for pod in pods:
        pod["status"]["initContainerStatuses"] = [{"name": "wait-db", "ready": False, "restartCount": 0,
            "image": init["image"], "state": {"running": {"startedAt": "2026-04-14T09:10:00Z"}}, "lastState": {}}]  # fmt: skip
    return made


@scenario("service_env_var_address_mismatch", "Deployment", "annuities")
def lifeinsurer_host_in_no_namespace() -> Frozen:
    made = Town("life", "contracts premiums agents rates")
    pods = made.serve(
        "annuities", run=crash(), env={"RATES_HOST": "http://rates.finance:80", "SPRING_PROFILES_ACTIVE": "prod"}
    )
    made.says(pods, "Caused by: java.net.UnknownHostException: rates.finance: Name or service not known", previous=True)
    return made


@scenario("service_selector_mismatch", "Service", "boarding-pass")
def airport_selector_with_a_label_too_many() -> Frozen:
    made = Town("airport", "gates baggage lounge slots", sets=False, nodes=GKE)
    made.serve("boarding-pass")
    made.find("Service", "boarding-pass")["spec"]["selector"] = {"app": "boarding-pass", "track": "stable"}
    return only(made, "EndpointSlice", "Event")


@scenario("service_port_mapping_mismatch", "Service", "toll-ledger")
def bridge_target_port_by_number() -> Frozen:
    made = Town("bridge", "lanes tags fines cameras")
    made.serve("toll-ledger", readinessProbe=http(8080))
    made.find("Service", "toll-ledger")["spec"]["ports"][0]["targetPort"] = 8000
    found = made.find("EndpointSlice", "toll-ledger")
    found["ports"] = [{"name": "http", "port": 8000, "protocol": "TCP"}]
    made.crashing("tag-service", line="dial tcp 10.96.0.10:80: connect: connection refused (toll-ledger)")
    return made


@scenario("liveness_probe_incorrect_protocol", "Deployment", "telemetry-hub")
def satellite_grpc_asked_in_http() -> Frozen:
    made = Town("satellite", "orbits antennas passes images")
    pods = made.serve("telemetry-hub", run=crash(137), port=50051, livenessProbe=http(50051),
                      readinessProbe={"grpc": {"port": 50051}})  # fmt: skip
    made.told(
        pods,
        "Unhealthy",
        'Liveness probe failed: Get "http://10.8.0.7:50051/healthz": net/http: HTTP/1.x transport '
        r"connection broken: malformed HTTP response \"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00\"",
    )
    made.told(pods, "Killing", "Container telemetry-hub failed liveness probe, will be restarted", kind="Normal")
    return made


@scenario("readiness_probe_incorrect_port", "Deployment", "tenant-portal")
def landlord_named_port_not_declared() -> Frozen:
    made = Town("housing", "leases repairs rents keys")
    pods = made.serve("tenant-portal", run=unready(), readinessProbe=http("mgmt"))
    made.told(pods, "Unhealthy", 'Readiness probe errored: strconv.Atoi: parsing "mgmt": invalid syntax')
    return made


@scenario("liveness_probe_incorrect_timing", "Deployment", "statistics")
def census_health_takes_longer_than_allowed() -> Frozen:
    made = Town("census", "forms areas scans exports")
    run = k8s.Run(
        restarts=14, last_state=k8s.terminated("Error", 137, "2026-04-14T09:25:00Z"), started="2026-04-14T09:25:05Z"
    )
    pods = made.serve("statistics", run=run, livenessProbe=http(8080, failureThreshold=1, periodSeconds=3),
                      readinessProbe=http(8080, timeoutSeconds=10))  # fmt: skip
    made.told(pods, "Unhealthy", 'Liveness probe failed: Get "http://10.8.0.4:8080/healthz": context deadline exceeded '
              "(Client.Timeout exceeded while awaiting headers)")  # fmt: skip
    made.told(pods, "Killing", "Container statistics failed liveness probe, will be restarted", kind="Normal")
    made.says(pods, *["GET /healthz 200 1400ms", "GET /areas 200 90ms"] * 6, previous=True)
    return made


@scenario("missing_config_map", "Deployment", "hatchery")
def fishery_env_from_nothing() -> Frozen:
    made = Town("fishery", "ponds feed vets harvest")
    made.add(k8s.config_map("kube-root-ca.crt", "fishery"), k8s.config_map("hatchery-conf", "fishery", A="1"))
    made.serve("hatchery", run=stuck("CreateContainerConfigError"), phase="Pending",
               envFrom=[{"configMapRef": {"name": "hatchery-config"}}])  # fmt: skip
    return only(made, "Event")


@scenario("taint_toleration_mismatch", "Deployment", "greenhouse")
def garden_all_nodes_reserved() -> Frozen:
    made = Town("garden", "beds shop tours seeds", sets=False)
    for node in made.nodes():
        node["spec"]["taints"] = [{"key": "team", "value": "data", "effect": "NoSchedule"}]
    made.pending("greenhouse")
    return made


@scenario("topology_spread_unsatisfiable", "Deployment", "signal-box")
def metro_spread_over_a_third_zone() -> Frozen:
    made = Town("metro", "lines stations lifts gates", zones=("a", "b", "b"))
    rule = {"maxSkew": 1, "minDomains": 3, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": "signal-box"}}}  # fmt: skip
    made.pending("signal-box", "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.",
                 replicas=3, bad=1, spec={"topologySpreadConstraints": [rule]})  # fmt: skip
    return made


@scenario("exec_format_error", "Deployment", "kiln")
def pottery_no_manifest_for_the_platform() -> Frozen:
    made = Town("pottery", "glazes orders shop courses")
    for node in made.nodes():
        node["metadata"]["labels"]["kubernetes.io/arch"] = "arm64"
    image = "cr.corp.test/pottery/kiln:9"
    pods = made.serve("kiln", image=image, run=stuck("ImagePullBackOff"), phase="Pending")
    made.told(pods, "Failed", f'Failed to pull image "{image}": rpc error: code = NotFound desc = failed to pull and unpack '
              f'image "{image}": no match for platform in manifest: not found')  # fmt: skip
    return made


@scenario("rbac_forbidden", "Job", "tenant-setup")
def saas_job_without_rights() -> Frozen:
    made = Town("saas", "tenants plans invoices support")
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": k8s.metadata("Job", "tenant-setup", "saas", created=made.stamp(12)),
           "spec": {"backoffLimit": 1, "template": k8s.pod_template("tenant-setup", [k8s.container("run", "cr.corp.test/k:1")])},
           "status": {"failed": 2, "conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                                                   "lastTransitionTime": made.stamp(5)}]}}  # fmt: skip
    made.add(job)
    pod = k8s.pod("tenant-setup-k2v9x", "saas", owner=job, phase="Failed", node_name=AWS[0],
                  run=k8s.Run(ready=False, state=k8s.terminated("Error", 1, made.stamp(6)), started=made.stamp(7)))  # fmt: skip
    made.add(pod)
    made.says([pod], 'Error from server (Forbidden): namespaces is forbidden: User "system:serviceaccount:saas:default" cannot '
              'create resource "namespaces" in API group "" at the cluster scope')  # fmt: skip
    return made


@scenario("cronjob_missed", "CronJob", "nightly-backup")
def clinic_backup_suspended() -> Frozen:
    made = Town("dental", "patients xrays bills rooms")
    made.alert("BackupTooOld", "CronJob nightly-backup has not run since three days.", minutes_ago=0)
    made.add({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": k8s.metadata("CronJob", "nightly-backup", "dental"),
              "spec": {"schedule": "30 2 * * *", "suspend": True, "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {
                  "template": k8s.pod_template("backup", [k8s.container("dump", "cr.corp.test/dump:1")])}}},
              "status": {"lastScheduleTime": "2026-04-11T02:30:00Z"}})  # fmt: skip
    return made


@scenario("memory_leak", "Deployment", "transcripts")
def parliament_grows_until_killed() -> Frozen:
    made = Town("parliament", "bills votes members video")
    made.hours, made.step = 6.0, 60.0
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "startedAt": "2026-04-14T06:30:00Z",
                            "finishedAt": "2026-04-14T08:30:00Z"}}  # fmt: skip
    run = k8s.Run(restarts=3, last_state=ended, started="2026-04-14T08:30:02Z")
    pods = made.serve("transcripts", run=run, replicas=1,
                      resources={"requests": {"memory": "256Mi"}, "limits": {"memory": "1Gi"}})  # fmt: skip
    made.gauge("container_memory_working_set_bytes", lambda m: 200e6 + 870e6 * (((m + 60) % 120) / 120), namespace="parliament",
               pod=pods[0]["metadata"]["name"], container="transcripts")  # fmt: skip
    return made


@scenario("mysql_invalid_port", "Deployment", "reading-room")
def library_php_wrong_port() -> Frozen:
    made = Town("library", "shelves loans fines events")
    made.serve("mariadb", port=3306, stateful=True, replicas=1, image="mariadb:11")
    made.find("Service", "mariadb")["spec"]["ports"][0]["port"] = 3306
    pods = made.serve("reading-room", env={"DB_HOST": "mariadb", "DB_PORT": "3307", "DB_USER": "room"})
    made.says(pods, *["SQLSTATE[HY000] [2002] Connection refused (host mariadb, port 3307)"] * 20)
    return made


@scenario("mysql_invalid_credentials", "Deployment", "membership")
def club_password_of_yesterday() -> Frozen:
    made = Town("club", "courts coaches bar events")
    made.serve("percona", port=3306, stateful=True, replicas=1, image="percona:8.0")
    pods = made.serve("membership", run=crash(), env={"DB_HOST": "percona"})
    made.says(pods, "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [1045] Access denied for user 'member'@'10.8.0.61' "
              "(using password: YES)", previous=True)  # fmt: skip
    return made


@scenario(
    "certificate_expired", "Deployment", "smartcard-ca", accept=(("certificate_expired", "Service", "smartcard-ca"),)
)
def ministry_issuer_certificate() -> Frozen:
    made = Town("ministry", "forms archive signing mail")
    made.serve("smartcard-ca")
    made.find("Service", "smartcard-ca")["spec"]["ports"][0]["port"] = 443
    pods = made.serve("login", env={"CA_URL": "https://smartcard-ca:443"})
    made.says(pods, *['Post "https://smartcard-ca:443/v1/sign": tls: failed to verify certificate: x509: certificate has expired '
              "or is not yet valid: current time 2026-04-14T09:27:11Z is after 2026-04-14T09:00:00Z"] * 20)  # fmt: skip
    made.calls(("login", "smartcard-ca"))
    return made


@scenario("gateway_misroute", "Deployment", "edge-proxy")
def brokerage_proxy_names_an_old_backend() -> Frozen:
    made = Town("trading", "orders charts news watchlist")
    made.add(k8s.config_map("edge-conf", "trading", **{"default.conf": "server { listen 8080; location /orders { proxy_pass "
                            "http://orders-legacy:80; } location /news { proxy_pass http://news:80; } }"}))  # fmt: skip
    pods = made.serve("edge-proxy", image="nginx:1.27", run=crash(),
                      spec={"volumes": [{"name": "conf", "configMap": {"name": "edge-conf"}}]})  # fmt: skip
    made.says(
        pods,
        '[emerg] 1#1: host not found in upstream "orders-legacy" in /etc/nginx/conf.d/default.conf:1',
        previous=True,
    )
    return made


@scenario("file_descriptors_exhausted", "Deployment", "push-relay")
def messenger_no_descriptors() -> Frozen:
    made = Town("messenger", "chats groups media contacts")
    pods = made.serve("push-relay")
    made.says(pods, *["http: Accept error: accept tcp [::]:8080: accept4: too many open files; retrying in 1s"] * 30)
    made.crashing("notify", line="dial tcp 10.96.0.10:80: i/o timeout (push-relay)")
    return made


@scenario("cloud_zone_impairment", "Component", "eu-1b")
def warehouse_zone_lost() -> Frozen:
    names = tuple(f"ip-10-60-{zone}-{host}.eu-1.compute.internal" for host in (11, 12) for zone in (1, 2, 3))
    made = Town("warehouse", "docks pallets robots picking orders", nodes=names, zones=("a", "b", "c", "a", "b", "c"))
    for node in made.nodes():
        if node["metadata"]["labels"]["topology.kubernetes.io/zone"] == "eu-1b":
            for row in node["status"]["conditions"]:
                row |= {"status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status.",
                        "lastTransitionTime": made.stamp(5)}  # fmt: skip
    return made


@scenario("node_memory_pressure", "Node", GKE[0])
def fleet_evicted_for_memory() -> Frozen:
    made = Town("fleet", "trucks drivers fuel permits", nodes=GKE)
    row = next(row for row in made.nodes()[0]["status"]["conditions"] if row["type"] == "MemoryPressure")
    row |= {"status": "True", "reason": "KubeletHasInsufficientMemory", "lastTransitionTime": made.stamp(9)}
    pods = made.serve("eta", bad=1, phase="Failed", run=k8s.Run(ready=False, state=k8s.terminated("Error", 137)))
    pods[0]["spec"]["nodeName"] = GKE[0]
    pods[0]["status"] |= {"reason": "Evicted", "message": "The node was low on resource: memory. Threshold quantity: 100Mi, "
                          "available: 60Mi. Container eta was using 3Gi, request is 128Mi."}  # fmt: skip
    return made


@scenario("kubelet_unavailable", "Node", AKS[1])
def registry_office_unit_inactive_node_still_ready() -> Frozen:
    made = Town("weddings", "dates halls papers fees", nodes=AKS)
    for node in AKS:
        for unit in ("kubelet.service", "containerd.service"):
            down = node == AKS[1] and unit == "kubelet.service"
            for state in ("active", "inactive", "failed"):
                holds = state == ("failed" if down else "active")
                made.once("node_systemd_unit_state", float(holds), node=node, name=unit, state=state)
    return made


@scenario("controller_manager_unavailable", "Node", "master-0.dam.test")
def dam_nothing_reconciled() -> Frozen:
    made = Town("dam", "gates levels turbines alerts", sets=True)
    node = k8s.node("master-0.dam.test")
    node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    made.add(node)
    kube_system(made, "kube-controller-manager", "master-0.dam.test", crash(1, restarts=22), kind="Node")
    for name in ("gates", "turbines"):
        item = made.find("Deployment", name)
        item["metadata"]["generation"], item["spec"]["replicas"] = 4, 5
        item["status"]["observedGeneration"] = 3
    return made


@scenario("etcd_unhealthy", "Node", "cp-2.school.test")
def mensa_store_of_the_cluster() -> Frozen:
    made = Town("mensa", "meals cards tills suppliers")
    node = k8s.node("cp-2.school.test")
    node["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    made.add(node)
    kube_system(made, "etcd", "cp-2.school.test", crash(2, restarts=9), kind="Node")
    made.event(made.find("Deployment", "tills"), "FailedUpdate", "etcdserver: request timed out", minutes_ago=2, count=7,
               component="deployment-controller")  # fmt: skip
    return made


@scenario("mtls_mismatch", "Deployment", "legacy-import",
          accept=(("mtls_mismatch", "Deployment", "golden-record"), ("mtls_mismatch", "PeerAuthentication", "default")))  # fmt: skip
def registry_caller_outside_the_mesh() -> Frozen:
    made = Town("records", "search merge audit export")
    proxy = k8s.container("istio-proxy", "docker.io/istio/proxyv2:1.22.1", port=15090)
    made.serve("golden-record", sidecars=[proxy])
    made.add(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": k8s.metadata("PeerAuthentication", "default", "records"),
            "spec": {"mtls": {"mode": "STRICT"}},
        }
    )
    pods = made.serve("legacy-import", env={"TARGET": "http://golden-record:80"})
    made.says(pods, *["requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by "
              "peer')) url: http://golden-record:80/v1"] * 20)  # fmt: skip
    made.calls(("legacy-import", "golden-record"))
    return made


@scenario("config_invalid", "Deployment", "wine-list")
def bistro_two_odd_things() -> Frozen:
    made = Town("bistro", "tables menu staff suppliers")
    made.serve("loyalty-pilot", replicas=0, service=False)
    pods = made.serve("wine-list", run=crash(78))
    made.says(pods, "Error: Missing required environment variable: CELLAR_API_TOKEN", "    at loadConfig (/app/config.js:12:11)",
              previous=True)  # fmt: skip
    made.nodes()[1]["spec"]["unschedulable"] = True
    return made
