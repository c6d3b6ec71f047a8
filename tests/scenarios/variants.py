"""Forms in which the same incident can reach us with less, or more, to see; the truth stays the same.

``events_expired``: the API server forgot its Events, as it does after an hour. ``sparse``: objects as somebody rebuilt
them from printed text: no uids, no managed fields, no server-side defaults. ``described``: from describe's text, which
shows conditions and waiting containers without their messages. ``old_events``: hundreds of warnings about objects that
are long gone. ``bystanders``: other things are untidy, and none of it matters. ``no_logs``: no log source.
``late_alert``: the alert fires only now.
"""

from collections.abc import Callable
from typing import Any

from tests.scenarios.frozen import Frozen

_DEFAULTS = ("terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy", "dnsPolicy", "restartPolicy",
             "schedulerName", "revisionHistoryLimit", "progressDeadlineSeconds")  # fmt: skip


def events_expired(frozen: Frozen) -> None:
    """No Event is left."""
    frozen.objects = [item for item in frozen.objects or () if item["kind"] != "Event"]


def sparse(frozen: Frozen) -> None:
    """Fields that no command prints are absent."""
    frozen.objects = [_without(item) for item in frozen.objects or ()]


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = (*_DEFAULTS, "uid", "managedFields", "generation", "observedGeneration")
        return {key: _without(item) for key, item in value.items() if key not in dropped}
    if isinstance(value, list):
        return [_without(item) for item in value]
    return value


def described(frozen: Frozen) -> None:
    """As ``kubectl describe`` prints them: no messages and times of conditions, no message of a waiting container."""
    sparse(frozen)
    for item in frozen.objects or ():
        status = item.get("status", {})
        for row in status.get("conditions", ()):
            for key in (
                "message",
                "lastTransitionTime",
                "lastUpdateTime",
                *(["reason"] if item["kind"] == "Pod" else []),
            ):
                row.pop(key, None)
        for field in ("containerStatuses", "initContainerStatuses"):
            for row in status.get(field, ()):
                row.get("state", {}).get("waiting", {}).pop("message", None)


def old_events(frozen: Frozen) -> None:
    """Warnings of every common kind about pods that no longer exist, all of them hours old or just behind us."""
    told = (
        ("FailedScheduling", "0/3 nodes are available: 3 Insufficient memory."),
        ("BackOff", "Back-off restarting failed container app in pod"),
        ("Unhealthy", "Readiness probe failed: connection refused"),
        ("FailedMount", 'MountVolume.SetUp failed for volume "config" : configmap "settings" not found'),
        ("Failed", 'Failed to pull image "registry.test/old:0.1": not found'),
        ("FailedCreate", "Error creating: pods is forbidden: exceeded quota: compute"),
    )
    for place in range(180):
        reason, message = told[place % len(told)]
        name = f"gone-{place % 9}-5c9d8f7b6{place % 7}-{place:05d}"
        frozen.event(("Pod", name), reason, message, minutes_ago=55 + place * 2, count=1 + place % 5)


def bystanders(frozen: Frozen) -> None:
    """A pod that finished long ago, one that restarted last week, a failed Job of last month: none of it matters."""
    month_ago, week_ago = frozen.stamp(60 * 24 * 30), frozen.stamp(60 * 24 * 7)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": "nightly-report-28900", "controller": True}
    frozen.add(
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": owner["name"], "namespace": frozen.namespace, "creationTimestamp": month_ago},
            "spec": {"backoffLimit": 0, "completions": 1, "parallelism": 1},
            "status": {
                "failed": 1,
                "startTime": month_ago,
                "conditions": [
                    {
                        "type": "Failed",
                        "status": "True",
                        "reason": "BackoffLimitExceeded",
                        "lastTransitionTime": month_ago,
                    }
                ],
            },
        },
        _pod(frozen, "nightly-report-28900-x7k2p", owner, month_ago, phase="Failed", exit_code=1, restarts=0),
        _pod(frozen, "housekeeper-0", None, week_ago, phase="Running", exit_code=137, restarts=3),
    )


def _pod(
    frozen: Frozen, name: str, owner: dict[str, Any] | None, then: str, *, phase: str, exit_code: int, restarts: int
) -> dict[str, Any]:
    ended = {"terminated": {"reason": "Error", "exitCode": exit_code, "startedAt": then, "finishedAt": then}}
    running = phase == "Running"
    meta: dict[str, Any] = {
        "name": name,
        "namespace": frozen.namespace,
        "creationTimestamp": then,
        "labels": {"job": name},
    }
    if owner:
        meta["ownerReferences"] = [owner]
    container = {
        "name": "main",
        "image": "registry.test/main:3",
        "ready": running,
        "restartCount": restarts,
        "state": {"running": {"startedAt": then}} if running else ended,
        "lastState": ended if running else {},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [{"name": "main", "image": "registry.test/main:3"}]},
        "status": {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(running), "lastTransitionTime": then}],
            "containerStatuses": [container],
        },
    }


def no_logs(frozen: Frozen) -> None:
    """No log could be read."""
    frozen.forget_logs()


def late_alert(frozen: Frozen) -> None:
    """The alert fires only now, long after the trouble began: a high threshold, or a long ``for``."""
    for alert in frozen.alerts:
        alert["startsAt"] = frozen.stamp(0.5)


VARIANTS: dict[str, Callable[[Frozen], None]] = {
    "events_expired": events_expired,
    "sparse": sparse,
    "described": described,
    "old_events": old_events,
    "bystanders": bystanders,
    "no_logs": no_logs,
    "late_alert": late_alert,
}
