"""What must not matter: names, the order of objects, and running twice."""

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.alert import Alert
from agent_sre.domain.evidence import Observation
from agent_sre.domain.telemetry import Edge, LogLine, LogSource, LogStream
from agent_sre.domain.verdict import Verdict
from tests.scenarios.test_kubernetes_families import SCENARIOS

NAMES = {
    "front": "zq7a", "basket": "k9-mx", "ledger": "vv3-o1", "shop": "tenant-8", "settle": "j-55", "entry": "edge-2",
    "worker-a": "ip-10-2-3-4", "worker-b": "gke-pool-9f", "control-a": "cp0", "registry.example": "r.zone9.test",
}  # fmt: skip
_PATTERN = re.compile("|".join(sorted(map(re.escape, NAMES), key=len, reverse=True)))


def rename(text: str) -> str:
    return _PATTERN.sub(lambda match: NAMES[match[0]], text)


def outcome(verdict: Verdict, naming: Callable[[str], str] = str) -> list[tuple[str, str, float]]:
    return [(item.fault, naming(item.object.name), round(item.confidence, 3)) for item in verdict.hypotheses]


def judged(case: CaseFile) -> Verdict:
    return judge(case, analyze(case))


def changed(case: CaseFile, observations: list[Observation], naming: Callable[[str], str] = str) -> CaseFile:
    return CaseFile(
        now=case.now,
        window=case.window,
        namespaces=[naming(item) for item in case.namespaces],
        alerts=[_alert(item, naming) for item in case.alerts],
        observations=observations,
        signals=case.signals,
    )


def _alert(alert: Alert, naming: Callable[[str], str]) -> Alert:
    return replace(alert, labels={key: naming(value) for key, value in alert.labels.items()})


def renamed(observation: Observation) -> Observation:
    def stream(item: LogStream) -> LogStream:
        source = item.source
        named = LogSource(rename(source.namespace), rename(source.pod), rename(source.container), source.previous)
        return LogStream(named, tuple(LogLine(line.time, rename(line.text)) for line in item.lines), item.left_out)

    return replace(
        observation,
        objects=tuple(json.loads(rename(json.dumps(item))) for item in observation.objects),
        streams=tuple(stream(item) for item in observation.streams),
        series=tuple(replace(item, labels=_values(item.labels)) for item in observation.series),
        edges=tuple(Edge(rename(item.caller), rename(item.callee), item.origin) for item in observation.edges),
    )


def _values(labels: Mapping[str, str]) -> dict[str, str]:
    return {key: rename(value) for key, value in labels.items()}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_renaming_everything_changes_no_verdict(name: str) -> None:
    case = SCENARIOS[name][1]().case()
    other = changed(case, [renamed(item) for item in case.observations.values()], rename)
    assert outcome(judged(other)) == outcome(judged(case), rename)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_order_of_objects_changes_no_verdict(name: str) -> None:
    case = SCENARIOS[name][1]().case()
    chance = random.Random(7)  # noqa: S311
    shuffled = [
        replace(item, objects=tuple(chance.sample(item.objects, len(item.objects))))
        for item in case.observations.values()
    ]
    assert outcome(judged(changed(case, shuffled))) == outcome(judged(case))


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_two_runs_are_equal(name: str) -> None:
    assert judged(SCENARIOS[name][1]().case()) == judged(SCENARIOS[name][1]().case())
