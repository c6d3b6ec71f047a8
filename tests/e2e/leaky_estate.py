"""A cluster and a Prometheus full of secrets, as a process: every place that a collector reads carries each of them.

Run as ``python -m tests.e2e.leaky_estate``; prints one line of JSON with the addresses, the kubeconfig and the secrets.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import LogSource, Series
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from agent_sre.testing.kubernetes_objects import (
    Object,
    config_map,
    container,
    deployment,
    event,
    node,
    pod,
    pod_template,
    replica_set,
    service,
    terminated,
)
from agent_sre.testing.prometheus_server import PrometheusServer

KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj"
SECRETS = {
    "aws": "AKIAQ4XCANARY7EXAMP2",
    "password": "canary-Pa55word-91",
    "dsn": "canaryDsnPa55",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLWNhbmFyeQ",
    "bearer": "canaryBearer0123456789abcdefXYZ",
    "pem": KEY,
    "split": "canarySplit-88-Zz",
}
LINES = (
    f"using key {SECRETS['aws']} for the bucket",
    f"env DB_PASSWORD={SECRETS['password']} LOG_LEVEL=debug",
    f"cannot connect to postgres://app:{SECRETS['dsn']}@db.leaky:5432/app",
    f"rejected token {SECRETS['jwt']}",
    f"request had Authorization: Bearer {SECRETS['bearer']}",
    f"-----BEGIN PRIVATE KEY-----\n{KEY}\n-----END PRIVATE KEY-----",
    f"api_key:\n  {SECRETS['split']}",
)
TEXT = "\n".join(LINES)


def objects(now: datetime) -> Iterator[Object]:
    """One workload that crashes, its secrets in environment, arguments, annotations, status and Events."""
    yield node("node-1")
    app = container(
        "app",
        "registry.example/leaky:1",
        env={"DB_PASSWORD": SECRETS["password"], "DATABASE_URL": f"mysql://u:{SECRETS['dsn']}@db/x", "NOTES": TEXT},
        args=["--api-key", SECRETS["split"], f"--token={SECRETS['bearer']}"],
    )
    owner = deployment("leaky", "leaky", template=pod_template("leaky", [app], annotations={"note": TEXT}), available=0)
    generation = replica_set(owner, "6c9d", revision=1, replicas=2)
    yield from (owner, generation, service("leaky", "leaky"))
    yield config_map("leaky", "leaky", **{"application.properties": TEXT, "password": SECRETS["password"]})
    broken = pod("leaky-6c9d-00001", "leaky", owner=generation)
    died = terminated("Error", 1, format_instant(now - timedelta(minutes=3)))
    died["terminated"]["message"] = TEXT
    broken["status"]["containerStatuses"][0] |= {"ready": False, "restartCount": 7, "lastState": died}
    yield broken
    yield event(broken, "BackOff", f"Back-off restarting failed container: {TEXT}", at=format_instant(now))


def series(now: datetime) -> tuple[Series, ...]:
    """A metric with a secret in a label."""
    points = [(now.timestamp() - 30 * number, float(100 - number)) for number in range(100, -1, -1)]
    labels = {"namespace": "leaky", "service": "leaky", "token": SECRETS["bearer"], "route": f"/login?{LINES[1][4:]}"}
    return (Series.of("http_requests_total", {**labels, "code": "500"}, points),)


def alert(now: datetime) -> dict[str, object]:
    """Alertmanager's message, with secrets in labels, annotations and addresses."""
    labels = {"alertname": "Leaky", "namespace": "leaky", "service": "leaky", "api_key": SECRETS["split"]}
    one = {
        "status": "firing",
        "labels": labels,
        "annotations": {"summary": "leaky crashes", "description": TEXT, "password": SECRETS["password"]},
        "startsAt": format_instant(now - timedelta(minutes=5)),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": f"http://u:{SECRETS['dsn']}@prometheus/graph?g0.expr=http_requests_total",
        "fingerprint": "",
    }
    common = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "receiver": "r"}
    where = f"http://u:{SECRETS['dsn']}@alertmanager"
    key = f'{{}}:{{token="{SECRETS["bearer"]}"}}'
    return {"version": "4", "groupKey": key, "status": "firing", "alerts": [one], "externalURL": where, **common}


def change(now: datetime) -> dict[str, str]:
    """A commit that adds every secret."""
    when = format_instant(now - timedelta(minutes=8))
    return {"id": "c1", "time": when, "kind": "commit", "target": "leaky", "summary": LINES[1], "diff": f"+{TEXT}"}


async def main() -> None:
    """Serve until killed."""
    now = datetime.now(UTC).replace(microsecond=0)
    cluster = KubeApiServer(FakeCluster(list(objects(now))))
    for previous in (False, True):
        stamp = format_instant(now - timedelta(minutes=4))
        text = "".join(f"{stamp} {line}\n" for line in f"starting\n{TEXT}\nERROR given up".split("\n"))
        cluster.logs[LogSource("leaky", "leaky-6c9d-00001", "app", previous)] = text
    told = series(now)
    rule = {
        "name": "Leaky",
        "query": "http_requests_total > 0",
        "duration": 60,
        "annotations": {"d": TEXT},
        "labels": {},
    }
    metrics = SnapshotMetrics(lambda: told, lambda: now, rules=lambda: (rule,))
    async with cluster.running(), PrometheusServer(metrics).running() as prometheus:
        found = {
            "kubeconfig": cluster.kubeconfig(),
            "prometheus": prometheus.url,
            "alert": alert(now),
            "change": change(now),
        }
        print(json.dumps(found), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
