"""Builders of Kubernetes API objects: small, valid, shaped as ``kubectl get -o json`` prints them.

Every builder takes what tests vary and fills in the rest as a healthy cluster would have it; what it returns shares
nothing with its arguments, so an object may be edited without changing another. ``uid`` follows from kind,
namespace and name, so owner references hold without a server. ``pod_template`` is shared by Deployment and ReplicaSet;
only the latter carries ``pod-template-hash``, as in a real cluster. Times are RFC 3339 text.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from agent_sre.domain.reference import ObjectRef

CREATED = "2026-01-05T08:00:00Z"
DEFAULT_RESOURCES = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
Object = dict[str, Any]


def metadata(
    kind: str,
    name: str,
    namespace: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    owner: Mapping[str, Any] | None = None,
    created: str = CREATED,
) -> Object:
    """Metadata with a uid; with ``owner`` a controller reference."""
    meta: Object = {"name": name, "uid": str(uuid5(NAMESPACE_DNS, str(ObjectRef(kind, namespace, name))))}
    if namespace:
        meta["namespace"] = namespace
    meta |= {"creationTimestamp": created, "generation": 1, "labels": dict(labels or {})}
    meta["annotations"] = dict(annotations or {})
    if owner is not None:
        meta["ownerReferences"] = [
            {
                "apiVersion": owner["apiVersion"],
                "kind": owner["kind"],
                "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
    return meta


def container(
    name: str,
    image: str,
    *,
    env: Mapping[str, str] | None = None,
    resources: Mapping[str, Any] | None = None,
    port: int = 8080,
    **fields: Any,
) -> Object:
    """One container of a pod template; ``fields`` are further API fields such as ``livenessProbe``."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "ports": [{"containerPort": port, "protocol": "TCP"}],
        "resources": deepcopy(dict(resources or DEFAULT_RESOURCES)),
        "terminationMessagePath": "/dev/termination-log",
        **deepcopy(fields),
    }


