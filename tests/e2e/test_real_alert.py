"""The whole path on real input: a process fails, Prometheus sees it, Alertmanager posts it, agent_sre explains it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agent_sre.domain.alert import fingerprint_of
from tests.e2e.processes import ROOT, agent_sre, binary, free_port, running, wait_for

TOKEN = "e2e-alertmanager-token"

PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{shop}"]}}]
"""

RULES = """
groups:
  - name: shop
    rules:
      - alert: CheckoutErrorRateHigh
        expr: |
          sum by (namespace, service) (rate(http_requests_total{code=~"5.."}[8s]))
            / sum by (namespace, service) (rate(http_requests_total[8s])) > 0.1
        for: 2s
        labels: {severity: critical}
        annotations: {summary: "More than 10 % of checkout's requests fail."}
"""

ALERTMANAGER = """
route: {{receiver: agent-sre, group_by: [alertname, namespace, service], group_wait: 1s, group_interval: 2s}}
receivers:
  - name: agent-sre
    webhook_configs:
      - url: http://127.0.0.1:{agent}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: {token}}}}}
"""


@dataclass(frozen=True)
class World:
    shop: str
    agent: str
    alertmanager: str
    prometheus: str


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    import sys

    ports = {name: free_port() for name in ("shop", "prometheus", "alertmanager", "agent")}
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS.format(**ports))
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ALERTMANAGER.format(token=TOKEN, **ports))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    shop = [sys.executable, str(ROOT / "tests/e2e/shop_process.py"), str(ports["shop"])]
    prometheus = [
        binary("prometheus", "prometheus"),
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
    ]
    alertmanager = [
        binary("prometheus-alertmanager", "prometheus-alertmanager"),
        f"--config.file={tmp_path}/alertmanager.yml",
        f"--storage.path={tmp_path}/alertmanager",
        f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
        "--cluster.listen-address=",
    ]
    settings = {
        "AGENT_SRE_PORT": str(ports["agent"]),
        "AGENT_SRE_DATA_DIR": str(tmp_path / "data"),
        "AGENT_SRE_PROMETHEUS_URL": urls["prometheus"],
        "AGENT_SRE_KUBERNETES": "off",
        "AGENT_SRE_ALERTMANAGER_TOKEN": TOKEN,
    }
    with (
        running(shop, tmp_path / "shop.log", urls["shop"] + "/metrics"),
        running(agent_sre("serve"), tmp_path / "agent.log", urls["agent"] + "/readyz", env=settings, cwd=tmp_path),
        running(alertmanager, tmp_path / "alertmanager.log", urls["alertmanager"] + "/-/ready"),
        running(prometheus, tmp_path / "prometheus.log", urls["prometheus"] + "/-/ready"),
    ):
        yield World(**{name: urls[name] for name in ("shop", "agent", "alertmanager", "prometheus")})


@pytest.mark.timeout(180)
def test_a_real_alert_reaches_a_hypothesis_on_the_real_series_and_resolves(world: World) -> None:
    def incidents() -> list[dict[str, object]]:
        found: list[dict[str, object]] = httpx.get(world.agent + "/api/incidents").json()["incidents"]
        return found

    def scraped() -> bool:
        answer = httpx.get(world.prometheus + "/api/v1/query", params={"query": "count_over_time(up[1m])"}).json()
        return any(float(item["value"][1]) >= 12 for item in answer["data"]["result"])

    wait_for("a dozen healthy scrapes", scraped)
    assert incidents() == []
    httpx.get(world.shop + "/break")
    incident_id = str(wait_for("the incident", incidents, 60)[0]["id"])

    def investigated() -> dict[str, object] | None:
        found: dict[str, object] = httpx.get(f"{world.agent}/api/incidents/{incident_id}").json()
        return found if found.get("answer") and found["answer"]["hypotheses"] else None  # type: ignore[index]

    found = wait_for("a hypothesis", investigated, 60)
    answer = found["answer"]
    assert isinstance(answer, dict)
    leading = answer["hypotheses"][0]
    cited = [answer["evidence"][item] for item in leading["evidence"]]
    assert any(item["source"] == "metrics" and "http_requests_total" in item["excerpt"] for item in cited), json.dumps(
        answer, indent=1
    )
    assert leading["object"]["name"] == "checkout"
    alerts = httpx.get(world.alertmanager + "/api/v2/alerts").json()
    assert [item["fingerprint"] for item in alerts] == [fingerprint_of(item["labels"]) for item in alerts]

    httpx.get(world.shop + "/mend")

    def resolved() -> bool:
        return httpx.get(f"{world.agent}/api/incidents/{incident_id}").json()["status"] == "resolved"

    wait_for("the incident to resolve", resolved, 60)
    assert len(incidents()) == 1
