"""A CPU that is full, many times as busy or busy in one pod alone needs no change to explain that requests wait."""

from agent_sre.analysis.full_cpus import explains_itself
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.telemetry_case import NAMESPACE, Incident


def explained(incident: Incident, fault: str = "pod_cpu_overload") -> bool:
    trouble = Finding("origin", fault, ObjectRef("Deployment", NAMESPACE, "basil"), 0.8, "basil is busy.", ())
    return explains_itself(incident.alert("LatencyHigh", "basil").case(), trouble)


def limited(cores: str) -> Incident:
    item = k8s.container("basil", "registry.test/basil:1", resources={"limits": {"cpu": cores}})
    return Incident().objects(
        k8s.deployment("basil", NAMESPACE, template=k8s.pod_template("basil", [item]), replicas=1)
    )


def test_at_its_limit() -> None:
    assert explained(limited("1").cpu("basil", 0.4, 0.97))
    assert not explained(limited("2").cpu("basil", 0.4, 0.97))


def test_many_times_as_busy() -> None:
    assert explained(Incident().cpu("basil", 0.2, 1.6))
    assert not explained(Incident().cpu("basil", 0.2, 0.5))


def test_one_pod_of_several() -> None:
    incident = Incident()
    for tail, now in (("x2x4z", 0.7), ("x2x5z", 0.3), ("x2x6z", 0.3)):
        labels = {"namespace": NAMESPACE, "pod": f"basil-5d8f7c9b6-{tail}", "container": "basil"}
        incident.counter("container_cpu_usage_seconds_total", 0.3, now, **labels)
    assert explained(incident)


def test_other_faults_never_do() -> None:
    assert not explained(Incident().cpu("basil", 0.2, 1.6), "pod_network_delay")
