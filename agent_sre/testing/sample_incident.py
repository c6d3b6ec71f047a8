"""A whole incident as values: a bad deploy of a checkout service, at any point of its life.

For tests and demonstrations of whatever shows or stores incidents, without running an investigation. The telemetry is
computed, so that charts have something to show and every number in the texts is a number of the series. Not here: the
demo's simulated shop, which is investigated for real.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from agent_sre.domain.action import Proposal, Risk
from agent_sre.domain.alert import Alert, AlertStatus, Severity, fingerprint_of
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect, EffectState, Verified
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Impact, RuledOut, Verdict, VerdictStatus
from agent_sre.ports.store import AlertInbox, ApprovalStore, CaseStore, EffectLedger, IncidentStore, Journal
from agent_sre.testing.sample_telemetry import sample_evidence, sample_facts, sample_observations, sample_story

NOW = datetime(2026, 3, 4, 13, 52, tzinfo=UTC)
CHECKOUT = ObjectRef("Deployment", "shop", "checkout")
PAYMENTS = ObjectRef("Deployment", "shop", "payments")
_S = IncidentStatus
_STATES = {
    _S.AWAITING_APPROVAL: ApprovalState.WAITING,
    _S.MITIGATING: ApprovalState.APPROVED,
    _S.VERIFYING: ApprovalState.APPROVED,
    _S.RESOLVED: ApprovalState.APPROVED,
    _S.CLOSED: ApprovalState.APPROVED,
    _S.ESCALATED: ApprovalState.REJECTED,
}


_HYPOTHESES = (
    Hypothesis(
        1,
        "bad_deploy",
        CHECKOUT,
        0.87,
        "The rollout of checkout 2.15.0 broke it: errors began 70 s after the new pods took traffic.",
        ("E1", "E2", "E3", "E4"),
        change="dep-42",
        distinguish="compare the error ratio of pods of revision 41 and 42",
    ),
    Hypothesis(
        2,
        "connection_pool_exhausted",
        CHECKOUT,
        0.34,
        "checkout's pool of connections to payments is exhausted.",
        ("E3",),
        ("E5",),
    ),
    Hypothesis(3, "pod_network_delay", PAYMENTS, 0.06, "payments answers slowly over the network.", ("E6",), ("E5",)),
)


@dataclass(frozen=True, slots=True)
class SampleIncident:
    """All rows of one incident. ``verdict`` is None before an investigation came to one."""

    incident: Incident
    alerts: tuple[Alert, ...]
    observations: tuple[Observation, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict | None
    approvals: tuple[Approval, ...]
    effects: tuple[Effect, ...]
    entries: tuple[Entry, ...]


def sample_incident(
    status: IncidentStatus = _S.AWAITING_APPROVAL, *, now: datetime = NOW, incident_id: str = "inc-checkout"
) -> SampleIncident:
    """The incident as it stands at ``now`` (UTC), eight minutes or so into the trouble, in the given state."""
    judged = status not in (_S.OPEN, _S.INVESTIGATING)
    observations = sample_observations(now)
    approvals = (_approval(status, incident_id, now),) if judged else ()
    return SampleIncident(
        incident=_incident(status, incident_id, now),
        alerts=(sample_alert(now, status),),
        observations=observations if judged else (),
        findings=_findings(now) if judged else (),
        verdict=sample_verdict(now) if judged else None,
        approvals=approvals,
        effects=_effects(status, approvals, now),
        entries=tuple(_entries(status, incident_id, now)),
    )


async def store_sample(
    sample: SampleIncident,
    *,
    inbox: AlertInbox,
    incidents: IncidentStore,
    cases: CaseStore,
    approvals: ApprovalStore,
    effects: EffectLedger,
    journal: Journal,
) -> Incident:
    """Put the sample into stores and return the incident as stored."""
    await inbox.append(sample.alerts)
    sequences = [sequence for sequence, _ in await inbox.pending(100)]
    incident = await incidents.fold(sample.incident, sequences, sample.entries[:1])
    for entry in sample.entries[1:]:
        await journal.add(entry)
    await cases.add_observations(incident.id, incident.run, sample.observations)
    if sample.verdict is not None:
        await cases.save_findings(incident.id, incident.run, sample.findings, sample.verdict.gaps)
        await cases.save_verdict(incident.id, incident.run, sample.verdict)
    for approval in sample.approvals:
        await approvals.ask(approval)
    for effect in sample.effects:
        await effects.intend(replace(effect, state=EffectState.INTENDED, finished_at=None, verified=None))
        if effect.state is not EffectState.INTENDED:
            await effects.record(effect)
    return incident


def sample_alert(now: datetime = NOW, status: IncidentStatus = _S.OPEN) -> Alert:
    """The alert that opened the incident."""
    labels = {"alertname": "CheckoutErrorRate", "namespace": "shop", "service": "checkout", "severity": "critical"}
    over = status in (_S.RESOLVED, _S.CLOSED)
    return Alert(
        fingerprint=fingerprint_of(labels),
        status=AlertStatus.RESOLVED if over else AlertStatus.FIRING,
        labels=labels,
        annotations={"summary": "More than 5 % of checkout requests fail", "runbook": "error-rate"},
        starts_at=now - timedelta(minutes=6),
        ends_at=now - timedelta(seconds=20) if over else None,
        received_at=now - timedelta(minutes=6) + timedelta(seconds=2),
        source="alertmanager",
        receiver="agent-sre",
        group_key='{}/{severity="critical"}:{alertname="CheckoutErrorRate"}',
    )


def sample_proposal(incident_id: str = "inc-checkout") -> Proposal:
    """Undo the rollout of the checkout deployment."""
    return Proposal(
        id=f"{incident_id}-1-1",
        incident_id=incident_id,
        runbook="bad-deploy",
        runbook_digest="5f0c2a" * 10 + "beef",
        action="rollout_undo",
        target=CHECKOUT,
        parameters={"to_revision": 41},
        patch={"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "shop/checkout:2.14.3"}]}}}},
        resource_version="918273",
        risk=Risk.MEDIUM,
        preview=(
            "  spec.template.spec.containers[app].image\n"
            "- shop/checkout:2.15.0\n+ shop/checkout:2.14.3\n"
            "  spec.template.spec.containers[app].env\n- PAYMENTS_POOL=auto"
        ),
        expected="New pods of revision 41 become ready within two minutes and the error ratio falls below 5 %.",
        verify="the alert CheckoutErrorRate is no longer firing and the rollout is complete",
        undo="roll out revision 42 again (kubectl rollout undo deployment/checkout -n shop --to-revision=42)",
        hypothesis=1,
    )


def sample_verdict(now: datetime = NOW) -> Verdict:
    """A conclusive verdict with evidence for and against, something ruled out and a gap."""
    return Verdict(
        status=VerdictStatus.CONCLUSIVE,
        hypotheses=_HYPOTHESES,
        evidence=tuple(sample_evidence(now)),
        gaps=(
            Gap(
                "traces",
                "spans of checkout",
                "no trace back end is configured",
                "configure one to see where requests spend their time",
            ),
            Gap(
                "kubernetes",
                "list nodes",
                "forbidden: nodes is not readable",
                "grant list on nodes to agent-sre-reader",
            ),
        ),
        ruled_out=(
            RuledOut("traffic surge", "the request rate of checkout stayed within 4 % of the hour before", ("E1",)),
            RuledOut("payments is down", "its own error ratio stayed below 1 %", ("E5",)),
        ),
        impact=Impact(
            ("checkout",),
            (now - timedelta(minutes=9)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "About 31 % of checkout requests fail; cart and payments are not affected.",
            ("E1", "E5"),
        ),
        seconds={"gather": 2.1, "analyze": 0.3, "hypothesize": 0.1},
        story=sample_story(now),
    )


def _incident(status: IncidentStatus, incident_id: str, now: datetime) -> Incident:
    over = status in (_S.RESOLVED, _S.CLOSED)
    return Incident(
        id=incident_id,
        title="CheckoutErrorRate: more than 5 % of checkout requests fail",
        status=status,
        severity=Severity.CRITICAL,
        namespace="shop",
        service="checkout",
        group_key=f"alertmanager:CheckoutErrorRate:{incident_id}",
        opened_at=now - timedelta(minutes=6),
        updated_at=now,
        resolved_at=now if over else None,
        firing=0 if over else 1,
        alerts=1,
    )


def _approval(status: IncidentStatus, incident_id: str, now: datetime) -> Approval:
    proposal = sample_proposal(incident_id)
    state = _STATES[status]
    decided = state is not ApprovalState.WAITING
    return Approval(
        id=f"APR-{proposal.id}",
        incident_id=incident_id,
        proposal=proposal,
        digest=proposal.digest,
        state=state,
        asked_at=now - timedelta(minutes=4),
        expires_at=now + timedelta(minutes=56),
        decided_by="mira" if decided else "",
        decided_at=now - timedelta(minutes=2) if decided else None,
        reason="trying a fix forward first" if state is ApprovalState.REJECTED else "",
    )


def _effects(status: IncidentStatus, approvals: tuple[Approval, ...], now: datetime) -> tuple[Effect, ...]:
    if status not in (_S.MITIGATING, _S.VERIFYING, _S.RESOLVED, _S.CLOSED):
        return ()
    started = now - timedelta(seconds=110)
    effect = Effect(f"EFF-{approvals[0].id}", approvals[0].id, approvals[0].incident_id, EffectState.INTENDED, started)
    if status is _S.MITIGATING:
        return (effect,)
    done = replace(effect, state=EffectState.DONE, finished_at=started + timedelta(seconds=2), detail="patched to 41")
    if status is _S.VERIFYING:
        return (done,)
    sentence = "the alert's condition is false since 40 s and the rollout of revision 43 is complete (3/3 ready)"
    return (replace(done, verified=Verified.RECOVERED, verification=sentence),)


def _entries(status: IncidentStatus, incident_id: str, now: datetime) -> Iterator[Entry]:
    opened = now - timedelta(minutes=6)
    yield Entry(incident_id, opened, "alert", "CheckoutErrorRate fires", actor="alertmanager")
    if status is _S.OPEN:
        return
    yield Entry(incident_id, opened + timedelta(seconds=4), "investigation", "Investigation 1 started over 60 minutes")
    if status is _S.INVESTIGATING:
        return
    asked = now - timedelta(minutes=4)
    yield Entry(incident_id, asked, "investigation", "Most likely (87%): the rollout of checkout 2.15.0 broke it")
    yield Entry(incident_id, asked, "approval", "Approval asked for: rollout_undo on Deployment shop/checkout")
    decided = now - timedelta(minutes=2)
    if status is _S.ESCALATED:
        yield Entry(incident_id, decided, "approval", "mira rejected rollout_undo: trying a fix forward first", "mira")
    elif status is not _S.AWAITING_APPROVAL:
        yield Entry(incident_id, decided, "approval", "mira approved rollout_undo on Deployment shop/checkout", "mira")
        yield Entry(incident_id, decided + timedelta(seconds=10), "action", "rollout_undo on Deployment shop/checkout")
    if status in (_S.RESOLVED, _S.CLOSED):
        yield Entry(incident_id, now, "verification", "Resolved and verified: 3/3 ready, the alert is no longer firing")


def _findings(now: datetime) -> tuple[Finding, ...]:
    facts = tuple(fact for fact, _, _ in sample_facts(now))
    pool = Finding("pools", "connection_pool_exhausted", CHECKOUT, 0.4, "the pool is empty", facts[5:])
    return (
        Finding("deploys", "bad_deploy", CHECKOUT, 0.9, "a deploy broke it", facts[:4], (facts[4],), "dep-42"),
        pool,
    )
