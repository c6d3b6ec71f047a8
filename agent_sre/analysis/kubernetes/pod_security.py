"""Pod Security Standards: what a namespace's enforced level forbids in a pod template.

The level is a label of the namespace (``pod-security.kubernetes.io/enforce``). The checks are those of the
baseline and restricted profiles that a workload usually breaks; the words of a refusal, where they still exist, are
``admission``'s business. Each broken check is named with the field that breaks it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Container
from agent_sre.analysis.kubernetes.reading import Path, dig, items, labels, mapping, positions, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import ObjectRef

_LABEL = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_RESTRICTED_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
        "image",
    }
)


def forbidden(cluster: Cluster, workload: Workload) -> list[Fact]:
    """Facts for what the namespace's enforced level forbids in the template; empty where nothing is."""
    space = cluster.get(ObjectRef("Namespace", "", workload.ref.namespace))
    level = labels(space.value, "metadata", "labels").get(_LABEL, "") if space is not None else ""
    source = workload.spec_source
    if space is None or source is None or level not in ("baseline", "restricted"):
        return []
    seen, path = source
    spec = mapping(seen.value, *path)
    broken = list(_baseline(spec, path, workload))
    if level == "restricted":
        broken += _restricted(spec, path, workload)
    if not broken:
        return []
    enforced = fact(f"Namespace {workload.ref.namespace} enforces a Pod Security level", space, ("metadata", "labels"))
    return [enforced, *(fact(f"The level forbids this: {why}", seen, *paths) for why, paths in broken[:4])]


Broken = tuple[str, tuple[Path, ...]]


def _baseline(spec: Mapping[str, Any], path: Path, workload: Workload) -> Iterator[Broken]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field) is True:
            yield "host namespaces", ((*path, field),)
    for place, volume in positions(spec, "volumes"):
        if "hostPath" in volume:
            yield "a volume of a host path", ((*path, "volumes", place),)
    for container in workload.containers:
        context: Path = (*container.spec_path, "securityContext")
        if dig(container.spec, "securityContext", "privileged") is True:
            yield "a privileged container", (context,)
        added = set(dig(container.spec, "securityContext", "capabilities", "add", default=[]))
        if added - _BASELINE_CAPABILITIES:
            yield "added capabilities", (context,)
        if any(port.get("hostPort") for port in items(container.spec, "ports")):
            yield "a host port", ((*container.spec_path, "ports"),)


def _restricted(spec: Mapping[str, Any], path: Path, workload: Workload) -> Iterator[Broken]:
    for place, volume in positions(spec, "volumes"):
        kinds = set(volume) - {"name"}
        if kinds and not kinds & _RESTRICTED_VOLUMES:
            yield "a volume of this kind", ((*path, "volumes", place),)
    for container in workload.containers:
        own = mapping(container.spec, "securityContext")
        paths: tuple[Path, ...] = ((*container.spec_path, "name"), (*container.spec_path, "securityContext"))
        paths += ((*path, "securityContext"),)
        if own.get("allowPrivilegeEscalation") is not False:
            yield "privilege escalation is not excluded", paths
        if "ALL" not in dig(own, "capabilities", "drop", default=[]):
            yield "capabilities are not dropped", paths
        if not _either(spec, container, "runAsNonRoot"):
            yield "the user may be root", paths
        if text(mapping(_either(spec, container, "seccompProfile") or {}), "type") not in (
            "RuntimeDefault",
            "Localhost",
        ):
            yield "no seccomp profile is set", paths


def _either(spec: Mapping[str, Any], container: Container, field: str) -> Any:
    """A security setting of the container, else of the pod."""
    own = dig(container.spec, "securityContext", field)
    return dig(spec, "securityContext", field) if own is None else own
