"""Every set of own incidents: the first hypothesis is right, and nobody is accused where nothing is wrong."""

from pathlib import Path

import pytest

from agent_sre.cli.eval import answer_case
from agent_sre.service.evaluate import Scored
from agent_sre.service.evaluate_set import run
from tests.scenarios.sets.registry import SETS, write_set


def missed(scored: list[Scored]) -> list[str]:
    def said(item: Scored) -> str:
        told = item.outcome.answer.get("hypotheses") or []
        first = f"{told[0]['fault']} at {told[0]['object']['name']}" if told else "nothing"
        return f"{item.outcome.id}: wanted {item.truth.causes[0]}, said {first}; right at {item.right_at}"

    return [said(item) for item in scored if item.right_at != 1]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SETS)
def test_every_scenario_of_the_set(name: str, tmp_path: Path) -> None:
    write_set(name, tmp_path / name)
    assert missed(run(tmp_path / name, answer_case, jobs=0)) == []
