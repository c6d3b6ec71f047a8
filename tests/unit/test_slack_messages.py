"""Alert messages in Slack: what they are about, whatever app posted them, once (faults, rows 14 and 16)."""

import copy
from typing import Any

import pytest

from agent_sre.domain.alert import Alert, AlertStatus, Severity
from agent_sre.ingest import slack_message
from agent_sre.ingest.payload import PayloadError
from tests.unit.alerts import NOON
from tests.unit.recorded_payloads import document

CHANNEL = "C0ALERTS"


def read(shape: str) -> tuple[Alert, ...]:
    return slack_message.parse(document("slack", shape), NOON).alerts


def one(payload: Any) -> Alert:
    (alert,) = slack_message.parse(payload, NOON).alerts
    return alert


def said(text: str, **changes: Any) -> dict[str, Any]:
    payload: dict[str, Any] = copy.deepcopy(document("slack", "text_firing"))
    payload["event"].pop("blocks")
    payload["event"] |= {"text": text, **changes}
    return payload


@pytest.mark.parametrize(
    ("shape", "name", "labels"),
    [
        ("firing", "HighErrorRate shop checkout", {}),
        ("grafana_firing", "HighErrorRate", {"namespace": "shop", "service": "checkout"}),
        ("datadog_firing", "CPU is high", {"host": "web-1", "instance": "web-1", "namespace": "shop"}),
        ("pagerduty_firing", "Checkout fails", {}),
        ("cloudwatch_firing", "checkout-5xx", {"region": "eu-west-1", "account": "123456789012"}),
        ("text_firing", "Backup failed & nobody knows", {}),
    ],
)
def test_it_is_named_and_labelled_by_what_the_message_says(shape: str, name: str, labels: dict[str, str]) -> None:
    (alert,) = read(shape)
    assert alert.name == name
    assert labels.items() <= alert.labels.items()
    assert alert.labels["slack_channel"] == CHANNEL


def test_a_message_of_grafana_holds_each_alert_with_its_own_state() -> None:
    first, second = read("grafana_mixed")
    assert (first.labels["service"], first.status) == ("checkout", AlertStatus.FIRING)
    assert (second.labels["service"], second.status) == ("cart", AlertStatus.RESOLVED)
    assert first.message_id != second.message_id


def test_an_edited_message_ends_the_alert_at_the_moment_of_the_edit() -> None:
    (alert,) = read("pagerduty_resolved")
    (fired,) = read("pagerduty_firing")
    assert (alert.status, alert.fingerprint) == (AlertStatus.RESOLVED, fired.fingerprint)
    assert alert.overrides(fired)
    assert alert.message_id != fired.message_id


def test_a_message_that_is_delivered_again_is_the_same_message() -> None:
    again = document("slack", "firing")
    again["event_id"] = "Ev9999999"  # another subscription of the same app
    assert one(again).message_id == one(document("slack", "firing")).message_id
    again["event"]["ts"] = "1767614280.000201"
    assert one(again).message_id != one(document("slack", "firing")).message_id


def test_an_edit_that_changes_nothing_is_a_repeat_of_the_same_start() -> None:
    changed = document("slack", "pagerduty_resolved")
    changed["event"]["message"] |= {"attachments": changed["event"]["previous_message"]["attachments"]}
    before, after = read("pagerduty_firing")[0], one(changed)
    assert (after.starts_at, after.status, after.fingerprint) == (before.starts_at, before.status, before.fingerprint)


@pytest.mark.parametrize("state", ["Acknowledged", "Triggered"])
def test_an_acknowledgement_in_pagerduty_is_no_end(state: str) -> None:
    payload = document("slack", "pagerduty_firing")
    block = payload["event"]["attachments"][0]["blocks"][0]["text"]
    block["text"] = block["text"].replace("Triggered", state)
    assert (one(payload).status, one(payload).fingerprint) == (
        AlertStatus.FIRING,
        read("pagerduty_firing")[0].fingerprint,
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("[FIRING:1] A", AlertStatus.FIRING),
        ("[FIRING] A", AlertStatus.FIRING),
        ("*[FIRING:12]* A", AlertStatus.FIRING),
        (":fire: [FIRING:1, RESOLVED:2] A", AlertStatus.FIRING),
        ("[Alerting] A", AlertStatus.FIRING),
        ("[No Data] A", AlertStatus.FIRING),
        ("[RESOLVED] A", AlertStatus.RESOLVED),
        ("[RESOLVED:3] A (b c)", AlertStatus.RESOLVED),
        ("[OK] A", AlertStatus.RESOLVED),
        ("<http://am.example|[FIRING:1] A>", AlertStatus.FIRING),
    ],
)
def test_a_line_of_text_is_an_alert_where_it_begins_like_one(text: str, status: AlertStatus) -> None:
    alert = one(said(text))
    assert (alert.name, alert.status) == ("A", status)
    assert alert.fingerprint == one(said("[FIRING:1] A")).fingerprint


@pytest.mark.parametrize(
    "text",
    ["", "[FIRING:1]", "[FIRING:1] ", "see [FIRING:1] A", "[INFO] A", "Triggered: by me", "[x](FIRING) A", "> [OK"],
)
def test_other_talk_is_no_alert(text: str) -> None:
    reading = slack_message.parse(said(text), NOON)
    assert (reading.alerts, reading.ignored) == ((), "the message is no alert in a form that is known")


def test_the_same_words_in_another_channel_are_another_alert() -> None:
    assert one(said("[FIRING:1] A")).fingerprint != one(said("[FIRING:1] A", channel="C0OTHER")).fingerprint


def test_fields_become_labels_and_severity_is_read_from_words() -> None:
    payload = document("slack", "firing")
    payload["event"]["attachments"][0] |= {
        "title": "[FIRING:1] HighLatency",
        "fields": [{"title": "Namespace", "value": "shop"}, {"title": "Severity", "value": "*Critical*"}],
    }
    alert = one(payload)
    assert (alert.namespace, alert.severity) == ("shop", Severity.CRITICAL)


def test_a_message_cannot_be_more_than_so_many_alerts() -> None:
    payload = document("slack", "grafana_firing")
    block = "Labels:\n - alertname = A{}\n\n"
    payload["event"]["attachments"][0]["text"] = "".join(block.format(n) for n in range(300))
    assert len(slack_message.parse(payload, NOON).alerts) <= slack_message.MOST


@pytest.mark.parametrize(
    "changes",
    [{"event": None}, {"event": {"type": "message", "channel": "C1"}}, {"type": None}],
)
def test_what_is_no_event_of_slack_is_refused_with_a_fix(changes: dict[str, Any]) -> None:
    with pytest.raises(PayloadError, match="Event Subscriptions"):
        slack_message.parse({**document("slack", "firing"), **changes}, NOON)
