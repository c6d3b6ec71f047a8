"""From settings to a log store: what is opened, what is refused with the setting's name, what the doctor says."""

from typing import Any

import pytest

from agent_sre.bootstrap.log_store import log_store_probe, open_log_store
from agent_sre.domain.errors import PermanentError
from agent_sre.ports.health import CheckState
from agent_sre.settings import Settings
from tests.contract.log_values import AILING, WINDOW


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **{f"logs_{name}": value for name, value in fields.items()})


def test_none_is_opened_where_none_is_named() -> None:
    assert open_log_store(settings()) is None
    assert log_store_probe(settings()) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"backend": "victorialogs"}, "AGENT_SRE_LOGS_URL is empty"),
        ({"backend": "victorialogs", "url": "http://x", "tenant": "team"}, "AGENT_SRE_LOGS_TENANT='team'"),
        ({"backend": "opensearch"}, "AGENT_SRE_LOGS_URL is empty"),
        ({"backend": "loki"}, "AGENT_SRE_LOGS_URL is empty"),
        ({"backend": "loki", "url": "http://x", "fields": {"pod": "k8s.pod"}}, "AGENT_SRE_LOGS_FIELDS: 'k8s.pod'"),
        ({"backend": "victorialogs", "url": "http://x", "fields": {"podd": "p"}}, "AGENT_SRE_LOGS_FIELDS has podd"),
    ],
)
def test_what_cannot_be_opened_names_its_setting(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PermanentError, match=message):
        open_log_store(settings(**fields))


@pytest.mark.parametrize("backend", ["victorialogs", "loki", "elasticsearch", "opensearch"])
async def test_the_doctor_says_that_a_store_is_down(backend: str) -> None:
    probe = log_store_probe(settings(backend=backend, url="http://127.0.0.1:9"))
    assert probe is not None
    (check,) = await probe.check()
    assert check.state is CheckState.FAILED
    assert "cannot be reached" in check.detail
    assert "AGENT_SRE_LOGS_URL" in check.fix


async def test_the_login_of_the_settings_is_not_in_errors() -> None:
    store = open_log_store(settings(backend="victorialogs", url="http://127.0.0.1:9", token="t0ken"))
    assert store is not None
    with pytest.raises(Exception, match="cannot be reached") as caught:
        await store.read(AILING, WINDOW, 10)
    assert "t0ken" not in str(caught.value)
    await store.close()
