"""The snapshot's evaluator against a real Prometheus that holds the same samples: same questions, same answers.

Samples lie on whole seconds and questions are asked half a second later, because Prometheus 2 and 3 disagree about a
sample that lies exactly at the start of a range; and no range begins before the samples do, where they disagree about
how far a young counter is extrapolated.
"""

import io
import math
import random
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate, product
from pathlib import Path

import pytest

from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.snapshot_directory.openmetrics import parse_openmetrics
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Series
from agent_sre.ports.metrics import MetricsAnswer
from tests.e2e.processes import binary, free_port, running

START = int(datetime.now(UTC).timestamp()) // 3600 * 3600 - 7200
MINUTES = 60
APPS = ("cart", "web", "api")
BOUNDS = ("0.1", "0.5", "2.0", "+Inf")
EXPRESSIONS = (
    "requests_total",
    'requests_total{code=~"5..|404",app!="web"}',
    "rate(requests_total[5m])",
    "increase(requests_total[10m])",
    "irate(requests_total[3m])",
    "sum by (app) (rate(requests_total[5m]))",
    'sum(rate(requests_total{code="500"}[5m])) / sum(rate(requests_total[5m])) > 0.01',
    'sum by (app) (rate(requests_total{code="500"}[5m])) / on(app) sum by (app) (rate(requests_total[5m]))',
    'rate(requests_total{code="500"}[5m]) / ignoring(code) group_left sum without (code) (rate(requests_total[5m]))',
    "histogram_quantile(0.95, sum by (le, app) (rate(took_seconds_bucket[5m])))",
    "histogram_quantile(0.5, took_seconds_bucket)",
    "memory_bytes > 60 and on(app) rate(requests_total{code='200'}[5m]) > 1",
    "memory_bytes unless on(app) (memory_bytes > 60)",
    "memory_bytes > 60 or memory_bytes < 50",
    "memory_bytes > on(app) group_left limit_bytes * 0.6",
    "memory_bytes > bool 60",
    "limit_bytes - on(app) group_right(team) memory_bytes",
    "avg_over_time(memory_bytes[7m])",
    "max_over_time(memory_bytes[7m]) - min_over_time(memory_bytes[7m])",
    "delta(memory_bytes[10m])",
    "deriv(memory_bytes[10m])",
    "predict_linear(memory_bytes[10m], 3600)",
    "changes(memory_bytes[10m]) + resets(requests_total[30m])",
    "count_over_time(sparse[15m])",
    "last_over_time(sparse[15m])",
    "sparse",
    "sparse offset 4m",
    "absent(nothing{app='x'})",
    "absent(memory_bytes)",
    "topk(2, memory_bytes)",
    "quantile(0.4, memory_bytes)",
    "stddev(memory_bytes)",
    "max without (pod) (memory_bytes)",
    "count by (app) (memory_bytes)",
    "round(memory_bytes, 5) + ceil(sparse) + floor(sparse)",
    "clamp(memory_bytes, 45, 55)",
    "ln(memory_bytes) * sqrt(memory_bytes) ^ 2 % 7",
    "-memory_bytes + 2 ^ 3 ^ 0",
    "label_replace(memory_bytes, 'kind', '$1-x', 'pod', '(.*)-.*')",
    "scalar(sum(memory_bytes)) / 2",
    "vector(1) + 1",
    "1 / 0",
)


def samples() -> str:
    """Counters that reset, gauges that wander, a histogram, and a series with holes; always the same."""
    chance = random.Random(7)  # noqa: S311
    lines = ["# TYPE requests counter"]
    for app, code in product(APPS, ("200", "404", "500")):
        lines += rows(f'requests_total{{app="{app}",code="{code}"}}', resetting(chance, 500 if code == "200" else 9))
    lines += ["# TYPE memory_bytes gauge"]
    for app, pod in product(APPS, ("a-1", "b-2")):
        wander = (50 + 20 * math.sin(minute / 9) + chance.random() * 5 for minute in range(MINUTES))
        lines += rows(f'memory_bytes{{app="{app}",pod="{app}-{pod}"}}', wander)
    lines += ["# TYPE took_seconds histogram", *histograms(chance), "# TYPE limit_bytes gauge"]
    for app, minute in product(APPS, (15, 32, 47, 57)):
        lines.append(f'limit_bytes{{app="{app}",team="t"}} 100 {START + minute * 60}')
    lines += ["# TYPE sparse gauge"]
    lines += [f"sparse {minute / 2} {START + minute * 60}" for minute in (1, 3, 20, 41, 54, 55)]
    return "\n".join([*lines, "# EOF", ""])


