"""Labels in our names, whatever a source calls them.

Correlation, collectors and analyzers look for ``namespace``, ``deployment``, ``pod`` and a few more, as Prometheus'
Kubernetes labels are called. Other systems have conventions of their own: OpenTelemetry ``k8s.namespace.name``, Datadog
``kube_namespace``, Google ``namespace_name``, CloudWatch's Container Insights ``PodName``. What a source sent stays;
ours is added where it is missing.
"""

import re
from collections.abc import Mapping

from agent_sre.ingest.fields import word
from agent_sre.ingest.payload import PayloadError, shown

MAX_LABELS = 256
MAX_LABEL = 4_096

_OURS: Mapping[str, tuple[str, ...]] = {
    "namespace": ("kube_namespace", "kubernetes_namespace", "namespace_name", "k8s_namespace_name", "k8s_namespace"),
    "deployment": ("kube_deployment", "kubernetes_deployment", "deployment_name", "k8s_deployment_name"),
    "statefulset": ("kube_stateful_set", "kube_statefulset", "statefulset_name", "k8s_statefulset_name"),
    "daemonset": ("kube_daemon_set", "kube_daemonset", "daemonset_name", "k8s_daemonset_name"),
    "workload": ("controllername", "controller_name", "top_level_controller_name", "owner_name"),
    "pod": ("pod_name", "podname", "kube_pod", "kubernetes_pod", "k8s_pod_name", "kubernetes_pod_name"),
    "container": ("container_name", "containername", "kube_container_name", "k8s_container_name"),
    "node": ("node_name", "nodename", "kube_node", "kubernetes_node", "k8s_node_name"),
    "service": ("service_name", "servicename", "kube_service"),
    "cluster": ("cluster_name", "clustername", "kube_cluster_name", "k8s_cluster_name"),
    "instance": ("host", "hostname", "host_name", "instance_id", "instanceid", "server_name"),
}
"""Our names, and what others call the same, in lower case with every separator an underscore."""

_THEIRS = {theirs: ours for ours, names in _OURS.items() for theirs in (*names, ours)}
_SEPARATORS = re.compile(r"[ .\-/]+")


def labels_of(told: Mapping[str, object]) -> tuple[dict[str, str], int]:
    """A source's labels with ours added, and how many were left out beyond the limit.

    What has no text value is no label. Long values are cut: these labels are not the alert's identity. Raises
    PayloadError for NUL, which databases cannot store.
    """
    spoken = {name: text for name, value in told.items() if name and (text := word(value))}
    kept = dict(list(spoken.items())[:MAX_LABELS])
    for name, text in kept.items():
        if "\0" in name or "\0" in text:
            raise PayloadError(f"the label {shown(name)} contains NUL", "remove the NUL character from the label")
    labels = {name[:MAX_LABEL]: text[:MAX_LABEL] for name, text in kept.items()}
    for name, text in list(labels.items()):
        ours = _THEIRS.get(_SEPARATORS.sub("_", name.lower()))
        if ours is not None:
            labels.setdefault(ours, text)
    return labels, len(spoken) - len(kept)
