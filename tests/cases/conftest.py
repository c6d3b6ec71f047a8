"""All public cases investigated once, and what each investigation stored, for all tests of this folder."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from agent_sre.bootstrap.snapshot import run_snapshot
from agent_sre.domain.evidence import Observation
from agent_sre.service.evaluate import Outcome, Scored, read_truth, score

CASES = Path(__file__).parents[2] / "../shared/cases"
SETS = ("cloudopsbench", "petshop", "nezha", "rootcausebench")


@dataclass(frozen=True)
class Answered:
    """One case's answer, what it was made of, and how it was scored."""

    path: Path
    answer: Mapping[str, Any]
    observations: Mapping[str, Observation]
    scored: Scored


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all-cases", action="store_true", help="rename every public case, not a third of them")


def paths() -> list[Path]:
    """The public cases, by set and id."""
    return [path for name in SETS for path in sorted((CASES / name / "cases").glob("*"))]


@cache
def answered(path: Path) -> Answered:
    """Investigate a case, once in the whole run."""
    started = perf_counter()
    answer, store = asyncio.run(run_snapshot(path))
    seconds = perf_counter() - started
    found = asyncio.run(store.cases.observations(answer["incident"], 1))
    truth = read_truth(path.parents[1] / "truth" / f"{path.name}.yaml")
    scored = score(Outcome(path.name, answer, seconds, 0.0), truth)
    return Answered(path, answer, {item.id: item for item in found}, scored)


def of_set(name: str) -> list[Scored]:
    """The scored cases of a set."""
    return [answered(path).scored for path in paths() if path.parents[1].name == name]
