"""The whole graph on the simulated shop, with the clock in the test's hand: wait, approve, reject, expire, crash."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent_sre.actions.policy import Mode, Policy
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.store_memory import MemoryCases, MemoryStore
from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval, ApprovalState, Decision
from agent_sre.domain.effect import EffectState, Verified
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.signal import default_signals
from agent_sre.evidence.alert_conditions import NAME
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.evidence.head_start import HeadStarts
from agent_sre.evidence.scope import Limits, Readers
from agent_sre.graph.build import Graph, build_graph
from agent_sre.graph.state import Context, Options
from agent_sre.ingest.alertmanager import parse
from agent_sre.ports.metrics import MetricsAnswer
from agent_sre.runbooks.load import builtin_folder, load_runbooks
from agent_sre.service.advance_incident import advance_incident
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.look_early import LookEarly
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from agent_sre.testing.shop.alertmanager import payload
from agent_sre.testing.shop.telemetry import ShopChanges, ShopLogs, ShopTopology
from agent_sre.testing.shop.world import CHECKOUT, GOOD, ShopWorld
from tests.unit.alerts import fold_ports

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RUNBOOKS = load_runbooks([builtin_folder()])


class ShopClock(FrozenClock):
    """A frozen clock that lets the shop live on whenever somebody waits."""

    world: ShopWorld | None = None

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        if self.world is not None:
            self.world.tick(self.now())


class Watched(MemoryCases):
    """Knows which collector's observations were stored in which order, and how often the cluster had been asked."""

    def __init__(self, world: ShopWorld) -> None:
        super().__init__()
        self.stored: list[tuple[str, int]] = []
        self._world = world

    async def add_observations(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        self.stored += [(item.collector, len(self._world.cluster.calls)) for item in items]
        await super().add_observations(incident_id, run, items)


class Asked:
    """A MetricsReader that knows which expressions it was asked for over a range."""

    def __init__(self, metrics: Any) -> None:
        self._metrics = metrics
        self.ranges: list[str] = []

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        self.ranges.append(expression)
        answer: MetricsAnswer = await self._metrics.query_range(expression, window, step)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._metrics, name)


@dataclass
class Stage:
    """The shop, the stores and the graph; ``saver`` survives a restart, like the database."""

    clock: ShopClock
    world: ShopWorld
    store: MemoryStore
    context: Context
    saver: InMemorySaver = field(default_factory=InMemorySaver)
    begin: Callable[[Sequence[Alert]], None] = lambda alerts: None
    looks: EarlyLooks | None = None

    @property
    def graph(self) -> Graph:
        return build_graph(self.saver)

    async def alert(self, status: str = "firing") -> Incident:
        now = self.clock.now()
        body = payload(status, START - timedelta(seconds=60), None if status == "firing" else now)
        alerts = parse(body, now)
        self.begin(alerts)
        await self.store.inbox.append(alerts)
        store = self.store
        await fold_alerts(replace(fold_ports(store, self.clock, self.context.ids), early=self.looks))
        return (await store.incidents.newest(1))[0]

    async def advance(self, incident: Incident) -> Incident:
        await advance_incident(incident.id, self.graph, self.context)
        found = await self.store.incidents.get(incident.id)
        assert found is not None
        return found

    async def waiting(self, incident: Incident) -> Approval:
        found = [item for item in await self.store.approvals.of_incident(incident.id)]
        assert [item.state for item in found] == [ApprovalState.WAITING]
        return found[0]

    async def decide(self, item: Approval, approve: bool) -> Decision:
        _, decision = await self.store.approvals.decide(item.id, approve, "ana", item.digest, self.clock.now(), "")
        return decision

    def image(self) -> str:
        deployment = self.world.cluster.peek(CHECKOUT)
        assert deployment is not None
        image: str = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
        return image


@pytest.fixture
def stage() -> Stage:
    clock, world, store = ShopClock(START), ShopWorld(START), MemoryStore()
    clock.world = world
    metrics = SnapshotMetrics(lambda: world.series(clock.now()), clock.now)
    context = Context(
        incidents=store.incidents,
        cases=store.cases,
        approvals=store.approvals,
        effects=store.effects,
        journal=store.journal,
        clock=clock,
        ids=SequentialIds(),
        readers=Readers(world.cluster, metrics, ShopLogs(world, clock), ShopChanges(world), ShopTopology()),
        writer=world.cluster,
        signals=default_signals(),
        runbooks=RUNBOOKS,
        policy=Policy(mode=Mode.APPROVE, namespaces=frozenset({"shop"})),
        limits=Limits(),
        options=Options(verify_timeout=timedelta(minutes=2), verify_poll=timedelta(seconds=2)),
    )
    return Stage(clock, world, store, context)


