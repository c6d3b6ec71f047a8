"""Which recorded change did it, if any: place, time and symptom together, never time alone.

The change that merely came last is the usual suspect and usually innocent. A change is judged by four questions. Was it
running before the first bad sample, and how long before (a commit runs from the deploy that carries it)? Does it touch
what is in trouble, or what that depends on? Do its edited lines share words with what the logs and traces began to say?
Does it contain an edit that breaks services, of a kind that fits the symptom? Documentation, tests and styles cannot
break a service. Where an outside cause explains the onset, changes lose most of their weight. What is not here:
rollouts read from the cluster's own objects.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import exp

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.change_content import Content, concerns, content_of, work_waits
from agent_sre.analysis.departures import alerted, incident_start
from agent_sre.analysis.diffs import moved_only, read
from agent_sre.analysis.evidence_words import compounds, pieces, rare, words_of
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.reading import instant
from agent_sre.analysis.log_entries import statements, troubles
from agent_sre.analysis.log_errors import log_findings
from agent_sre.analysis.log_records import ERROR
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.origin import significance, symptom
from agent_sre.analysis.outside import provider_outage, surge
from agent_sre.analysis.performance import memory_leak
from agent_sre.analysis.suspects import suspects
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Change
from agent_sre.domain.visible import one_line

_FADES = 45 * 60.0
"""Seconds after which a change's nearness in time has fallen to a third."""
_MOST = 5
_LEAST = 0.12
_SHARED_CODE = re.compile(r"^(?:pkg|lib|libs|common|shared|internal|core|packages|src/common|platform)(?:/|$)")
_RAISED = re.compile(r"\b(?:bump|upgrade|update)s?\b.{1,80}?\bv?\d+\.\d[\w.-]*\s*(?:to|=>|->|→)\s*v?\d+\.\d", re.I)
"""A title that raises a library from one version to another, as bots and people write it."""
_SHARP = 2 * 60.0
"""Seconds within which a change is suspect by its moment alone, where nothing can be read of what it did."""
_UNREAD = {"deploy": 0.25, "feature_flag": 0.4, "config": 0.4, "scale": 0.4, "infrastructure": 0.4, "other": 0.3}
"""How much of a fit is taken for granted, at that moment, in a change without a diff."""
_BY_RISK = (
    ("credentials changed", "credentials_rotated"),
    ("traffic denied", "network_policy_denied"),
    ("schema changed", "bad_migration"),
    ("route changed", "gateway_misroute"),
)
_SLOW_BURN = 0.8
"""How near a change counts whose workload fills its memory slowly: the trouble shows long after the change."""
_HEARD = 0.6
_FELT = 0.6
_NOTHING_SEEN = 0.35
"""The significance below which metrics show no harm to users, and what a change's strength is then worth: where there
is no symptom, place and time fit any change."""
_NAMED_IN_TITLE = 0.9
_SEVERE, _WARNED = 0.9, 0.7
"""How near to the origin a workload is by its new errors, and, where nobody has any, by its new warnings."""
_CALLEE, _CALLER = 0.65, 0.4
"""How well a change of what a troubled workload calls, and of what calls it, is placed; the former can break it."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """One change with what speaks for it; every part is in 0..1."""

    change: Seen[Change]
    runs_from: datetime
    target: str
    near: float
    place: float
    content: Content
    unread: float
    weight: float

    @property
    def score(self) -> float:
        """All parts together."""
        fit = 1.0 - (1.0 - self.content.value) * (1.0 - self.unread)
        return self.weight * self.place * (0.4 + 0.6 * self.near) * (0.25 + 0.75 * fit)


def change_findings(case: CaseFile) -> Iterable[Finding]:
    """The changes that could have done it, best first; nothing where none was recorded or none fits."""
    if not case.changes:
        return
    suspects = _suspects(case)
    excused = 0.35 if surge(case) is not None or _provider_fails(case) else 1.0
    unfelt, ended = _nothing_seen(case), _ended(case)
    outside = any(item.fault == "upstream_provider_outage" and item.strength >= _HEARD for item in log_findings(case))
    best = suspects[0].score if suspects else 0.0
    for suspect in suspects[:_MOST]:
        if suspect.score < max(_LEAST, 0.3 * best):
            break
        # Logs that name a provider speak for it; an edit that fits what they say speaks against that.
        heard = max(0.4, suspect.content.value) if outside else 1.0
        felt = _NOTHING_SEEN if unfelt and suspect.target not in ended else 1.0
        yield _finding(case, suspect, min(excused * felt, heard))


def _nothing_seen(case: CaseFile) -> bool:
    """Whether no signal left its usual level in a way that users feel, and neither logs nor traces say anything new."""
    spoken = any(item.new for item in troubles(case)) or any(span.error for span in trees_of(case).spans)
    felt = significance(case) >= _FELT or work_waits(case)
    return not felt and not spoken and not suspects(case, symptom(case))


def _ended(case: CaseFile) -> frozenset[str]:
    """Workloads of which a container ended within the window: harm enough, whether a metric shows it or not."""
    return frozenset(
        workload.ref.name
        for workload in cluster_of(case).workloads.values()
        for pod in workload.current_pods
        for container in pod.containers
        if not container.init
        and (over := instant(container.terminated[0], "finishedAt")) is not None
        and case.window.contains(over)
    )


def _provider_fails(case: CaseFile) -> bool:
    return any(finding.strength >= 0.6 for finding in provider_outage(case))


def _suspects(case: CaseFile) -> list[Suspect]:
    start = incident_start(case)
    troubled = _troubled(case)
    every = [seen.value for seen in case.changes]
    weights, growing = rare(every), {item.object.name for item in memory_leak(case)}
    found: dict[str, Suspect] = {}
    for seen in case.changes:
        change = seen.value
        if "status page" in change.summary.lower():
            continue
        carrier = _carrier(change, every, start, troubled)
        runs_from = carrier.time if carrier else change.time
        if runs_from.timestamp() > start:
            continue
        target, place = _place(change, carrier, troubled, case)
        reading = read(change)
        weight = 0.05 if reading.harmless else 1.0 - 0.3 * max(moved_only(reading) - 0.5, 0.0)
        ago = start - runs_from.timestamp()
        content = content_of(case, change, weights)
        read_at_all = bool(reading.added or reading.removed or change.kind == "commit")
        unread = 0.0 if read_at_all else _UNREAD.get(change.kind, 0.0) * exp(-ago / _SHARP)
        near = max(exp(-ago / _FADES), _SLOW_BURN if target in growing else 0.0)
        suspect = Suspect(seen, runs_from, target, near, place, content, unread, weight)
        # A deploy's id is often its commit's: the record with the diff speaks for both.
        known = found.get(change.id)
        if known is None or (bool(change.diff), suspect.score) > (bool(known.change.value.diff), known.score):
            found[change.id] = suspect
    return sorted(
        found.values(), key=lambda item: (-round(item.score, 9), item.change.value.time, item.change.value.id)
    )


def _carrier(change: Change, every: list[Change], start: float, troubled: Mapping[str, float]) -> Change | None:
    """The deploy that brought a commit into service: of this commit by name, else of what is in trouble, else any."""
    if change.kind != "commit":
        return None
    told = next((item for item in every if change.carried_by and item.id == change.carried_by), None)
    if told is not None:
        return told
    later = [item for item in every if item.kind == "deploy" and item.time >= change.time]
    named = [item for item in later if item.id == change.id or (len(change.id) > 6 and change.id[:7] in item.summary)]
    if named:
        return named[0]
    carried = [item for item in later if item.time.timestamp() <= start]
    own = [item for item in carried if any(concerns(item.target, name) for name in troubled)]
    return (own or carried)[-1] if carried else None


def _troubled(case: CaseFile) -> Mapping[str, float]:
    """Workloads in trouble, with how near each is to the origin, 1 for the nearest."""
    found = {name: 0.85 for name in alerted(case)}
    told = troubles(case)
    severe = [item for item in told if item.severity >= ERROR]
    for item in severe or (item for item in told if item.new):
        found[item.workload] = max(found.get(item.workload, 0.0), _SEVERE if severe else _WARNED)
    for share in suspects(case, symptom(case))[:3]:
        found[share.name] = max(found.get(share.name, 0.0), 0.6 + 0.4 * share.part)
    return found


def _place(change: Change, carrier: Change | None, troubled: Mapping[str, float], case: CaseFile) -> tuple[str, float]:
    """The workload the change concerns, and how well its place fits the trouble."""
    paths = read(change).paths
    texts = [change.target, *paths, carrier.target if carrier else ""]
    direct = [(weight, name) for name, weight in troubled.items() if any(concerns(text, name) for text in texts)]
    if direct:
        weight, name = max(direct, key=lambda item: (item[0], item[1]))
        own = any(concerns(text, name) for text in texts[:-1])
        return name, weight if own else 0.75 * weight
    graph = calls(case)
    around: dict[str, float] = {}
    for name, weight in troubled.items():
        for part, others in ((_CALLEE, graph.callees.get(name, ())), (_CALLER, graph.callers.get(name, ()))):
            around |= {other: max(around.get(other, 0.0), part * weight) for other in others}
    near = [(weight, name) for name, weight in around.items() if any(concerns(text, name) for text in texts)]
    if change.kind not in ("commit", "deploy"):
        text = f"{change.summary} {change.diff}"
        told = words_of(text) | pieces(text)
        near += [
            (_NAMED_IN_TITLE * weight, name)
            for name, weight in {**around, **troubled}.items()
            if name.lower() in told or _speaks_of(case, name, change)
        ]
    if near:
        weight, name = max(near, key=lambda item: (item[0], item[1]))
        return name, weight
    nearest = max(sorted(troubled), key=lambda name: troubled[name], default=change.target)
    code = [text for text in (change.target, *paths) if text]
    common = not code or any(_SHARED_CODE.match(text) for text in code) or read(change).manifest_only
    return nearest, 0.55 if common else 0.2


def _speaks_of(case: CaseFile, workload: str, change: Change) -> bool:
    """Whether one new statement of the workload's log names the flag or setting that was changed."""
    said = (item.sample for item in statements(case) if item.workload == workload and item.new)
    graph = calls(case)
    workloads = {*graph.callees, *graph.callers}  # who names one of those speaks of it, not of a setting
    return any(set(compounds(change, frozenset(pieces(sample)))) - workloads for sample in said)


