"""An autoscaler that its maximum holds back, by the condition that its controller writes."""

from typing import Any

import pytest

from agent_sre.analysis.autoscalers import autoscalers_limited
from agent_sre.domain.finding import Finding
from tests.scenarios.telemetry_case import NAMESPACE, Incident

LIMITED = {
    "type": "ScalingLimited",
    "status": "True",
    "reason": "TooManyReplicas",
    "message": "the desired replica count is more than the maximum replica count",
}


def autoscaler(current: int = 6, most: int | None = 6, kind: str = "Deployment", **condition: str) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "for-basil", "namespace": NAMESPACE},
        "spec": {"scaleTargetRef": {"kind": kind, "name": "basil"}, "maxReplicas": most},
        "status": {
            "currentReplicas": current,
            "conditions": [{"type": "AbleToScale", "status": "True"}, {**LIMITED, **condition}],
        },
    }


def found(item: dict[str, Any], *, slow: float = 900) -> list[Finding]:
    incident = Incident().alert("LatencyHigh", "basil", "basil is slow").calls(("gate", "basil"))
    return list(autoscalers_limited(incident.latency("basil", 50, slow).objects(item).case()))


def test_the_workload_that_it_scales_is_named_and_explains_its_callers() -> None:
    (item,) = found(autoscaler())
    assert (item.fault, item.object.kind, item.object.name) == ("hpa_at_max", "Deployment", "basil")
    assert [ref.name for ref in item.explains] == ["gate"]
    assert any("TooManyReplicas" in fact.excerpt for fact in item.facts)


def test_the_target_s_own_kind_is_kept() -> None:
    assert found(autoscaler(kind="StatefulSet"))[0].object.kind == "StatefulSet"


def test_a_workload_that_does_not_suffer_is_hardly_accused() -> None:
    assert found(autoscaler(), slow=50)[0].strength < 0.5 < found(autoscaler())[0].strength


@pytest.mark.parametrize(
    "item",
    [
        autoscaler(reason="DesiredWithinRange", status="False"),
        autoscaler(reason="TooFewReplicas"),
        autoscaler(status="False"),
        autoscaler(current=4),
        autoscaler(most=None),
    ],
    ids=["content", "at its minimum", "no longer", "below the maximum", "no maximum known"],
)
def test_anything_else_is_no_fault(item: dict[str, Any]) -> None:
    assert found(item) == []