def histograms(chance: random.Random) -> Iterator[str]:
    for app in APPS:
        counts = [0.0] * MINUTES
        for bound in BOUNDS:
            grown = accumulate(chance.randint(0, 20) for _ in range(MINUTES))
            counts = [below + more for below, more in zip(counts, grown, strict=True)]
            yield from rows(f'took_seconds_bucket{{app="{app}",le="{bound}"}}', counts)


def rows(selector: str, values: Iterable[float]) -> list[str]:
    return [f"{selector} {value} {START + minute * 60}" for minute, value in enumerate(values)]


def resetting(chance: random.Random, most: int) -> Iterator[float]:
    total = 0
    for _ in range(MINUTES):
        total = 0 if chance.random() < 0.03 else total + chance.randint(0, most)
        yield total


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    (folder / "metrics.om").write_text(samples())
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
    promtool = binary("promtool", "prometheus")
    command = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "metrics.om"), str(folder / "data")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    port = free_port()
    started = [binary("prometheus", "prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    started += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    base = f"http://127.0.0.1:{port}"
    with running(started, folder / "prometheus.log", f"{base}/-/ready"):
        yield base


@pytest.fixture
async def real(url: str) -> AsyncIterator[PrometheusMetrics]:
    reader = PrometheusMetrics(PrometheusOptions(url))
    yield reader
    await reader.close()


@pytest.fixture(scope="module")
def twin() -> SnapshotMetrics:
    series: tuple[Series, ...] = parse_openmetrics(io.BytesIO(samples().encode()), "metrics.om", START + 10**6).series
    return SnapshotMetrics(lambda: series, lambda: datetime.fromtimestamp(START + 10**6, UTC))


Points = dict[tuple[str, float], float]


def points(answer: MetricsAnswer) -> Points:
    """Every sample by its series and time."""
    return {
        (str(series), round(time, 2)): value
        for series in answer.series
        for time, value in zip(series.times, series.values, strict=True)
    }


@pytest.mark.parametrize("expression", EXPRESSIONS)
async def test_both_answer_the_same(expression: str, real: PrometheusMetrics, twin: SnapshotMetrics) -> None:
    moments = [datetime.fromtimestamp(START + minute * 60 + 0.5, UTC) for minute in (17, 33, 48, 59)]
    for at in moments:
        ours, theirs = points(await twin.query(expression, at)), points(await real.query(expression, at))
        assert ours == pytest.approx(theirs, nan_ok=True, rel=1e-6), f"{expression} at {at}"


@pytest.mark.parametrize("expression", [text for text in EXPRESSIONS if "topk" not in text])
async def test_both_answer_the_same_over_a_range(
    expression: str, real: PrometheusMetrics, twin: SnapshotMetrics
) -> None:
    end = datetime.fromtimestamp(START + (MINUTES - 1) * 60 + 0.5, UTC)
    window, step = Window(end - timedelta(minutes=30), end), timedelta(seconds=90)
    # "+ 0" and the like would change names; a plain selector gives raw samples here, which query() has compared.
    if expression in {"requests_total", "sparse"} or expression.startswith("requests_total{"):
        expression = f"({expression}) * 1"
    ours = points(await twin.query_range(expression, window, step))
    theirs = points(await real.query_range(expression, window, step))
    assert ours == pytest.approx(theirs, nan_ok=True, rel=1e-6)


async def test_both_know_the_same_names(real: PrometheusMetrics, twin: SnapshotMetrics) -> None:
    window = Window(datetime.fromtimestamp(START, UTC), datetime.fromtimestamp(START + 3600, UTC))
    assert await real.metric_names(window) == await twin.metric_names(window)
