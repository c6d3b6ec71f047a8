"""The demo's shop behaves like a shop: it breaks with the deploy, and recovers when the deploy is undone."""

from datetime import UTC, datetime, timedelta

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.shop.alertmanager import payload
from agent_sre.testing.shop.rule import EXPRESSION
from agent_sre.testing.shop.telemetry import ShopChanges, ShopLogs
from agent_sre.testing.shop.world import BAD, CHECKOUT, GOOD, ROLLOUT, ShopWorld

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def shop() -> tuple[ShopWorld, FrozenClock, SnapshotMetrics]:
    clock = FrozenClock(START)
    world = ShopWorld(START)
    return world, clock, SnapshotMetrics(lambda: world.series(clock.now()), clock.now)


async def fires(metrics: SnapshotMetrics, at: datetime) -> bool:
    return bool((await metrics.query(EXPRESSION, at)).series)


async def test_the_rule_holds_since_the_bad_deploy_and_not_before() -> None:
    _, _, metrics = shop()
    assert await fires(metrics, START)
    assert not await fires(metrics, START - timedelta(minutes=10))


async def test_undoing_the_rollout_repairs_the_shop() -> None:
    world, clock, metrics = shop()
    before = world.cluster.peek(ObjectRef("ReplicaSet", "shop", world.rollouts[0].replica_set))
    deployment = world.cluster.peek(CHECKOUT)
    assert before is not None
    assert deployment is not None
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == BAD
    containers = before["spec"]["template"]["spec"]["containers"]
    await world.cluster.patch(
        CHECKOUT,
        {"spec": {"template": {"spec": {"containers": containers}}}},
        resource_version=deployment["metadata"]["resourceVersion"],
    )
    clock.advance(ROLLOUT)
    world.tick(clock.now())
    after = world.cluster.peek(CHECKOUT)
    assert after is not None
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == GOOD
    assert after["status"]["observedGeneration"] == after["metadata"]["generation"]
    assert after["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    pods = {item["metadata"]["name"] for item in await world.cluster.list("Pod", "shop")}
    assert set(world.pods("checkout", clock.now().timestamp())) <= pods
    assert not any(name.startswith("checkout-7c9b8d6f55") for name in pods)
    clock.advance(timedelta(seconds=40))
    assert not await fires(metrics, clock.now())


async def test_errors_are_logged_by_the_new_pods_only() -> None:
    world, clock, _ = shop()
    logs = ShopLogs(world, clock)
    window = Window(START - timedelta(minutes=30), START)
    for pod in world.pods("checkout", START.timestamp()):
        (stream,) = (await logs.read(LogSource("shop", pod, "checkout"), window, 5000)).streams
        assert any("KeyError" in line.text for line in stream.lines)
        assert all(line.time is not None and line.time <= START for line in stream.lines)
    web = (await logs.read(LogSource("shop", world.pods("web", 0)[0], "web"), window, 100)).streams[0]
    assert (len(web.lines), web.left_out > 0) == (100, True)
    assert not any("KeyError" in line.text for line in web.lines)


async def test_the_pipeline_reports_an_innocent_change_too() -> None:
    world, _, _ = shop()
    changes = await ShopChanges(world).changes(("shop",), Window(START - timedelta(hours=1), START))
    assert [item.target for item in changes] == ["catalog", "checkout"]


def test_the_payload_is_alertmanagers() -> None:
    body = payload("firing", START, None)
    assert (body["version"], body["alerts"][0]["endsAt"]) == ("4", "0001-01-01T00:00:00Z")
    assert len(body["alerts"][0]["fingerprint"]) == 16
