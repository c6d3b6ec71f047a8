"""Recovered: the alert's own condition is gone and the rollout complete, for a while, and both were looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_sre.actions.alert_condition import expression_of, still_firing
from agent_sre.actions.rollout_health import rollout_health
from agent_sre.actions.verification import HOLD, verify
from agent_sre.domain.action import Proposal
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.effect import Verified
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.merge_patch import apply_merge_patch
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Series
from agent_sre.ports.metrics import MetricsAnswer
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kubernetes_objects import deployment
from tests.unit.actions.rollouts import REF, bad_rollout, proposal

EXPRESSION = 'rate(errors_total{namespace="shop"}[5m]) > 0.05'
RULE = {"name": "HighErrorRate", "query": EXPRESSION, "labels": {"severity": "page"}}
START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
TIMEOUT, POLL = timedelta(minutes=5), timedelta(seconds=10)
FIRING = Series.of("", {"service": "checkout"}, [(START.timestamp(), 0.31)])


def alert(status: AlertStatus = AlertStatus.FIRING, **labels: str) -> Alert:
    own = {"alertname": "HighErrorRate", "severity": "page", "service": "checkout", **labels}
    return Alert("f", status, own, {}, START, None, START, "alertmanager")


@dataclass
class ScriptedMetrics:
    """A MetricsReader whose answer to the rule's expression is a function of the time."""

    answer: Callable[[datetime], MetricsAnswer]
    known_rules: tuple[Mapping[str, Any], ...] = (RULE,)
    asked: list[str] = field(default_factory=list)

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        self.asked.append(expression)
        return self.answer(at)

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        raise NotImplementedError

    async def metric_names(self, window: Window) -> frozenset[str]:
        raise NotImplementedError

    async def rules(self) -> tuple[Mapping[str, Any], ...]:
        return self.known_rules

    async def alerts(self) -> tuple[Mapping[str, Any], ...]:
        raise NotImplementedError


def firing_until(seconds: float) -> Callable[[datetime], MetricsAnswer]:
    end = START + timedelta(seconds=seconds)
    return lambda at: MetricsAnswer((FIRING,) if at < end else ())


@dataclass
class Look:
    """A cluster after the undo, its status as a controller would have it."""

    cluster: FakeCluster
    proposal: Proposal
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(START))

    async def verify(self, metrics: ScriptedMetrics | None, *alerts: Alert) -> tuple[Verified, str]:
        return await verify(
            self.proposal,
            alerts or (alert(),),
            reader=self.cluster,
            metrics=metrics,
            clock=self.clock,
            timeout=TIMEOUT,
            poll=POLL,
        )

    @property
    def waited(self) -> timedelta:
        return self.clock.now() - START


async def after_undo(*, complete: bool = True) -> Look:
    cluster = FakeCluster(bad_rollout())
    made = await proposal(cluster)
    await cluster.patch(REF, made.patch, resource_version=made.resource_version)
    if complete:
        cluster.update(REF, {"status": {"observedGeneration": 2}})
    return Look(cluster, made)


async def test_recovered_when_the_condition_is_gone_and_the_rollout_complete_for_a_while() -> None:
    look = await after_undo()
    metrics = ScriptedMetrics(firing_until(60))
    verified, sentence = await look.verify(metrics)
    assert verified is Verified.RECOVERED
    assert look.waited == timedelta(seconds=60) + HOLD
    assert set(metrics.asked) == {EXPRESSION}
    assert "HighErrorRate no longer holds" in sentence
    assert "2 of 2 replicas updated and 2 available" in sentence
    assert "held for 30 s" in sentence


async def test_not_recovered_names_the_value_that_is_still_seen() -> None:
    look = await after_undo()
    verified, sentence = await look.verify(ScriptedMetrics(firing_until(10_000)))
    assert verified is Verified.NOT_RECOVERED
    assert look.waited == TIMEOUT
    assert '0.31 for {service="checkout"}' in sentence
    assert sentence.startswith("Not recovered after 300 s: the condition of HighErrorRate still holds")


