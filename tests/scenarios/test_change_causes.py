"""Changes: the guilty one is named by place, time and symptom; the innocent that merely came last is not."""

import pytest

from tests.scenarios.telemetry_case import Incident

TIMEOUT_DIFF = """files: services/basil/client.go
@@ services/basil/client.go: func (c *mintClient) Fetch(ctx context.Context) ([]*Leaf, error) {
-	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
+	ctx, cancel := context.WithTimeout(ctx, 150*time.Millisecond)"""
TIDY_DIFF = """files: services/basil/handler.go
@@ services/basil/handler.go
-	w.WriteHeader(code)
-	json.NewEncoder(w).Encode(body)
+	writeJSON(w, code, body)"""


def failing_basil() -> Incident:
    """basil fails since the fault: its callers see it."""
    incident = Incident().calls(("gate", "basil"), ("basil", "mint")).alert("ErrorRateHigh", "basil", "basil fails")
    incident.requests("basil", 20, 10).requests("basil", 0.02, 10, status="503")
    incident.logs("basil", "INFO served leaf order=17", *range(-50, 0, 5))
    return incident.logs(
        "basil",
        "ERROR Fetch failed: context deadline exceeded deadline_ms=150 elapsed_ms=150",
        *[n / 4 for n in range(1, 28)],
    )


def test_the_edit_that_explains_the_errors_beats_the_deploy_that_came_last() -> None:
    incident = failing_basil()
    incident.change(
        "c-guilty", -12, "commit", "services/basil/client.go", "refactor: one budget per call", TIMEOUT_DIFF
    )
    incident.change("c-guilty", -10, "deploy", "basil", "deploy basil from commit c-guilty")
    incident.change("c-tidy", -3, "commit", "services/basil/handler.go", "refactor: tidy handler", TIDY_DIFF)
    incident.change("c-tidy", -1, "deploy", "basil", "deploy basil from commit c-tidy")
    first = incident.verdict().hypotheses[0]
    assert (first.fault, first.object.name, first.change) == ("bad_deploy", "basil", "c-guilty")


def test_a_change_after_the_first_error_is_never_blamed() -> None:
    incident = failing_basil()
    incident.change("c-late", 1, "deploy", "basil", "deploy basil", TIMEOUT_DIFF)
    assert all(item.change != "c-late" for item in incident.verdict().hypotheses)


@pytest.mark.parametrize(
    ("path", "summary"),
    [
        ("docs/api/basil.md", "docs: describe basil"),
        ("services/basil/client_test.go", "test: cover the client"),
        ("deploy/staging/basil.yaml", "chore: staging replicas"),
        ("web/static/basil.css", "style: greener"),
    ],
)
def test_what_cannot_break_a_service_is_not_blamed(path: str, summary: str) -> None:
    incident = failing_basil()
    incident.change("c-harmless", -4, "commit", path, summary, f"files: {path}\n+deadline_ms 150 elapsed_ms Fetch")
    assert all(item.change != "c-harmless" for item in incident.verdict().hypotheses)


def test_a_change_of_an_unrelated_service_is_not_blamed_first() -> None:
    incident = failing_basil()
    incident.change("c-other", -1, "deploy", "dill", "deploy dill")
    assert incident.verdict().hypotheses[0].change is None


def test_a_flag_of_the_failing_service() -> None:
    incident = failing_basil()
    incident.change("short_budget", -1, "feature_flag", "basil", "feature flag short_budget: off->on")
    blamed = {(item.change, item.fault) for item in incident.verdict().hypotheses}
    assert ("short_budget", "bad_feature_flag") in blamed


def test_a_configuration_change() -> None:
    incident = failing_basil()
    diff = "files: config/basil.yaml\n-timeout: 4s\n+timeout: 150ms\n+deadline_ms: 150"
    incident.change("cfg-9", -2, "config", "basil", "lower the timeout of basil", diff)
    blamed = {(item.change, item.fault) for item in incident.verdict().hypotheses}
    assert ("cfg-9", "bad_config_change") in blamed


def test_a_dependency_that_was_raised() -> None:
    incident = Incident().alert("ErrorRateHigh", "basil", "basil fails")
    incident.requests("basil", 20, 10).requests("basil", 0.02, 10, status="500")
    incident.logs("basil", "ERROR undefined symbol leafproto_v2 in incompatible version of leafproto", *range(8))
    diff = "files: services/basil/go.mod\n-	example.org/leafproto v1.4.0\n+	example.org/leafproto v2.0.0"
    incident.change("c-dep", -2, "commit", "services/basil/go.mod", "bump leafproto", diff)
    blamed = {(item.change, item.fault) for item in incident.verdict().hypotheses}
    assert ("c-dep", "dependency_upgrade_broken") in blamed


def test_a_migration() -> None:
    incident = Incident().alert("ErrorRateHigh", "basil", "basil fails")
    incident.requests("basil", 20, 10).requests("basil", 0.02, 10, status="500")
    incident.logs("basil", 'ERROR column "leaf_colour" does not exist', *range(8))
    edit = "-leaf_colour TEXT\n+ALTER TABLE leaf RENAME COLUMN leaf_colour TO colour"
    diff = f"files: services/basil/migrations/0042.sql\n{edit}"
    incident.change("m-42", -1, "deploy", "basil", "migrate leaf", diff)
    blamed = {(item.change, item.fault) for item in incident.verdict().hypotheses}
    assert ("m-42", "bad_migration") in blamed
