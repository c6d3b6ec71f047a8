"""What a pod refers to and the listing lacks: ConfigMaps, and keys of them.

The kubelet says so in events that expire; the references and the listing stay. A reference that is optional harms
nobody, and a kind that was not listed proves nothing. Secrets are never read, so of them the kubelet tells; where no
words of it are left, a container that waits for its configuration and names nothing but Secrets tells as much.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Container, Pod
from agent_sre.analysis.kubernetes.reading import Path, items, mapping, positions, text
from agent_sre.domain.finding import Fact
from agent_sre.domain.reference import ObjectRef

_EVERYWHERE = "kube-root-ca.crt"
"""A ConfigMap that the controller manager puts into every namespace; exports leave it out."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A ConfigMap that a pod needs, the keys it needs of it, and where the pod says so."""

    name: str
    keys: tuple[str, ...]
    path: Path


def missing_config_maps(cluster: Cluster, pod: Pod) -> list[Fact]:
    """A fact for every reference of the pod to a ConfigMap, or to a key of one, that is not listed."""
    if not cluster.looked_at("ConfigMap"):
        return []
    found = []
    for item in (*_volumes(pod), *_environment(pod)):
        seen = cluster.get(ObjectRef("ConfigMap", pod.ref.namespace, item.name))
        held = {*mapping(seen.value, "data"), *mapping(seen.value, "binaryData")} if seen is not None else set()
        if seen is None:
            found.append(fact(f"{pod.ref} needs the ConfigMap {item.name}, which is not listed", pod.seen, item.path))
        elif held and not set(item.keys) <= held:
            found.append(fact(f"{pod.ref} needs a key of {item.name} that it does not hold", pod.seen, item.path))
    return found


def secrets_alone(cluster: Cluster, pod: Pod, container: Container) -> list[Fact]:
    """The container's references to Secrets, where its environment has no other source that could be missing.

    Empty where ConfigMaps were not listed but are referred to, or where the security context could be what is refused.
    """
    spec = container.spec
    doubtful = mapping(spec, "securityContext") or mapping(pod.seen.value, "spec", "securityContext")
    if doubtful or (any(_of_container(container)) and not cluster.looked_at("ConfigMap")):
        return []
    paths: list[Path] = [
        (*container.spec_path, "env", place)
        for place, item in positions(spec, "env")
        if _needed(mapping(item, "valueFrom", "secretKeyRef"))
    ]
    paths += [
        (*container.spec_path, "envFrom", place)
        for place, item in positions(spec, "envFrom")
        if _needed(mapping(item, "secretRef"))
    ]
    return [fact(f"{container.name} of {pod.ref} takes this from a Secret", pod.seen, path) for path in paths]


def _needed(reference: Mapping[str, Any]) -> bool:
    return bool(text(reference, "name")) and reference.get("optional") is not True


def _volumes(pod: Pod) -> Iterator[Reference]:
    for place, volume in positions(pod.seen.value, "spec", "volumes"):
        for source in (volume, *items(volume, "projected", "sources")):
            inner = mapping(source, "configMap")
            name = text(inner, "name")
            if name and name != _EVERYWHERE and inner.get("optional") is not True:
                keys = tuple(text(item, "key") for item in items(inner, "items"))
                yield Reference(name, keys, ("spec", "volumes", place))


def _environment(pod: Pod) -> Iterator[Reference]:
    for container in pod.containers:
        yield from _of_container(container)


def _of_container(container: Container) -> Iterator[Reference]:
    for place, item in positions(container.spec, "envFrom"):
        inner = mapping(item, "configMapRef")
        if _needed(inner):
            yield Reference(text(inner, "name"), (), (*container.spec_path, "envFrom", place))
    for place, item in positions(container.spec, "env"):
        inner = mapping(item, "valueFrom", "configMapKeyRef")
        if _needed(inner):
            yield Reference(text(inner, "name"), (text(inner, "key"),), (*container.spec_path, "env", place))
