"""From settings to a store of traces: what is opened, what is refused with the setting's name, what the doctor says."""

from typing import Any

import pytest

from agent_sre.bootstrap.trace_store import open_trace_store, trace_store_probe
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.trace_search import TraceSearch
from agent_sre.ports.health import CheckState
from agent_sre.settings import Settings
from agent_sre.testing.jaeger_server import JaegerServer
from agent_sre.testing.tempo_server import TempoServer
from tests.contract.trace_values import WINDOW, spans


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **{f"traces_{name}": value for name, value in fields.items()})


def test_none_is_opened_where_none_is_named() -> None:
    assert open_trace_store(settings()) is None
    assert trace_store_probe(settings()) is None


@pytest.mark.parametrize("backend", ["jaeger", "tempo"])
def test_what_cannot_be_opened_names_its_setting(backend: str) -> None:
    with pytest.raises(PermanentError, match=f"AGENT_SRE_TRACES_BACKEND={backend} but AGENT_SRE_TRACES_URL is empty"):
        open_trace_store(settings(backend=backend))


@pytest.mark.parametrize("backend", ["jaeger", "tempo"])
async def test_the_doctor_says_that_a_store_is_down(backend: str) -> None:
    probe = trace_store_probe(settings(backend=backend, url="http://127.0.0.1:9"))
    assert probe is not None
    (check,) = await probe.check()
    assert check.state is CheckState.FAILED
    assert "cannot be reached" in check.detail
    assert "AGENT_SRE_TRACES_URL" in check.fix


@pytest.mark.parametrize(("backend", "server"), [("jaeger", JaegerServer(spans())), ("tempo", TempoServer(spans()))])
async def test_tenant_login_and_headers_of_the_settings_are_sent(
    backend: str, server: JaegerServer | TempoServer
) -> None:
    server.tenants = frozenset({"team"})
    async with server.http.running():
        given = {"url": server.http.url, "tenant": "team", "token": "t0ken", "headers": {"X-Via": "agent"}}
        store = open_trace_store(settings(backend=backend, **given))
        assert store is not None
        assert (await store.search(TraceSearch(WINDOW, service="basket", errors=True), 100)).spans
        await store.close()
        headers = server.http.requests[0].headers
        assert (headers["Authorization"], headers["X-Via"]) == ("Bearer t0ken", "agent")


async def test_the_login_of_the_settings_is_not_in_errors() -> None:
    store = open_trace_store(settings(backend="tempo", url="http://127.0.0.1:9", token="t0ken"))
    assert store is not None
    with pytest.raises(Exception, match="cannot be reached") as caught:
        await store.search(TraceSearch(WINDOW), 10)
    assert "t0ken" not in str(caught.value)
    await store.close()
