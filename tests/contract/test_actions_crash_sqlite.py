"""Every action over the real database, its process killed at every step: one effect, and the end of a calm run."""

import contextlib
from pathlib import Path

import pytest

from agent_sre.adapters.store_sql import open_store
from agent_sre.domain.audit import first_bad_row
from agent_sre.domain.effect import EffectState
from agent_sre.testing.cluster import FakeCluster
from tests.properties.test_executor_crashes import TICKS
from tests.unit.actions.executions import Killed, World
from tests.unit.actions.kinds import CASES, Case, proposal_of
from tests.unit.actions.rollouts import approved


@pytest.mark.parametrize("item", CASES, ids=str)
async def test_killed_at_every_step_over_sqlite(item: Case, tmp_path: Path) -> None:
    calm = World(FakeCluster(item.objects()))
    await calm.run(approved(await proposal_of(item, calm.cluster)))
    for life in range(TICKS):
        file = tmp_path / f"{life}.sqlite"
        world = World(FakeCluster(item.objects()))
        approval = approved(await proposal_of(item, world.cluster))
        store = await open_store(f"sqlite:///{file}")
        world.store = store  # type: ignore[assignment]
        with contextlib.suppress(Killed):
            await world.run(approval, ticks=life)
            pytest.fail("the list of steps is longer than a run")
        # Another process: nothing is left of the first but the file and the cluster.
        await store.close()
        world.store = store = await open_store(f"sqlite:///{file}")  # type: ignore[assignment]
        effect = await world.run(approval)
        assert effect.state is EffectState.DONE
        assert len(world.cluster.effects) == 1
        assert world.cluster.everything() == calm.cluster.everything()
        rows = await store.journal.audit_rows(0, 100)
        assert first_bad_row(rows) is None
        assert [row.verb for row in rows].count("effect.done") in (1, 2), (
            "an audit row may be there twice, never missing"
        )
        assert await store.effects.of_incident("INC-1") == (effect,)
        await store.close()
