"""The same evidence gives the same verdict, in whatever order it came, and whatever things are called."""

import json
import random
from dataclasses import replace

from hypothesis import given, settings, strategies as st

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.verdict import Verdict
from tests.scenarios.telemetry_case import Incident


def incident(names: dict[str, str]) -> Incident:
    gate, basil, mint = (names[key] for key in ("gate", "basil", "mint"))
    made = Incident().calls((gate, basil), (basil, mint)).alert("LatencyHigh", gate, "slow")
    made.latency(gate, 80, 900).latency(basil, 30, 820).latency(mint, 9, 800)
    made.cpu(gate, 0.1, 0.1).cpu(basil, 0.1, 0.1).cpu(mint, 0.05, 1.2)
    made.logs(gate, f"WARN call to {basil} timed out after 800ms", *range(8))
    return made.change("c-1", -3, "deploy", basil, "deploy")


def told(verdict: Verdict) -> str:
    return json.dumps(
        [[item.fault, item.object.name, item.confidence, item.statement, item.evidence] for item in verdict.hypotheses]
    )


def shuffled(case: CaseFile, order: random.Random) -> CaseFile:
    seen = []
    for observation in case.observations.values():
        series, edges = list(observation.series), list(observation.edges)
        order.shuffle(series)
        order.shuffle(edges)
        seen.append(replace(observation, series=tuple(series), edges=tuple(edges)))
    order.shuffle(seen)
    return CaseFile(
        now=case.now, window=case.window, namespaces=case.namespaces, alerts=case.alerts,
        observations=seen, gaps=case.gaps, signals=case.signals,
    )  # fmt: skip


SAME = {"gate": "gate", "basil": "basil", "mint": "mint"}


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_evidence_does_not_matter(order: random.Random) -> None:
    case = incident(SAME).case()
    other = shuffled(case, order)
    assert told(judge(other, analyze(other))) == told(judge(case, analyze(case)))


def test_two_runs_are_equal() -> None:
    assert told(incident(SAME).verdict()) == told(incident(SAME).verdict())


def test_names_do_not_matter() -> None:
    names = {"gate": "zq-one", "basil": "redis-like-two", "mint": "aa-three"}
    back = {new: old for old, new in names.items()}
    plain = [(item.fault, item.object.name) for item in incident(SAME).verdict().hypotheses]
    renamed = [(item.fault, back[item.object.name]) for item in incident(names).verdict().hypotheses]
    assert renamed == plain
