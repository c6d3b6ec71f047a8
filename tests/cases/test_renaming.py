"""What things are called decides nothing: under other names the verdict is the same. ``--all-cases`` tries them all."""

import asyncio
from pathlib import Path
from zlib import crc32

import pytest

from agent_sre.bootstrap.snapshot import run_snapshot
from tests.cases.conftest import answered, paths
from tests.cases.renaming import Renamer, names_in, new_names, rename_snapshot

pytestmark = [pytest.mark.cases, pytest.mark.timeout(120)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "renamed_case" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-cases", default=False)
        chosen = [path for path in paths() if every or crc32(path.name.encode()) % 3 == 0]
        metafunc.parametrize("renamed_case", chosen, ids=lambda path: path.name)


def test_renaming_everything_changes_no_verdict(renamed_case: Path, tmp_path: Path) -> None:
    names = names_in(renamed_case)
    rename = Renamer(new_names(names, seed=crc32(renamed_case.name.encode())))
    rename_snapshot(renamed_case, tmp_path / "case", rename)
    before = answered(renamed_case).answer
    after = asyncio.run(run_snapshot(tmp_path / "case"))[0]
    assert after["status"] == before["status"]
    first, second = (item["hypotheses"][:1] for item in (before, after))
    wanted = [(item["fault"], rename(item["object"]["name"]), rename(item["change"] or "")) for item in first]
    assert [(item["fault"], item["object"]["name"], item["change"] or "") for item in second] == wanted