async def test_the_bad_deploy_is_found_and_its_undo_waits_for_a_person(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    assert incident.status is IncidentStatus.AWAITING_APPROVAL
    verdict = await stage.store.cases.verdict(incident.id, 1)
    assert verdict is not None
    lead = verdict.hypotheses[0]
    assert verdict.status == "conclusive"
    assert lead.object == CHECKOUT
    assert lead.change
    assert len({verdict.evidence_by_id()[key].source for key in lead.evidence}) >= 2
    asked = await stage.waiting(incident)
    assert (asked.proposal.action, asked.proposal.target) == ("rollout_undo", CHECKOUT)
    assert GOOD in asked.proposal.preview
    assert incident.due_at == asked.expires_at
    assert stage.world.cluster.patches == ()


async def test_the_alerts_own_figures_come_before_the_long_lists(stage: Stage) -> None:
    cases = Watched(stage.world)
    stage.store.cases = cases
    stage.context = replace(stage.context, cases=cases, head_starts=HeadStarts(seconds=30))
    await stage.advance(await stage.alert())
    from_back_ends = [item for item in cases.stored if item[0] != "alerts_received"]
    assert from_back_ends[0] == ("alert_conditions", 0)
    assert from_back_ends[-1][1] > 0


async def test_what_was_seen_when_the_alert_came_in_is_not_asked_again_and_leads_to_the_same_answer(
    stage: Stage,
) -> None:
    usual = await stage.advance(await stage.alert())
    expected = await stage.store.cases.observations(usual.id, 1)

    metrics = Asked(stage.context.readers.metrics)
    fresh = MemoryStore()
    stage.store, stage.saver = fresh, InMemorySaver()
    looks = EarlyLooks(fresh.cases.add_observations)
    ports = {"incidents": fresh.incidents, "cases": fresh.cases, "approvals": fresh.approvals, "journal": fresh.journal}
    readers = replace(stage.context.readers, metrics=metrics)
    stage.context = replace(stage.context, **ports, effects=fresh.effects, readers=readers, early=looks)
    stage.begin = LookEarly(looks, metrics, Limits(), stage.context.options.lookback)
    stage.looks = looks
    incident = await stage.advance(await stage.alert())

    conditions = [item for item in await fresh.cases.observations(incident.id, 1) if item.collector == NAME]
    (own,) = [item.query for item in conditions if item.series]
    assert metrics.ranges.count(own) == 1
    assert [item.to_plain() for item in conditions] == [item.to_plain() for item in expected if item.collector == NAME]


async def test_the_state_is_ids_and_small_values(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    state = await stage.graph.aget_state({"configurable": {"thread_id": f"{incident.id}/1"}})
    assert len(json.dumps(state.values)) < 10_000


async def test_approved_it_is_done_once_verified_and_resolved(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    asked = await stage.waiting(incident)
    assert await stage.decide(asked, True) is Decision.APPROVED
    incident = await stage.advance(incident)
    assert incident.status is IncidentStatus.RESOLVED
    assert stage.image() == GOOD
    assert len(stage.world.cluster.patches) == 1
    [effect] = await stage.store.effects.of_incident(incident.id)
    assert (effect.state, effect.verified) == (EffectState.DONE, Verified.RECOVERED)
    # Later wake-ups find nothing to do.
    assert incident.due_at is None
    incident = await stage.advance(incident)
    assert len(stage.world.cluster.patches) == 1
    # The source's own "resolved" changes nothing any more.
    incident = await stage.alert("resolved")
    assert incident.status is IncidentStatus.RESOLVED


async def test_rejected_nothing_is_done_and_a_person_has_it(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    await stage.decide(await stage.waiting(incident), False)
    incident = await stage.advance(incident)
    assert incident.status is IncidentStatus.ESCALATED
    assert stage.world.cluster.patches == ()


async def test_nobody_decides_in_time(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    asked = await stage.waiting(incident)
    stage.clock.set(asked.expires_at - timedelta(seconds=1))
    assert (await stage.advance(incident)).status is IncidentStatus.AWAITING_APPROVAL
    stage.clock.set(asked.expires_at)
    assert (await stage.advance(incident)).status is IncidentStatus.ESCALATED
    assert await stage.decide(asked, True) is not Decision.APPROVED
    await stage.advance(incident)
    assert stage.world.cluster.patches == ()


async def test_the_alert_resolves_while_somebody_thinks(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    asked = await stage.waiting(incident)
    incident = await stage.alert("resolved")
    assert incident.status is IncidentStatus.RESOLVED
    assert await stage.decide(asked, True) is Decision.ALREADY_DECIDED
    incident = await stage.advance(incident)
    assert (incident.status, incident.due_at) == (IncidentStatus.RESOLVED, None)
    assert stage.world.cluster.patches == ()


async def test_approved_but_resolved_before_it_ran_is_not_run(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    await stage.decide(await stage.waiting(incident), True)
    incident = await stage.alert("resolved")
    await stage.advance(incident)
    assert stage.world.cluster.patches == ()
    assert "No action was run: the alert resolved first" in [
        entry.text for entry in await stage.store.journal.timeline(incident.id)
    ]


async def test_the_target_changed_since_it_was_asked(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    asked = await stage.waiting(incident)
    stage.world.cluster.update(CHECKOUT, {"metadata": {"labels": {"touched": "yes"}}})
    await stage.decide(asked, True)
    incident = await stage.advance(incident)
    [effect] = await stage.store.effects.of_incident(incident.id)
    assert effect.state is EffectState.REFUSED
    assert incident.status is IncidentStatus.ESCALATED
    assert stage.world.cluster.patches == () or stage.image() != GOOD


async def test_the_kill_switch_between_approval_and_effect(stage: Stage) -> None:
    incident = await stage.advance(await stage.alert())
    await stage.decide(await stage.waiting(incident), True)
    stage.context = replace(stage.context, policy=replace(stage.context.policy, kill_switch=True))
    incident = await stage.advance(incident)
    assert stage.world.cluster.patches == ()
    assert incident.status is IncidentStatus.ESCALATED


async def test_suggest_only_shows_the_action_and_does_not_wait(stage: Stage) -> None:
    stage.context = replace(stage.context, policy=Policy(), writer=None)
    incident = await stage.advance(await stage.alert())
    assert incident.status is IncidentStatus.ESCALATED
    [shown] = await stage.store.approvals.of_incident(incident.id)
    assert shown.state is ApprovalState.SUGGESTED
    assert await stage.decide(shown, True) is Decision.SUGGEST_ONLY


@pytest.mark.parametrize("fails_at", ["save_findings", "save_verdict", "ask", "intend", "record", "audit"])
async def test_a_store_that_fails_in_any_step_delays_and_repeats_nothing(stage: Stage, fails_at: str) -> None:
    broken = {"left": 6}

    def flaky(port: Any) -> Any:
        class Flaky:
            def __getattr__(self, name: str) -> Any:
                method = getattr(port, name)
                if name != fails_at or not broken["left"]:
                    return method

                async def fail(*_: object, **__: object) -> None:
                    broken["left"] -= 1
                    raise TemporaryError("the database is away")

                return fail if broken["left"] else method

        return Flaky()

    whole = stage.context
    ports: Mapping[str, Any] = {
        name: flaky(getattr(whole, name)) for name in ("cases", "approvals", "effects", "journal")
    }
    stage.context = replace(whole, **ports)
    incident = await stage.alert()
    for _ in range(20):
        try:
            incident = await stage.advance(incident)
        except TemporaryError:
            continue
        for item in await stage.store.approvals.of_incident(incident.id):
            await stage.decide(item, True)
        if not incident.active:
            break
    assert incident.status is IncidentStatus.RESOLVED
    assert broken["left"] == 0
    assert stage.image() == GOOD
    effective = [call for call in stage.world.cluster.patches]
    assert len(effective) == 1
    texts = [entry.text for entry in await stage.store.journal.timeline(incident.id)]
    assert len(texts) == len(set(texts))
    assert stage.world.cluster.peek(ObjectRef("Deployment", "shop", "web")) is not None
