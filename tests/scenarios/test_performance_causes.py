"""Saturation and slowness: the workload that is short of something is named, not the ones that wait for it."""

from agent_sre.domain.verdict import VerdictStatus
from tests.scenarios.telemetry_case import NAMESPACE, Incident

POD = {"namespace": NAMESPACE, "pod": "basil-5d8f7c9b6-x2x4z", "workload": "basil"}


def shop() -> Incident:
    """Requests go gate -> basil -> mint; all quiet unless a test says otherwise."""
    return Incident().calls(("gate", "basil"), ("basil", "mint")).alert("LatencyHigh", "gate", "gate is slow")


def slow_basil() -> Incident:
    return shop().latency("gate", 80, 900).latency("basil", 30, 820).latency("mint", 9, 9)


def test_a_workload_that_burns_cpu_makes_its_callers_slow() -> None:
    incident = slow_basil().cpu("basil", 0.05, 0.9).cpu("gate", 0.1, 0.1).cpu("mint", 0.02, 0.02)
    assert incident.cause() == ("pod_cpu_overload", "basil")


def test_cpu_that_rises_with_the_requests_is_work_and_not_a_fault() -> None:
    incident = shop().cpu("basil", 0.1, 0.3).requests("basil", 10, 30).latency("gate", 80, 80)
    assert all(item.fault != "pod_cpu_overload" for item in incident.verdict().hypotheses)


def test_throttled_at_the_usual_cpu_is_held_back_by_its_limit() -> None:
    incident = slow_basil().cpu("basil", 0.2, 0.19)
    incident.counter("container_cpu_cfs_throttled_seconds_total", 0.0, 0.6, **POD, container="app")
    assert incident.cause() == ("pod_cpu_throttled", "basil")


def test_memory_that_only_grows_is_a_leak() -> None:
    incident = (
        Incident()
        .alert("ContainerMemoryNearLimit", "basil")
        .ramp("container_memory_working_set_bytes", 1e8, 9e8, **POD)
    )
    incident.gauge("kube_pod_container_resource_limits", 1e9, 1e9, noise=0, **POD, resource="memory")
    assert incident.cause() == ("memory_leak", "basil")


def test_memory_that_rises_once_proves_no_leak() -> None:
    incident = (
        Incident()
        .alert("ContainerMemoryNearLimit", "basil")
        .gauge("container_memory_working_set_bytes", 1e8, 4e8, **POD)
    )
    assert incident.verdict().status is VerdictStatus.INCONCLUSIVE


def test_a_used_up_connection_pool() -> None:
    incident = slow_basil().gauge(
        "hikaricp_connections_active", 4, 20, noise=0, namespace=NAMESPACE, application="basil"
    )
    incident.gauge("hikaricp_connections_max", 20, 20, noise=0, namespace=NAMESPACE, application="basil")
    incident.gauge("hikaricp_connections_pending", 0, 35, noise=0, namespace=NAMESPACE, application="basil")
    assert incident.cause() == ("connection_pool_exhausted", "basil")


def test_used_up_threads() -> None:
    incident = slow_basil().gauge(
        "tomcat_threads_busy_threads", 20, 200, noise=0, namespace=NAMESPACE, application="basil"
    )
    incident.gauge("tomcat_threads_config_max_threads", 200, 200, noise=0, namespace=NAMESPACE, application="basil")
    assert incident.cause() == ("thread_pool_exhausted", "basil")


def test_used_up_file_descriptors() -> None:
    incident = slow_basil().gauge("process_open_fds", 100, 1024, noise=0, namespace=NAMESPACE, job="basil")
    incident.gauge("process_max_fds", 1024, 1024, noise=0, namespace=NAMESPACE, job="basil")
    assert incident.cause() == ("file_descriptors_exhausted", "basil")


def test_garbage_collection() -> None:
    incident = slow_basil().counter("jvm_gc_pause_seconds_sum", 0.01, 0.45, namespace=NAMESPACE, application="basil")
    assert incident.cause() == ("gc_pressure", "basil")


def test_an_autoscaler_at_its_maximum() -> None:
    labels = {"namespace": NAMESPACE, "horizontalpodautoscaler": "basil"}
    incident = slow_basil().gauge("kube_horizontalpodautoscaler_status_current_replicas", 3, 10, noise=0, **labels)
    incident.gauge("kube_horizontalpodautoscaler_spec_max_replicas", 10, 10, noise=0, **labels)
    faults = [(item.fault, item.object.name) for item in incident.verdict().hypotheses]
    assert ("hpa_at_max", "basil") in faults


def test_a_busy_disk() -> None:
    incident = slow_basil().counter("container_fs_io_time_seconds_total", 0.05, 0.97, **POD)
    faults = [(item.fault, item.object.name) for item in incident.verdict().hypotheses]
    assert ("pod_disk_io_saturation", "basil") in faults


def test_a_neighbour_that_fills_the_node() -> None:
    incident = shop().latency("gate", 80, 400).latency("basil", 30, 350).latency("mint", 9, 9)
    incident.cpu("basil", 0.2, 0.2, node="n1").cpu("thyme", 0.1, 7.5, node="n1")
    incident.gauge("instance:node_cpu_utilisation:rate5m", 0.3, 0.98, instance="n1")
    assert incident.cause() == ("noisy_neighbor", "thyme")


def test_the_slow_callee_is_named_and_not_its_slow_callers() -> None:
    incident = shop().latency("gate", 80, 1080).latency("basil", 30, 1030).latency("mint", 9, 1009)
    assert incident.cause()[1] == "mint"


def test_the_failing_callee_is_named_and_not_its_failing_callers() -> None:
    incident = Incident().calls(("gate", "basil"), ("basil", "mint")).alert("ErrorRateHigh", "gate", "gate fails")
    for name in ("gate", "basil", "mint"):
        incident.requests(name, 50, 30).requests(name, 0.1, 20, status="500")
    assert incident.cause()[1] == "mint"
