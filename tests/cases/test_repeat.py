"""The same case gives the same bytes, in this process and in another with other hash seeds; no model, no network."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from agent_sre.bootstrap.snapshot import run_snapshot
from tests.cases.conftest import answered, paths

pytestmark = [pytest.mark.cases, pytest.mark.timeout(400)]
ROOT = Path(__file__).parents[2]
CHOSEN = paths()[::12]
_SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from agent_sre.bootstrap.snapshot import run_snapshot
for line in sys.argv[1:]:
    print(json.dumps(asyncio.run(run_snapshot(Path(line)))[0], sort_keys=True))
"""


def settled(answer: Mapping[str, Any]) -> str:
    """The answer without what may differ: seconds."""
    return re.sub(r'"seconds": \{[^}]*\}', "", json.dumps(answer, sort_keys=True))


@pytest.mark.parametrize("path", CHOSEN, ids=lambda path: path.name)
def test_two_runs_are_equal(path: Path) -> None:
    assert settled(asyncio.run(run_snapshot(path))[0]) == settled(answered(path).answer)


def test_another_process_with_another_hash_seed_says_the_same() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *map(str, CHOSEN)], env=environment, capture_output=True, text=True, check=True
    )
    others = [settled(json.loads(line)) for line in done.stdout.splitlines()]
    assert others == [settled(answered(path).answer) for path in CHOSEN]


def test_no_model_was_asked() -> None:
    assert all(answered(path).answer["cost"]["llm_calls"] == 0 for path in CHOSEN)
