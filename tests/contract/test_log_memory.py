"""A log of hundreds of megabytes costs its sample: streamed, capped, sampled evenly, and said so."""

import gzip
import json
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from agent_sre.domain.instant import parse_instant

MINUTES = 60
LINES = 1500
"""In each minute, of two kilobytes: 180 MB."""


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    log = tmp_path_factory.mktemp("huge") / "app.log.gz"
    filler = b"\x1b[31m" + b"GET /carts/17 " * 145 + b"\x1b[0m"
    with log.open("wb") as file:
        for minute in range(MINUTES):
            stamp = b"2026-03-01T11:%02d:" % minute
            rows = b"".join(stamp + b"%02d.5Z %b %d\n" % (n * 60 // LINES, filler, n) for n in range(LINES))
            odd = stamp + b"59.9Z " + b"x" * 10_000_000 + b"\n" if minute == 30 else b"\x00\xff\xfe raw \x01\n"
            # One member of a gzip file may follow another; so each minute is packed by itself.
            file.write(gzip.compress(rows + odd, compresslevel=1))
    command = [sys.executable, "-m", "tests.contract.huge_logs", str(log)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(300)
def test_memory_stays_bounded(collected: dict[str, Any]) -> None:
    assert collected["megabytes"] < 200


@pytest.mark.timeout(300)
def test_the_sample_is_even_over_the_window_and_what_was_left_out_is_said(collected: dict[str, Any]) -> None:
    times = [parse_instant(text) for text in collected["times"]]
    assert 500 <= len(times) <= 1000
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert max(gaps) < 20
    assert (times[-1] - times[0]).total_seconds() > 3500
    assert collected["left_out"] == [f"{MINUTES * LINES + 1 - len(times)} lines, sampled evenly"]


@pytest.mark.timeout(300)
def test_lines_are_cut_and_hostile_bytes_are_gone(collected: dict[str, Any]) -> None:
    assert collected["longest"] < 70_000
    assert collected["hostile"] == 0
