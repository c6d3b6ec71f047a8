"""LimitRanges: what a container's requests and limits become by default, and whether they stay within the bounds.

The LimitRanger admission plugin first fills in defaults, then checks minimum, maximum and the ratio of limit to
request, per container and per pod (the pod's sum, init containers by their maximum). A request that is not set is the
limit. Its refusal expires with its event; the bounds and the template remain, so they are compared here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.pods import Container
from agent_sre.analysis.kubernetes.reading import Path, dig, items, mapping, positions, quantity, ref_of, text
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact

Amounts = dict[str, Any]


def effective(cluster: Cluster, space: str, container: Container) -> tuple[Amounts, Amounts]:
    """Requests and limits as admission leaves them: with the namespace's defaults, quantities as written."""
    limits = dict(mapping(container.spec, "resources", "limits"))
    requests = dict(mapping(container.spec, "resources", "requests"))
    for seen in cluster.objects("LimitRange", space):
        for item in items(seen.value, "spec", "limits"):
            if text(item, "type") == "Container":
                # The API fills in what a LimitRange leaves out: the maximum as default, that or the minimum as request.
                default = {**mapping(item, "max"), **mapping(item, "default")}
                limits = {**default, **limits}
                requests = {**mapping(item, "min"), **default, **mapping(item, "defaultRequest"), **requests}
    return {**limits, **requests}, limits


def violations(cluster: Cluster, workload: Workload) -> Iterator[Fact]:
    """A fact for each bound of the namespace's LimitRanges that the workload's template breaks."""
    source = workload.spec_source
    if source is None:
        return
    for seen in cluster.objects("LimitRange", workload.ref.namespace):
        for place, item in positions(seen.value, "spec", "limits"):
            for container, why in _broken(cluster, workload, item):
                at: Path = ("spec", "limits", place)
                yield fact(f"{ref_of(seen.value)} sets the bounds", seen, at)
                for member in [container] if container else workload.containers:
                    sentence = f"{member.name}: {why}" if container else f"{member.name} counts towards the pod: {why}"
                    yield fact(sentence, source[0], (*member.spec_path, "resources"))


def _broken(cluster: Cluster, workload: Workload, bound: Mapping[str, Any]) -> Iterator[tuple[Container | None, str]]:
    space = workload.ref.namespace
    if text(bound, "type") == "Container":
        for container in workload.containers:
            requests, limits = effective(cluster, space, container)
            for why in _outside(bound, _plain(requests), _plain(limits)):
                yield container, why
    elif text(bound, "type") == "Pod":
        both = [effective(cluster, space, item) for item in workload.containers if not item.init]
        for why in _outside(bound, _sum([item[0] for item in both]), _sum([item[1] for item in both])):
            yield None, why


def _outside(bound: Mapping[str, Any], requests: dict[str, float], limits: dict[str, float]) -> Iterator[str]:
    for resource, raw in mapping(bound, "max").items():
        most = quantity(raw)
        if most is not None and (resource not in limits or limits[resource] > most):
            yield f"its {resource} limit is above the maximum, or not set"
    for resource, raw in mapping(bound, "min").items():
        least = quantity(raw)
        if least is not None and (resource not in requests or requests[resource] < least):
            yield f"its {resource} request is below the minimum, or not set"
    for resource, raw in mapping(bound, "maxLimitRequestRatio").items():
        most, asked = quantity(raw), requests.get(resource)
        if most is not None and asked and resource in limits and limits[resource] / asked > most:
            yield f"its {resource} limit is too many times its request"


def _plain(amounts: Mapping[str, Any]) -> dict[str, float]:
    return {key: found for key, raw in amounts.items() if (found := quantity(raw)) is not None}


def _sum(parts: list[Amounts]) -> dict[str, float]:
    """The sum of each resource; one that some container does not set is not bounded, so it is left out."""
    keys = {key for part in parts for key in part}
    return {
        key: sum(_plain(part).get(key, 0.0) for part in parts) for key in keys if all(key in part for part in parts)
    }


def wanted(cluster: Cluster, workload: Workload, resource: str) -> float | None:
    """What one pod of the template adds to a quota's resource such as ``requests.cpu``; None where it is not set.

    ``cpu`` and ``memory`` mean requests. The containers' sum, or the largest init container where that is more.
    """
    part, _, name = resource.rpartition(".")
    place = 1 if part == "limits" else 0
    amounts: dict[bool, list[float]] = {True: [], False: []}
    for container in workload.containers:
        found = quantity(effective(cluster, workload.ref.namespace, container)[place].get(name))
        if found is None:
            return None
        amounts[container.init and dig(container.spec, "restartPolicy") != "Always"].append(found)
    return max(sum(amounts[False]), max(amounts[True], default=0.0))
