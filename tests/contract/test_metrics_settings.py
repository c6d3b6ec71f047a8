"""From settings to stores of metrics: how many there are, who they log in as, and that no secret is ever shown."""

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from agent_sre.adapters.metrics_merged import MergedMetrics
from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.bootstrap.metrics import metrics_probes, open_metrics
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.health import CheckState
from agent_sre.settings import Settings, load_settings
from agent_sre.testing.prometheus_server import PrometheusServer
from tests.contract.telemetry_values import NOW, SERIES

THANOS = {"name": "thanos", "url": "http://127.0.0.1:9", "token": "t0p-secret", "headers": {"X-Key": "h1dden"}}


def settings(*instances: dict[str, Any], **fields: Any) -> Settings:
    return Settings(_env_file=None, prometheus_instances=instances, **fields)


def test_none_is_opened_where_none_is_named() -> None:
    assert open_metrics(settings()) is None
    assert metrics_probes(settings()) == []


async def test_one_is_read_as_it_is_and_several_as_one() -> None:
    alone, both = open_metrics(settings(THANOS)), open_metrics(settings(THANOS, prometheus_url="http://127.0.0.1:9"))
    assert alone is not None
    assert both is not None
    assert isinstance(alone.reader, PrometheusMetrics)
    assert isinstance(both.reader, MergedMetrics)
    with pytest.raises(TemporaryError, match=r"(?s)'main' is missing.*'thanos' is missing") as caught:
        await both.reader.query("up", NOW)
    assert "t0p-secret" not in str(caught.value)
    await both.close()


def test_a_name_is_taken_once() -> None:
    with pytest.raises(PermanentError, match="'thanos' twice"):
        open_metrics(settings(THANOS, THANOS))
    with pytest.raises(PermanentError, match="'thanos' twice"):
        open_metrics(settings(THANOS, prometheus_url="http://x", prometheus_name="thanos"))


@pytest.mark.parametrize(
    "value",
    [
        '[{"nam": "x", "url": "h", "token": "t0p-secret"}]',
        '[{"name": "x y", "url": "h", "token": "t0p-secret"}]',
        '[{"name": "x", "url": "h", "token": ["t0p-secret"]}]',
        '{"name": "x", "token": "t0p-secret"}',
        '["t0p-secret"]',
        '[{"t0p-secret',
    ],
)
def test_what_is_wrong_is_named_without_its_value(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AGENT_SRE_PROMETHEUS_INSTANCES", value)
    with pytest.raises(PermanentError, match="AGENT_SRE_PROMETHEUS_INSTANCES") as caught:
        load_settings()
    assert "t0p-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_of_instances_are_not_shown() -> None:
    given = settings({**THANOS, "password": "pa55word"})
    assert not [secret for secret in ("t0p-secret", "pa55word", "h1dden") if secret in repr(given)]


async def test_the_doctor_names_each_instance() -> None:
    given = settings(THANOS, prometheus_url="http://127.0.0.1:9")
    checks = [check for probe in metrics_probes(given) for check in await probe.check()]
    assert [check.subject for check in checks] == ["metrics main (Prometheus)", "metrics thanos (Prometheus)"]
    assert all(check.state is CheckState.FAILED for check in checks)
    assert "AGENT_SRE_PROMETHEUS_INSTANCES[thanos]_URL" in checks[1].fix


async def test_a_token_file_is_read_for_every_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    async with PrometheusServer(SnapshotMetrics(lambda: SERIES, lambda: NOW)).running() as server:
        reader = PrometheusMetrics(PrometheusOptions(server.url, bearer_file=str(file)))
        with pytest.raises(PermanentError, match=r"AGENT_SRE_PROMETHEUS_TOKEN_FILE=.*cannot be read"):
            await reader.query("queue_depth", NOW)
        for token in ("first", "second"):
            file.write_text(token + "\n")
            await reader.query("queue_depth", NOW)
        file.write_text("two\nlines")
        with pytest.raises(PermanentError, match="holds no token of one line") as caught:
            await reader.query("queue_depth", NOW)
        await reader.close()
    assert "lines" not in str(caught.value).replace("of one line", "")
    assert [request.headers["Authorization"] for request in server.requests] == ["Bearer first", "Bearer second"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An authority, a server's certificate for 127.0.0.1, and a client's."""
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(*new, "-x509", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("server", "client"):
        openssl(*new, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    yield folder


@asynccontextmanager
async def demanding(certificates: Path) -> Any:
    """A Prometheus behind TLS that lets in who shows a certificate of the authority."""
    behind = PrometheusServer(SnapshotMetrics(lambda: SERIES, lambda: NOW))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", behind.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=certificates / "ca.pem")
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.verify_mode = ssl.CERT_REQUIRED
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        await asyncio.sleep(0.05)  # the transports' own closing


async def test_a_client_certificate_is_shown_where_the_server_asks_for_one(certificates: Path) -> None:
    trust = str(certificates / "ca.pem")
    own = {"cert_file": str(certificates / "client.pem"), "key_file": str(certificates / "client.key")}
    async with demanding(certificates) as url:
        reader = PrometheusMetrics(PrometheusOptions(url, ca_file=trust, **own))  # type: ignore[arg-type]
        assert (await reader.query("queue_depth", NOW)).series[0].values[0] == 120.0
        await reader.close()
        for options in (PrometheusOptions(url, ca_file=trust, timeout_seconds=1), PrometheusOptions(url, **own)):  # type: ignore[arg-type]
            reader = PrometheusMetrics(options)
            with pytest.raises(TemporaryError, match="cannot be reached"):
                await reader.query("queue_depth", NOW)
            await reader.close()


async def test_a_certificate_that_cannot_be_used_names_its_settings(tmp_path: Path) -> None:
    options = PrometheusOptions("https://127.0.0.1:9", cert_file=str(tmp_path / "none.pem"))
    with pytest.raises(PermanentError, match=r"AGENT_SRE_PROMETHEUS_CERT_FILE='.*none.pem'"):
        await PrometheusMetrics(options).query("up", NOW)
