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
from agent_sre.analysis.departures import alerted, incident_start
from agent_sre.analysis.diffs import moved_only, read
from agent_sre.analysis.evidence_words import incident_words, rare, shared
from agent_sre.analysis.log_entries import troubles
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.origin import shares, symptom
from agent_sre.analysis.outside import provider_outage, surge
from agent_sre.analysis.profiles import profiles
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Change
from agent_sre.domain.visible import one_line

_FADES = 45 * 60.0
"""Seconds after which a change's nearness in time has fallen to a third."""
_MOST = 5
_LEAST = 0.12
_GENERIC = re.compile(r"(?:[-_.]?(?:service|svc|server|api|app|backend|worker|deployment|\d+))+$", re.IGNORECASE)
_SHARED_CODE = re.compile(r"^(?:pkg|lib|libs|common|shared|internal|core|packages|src/common|platform)(?:/|$)")
_WORDS_FOR = {
    "guard removed": ("nil", "null", "none", "pointer", "undefined", "panic", "exception", "index"),
    "timeout lowered": ("timeout", "deadline", "deadlineexceeded", "canceled", "timed", "exceeded"),
    "limit lowered": ("exhausted", "pool", "limit", "rejected", "memory", "oom", "queue", "saturated"),
    "call in a loop": ("slow", "select", "query", "duration_ms", "timeout"),
    "batching dropped": ("throttl", "capacity", "rate", "exceeded", "slow"),
    "field changed": (
        "missing",
        "field",
        "required",
        "deserialize",
        "decode",
        "parse",
        "unmarshal",
        "column",
        "schema",
    ),
    "dependency raised": ("nosuchmethod", "importerror", "version", "incompatible", "undefined", "symbol"),
}


@dataclass(frozen=True, slots=True)
class Suspect:
    """One change with what speaks for it; every part is in 0..1."""

    change: Seen[Change]
    runs_from: datetime
    target: str
    near: float
    place: float
    words: tuple[tuple[str, float], ...]
    risks: tuple[str, ...]
    fits: bool
    weight: float

    @property
    def content(self) -> float:
        """How far its text fits the symptom."""
        said = 1.0 - exp(-sum(weight for _, weight in self.words) / 2.5)
        edit = 0.75 if self.risks and self.fits else 0.35 if self.risks else 0.0
        return 1.0 - (1.0 - said) * (1.0 - edit)

    @property
    def score(self) -> float:
        """All parts together."""
        return self.weight * self.place * (0.4 + 0.6 * self.near) * (0.25 + 0.75 * self.content)


def change_findings(case: CaseFile) -> Iterable[Finding]:
    """The changes that could have done it, best first; nothing where none was recorded or none fits."""
    if not case.changes:
        return
    suspects = _suspects(case)
    excused = 0.35 if surge(case) is not None or _provider_fails(case) else 1.0
    best = suspects[0].score if suspects else 0.0
    for suspect in suspects[:_MOST]:
        if suspect.score < max(_LEAST, 0.3 * best):
            break
        yield _finding(case, suspect, excused)


def _provider_fails(case: CaseFile) -> bool:
    return any(finding.strength >= 0.6 for finding in provider_outage(case))


def _suspects(case: CaseFile) -> list[Suspect]:
    start = incident_start(case)
    troubled = _troubled(case)
    every = [seen.value for seen in case.changes]
    weights, said = rare(every), incident_words(case)
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
        near = exp(-(start - runs_from.timestamp()) / _FADES)
        words = tuple(shared(change, said, weights)[:8])
        risks = tuple(sorted(reading.risks))
        suspect = Suspect(seen, runs_from, target, near, place, words, risks, _fits(risks, said, case), weight)
        # A deploy's id is often its commit's: the record with the diff speaks for both.
        known = found.get(change.id)
        if known is None or suspect.score > known.score:
            found[change.id] = suspect
    return sorted(
        found.values(), key=lambda item: (-round(item.score, 9), item.change.value.time, item.change.value.id)
    )


def _carrier(change: Change, every: list[Change], start: float, troubled: Mapping[str, float]) -> Change | None:
    """The deploy that brought a commit into service: of this commit by name, else of what is in trouble, else any."""
    if change.kind != "commit":
        return None
    later = [item for item in every if item.kind == "deploy" and item.time >= change.time]
    named = [item for item in later if item.id == change.id or (len(change.id) > 6 and change.id in item.summary)]
    if named:
        return named[0]
    carried = [item for item in later if item.time.timestamp() <= start]
    own = [item for item in carried if any(_about(item.target, name) for name in troubled)]
    return (own or carried)[-1] if carried else None


