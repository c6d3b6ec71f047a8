"""Which incident an alert of another group belongs to, on which facts, and where it stays apart."""

from dataclasses import replace

import pytest

from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.placement import Reason
from agent_sre.domain.telemetry import Change
from agent_sre.ingest.facts import CHILD_AT, JOIN_AT, TIME_POINTS, WEIGHTS, FactKind
from tests.unit.alerts import at, message
from tests.unit.intake_world import IntakeWorld


def alert(name: str, start: float, **labels: str) -> Alert:
    """One of a group of its own, since so many minutes past noon."""
    group = f"{name}/{'/'.join(f'{key}={value}' for key, value in sorted(labels.items()))}"
    return message(fires=start, name=name, group=group, received=start + 0.5, **labels)


async def groups(*alerts: Alert, world: IntakeWorld | None = None) -> list[set[int]]:
    """Fold one after the other; gives which of them, by place, are in one incident with its parts."""
    world = world or IntakeWorld()
    for item in alerts:
        world.clock.set(item.received_at)
        await world.take(item)
    roots: dict[str, set[int]] = {}
    for place, item in enumerate(alerts):
        incident = await world.incident((await world.placement(item)).incident_id)
        roots.setdefault(incident.parent_id or incident.id, set()).add(place)
    return sorted(roots.values(), key=min)


async def test_alerts_of_one_workload_are_one_incident_and_say_why() -> None:
    world = IntakeWorld()
    await world.take(alert("HighErrorRate", 0, deployment="cart"))
    other = alert("PodCrashLooping", 40 / 60, pod="cart-7d9f8b6c5d-x2x4z")
    await world.take(other)
    placement = await world.placement(other)
    assert (placement.incident_id, placement.reason, placement.stage) == ("INC-1", Reason.CORRELATED, "correlate")
    assert placement.sentence == ("PodCrashLooping: joined INC-1 because: same workload shop/cart, 40 s apart")
    assert placement.facts == ("same workload shop/cart (+50)", "40 s apart (+20)")
    assert placement.sentence in await world.told()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"deployment": "cart"}, {"deployment": "search"}),
        ({"deployment": "cart"}, {"deployment": "cart", "namespace": "test"}),
        ({"deployment": "cart", "cluster": "eu"}, {"deployment": "cart", "cluster": "us"}),
        ({"severity": "critical"}, {"severity": "critical"}),
        ({"cluster": "eu", "team": "a"}, {"cluster": "eu", "team": "a"}),
        ({"pod": "a-1", "node": "n1"}, {"pod": "b-1", "node": "n1", "namespace": "test"}),
        ({"service": "kube-state-metrics"}, {"service": "kube-state-metrics", "namespace": "test"}),
    ],
)
async def test_what_most_alerts_share_joins_nothing_however_close(one: dict[str, str], other: dict[str, str]) -> None:
    assert await groups(alert("A", 0, **one), alert("B", 0, **other)) == [{0}, {1}]


async def test_one_name_in_two_namespaces_does_not_join() -> None:
    assert await groups(alert("A", 0, deployment="x"), alert("A", 0, deployment="y", namespace="web")) == [{0}, {1}]


async def test_one_name_in_one_namespace_joins_only_when_close() -> None:
    same = [alert("A", 0, deployment="x"), alert("A", 1, deployment="y"), alert("A", 9, deployment="z")]
    assert await groups(*same) == [{0, 1}, {2}]


async def test_one_alert_on_further_instances_of_a_cluster_joins() -> None:
    placeless = {"namespace": "", "cluster": "eu"}
    found = await groups(
        alert("DiskFull", 0, instance="a:9100", **placeless),
        alert("DiskFull", 1, instance="b:9100", **placeless),
        alert("DiskFull", 1, instance="c:9100", namespace="", cluster="us"),
    )
    assert found == [{0, 1}, {2}]


async def test_a_caller_of_what_is_ill_becomes_a_part_and_waits() -> None:
    world = IntakeWorld(calls=[("web", "cart")])
    victim = alert("SlowPages", 1, deployment="web", namespace="front")
    await world.take(alert("HighErrorRate", 0, deployment="cart"))
    await world.take(victim)
    part, whole = await world.incident("INC-2"), await world.incident("INC-1")
    assert (part.parent_id, part.due_at, part.firing) == ("INC-1", None, 1)
    assert (whole.children, whole.reach.workloads) == (1, ("front/web",))
    placement = await world.placement(victim)
    assert placement.reason is Reason.CHILD
    assert "part of INC-1 because: front/web and shop/cart call one another, 60 s apart" in placement.sentence
    assert "INC-2 is part of this incident: SlowPages in shop" in await world.told()


async def test_a_part_is_taken_up_when_the_whole_ends_and_it_still_fires() -> None:
    world = IntakeWorld(calls=[("web", "cart")])
    cause = alert("HighErrorRate", 0, deployment="cart")
    await world.take(cause)
    await world.take(alert("SlowPages", 1, deployment="web", namespace="front"))
    over = message(fires=0, ended=50, name="HighErrorRate", group=cause.group_key, deployment="cart")
    await world.take(over)
    part = await world.incident("INC-2")
    assert (part.parent_id, part.due_at) == ("", world.clock.now())
    assert (await world.told("INC-2"))[-1].startswith("Taken up: INC-1, which this was part of, is resolved")


async def test_a_part_that_is_over_first_is_never_investigated() -> None:
    world = IntakeWorld(calls=[("web", "cart")])
    await world.take(alert("HighErrorRate", 0, deployment="cart"))
    victim = alert("SlowPages", 1, deployment="web", namespace="front")
    await world.take(victim)
    await world.take(replace(message(fires=1, ended=9), fingerprint=victim.fingerprint, group_key=victim.group_key))
    assert not (await world.incident("INC-2")).active
    assert [item.id for item in await world.store.incidents.due(world.clock.now(), 10)] == ["INC-1"]


