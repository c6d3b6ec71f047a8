"""What an export writes is read again as what it was."""

from datetime import UTC, datetime

import orjson

from agent_sre.adapters.snapshot_directory.documents import parse_changes
from agent_sre.adapters.snapshot_directory.written_forms import change_rows
from agent_sre.domain.evidence import Observation
from agent_sre.domain.telemetry import Change

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_changes_keep_all_their_fields() -> None:
    deploy = Change("d1", NOON, "deploy", "cart", "2.1", "ana", "-a\n+b")
    commit = Change("c1", NOON, "commit", "cart", "faster", "ben", "", carried_by="d1")
    seen = Observation("changes/1", "changes", "changes", "q", NOON, changes=(commit, deploy))
    assert set(parse_changes(orjson.dumps(change_rows([seen])), "changes.json", NOON)) == {commit, deploy}
