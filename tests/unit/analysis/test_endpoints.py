"""The ready addresses of a Service, from Endpoints or from EndpointSlices."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.routing import endpoints
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.testing.kubernetes_objects import endpoints as endpoints_object, service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ready(*objects: dict[str, Any]) -> int | None:
    seen = Observation("k/1", "k", "kubernetes", "GET x", NOW, objects=(service("cart"), *objects))
    window = Window(NOW - timedelta(hours=1), NOW)
    case = CaseFile(now=NOW, window=window, namespaces=["shop"], alerts=[], observations=[seen])
    cluster = cluster_of(case)
    count, _ = endpoints(cluster, cluster.objects("Service")[0])
    return count


def piece(name: str, *addresses: str, of: str = "cart", ready: bool | None = True) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": of}}
    conditions = {} if ready is None else {"ready": ready}
    found = [{"addresses": [address], "conditions": conditions} for address in addresses]
    return {"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1", "metadata": metadata, "endpoints": found}


def test_endpoints_tell_where_they_are_there() -> None:
    assert ready(endpoints_object("cart", addresses=["10.0.0.1", "10.0.0.2"])) == 2


def test_slices_tell_where_there_are_no_endpoints_and_an_address_counts_once() -> None:
    assert ready(piece("cart-a", "10.0.0.1", "10.0.0.2"), piece("cart-b", "10.0.0.2", ready=None)) == 2
    assert ready(piece("cart-a", "10.0.0.1", ready=False)) == 0
    assert ready(piece("cart-a")) == 0


def test_without_either_it_is_not_known() -> None:
    assert ready() is None
    assert ready(piece("web-a", "10.0.0.1", of="web")) is None
