"""A made-up application on a cluster, healthy until a scenario breaks it: what the sets of Kubernetes incidents share.

``application`` lays out nodes, Deployments with their ReplicaSets and pods, and Services. A scenario then changes
objects as the fault would and calls ``settled``, which brings into line what the control plane derives: readiness of
pods from their containers, status of workloads from pods, endpoints from Services and ready pods. So no scenario has
to keep five objects consistent by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent_sre.testing import kubernetes_objects as kube
from tests.scenarios.frozen import Frozen, Object

SYSTEM = "kube-system"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def http_probe(port: int | str, path: str = "/healthz", **timing: Any) -> Object:
    """An HTTP probe."""
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **_timing(timing)}


def tcp_probe(port: int | str, **timing: Any) -> Object:
    """A TCP probe."""
    return {"tcpSocket": {"port": port}, **_timing(timing)}


def grpc_probe(port: int, **timing: Any) -> Object:
    """A gRPC probe."""
    return {"grpc": {"port": port, "service": ""}, **_timing(timing)}


def exec_probe(*command: str, **timing: Any) -> Object:
    """A probe that runs a command."""
    return {"exec": {"command": list(command)}, **_timing(timing)}


def _timing(given: Mapping[str, Any]) -> Object:
    return {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3, **given}


@dataclass
class Application(Frozen):
    """A Frozen with an application in it."""

    nodes: list[str] = field(default_factory=list)

    # ------------------------------------------------------------------------------------------------- laying out

    def hash(self, length: int) -> str:
        """A suffix as the API server makes them."""
        return "".join(self.chance.choice(_LETTERS) for _ in range(length))

    def node(self, name: str, zone: str = "", *, control_plane: bool = False) -> Object:
        """A ready node, with a heartbeat of seconds ago."""
        made = kube.node(name)
        made["metadata"]["labels"] |= {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        if zone:
            made["metadata"]["labels"] |= {"topology.kubernetes.io/zone": zone}
        if control_plane:
            made["metadata"]["labels"] |= {"node-role.kubernetes.io/control-plane": ""}
            made["spec"]["taints"] = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
        else:
            self.nodes.append(name)
        good = {
            "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            "Ready": ("KubeletReady", "kubelet is posting ready status"),
        }
        for condition in made["status"]["conditions"]:
            reason, message = good[condition["type"]]
            condition |= {"reason": reason, "message": message, "lastHeartbeatTime": self.stamp(0.4)}
        made["status"]["nodeInfo"] = {"containerRuntimeVersion": "containerd://1.7.22", "kubeletVersion": "v1.31.4"}
        ip = f"192.168.4.{10 + len(self.objects or ())}"
        made["status"]["addresses"] = [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]
        self.add(made)
        return made

    def deploy(
        self,
        name: str,
        port: int = 8080,
        *,
        replicas: int = 2,
        containers: Sequence[Object] | None = None,
        namespace: str = "",
        service: bool = True,
        labels: Mapping[str, str] | None = None,
        on: Sequence[str] = (),
        **spec: Any,
    ) -> Object:
        """A Deployment with ReplicaSet, pods and a Service of the same name and port."""
        where = namespace or self.namespace
        image = f"registry.test/{name}:2.{self.chance.randrange(40)}.{self.chance.randrange(9)}"
        template = kube.pod_template(name, containers or [kube.container(name, image, port=port)], **spec)
        template["metadata"]["labels"] = dict(labels or {"app": name})
        owner = kube.deployment(name, where, template=template, replicas=replicas)
        owner["spec"]["selector"]["matchLabels"] = dict(template["metadata"]["labels"])
        self.add(owner)
        self.revision(name, revision=1, replicas=replicas, namespace=where, on=on)
        if service:
            self.serve(name, port, namespace=where, **template["metadata"]["labels"])
        return owner

    def serve(
        self, name: str, port: int, target: int | str | None = None, *, namespace: str = "", **selector: str
    ) -> Object:
        """A Service."""
        made = kube.service(name, namespace or self.namespace, port=port, **(selector or {"app": name}))
        made["spec"]["ports"][0]["targetPort"] = port if target is None else target
        made["spec"]["clusterIP"] = f"10.96.{len(self.objects or ()) % 250}.{self.chance.randrange(2, 250)}"
        self.add(made)
        return made

    def revision(
        self,
        name: str,
        *,
        revision: int,
        replicas: int,
        namespace: str = "",
        minutes_ago: float = 0,
        on: Sequence[str] = (),
    ) -> list[Object]:
        """A ReplicaSet from the Deployment's present template, with its pods."""
        owner = self.get("Deployment", name, namespace)
        owner["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = str(revision)
        created = self.stamp(minutes_ago) if minutes_ago else self.stamp(60 * 24 * 9)
        hashed = "".join(self.chance.choice("456789bcdf") for _ in range(10))  # as the controller encodes its hash
        made = kube.replica_set(owner, hashed, revision=revision, replicas=replicas, created=created)
        self.add(made)
        return [self.pod(made, f"{made['metadata']['name']}-{self.hash(5)}", created, on=on) for _ in range(replicas)]

    def rollout(self, name: str, minutes_ago: float, *, surge: int = 1, down: int = 0) -> list[Object]:
        """A rolling update to the present template under way: ``surge`` new pods, ``down`` old ones gone."""
        owner = self.get("Deployment", name)
        old = [item for item in self.all("ReplicaSet", self.namespace) if _owned(item, owner)][-1]
        number = int(old["metadata"]["annotations"]["deployment.kubernetes.io/revision"]) + 1
        for pod in self.pods(name)[:down]:
            assert self.objects is not None
            self.objects.remove(pod)
        old["spec"]["replicas"] -= down
        return self.revision(name, revision=number, replicas=surge, minutes_ago=minutes_ago)

    def pod(self, owner: Object, name: str, created: str, *, on: Sequence[str] = (), node: str = "") -> Object:
        """A running pod of an owner."""
        where = node or self.chance.choice(list(on) or self.nodes)
        made = kube.pod(
            name, owner["metadata"]["namespace"], owner=owner, run=kube.Run(started=created), node_name=where
        )
        made["status"] |= {
            "podIP": f"10.244.{(*self.nodes, where).index(where)}.{len(self.objects or ()) % 250 + 2}",
            "hostIP": self.get("Node", where)["status"]["addresses"][0]["address"],
        }
        made["status"]["podIPs"] = [{"ip": made["status"]["podIP"]}]
        self.add(made)
        return made

    def stateful(
        self,
        name: str,
        port: int,
        *,
        replicas: int = 3,
        containers: Sequence[Object] | None = None,
        headless: bool = True,
        kind: str = "StatefulSet",
        namespace: str = "",
        **spec: Any,
    ) -> Object:
        """A StatefulSet (or DaemonSet) with its pods and a Service."""
        where = namespace or self.namespace
        image = f"registry.test/{name}:7.{self.chance.randrange(9)}"
        template = kube.pod_template(name, containers or [kube.container(name, image, port=port)], **spec)
        daemon = kind == "DaemonSet"
        made: Object = {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": kube.metadata(kind, name, where, labels={"app": name}),
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template},
            "status": {},
        }
        if not daemon:
            made["spec"] |= {"replicas": replicas, "serviceName": name, "podManagementPolicy": "OrderedReady"}
        self.add(made)
        places = self.nodes if daemon else [""] * replicas
        for place, node in enumerate(places):
            self.pod(made, f"{name}-{self.hash(5) if daemon else place}", self.stamp(60 * 24 * 20), node=node)
        service = self.serve(name, port, namespace=where)
        if headless:
            service["spec"]["clusterIP"] = "None"
        return made

    # --------------------------------------------------------------------------------------------------- finding

    def all(self, kind: str, namespace: str | None = None) -> list[Object]:
        """Every object of a kind."""
        return [
            item
            for item in self.objects or ()
            if item["kind"] == kind and namespace in (None, item["metadata"].get("namespace", ""))
        ]

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """An object by its whole name."""
        found = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        close = [item for item in found if item["metadata"].get("namespace", "") == (namespace or self.namespace)]
        return (close or found)[0]

    def pods(self, workload: str) -> list[Object]:
        """The pods whose name begins with a workload's."""
        return [
            item
            for item in self.all("Pod")
            if item["metadata"]["ownerReferences"][0]["name"].startswith(workload)
            or item["metadata"]["name"] == workload
            or item["metadata"]["name"].startswith(f"{workload}-")
        ]

    def template(self, workload: str, kind: str = "Deployment") -> Object:
        """A workload's first container in its template; see ``spread``."""
        found: Object = self.get(kind, workload)["spec"]["template"]["spec"]["containers"][0]
        return found

    def configure(self, workload: str, place: int = 0, *, kind: str = "Deployment", **fields: Any) -> "Application":
        """Fields of a container, in the workload's template, its newest ReplicaSet and all of its pods."""
        owner = self.get(kind, workload)
        holders = [owner["spec"]["template"]["spec"]]
        holders += [item["spec"]["template"]["spec"] for item in self.all("ReplicaSet") if _owned(item, owner)]
        holders += [item["spec"] for item in self.pods(workload)]
        for holder in holders:
            holder["containers"][place] |= fields
        return self

    def env(self, workload: str, place: int = 0, **values: str) -> "Application":
        """Environment variables of a workload, everywhere they stand."""
        return self.configure(workload, place, env=[{"name": key, "value": value} for key, value in values.items()])

    # --------------------------------------------------------------------------------------------------- breaking

    def status(self, pod: Object, container: str = "") -> Object:
        """A container's status."""
        found = pod["status"]["containerStatuses"]
        return next((item for item in found if item["name"] == container), found[0])

    def crashing(
        self,
        pod: Object,
        exit_code: int = 1,
        reason: str = "Error",
        *,
        container: str = "",
        restarts: int = 6,
        ran_seconds: float = 3,
        ended_minutes_ago: float = 1.5,
        message: str = "",
        waiting: bool = True,
    ) -> Object:
        """A container that ended: it waits for its next start, or runs again and is not ready."""
        status = self.status(pod, container)
        ended = {
            "exitCode": exit_code,
            "reason": reason,
            "startedAt": self.stamp(ended_minutes_ago + ran_seconds / 60),
            "finishedAt": self.stamp(ended_minutes_ago),
            "containerID": f"containerd://{self.hash(20)}",
            **({"message": message} if message else {}),
        }
        name, where = pod["metadata"]["name"], pod["metadata"]["namespace"]
        told = (
            f"back-off 5m0s restarting failed container={status['name']} pod={name}_{where}({pod['metadata']['uid']})"
        )
        status |= {
            "ready": False,
            "started": False,
            "restartCount": restarts,
            "lastState": {"terminated": ended},
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": told}}
            if waiting
            else {"running": {"startedAt": self.stamp(ended_minutes_ago - 0.1)}},
        }
        if waiting:
            self.event(
                pod,
                "BackOff",
                f"Back-off restarting failed container {status['name']} in pod {name}_{where}"
                f"({pod['metadata']['uid']})",
                minutes_ago=0.5,
                first_minutes_ago=restarts * 2.0,
                count=restarts * 4,
            )
        return pod

    def unready(self, pod: Object, container: str = "") -> Object:
        """A container that runs and is not ready."""
        self.status(pod, container)["ready"] = False
        return pod

    def probe_fails(self, pod: Object, kind: str, message: str, *, count: int = 40, minutes_ago: float = 0.3,
                    since: float = 15) -> Object:  # fmt: skip
        """The kubelet's event about a failing probe; ``kind`` is Liveness, Readiness or Startup."""
        self.event(pod, "Unhealthy", f"{kind} probe failed: {message}", minutes_ago=minutes_ago,
                   first_minutes_ago=since, count=count)  # fmt: skip
        return pod

    def killed(self, pod: Object, kind: str = "liveness", container: str = "", count: int = 5) -> Object:
        """The kubelet's event that a probe ended a container."""
        name = self.status(pod, container)["name"]
        self.event(pod, "Killing", f"Container {name} failed {kind} probe, will be restarted", kind="Normal",
                   minutes_ago=1, first_minutes_ago=15, count=count)  # fmt: skip
        return pod

    # --------------------------------------------------------------------------------------------------- settling

    def settled(self) -> "Application":
        """Derive what controllers derive."""
        for pod in self.all("Pod"):
            _settle_pod(pod)
        for kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Deployment"):
            for owner in self.all(kind):
                self._settle_workload(owner)
        for service in self.all("Service"):
            self._settle_endpoints(service)
        return self

    def _settle_workload(self, owner: Object) -> None:
        kind, name = owner["kind"], owner["metadata"]["name"]
        sets = {item["metadata"]["name"] for item in self.all("ReplicaSet") if _owned(item, owner)} or {name}
        where = owner["metadata"]["namespace"]
        mine = [pod for pod in self.all("Pod", where) if pod["metadata"].get("ownerReferences")]
        mine = [pod for pod in mine if pod["metadata"]["ownerReferences"][0]["name"] in sets]
        mine = [pod for pod in mine if pod["status"]["phase"] not in ("Failed", "Succeeded")]
        ready = sum(_ready(pod) for pod in mine)
        if kind == "DaemonSet":
            owner["status"] = {"desiredNumberScheduled": len(mine), "currentNumberScheduled": len(mine),
                               "numberReady": ready, "numberAvailable": ready,
                               "numberUnavailable": len(mine) - ready}  # fmt: skip
            return
        status = owner["status"]
        if not status:
            return
        status |= {"replicas": len(mine), "readyReplicas": ready, "availableReplicas": ready}
        if kind != "Deployment":
            return
        wanted = owner["spec"]["replicas"]
        if ready < wanted:
            status["unavailableReplicas"] = wanted - ready
        enough = ready >= wanted * 0.75
        status["conditions"][0] |= {
            "status": "True" if enough else "False",
            "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        }

    def _settle_endpoints(self, service: Object) -> None:
        selector, meta = service["spec"].get("selector"), service["metadata"]
        if not selector or any(
            item["metadata"]["name"] == meta["name"] for item in self.all("Endpoints", meta["namespace"])
        ):
            return
        made = kube.endpoints(meta["name"], meta["namespace"])
        for port in service["spec"]["ports"]:
            for ready in (True, False):
                rows = []
                for pod in self.all("Pod", meta["namespace"]):
                    labels = pod["metadata"]["labels"]
                    number = _target(pod, port.get("targetPort", port["port"]))
                    fits = all(labels.get(key) == value for key, value in selector.items())
                    alive = pod["status"].get("podIP") and pod["status"]["phase"] == "Running"
                    counts = _ready(pod) or service["spec"].get("publishNotReadyAddresses", False)
                    if fits and number and alive and counts == ready:
                        ref = {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": meta["namespace"]}
                        rows.append(({"ip": pod["status"]["podIP"], "targetRef": ref}, number))
                if rows:
                    key = "addresses" if ready else "notReadyAddresses"
                    told = {"port": rows[0][1], "protocol": port.get("protocol", "TCP")}
                    made["subsets"].append({key: [row for row, _ in rows], "ports": [told]})
        self.add(made)


def _owned(item: Object, owner: Object) -> bool:
    refs = item["metadata"].get("ownerReferences", [])
    return any(ref["uid"] == owner["metadata"]["uid"] for ref in refs)


def _ready(pod: Object) -> bool:
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"]["conditions"])


def _settle_pod(pod: Object) -> None:
    statuses = pod["status"].get("containerStatuses", [])
    missing = [item["name"] for item in statuses if not item["ready"]]
    for condition in pod["status"]["conditions"]:
        if condition["type"] in ("Ready", "ContainersReady") and missing and condition["status"] == "True":
            told = f"containers with unready status: [{' '.join(missing)}]"
            condition |= {"status": "False", "reason": "ContainersNotReady", "message": told}


def _target(pod: Object, wanted: int | str) -> int | None:
    if isinstance(wanted, int):
        return wanted
    ports = [port for item in pod["spec"]["containers"] for port in item.get("ports", [])]
    return next((port["containerPort"] for port in ports if port.get("name") == wanted), None)


def application(
    namespace: str,
    services: Mapping[str, int],
    *,
    nodes: Sequence[str] = ("pool-a-1", "pool-a-2", "pool-a-3"),
    description: str = "Something is wrong.",
    calls: Sequence[tuple[str, str]] = (),
    seed: int = 7,
) -> Application:
    """A healthy application: its nodes, and a Deployment with two pods and a Service for each of ``services``."""
    made = Application(namespace=namespace, description=description, seed=seed)
    for name in nodes:
        made.node(name)
    for name, port in services.items():
        made.deploy(name, port)
    if calls:
        made.calls(*calls)
    return made
