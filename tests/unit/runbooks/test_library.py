"""The shipped runbooks are all valid, found for their faults, and offer only what exists; the schema is published."""

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent_sre.actions.catalogue import ACTIONS, offer_problems
from agent_sre.cli.runbooks import runbooks as command
from agent_sre.domain.fault import fault_types
from agent_sre.domain.runbook import Match, Runbook
from agent_sre.runbooks.check import check
from agent_sre.runbooks.load import builtin_folder, load_runbooks
from agent_sre.runbooks.match import matching
from agent_sre.runbooks.schema import schema_text

ROOT = Path(__file__).parents[3]
LIBRARY = load_runbooks([builtin_folder()])
IDS = [item.id for item in LIBRARY]


def of(fault: str, **labels: str) -> list[str]:
    return [item.id for item in matching(LIBRARY, fault, labels)]


def test_all_shipped_runbooks_pass_the_check() -> None:
    assert [str(problem) for problem in check(builtin_folder(), offer_problems)] == []


def test_the_library_covers_what_an_on_call_engineer_expects() -> None:
    expected = {
        "pod-crash-loop", "container-oom-killed", "image-pull-failure", "bad-deploy", "pods-pending",
        "namespace-quota-exceeded", "node-not-ready", "disk-filling", "certificate-expiring", "high-latency",
        "high-error-rate", "dns-failure", "cpu-throttling", "service-without-endpoints", "config-change", "job-failed",
    }  # fmt: skip
    assert expected <= set(IDS)


@pytest.mark.parametrize("book", LIBRARY, ids=IDS)
def test_every_offered_action_exists_with_valid_parameters_and_a_condition(book: Runbook) -> None:
    for offer in book.actions:
        assert offer_problems(offer.action, offer.parameters) == ()
        assert offer.action in ACTIONS
        assert offer.when, "an action of a shipped runbook is never offered for whatever fault its labels match"


@pytest.mark.parametrize("book", LIBRARY, ids=IDS)
def test_the_digest_is_that_of_the_file(book: Runbook) -> None:
    assert book.digest == hashlib.sha256(Path(book.path).read_bytes()).hexdigest()


def test_each_fault_is_covered_by_at_most_one_shipped_runbook() -> None:
    homes = {fault: [book.id for book in LIBRARY if fault in book.matches.faults] for fault in fault_types()}
    assert {fault: found for fault, found in homes.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        ("bad_deploy", "bad-deploy"),
        ("oom_killed", "container-oom-killed"),
        ("incorrect_image_reference", "image-pull-failure"),
        ("namespace_cpu_quota_exceeded", "namespace-quota-exceeded"),
        ("pod_cpu_throttled", "cpu-throttling"),
    ],
)
def test_a_fault_leads_to_its_runbook(fault: str, first: str) -> None:
    assert of(fault)[0] == first


def test_labels_lead_to_a_runbook_when_the_fault_is_unknown() -> None:
    assert of("", alertname="KubePodCrashLooping") == ["pod-crash-loop"]
    assert of("", alertname="CPUThrottlingHigh") == ["cpu-throttling"]
    assert of("", alertname="SomethingElse") == []
    assert of("no_such_fault", other="KubePodCrashLooping") == []


def test_fault_matches_come_before_label_matches() -> None:
    assert of("oom_killed", alertname="KubePodCrashLooping") == ["container-oom-killed", "pod-crash-loop"]


def test_all_labels_must_match_and_wholly() -> None:
    def book(name: str, **labels: str) -> Runbook:
        return Runbook(name, "", "", Match((), labels), (), (), (), "", "", "")

    books = [book("one", a="x"), book("two", a="x", b="re:y+"), book("never", c="x")]
    labels = {"a": "x", "b": "yyy", "c": "xx"}
    assert [item.id for item in matching(books, "", labels)] == ["two", "one"]
    assert [item.id for item in matching(books, "", {**labels, "b": "yyyz"})] == ["one"]


def test_the_published_schema_is_up_to_date() -> None:
    published = (ROOT / "docs" / "runbook.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: agent-sre runbooks schema > docs/runbook.schema.json"
    assert json.loads(published)["additionalProperties"] is False


def test_the_command_checks_the_shipped_ones_by_default() -> None:
    result = CliRunner().invoke(command, ["check"])
    assert result.exit_code == 0
    assert result.output == f"{len(LIBRARY)} runbooks checked, all good\n"


def test_the_command_prints_problems_and_fails(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("nothing", encoding="utf-8")
    result = CliRunner().invoke(command, ["check", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path}/x.md:1: the file begins with 'nothing'; begin it with a line ---" in result.output
    assert "1 runbooks checked, 1 with problems" in result.output


@pytest.mark.parametrize("verb", ["check", "list"])
def test_a_wrong_path_is_a_usage_error(verb: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [verb, str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "no such file or folder" in result.output


def test_the_command_lists_runbooks_with_their_actions() -> None:
    lines = CliRunner().invoke(command, ["list"]).output.splitlines()
    assert len(lines) == len(LIBRARY)
    assert any(line.startswith("bad-deploy ") and line.endswith("[rollout_undo, rollout_pause]") for line in lines)
