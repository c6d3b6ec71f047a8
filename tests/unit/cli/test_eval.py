"""``agent-sre eval`` on the command line: refusals, and what got better and worse."""

import json
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console

from agent_sre.cli.eval import _compare, _miss, evaluate


def test_a_folder_that_is_no_set_is_refused_with_the_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(evaluate, [str(tmp_path)])
    assert result.exit_code != 0
    assert "it needs the folders cases/ and truth/" in f"{result.output}{result.exception}"


def test_what_got_better_and_worse_is_said(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"cases": [{"id": "a", "right_at": None}, {"id": "b", "right_at": 1}]}), "utf-8")
    console = Console(record=True, width=100)
    _compare(old, {"cases": [{"id": "a", "right_at": 1}, {"id": "b", "right_at": 4}]}, console)
    assert console.export_text().splitlines()[:2] == ["better: a", "worse: b"]


def test_a_miss_says_what_was_wanted_and_what_was_said() -> None:
    truth = {"causes": [{"cause": "oom_killed", "object": "basil"}], "change": None, "no_cause": False}
    told = [{"fault": "crash_on_start", "object": {"name": "mint"}, "confidence": 0.7}]
    row = {"id": "c-1", "right_at": 3, "truth": truth, "answer": {"status": "conclusive", "hypotheses": told}}
    assert _miss(row) == "c-1: wanted oom_killed at basil; said crash_on_start at mint (0.70), right at 3"
