"""``agent-sre eval`` on the command line: refusals, and what got better and worse."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner
from rich.console import Console

from agent_sre.cli.eval import _compare, _miss, evaluate
from agent_sre.cli.progress import sentence
from tests.scenarios.sets.registry import write_set


def test_a_folder_that_is_no_set_is_refused_with_the_reason(tmp_path: Path) -> None:
    result = CliRunner().invoke(evaluate, [str(tmp_path)])
    assert result.exit_code != 0
    assert "it needs the folders cases/ and truth/" in f"{result.output}{result.exception}"


def test_what_got_better_and_worse_is_said() -> None:
    old = {"cases": [{"id": "a", "right_at": None}, {"id": "b", "right_at": 1}]}
    console = Console(record=True, width=100)
    _compare(old, {"cases": [{"id": "a", "right_at": 1}, {"id": "b", "right_at": 4}]}, console)
    assert console.export_text().splitlines()[:2] == ["better: a", "worse: b"]


def test_a_miss_says_what_was_wanted_and_what_was_said() -> None:
    truth = {"causes": [{"cause": "oom_killed", "object": "basil"}], "change": None, "no_cause": False}
    told = [{"fault": "crash_on_start", "object": {"name": "mint"}, "confidence": 0.7}]
    row = {"id": "c-1", "right_at": 3, "truth": truth, "answer": {"status": "conclusive", "hypotheses": told}}
    assert _miss(row) == "c-1: wanted oom_killed at basil; said crash_on_start at mint (0.70), right at 3"


def test_an_old_file_that_is_none_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("[]", "utf-8")
    result = CliRunner().invoke(evaluate, [str(tmp_path), "--compare", str(tmp_path / "old.json")])
    assert result.exit_code == 2
    assert "no output of agent-sre eval" in result.output


def test_help_has_an_example() -> None:
    assert "--compare old.json" in CliRunner().invoke(evaluate, ["--help"]).output


def test_progress_has_count_rate_and_time_left() -> None:
    assert sentence(10, 40, 20.0) == "10 of 40 answered, 0.5 per second, 1:00 left"
    assert sentence(0, 40, 20.0) == "0 of 40 answered"


def small_set(folder: Path) -> Path:
    """Two cases; the second can't be read."""
    write_set("observability", folder)
    names = sorted(path.name for path in (folder / "cases").iterdir())
    for name in names[2:]:
        (folder / "cases" / name).rename(folder / name)
    (folder / "cases" / names[1] / "snapshot.yaml").unlink()
    return folder


def test_several_sets_with_a_broken_case_each(tmp_path: Path) -> None:
    sets = [str(small_set(tmp_path / name)) for name in ("left", "right")]
    done = subprocess.run(
        [sys.executable, "-m", "agent_sre", "eval", *sets, "--json"], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (1, "")
    assert found["overall"]["cases"] == 4
    assert list(found["sets"]) == ["left", "right"]
    assert ["snapshot.yaml" in row.get("error", "") for row in found["cases"]] == [False, True, False, True]


def test_ctrl_c_ends_at_once_with_what_was_answered(tmp_path: Path) -> None:
    write_set("no_cause", tmp_path / "set")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "agent_sre", "eval", str(tmp_path / "set")]
    # A shell that runs the tests in the background makes its children deaf to SIGINT, but for what is handled here.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, start_new_session=True)
    signal.signal(signal.SIGINT, heard)
    try:
        seen = ""
        while not re.search(r"[1-9]\d* of [1-9]", seen):
            seen += os.read(ours, 4096).decode(errors="replace")
        os.killpg(child.pid, signal.SIGINT)
        out, _ = child.communicate(timeout=20)
    finally:
        child.kill()
        child.communicate()
    os.close(theirs)
    seen += os.read(ours, 65536).decode(errors="replace")
    assert child.returncode == 130
    assert "overall" in out
    assert "Traceback" not in seen
    deadline = time.monotonic() + 10
    while living(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)  # multiprocessing's tracker of shared memory ends when it sees its pipe closed
    assert living(child.pid) == []


def living(group: int) -> list[str]:
    """Processes of the group that have not ended; who has, may still wait to be collected."""
    lines = subprocess.check_output(["ps", "-eo", "pgid,stat,args"], text=True).splitlines()
    rows = [line.split(maxsplit=2) for line in lines]
    return [" ".join(row) for row in rows if row[0] == str(group) and not row[1].startswith("Z")]
