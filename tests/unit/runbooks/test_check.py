"""Each way a runbook can be wrong is found with its file, its line and a fix."""

from pathlib import Path

import pytest

from agent_sre.actions.catalogue import offer_problems
from agent_sre.domain.errors import PermanentError
from agent_sre.runbooks.check import check
from agent_sre.runbooks.front_matter import MAX_BYTES
from agent_sre.runbooks.load import load_runbooks
from agent_sre.runbooks.problem import Problem

GOOD = """\
---
id: sample
title: A sample
summary: One sentence.
matches:
  faults: [bad_deploy, oom_killed]
  labels:
    alertname: "re:High.*"
diagnostics:
  - title: Restarts
    source: promql
    query: increase(restarts_total{namespace="$object.namespace"}[5m]) > 0
    expect: None.
  - title: Pods
    source: kubernetes
    query: kubectl -n $object.namespace get pods
    expect: All run.
  - title: Errors
    source: logs
    query: "(?i)error"
    expect: Nothing.
actions:
  - action: rollout_undo
    parameters: {workload: $object, to_revision: $previous_revision}
    when: [bad_deploy]
    expected: It goes back.
    verify: It is well.
    undo: It goes forward.
links:
  - https://example.com/runbook
---
## What it means
## Confirm
## Fix
## Escalate
"""


def problems(folder: Path, old: str = "", new: str = "", text: str = GOOD) -> tuple[Problem, ...]:
    assert old in text, "the test changes a line that is not there"
    file = folder / "sample.md"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return check(file, offer_problems)


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(GOOD.splitlines(), 1) if text in line)


def test_a_good_one_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path) == ()


@pytest.mark.parametrize(
    ("old", "new", "at", "what", "fix"),
    [
        ("id: sample", "id: other", "id: sample", "id is 'other' but the file is sample.md", "make them the same"),
        ("id: sample", "id: Not Valid", "id: sample", "id is 'Not Valid'", "pattern"),
        ("title: A sample\n", "", "---", "title is missing", "add `title: ...`"),
        ("title: A sample", "title: 7", "title:", "title is 7", "valid string"),
        ("summary: One", "sumary: One", "summary:", "sumary is no field of a runbook", "one of: id, title"),
        ("faults: [bad_deploy,", "faults: [bad_deplyo,", "faults:", "no fault type 'bad_deplyo'", "nearest known ones"),
        ("faults: [bad_deploy, oom_killed]", "faults: bad_deploy", "faults:", "matches.faults is 'bad_deploy'", "list"),
        ('"re:High.*"', '"re:High(.*"', "alertname", "'re:High(.*' does not compile", "correct it"),
        ("source: promql", "source: sql", "source: promql", "diagnostics.0.source is 'sql'", "'promql', 'kubernetes'"),
        ("[5m]) > 0", "[5m] > 0", "increase(", "not balanced", "correct the PromQL"),
        ("$object.namespace\"}", "$namespace\"}", "increase(", "$namespace is no placeholder", "$object.namespace"),
        ("get pods", "delete pods --all", "get pods", "no reading kubectl command", "use kubectl get"),
        ("get pods", "get pods; rm -rf x", "get pods", "shell syntax", "one plain kubectl command"),
        ("get pods", "get pods $(id)", "get pods", "shell syntax", "one plain kubectl command"),
        ('"(?i)error"', '"(error"', "(?i)error", "the pattern does not compile", "correct it"),
        ("    expect: Nothing.\n", "", "title: Errors", "diagnostics.2.expect is missing", "add `expect: ...`"),
        ("action: rollout_undo", "action: exec", "action: rollout_undo", "there is no action 'exec'", "there are: "),
        ("to_revision: $previous_revision", "replicas: 0", "- action", "no parameter 'replicas'", "it has: workload"),
        (", to_revision: $previous_revision", "", "- action", "needs the parameter 'to_revision'", "correct it"),
        ("workload: $object,", "workload: Deployment shop/x,", "- action", "'Deployment shop/x'", "write $object"),
        ("$previous_revision}", "0}", "- action", "to_revision is 0", "from 1 to"),
        ("$previous_revision}", "[1]}", "parameters:", "actions.0.parameters.to_revision is [1]", "valid"),
        ("when: [bad_deploy]", "when: [slow_query]", "when:", "not match the fault type 'slow_query'", "add it"),
        ("https://example.com", "http://example.com", "example.com", "links.0 is 'http://example", "pattern"),
        ("title: Pods", "title: Pods\n    title: Again", "source: kubernetes", "'title' is there twice", "remove one"),
        ("expect: All run.", "expect: *x", "expect: All", "*x is an alias", "write the value out"),
        ("summary: One sentence.", "summary: [", "faults:", "the YAML cannot be read", "correct it"),
        ("summary: One sentence.", "summary: !!python/name:os.system", "summary:", "YAML cannot be read", "correct it"),
        ("summary: One sentence.", "summary: 2026-13-45", "id:", "a value cannot be read", "in quotes"),
        ("## Fix\n", "", "## What it means", "the body has no section 'Fix'", "add `## Fix`"),
    ],
)  # fmt: skip
def test_a_problem_is_named_with_line_and_fix(tmp_path: Path, old: str, new: str, at: str, what: str, fix: str) -> None:
    found = problems(tmp_path, old, new)
    named = [item for item in found if what in item.what]
    assert named, f"not found among: {found}"
    assert fix in named[0].fix
    assert named[0].line == line_of(at)
    assert str(named[0]).startswith(f"{tmp_path}/sample.md:{named[0].line}: ")


