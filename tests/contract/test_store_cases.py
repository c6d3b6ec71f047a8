"""CaseStore: what every backend must do."""

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.evidence import Evidence, Gap
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.verdict import Cost, Impact, RuledOut, Verdict, VerdictStatus
from tests.contract.store_values import NOON, after, content, observation

Store = MemoryStore | SqlStore

CHECKOUT = ObjectRef("Deployment", "shop", "checkout")
FINDING = Finding(
    analyzer="crash_loop",
    fault="oom_killed",
    object=CHECKOUT,
    strength=0.95,
    statement="checkout is killed for memory",
    facts=(Fact("exit code 137", "pods/1", '"exitCode": 137', NOON), Fact("no time", "pods/1", "x")),
    against=(Fact("limit is high", "pods/2", "2Gi"),),
    change="c1",
    onset=after(-30),
    explains=(ObjectRef("Node", "", "worker-1"),),
    distinguish="kubectl top pod",
)
GAP = Gap("prometheus", "container memory", "503 from http://p", "start it")
VERDICT = Verdict(
    status=VerdictStatus.CONCLUSIVE,
    hypotheses=(Hypothesis(1, "oom_killed", CHECKOUT, 0.9, "killed", ("E1",), ("E2",), "c1", "look"),),
    evidence=(
        Evidence(
            "E1", "pods/1", "kubernetes", "GET pods", "exit 137 \N{PILE OF POO}", NOON, Window(NOON, NOON), "http://x"
        ),
        Evidence("E2", "pods/2", "kubernetes", "GET pods", "2Gi"),
    ),
    gaps=(GAP,),
    ruled_out=(RuledOut("bad deploy", "nothing changed", ("E2",)),),
    impact=Impact(("checkout",), "2026-03-01T12:00:00Z", "all buyers", ("E1",)),
    engine="llm",
    cost=Cost(3, 1000, 200, 0.0125),
    seconds={"gather": 1.5, "analyze": 0.25},
)


async def test_observations_come_back_whole_sorted_by_id_and_by_run(store: Store) -> None:
    first, second = observation("pods/1"), observation("logs/1", window=None, objects=(), series=())
    await store.cases.add_observations("inc-1", 1, [first, second])
    await store.cases.add_observations("inc-1", 2, [observation("other/1")])
    await store.cases.add_observations("inc-2", 1, [observation("other/2")])

    found = await store.cases.observations("inc-1", 1)
    assert [content(item) for item in found] == [content(second), content(first)]
    assert [item.id for item in await store.cases.observations("inc-1", 2)] == ["other/1"]
    assert await store.cases.observations("inc-3", 1) == ()


async def test_a_repeated_step_replaces_its_observations(store: Store) -> None:
    await store.cases.add_observations("inc-1", 1, [observation("pods/1"), observation("pods/2")])
    await store.cases.add_observations("inc-1", 1, [observation("pods/2", query="x"), observation("pods/2", query="y")])
    await store.cases.add_observations("inc-1", 1, [])
    found = await store.cases.observations("inc-1", 1)
    assert [(item.id, item.query) for item in found] == [("pods/1", observation().query), ("pods/2", "y")]


async def test_an_observation_without_content_is_one(store: Store) -> None:
    empty = observation(
        objects=(), streams=(), series=(), changes=(), edges=(), spans=(), rules=(), left_out=(), link=""
    )
    await store.cases.add_observations("inc-1", 1, [empty])
    (found,) = await store.cases.observations("inc-1", 1)
    assert content(found) == content(empty)


async def test_findings_and_gaps_come_back_and_are_replaced(store: Store) -> None:
    assert await store.cases.findings("inc-1", 1) == ((), ())
    await store.cases.save_findings("inc-1", 1, [FINDING, FINDING], [GAP])
    assert await store.cases.findings("inc-1", 1) == ((FINDING, FINDING), (GAP,))
    await store.cases.save_findings("inc-1", 1, [], [GAP])
    assert await store.cases.findings("inc-1", 1) == ((), (GAP,))
    assert await store.cases.findings("inc-1", 2) == ((), ())


async def test_the_verdict_comes_back_with_its_evidence_and_is_replaced(store: Store) -> None:
    assert await store.cases.verdict("inc-1", 1) is None
    await store.cases.save_verdict("inc-1", 1, VERDICT)
    assert await store.cases.verdict("inc-1", 1) == VERDICT
    empty = Verdict(VerdictStatus.INCONCLUSIVE, (), (), ())
    await store.cases.save_verdict("inc-1", 1, empty)
    assert await store.cases.verdict("inc-1", 1) == empty
    assert await store.cases.verdict("inc-2", 1) is None
