"""What the doctor says of the webhooks."""

from pathlib import Path

from agent_sre.bootstrap.examination import examine
from agent_sre.ports.health import Check, CheckState
from agent_sre.settings import Settings


async def checks(folder: Path, **given: object) -> dict[str, Check]:
    quiet = {"data_dir": folder, "kubernetes": "off", "host": "0.0.0.0", "console_token": "t"}  # noqa: S104
    settings = Settings(_env_file=None, **{**quiet, **given})  # type: ignore[arg-type]
    return {check.subject: check for check in await examine(settings) if "webhook" in check.subject}


async def test_without_any_secret_all_alerts_are_refused(tmp_path: Path) -> None:
    found = await checks(tmp_path)
    assert found["webhooks"].state is CheckState.FAILED
    assert "AGENT_SRE_ALERTMANAGER_TOKEN" in found["webhooks"].fix
    assert found["closed webhooks"].detail.startswith("alertmanager, grafana, pagerduty")


async def test_each_webhook_that_is_open_has_a_line(tmp_path: Path) -> None:
    found = await checks(
        tmp_path,
        grafana_token="t",
        pagerduty_secret="s",
        google_token="t",
        route_keys={"google": "k"},
        insecure_sources="generic",
    )
    assert {subject: (check.state, check.detail) for subject, check in found.items() if "closed" not in subject} == {
        "webhook grafana": (CheckState.OK, "needs its secret"),
        "webhook pagerduty": (CheckState.OK, "needs a signature"),
        "webhook google": (CheckState.OK, "needs its secret and its key in the path"),
        "webhook generic": (CheckState.WARNING, "accepts anybody's messages, as configured"),
    }
    assert "grafana" not in found["closed webhooks"].detail
    assert "alertmanager" in found["closed webhooks"].detail


async def test_on_loopback_what_has_no_secret_is_open(tmp_path: Path) -> None:
    found = await checks(tmp_path, host="127.0.0.1", alertmanager_token="t")
    assert found["webhook alertmanager"].detail == "needs its secret"
    assert found["other webhooks"].state is CheckState.OK
    assert "pagerduty" in found["other webhooks"].detail
    assert "slack" not in found["other webhooks"].detail
    assert found["closed webhooks"].detail == "slack", "what is said in a chat is taken only where it is signed"


async def test_a_name_that_is_no_webhook_is_a_failed_check(tmp_path: Path) -> None:
    found = await checks(tmp_path, insecure_sources="alertmanger")
    assert found["webhooks"].state is CheckState.FAILED
    assert "alertmanger" in found["webhooks"].detail
