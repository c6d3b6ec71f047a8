"""Every public case that lies beside the checkout: investigated without an error, and every statement grounded.

The cases are not part of the project; where they are absent, these tests are not collected (see ``CASES``).
"""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from agent_sre.analysis.grounding import unsupported
from agent_sre.bootstrap import investigate_snapshot
from agent_sre.domain.fault import fault_types
from tests.e2e.processes import ROOT

CASES = ROOT.parent / "shared" / "cases"
SETS = sorted(path.name for path in CASES.iterdir() if (path / "cases").is_dir()) if CASES.is_dir() else []
LEAST = {"cloudopsbench": 0.5}
"""What must be named right at the first try, fault type and object, for the set to count as handled."""

pytestmark = pytest.mark.cases


async def answers_of(name: str) -> dict[str, dict[str, Any]]:
    return {path.name: await investigate_snapshot(path) for path in sorted((CASES / name / "cases").iterdir())}


def check(case: str, answer: dict[str, Any]) -> None:
    orjson.dumps(answer)
    evidence = answer["evidence"]
    assert answer["schema"] == 1, case
    assert answer["status"] in ("conclusive", "inconclusive"), case
    assert len(answer["hypotheses"]) <= 5, case
    for rank, item in enumerate(answer["hypotheses"], start=1):
        assert item["rank"] == rank, case
        assert item["fault"] in fault_types(), (case, item["fault"])
        assert 0.0 <= item["confidence"] <= 1.0, case
        assert item["evidence"], (case, "a hypothesis without evidence")
        assert set(item["evidence"]) | set(item["against"]) <= set(evidence), case
        shown = "\n".join(evidence[key]["excerpt"] for key in (*item["evidence"], *item["against"]))
        names = f"{item['object']['name']} {item['object']['namespace']} {item['change'] or ''}"
        assert unsupported(item["statement"], f"{shown}\n{names}") == (), (case, item["statement"])


def right(answer: dict[str, Any], truth: dict[str, Any]) -> bool:
    first = next(iter(answer["hypotheses"]), None)
    if first is None:
        return False
    accepted = [truth, *truth.get("accept", [])]
    return any(
        item["cause"] == first["fault"] and item["object"]["name"] == first["object"]["name"] for item in accepted
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SETS)
async def test_every_case_of_the_set(name: str) -> None:
    answers = await answers_of(name)
    assert answers
    for case, answer in answers.items():
        check(case, answer)
    if name in LEAST:
        truth = {case: yaml.safe_load((CASES / name / "truth" / f"{case}.yaml").read_text()) for case in answers}
        share = sum(right(answers[case], truth[case]) for case in answers) / len(answers)
        assert share >= LEAST[name], f"A@1 on {name} is {share:.2f}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", SETS)
async def test_two_runs_are_equal_but_for_times(name: str) -> None:
    path: Path = min((CASES / name / "cases").iterdir())
    first, second = await investigate_snapshot(path), await investigate_snapshot(path)
    del first["seconds"], second["seconds"]
    assert orjson.dumps(first, option=orjson.OPT_SORT_KEYS) == orjson.dumps(second, option=orjson.OPT_SORT_KEYS)
