"""A whole application as a cluster has it, for scenarios about one workload of it that does not come up.

``Estate`` fills a ``Frozen``: nodes, healthy services with their ReplicaSets, pods, Services and EndpointSlices, and
then the one that is wrong, in the form in which Kubernetes shows it: refused (no pods, a ReplicaFailure condition,
FailedCreate), pending (a PodScheduled condition, FailedScheduling) or waiting on a node. ``broken`` chooses the
workload's kind, so the same fault can hit a Deployment, a StatefulSet, a DaemonSet or a Job.
"""

import zlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from agent_sre.testing.kubernetes_objects import (
    Run,
    container,
    deployment,
    endpoints,
    metadata,
    node,
    pod,
    pod_template,
    replica_set,
    service,
)
from tests.scenarios.frozen import Frozen, Object

_HEX = "bcdf2456789"


def suffix(text: str, size: int = 5) -> str:
    """Letters as Kubernetes appends them to names, always the same for the same text."""
    number, letters = zlib.crc32(text.encode()), []
    for _ in range(size):
        number, place = divmod(number, len(_HEX))
        letters.append(_HEX[place])
        number = number or zlib.crc32("".join(letters).encode())
    return "".join(letters)


class Estate:
    """A namespace's application and the nodes under it. ``registry`` is where healthy images come from."""

    def __init__(
        self,
        namespace: str,
        services: Sequence[str],
        nodes: Mapping[str, Mapping[str, Any]] | Sequence[str] = ("worker-a", "worker-b", "worker-c"),
        *,
        registry: str = "registry.internal:5000/team",
        replicas: int = 2,
        description: str = "Service Availability Disruption",
        **fields: Any,
    ) -> None:
        self.frozen = Frozen(namespace=namespace, description=description, **fields)
        self.namespace, self.registry = namespace, registry
        self.nodes = dict(nodes) if isinstance(nodes, Mapping) else {name: {} for name in nodes}
        for name, its in self.nodes.items():
            self.frozen.add(machine(name, **its))
        self.places = [
            name
            for name, its in self.nodes.items()
            if not its.get("cordoned") and not its.get("taints") and its.get("ready", True)
        ]
        self.places = self.places or list(self.nodes)
        self.frozen.add(account(namespace, "default"))
        self.turn = 0
        for name in services:
            self.healthy(name, replicas=replicas)

    # ---------------------------------------------------------------------------------------------- the healthy

    def place(self) -> str:
        """The next node, round robin over those open to everybody."""
        self.turn += 1
        return self.places[self.turn % len(self.places)]

    def healthy(
        self,
        name: str,
        *,
        kind: str = "Deployment",
        replicas: int = 2,
        on: Sequence[str] = (),
        template: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> list[Object]:
        """A workload with all its pods serving; the pods are returned."""
        shape = template or self.template(name, **spec)
        owner, parent = self._owner(name, kind, replicas, shape, available=replicas)
        pods = []
        for place in range(replicas):
            where = on[place % len(on)] if on else self.place()
            pods.append(self._pod(name, kind, parent, place, node_name=where))
        self.frozen.add(owner, *([parent] if parent is not owner else []), *pods)
        self._serve(name, shape, [item["status"].get("podIP", "") for item in pods])
        for item in pods[:1]:
            first = shape["spec"]["containers"][0]["name"]
            lines = [f"INFO {name} handled request {place} in {3 + place % 5} ms" for place in range(4)]
            self.frozen.log(item["metadata"]["name"], first, *lines, minutes_ago=5, every_seconds=60)
        return pods

    def template(self, name: str, containers: Sequence[Mapping[str, Any]] = (), **spec: Any) -> Object:
        """A pod template: fields of a container, such as ``image``, go to the only one, the rest to the spec."""
        fields = {key: spec.pop(key) for key in _CONTAINER_FIELDS if key in spec}
        image = fields.pop("image", f"{self.registry}/{name}:2.4.1")
        own = [container(name, image, **fields)] if not containers else [dict(item) for item in containers]
        return pod_template(name, own, **spec)

    def _serve(self, name: str, shape: Mapping[str, Any], addresses: Sequence[str]) -> None:
        ports = shape["spec"]["containers"][0].get("ports") or [{"containerPort": 8080}]
        port = ports[0]["containerPort"]
        self.frozen.add(service(name, self.namespace, port=port, target_port=port))
        self.frozen.add(endpoints(name, self.namespace, addresses=addresses, port=port))

    def _owner(
        self, name: str, kind: str, replicas: int, shape: Mapping[str, Any], *, available: int, created: str = ""
    ) -> tuple[Object, Object]:
        """The workload and what owns its pods (the same but for a Deployment)."""
        base = deployment(name, self.namespace, template=shape, replicas=replicas, available=available)
        if created:
            base["metadata"]["creationTimestamp"] = created
        if kind == "Deployment":
            parts = {"created": created} if created else {}
            group = replica_set(base, suffix(name + "rs", 9), revision=1, replicas=replicas, **parts)
            group["status"] |= {"readyReplicas": available, "availableReplicas": available}
            return base, group
        base["kind"] = kind
        base["metadata"]["uid"] = metadata(kind, name, self.namespace)["uid"]
        base["metadata"]["annotations"] = {}
        base["spec"].pop("strategy", None)
        base["status"].pop("conditions", None)
        if kind == "StatefulSet":
            base["spec"] |= {"serviceName": name, "podManagementPolicy": "OrderedReady"}
        elif kind == "DaemonSet":
            base["spec"].pop("replicas")
            base["status"] = {"desiredNumberScheduled": replicas, "currentNumberScheduled": replicas}
            base["status"] |= {"numberReady": available, "numberAvailable": available, "numberMisscheduled": 0}
            if available < replicas:
                base["status"]["numberUnavailable"] = replicas - available
        elif kind == "Job":
            base["apiVersion"] = "batch/v1"
            base["spec"] = {
                "parallelism": replicas,
                "completions": replicas,
                "backoffLimit": 6,
                "template": deepcopy(shape),
            }
            base["spec"]["template"]["spec"]["restartPolicy"] = "Never"
            base["status"] = {"active": replicas, "ready": available, "startTime": created or self.frozen.stamp(20)}
        return base, base

    def _pod(
        self,
        name: str,
        kind: str,
        parent: Mapping[str, Any],
        place: int,
        *,
        node_name: str,
        run: Run | None = None,
        phase: str = "Running",
    ) -> Object:
        ends = str(place) if kind == "StatefulSet" else suffix(f"{name}{place}")
        full = f"{parent['metadata']['name']}-{ends}"
        made = pod(full, self.namespace, owner=parent, node_name=node_name, phase=phase, run=run or Run())
        if node_name and phase == "Running":
            made["status"]["podIP"] = (
                f"10.{40 + zlib.crc32(full.encode()) % 9}.{zlib.crc32(full.encode()) % 250}.{place + 5}"
            )
        return made

    # ---------------------------------------------------------------------------------------------- the broken

    def refused(
        self,
        name: str,
        message: str,
        *,
        kind: str = "Deployment",
        replicas: int = 2,
        running: int = 0,
        minutes_ago: float = 12,
        count: int = 14,
        condition: bool = True,
        serve: bool = True,
        template: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> Object:
        """A workload whose pods the API server refuses; ``{pod}`` in the message becomes the refused pod's name."""
        shape = template or self.template(name, **spec)
        created = self.frozen.stamp(minutes_ago) if not running else ""
        owner, parent = self._owner(name, kind, replicas, shape, available=running, created=created)
        pods = [self._pod(name, kind, parent, place, node_name=self.place()) for place in range(running)]
        refused = f"{parent['metadata']['name']}-{running if kind == 'StatefulSet' else suffix(name + 'no')}"
        text = message.format(pod=refused, claim=f"data-{refused}")
        parent["status"] |= {"replicas": running, "readyReplicas": running, "availableReplicas": running}
        since = self.frozen.stamp(minutes_ago)
        if condition and kind == "Deployment":
            failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": text}
            failure |= {"lastTransitionTime": since}
            parent["status"]["conditions"] = [failure]
            owner["status"] |= {"replicas": running, "updatedReplicas": running}
            owner["status"]["conditions"].append({**failure, "lastUpdateTime": since})
        if kind == "DaemonSet":
            owner["status"]["currentNumberScheduled"] = running
        if kind == "Job":
            owner["status"] = {"startTime": since}
        self.frozen.add(owner, *([parent] if parent is not owner else []), *pods)
        lead = "Error creating: " if kind in ("Deployment", "DaemonSet", "Job") else ""
        if kind == "StatefulSet" and "persistentvolumeclaims" not in text:
            lead = f"create Pod {refused} in StatefulSet {name} failed error: "
        source = {"Deployment": "replicaset-controller", "StatefulSet": "statefulset-controller"}
        self.frozen.event(
            parent,
            "FailedCreate",
            lead + text,
            count=count,
            minutes_ago=1.5,
            first_minutes_ago=minutes_ago,
            component=source.get(kind, f"{kind.lower()}-controller"),
        )
        if serve and kind != "Job":
            self._serve(name, shape, [item["status"].get("podIP", "") for item in pods])
        return owner

    def pending(
        self,
        name: str,
        message: str,
        *,
        kind: str = "Deployment",
        replicas: int = 2,
        running: int = 0,
        on: Sequence[str] = (),
        minutes_ago: float = 11,
        count: int = 9,
        serve: bool = True,
        event: bool = True,
        reason: str = "Unschedulable",
        template: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> list[Object]:
        """A workload whose last pods the scheduler cannot place; the pods are returned, the running ones first."""
        shape = template or self.template(name, **spec)
        fresh = self.frozen.stamp(minutes_ago)
        owner, parent = self._owner(
            name, kind, replicas, shape, available=running, created=fresh if not running else ""
        )
        pods = []
        for place in range(replicas):
            if place < running:
                where = on[place % len(on)] if on else self.place()
                pods.append(self._pod(name, kind, parent, place, node_name=where))
                continue
            if kind == "StatefulSet" and place > running:
                break
            stuck = self._pod(
                name, kind, parent, place, node_name="", phase="Pending", run=Run(ready=False, started=fresh)
            )
            told = {"reason": reason, "message": message, "lastTransitionTime": fresh}
            stuck["status"]["conditions"] = [{"type": "PodScheduled", "status": "False", **told}]
            pods.append(stuck)
            if event:
                self.frozen.event(
                    stuck,
                    "FailedScheduling",
                    message,
                    minutes_ago=1.0,
                    first_minutes_ago=minutes_ago,
                    count=count,
                    component="default-scheduler",
                )
        self.frozen.add(owner, *([parent] if parent is not owner else []), *pods)
        if serve and kind != "Job":
            self._serve(name, shape, [item["status"].get("podIP", "") for item in pods[:running]])
        return pods

    def waiting(
        self,
        name: str,
        state: Mapping[str, Any],
        *events: tuple[str, str],
        kind: str = "Deployment",
        replicas: int = 2,
        running: int = 0,
        place: int = 0,
        restarts: int = 0,
        last_state: Mapping[str, Any] | None = None,
        minutes_ago: float = 9,
        count: int = 7,
        on: Sequence[str] = (),
        serve: bool = True,
        template: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> list[Object]:
        """A workload whose last pods are on nodes and do not start: the container number ``place`` is in ``state``."""
        shape = template or self.template(name, **spec)
        fresh = self.frozen.stamp(minutes_ago)
        owner, parent = self._owner(
            name, kind, replicas, shape, available=running, created=fresh if not running else ""
        )
        pods = []
        for number in range(replicas):
            where = on[number % len(on)] if on else self.place()
            if number < running:
                pods.append(self._pod(name, kind, parent, number, node_name=where))
                continue
            if kind == "StatefulSet" and number > running:
                break
            stuck = self._pod(
                name, kind, parent, number, node_name=where, phase="Pending", run=Run(ready=False, started=fresh)
            )
            crashed = bool(last_state) or "terminated" in state
            stuck["status"]["phase"] = "Running" if crashed else "Pending"
            for at, status in enumerate(stuck["status"]["containerStatuses"]):
                if at == place:
                    status |= {"state": dict(state), "lastState": dict(last_state or {}), "restartCount": restarts}
                    status |= {"ready": False, "started": False}
            pods.append(stuck)
            for reason, message in events:
                kindly = "Normal" if reason in ("Pulling", "Scheduled", "Pulled") else "Warning"
                self.frozen.event(
                    stuck, reason, message, kind=kindly, minutes_ago=1.2, first_minutes_ago=minutes_ago, count=count
                )
        self.frozen.add(owner, *([parent] if parent is not owner else []), *pods)
        if serve and kind != "Job":
            self._serve(name, shape, [item["status"].get("podIP", "") for item in pods[:running]])
        return pods

    def new_revision(self, name: str, *, minutes_ago: float = 10, surge: int = 1, **spec: Any) -> tuple[Object, Object]:
        """A rollout of a healthy Deployment begins: the new template and its ReplicaSet, without pods as yet."""
        owner = self.frozen.find("Deployment", name)
        shape = self.template(name, **spec)
        owner["spec"]["template"] = shape
        owner["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
        owner["metadata"]["generation"] = 2
        started = self.frozen.stamp(minutes_ago)
        total = owner["spec"]["replicas"]
        owner["status"] |= {"observedGeneration": 2, "updatedReplicas": surge, "replicas": total + surge}
        owner["status"]["unavailableReplicas"] = surge
        for row in owner["status"]["conditions"]:
            if row["type"] == "Progressing":
                row |= {"reason": "ReplicaSetUpdated", "lastUpdateTime": started}
        group = replica_set(owner, suffix(name + "new", 9), revision=2, replicas=surge, created=started)
        group["status"] |= {"readyReplicas": 0, "availableReplicas": 0}
        self.frozen.add(group)
        self.frozen.event(
            owner,
            "ScalingReplicaSet",
            f"Scaled up replica set {group['metadata']['name']} to {surge} from 0",
            kind="Normal",
            minutes_ago=minutes_ago,
            component="deployment-controller",
        )
        return owner, group

    def suffers(self, name: str, callee: str, *, ready: bool = True, port: int = 8080) -> None:
        """An existing service's log complains about a callee; with ``ready`` False its readiness fails for it too."""
        found = next(
            item
            for item in self.frozen.objects or ()
            if item["kind"] == "Pod" and item["metadata"]["labels"].get("app") == name
        )
        first = found["spec"]["containers"][0]["name"]
        line = f"ERROR call to http://{callee}:{port} failed: dial tcp 10.96.0.10:{port}: connect: connection refused"
        self.frozen.log(found["metadata"]["name"], first, *[line] * 6, minutes_ago=4, every_seconds=30)
        self.frozen.calls((name, callee))
        if not ready:
            found["status"]["containerStatuses"][0] |= {"ready": False}
            for row in found["status"]["conditions"]:
                if row["type"] in ("Ready", "ContainersReady"):
                    row |= {"status": "False", "reason": "ContainersNotReady"}
            told = "Readiness probe failed: HTTP probe failed with statuscode: 503"
            self.frozen.event(found, "Unhealthy", told, count=11, minutes_ago=1, first_minutes_ago=8)


_CONTAINER_FIELDS = (
    "image", "resources", "env", "port", "command", "args", "envFrom", "volumeMounts", "securityContext",
    "readinessProbe", "livenessProbe", "workingDir", "lifecycle",
)  # fmt: skip


def machine(
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[tuple[str, str, str]] = (),
    cpu: str = "4",
    memory: str = "16Gi",
    zone: str = "",
    cordoned: bool = False,
    ready: bool = True,
    arch: str = "amd64",
    **extended: str,
) -> Object:
    """A Node; taints as (key, value, effect); ``extended`` are further resources, with ``__`` for ``/``."""
    made = node(name, ready=ready, cordoned=cordoned)
    made["metadata"]["labels"] |= {"kubernetes.io/os": "linux", "kubernetes.io/arch": arch, **(labels or {})}
    if zone:
        made["metadata"]["labels"]["topology.kubernetes.io/zone"] = zone
    rows = [{"key": key, "value": value, "effect": effect} for key, value, effect in taints]
    rows = [{key: value for key, value in row.items() if value} for row in rows]
    if rows:
        made["spec"]["taints"] = [*made["spec"].get("taints", []), *rows]
    more = {key.replace("__", "/"): value for key, value in extended.items()}
    for part in ("capacity", "allocatable"):
        made["status"][part] |= {"cpu": cpu, "memory": memory, **more}
    made["status"]["nodeInfo"] = {"architecture": arch, "kubeletVersion": "v1.31.4", "operatingSystem": "linux"}
    made["status"]["nodeInfo"]["containerRuntimeVersion"] = "containerd://1.7.24"
    return made


def account(namespace: str, name: str) -> Object:
    """A ServiceAccount."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata("ServiceAccount", name, namespace)}


def space(name: str, **labels: str) -> Object:
    """A Namespace; ``__`` in a label's name is ``/`` and ``_`` is ``-``."""
    shown = {"kubernetes.io/metadata.name": name}
    shown |= {key.replace("__", "/").replace("_", "-"): value for key, value in labels.items()}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata("Namespace", name, labels=shown),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def quota(namespace: str, name: str, hard: Mapping[str, str], used: Mapping[str, str], **spec: Any) -> Object:
    """A ResourceQuota with its status."""
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata("ResourceQuota", name, namespace),
        "spec": {"hard": dict(hard), **spec},
        "status": {"hard": dict(hard), "used": dict(used)},
    }


def limit_range(namespace: str, name: str, *limits: Mapping[str, Any]) -> Object:
    """A LimitRange."""
    return {
        "apiVersion": "v1",
        "kind": "LimitRange",
        "metadata": metadata("LimitRange", name, namespace),
        "spec": {"limits": [deepcopy(dict(item)) for item in limits]},
    }


def secret(namespace: str, name: str, *keys: str, kind: str = "Opaque") -> Object:
    """A Secret by name and keys, as snapshots keep it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata("Secret", name, namespace),
        "type": kind,
        "data": dict.fromkeys(keys, ""),
    }


def requests(cpu: str = "", memory: str = "", **more: str) -> Object:
    """Resources with requests only."""
    rows = {"cpu": cpu, "memory": memory, **{key.replace("__", "/"): value for key, value in more.items()}}
    return {"requests": {key: value for key, value in rows.items() if value}}


def claim(
    namespace: str,
    name: str,
    *,
    size: str = "10Gi",
    modes: Sequence[str] = ("ReadWriteOnce",),
    storage_class: str | None = "standard",
    bound_to: str = "",
    selector: Mapping[str, Any] | None = None,
    created: str = "",
    **spec: Any,
) -> Object:
    """A PersistentVolumeClaim, pending unless ``bound_to`` names its volume; class None leaves it out."""
    body: Object = {
        "accessModes": list(modes),
        "resources": {"requests": {"storage": size}},
        "volumeMode": "Filesystem",
    }
    if storage_class is not None:
        body["storageClassName"] = storage_class
    if selector:
        body["selector"] = deepcopy(dict(selector))
    status: Object = {"phase": "Pending"}
    if bound_to:
        body["volumeName"] = bound_to
        status = {"phase": "Bound", "accessModes": list(modes), "capacity": {"storage": size}}
    meta = metadata("PersistentVolumeClaim", name, namespace)
    if created:
        meta["creationTimestamp"] = created
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta,
        "spec": {**body, **spec},
        "status": status,
    }


def volume(
    name: str,
    *,
    size: str = "10Gi",
    modes: Sequence[str] = ("ReadWriteOnce",),
    storage_class: str = "standard",
    claim_of: tuple[str, str] | None = None,
    phase: str = "",
    labels: Mapping[str, str] | None = None,
    affinity: tuple[str, Sequence[str]] | None = None,
    **source: Any,
) -> Object:
    """A PersistentVolume; ``affinity`` is (node label, values); the source defaults to NFS."""
    spec: Object = {"capacity": {"storage": size}, "accessModes": list(modes), "volumeMode": "Filesystem"}
    spec |= {"persistentVolumeReclaimPolicy": "Retain", "storageClassName": storage_class}
    spec |= source or {"nfs": {"server": "10.20.0.9", "path": f"/exports/{name}"}}
    if claim_of:
        spec["claimRef"] = {"kind": "PersistentVolumeClaim", "namespace": claim_of[0], "name": claim_of[1]}
    if affinity:
        match = {"key": affinity[0], "operator": "In", "values": list(affinity[1])}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [match]}]}}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": metadata("PersistentVolume", name, labels=labels),
        "spec": spec,
        "status": {"phase": phase or ("Bound" if claim_of else "Available")},
    }


def storage_class(
    name: str, *, provisioner: str = "kubernetes.io/no-provisioner", wait: bool = False, default: bool = False
) -> Object:
    """A StorageClass."""
    notes = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata("StorageClass", name, annotations=notes),
        "provisioner": provisioner,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer" if wait else "Immediate",
    }


def mounted(claim_name: str, path: str = "/data", name: str = "data") -> Object:
    """The two fields of a template that mounts a claim: ``volumes`` and ``volumeMounts``."""
    return {
        "volumes": [{"name": name, "persistentVolumeClaim": {"claimName": claim_name}}],
        "volumeMounts": [{"name": name, "mountPath": path}],
    }
