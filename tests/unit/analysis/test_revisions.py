"""Rollouts of what has no ReplicaSets: read from ControllerRevisions as those of a Deployment are from its own."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.analysis.grounding import stands
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.rollout import analyze_rollout, rollouts
from agent_sre.domain.finding import Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing import kubernetes_objects as k8s
from tests.scenarios.builders import NOW, SPACE, Object, Shop, crashed

STORE = "warehouse"


def template(image: str, level: str) -> Object:
    return k8s.pod_template(STORE, [k8s.container(STORE, image, env={"LOG_LEVEL": level})])


def ago(minutes: float) -> str:
    return format_instant(NOW - timedelta(minutes=minutes))


def shop(kind: str, *revisions: tuple[int, float, str, str], ready: bool = True, current: str = "") -> Shop:
    """``revisions``: number, age in minutes, image and log level; the highest number is what runs."""
    found = Shop()
    newest = max(revisions)
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": STORE}}, "template": template(*newest[2:])}
    owner = found.add("apps/v1", kind, STORE, spec=spec, status={"replicas": 1, "desiredNumberScheduled": 1})
    for number, age, image, level in revisions:
        name = f"{STORE}-{number}f{number}"
        data = {"spec": {"template": {**deepcopy(template(image, level)), "$patch": "replace"}}}
        item = found.add("apps/v1", "ControllerRevision", name, data=data, revision=number)
        item["metadata"] |= k8s.metadata("ControllerRevision", name, SPACE, owner=owner, created=ago(age))
    run = k8s.HEALTHY if ready else crashed(1)
    pod = k8s.pod(f"{STORE}-0", SPACE, owner=owner, run=run)
    name = f"{STORE}-{newest[0]}f{newest[0]}"
    labels = {"app": STORE, "controller-revision-hash": name if kind == "StatefulSet" else name.partition("-")[2]}
    pod["metadata"] |= {"labels": labels, "creationTimestamp": ago(5)}
    found.objects.append(pod)
    return found


def judged(found: Shop) -> tuple[Finding, Any]:
    case = found.case()
    (finding,) = [item for item in analyze_rollout(case) if item.object.name == STORE]
    return finding, case


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_what_changed_is_read_from_the_revisions(kind: str) -> None:
    old, new = (3, 700.0, "warehouse:1", "info"), (4, 10.0, "warehouse:2", "info")
    finding, case = judged(shop(kind, old, new, ready=False))
    assert finding.object == ObjectRef(kind, SPACE, STORE)
    assert finding.change == f"{SPACE}/{STORE}@4"
    assert finding.onset == NOW - timedelta(minutes=10)
    assert "changing image" in finding.statement
    assert all(stands(fact, case) for fact in finding.facts)
    assert any("warehouse:2" in fact.excerpt for fact in finding.facts)
    assert any(f"Pod/{SPACE}/{STORE}-0" in fact.text or f"{STORE}-0" in fact.text for fact in finding.facts)


def test_a_rollback_began_when_its_pods_were_made() -> None:
    old, bad = (5, 700.0, "warehouse:1", "info"), (4, 60.0, "warehouse:2", "info")
    (found,) = rollouts(cluster_of(shop("StatefulSet", old, bad).case()), NOW)
    assert found.moment == NOW - timedelta(minutes=5)
    assert found.revision == "5"


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_an_old_revision_is_no_rollout(kind: str) -> None:
    case = shop(kind, (3, 9000.0, "warehouse:1", "info"), (4, 8000.0, "warehouse:2", "debug")).case()
    assert [item for item in rollouts(cluster_of(case), NOW) if item.workload.ref.name == STORE] == []


def test_one_revision_tells_of_no_change() -> None:
    case = shop("StatefulSet", (1, 10.0, "warehouse:1", "info")).case()
    assert list(rollouts(cluster_of(case), NOW)) == []
