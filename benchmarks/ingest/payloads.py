"""The same alerts in the shape that each server takes.

An alert is what Prometheus' rules of an ordinary Kubernetes site send: eight labels, three annotations. Alertmanager
takes a list of alerts (``/api/v2/alerts``, what Prometheus posts); ours takes what Alertmanager posts to a webhook,
version "4", which repeats the group's common labels and so is about twice as long for one alert.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from agent_sre.domain.alert import fingerprint_of
from agent_sre.domain.instant import format_instant

_GROUPS = 50


def labels(number: int, severity: str = "warning") -> dict[str, str]:
    """Distinct by the pod's name."""
    shop = f"team-{number % _GROUPS}"
    return {
        "alertname": "KubePodCrashLooping",
        "cluster": "production-eu-1",
        "namespace": shop,
        "deployment": "checkout",
        "pod": f"checkout-7d9f4c6b5-{number:08d}",
        "container": "server",
        "job": "kube-state-metrics",
        "severity": severity,
    }


def annotations(number: int) -> dict[str, str]:
    """A summary, a description and a runbook's address."""
    pod = f"team-{number % _GROUPS}/checkout-7d9f4c6b5-{number:08d}"
    return {
        "summary": f"Pod {pod} is crash looping",
        "description": f"Pod {pod} (server) is in waiting state (reason: CrashLoopBackOff) on cluster production-eu-1.",
        "runbook_url": "https://runbooks.example.com/runbooks/kubernetes/kubepodcrashlooping",
    }


_GENERATOR = (
    "http://prometheus.monitoring:9090/graph?g0.expr=max_over_time%28kube_pod_container_status_waiting%29&g0.tab=1"
)


def _ours(numbers: range, now: str, group: str, severity: str = "warning") -> dict[str, Any]:
    alerts = [
        {
            "status": "firing",
            "labels": labels(number, severity),
            "annotations": annotations(number),
            "startsAt": now,
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": _GENERATOR,
            "fingerprint": fingerprint_of(labels(number, severity)),
        }
        for number in numbers
    ]
    common = {name: value for name, value in labels(numbers[0], severity).items() if name not in {"pod", "namespace"}}
    return {
        "receiver": "agent-sre",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {"alertname": "KubePodCrashLooping"},
        "commonLabels": common,
        "commonAnnotations": {"runbook_url": annotations(0)["runbook_url"]},
        "externalURL": "http://alertmanager.monitoring:9093",
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
    }


def _one_group(numbers: range, now: str) -> object:
    return _ours(numbers, now, '{}:{alertname="KubePodCrashLooping"}')


def _many_groups(numbers: range, now: str) -> object:
    """A group for every alert's namespace, as ``group_by: [alertname, namespace]`` makes them."""
    space = labels(numbers[0])["namespace"]
    return _ours(numbers, now, f'{{}}:{{alertname="KubePodCrashLooping", namespace="{space}"}}')


def _alertmanager(numbers: range, now: str) -> object:
    return [
        {
            "labels": labels(number),
            "annotations": annotations(number),
            "startsAt": now,
            "generatorURL": _GENERATOR,
        }
        for number in numbers
    ]


def _pagerduty(numbers: range, now: str) -> object:
    """One event a POST, each of an incident of its own, spread over fifty services."""
    number = numbers[0]
    service = {"id": f"PSVC{number % _GROUPS}", "type": "service_reference", "summary": f"checkout-{number % _GROUPS}"}
    incident = {
        "id": f"PINC{number}",
        "type": "incident",
        "html_url": f"https://shop.pagerduty.com/incidents/PINC{number}",
        "number": number,
        "status": "triggered",
        "incident_key": f"key-{number}",
        "created_at": now,
        "title": f"Latency of checkout-{number % _GROUPS} is high ({number})",
        "service": service,
        "urgency": "low",
        "priority": None,
    }
    event = {
        "id": f"01EV{number}",
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": now,
        "agent": None,
        "client": None,
        "data": incident,
    }
    return {"event": event}


def critical(now: str, name: str = "TheOne") -> dict[str, Any]:
    """A message with one critical alert, of a group and of a workload of its own: nothing makes it part of a storm."""
    message = _ours(range(900_000, 900_001), now, f'{{}}:{{alertname="{name}"}}', "critical")
    (alert,) = message["alerts"]
    own = {"alertname": name, "namespace": name.lower(), "deployment": name.lower(), "pod": f"{name.lower()}-0"}
    alert["labels"] |= own | {"cluster": f"of-{name.lower()}"}
    alert["fingerprint"] = fingerprint_of(alert["labels"])
    return message


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


SHAPES: dict[str, Callable[[range, str], object]] = {
    "one group": _one_group,
    "many groups": _many_groups,
    "alertmanager": _alertmanager,
    "pagerduty": _pagerduty,
}


class Posts(Protocol):
    """What of a plan says which requests it has."""

    @property
    def port(self) -> int: ...
    @property
    def path(self) -> str: ...
    @property
    def shape(self) -> str: ...
    @property
    def posts(self) -> int: ...
    @property
    def per_post(self) -> int: ...
    @property
    def first(self) -> int: ...


def requests(plan: Posts) -> Sequence[bytes]:
    """All requests of a plan, as bytes."""
    make, moment = SHAPES[plan.shape], format_instant(now())
    found = []
    for post in range(plan.posts):
        start = plan.first + post * plan.per_post
        body = json.dumps(make(range(start, start + plan.per_post), moment), separators=(",", ":")).encode()
        found.append(
            f"POST {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nUser-Agent: bench\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    return found
