"""What lies behind what at one object: the mechanism, the guess by exclusion, the change that came just before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.analysis.mechanisms import behind, coincide, fold, never_ran
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
BASIL, MINT = ObjectRef("Deployment", "garden", "basil"), ObjectRef("Deployment", "garden", "mint")


def finding(analyzer: str, fault: str, strength: float, where: ObjectRef = BASIL) -> Finding:
    fact = Fact(f"{analyzer} says so", "metrics/1", f"{analyzer} says so")
    return Finding(analyzer, fault, where, strength, f"{fault}.", (fact,), onset=AT)


def deploy(minutes_before: float, strength: float = 0.43) -> Finding:
    return replace(
        finding("changes", "bad_deploy", strength), change="c-1", onset=AT - timedelta(minutes=minutes_before)
    )


def strength_of(found: list[Finding], fault: str) -> float:
    return next(item.strength for item in found if item.fault == fault)


def test_the_guess_of_the_origin_supports_the_mechanism_that_is_known_there() -> None:
    found = fold([finding("origin", "pod_network_delay", 0.6), finding("log_errors", "slow_query", 0.6)])
    assert [item.fault for item in found] == ["slow_query"]
    assert found[0].strength > 0.6


def test_it_stays_where_the_mechanism_is_elsewhere_or_weak() -> None:
    guess = finding("origin", "pod_network_delay", 0.6)
    assert guess in fold([guess, finding("log_errors", "slow_query", 0.6, MINT)])
    assert guess in fold([guess, finding("log_errors", "slow_query", 0.2)])


@pytest.mark.parametrize(("minutes", "gains"), [(1, True), (2.9, True), (10, False), (-5, False)])
def test_a_change_gains_by_trouble_that_began_there_at_once(minutes: float, gains: bool) -> None:
    trouble = finding("origin", "pod_network_delay", 0.7)
    found = coincide([trouble, deploy(minutes)], lambda item: False)
    assert (strength_of(found, "bad_deploy") > 0.43) is gains


def test_its_moment_alone_says_nothing_where_the_trouble_explains_itself() -> None:
    trouble = finding("origin", "pod_cpu_overload", 0.8)
    assert strength_of(coincide([trouble, deploy(1)], lambda item: True), "bad_deploy") == 0.43
    assert strength_of(coincide([trouble, deploy(1)], lambda item: False), "bad_deploy") > 0.43


def test_a_change_whose_place_does_not_speak_for_it_gains_nothing() -> None:
    trouble = finding("origin", "pod_network_delay", 0.7)
    assert strength_of(coincide([trouble, deploy(1, 0.3)], lambda item: False), "bad_deploy") == 0.3


@pytest.mark.parametrize(
    ("cause", "symptom"),
    [
        ("timeout_too_short", "bad_config_change"),
        ("timeout_too_short", "unhandled_exception"),
        ("n_plus_one_queries", "pod_cpu_overload"),
        ("client_abuse", "retry_storm"),
        ("poison_message", "queue_backlog"),
    ],
)
def test_the_mechanism_lies_behind_what_is_seen_from_outside(cause: str, symptom: str) -> None:
    first, second = finding("a", cause, 0.8), finding("b", symptom, 0.8)
    assert behind(first, second)
    assert not behind(second, first)
    assert not behind(first, replace(second, object=MINT))
    assert not behind(replace(first, strength=0.3), second)


def test_what_keeps_the_pods_of_a_rollout_from_running_is_the_cause_and_the_rollout_its_change() -> None:
    stuck, image = finding("rollout", "bad_deploy", 0.8), finding("startup", "incorrect_image_reference", 0.5)
    found = never_ran([stuck, image])
    assert strength_of(found, "incorrect_image_reference") > 0.6
    assert behind(found[1], stuck)
    assert not behind(stuck, found[1])


def test_a_rollout_does_not_speak_for_what_is_elsewhere_or_crashes_later() -> None:
    stuck = finding("rollout", "bad_deploy", 0.8)
    for other in (finding("startup", "incorrect_image_reference", 0.5, MINT), finding("runtime", "oom_killed", 0.5)):
        assert never_ran([stuck, other]) == [stuck, other]