def _fault(suspect: Suspect) -> str:
    change = suspect.change.value
    paths = " ".join(read(change).paths)
    for told, fault in _BY_RISK:
        if told in suspect.content.risks:
            return fault
    if change.kind == "feature_flag":
        return "bad_feature_flag"
    if change.kind == "config" or (
        re.search(r"\.(?:ya?ml|properties|toml|ini|env|conf)\b", paths) and not read(change).manifest_only
    ):
        return "bad_config_change"
    if re.search(r"migrat", f"{paths} {change.summary if change.kind == 'other' else ''}", re.IGNORECASE):
        return "bad_migration"
    if read(change).manifest_only or _RAISED.search(change.summary):
        return "dependency_upgrade_broken"
    return "bad_deploy"


def _finding(case: CaseFile, suspect: Suspect, excused: float) -> Finding:
    change = suspect.change.value
    runs = format_instant(suspect.runs_from)
    lead = f"{change.kind} {change.id} {one_line(change.target, 80)}: {one_line(change.summary, 160)}"
    facts = [
        Fact(
            f"{one_line(change.summary, 160)} was in service from {runs}, before the first bad sample",
            suspect.change.observation,
            f"{format_instant(change.time)} {lead}; in service from {runs}",
            suspect.runs_from,
        )
    ]
    facts += _reasons(suspect)
    strength = min(0.92, 0.15 + 0.9 * suspect.score) * excused
    fault = _fault(suspect)
    return Finding(
        analyzer="changes",
        fault=fault,
        object=object_of(case, suspect.target),
        strength=round(strength, 3),
        statement=f"{one_line(change.summary, 120)} ({change.id[:12]}) fits the place, the time and the symptom.",
        facts=tuple(facts),
        change=change.id,
        onset=suspect.runs_from,
        explains=tuple(object_of(case, name) for name in _harmed(case, fault, suspect.target)),
        distinguish="undo this one change and watch whether the symptom ends",
    )


def _harmed(case: CaseFile, fault: str, target: str) -> tuple[str, ...]:
    """Whom a change of the target harms beside it: its callers; a migration also the stores that it runs against."""
    graph = calls(case)
    stores = graph.callees.get(target, ()) if fault == "bad_migration" else ()
    return tuple(sorted({*graph.callers.get(target, ()), *stores}))


def _reasons(suspect: Suspect) -> list[Fact]:
    change, reading = suspect.change.value, read(suspect.change.value)
    facts = []
    for risk in suspect.content.risks:
        lines = [f"-{line.strip()}" for line in reading.removed[:3]] + [
            f"+{line.strip()}" for line in reading.added[:3]
        ]
        excerpt = f"{change.id} {risk}: " + one_line(" ".join(lines), 300)
        facts.append(Fact(f"It contains an edit that breaks services: {risk}", suspect.change.observation, excerpt))
    if suspect.content.words:
        listed = ", ".join(word for word, _ in suspect.content.words[:5])
        text = "Its edited lines and the incident's first errors share words: " + listed
        facts.append(Fact(text, suspect.change.observation, f"{change.id} edits: {listed}"))
    return facts
