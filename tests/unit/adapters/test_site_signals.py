"""The example of docs/signals.md is a site's file that loads, and its words are those of the catalogue."""

import re
from pathlib import Path

from agent_sre.adapters.snapshot_directory.documents import read_signals
from agent_sre.domain.signal import LABELS, MEANINGS, Signal

DOCS = (Path(__file__).parents[3] / "docs" / "signals.md").read_text("utf-8")


def test_the_documented_example_loads(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    file = tmp_path / "signals.yaml"
    file.write_text(example, "utf-8")
    labels = {"svc": "workload", "ns": "namespace"}
    assert read_signals(file) == (Signal("checkout_latency_p95", "latency", "milliseconds", labels),)


def test_every_meaning_and_label_is_documented() -> None:
    assert [word for word in (*MEANINGS, *LABELS) if f"`{word}`" not in DOCS] == []
