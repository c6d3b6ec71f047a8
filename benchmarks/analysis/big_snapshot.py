"""A large snapshot, the same for the same seed: 10,000 series of 240 samples, 100,000 log lines, and the objects.

Fifty workloads of ten pods. From three quarters of the window on, one workload fails: its requests answer 500, its
processors are throttled, its log says why, and a deploy came a minute before. Nothing in it comes from a recorded case.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

SPACE = "depot"
STEP = 15
NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
_PODS = 10
_POD_SERIES = (
    ("container_cpu_usage_seconds_total", "counter", 0.2),
    ("container_cpu_cfs_throttled_seconds_total", "counter", 0.001),
    ("container_memory_working_set_bytes", "gauge", 2e8),
    ("container_network_receive_bytes_total", "counter", 4e4),
    ("container_network_transmit_bytes_total", "counter", 4e4),
    ("container_network_receive_packets_total", "counter", 90.0),
    ("container_network_transmit_packets_total", "counter", 90.0),
    ("container_network_receive_packets_dropped_total", "counter", 0.0),
    ("container_network_transmit_packets_dropped_total", "counter", 0.0),
    ("container_fs_reads_bytes_total", "counter", 900.0),
    ("container_fs_writes_bytes_total", "counter", 900.0),
    ("container_file_descriptors", "gauge", 60.0),
    ("kube_pod_container_status_restarts_total", "counter", 0.0),
    ("process_open_fds", "gauge", 60.0),
    ("process_max_fds", "gauge", 1024.0),
    ("go_gc_duration_seconds_sum", "counter", 0.0004),
    ("http_requests_total", "counter", 20.0),
    ("http_request_duration_seconds_sum", "counter", 1.0),
    ("http_request_duration_seconds_count", "counter", 20.0),
    ("http_requests_failed_total", "counter", 0.01),
)
_SAYS = (
    "INFO request {id} GET /items/{n} answered 200 in {n} ms",
    "INFO session {id} renewed for customer {n}",
    "DEBUG cache hit for key item:{n} (age {n} s)",
    "INFO published message {id} to queue parcels partition {n}",
    'time="{id}" level=info msg="flushed batch" size={n}',
    "WARN slow call to stock service took {n} ms, trace {id}",
)
_FAILS = "ERROR request {id} failed: pricing: cannot parse rule {n}: unexpected token"


@dataclass(frozen=True, slots=True)
class Size:
    """How large: ``workloads`` of ten pods with twenty series each, and log lines over the first two pods of each."""

    workloads: int = 50
    samples: int = 240
    lines: int = 100_000


def write_big_snapshot(folder: Path, size: Size | None = None, seed: int = 7) -> Path:
    """Write the snapshot into ``folder``, which is made, and return it."""
    size, chance = size or Size(), random.Random(seed)
    names = [f"svc-{place:02d}" for place in range(size.workloads)]
    guilty = names[size.workloads // 3]
    start = NOW - timedelta(seconds=STEP * (size.samples - 1))
    onset = start + (NOW - start) * 0.75
    folder.mkdir(parents=True, exist_ok=True)
    header = {"version": 1, "id": "big", "now": _text(NOW), "namespaces": [SPACE], "description": "a large shop"}
    header["window"] = {"start": _text(start), "end": _text(NOW)}
    (folder / "snapshot.yaml").write_text(json.dumps(header))
    (folder / "alerts.json").write_text(json.dumps(_alert(guilty, onset)))
    (folder / "kubernetes.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": _objects(names)}))
    change = {"time": _text(onset - timedelta(minutes=1)), "kind": "deploy", "target": guilty, "id": "d-1"}
    (folder / "changes.json").write_text(json.dumps([{**change, "summary": "new pricing rules", "author": "ann"}]))
    edges = [[before, after] for before, after in pairwise(names)]
    (folder / "topology.json").write_text(json.dumps({"edges": edges}))
    with (folder / "metrics.om").open("w", encoding="ascii") as file:
        file.writelines(_metrics(names, guilty, size.samples, start, onset, chance))
    _write_logs(folder, names, guilty, size.lines, (start, onset), chance)
    return folder


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _pod(name: str, place: int) -> str:
    return f"{name}-7c9d8f6b54-{'bcdfghjklm'[place]}x2{'vwzqt'[place % 5]}k"


def _alert(guilty: str, onset: datetime) -> dict[str, object]:
    labels = {"alertname": "RequestsFail", "namespace": SPACE, "service": guilty, "severity": "critical"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": _text(onset + timedelta(minutes=3))}
    return {
        "version": "4",
        "status": "firing",
        "groupKey": "{}",
        "receiver": "sre",
        "groupLabels": {},
        "alerts": [alert],
    }


def _objects(names: list[str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name in names:
        labels, image = {"app": name}, f"registry.example/{name}:1.4.2"
        container = {"name": "app", "image": image, "ports": [{"containerPort": 8080}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": _PODS, "selector": {"matchLabels": labels}, "template": template}
        status = {"replicas": _PODS, "readyReplicas": _PODS, "availableReplicas": _PODS, "updatedReplicas": _PODS}
        found.append(_object("apps/v1", "Deployment", name, {}, spec=spec, status=status))
        service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}
        found.append(_object("v1", "Service", name, {}, spec=service))
        for place in range(_PODS):
            running = {"name": "app", "ready": True, "restartCount": 0, "image": image, "state": {"running": {}}}
            ready = [{"type": "Ready", "status": "True"}]
            state = {"phase": "Running", "containerStatuses": [running], "conditions": ready}
            spec = {"containers": [container], "nodeName": f"worker-{place}"}
            found.append(_object("v1", "Pod", _pod(name, place), labels, spec=spec, status=state))
    return found


def _object(version: str, kind: str, name: str, labels: dict[str, str], **fields: object) -> dict[str, object]:
    metadata = {"name": name, "namespace": SPACE, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **fields}


def _metrics(
    names: list[str], guilty: str, samples: int, start: datetime, onset: datetime, chance: random.Random
) -> Iterator[str]:
    """OpenMetrics text, series after series."""
    first, broken = int(start.timestamp()), onset.timestamp()
    times = [first + STEP * place for place in range(samples)]
    for metric, kind, usual in _POD_SERIES:
        yield f"# TYPE {metric.removesuffix('_total') if kind == 'counter' else metric} {kind}\n"
        for name in names:
            for place in range(_PODS):
                inner = f'namespace="{SPACE}",pod="{_pod(name, place)}",container="app",node="worker-{place}"'
                worse = 40.0 if name == guilty and ("throttled" in metric or "failed" in metric) else 1.0
                total, rows = 0.0, []
                for time in times:
                    level = usual * chance.uniform(0.9, 1.1) * (worse if time >= broken else 1.0)
                    total = total + level * STEP if kind == "counter" else level
                    rows.append(f"{metric}{{{inner}}} {total:.6g} {time}\n")
                yield "".join(rows)
    yield "# EOF\n"


def _write_logs(
    folder: Path, names: list[str], guilty: str, lines: int, span: tuple[datetime, datetime], chance: random.Random
) -> None:
    """Two pods of each workload, evenly over the window; of the guilty one every second line since the onset fails."""
    start, onset = span
    each = lines // (2 * len(names))
    for name in names:
        for place in range(2):
            target = folder / "logs" / SPACE / _pod(name, place)
            target.mkdir(parents=True)
            rows = []
            for number in range(each):
                time = start + (NOW - start) * (number / each)
                fails = name == guilty and time >= onset and number % 2
                says = _FAILS if fails else chance.choice(_SAYS)
                words = says.format(id=f"{chance.getrandbits(48):012x}", n=chance.randrange(1, 9000))
                rows.append(f"{_text(time)} {words}\n")
            (target / "app.log").write_text("".join(rows))
