"""Alerts as witnesses: cited by their words, believed only where the metrics behind them are not to be had."""

from collections.abc import Mapping
from dataclasses import replace

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.alert import Alert, AlertClass, AlertStatus, fingerprint_of
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import default_signals
from agent_sre.domain.verdict import Verdict
from agent_sre.evidence.alerts_received import collect
from agent_sre.evidence.scope import Limits, Readers, Scope
from tests.scenarios.builders import NOW, SPACE, Shop, basket, front, ledger

HOUR = Window(NOW.replace(hour=11), NOW)


def alert(name: str, text: str, status: AlertStatus = AlertStatus.FIRING, **labels: str) -> Alert:
    found: Mapping[str, str] = {"alertname": name, "namespace": SPACE, **labels}
    return Alert(fingerprint_of(found), status, found, {"description": text}, NOW, None, NOW, "alertmanager")


async def verdict(shop: Shop, *alerts: Alert) -> Verdict:
    limits = Limits()
    scope = Scope("inc", 1, NOW, HOUR, (SPACE,), alerts, limits)
    received = (await collect(scope, Readers())).observations
    case = shop.case()
    told = CaseFile(
        now=NOW,
        window=HOUR,
        namespaces=(SPACE,),
        alerts=alerts,
        observations=[*case.observations.values(), *received],
        signals=default_signals(),
    )
    return judge(told, analyze(told))


async def test_cpu_alerts_name_the_workload_and_are_cited_in_their_words() -> None:
    found = await verdict(
        Shop(),
        alert("ContainerCPUHigh", "usual 0.01, now 0.16 cores", workload="basket"),
        alert("CPUThrottlingHigh", "throttled 0.7 s", workload="basket"),
        alert("HighLatency", "p95 93 ms", workload="basket"),
    )
    first = found.hypotheses[0]
    assert (first.fault, first.object.name) == ("pod_cpu_overload", "basket")
    excerpts = [found.evidence_by_id()[item].excerpt for item in first.evidence]
    assert "ContainerCPUHigh basket: usual 0.01, now 0.16 cores" in excerpts


async def test_an_alert_that_only_lacks_data_claims_nothing() -> None:
    heard = alert("CPUThrottlingHigh", "throttled 0.7 s", workload="basket")
    blind = replace(heard, alert_class=AlertClass.NO_DATA)
    assert [item.fault for item in (await verdict(Shop(), heard)).hypotheses][:1] == ["pod_cpu_throttled"]
    assert "pod_cpu_throttled" not in {item.fault for item in (await verdict(Shop(), blind)).hypotheses}


async def test_throttling_alone_is_a_limit() -> None:
    found = await verdict(Shop(), alert("CPUThrottlingHigh", "throttled 0.7 s", workload="basket"))
    assert found.hypotheses[0].fault == "pod_cpu_throttled"


async def test_the_node_on_which_all_lives_that_is_slow_by_itself() -> None:
    shop = Shop(front(node="worker-a"), basket(node="worker-b"), ledger(node="worker-a"))
    found = await verdict(
        shop,
        alert("HighLatency", "p50 3560 ms", workload="front"),
        alert("HighLatency", "p50 1186 ms", workload="basket"),
        alert("NetworkTrafficDrop", "down to a half", workload="ledger"),
        alert("NodeTCPRetransmissionsHigh", "now 0.7", instance="worker-a:9100"),
    )
    # front waits for basket, so what is slow by itself is basket, on worker-b.
    assert (found.hypotheses[0].fault, found.hypotheses[0].object.name) == ("node_network_delay", "worker-b")


async def test_resolved_alerts_say_nothing() -> None:
    found = await verdict(Shop(), alert("ContainerCPUHigh", "was high", AlertStatus.RESOLVED, workload="basket"))
    assert all(item.fault != "pod_cpu_overload" for item in found.hypotheses)
