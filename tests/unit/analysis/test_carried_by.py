"""A commit runs from the deploy that carries it, by its id where that is known."""

from datetime import timedelta

from agent_sre.analysis.changes import _carrier
from agent_sre.domain.telemetry import Change
from tests.scenarios.builders import NOW


def test_the_deploy_that_a_commit_names_goes_before_what_is_guessed() -> None:
    commit = Change("8c7dd922ad", NOW - timedelta(days=9), "commit", "basket", "x", carried_by="shop/basket@2")
    wrong = Change("d1", NOW - timedelta(hours=9), "deploy", "basket", "8c7dd92 to basket")
    right = Change("shop/basket@2", NOW - timedelta(hours=1), "deploy", "basket", "rollout")
    every = [commit, wrong, right]
    assert _carrier(commit, every, NOW.timestamp(), {"basket": 1.0}) == right
    unnamed = Change("8c7dd922ad", NOW - timedelta(days=9), "commit", "basket", "x")
    assert _carrier(unnamed, every, NOW.timestamp(), {"basket": 1.0}) == wrong
