"""``make bench``: cold start, memory, acknowledgement latency and time to hypothesis of the service as users run it.

Everything is measured on real processes over real sockets. The acknowledgement is durable on our side (committed to
disk before the 2xx); Alertmanager, the peer, keeps alerts in memory.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from agent_sre.domain.instant import format_instant, parse_instant
from benchmarks.figures import Figure, report
from benchmarks.first_evidence import first_evidence
from tests.e2e.processes import ROOT, Running, agent_sre, binary, free_port, running, wait_for

POSTS = 300


def main() -> None:
    """Measure and report."""
    figures = [*_help(), *_service(), *_hypothesis(), *first_evidence()]
    report("bench", figures, "make bench")


def _best(measure: Callable[[], float], times: int = 5) -> float:
    return min(measure() for _ in range(times))


def _help() -> list[Figure]:
    # resource.getrusage of the child tells its peak memory without a helper program.
    probe = (
        "import resource,subprocess,sys,time;t=time.perf_counter();"
        "subprocess.run([sys.executable,*sys.argv[1:]],stdout=subprocess.DEVNULL,check=True);"
        "print(time.perf_counter()-t,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss/1024)"
    )

    def run(*arguments: str) -> tuple[float, float]:
        done = subprocess.run(
            [sys.executable, "-c", probe, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
        )
        seconds, megabytes = done.stdout.split()
        return float(seconds), float(megabytes)

    runs = [run("-m", "agent_sre", "--help") for _ in range(5)]
    bare = _best(lambda: run("-c", "pass")[0])
    seconds, megabytes = min(item[0] for item in runs), max(item[1] for item in runs)
    return [
        Figure("agent-sre --help", seconds, "s", "python -c pass", bare, "< 0.5 s", seconds < 0.5),
        Figure("agent-sre --help, peak memory", megabytes, "MB", goal="< 60 MB", met=megabytes < 60),
    ]


def _payload(number: int) -> dict[str, object]:
    labels = {"alertname": "BenchmarkAlert", "namespace": "bench", "severity": "info", "instance": f"i{number}"}
    alert = {"status": "firing", "labels": labels, "annotations": {}, "startsAt": format_instant(datetime.now(UTC))}
    alert |= {"endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": ""}
    common = {"groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "receiver": "bench"}
    return {"version": "4", "groupKey": "bench", "status": "firing", "truncatedAlerts": 0, "alerts": [alert], **common}


def _latencies(url: str, body: Callable[[int], object]) -> list[float]:
    seconds = []
    with httpx.Client(trust_env=False, timeout=10) as client:
        for number in range(POSTS):
            started = time.perf_counter()
            client.post(url, json=body(number)).raise_for_status()
            seconds.append(time.perf_counter() - started)
    return sorted(seconds)


def _service() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        settings = {
            "AGENT_SRE_PORT": str(port),
            "AGENT_SRE_DATA_DIR": str(place / "data"),
            "AGENT_SRE_KUBERNETES": "off",
        }
        url = f"http://127.0.0.1:{port}"
        started = time.perf_counter()
        with running(agent_sre("serve"), place / "serve.log", url + "/readyz", env=settings, cwd=place) as service:
            ready = time.perf_counter() - started
            # The graph loads after the server is up; what follows is the steady state, a first investigation behind it.
            httpx.post(url + "/webhooks/alertmanager", json=_payload(-1)).raise_for_status()
            wait_for("the first investigation", lambda: _investigated(url), 60)
            ours = _latencies(url + "/webhooks/alertmanager", _payload)
            time.sleep(2)
            memory = _rss(service)
        theirs = _alertmanager(place)
    p50, p99 = _quantile(ours, 0.5), _quantile(ours, 0.99)
    return [
        Figure("serve, start to ready", ready, "s", goal="< 3 s", met=ready < 3),
        Figure(f"serve, memory after {POSTS} alerts", memory, "MB"),
        Figure("acknowledgement p50 (durable)", p50 * 1e3, "ms", "Alertmanager (memory)", _quantile(theirs, 0.5) * 1e3),
        Figure(
            "acknowledgement p99 (durable)",
            p99 * 1e3,
            "ms",
            "Alertmanager (memory)",
            _quantile(theirs, 0.99) * 1e3,
            "< 50 ms",
            p99 < 0.05,
        ),
    ]


def _alertmanager(place: Path) -> list[float]:
    port = free_port()
    (place / "alertmanager.yml").write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    command = [
        binary("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={place}/alertmanager.yml",
        f"--storage.path={place}/alertmanager",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"

    def body(number: int) -> object:
        return [{"labels": {"alertname": "BenchmarkAlert", "instance": f"i{number}"}}]

    with running(command, place / "alertmanager.log", url + "/-/ready"):
        return _latencies(url + "/api/v2/alerts", body)


def _hypothesis() -> list[Figure]:
    """From the demo's alert being accepted to its verdict being readable over HTTP."""
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        url = f"http://127.0.0.1:{port}"
        started = time.perf_counter()
        with running(agent_sre("demo", "--port", str(port)), place / "demo.log", url + "/readyz", cwd=place):
            up = time.perf_counter() - started
            answer = wait_for("the demo's verdict", lambda: _verdict(url), 60)
    return [
        Figure("demo, start to console", up, "s", goal="< 3 s", met=up < 3),
        Figure("alert accepted to hypothesis", answer, "s"),
    ]


def _investigated(url: str) -> bool:
    return any(row["status"] == "escalated" for row in httpx.get(url + "/api/incidents").json()["incidents"])


def _verdict(url: str) -> float | None:
    """Seconds from the alert's arrival to the verdict, by the service's own records."""
    for row in httpx.get(url + "/api/incidents", timeout=5).json()["incidents"]:
        found = httpx.get(f"{url}/api/incidents/{row['id']}", timeout=5).json()
        said = [item["time"] for item in found["timeline"] if item["text"].startswith("Most likely")]
        if said:
            return (parse_instant(said[0]) - parse_instant(found["opened_at"])).total_seconds()
    return None


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _rss(service: Running) -> float:
    status = Path(f"/proc/{service.child.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


if __name__ == "__main__":
    main()