async def test_a_well_look_between_two_bad_ones_does_not_count() -> None:
    look = await after_undo()
    flapping = ScriptedMetrics(lambda at: MetricsAnswer((FIRING,) if int((at - START).total_seconds()) % 30 else ()))
    verified, _ = await look.verify(flapping)
    assert verified is Verified.NOT_RECOVERED


async def test_what_becomes_well_just_before_the_end_gets_time_to_last() -> None:
    look = await after_undo()
    verified, _ = await look.verify(ScriptedMetrics(firing_until(295)))
    assert verified is Verified.RECOVERED
    assert look.waited == TIMEOUT + HOLD


async def test_a_cleared_alert_does_not_hide_a_rollout_that_hangs() -> None:
    look = await after_undo(complete=False)
    verified, sentence = await look.verify(ScriptedMetrics(firing_until(0)))
    assert verified is Verified.NOT_RECOVERED
    assert "has not seen generation 2" in sentence


async def test_a_change_that_was_put_back_is_not_recovered() -> None:
    look = await after_undo()
    look.cluster.update(REF, {"spec": {"template": bad_rollout()[0]["spec"]["template"]}})
    verified, sentence = await look.verify(ScriptedMetrics(firing_until(0)))
    assert verified is Verified.NOT_RECOVERED
    assert "put it back" in sentence


async def test_an_object_that_is_gone_is_not_recovered() -> None:
    look = await after_undo()
    look.cluster.drop(REF)
    verified, sentence = await look.verify(ScriptedMetrics(firing_until(0)))
    assert verified is Verified.NOT_RECOVERED
    assert "does not exist any more" in sentence


async def test_without_metrics_it_is_unknown_and_says_what_was_seen() -> None:
    look = await after_undo()
    verified, sentence = await look.verify(None)
    assert verified is Verified.UNKNOWN
    assert "no metrics source is configured" in sentence
    assert "2 available" in sentence
    assert look.waited == HOLD, "nothing is gained by waiting for what cannot be known"


async def test_a_rule_that_nobody_knows_is_unknown() -> None:
    look = await after_undo()
    metrics = ScriptedMetrics(firing_until(0), known_rules=())
    verified, sentence = await look.verify(metrics)
    assert verified is Verified.UNKNOWN
    assert "rule of HighErrorRate is not known" in sentence
    assert metrics.asked == []


@pytest.mark.parametrize("error", [TemporaryError("503 from Prometheus"), PermanentError("401 from Prometheus")])
async def test_metrics_that_fail_are_unknown_and_never_an_exception(error: Exception) -> None:
    look = await after_undo()

    def fail(at: datetime) -> MetricsAnswer:
        raise error

    verified, sentence = await look.verify(ScriptedMetrics(fail))
    assert verified is Verified.UNKNOWN
    assert str(error) in sentence


async def test_metrics_that_come_back_in_time_decide() -> None:
    look = await after_undo()

    def down_at_first(at: datetime) -> MetricsAnswer:
        if at < START + timedelta(seconds=100):
            raise TemporaryError("503 from Prometheus")
        return MetricsAnswer(())

    assert (await look.verify(ScriptedMetrics(down_at_first)))[0] is Verified.RECOVERED


async def test_an_empty_answer_with_a_warning_is_not_a_clear_one() -> None:
    look = await after_undo()
    metrics = ScriptedMetrics(lambda at: MetricsAnswer((), ("a store did not answer",)))
    verified, sentence = await look.verify(metrics)
    assert verified is Verified.UNKNOWN
    assert "a store did not answer" in sentence


async def test_every_alert_counts() -> None:
    look = await after_undo()
    other = Series.of("", {"service": "cart"}, [(START.timestamp(), 0.5)])
    metrics = ScriptedMetrics(lambda at: MetricsAnswer((other,)))
    assert (await look.verify(metrics, alert()))[0] is Verified.RECOVERED
    assert (await (await after_undo()).verify(metrics, alert(), alert(service="cart")))[0] is Verified.NOT_RECOVERED