def _troubled(case: CaseFile) -> Mapping[str, float]:
    """Workloads in trouble, with how near each is to the origin, 1 for the nearest."""
    found = {name: 0.85 for name in alerted(case)}
    speaking = [item for item in troubles(case) if item.severity >= 3]
    for item in speaking:
        found[item.workload] = max(found.get(item.workload, 0.0), 0.9)
    for share in shares(case, symptom(case))[:3]:
        found[share.name] = max(found.get(share.name, 0.0), 0.6 + 0.4 * share.part)
    return found


def _place(change: Change, carrier: Change | None, troubled: Mapping[str, float], case: CaseFile) -> tuple[str, float]:
    """The workload the change concerns, and how well its place fits the trouble."""
    paths = read(change).paths
    texts = [change.target, *paths, carrier.target if carrier else ""]
    direct = [(weight, name) for name, weight in troubled.items() if any(_about(text, name) for text in texts)]
    if direct:
        weight, name = max(direct, key=lambda item: (item[0], item[1]))
        own = any(_about(text, name) for text in texts[:-1])
        return name, weight if own else 0.75 * weight
    graph = calls(case)
    around = {
        other: 0.45 * weight
        for name, weight in troubled.items()
        for other in (*graph.callees.get(name, ()), *graph.callers.get(name, ()))
    }
    near = [(weight, name) for name, weight in around.items() if any(_about(text, name) for text in texts)]
    if near:
        weight, name = max(near, key=lambda item: (item[0], item[1]))
        return name, weight
    nearest = max(sorted(troubled), key=lambda name: troubled[name], default=change.target)
    code = [text for text in (change.target, *paths) if text]
    common = not code or any(_SHARED_CODE.match(text) for text in code) or read(change).manifest_only
    return nearest, 0.55 if common else 0.2


def _about(text: str, name: str) -> bool:
    """Whether a path or target names a workload: by a whole segment, with or without "service" and the like."""
    short = _GENERIC.sub("", name).lower()
    parts = {_GENERIC.sub("", part).lower() for part in re.split(r"[/\s]+", text) if part}
    whole = {part.lower() for part in re.split(r"[/\s]+", text) if part}
    return name.lower() in whole or (len(short) > 2 and short in parts)


def _fits(risks: tuple[str, ...], said: Iterable[str], case: CaseFile) -> bool:
    """Whether an edit of this kind leads to what is seen."""
    heard = " ".join(said)
    slow = symptom(case) == "latency" or any(profile.slow > 0.2 for profile in profiles(case).values())
    for risk in risks:
        if any(word in heard for word in _WORDS_FOR.get(risk, ())):
            return True
        if risk in ("call in a loop", "batching dropped") and slow:
            return True
    return False


def _fault(suspect: Suspect) -> str:
    change = suspect.change.value
    paths = " ".join(read(change).paths)
    if change.kind == "feature_flag":
        return "bad_feature_flag"
    if change.kind == "config" or (
        re.search(r"\.(?:ya?ml|properties|toml|ini|env|conf)\b", paths) and not read(change).manifest_only
    ):
        return "bad_config_change"
    if re.search(r"migrat", paths, re.IGNORECASE):
        return "bad_migration"
    if read(change).manifest_only:
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
    return Finding(
        analyzer="changes",
        fault=_fault(suspect),
        object=object_of(case, suspect.target),
        strength=round(strength, 3),
        statement=f"{one_line(change.summary, 120)} ({change.id[:12]}) fits the place, the time and the symptom.",
        facts=tuple(facts),
        change=change.id,
        onset=suspect.runs_from,
        distinguish="undo this one change and watch whether the symptom ends",
    )


def _reasons(suspect: Suspect) -> list[Fact]:
    change, reading = suspect.change.value, read(suspect.change.value)
    facts = []
    for risk in suspect.risks:
        lines = [f"-{line.strip()}" for line in reading.removed[:3]] + [
            f"+{line.strip()}" for line in reading.added[:3]
        ]
        excerpt = f"{change.id} {risk}: " + one_line(" ".join(lines), 300)
        facts.append(Fact(f"It contains an edit that breaks services: {risk}", suspect.change.observation, excerpt))
    if suspect.words:
        listed = ", ".join(word for word, _ in suspect.words[:5])
        text = "Its edited lines and the incident's first errors share words: " + listed
        facts.append(Fact(text, suspect.change.observation, f"{change.id} edits: {listed}"))
    return facts
