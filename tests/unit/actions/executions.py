"""A place to execute in: cluster, ledger and journal in memory, frozen clock; and a process that may die anywhere."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_sre.actions.executor import execute
from agent_sre.actions.policy import Mode, Policy
from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.approval import Approval
from agent_sre.domain.audit import AuditRow, first_bad_row
from agent_sre.domain.effect import Effect
from agent_sre.domain.merge_patch import same
from agent_sre.ports.kill_switch import KillSwitch
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.cluster import FakeCluster
from tests.unit.actions.rollouts import bad_rollout

ALLOW = Policy(mode=Mode.APPROVE, namespaces=frozenset({"shop"}), nodes=frozenset({"node-*"}))


class Killed(BaseException):
    """SIGKILL: nothing in the product may catch it."""


class Mortal:
    """A port whose calls count down to the process's death: even numbers before a call, odd ones right after it."""

    def __init__(self, port: Any, life: "Life") -> None:
        self._port, self._life = port, life

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self._life.tick()
            answer = await getattr(self._port, name)(*args, **kwargs)
            self._life.tick()
            return answer

        return call


@dataclass
class Life:
    """How many ticks a process lives; None for ever."""

    left: int | None = None

    def tick(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed


@dataclass
class World:
    """What outlives a process."""

    cluster: FakeCluster = field(default_factory=lambda: FakeCluster(bad_rollout()))
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: FrozenClock = field(default_factory=FrozenClock)
    template_changes: int = 0

    def __post_init__(self) -> None:
        self.cluster.on_patch = self._count

    def _count(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        old, new = ((item.get("spec") or {}).get("template") for item in (before, after))
        self.template_changes += not same(old, new)

    async def run(
        self,
        approval: Approval,
        policy: Policy = ALLOW,
        ticks: int | None = None,
        kill_switch: KillSwitch | None = None,
    ) -> Effect:
        """One process that executes, killed after so many ticks."""
        life = Life(ticks)
        return await execute(
            approval,
            writer=Mortal(self.cluster, life),
            reader=Mortal(self.cluster, life),
            ledger=Mortal(self.store.effects, life),
            clock=self.clock,
            policy=policy,
            journal=Mortal(self.store.journal, life),
            kill_switch=kill_switch,
        )

    async def audit(self) -> tuple[AuditRow, ...]:
        rows = await self.store.journal.audit_rows(0, 1000)
        assert first_bad_row(rows) is None
        return rows

    async def verbs(self) -> list[str]:
        return [row.verb for row in await self.audit()]
