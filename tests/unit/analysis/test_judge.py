"""Ranking: deepest cause first, symptoms behind, rollouts attached, honest about doubt, the same every time."""

import random
from dataclasses import replace
from datetime import timedelta

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.judge import MOST, judge
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef
from tests.scenarios.builders import NOW, SPACE, Shop

NODE = ObjectRef("Node", "", "worker-a")
FRONT, BASKET, LEDGER = (ObjectRef("Deployment", SPACE, name) for name in ("front", "basket", "ledger"))


def finding(case: CaseFile, fault: str, ref: ObjectRef, strength: float, **fields: object) -> Finding:
    seen = case.get(ref)
    assert seen is not None
    shown = fact(f"{ref} is there", seen, ("metadata", "name"))
    made = Finding("test", fault, ref, strength, f"{fault} at {ref}.", (shown,))
    return replace(made, **fields)  # type: ignore[arg-type]


def names(case: CaseFile, findings: list[Finding]) -> list[str]:
    return [f"{item.fault} {item.object.name}" for item in judge(case, findings).hypotheses]


def test_a_node_comes_before_the_workloads_that_it_explains() -> None:
    case = Shop().case()
    node = finding(case, "kubelet_unavailable", NODE, 0.8, explains=(BASKET,))
    symptom = finding(case, "crash_on_start", BASKET, 0.9)
    verdict = judge(case, [symptom, node])
    assert [item.fault for item in verdict.hypotheses] == ["kubelet_unavailable", "crash_on_start"]
    told = [item for item in verdict.ruled_out if item.what.startswith("crash_on_start")]
    assert told[0].why == "a symptom: kubelet_unavailable at Node worker-a explains it"
    assert set(told[0].evidence) <= {item.id for item in verdict.evidence}


def test_a_dead_callee_comes_before_the_caller_that_crashes() -> None:
    case = Shop().case()
    callee = finding(case, "pv_binding_occupied", LEDGER, 0.8)
    caller = finding(case, "crash_on_start", FRONT, 0.9)
    assert names(case, [caller, callee]) == ["pv_binding_occupied ledger", "crash_on_start front"]


def test_what_is_wrong_in_the_callers_own_specification_is_no_symptom() -> None:
    case = Shop().case()
    callee = finding(case, "crash_on_start", LEDGER, 0.85)
    caller = finding(case, "incorrect_image_reference", FRONT, 0.95)
    assert names(case, [caller, callee])[0] == "incorrect_image_reference front"


def test_the_rollout_behind_a_fault_is_attached_and_no_rival() -> None:
    case = Shop().case()
    rollout = finding(case, "bad_deploy", BASKET, 0.7, change="shop/basket@2", onset=NOW - timedelta(minutes=9))
    killed = finding(case, "oom_killed", BASKET, 0.95, onset=NOW - timedelta(minutes=8))
    verdict = judge(case, [rollout, killed])
    assert (verdict.hypotheses[0].fault, verdict.hypotheses[0].change) == ("oom_killed", "shop/basket@2")
    assert verdict.hypotheses[0].confidence == judge(case, [killed]).hypotheses[0].confidence


def test_a_rollout_after_the_onset_is_not_attached() -> None:
    case = Shop().case()
    rollout = finding(case, "bad_deploy", BASKET, 0.7, change="shop/basket@2", onset=NOW - timedelta(minutes=2))
    killed = finding(case, "oom_killed", BASKET, 0.95, onset=NOW - timedelta(minutes=20))
    assert judge(case, [rollout, killed]).hypotheses[0].change is None


def test_two_witnesses_count_for_more_than_one_and_a_rival_for_less() -> None:
    case = Shop().case()
    one = finding(case, "oom_killed", BASKET, 0.6)
    other = replace(one, analyzer="another")
    rival = finding(case, "incorrect_command", FRONT, 0.55)
    alone = judge(case, [one]).hypotheses[0].confidence
    assert judge(case, [one, other]).hypotheses[0].confidence > alone
    assert judge(case, [one, rival]).hypotheses[0].confidence < alone
    assert judge(case, [one, one]).hypotheses[0].confidence == alone


def test_facts_against_lower_a_cause_and_are_cited() -> None:
    case = Shop().case()
    seen = case.get(FRONT)
    assert seen is not None
    doubt = fact("front is there", seen, ("metadata", "name"))
    doubted = finding(case, "oom_killed", BASKET, 0.9, against=(doubt,))
    verdict = judge(case, [doubted, finding(case, "incorrect_command", LEDGER, 0.8)])
    assert [item.fault for item in verdict.hypotheses] == ["incorrect_command", "oom_killed"]
    assert verdict.hypotheses[1].against
    assert "oom_killed" in verdict.ruled_out[0].what


def test_hints_alone_are_inconclusive_and_nothing_is_said_without_findings() -> None:
    case = Shop().case()
    assert judge(case, [finding(case, "oom_killed", BASKET, 0.3)]).status == "inconclusive"
    empty = judge(case, [])
    assert (empty.status, empty.hypotheses) == ("inconclusive", ())


def test_at_most_five_and_the_order_of_findings_does_not_matter() -> None:
    case = Shop().case()
    faults = ("oom_killed", "incorrect_command", "crash_on_start", "config_invalid")
    findings = [finding(case, fault, ref, 0.6) for fault in faults for ref in (FRONT, BASKET, LEDGER)]
    first = judge(case, findings)
    assert len(first.hypotheses) == MOST
    for seed in range(5):
        shuffled = list(findings)
        random.Random(seed).shuffle(shuffled)  # noqa: S311
        assert judge(case, shuffled).hypotheses == first.hypotheses


def test_evidence_ids_are_unique_and_shared_by_equal_excerpts() -> None:
    case = Shop().case()
    verdict = judge(case, [finding(case, "oom_killed", BASKET, 0.9), finding(case, "incorrect_command", BASKET, 0.8)])
    assert verdict.hypotheses[0].evidence == verdict.hypotheses[1].evidence == ("E1",)
    assert len({item.id for item in verdict.evidence}) == len(verdict.evidence)
