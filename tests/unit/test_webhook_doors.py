"""What the settings ask of each webhook: closed until there is something to prove, and wrong names are named."""

import pytest
from starlette.requests import Request

from agent_sre.bootstrap.webhook_doors import NAMES, doors
from agent_sre.domain.errors import PermanentError
from agent_sre.entrypoints.webhook_auth import Admission
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.settings import Settings
from agent_sre.testing.clock import FrozenClock

TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
ANYWHERE = {"host": "0.0.0.0"}  # noqa: S104
SIGNED = {"pagerduty": "pagerduty_secret", "sentry": "sentry_secret"}


def door(name: str, **given: object) -> Door:
    return doors(Settings(_env_file=None, **{**ANYWHERE, **given}), FrozenClock())[name]  # type: ignore[arg-type]


def request(key: str = "", client: str = "192.0.2.7", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    params = {"key": key} if key else {}
    return Request({"type": "http", "headers": raw, "client": (client, 1), "path_params": params})


@pytest.mark.parametrize("name", NAMES)
def test_every_webhook_is_closed_until_something_is_configured(name: str) -> None:
    assert door(name).closed
    assert door(name).judge(request(authorization="Bearer ")) is Admission.UNCONFIGURED
    assert door(name).setting.removeprefix("AGENT_SRE_").lower() in Settings.model_fields
    if name == "slack":
        return  # there is no unsigned Slack, wherever it is listened for
    opened = door(name, insecure_sources=name)
    assert opened.judge(request()) is Admission.ADMITTED
    assert opened.judge(request(origin="https://evil.example")) is Admission.BROWSER
    assert door(name, host="127.0.0.1").judge(request()) is Admission.ADMITTED


@pytest.mark.parametrize("name", sorted(set(NAMES) - {*SIGNED, "cloudwatch", "slack"}))
def test_a_token_opens_its_own_webhook_only(name: str) -> None:
    mine = door(name, **{f"{name}_token": "correct-horse"})
    assert mine.judge(request(authorization="Bearer correct-horse")) is Admission.ADMITTED
    assert mine.judge(request(authorization="Bearer wrong")) is Admission.WRONG
    other = "generic" if name != "generic" else "azure"
    assert door(other, **{f"{name}_token": "correct-horse"}).closed


@pytest.mark.parametrize(("name", "setting"), SIGNED.items())
async def test_a_source_that_signs_is_judged_by_its_signature(name: str, setting: str) -> None:
    mine = door(name, **{setting: "s"})
    assert mine.judge(request()) is Admission.ADMITTED
    assert await mine.judge_body(request().headers, b"{}") is Admission.UNSIGNED
    # A key in the path does not stand in for the signature, and no key is no proof.
    assert door(name, route_keys={name: "key"}).closed
    assert door(name, route_keys={name: "key"}).judge(request(key="key")) is Admission.UNCONFIGURED


async def test_slack_is_closed_without_its_secret_whoever_asks_and_needs_a_workspace() -> None:
    for given in ({"host": "127.0.0.1"}, {"route_keys": {"slack": "key"}}):
        assert door("slack", **given).closed
        assert (
            door("slack", **given).judge(request(key="key" if "route_keys" in given else "")) is not Admission.ADMITTED
        )
    with pytest.raises(PermanentError, match="AGENT_SRE_SLACK_TEAMS is empty"):
        door("slack", slack_secret="s")
    mine = door("slack", slack_secret="s", slack_teams="T0SHOP")
    assert mine.judge(request()) is Admission.ADMITTED
    assert await mine.judge_body(request().headers, b"{}") is Admission.UNSIGNED


async def test_grafana_signs_where_that_is_configured_and_has_a_token_else() -> None:
    both = door("grafana", grafana_secret="s", grafana_token="t")
    assert both.judge(request()) is Admission.ADMITTED
    assert await both.judge_body(request(authorization="Bearer t").headers, b"{}") is Admission.UNSIGNED
    assert door("grafana", grafana_token="t").judge(request()) is Admission.MISSING


async def test_cloudwatch_is_opened_by_its_topics() -> None:
    mine = door("cloudwatch", cloudwatch_topics=TOPIC)
    assert mine.judge(request()) is Admission.ADMITTED
    assert await mine.judge_body(request().headers, b"{}") is Admission.FORGED
    with pytest.raises(PermanentError, match="AGENT_SRE_CLOUDWATCH_TOPICS"):
        door("cloudwatch", cloudwatch_topics="alarms")


def test_a_key_in_the_path_is_needed_where_one_is_configured() -> None:
    alone = door("google", route_keys={"google": "key-in-path"})
    assert alone.judge(request(key="key-in-path")) is Admission.ADMITTED
    assert alone.judge(request(key="key-in-path", authorization="Bearer x")) is Admission.ADMITTED
    assert alone.judge(request()) is Admission.ROUTE
    assert alone.judge(request(key="key-in-pat")) is Admission.ROUTE
    both = door("google", route_keys={"google": "k"}, google_token="t")
    assert both.judge(request(key="k")) is Admission.MISSING
    assert both.judge(request(key="k", authorization="Bearer t")) is Admission.ADMITTED
    assert door("google", google_token="t").judge(request(key="k", authorization="Bearer t")) is Admission.ROUTE


@pytest.mark.parametrize(
    ("client", "admitted"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("testclient", False),
    ],
)
def test_a_source_may_be_held_to_its_networks(client: str, admitted: bool) -> None:
    networks = {"generic": "10.0.0.0/8, 2001:db8::/32"}
    judged = door("generic", generic_token="t", source_networks=networks).judge(
        request(client=client, authorization="Bearer t")
    )
    assert judged is (Admission.ADMITTED if admitted else Admission.NETWORK)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"insecure_sources": "alertmanger"}, "AGENT_SRE_INSECURE_SOURCES names 'alertmanger'"),
        ({"insecure_sources": "slack"}, "never taken unsigned; set AGENT_SRE_SLACK_SECRET"),
        ({"route_keys": {"teams": "k"}}, "AGENT_SRE_ROUTE_KEYS names 'teams'"),
        ({"source_networks": {"x": "10.0.0.0/8"}}, "AGENT_SRE_SOURCE_NETWORKS names 'x'"),
        ({"source_networks": {"generic": "10.0.0.1/8"}}, "AGENT_SRE_SOURCE_NETWORKS of generic"),
    ],
)
def test_what_names_no_webhook_or_network_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(PermanentError) as caught:
        door("generic", **given)
    assert says in str(caught.value)
