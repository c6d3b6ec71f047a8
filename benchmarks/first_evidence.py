"""How soon after an alert was acknowledged is there evidence: the first piece, and all of the first round.

The service is a real process, Prometheus a real server, the Kubernetes API a double in a process of its own, fifty
workloads in all. The clock starts when the webhook's 2xx has come in; what a back end answered counts when it is
committed to the database, where it is watched for through a connection of its own. One incident after the other.
"""

import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from agent_sre.bootstrap.database import DATABASE
from agent_sre.domain.instant import format_instant
from benchmarks.estate import NAMESPACE, WORKLOADS, name_of, samples
from benchmarks.figures import Figure
from tests.e2e.processes import ROOT, Running, agent_sre, binary, free_port, running, wait_for

INCIDENTS = 47
"""With the first three one for each workload: a second alert of one would join its incident."""
_SEEN = "select count(*) from observations where id not like 'alerts_received/%'"  # that one asks no back end
_GRAPH = "http://prometheus.example/graph?g0.expr=sum(rate(http_requests_total%5B5m%5D))%20%3E%201&g0.tab=1"


def first_evidence() -> list[Figure]:
    """Rows of ``make bench``."""
    first, whole = [], []
    with tempfile.TemporaryDirectory() as folder, _service(Path(folder)) as (url, database):
        for number in range(-3, INCIDENTS):  # the first ones load what is loaded once
            begun, ended = _one(url, database, number)
            if number >= 0:
                first.append(begun)
                whole.append(ended)
    first.sort()
    whole.sort()
    p50, p99 = first[len(first) // 2], first[int(len(first) * 0.99)]
    rounds = whole[len(whole) // 2]
    return [
        Figure("acknowledged to first evidence, p50", p50 * 1e3, "ms", goal="<= 25 ms", met=p50 <= 0.025),
        Figure("acknowledged to first evidence, p99", p99 * 1e3, "ms", goal="<= 100 ms", met=p99 <= 0.1),
        Figure(f"all first-round evidence, {WORKLOADS} workloads", rounds, "s", goal="<= 1.5 s", met=rounds <= 1.5),
        Figure("the same, slowest", whole[-1], "s"),
    ]


@contextmanager
def _service(place: Path) -> Iterator[tuple[str, sqlite3.Connection]]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with _prometheus(place) as prometheus, _cluster(place) as kubeconfig:
        settings = {
            "AGENT_SRE_PORT": str(port),
            "AGENT_SRE_DATA_DIR": str(place / "data"),
            "AGENT_SRE_PROMETHEUS_URL": prometheus,
            "AGENT_SRE_KUBERNETES": "kubeconfig",
            "AGENT_SRE_KUBECONFIG": str(kubeconfig),
            "AGENT_SRE_STORM_INCIDENTS": "1000",  # so many in one namespace would be gathered as a storm
        }
        with running(agent_sre("serve"), place / "serve.log", url + "/readyz", env=settings, cwd=place):
            database = sqlite3.connect(f"file:{place / 'data' / DATABASE}?mode=ro", uri=True, isolation_level=None)
            try:
                yield url, database
            finally:
                database.close()


def _one(url: str, database: sqlite3.Connection, number: int) -> tuple[float, float]:
    """Seconds from the acknowledgement to the first and to the last observation of the incident's first round."""
    time.sleep(0.5)  # what follows the verdict of the incident before
    (known,) = database.execute(_SEEN).fetchone()
    (verdicts,) = database.execute("select count(*) from verdicts").fetchone()
    httpx.post(f"{url}/webhooks/alertmanager", json=_payload(number), trust_env=False).raise_for_status()
    started = time.perf_counter()
    first = last = 0.0
    seen = known
    while time.perf_counter() - started < 60:
        (count,) = database.execute(_SEEN).fetchone()
        now = time.perf_counter() - started
        if count > seen:
            first, last, seen = first or now, now, count
        if database.execute("select count(*) from verdicts").fetchone()[0] > verdicts:
            return first, last
        time.sleep(0.0005)
    raise AssertionError("no verdict within 60 s")


def _payload(number: int) -> dict[str, Any]:
    labels = {"alertname": f"TooManyErrors{number}", "namespace": NAMESPACE, "service": name_of(number)}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": format_instant(datetime.now(UTC))}
    alert |= {"endsAt": "0001-01-01T00:00:00Z", "generatorURL": _GRAPH, "fingerprint": ""}
    common = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "receiver": "bench"}
    key = f"bench-{number}"
    return {"version": "4", "groupKey": key, "status": "firing", "truncatedAlerts": 0, "alerts": [alert], **common}


@contextmanager
def _prometheus(place: Path) -> Iterator[str]:
    (place / "metrics.om").write_text(samples())
    (place / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    promtool = binary("promtool", "prometheus")
    blocks = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(place / "metrics.om"), str(place / "tsdb")]
    subprocess.run(blocks, capture_output=True, check=True)
    port = free_port()
    command = [binary("prometheus", "prometheus"), f"--config.file={place / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={place / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with running(command, place / "prometheus.log", f"{url}/-/ready"):
        yield url


@contextmanager
def _cluster(place: Path) -> Iterator[Path]:
    log, config = place / "cluster.log", place / "kubeconfig"
    process = Running([sys.executable, "-m", "benchmarks.estate"], log, cwd=ROOT)
    try:
        line = wait_for(
            "the cluster", lambda: next((row for row in log.read_text().splitlines() if row[:1] == "{"), "")
        )
        config.write_text(json.loads(line)["kubeconfig"])
        yield config
    finally:
        process.kill()


def _is_json(line: str) -> bool:
    return line.startswith("{")


if __name__ == "__main__":
    for figure in first_evidence():
        print(figure.row())
