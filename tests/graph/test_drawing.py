"""docs/state_machine.md is what the code does."""

from pathlib import Path

from agent_sre.graph.drawing import state_machine_markdown

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "state_machine.md"


def test_the_document_is_generated_from_the_code() -> None:
    assert DOCUMENT.read_text("utf-8") == state_machine_markdown(), "run: make docs"
