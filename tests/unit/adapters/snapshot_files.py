"""Writes small snapshots for tests."""

import gzip
import tarfile
from pathlib import Path

HEADER = """\
version: 1
id: case-1
now: '2026-03-01T12:00:00Z'
window: {start: '2026-03-01T11:30:00Z', end: '2026-03-01T12:00:00Z'}
namespaces: [shop]
description: Carts fail.
"""
FILES = {
    "snapshot.yaml": HEADER,
    "alerts.json": '{"version": "4", "alerts": []}',
    "kubernetes.json": """{"kind": "List", "items": [
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart-1", "namespace": "shop"}},
        {"kind": "Pod", "metadata": {
            "name": "later", "namespace": "shop", "creationTimestamp": "2026-03-01T12:00:01Z"}},
        {"kind": "Event", "metadata": {"name": "e1", "namespace": "shop"}, "lastTimestamp": "2026-03-01T11:59:00Z"},
        {"kind": "Event", "metadata": {"name": "e2", "namespace": "shop"}, "lastTimestamp": "2026-03-01T12:01:00Z"}
        ]}""",
    "metrics.om": "# TYPE x gauge\nx 1 1772366300\nx 2 1772366401\n# EOF\n",
    "traces.json": """{"resourceSpans": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "cart"}}]}, "scopeSpans": [{"spans": [
        {"traceId": "t1", "spanId": "s1", "name": "GET /", "startTimeUnixNano": "1772366300000000000",
         "endTimeUnixNano": "1772366301500000000", "status": {"code": 2},
         "attributes": [{"key": "retry", "value": {"boolValue": true}}]},
        {"traceId": "t2", "spanId": "s2", "parentSpanId": "p", "name": "late",
         "startTimeUnixNano": "1772366399000000000", "endTimeUnixNano": "1772366402000000000"}]}]}]}""",
    "changes.json": """[
        {"time": "2026-03-01T11:50:00Z", "kind": "deploy", "target": "cart", "id": "c2", "summary": "new",
         "diff": null},
        {"time": "2026-03-01T10:50:00Z", "kind": "odd", "target": "cart", "id": "c1", "summary": "old",
         "author": "ann"},
        {"time": "2026-03-01T12:50:00Z", "kind": "deploy", "target": "cart", "id": "c3", "summary": "later"}]""",
    "topology.json": '{"edges": [["web", "cart"], ["web", "cart"], ["cart", "db"]]}',
    "signals.yaml": "signals: [{metric: cart_ms, meaning: latency, unit: milliseconds, labels: {service: workload}}]",
    "logs/shop/cart-1/app.log": "2026-03-01T11:59:00Z hello\n2026-03-01T12:00:01Z later\n",
    "logs/shop/cart-1/app.previous.log": "2026-03-01T11:58:00Z bye\n",
    "logs/@nodes/worker-1/kubelet.service.log": "2026-03-01T11:57:00Z kubelet\n",
}


def write_snapshot(folder: Path, *, zipped: tuple[str, ...] = (), **replaced: str | None) -> Path:
    """A complete snapshot; ``replaced`` maps a file (dots as two underscores) to other text, None leaves it out."""
    files: dict[str, str | None] = {**FILES, **{name.replace("__", "."): text for name, text in replaced.items()}}
    for name, text in files.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name in zipped:
                (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
            else:
                path.write_text(text)
    return folder


def pack(folder: Path, archive: Path, prefix: str = "") -> Path:
    """The folder as a .tar.gz."""
    with tarfile.open(archive, "w:gz") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                tar.add(path, f"{prefix}{path.relative_to(folder)}")
    return archive
