"""Delay and loss between workloads, and at nodes, told from slowness inside a workload."""

from tests.scenarios.telemetry_case import NAMESPACE, Incident


def edge(incident: Incident, caller: str, callee: str, side: str, usual: float, now: float) -> None:
    """Latency of one call as one side measures it."""
    incident.gauge("edge_ms", usual, now, source=caller, destination=callee, reporter=side)


def test_a_call_that_is_slow_only_at_the_caller_was_delayed_on_the_way() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "basil"), ("gate", "mint"))
    incident.latency("gate", 60, 600).latency("basil", 9, 9).latency("mint", 9, 9)
    incident.signal("edge_ms", "edge_latency", "milliseconds", source="caller", destination="callee")
    edge(incident, "gate", "basil", "source", 10, 500)
    edge(incident, "gate", "basil", "destination", 9, 9)
    edge(incident, "gate", "mint", "source", 10, 10)
    edge(incident, "gate", "mint", "destination", 9, 9)
    assert incident.cause() == ("pod_network_delay", "basil")


def test_a_call_that_is_slow_at_both_ends_is_slow_at_the_callee() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow").calls(("gate", "basil"), ("gate", "mint"))
    incident.latency("gate", 60, 600).latency("basil", 9, 490).latency("mint", 9, 9).cpu("basil", 0.1, 0.9)
    incident.signal("edge_ms", "edge_latency", "milliseconds", source="caller", destination="callee")
    edge(incident, "gate", "basil", "source", 10, 500)
    edge(incident, "gate", "basil", "destination", 9, 490)
    assert incident.cause() == ("pod_cpu_overload", "basil")


def test_dropped_packets_of_a_pod() -> None:
    incident = Incident().alert("LatencyHigh", "basil", "basil is slow").latency("basil", 9, 9)
    incident.counter(
        "container_network_transmit_packets_dropped_total", 0.0, 25, namespace=NAMESPACE, pod="basil-5d8f7c9b6-x2x4z"
    )
    assert incident.cause() == ("pod_network_loss", "basil")


def test_dropped_packets_of_a_node() -> None:
    incident = Incident().alert("LatencyHigh", "basil", "basil is slow").latency("basil", 9, 9)
    incident.counter("node_network_receive_drop_total", 0.0, 40, instance="n2:9100", device="eth0")
    assert incident.cause() == ("node_network_packet_loss", "n2")


def test_many_slow_workloads_and_one_node_that_sends_again() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow")
    incident.calls(("gate", "basil"), ("gate", "mint"), ("mint", "thyme"))
    for name, node in (("gate", "n1"), ("basil", "n2"), ("mint", "n2"), ("thyme", "n2")):
        incident.latency(name, 10, 900).cpu(name, 0.1, 0.06).pod(name, node)
    incident.counter("node_netstat_Tcp_RetransSegs", 0.02, 6, instance="n2")
    incident.counter("node_netstat_Tcp_RetransSegs", 0.02, 0.02, instance="n1")
    assert incident.cause() == ("node_network_delay", "n2")
