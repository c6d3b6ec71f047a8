"""What alerts say of workloads and nodes, for where the metrics behind them are not to be had.

A rule that fired is a measurement by somebody else: its name and text tell the kind of symptom (CPU, throttling,
latency, traffic, retransmissions), its labels where. That is worth less than the series itself, so findings from alerts
alone are made only for workloads without series of that kind, and stay below what series or specifications prove.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, per_case
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.alert import AlertClass
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.visible import one_line

RETRANSMITS = re.compile(r"retrans", re.IGNORECASE)
TROUBLE = re.compile(r"laten|slow|traffic.?drop|rate.?drop|network", re.IGNORECASE)
SLOW = re.compile(r"laten(?!cy.{0,3}missing)|slow|response.?time|duration", re.IGNORECASE)
_CPU = re.compile(r"cpu(?!.{0,3}throttl).{0,12}(?:high|usage|saturat|overload|hot)|high.{0,3}cpu", re.IGNORECASE)
_THROTTLED = re.compile(r"throttl", re.IGNORECASE)
_CPU_THROTTLED = re.compile(r"throttl.{0,40}\bcpu|\bcpu.{0,40}throttl", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """A firing alert as an observation kept it; ``text`` is its description or summary."""

    name: str
    labels: Mapping[str, str]
    text: str
    observation: str

    @property
    def workload(self) -> str:
        """The workload its labels name, or ""."""
        for label in ("workload", "deployment", "statefulset", "daemonset", "service", "app"):
            if self.labels.get(label):
                return self.labels[label]
        return workload_of_pod(self.labels["pod"]) if self.labels.get("pod") else ""

    @property
    def node(self) -> str:
        """The node its labels name, or ""."""
        return (self.labels.get("node") or self.labels.get("instance") or "").partition(":")[0]

    def fact(self) -> Fact:
        """That it fires, for whom."""
        where = self.workload or self.node
        return Fact(f"{self.name} fires for {where}", self.observation, f"{self.name} {where}: {self.text}")


@per_case
def told(case: CaseFile) -> tuple[Told, ...]:
    """Firing alerts that an observation kept: those received, and Prometheus' own list; each once.

    One that fires for want of data claims nothing: its name says what it would have watched.
    """
    found: dict[tuple[object, ...], Told] = {}
    for observation in case.observations.values():
        for rule in observation.rules:
            for alert in rule.get("alerts") or ():
                if alert.get("class") == AlertClass.NO_DATA:
                    continue
                labels = {str(key): str(value) for key, value in (alert.get("labels") or {}).items()}
                notes = alert.get("annotations") or {}
                text = one_line(str(notes.get("description") or notes.get("summary") or ""), 200)
                name = labels.get("alertname", str(rule.get("name", "")))
                found.setdefault((name, *sorted(labels.items())), Told(name, labels, text, observation.id))
    return tuple(found[key] for key in sorted(found, key=str))


def deepest_slow(case: CaseFile) -> frozenset[str]:
    """Workloads that alerts call slow and whose slowness no slow callee explains."""
    slow = {item.workload for item in told(case) if SLOW.search(item.name) and item.workload}
    graph = calls(case)
    return frozenset(name for name in slow if not slow & set(graph.callees.get(name, ())))


def _throttled(item: Told) -> bool:
    """Whether it speaks of a CPU that is held back: by its name, or by its text where that names the CPU as well."""
    return bool(_THROTTLED.search(item.name) or _CPU_THROTTLED.search(item.text))


def told_by_alerts(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose CPU trouble is known from alerts alone."""
    known = profiles(case)
    by_workload: dict[str, list[Told]] = {}
    for item in told(case):
        if item.workload:
            by_workload.setdefault(item.workload, []).append(item)
    for name, items in sorted(by_workload.items()):
        measured = known[name].signals if name in known else {}
        busy = [item for item in items if _CPU.search(item.name) and not measured.get("cpu")]
        throttled = [item for item in items if _throttled(item) and not measured.get("throttling")]
        slow = [item for item in items if SLOW.search(item.name)]
        if not busy and not throttled:
            continue
        yield Finding(
            analyzer="told_by_alerts",
            fault="pod_cpu_overload" if busy else "pod_cpu_throttled",
            object=object_of(case, name),
            strength=round(0.42 + 0.1 * bool(busy and throttled) + 0.08 * bool(slow), 3),
            statement=f"Alerts say that the CPU of {name} is {'overloaded' if busy else 'held back by its limit'}.",
            facts=tuple(item.fact() for item in [*busy, *throttled, *slow][:4]),
            explains=tuple(object_of(case, caller) for caller in calls(case).callers.get(name, ())),
            distinguish=f"CPU use and throttling of the pods of {name} over the last hour",
        )
