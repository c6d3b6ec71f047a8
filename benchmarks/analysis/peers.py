"""Asks a peer that is installed in an environment of its own."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def ask(peer: str, question: object) -> Any:
    """What ``peer_<peer>.py`` prints for a question, run by the peer's own Python; both are JSON.

    Exits the benchmark where the environment is missing: `make bench-analysis` makes it.
    """
    python = ROOT / "build" / "bench-peers" / peer / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"{python} does not exist; run: make bench-analysis")
    script = Path(__file__).parent / f"peer_{peer}.py"
    done = subprocess.run(
        [python, script], input=json.dumps(question), stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)
