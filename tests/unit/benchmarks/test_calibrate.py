"""The fitted curve rises, keeps weak guesses low, and is read from outputs of one set and of several alike."""

from typing import Any

import pytest

from agent_sre.analysis.calibration import Calibration, calibration
from agent_sre.service.evaluate import by_set
from benchmarks.calibrate import error, fit, points

NOW = Calibration(1.0, 1.0, 1.0, 0.75, 0.0)


def row(name: str, confidence: float, right_at: int | None, **changes: Any) -> dict[str, Any]:
    truth = {"causes": [{"cause": "oom_killed", "object": "basil"}], "change": None, "no_cause": False}
    told = [{"confidence": confidence}]
    return {"set": name, "id": "c", "right_at": right_at, "truth": truth, "answer": {"hypotheses": told}, **changes}


@pytest.mark.parametrize("raw", [0.01, 0.2, 0.5, 0.77, 0.98])
def test_the_curve_in_force_rises_and_can_be_taken_back(raw: float) -> None:
    curve = calibration()
    assert curve.rate(raw) < curve.rate(raw + 0.01)
    assert curve.raw(curve.rate(raw)) == pytest.approx(raw, abs=1e-6)


def test_a_weak_guess_is_not_told_as_a_likely_cause() -> None:
    curve = calibration()
    assert curve.rate(0.35) < curve.conclusive - 0.1
    assert curve.rate(0.2) < 0.35
    assert curve.rate(0.7) >= 0.85


def test_strong_figures_that_hit_and_weak_ones_that_miss_are_told_apart() -> None:
    strong, weak = [(0.9, True)] * 40, [(0.3, False)] * 20 + [(0.3, True)] * 5
    curve = fit([strong, weak], unseen=0.0)
    assert curve.rate(0.9) > 0.9
    assert curve.rate(0.3) == pytest.approx(0.2, abs=0.12)
    assert error(curve, [*strong, *weak]) < 0.1


def test_an_output_of_several_sets_is_several_sets_and_broken_cases_are_none() -> None:
    rows = [row("a", 0.9, 1), row("b", 0.8, None), row("b", 0.7, None, error="it broke")]
    found = {name: points(one, NOW) for name, one in by_set({"sets": {"a": {}, "b": {}}, "cases": rows}, "x").items()}
    assert {name: [hit for _, hit in one] for name, one in found.items()} == {"a": [True], "b": [False]}
    assert found["a"][0][0] == pytest.approx(NOW.raw(0.9))


def test_in_a_case_without_a_cause_every_hypothesis_is_a_miss() -> None:
    nothing = {"causes": [{"cause": None, "object": None}], "change": None, "no_cause": True}
    assert [hit for _, hit in points({"cases": [row("a", 0.9, 1, truth=nothing)]}, NOW)] == [False]