async def test_alerts_that_the_source_resolved_need_no_metrics() -> None:
    look = await after_undo()
    verified, sentence = await look.verify(None, alert(AlertStatus.RESOLVED))
    assert verified is Verified.RECOVERED
    assert "reported as resolved" in sentence


async def test_a_cluster_that_cannot_be_read_is_unknown() -> None:
    look = await after_undo()
    look.cluster.forbid("get", "Deployment")
    verified, sentence = await look.verify(ScriptedMetrics(firing_until(0)))
    assert verified is Verified.UNKNOWN
    assert "grant get on deployments.apps" in sentence


def test_the_expression_is_that_of_the_rule_whose_labels_fit() -> None:
    warning = {**RULE, "query": "other", "labels": {"severity": "warning"}}
    assert expression_of(alert(), [warning, RULE]) == EXPRESSION
    assert expression_of(alert(), []) == ""


def test_the_expression_may_come_from_the_alerts_own_link() -> None:
    link = "http://prometheus:9090/graph?g0.expr=up%7Bjob%3D%22x%22%7D+%3D%3D+0&g0.tab=1"
    item = Alert("f", AlertStatus.FIRING, {"alertname": "A"}, {}, START, None, START, "x", generator_url=link)
    assert expression_of(item, [RULE]) == 'up{job="x"} == 0'


@pytest.mark.parametrize("link", ["", "http://[bad", "http://x/graph", "http://x/?g0.expr=" + "a" * 5001])
def test_links_that_say_nothing_give_no_expression(link: str) -> None:
    item = Alert("f", AlertStatus.FIRING, {"alertname": "A"}, {}, START, None, START, "x", generator_url=link)
    assert expression_of(item, []) == ""


@pytest.mark.parametrize(
    ("labels", "firing"),
    [
        ({"service": "checkout"}, True),
        ({"service": "cart"}, False),
        ({"service": "checkout", "replica": "b"}, True),  # the alert lost a label on its way: doubt counts as firing
        ({}, True),
        ({"severity": "warning", "service": "checkout"}, True),  # the rule overwrites it
        ({"service": "checkout", "severity": "page", "alertname": "other"}, True),
    ],
)
def test_which_series_may_be_this_alert(labels: dict[str, str], firing: bool) -> None:
    assert bool(still_firing(alert(), [Series.of("", labels, [(0.0, 1.0)])])) is firing


@pytest.mark.parametrize(
    ("changes", "complete", "words"),
    [
        ({}, True, "2 of 2 replicas updated and 2 available"),
        ({"status": {"availableReplicas": None}}, False, "2 of 2 replicas updated and 0 available"),
        ({"status": {"updatedReplicas": 1, "replicas": 3}}, False, "2 old ones remain"),
        ({"metadata": {"generation": 5}}, False, "has not seen generation 5"),
        ({"spec": {"replicas": 0}}, False, "wants no replicas"),
        ({"spec": {"replicas": None}}, True, "2 of 1 replicas"),
        ({"status": None}, False, "has not seen"),
        (
            {"status": {"conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]}},
            False,
            "exceeded its progress deadline",
        ),
    ],
)
def test_a_rollout_is_complete_as_kubectl_says(changes: dict[str, Any], complete: bool, words: str) -> None:
    health = rollout_health(apply_merge_patch(deployment("checkout"), changes))
    assert health.complete is complete
    assert words in health.words


def test_a_daemon_set_counts_nodes() -> None:
    status = {"observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}
    meta = {"name": "agent", "namespace": "shop", "generation": 1}
    health = rollout_health({"kind": "DaemonSet", "metadata": meta, "spec": {}, "status": status})
    assert not health.complete
    assert "3 of 3 replicas updated and 2 available" in health.words
