"""Scoring by the rules of the snapshot document, on answers and truths made up here."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from agent_sre.domain.errors import PermanentError
from agent_sre.service.evaluate import (
    Outcome,
    Scored,
    by_set,
    calibration,
    compare,
    quantile,
    read_truth,
    report,
    report_sets,
    score,
    summary,
)
from agent_sre.service.evaluate_set import case_paths, run

OBJECT = "{kind: Deployment, namespace: garden, name: basil}"


def hypothesis(
    fault: str, name: str, confidence: float = 0.9, kind: str = "Deployment", change: str | None = None
) -> dict[str, Any]:
    named = {"kind": kind, "namespace": "garden", "name": name}
    return {"rank": 1, "fault": fault, "object": named, "change": change, "confidence": confidence, "statement": ""}


def judged(tmp_path: Path, truth: str, *hypotheses: dict[str, Any], status: str = "conclusive") -> Scored:
    path = tmp_path / "truth.yaml"
    path.write_text(truth, "utf-8")
    answer = {"status": status, "hypotheses": list(hypotheses)}
    return score(Outcome("c-1", answer, 0.1, 50.0), read_truth(path))


@pytest.mark.parametrize(
    ("hypotheses", "right_at"),
    [
        ([hypothesis("oom_killed", "basil")], 1),
        ([hypothesis("oom_killed", "mint"), hypothesis("oom_killed", "basil")], 2),
        ([hypothesis("crash_on_start", "basil")], None),
        ([hypothesis("oom_killed", "basil-5d8f7c9b6-x2x4z", kind="Pod")], 1),
        ([hypothesis("oom_killed", "basil-5d8f7c9b6", kind="ReplicaSet")], 1),
        ([hypothesis("oom_killed", f"x{n}") for n in range(5)] + [hypothesis("oom_killed", "basil")], None),
        ([], None),
    ],
)
def test_fault_and_object_must_agree(tmp_path: Path, hypotheses: list[dict[str, Any]], right_at: int | None) -> None:
    assert judged(tmp_path, f"cause: oom_killed\nobject: {OBJECT}", *hypotheses).right_at == right_at


def test_where_only_the_object_is_known_any_fault_is_right(tmp_path: Path) -> None:
    assert judged(tmp_path, f"cause: null\nobject: {OBJECT}", hypothesis("slow_query", "basil")).right_at == 1


@pytest.mark.parametrize(("change", "right_at"), [("c-9", 1), ("c-8", None), (None, None)])
def test_the_change_must_agree_where_it_is_known(tmp_path: Path, change: str | None, right_at: int | None) -> None:
    truth = f"cause: bad_deploy\nobject: {OBJECT}\nchange: c-9"
    assert judged(tmp_path, truth, hypothesis("bad_deploy", "basil", change=change)).right_at == right_at


def test_what_else_is_accepted_is_right(tmp_path: Path) -> None:
    truth = f"cause: bad_deploy\nobject: {OBJECT}\naccept:\n- cause: slow_query\n  object: {OBJECT}"
    assert judged(tmp_path, truth, hypothesis("slow_query", "basil")).right_at == 1


@pytest.mark.parametrize(
    ("status", "hypotheses", "right_at"),
    [
        ("inconclusive", [], 1),
        ("inconclusive", [hypothesis("bad_deploy", "basil", change="c-1")], 1),
        ("conclusive", [hypothesis("bad_deploy", "basil", change="c-1")], None),
        ("conclusive", [hypothesis("oom_killed", "mint")], 1),
    ],
)
def test_where_no_change_is_guilty(
    tmp_path: Path, status: str, hypotheses: list[dict[str, Any]], right_at: int | None
) -> None:
    truth = f"cause: traffic_surge\nobject: {OBJECT}\nno_cause: true\naccept: []"
    assert judged(tmp_path, truth, *hypotheses, status=status).right_at == right_at


def test_where_outside_causes_are_accepted_one_must_be_named(tmp_path: Path) -> None:
    truth = (
        f"cause: upstream_provider_outage\nobject: {OBJECT}\nno_cause: true\n"
        "accept:\n- cause: upstream_provider_outage\n  object: {kind: Deployment, namespace: garden, name: pots}"
    )
    assert judged(tmp_path, truth, hypothesis("upstream_provider_outage", "pots")).right_at == 1
    assert judged(tmp_path, truth, hypothesis("oom_killed", "basil")).right_at is None


def test_figures_of_a_set(tmp_path: Path) -> None:
    truth = f"cause: oom_killed\nobject: {OBJECT}"
    cases = [
        judged(tmp_path, truth, hypothesis("oom_killed", "basil")),
        judged(tmp_path, truth, hypothesis("crash_on_start", "basil"), hypothesis("oom_killed", "basil")),
        judged(tmp_path, truth, status="inconclusive"),
    ]
    figures = summary(cases)
    assert figures["a_at_1"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["a_at_3"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["avg_at_5"] == pytest.approx((1 / 3 + 4 * 2 / 3) / 5, abs=1e-4)
    assert figures["object_only"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["fault_only"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["abstained"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["abstain_right"] == 1.0


def test_calibration_compares_confidence_with_hits(tmp_path: Path) -> None:
    truth = f"cause: oom_killed\nobject: {OBJECT}"
    cases = [
        judged(tmp_path, truth, hypothesis("oom_killed", name, 0.85)) for name in ("basil", "basil", "mint", "mint")
    ]
    (row,) = calibration(cases)
    assert (row["cases"], row["confidence"], row["right"]) == (4, 0.85, 0.5)
    assert summary(cases)["ece"] == pytest.approx(0.35)


@pytest.mark.parametrize(("share", "value"), [(0.5, 2.0), (0.95, 4.0), (0.25, 1.0)])
def test_quantiles_are_nearest_ranks(share: float, value: float) -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == value


def test_better_and_worse() -> None:
    old = {"cases": [{"id": "a", "right_at": 1}, {"id": "b", "right_at": None}, {"id": "c", "right_at": 2}]}
    new = {
        "cases": [
            {"id": "a", "right_at": 3},
            {"id": "b", "right_at": 5},
            {"id": "c", "right_at": 2},
            {"id": "d", "right_at": 1},
        ]
    }
    assert compare(old, new) == (["b"], ["a"])


def test_a_set_is_investigated_and_grouped_by_family(tmp_path: Path) -> None:
    for name, fault in (("x-1", "oom_killed"), ("x-2", "slow_query")):
        (tmp_path / "cases" / name).mkdir(parents=True)
        (tmp_path / "truth").mkdir(exist_ok=True)
        (tmp_path / "truth" / f"{name}.yaml").write_text(f"cause: {fault}\nobject: {OBJECT}", "utf-8")
    answer = {"status": "conclusive", "hypotheses": [hypothesis("oom_killed", "basil")]}
    found = report(run(tmp_path, lambda path: answer, jobs=0))
    assert found["families"]["runtime"]["a_at_1"] == 1.0
    assert found["families"]["data_stores"]["a_at_1"] == 0.0
    assert [row["right_at"] for row in found["cases"]] == [1, None]


def test_a_folder_that_is_no_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no set of cases"):
        case_paths(tmp_path)


def test_a_truth_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("- 1", "utf-8")
    with pytest.raises(PermanentError, match=r"t\.yaml holds list"):
        read_truth(tmp_path / "t.yaml")


def test_several_sets_are_one_document_and_can_be_taken_apart(tmp_path: Path) -> None:
    case = judged(tmp_path, f"cause: oom_killed\nobject: {OBJECT}", hypothesis("oom_killed", "basil"))
    found = report_sets({"a": [case], "b": [case, case]})
    assert found["overall"]["cases"] == 3
    assert [row["set"] for row in found["cases"]] == ["a", "b", "b"]
    assert found["sets"]["b"]["overall"]["cases"] == 2
    assert len(by_set(found, "x")["b"]["cases"]) == 2
    assert list(by_set(report([case]), "x")) == ["x"]


def test_sets_are_compared_by_set_and_id() -> None:
    def rows(a: int | None, b: int | None) -> dict[str, Any]:
        found = [{"set": "a", "id": "1", "right_at": a}, {"set": "b", "id": "1", "right_at": b}]
        return {"sets": {}, "cases": found}

    assert compare(rows(1, None), rows(2, 1)) == (["b/1"], ["a/1"])
    assert compare({"cases": [{"id": "1", "right_at": 1}]}, {"cases": [{"id": "1", "right_at": 2}]}) == ([], ["1"])


def test_a_missing_truth_is_named(tmp_path: Path) -> None:
    (tmp_path / "cases" / "x-1").mkdir(parents=True)
    (tmp_path / "truth").mkdir()
    with pytest.raises(PermanentError, match=r"truth/x-1\.yaml is missing"):
        case_paths(tmp_path)


def test_a_broken_case_is_a_miss_and_no_abstention(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("cause: null\nobject: null\nno_cause: true", "utf-8")
    outcome = Outcome("x", {"status": "error", "hypotheses": []}, 0.0, 0.0, "no alerts.json")
    found = score(outcome, read_truth(tmp_path / "t.yaml"))
    assert (found.right_at, found.abstained) == (None, False)


def a_set(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / "cases" / name).mkdir(parents=True)
        (folder / "truth").mkdir(exist_ok=True)
        (folder / "truth" / f"{name}.yaml").write_text(f"cause: oom_killed\nobject: {OBJECT}\n", "utf-8")
    return case_paths(folder)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("cause: oom_killed\nobject: basil", "object is 'basil'; it needs kind, namespace and name"),
        ("cause: [a]\nobject: null", "cause is ['a'], not a fault type"),
        ("cause: oom_killed\naccept: yes", "accept is True, not a list of causes"),
        ("cause: oom_killed\naccept: [basil]", "object is 'basil'"),
        ("cause: null\nchange: 7", "change is 7, not a change's id"),
        ("- a list", "holds list, not a truth"),
        ("cause: {", "can't be read as a truth"),
    ],
)
def test_a_malformed_truth_is_a_broken_case_and_ends_nothing(tmp_path: Path, text: str, says: str) -> None:
    paths = a_set(tmp_path, "a", "b", "c")
    (tmp_path / "truth" / "b.yaml").write_text(text, "utf-8")
    scored = run(tmp_path, lambda path: {"status": "conclusive", "hypotheses": [hypothesis("oom_killed", "basil")]},
                 jobs=0)  # fmt: skip
    assert [case.right_at for case in scored] == [1, None, 1]
    assert [bool(case.outcome.error) for case in scored] == [False, True, False]
    assert "b.yaml" in scored[1].outcome.error and says in scored[1].outcome.error
    assert len(report(scored)["cases"]) == len(paths)
    assert report(scored)["families"]["no truth"]["a_at_1"] == 0.0


def deadly(path: Path) -> dict[str, Any]:
    """Dies where the case says so, as a process does that takes too much memory."""
    if path.name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return {"status": "conclusive", "hypotheses": [hypothesis("oom_killed", "basil")]}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_process_costs_its_own_case_only(tmp_path: Path, jobs: int) -> None:
    a_set(tmp_path, "a", "deadly", "e", "f", "g")
    scored = run(tmp_path, deadly, jobs=jobs)
    assert [case.right_at for case in scored] == [1, None, 1, 1, 1]
    assert "was killed" in scored[1].outcome.error
