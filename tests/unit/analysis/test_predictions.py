"""Predictions: looked for where they can be seen, against a cause where they fail, a gap where nobody could look."""

import shlex

import pytest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.judge import judge
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.predictions import predicted, settling, test as put_to_the_test
from agent_sre.domain.fault import fault_types
from agent_sre.domain.finding import Finding
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import ObjectRef
from tests.scenarios.builders import SPACE, Shop, basket, crashed
from tests.scenarios.telemetry_case import Incident


def accuse(case: CaseFile, *faults: str, name: str = "basket") -> list[Hypothesis]:
    ref = ObjectRef("Deployment", SPACE, name)
    seen = case.get(ref)
    assert seen is not None
    shown = fact(f"{ref} is there", seen, ("metadata", "name"))
    return list(judge(case, [Finding("test", fault, ref, 0.8, "told.", (shown,)) for fault in faults]).hypotheses)


def outcomes(item: Hypothesis) -> dict[str, str]:
    return {prediction.says: prediction.outcome for prediction in item.predictions}


def test_a_prediction_that_holds_cites_what_shows_it() -> None:
    case = Shop(basket(run=crashed(137, reason="OOMKilled"))).case()
    [killed] = accuse(case, "oom_killed")
    assert outcomes(killed)["its last run was killed for lack of memory"] == "holds"
    shown = {item.id: item.excerpt for item in judge(case, []).evidence}
    assert all(prediction.evidence for prediction in killed.predictions if prediction.outcome == "holds"), shown


def test_a_prediction_that_fails_speaks_against_the_cause() -> None:
    broken, healthy = Shop(basket(run=crashed(137, reason="OOMKilled"))).case(), Shop().case()
    [sure], [doubted] = accuse(broken, "oom_killed"), accuse(healthy, "oom_killed")
    assert outcomes(doubted)["its last run was killed for lack of memory"] == "fails"
    assert doubted.confidence < sure.confidence
    assert doubted.against and not sure.against


def test_what_could_not_be_looked_at_is_named_and_costs_nothing() -> None:
    [item] = accuse(Shop().case(), "pod_cpu_overload")
    assert {prediction.outcome for prediction in item.predictions} == {"unseen"}
    assert all(prediction.missing for prediction in item.predictions)
    assert not item.against


def test_the_cause_whose_predictions_hold_comes_first() -> None:
    case = Shop(basket(run=crashed(1))).case()
    assert accuse(case, "node_selector_mismatch", "crash_on_start")[0].fault == "crash_on_start"


def test_a_silent_log_proves_nothing() -> None:
    shop = Shop()
    shop.log("basket", "INFO all is well")
    [item] = accuse(shop.case(), "service_dns_resolution_failure")
    assert set(outcomes(item).values()) == {"unseen"}


def test_the_next_query_can_be_run_and_names_the_rival() -> None:
    hypotheses = accuse(Shop().case(), "pod_cpu_overload", "oom_killed")
    query, _, why = hypotheses[0].distinguish.partition("  # ")
    assert 'pod=~"basket-.*"' in query or "basket" in shlex.split(query)
    assert hypotheses[0].fault in why and hypotheses[1].fault in why


@pytest.mark.parametrize("fault", sorted(fault_types()))
def test_every_query_is_a_command_or_an_expression(fault: str) -> None:
    for check in predicted(fault):
        query = check.query.format(namespace="shop", name="basket")
        assert query.startswith("kubectl ") or query.count("(") == query.count(")"), query
        assert query.startswith("kubectl ") is False or shlex.split(query)[0] == "kubectl"


def test_metrics_answer_with_the_levels_they_went_between() -> None:
    made = Incident().calls(("gate", "basil")).alert("LatencyHigh", "gate", "slow").latency("gate", 80, 900)
    made.latency("basil", 30, 800).cpu("basil", 0.1, 1.4).cpu("gate", 0.1, 0.1)
    first = made.verdict().hypotheses[0]
    assert (first.fault, first.object.name) == ("pod_cpu_overload", "basil")
    assert outcomes(first)["it uses more CPU"] == "holds"


@pytest.mark.parametrize("name", ["basket; reboot", 'x"}) or vector(1', "a\nreboot", "$(reboot)"])
def test_a_name_that_a_shell_would_run_gets_words_and_no_command(name: str) -> None:
    made = Incident().calls(("gate", name)).alert("LatencyHigh", "gate", "slow").latency(name, 80, 900).case()
    found = Finding("test", "oom_killed", ObjectRef("Deployment", SPACE, name), 0.8, "told.", (), distinguish="look")
    assert settling(found, None, put_to_the_test(made, found)) == "look"
