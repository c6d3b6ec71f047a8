"""What a diff touches and which dangerous edits it contains."""

from dataclasses import replace

import pytest

from agent_sre.analysis.diffs import moved_only, read
from agent_sre.domain.telemetry import Change
from tests.scenarios.telemetry_case import FAULT


def change(diff: str, summary: str = "refactor: tidy", target: str = "services/basil") -> Change:
    return Change("c-1", FAULT, "commit", target, summary, "", diff)


@pytest.mark.parametrize(
    ("risk", "diff"),
    [
        ("guard removed", "-	if leaf == nil {\n-		return\n-	}\n 	use(leaf)"),
        ("timeout lowered", "-  timeout: 30s\n+  timeout: 500ms"),
        (
            "timeout lowered",
            "-ctx = WithTimeout(ctx, 2*time.Second)\n+ctx = WithTimeout(ctx, 90*time.Millisecond)",
        ),
        ("limit lowered", "-  maxConnections: 100\n+  maxConnections: 10"),
        ("limit lowered", "-DB_POOL_SIZE: '20'\n+DB_POOL_SIZE: '2'"),
        ("limit lowered", "-        memory: 768Mi\n+        memory: 256Mi"),
        ("limit lowered", "-        cpu: '1'\n+        cpu: 150m"),
        ("schema changed", "-db.leaf.createIndex({a: 1})\n+db.leaf.dropIndex('a_1')"),
        ("call in a loop", "+for leaf in leaves:\n+    await store.Get(leaf)"),
        ("batching dropped", "-	db.BatchWrite(items)\n+	for _, i := range items { db.Put(ctx, i) }"),
        ("field changed", '-	Leaf string `json:"leaf"`\n+	Leaf string `json:"leaves"`'),
        ("dependency raised", "files: go.mod\n-	example.org/x v1.0.0\n+	example.org/x v2.0.0"),
    ],
)
def test_dangerous_edits(risk: str, diff: str) -> None:
    assert risk in read(change(diff)).risks


@pytest.mark.parametrize(
    "diff",
    [
        "+	if leaf == nil {\n+		return\n+	}",
        "-  timeout: 500ms\n+  timeout: 30s",
        "-  maxConnections: 10\n+  maxConnections: 100",
        "-	log.Printf(a)\n+	logger.Info(a)",
    ],
)
def test_the_safe_direction_is_no_risk(diff: str) -> None:
    assert read(change(diff)).risks == frozenset()


@pytest.mark.parametrize(
    ("path", "harmless"),
    [
        ("docs/basil.md", True),
        ("services/basil/order_test.go", True),
        (".github/workflows/build.yml", True),
        ("deploy/staging/basil.yaml", True),
        ("services/basil/order.go", False),
        ("deploy/production/basil.yaml", False),
    ],
)
def test_what_cannot_break_a_service(path: str, harmless: bool) -> None:
    assert read(change(f"files: {path}\n+x", summary="change basil")).harmless is harmless


def test_a_pure_move_is_seen_as_one() -> None:
    assert moved_only(read(change("-a.Amount = x\n-b.Price = y\n+b.Price = y\n+a.Amount = x"))) == 1.0
    assert moved_only(read(change("-a.Amount = x\n+other.thing(here)"))) < 0.5


def test_paths_come_from_any_form_of_diff() -> None:
    for text in (
        "files: a/b.go, c.go",
        "--- a/a/b.go\n+++ b/a/b.go",
        "diff --git a/a/b.go b/a/b.go",
        "@@ a/b.go: func X",
    ):
        assert "a/b.go" in read(change(text)).paths


ROUTE = "   - id: leaf\n-    uri: http://basil:8080\n+    uri: http://mint:8080\n     predicates: Path=/leaf/**"


@pytest.mark.parametrize(
    ("kind", "diff", "found"),
    [
        ("config", ROUTE, True),
        ("commit", f"+++ b/gate/routes.yaml\n{ROUTE}", True),
        ("commit", f"+++ b/gate/routes.go\n{ROUTE}", False),
        ("config", ROUTE.replace("mint:8080", "basil:8081"), False),
        ("config", "-log: plain for http://basil\n+log: json for http://mint", False),
    ],
)
def test_a_route_that_leads_elsewhere(kind: str, diff: str, found: bool) -> None:
    edit = replace(change(diff, "gate: tidy", "gate"), kind=kind)
    assert ("route changed" in read(edit).risks) is found
