"""Killing the process: what was acknowledged is there, whatever the instant.

This shows that the answer comes after the commit and that the file recovers. That the commit itself outlives a power
cut is SQLite's ``synchronous=FULL`` and PostgreSQL's ``synchronous_commit``, whose settings test_store_sqlite and
test_store_postgresql check.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

import pytest

from agent_sre.adapters.store_sql import open_store, single_writer
from agent_sre.domain.audit import first_bad_row

ROOT = Path(__file__).parents[2]

WRITER = """
import asyncio, itertools, sys
from agent_sre.adapters.store_sql import open_store, single_writer
from tests.contract.store_values import alert, approval, effect, after, incident, entry

async def write(store, worker):
    for n in itertools.count():
        await store.inbox.append([alert(f"{worker}-{n}")])
        print("alert", worker, n, flush=True)
        if worker == 0:
            await store.journal.audit(after(n), "a", "v", str(n), {})
            print("audit", n + 1, 0, flush=True)
            await store.incidents.fold(incident(f"inc-{n}"), [], [entry("x", f"inc-{n}")])
            print("incident", n, 0, flush=True)
            await store.effects.intend(effect(f"eff-{n}", f"app-{n}"))
            print("effect", n, 0, flush=True)

async def main(url):
    async with single_writer(url):
        store = await open_store(url)
        await asyncio.gather(*(write(store, worker) for worker in range(4)))

asyncio.run(main(sys.argv[1]))
"""


async def run_until_killed(url: str, acknowledgements: int) -> list[tuple[str, int, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(acknowledgements)]
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == -signal.SIGKILL
    words = [line.split() for line in lines if line.endswith(b"\n")]
    return [(kind.decode(), int(first), int(second)) for kind, first, second in words]


@pytest.mark.parametrize("acknowledgements", [1, 2, 3, 5, 40, 200])
async def test_what_was_acknowledged_before_a_kill_is_there(url: str, acknowledgements: int) -> None:
    told = await run_until_killed(url, acknowledgements)
    assert len(told) >= acknowledgements

    async with single_writer(url, wait_seconds=5):  # a dead process holds no lock
        store = await open_store(url)
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            stored = [item.name for _, item in await store.inbox.pending(100_000)]
            audit = await store.journal.audit_rows(0, 100_000)
            incidents = {item.id for item in await store.incidents.newest(100_000)}
            effects = {item.id for item in await store.effects.of_incident("inc-1")}

    assert len(stored) == len(set(stored))
    assert {f"{first}-{second}" for kind, first, second in told if kind == "alert"} <= set(stored)
    assert {first for kind, first, _ in told if kind == "audit"} <= {row.sequence for row in audit}
    assert {f"inc-{first}" for kind, first, _ in told if kind == "incident"} <= incidents
    assert {f"eff-{first}" for kind, first, _ in told if kind == "effect"} <= effects
    assert first_bad_row(audit) is None
