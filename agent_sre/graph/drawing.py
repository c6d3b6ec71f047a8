"""Generates docs/state_machine.md from the code, so that the drawing can't disagree with what runs.

``make docs`` writes the file; a test compares it.
"""

from agent_sre.domain.incident import TRANSITIONS
from agent_sre.graph.build import build_graph

_HEAD = """# The two state machines

Generated from the code by `make docs`; a test compares. Not to be confused: the investigation is a LangGraph
graph whose nodes are verbs and whose position lives in a checkpoint; the incident's lifecycle is a stored state whose
names are adjectives or participles and which outlives any number of investigations.

## The investigation graph

`gather` runs once per collector, in parallel. `await_approval` is an interrupt: the run waits in its checkpoint, not in
memory, and a restart changes nothing.

```mermaid
"""

_LIFECYCLE = """```

## The incident's lifecycle

Every change goes through `Incident.to`, which refuses what is not in this table.

```mermaid
stateDiagram-v2
    [*] --> open
"""


def state_machine_markdown() -> str:
    """The whole document."""
    drawing = build_graph(None).get_graph().draw_mermaid().strip()
    arrows = [f"    {before} --> {after}" for before in TRANSITIONS for after in sorted(TRANSITIONS[before])]
    ends = [f"    {state} --> [*]" for state, after in TRANSITIONS.items() if not after]
    return _HEAD + drawing + "\n" + _LIFECYCLE + "\n".join([*arrows, *ends]) + "\n```\n"
