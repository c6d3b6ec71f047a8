"""Everything the incident page shows, read from the stores and nothing else.

The page is a view of durable rows: it asks no cluster and no metrics back end, so it works while they are down and
shows an old incident as it was judged. Drawn here and not in the console, because drawing is a station's job that
entrypoints may not call: charts, the merged timeline and facts in words. Called by the console, ``ask`` and ``cli``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect
from agent_sre.domain.evidence import Evidence, Gap, Observation
from agent_sre.domain.incident import ACTIVE, Incident
from agent_sre.domain.placement import Placement
from agent_sre.domain.signal import Signal
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict
from agent_sre.ports.intake import PlacementStore
from agent_sre.ports.store import ApprovalStore, CaseStore, EffectLedger, IncidentStore, Journal
from agent_sre.report.card import standing_in_words
from agent_sre.report.chart import Mark, describe, draw
from agent_sre.report.chart_choice import choose
from agent_sre.report.timeline import facts_in_words, merge

_EARLIER_RUNS = 3
_MARKS = 5


@dataclass(frozen=True, slots=True)
class Stores:
    """The durable state that is read; ``signals`` is the signal catalogue in force, for units and meanings."""

    incidents: IncidentStore
    cases: CaseStore
    approvals: ApprovalStore
    effects: EffectLedger
    journal: Journal
    placements: PlacementStore
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class ChartView:
    """One drawn chart and where its data came from. ``svg`` is markup that is safe to embed as it is; ``metric`` the
    metric's name where the title does not say it."""

    title: str
    metric: str
    svg: str
    words: str
    source: str
    query: str
    evidence: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One line of the list. ``lead`` and ``confidence`` are the leading hypothesis', "" and 0 before there is one."""

    incident: Incident
    status: str
    lead: str
    confidence: float
    waiting: int


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident as it stands. ``revision`` changes whenever anything shown may have changed.

    ``verdict_run`` is the investigation the verdict is of: smaller than ``incident.run`` while a new one is under way.
    ``sentences`` holds facts in words by evidence id, ``placements`` why each alert is here by fingerprint, and
    ``parts`` the incidents that are part of this one.
    """

    incident: Incident
    status: str
    alerts: tuple[Alert, ...]
    placements: Mapping[str, Placement]
    parts: tuple[Incident, ...]
    timeline: tuple[Entry, ...]
    verdict: Verdict | None
    verdict_run: int
    evidence: Mapping[str, Evidence]
    sentences: Mapping[str, str]
    gaps: tuple[Gap, ...]
    approvals: tuple[Approval, ...]
    effects: Mapping[str, Effect]
    charts: tuple[ChartView, ...]
    observations: Mapping[str, Observation]
    revision: str


async def list_incidents(stores: Stores, limit: int) -> tuple[IncidentRow, ...]:
    """The newest incidents with what is believed of each: active ones first, then by time opened."""
    rows = []
    for incident in await stores.incidents.newest(limit):
        verdict, _ = await _latest_verdict(stores, incident)
        lead = verdict.hypotheses[0] if verdict and verdict.hypotheses else None
        waiting = 0
        if incident.status in ACTIVE:
            asked = await stores.approvals.of_incident(incident.id)
            waiting = sum(item.state is ApprovalState.WAITING for item in asked)
        text, confidence = (lead.statement, lead.confidence) if lead else ("", 0.0)
        rows.append(IncidentRow(incident, standing_in_words(incident), text, confidence, waiting))
    return tuple(sorted(rows, key=lambda row: not row.incident.active))


async def read_incident(incident_id: str, stores: Stores) -> IncidentView | None:
    """The incident as it stands, or None where it is unknown."""
    revision = await read_revision(incident_id, stores)  # first, so that a change while reading is noticed after it
    incident = await stores.incidents.get(incident_id)
    if incident is None or revision is None:
        return None
    verdict, run = await _latest_verdict(stores, incident)
    observations = {item.id: item for item in await stores.cases.observations(incident_id, run)}
    findings, gaps = await stores.cases.findings(incident_id, run)
    alerts = await stores.incidents.alerts(incident_id)
    approvals = await stores.approvals.of_incident(incident_id)
    effects = await stores.effects.of_incident(incident_id)
    sentences = facts_in_words(verdict, findings)
    stored = await stores.journal.timeline(incident_id)
    timeline = merge(incident_id, stored, alerts, verdict)
    return IncidentView(
        incident=incident,
        status=standing_in_words(incident),
        alerts=alerts,
        placements={item.fingerprint: item for item in await stores.placements.of_incident(incident_id)},
        parts=await stores.placements.children(incident_id),
        timeline=timeline,
        verdict=verdict,
        verdict_run=run,
        evidence=verdict.evidence_by_id() if verdict else {},
        sentences=sentences,
        gaps=(verdict.gaps if verdict and verdict.gaps else gaps),
        approvals=approvals,
        effects={item.approval_id: item for item in effects},
        charts=_charts(stores, incident, verdict, observations, marks_of(timeline, effects, verdict)),
        observations=observations,
        revision=revision,
    )


async def read_revision(incident_id: str, stores: Stores) -> str | None:
    """A short word that differs whenever the page would; None where the incident is unknown. Reads no evidence."""
    incident = await stores.incidents.get(incident_id)
    if incident is None:
        return None
    entries = await stores.journal.timeline(incident_id)
    approvals = await stores.approvals.of_incident(incident_id)
    effects = await stores.effects.of_incident(incident_id)
    parts = (
        incident.version,
        incident.status,
        incident.run,
        len(entries),
        [(item.id, item.state) for item in approvals],
        [(item.id, item.state, item.verified) for item in effects],
    )
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


async def list_revision(stores: Stores, limit: int) -> str:
    """As ``read_revision``, for the list of incidents."""
    parts = [(item.id, item.version, item.status) for item in await stores.incidents.newest(limit)]
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def marks_of(timeline: Sequence[Entry], effects: Sequence[Effect], verdict: Verdict | None) -> tuple[Mark, ...]:
    """The moments worth a line in a chart: the change and the onset the leading cause cites (else the first that is
    cited at all), the first alert, the actions."""
    lead = set(verdict.hypotheses[0].evidence) if verdict and verdict.hypotheses else set()
    marks = []
    for kind in ("change", "onset", "alert"):
        entries = [entry for entry in timeline if entry.kind == kind and (entry.evidence or kind == "alert")]
        entries.sort(key=lambda entry: not lead & set(entry.evidence))  # stable: still by time within each half
        marks += [Mark(entry.time, kind, entry.text) for entry in entries[:1]]
    marks += [Mark(item.finished_at, "action", item.detail) for item in effects if item.finished_at]
    return tuple(marks[:_MARKS])


async def _latest_verdict(stores: Stores, incident: Incident) -> tuple[Verdict | None, int]:
    for run in range(incident.run, max(incident.run - _EARLIER_RUNS, 0), -1):
        verdict = await stores.cases.verdict(incident.id, run)
        if verdict is not None:
            return verdict, run
    return None, incident.run


def _charts(
    stores: Stores,
    incident: Incident,
    verdict: Verdict | None,
    observations: Mapping[str, Observation],
    marks: Sequence[Mark],
) -> tuple[ChartView, ...]:
    subjects = [item.object.name for item in verdict.hypotheses[:3]] if verdict else []
    chosen = choose(verdict, observations, [*subjects, incident.service], marks, stores.signals)
    return tuple(
        ChartView(
            title=item.chart.title,
            metric=item.chart.metric,
            svg=draw(item.chart, uid=f"chart-{index}"),
            words=describe(item.chart),
            source=item.observation.source,
            query=item.observation.query,
            evidence=item.evidence,
            link=item.observation.link,
        )
        for index, item in enumerate(chosen, 1)
    )
