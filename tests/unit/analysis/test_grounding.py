"""What a fact says must be in its excerpt, and the excerpt in what was stored."""

from dataclasses import replace

import pytest

from agent_sre.analysis.engine import analyze
from agent_sre.analysis.grounding import shown_by, stands, unsupported
from agent_sre.analysis.judge import grounded, judge
from agent_sre.analysis.kubernetes.excerpts import fact, part_fact, resolves
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef
from tests.scenarios.builders import SPACE, Shop, basket, crashed

BASKET = ObjectRef("Deployment", SPACE, "basket")


def test_a_number_or_quote_that_is_not_in_the_excerpt_is_named() -> None:
    assert unsupported('it waits 30 s for "ledger"', "periodSeconds=30 ledger") == ()
    assert unsupported('it waits 31 s for "cart"', "periodSeconds=30 ledger") == ("31", "cart")


def test_an_excerpt_is_checked_to_the_letter() -> None:
    case = Shop().case()
    seen = case.get(BASKET)
    assert seen is not None
    shown = fact("", seen, ("spec", "replicas"), ("spec", "template", "spec", "containers", 0, "image")).excerpt
    observation = case.observations[seen.observation]
    assert shown.splitlines()[1] == "spec.replicas=1"
    assert resolves(shown, observation)
    assert not resolves(shown.replace("replicas=1", "replicas=2"), observation)
    assert not resolves(shown.replace("basket", "banquet"), observation)
    assert not shown_by("Deployment shop/basket\nspec.replicas=12345", observation)


def test_a_part_of_a_long_field_is_checked_too() -> None:
    shop = Shop()
    shop.add("v1", "ConfigMap", "conf", data={"nginx.conf": "a;\nproxy_pass http://x:1;\nb;"})
    case = shop.case()
    seen = case.get(ObjectRef("ConfigMap", SPACE, "conf"))
    assert seen is not None
    shown = part_fact("", seen, ("data", "nginx.conf"), "proxy_pass http://x:1;").excerpt
    assert resolves(shown, case.observations[seen.observation])
    assert not resolves(shown.replace("x:1", "x:2"), case.observations[seen.observation])


@pytest.mark.parametrize(
    "broken",
    [
        {"observation": "kubernetes/404"},
        {"text": "basket restarted 4711 times"},
        {"excerpt": "Deployment shop/basket\nspec.replicas=99"},
    ],
)
def test_a_fact_that_does_not_stand_is_dropped_and_costs(broken: dict[str, str]) -> None:
    case = Shop().case()
    seen = case.get(BASKET)
    assert seen is not None
    good = fact("basket is meant to have 1 replica", seen, ("spec", "replicas"))
    bad = replace(good, **broken)
    assert stands(good, case)
    assert not stands(bad, case)
    finding = Finding("t", "crash_on_start", BASKET, 0.9, "basket crashes.", (good, bad))
    kept = grounded(finding, case)
    assert kept is not None
    assert kept.facts == (good,)
    assert kept.strength < 0.9
    assert grounded(replace(finding, facts=(bad,)), case) is None


def test_a_statement_with_an_invented_number_costs_its_hypothesis() -> None:
    case = Shop().case()
    seen = case.get(BASKET)
    assert seen is not None
    good = fact("basket has replicas", seen, ("spec", "replicas"))
    honest = Finding("t", "crash_on_start", BASKET, 0.8, "basket crashes.", (good,))
    inventive = replace(honest, statement="basket crashed 4711 times.")
    assert judge(case, [inventive]).hypotheses[0].confidence < judge(case, [honest]).hypotheses[0].confidence


def test_every_fact_of_a_crash_is_grounded() -> None:
    shop = Shop(basket(run=crashed(3)))
    shop.log("basket", "assertion failed", previous=True)
    case = shop.case()
    facts: list[Fact] = [item for finding in analyze(case) for item in (*finding.facts, *finding.against)]
    assert facts
    assert [item for item in facts if not stands(item, case)] == []