def test_a_runbook_that_matches_nothing(tmp_path: Path) -> None:
    text = GOOD.replace('  faults: [bad_deploy, oom_killed]\n  labels:\n    alertname: "re:High.*"\n', "  {}\n")
    found = problems(tmp_path, text=text.replace("    when: [bad_deploy]\n", ""))
    assert [item.what for item in found] == ["nothing ever matches this runbook"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "begins with ''"),
        (b"# Title\n", "begins with '# Title'"),
        (b"---\nid: x\n", "does not end"),
        (b"---\n- a\n---\n", "no list of fields"),
        (b"---\n---\n", "no list of fields"),
        (b"---\nid: \xff\n---\n", "not UTF-8"),
        (b"---\n" + b"a: " + b"[" * 20 + b"]" * 20 + b"\n---\n", "nested deeper"),
        (b"---\n" + b"x" * (MAX_BYTES + 1), "the file has 65537 bytes"),
        (b"---\n[a]: b\n---\n", "name is not text"),
        (b"---\nid: \x00\n---\n", "YAML cannot be read"),
    ],
)
def test_files_that_are_no_runbooks(tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "x.md").write_bytes(content)
    (found,) = check(tmp_path / "x.md", offer_problems)
    assert what in found.what
    assert found.fix


def test_all_problems_of_a_folder_are_reported_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("nothing", encoding="utf-8")
    (tmp_path / "a.md").write_text(GOOD.replace("title: A sample", "title: 7"), encoding="utf-8")
    (tmp_path / "README.md").write_text("not a runbook", encoding="utf-8")
    assert [Path(item.file).name for item in check(tmp_path, offer_problems)] == ["a.md", "b.md"]


def test_windows_line_ends_are_read(tmp_path: Path) -> None:
    file = tmp_path / "sample.md"
    file.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert check(file, offer_problems) == ()


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no such file or folder"):
        check(tmp_path / "none", offer_problems)


def test_loading_stops_at_a_bad_runbook_with_file_line_and_fix(tmp_path: Path) -> None:
    (tmp_path / "sample.md").write_text(GOOD.replace("title: A sample", "title: 7"), encoding="utf-8")
    with pytest.raises(PermanentError, match=r"sample\.md:3: title is 7; "):
        load_runbooks([tmp_path])


def test_a_sites_runbook_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    shipped, site = tmp_path / "shipped", tmp_path / "site"
    for folder, title in ((shipped, "Shipped"), (site, "Ours")):
        folder.mkdir()
        (folder / "sample.md").write_text(GOOD.replace("A sample", title), encoding="utf-8")
    (loaded,) = load_runbooks([shipped, site])
    assert loaded.title == "Ours"
    assert loaded.path == str(site / "sample.md")
