"""Quantities, selectors, node predicates and addresses, as Kubernetes reads them."""

import pytest
from hypothesis import given, strategies as st

from agent_sre.analysis.kubernetes.addresses import hosts_in, service_named
from agent_sre.analysis.kubernetes.placement import told
from agent_sre.analysis.kubernetes.quotas import overruns
from agent_sre.analysis.kubernetes.reading import dig, quantity
from agent_sre.analysis.kubernetes.selectors import label_selector, node_terms, selects, untolerated
from agent_sre.domain.reference import ObjectRef

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("250m", 0.25),
        ("1.5", 1.5),
        (2, 2.0),
        ("128Mi", 128 * 2**20),
        ("1G", 1e9),
        ("1e3", 1000.0),
        ("x", None),
        (None, None),
    ],
)
def test_quantities(written: object, value: float | None) -> None:
    assert quantity(written) == value


@given(ANYTHING, st.lists(st.text(max_size=3) | st.integers(-3, 3), max_size=4))
def test_dig_never_raises(value: object, path: list[str | int]) -> None:
    dig(value, *path)


def test_an_empty_service_selector_selects_nothing_and_an_empty_label_selector_everything() -> None:
    assert not selects({}, {"app": "a"})
    assert label_selector({}, {"app": "a"})


@pytest.mark.parametrize(
    ("operator", "values", "matches"),
    [
        ("In", ["ssd"], True),
        ("NotIn", ["ssd"], False),
        ("Exists", [], True),
        ("DoesNotExist", [], False),
        ("Odd", [], False),
    ],
)
def test_node_selector_operators(operator: str, values: list[str], matches: bool) -> None:
    node = {"metadata": {"name": "n", "labels": {"disk": "ssd"}}}
    term = {"matchExpressions": [{"key": "disk", "operator": operator, "values": values}]}
    assert node_terms([term], node) is matches
    assert not node_terms([{}], node)


def test_tolerations() -> None:
    taint = {"key": "dedicated", "value": "batch", "effect": "NoSchedule"}
    assert untolerated([taint], []) == [taint]
    assert untolerated([taint], [{"operator": "Exists"}]) == []
    assert untolerated([taint], [{"key": "dedicated", "value": "batch"}]) == []
    assert untolerated([taint], [{"key": "dedicated", "value": "other"}]) == [taint]
    assert untolerated([{**taint, "effect": "PreferNoSchedule"}], []) == []


def test_the_schedulers_words_are_counted_without_its_preemption_part() -> None:
    words = (
        "0/5 nodes are available: 1 node(s) had untolerated taint {a: b, c}, 2 Insufficient cpu, "
        "2 node(s) were unschedulable. preemption: 0/5 nodes are available: 5 Insufficient memory."
    )
    assert told(words) == {"taint": 1, "cpu": 2, "cordon": 2}


def test_a_refusals_arithmetic_names_the_resource_that_is_over() -> None:
    words = (
        'pods "a" is forbidden: exceeded quota: team, requested: limits.memory=1Gi,requests.cpu=500m,'
        " used: limits.memory=1Gi,requests.cpu=4, limited: limits.memory=8Gi,requests.cpu=4"
    )
    assert [(item.quota, item.resource) for item in overruns(words)] == [("team", "requests.cpu")]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("basket:7070", [("basket", 7070)]),
        ("http://basket.shop.svc.cluster.local:80/x", [("basket.shop.svc.cluster.local", 80)]),
        ("jdbc:mysql://user:pw@ledger:3306/db?x=1", [("ledger", 3306)]),
        ("kafka-0:9092,kafka-1:9092", [("kafka-0", 9092), ("kafka-1", 9092)]),
        ("12:30", []),
        ("plain words", []),
    ],
)
def test_hosts_in_configuration(value: str, found: list[tuple[str, int]]) -> None:
    assert list(hosts_in(value)) == found


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("basket", ObjectRef("Service", "shop", "basket")),
        ("basket.data", ObjectRef("Service", "data", "basket")),
        ("basket.data.svc.cluster.local", ObjectRef("Service", "data", "basket")),
        ("api.example.com", None),
        ("10.1.2.3", None),
        ("localhost", None),
    ],
)
def test_host_names_that_mean_a_service(host: str, service: ObjectRef | None) -> None:
    assert service_named(host, "shop", frozenset({"shop", "data"})) == service
