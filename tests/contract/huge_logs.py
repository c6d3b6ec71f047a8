"""Collects the logs of a folder in a process of its own and prints what came of it, as JSON; see test_log_memory."""

import asyncio
import json
import resource
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.adapters.snapshot_directory.folder import open_plain
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence import pod_logs
from agent_sre.evidence.catalogue import Collector
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Limits, Readers, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def main(log: Path) -> dict[str, object]:
    reader = SnapshotLogs({LogSource("shop", "cart-1", "app"): partial(open_plain, log)}, NOW)
    limits = Limits(timeout_seconds=300, log_lines=1000)
    window = Window(NOW - timedelta(hours=1), NOW)
    scope = Scope("i", 1, NOW, window, ("shop",), (), limits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = await run_collector(Collector(pod_logs.NAME, pod_logs.collect), scope, Readers(logs=reader))
    (observation,) = found.observations
    lines = observation.streams[0].lines
    return {
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "times": [format_instant(line.time) for line in lines if line.time],
        "longest": max(len(line.text) for line in lines),
        "hostile": sum("\x1b" in line.text or "\x00" in line.text for line in lines),
        "left_out": observation.left_out,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(Path(sys.argv[1])))))
