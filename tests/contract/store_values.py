"""Values that the store suites keep and ask back."""

from array import array
from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any

from agent_sre.domain.action import Proposal, Risk
from agent_sre.domain.alert import Alert, AlertStatus, Severity, fingerprint_of
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.domain.telemetry import Change, Edge, Exemplar, LogLine, LogSource, LogStream, Series, Span
from agent_sre.domain.timeline import Entry

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """So many seconds after NOON; before it where negative."""
    return NOON + timedelta(seconds=seconds)


def alert(name: str = "PodDown", **changes: Any) -> Alert:
    labels = {"alertname": name, "namespace": "shop"}
    values: dict[str, Any] = {
        "fingerprint": fingerprint_of(labels),
        "status": AlertStatus.FIRING,
        "labels": labels,
        "annotations": {"summary": "größer als 5 \N{PILE OF POO}"},
        "starts_at": NOON,
        "ends_at": None,
        "received_at": NOON,
        "source": "alertmanager",
        "group_key": '{}:{alertname="PodDown"}',
    }
    return Alert(**values | changes)


def incident(name: str = "inc-1", **changes: Any) -> Incident:
    values: dict[str, Any] = {
        "id": name,
        "title": "checkout fails",
        "status": IncidentStatus.OPEN,
        "severity": Severity.WARNING,
        "namespace": "shop",
        "service": "checkout",
        "group_key": "group-1",
        "opened_at": NOON,
        "updated_at": NOON,
    }
    return Incident(**values | changes)


def entry(text: str, incident_id: str = "inc-1", time: datetime = NOON, key: str = "") -> Entry:
    return Entry(incident_id, time, "note", text, actor="a person", evidence=("E1", "E2"), key=key)


def proposal(incident_id: str = "inc-1") -> Proposal:
    return Proposal(
        id="pro-1",
        incident_id=incident_id,
        runbook="bad-deploy",
        runbook_digest="0" * 64,
        action="rollout_undo",
        target=ObjectRef("Deployment", "shop", "checkout"),
        parameters={"revision": 3, "force": False, "name": "3", "fast": True},
        patch={"spec": {"template": {"spec": {"containers": [{"name": "c", "cpu": 0.5, "args": []}], "n": None}}}},
        resource_version="4711",
        risk=Risk.MEDIUM,
        preview="- image: a\n+ image: b",
        expected="the error rate falls",
        verify="alert",
        undo="rollout_undo",
        hypothesis=1,
    )


def approval(name: str = "app-1", incident_id: str = "inc-1", **changes: Any) -> Approval:
    asked = proposal(incident_id)
    values: dict[str, Any] = {
        "id": name,
        "incident_id": incident_id,
        "proposal": asked,
        "digest": asked.digest,
        "state": ApprovalState.WAITING,
        "asked_at": NOON,
        "expires_at": after(600),
    }
    return Approval(**values | changes)


def effect(name: str = "eff-1", approval_id: str = "app-1", **changes: Any) -> Effect:
    values: dict[str, Any] = {"incident_id": "inc-1", "state": EffectState.INTENDED, "intended_at": NOON}
    return Effect(name, approval_id, **values | changes)


def observation(name: str = "pods/1", **changes: Any) -> Observation:
    """One with every kind of content, odd values included."""
    values: dict[str, Any] = {
        "id": name,
        "collector": "pods",
        "source": "kubernetes",
        "query": "GET /api/v1/namespaces/shop/pods kind=Pod",
        "observed_at": NOON,
        "window": Window(after(-3600), NOON),
        "objects": ({"kind": "Pod", "metadata": {"name": "a\0b", "labels": {}}, "n": [1, 2.5, None, True]},),
        "streams": (
            LogStream(
                LogSource("shop", "checkout-1", "app", previous=True),
                (LogLine(NOON, "größer\n  at line 2"), LogLine(None, "")),
                left_out=7,
            ),
        ),
        "series": (Series("up", {"job": "x"}, array("d", [1.0, 2.0]), array("d", [nan, -0.0]), "gauge"),),
        "changes": (Change("c1", NOON, "deploy", "checkout", "v2", author="someone", diff="-a\n+b"),),
        "edges": (Edge("web", "checkout", "traces"),),
        "answers": ("what a tool said\nin two lines",),
        "spans": (Span("t", "s", "", "web", "GET /", 1.25, 1.5, True, {"http.status": "500"}),),
        "exemplars": (Exemplar("took_seconds_bucket", {"le": "5"}, "4bf92f35", 2.5, 1.25),),
        "rules": ({"name": "PodDown", "query": "up == 0", "duration": 60},),
        "left_out": ("3 pods beyond the limit",),
        "link": "https://console.example/pods",
    }
    return Observation(**values | changes)


def content(item: Observation) -> dict[str, Any]:
    """Everything an observation says, comparable (samples by their bits, so that NaN equals itself)."""
    fields = {name: getattr(item, name) for name in Observation.__slots__}
    fields["series"] = [
        (series.name, dict(series.labels), series.times.tobytes(), series.values.tobytes(), series.kind)
        for series in item.series
    ]
    return fields