async def test_pods_on_an_ill_node_are_part_of_its_incident() -> None:
    node = alert("NodeNotReady", 0, node="worker-1", namespace="")
    found = await groups(node, alert("PodDown", 1, pod="cart-1", node="worker-1"), alert("Slow", 1, pod="web-1"))
    assert found == [{0, 1}, {2}]


async def test_two_workloads_of_one_rollout_are_one_incident() -> None:
    rollout = [Change("rel-7", at(-2), "deploy", target, "v7") for target in ("shop/cart", "pay/ledger")]
    alerts = [alert("A", 0, deployment="cart"), alert("B", 3, deployment="ledger", namespace="pay")]
    assert await groups(*alerts, world=IntakeWorld(changes=rollout)) == [{0, 1}]
    later = [replace(change, time=at(5)) for change in rollout]
    assert await groups(*alerts, world=IntakeWorld(changes=later)) == [{0}, {1}]


async def test_more_than_ten_minutes_later_the_same_workload_is_another_incident() -> None:
    assert await groups(alert("A", 0, deployment="x"), alert("B", 10, deployment="x")) == [{0, 1}]
    assert await groups(alert("A", 0, deployment="x"), alert("B", 11, deployment="x")) == [{0}, {1}]


async def test_what_arrives_together_is_grouped_alike_in_every_order() -> None:
    alerts = [
        alert("A", 0, deployment="cart"),
        alert("B", 1, deployment="cart"),
        alert("C", 2, deployment="web", namespace="front"),
        alert("D", 2, deployment="db", namespace="data"),
    ]
    seen = set()
    for order in (alerts, alerts[::-1], [alerts[2], alerts[0], alerts[3], alerts[1]]):
        world = IntakeWorld(calls=[("web", "cart")])
        await world.take(*order)
        seen.add(tuple([(await world.placement(item)).incident_id for item in alerts]))
    assert seen == {("INC-1", "INC-1", "INC-2", "INC-3")}


async def test_a_storm_is_gathered_by_name_across_namespaces_and_says_so() -> None:
    world = IntakeWorld()
    storm = [alert("EtcdSlow", 0, deployment=f"d{n}", namespace=f"ns{n}") for n in range(60)]
    for start in range(0, 60, 10):
        await world.take(*storm[start : start + 10])
    incidents = (await world.incidents()).values()
    (gathering,) = [item for item in incidents if item.storm]
    assert (gathering.storm, gathering.firing) == ("alertname=EtcdSlow", 40)
    assert gathering.title == "Storm of alerts with alertname=EtcdSlow"
    assert {item.parent_id for item in incidents if item is not gathering} == {gathering.id}
    assert [item.id for item in await world.store.incidents.due(world.clock.now(), 10)] == [gathering.id]
    placement = await world.placement(storm[-1])
    assert placement.reason is Reason.STORM
    assert f"joined {gathering.id}, which gathers a storm by alertname=EtcdSlow" in placement.sentence


async def test_a_graver_alert_does_not_drown_in_a_storm() -> None:
    world = IntakeWorld()
    for number in range(40):
        await world.take(alert("EtcdSlow", 0, deployment=f"d{number}", namespace=f"ns{number}"))
    grave = alert("EtcdSlow", 1, deployment="ledger", namespace="pay", severity="critical")
    await world.take(grave)
    due = await world.store.incidents.due(world.clock.now(), 10)
    assert due[0].id == (await world.placement(grave)).incident_id
    assert due[0].firing == 1


async def test_few_incidents_at_once_are_no_storm() -> None:
    world = IntakeWorld()
    for number in range(19):
        await world.take(alert("EtcdSlow", 0, deployment=f"d{number}", namespace=f"ns{number}"))
    assert len(await world.incidents()) == 19


async def test_the_blast_radius_raises_the_priority_and_with_it_the_order_of_work() -> None:
    world = IntakeWorld()
    await world.take(alert("Other", 0, deployment="alone", namespace="else"))
    for number in range(10):
        await world.take(alert("A", number / 10, deployment=f"d{number}", severity="critical"))
    incident = await world.incident("INC-2")
    assert str(incident.priority) == "P1"
    assert "reaches 3 workloads" in incident.priority_because
    assert any(
        text.startswith("Priority raised from P2 to P1: severity critical, reaches 3")
        for text in await world.told("INC-2")
    )
    assert [item.id for item in await world.store.incidents.due(world.clock.now(), 10)] == ["INC-2", "INC-1"]


async def test_an_error_budget_that_burns_fast_raises_the_priority() -> None:
    world = IntakeWorld()
    await world.take(alert("Burn", 0, deployment="a", slo="checkout", burn_rate="14.4"))
    await world.take(alert("Burn", 0, deployment="b", namespace="web", slo="pages", burn_rate="1"))
    assert [str((await world.incident(name)).priority) for name in ("INC-1", "INC-2")] == ["P2", "P3"]


def test_no_weak_fact_reaches_a_threshold_with_time_and_labels() -> None:
    most = (
        max(points for _, points in TIME_POINTS) + 2 * WEIGHTS[FactKind.LABELS].points + WEIGHTS[FactKind.NODE].points
    )
    assert most < min(JOIN_AT, CHILD_AT)


async def test_a_closed_incident_takes_nothing_more() -> None:
    world = IntakeWorld()
    await world.take(alert("A", 0, deployment="x"))
    closed = (await world.incident()).to(IncidentStatus.CLOSED, at(60))
    await world.store.incidents.fold(closed, (), ())
    await world.take(alert("B", 1, deployment="x"))
    assert set(await world.incidents()) == {"INC-1", "INC-2"}