def pod_template(
    app: str,
    containers: Sequence[Mapping[str, Any]],
    *,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> Object:
    """A pod template labelled ``app``; ``spec`` are further fields of the pod's spec."""
    meta: Object = {"labels": {"app": app}}
    if annotations:
        meta["annotations"] = dict(annotations)
    return {
        "metadata": meta,
        "spec": {
            "containers": [deepcopy(dict(item)) for item in containers],
            "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst",
        }
        | deepcopy(spec),
    }


def deployment(
    name: str,
    namespace: str = "shop",
    *,
    image: str = "registry.example/app:1",
    template: Mapping[str, Any] | None = None,
    replicas: int = 2,
    available: int | None = None,
    revision: int = 1,
) -> Object:
    """A Deployment whose rollout is complete; ``available`` says how many replicas are (default: all)."""
    ready = replicas if available is None else available
    spec: Object = {
        "replicas": replicas,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "selector": {"matchLabels": {"app": name}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": deepcopy(dict(template or pod_template(name, [container(name, image)]))),
    }
    status: Object = {"observedGeneration": 1, "replicas": replicas, "updatedReplicas": replicas}
    status |= {"readyReplicas": ready, "availableReplicas": ready}
    if ready < replicas:
        status["unavailableReplicas"] = replicas - ready
    enough = "True" if ready == replicas else "False"
    reason = "MinimumReplicasAvailable" if ready == replicas else "MinimumReplicasUnavailable"
    status["conditions"] = [
        {"type": "Available", "status": enough, "reason": reason, "lastTransitionTime": CREATED},
        {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable", "lastTransitionTime": CREATED},
    ]
    annotations = {"deployment.kubernetes.io/revision": str(revision)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata("Deployment", name, namespace, labels={"app": name}, annotations=annotations),
        "spec": spec,
        "status": status,
    }


def replica_set(
    owner: Mapping[str, Any],
    suffix: str,
    *,
    revision: int,
    template: Mapping[str, Any] | None = None,
    replicas: int = 0,
    created: str = CREATED,
) -> Object:
    """A ReplicaSet ``<deployment>-<suffix>`` of a Deployment, with the revision annotation and pod-template-hash."""
    name, namespace = f"{owner['metadata']['name']}-{suffix}", owner["metadata"]["namespace"]
    source = deepcopy(dict(template or owner["spec"]["template"]))
    labels = {**source["metadata"]["labels"], "pod-template-hash": suffix}
    annotations = {
        "deployment.kubernetes.io/revision": str(revision),
        "deployment.kubernetes.io/desired-replicas": str(owner["spec"]["replicas"]),
        "deployment.kubernetes.io/max-replicas": str(owner["spec"]["replicas"] + 1),
    }
    meta = metadata("ReplicaSet", name, namespace, labels=labels, annotations=annotations, owner=owner, created=created)
    selector = {**owner["spec"]["selector"]["matchLabels"], "pod-template-hash": suffix}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta,
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": {**source, "metadata": {**source["metadata"], "labels": labels}},
        },
        "status": {"observedGeneration": 1, "replicas": replicas, "readyReplicas": replicas},
    }


@dataclass(frozen=True, slots=True)
class Run:
    """How a pod's first container fares; ``state`` and ``last_state`` as ``waiting(...)`` and ``terminated(...)``."""

    ready: bool = True
    restarts: int = 0
    state: Mapping[str, Any] | None = None
    last_state: Mapping[str, Any] | None = None
    started: str = CREATED


HEALTHY = Run()


def pod(
    name: str,
    namespace: str = "shop",
    *,
    owner: Mapping[str, Any] | None = None,
    spec: Mapping[str, Any] | None = None,
    run: Run = HEALTHY,
    phase: str = "Running",
    node_name: str = "node-1",
) -> Object:
    """A Pod, from the template of its ``owner`` where it has one; an empty ``node_name`` leaves it unscheduled."""
    template = (owner or {}).get("spec", {}).get("template") or pod_template(
        name, [container("app", "registry.example/app:1")]
    )
    pod_spec: Object = deepcopy(dict(spec or template["spec"]))
    conditions = [_condition("PodScheduled", bool(node_name), run.started)]
    conditions += [
        _condition(kind, run.ready and bool(node_name), run.started) for kind in ("ContainersReady", "Ready")
    ]
    status: Object = {"phase": phase, "conditions": conditions, "qosClass": "Burstable"}
    if node_name:
        pod_spec["nodeName"] = node_name
        status |= {"hostIP": "10.0.0.1", "podIP": "10.1.0.1", "startTime": run.started}
        runs = [run] + [HEALTHY] * (len(pod_spec["containers"]) - 1)
        pairs = zip(pod_spec["containers"], runs, strict=True)
        status["containerStatuses"] = [_container_status(item, its) for item, its in pairs]
    labels = dict(template["metadata"]["labels"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata("Pod", name, namespace, labels=labels, owner=owner, created=run.started),
        "spec": pod_spec,
        "status": status,
    }


def _condition(kind: str, holds: bool, since: str) -> Object:
    return {"type": kind, "status": "True" if holds else "False", "lastTransitionTime": since}


def _container_status(item: Mapping[str, Any], run: Run) -> Object:
    return {
        "name": item["name"],
        "image": item["image"],
        "imageID": f"{item['image']}@sha256:{'0' * 64}",
        "ready": run.ready,
        "started": run.ready,
        "restartCount": run.restarts,
        "state": deepcopy(dict(run.state or {"running": {"startedAt": run.started}})),
        "lastState": deepcopy(dict(run.last_state or {})),
    }


def waiting(reason: str, message: str = "") -> Object:
    """A container state: waiting."""
    return {"waiting": {"reason": reason, "message": message}}


def terminated(reason: str, exit_code: int, finished: str = CREATED) -> Object:
    """A container state: terminated."""
    return {"terminated": {"reason": reason, "exitCode": exit_code, "startedAt": CREATED, "finishedAt": finished}}


def event(
    about: Mapping[str, Any],
    reason: str,
    message: str,
    *,
    kind: str = "Warning",
    count: int = 1,
    at: str = CREATED,
    component: str = "kubelet",
) -> Object:
    """A Kubernetes Event about an object; ``kind`` is Warning or Normal."""
    meta = about["metadata"]
    namespace = meta.get("namespace", "default")
    involved = {"apiVersion": about["apiVersion"], "kind": about["kind"], "name": meta["name"], "uid": meta["uid"]}
    if "namespace" in meta:
        involved["namespace"] = namespace
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": metadata("Event", f"{meta['name']}.{reason.lower()}", namespace, created=at),
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": kind,
        "count": count,
        "firstTimestamp": at,
        "lastTimestamp": at,
        "source": {"component": component},
        "reportingComponent": component,
    }


def service(name: str, namespace: str = "shop", *, port: int = 80, target_port: int = 8080, **selector: str) -> Object:
    """A ClusterIP Service; ``selector`` defaults to ``app=<name>``."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata("Service", name, namespace, labels={"app": name}),
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.0.10",
            "selector": selector or {"app": name},
            "ports": [{"name": "http", "port": port, "targetPort": target_port, "protocol": "TCP"}],
        },
        "status": {"loadBalancer": {}},
    }


def endpoints(name: str, namespace: str = "shop", *, addresses: Sequence[str] = (), port: int = 8080) -> Object:
    """The Endpoints of a Service; without addresses it has none ready."""
    subset = {
        "addresses": [{"ip": ip} for ip in addresses],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata("Endpoints", name, namespace, labels={"app": name}),
        "subsets": [subset] if addresses else [],
    }


def node(name: str = "node-1", *, ready: bool = True, pressure: str = "", cordoned: bool = False) -> Object:
    """A Node; ``pressure`` names a condition that is True, such as MemoryPressure."""
    conditions = [
        {"type": kind, "status": "True" if kind == pressure else "False", "lastTransitionTime": CREATED}
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")
    ]
    reason = "KubeletReady" if ready else "NodeStatusUnknown"
    truth = "True" if ready else "Unknown"
    conditions.append({"type": "Ready", "status": truth, "reason": reason, "lastTransitionTime": CREATED})
    spec: Object = {"podCIDR": "10.1.0.0/24"}
    if cordoned:
        spec |= {"unschedulable": True, "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]}
    capacity = {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "100Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata("Node", name, labels={"kubernetes.io/hostname": name}),
        "spec": spec,
        "status": {"capacity": capacity, "allocatable": dict(capacity), "conditions": conditions},
    }


def config_map(name: str, namespace: str = "shop", **data: str) -> Object:
    """A ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata("ConfigMap", name, namespace),
        "data": dict(data),
    }
