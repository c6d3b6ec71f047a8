"""The committed summary of evaluations: a row per set, failures named, broken cases too, each with its reason."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from agent_sre.service.evaluate import Cause, Outcome, Scored, Truth, broken_truth, report, report_sets, score
from benchmarks.eval_markdown import main, pooled_error, table

TRUTH = Truth((Cause("oom_killed", "basil"),), None, no_cause=False, outside=False)


def case(name: str, fault: str, confidence: float, error: str = "") -> Scored:
    told = {"rank": 1, "fault": fault, "object": {"kind": "Deployment", "name": "basil"}, "confidence": confidence}
    answer = {"status": "conclusive", "hypotheses": [] if error else [told]}
    return score(Outcome(name, answer, 0.5, 90.0, error), TRUTH)


def written(tmp_path: Path, **documents: dict[str, Any]) -> str:
    paths = []
    for name, document in documents.items():
        paths.append(str(tmp_path / f"{name}.json"))
        Path(paths[-1]).write_bytes(orjson.dumps(document))
    main(paths, tmp_path / "eval.md")
    return (tmp_path / "eval.md").read_text("utf-8")


def row_of(text: str, name: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_single_set_is_named_after_its_file_and_its_misses_are_listed(tmp_path: Path) -> None:
    text = written(tmp_path, garden=report([case("a", "oom_killed", 0.9), case("b", "crash_on_start", 0.6)]))
    assert row_of(text, "garden")[:3] == ["garden", "2", "0.5"]
    assert "Not right at the first: b (wanted oom_killed, said crash_on_start, right at None)." in text
    assert "## garden" in text


def test_several_sets_of_one_file_are_a_row_each(tmp_path: Path) -> None:
    sets = {"left": [case("a", "oom_killed", 0.9)], "right": [case("a", "oom_killed", 0.9), case("b", "x", 0.9)]}
    text = written(tmp_path, all=report_sets(sets))
    assert [row_of(text, name)[1] for name in sets] == ["1", "2"]
    assert "Not right at the first: none." in text


def test_a_broken_case_is_named(tmp_path: Path) -> None:
    lost = broken_truth(case("lost", "oom_killed", 0.9).outcome, "/sets/x/truth/lost.yaml holds list, not a truth")
    text = written(tmp_path, garden=report([case("a", "oom_killed", 0.9), lost]))
    assert "Not right at the first: lost (broke: lost.yaml holds list, not a truth)." in text


def test_bins_of_all_sets_are_pooled_before_their_error_is_taken() -> None:
    left = report([case("a", "oom_killed", 0.85), case("b", "oom_killed", 0.85)])
    right = report([case("a", "crash_on_start", 0.85), case("b", "crash_on_start", 0.85)])
    assert pooled_error({"left": left}) == pytest.approx(0.15)
    assert pooled_error({"left": left, "right": right}) == pytest.approx(0.35)
    assert pooled_error({}) == 0.0


def test_a_table_is_markdown() -> None:
    assert table([["x", 1]], ["set", "cases"]) == "| set | cases |\n| --- | --- |\n| x | 1 |"
