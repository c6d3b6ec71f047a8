"""Every source's recorded payloads become the alerts they stand for (faults, rows 4 to 8)."""

import json
from datetime import UTC, datetime

import pytest

from agent_sre.domain.alert import Alert, AlertClass, AlertStatus, Severity
from agent_sre.ingest.decode import decode, decode_form, mended
from agent_sre.ingest.group import group_key_of
from agent_sre.ingest.payload import PayloadError
from agent_sre.ingest.told import Reading
from agent_sre.service.alert_sources import SOURCES
from tests.unit.alerts import NOON
from tests.unit.recorded_payloads import body, document, shapes

FIRED = datetime(2026, 1, 5, 11, 58, tzinfo=UTC)
ENDED = datetime(2026, 1, 5, 12, 10, tzinfo=UTC)
PAIRS = [
    ("alertmanager", "firing", "resolved"),
    ("azure", "firing", "resolved"),
    ("cloudevents", "firing", "resolved"),
    ("cloudwatch", "firing", "resolved"),
    ("cloudwatch", "no_data", "resolved"),
    ("cloudwatch", "eventbridge", "resolved"),
    ("datadog", "firing", "resolved"),
    ("datadog", "no_data", "resolved"),
    ("generic", "firing", "resolved"),
    ("generic", "zabbix_firing", "zabbix_resolved"),
    ("generic", "nagios_firing", "nagios_resolved"),
    ("google", "firing", "resolved"),
    ("grafana", "firing", "resolved"),
    ("opsgenie", "firing", "resolved"),
    ("pagerduty", "firing", "resolved"),
    ("sentry", "firing", "resolved"),
    ("sentry", "metric_firing", "metric_resolved"),
    ("sentry", "metric_warning", "metric_resolved"),
    ("slack", "firing", "resolved"),
    ("slack", "grafana_firing", "grafana_resolved"),
    ("slack", "datadog_firing", "datadog_resolved"),
    ("slack", "datadog_no_data", "datadog_resolved"),
    ("slack", "pagerduty_firing", "pagerduty_resolved"),
    ("slack", "cloudwatch_firing", "cloudwatch_resolved"),
    ("slack", "text_firing", "text_resolved"),
]
NO_DATA = {
    ("grafana", "no_data"),
    ("grafana", "error"),
    ("datadog", "no_data"),
    ("slack", "datadog_no_data"),
    ("cloudwatch", "no_data"),
    ("google", "no_data"),
    ("generic", "nagios_no_data"),
}


def read(source: str, shape: str) -> Reading:
    return SOURCES[source].parse(document(source, shape), NOON)


def one(source: str, shape: str) -> Alert:
    (alert,) = read(source, shape).alerts
    return alert


def test_every_source_has_recorded_payloads() -> None:
    for needed in ("firing", "resolved"):
        assert {source for source, shape in shapes() if shape == needed} == set(SOURCES)


@pytest.mark.parametrize(("source", "shape"), shapes())
def test_a_recorded_payload_is_alerts_or_ignored_by_name(source: str, shape: str) -> None:
    reading = read(source, shape)
    assert bool(reading.ignored) == shape.startswith("ignored") == (reading.alerts == ())
    for alert in reading.alerts:
        assert (alert.source, alert.received_at) == (source, NOON)
        assert alert.starts_at.tzinfo is UTC
        assert (alert.ends_at is None) == (alert.status is AlertStatus.FIRING)
        assert (alert.alert_class is AlertClass.NO_DATA) == ((source, shape) in NO_DATA)
        assert alert.summary.startswith("No data: ") == ((source, shape) in NO_DATA)


@pytest.mark.parametrize(("source", "fires", "ends"), PAIRS)
def test_the_resolved_message_is_about_the_alert_that_fired(source: str, fires: str, ends: str) -> None:
    firing, resolved = one(source, fires), one(source, ends)
    assert (firing.status, resolved.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert firing.fingerprint == resolved.fingerprint
    assert group_key_of(firing) == group_key_of(resolved)
    assert resolved.overrides(firing)


@pytest.mark.parametrize("source", sorted(set(SOURCES) - {"grafana", "sentry"}))
def test_times_are_utc_whatever_form_they_come_in(source: str) -> None:
    assert one(source, "firing").starts_at.replace(microsecond=0) == FIRED
    ended = one(source, "resolved").ends_at
    assert ended is not None
    assert ended.replace(microsecond=0) == ENDED


@pytest.mark.parametrize(
    ("source", "shape", "namespace", "service", "severity"),
    [
        ("alertmanager", "firing", "shop", "checkout", Severity.CRITICAL),
        ("grafana", "firing", "shop", "checkout", Severity.CRITICAL),
        ("pagerduty", "firing", "", "checkout", Severity.CRITICAL),
        ("opsgenie", "firing", "shop", "checkout", Severity.CRITICAL),
        ("datadog", "firing", "shop", "checkout", Severity.CRITICAL),
        ("cloudwatch", "container_insights", "shop", "", Severity.WARNING),
        ("sentry", "firing", "", "checkout", Severity.CRITICAL),
        ("sentry", "metric_warning", "", "checkout", Severity.WARNING),
        ("azure", "firing", "shop", "checkout", Severity.CRITICAL),
        ("azure", "managed_prometheus", "shop", "checkout", Severity.WARNING),
        ("google", "firing", "shop", "checkout", Severity.CRITICAL),
        ("generic", "firing", "shop", "checkout", Severity.CRITICAL),
        ("generic", "zabbix_firing", "", "checkout", Severity.CRITICAL),
        ("cloudevents", "firing", "shop", "checkout", Severity.CRITICAL),
        ("slack", "firing", "", "", Severity.CRITICAL),
        ("slack", "grafana_firing", "shop", "checkout", Severity.CRITICAL),
        ("slack", "datadog_firing", "shop", "", Severity.CRITICAL),
    ],
)
def test_places_and_severity_are_in_our_words(
    source: str, shape: str, namespace: str, service: str, severity: Severity
) -> None:
    alert = one(source, shape)
    assert (alert.namespace, alert.service, alert.severity) == (namespace, service, severity)


@pytest.mark.parametrize(
    ("source", "shape", "begins"),
    [
        ("grafana", "firing", "https://grafana.example/alerting/"),
        ("pagerduty", "firing", "https://acme.pagerduty.com/incidents/"),
        ("datadog", "firing", "https://app.datadoghq.com/event/"),
        ("cloudwatch", "firing", "https://eu-west-1.console.aws.amazon.com/"),
        ("sentry", "firing", "https://sentry.io/organizations/acme/issues/"),
        ("azure", "log_search", "https://portal.azure.com"),
        ("google", "firing", "https://console.cloud.google.com/"),
        ("generic", "firing", "https://probe.example/42"),
        ("cloudevents", "firing", "https://mon.example/1"),
    ],
)
def test_the_way_back_to_the_source_is_kept(source: str, shape: str, begins: str) -> None:
    assert one(source, shape).generator_url.startswith(begins)


@pytest.mark.parametrize(("source", "shape"), [pair for pair in shapes() if not pair[1].startswith("ignored")])
def test_fields_nobody_knows_change_nothing(source: str, shape: str) -> None:
    known = document(source, shape)
    extended = {**known, "x-new": {"a": [1]}} if isinstance(known, dict) else [{**known[0], "xnew": 1}, *known[1:]]
    assert SOURCES[source].parse(extended, NOON) == SOURCES[source].parse(known, NOON)


def test_row_4_grafana_without_values_or_labels() -> None:
    alert = one("grafana", "bare")
    assert alert.labels == {}
    assert alert.annotations["values"] == "[ var='A' labels={} value=7 ]"
    assert one("grafana", "firing").annotations["values"] == "B=0.21, C=1"
    assert one("grafana", "no_data").summary == "No data: DatasourceNoData of the rule HighErrorRate"


@pytest.mark.parametrize("source", ["alertmanager", "grafana"])
def test_groups_and_left_out_alerts(source: str) -> None:
    first, second = read(source, "grouped").alerts
    assert (first.status, second.status) == (AlertStatus.FIRING, AlertStatus.RESOLVED)
    assert first.group_key == second.group_key
    assert one(source, "truncated").truncated == 37


def test_row_5_pagerduty_events_are_known_by_id_and_ignored_by_name() -> None:
    assert "incident.teleported" in read("pagerduty", "ignored_unknown").ignored
    assert one("pagerduty", "firing").message_id == "01DEN4HPBQAAAG05V5QQYBRZMF"
    reopened, resolved = one("pagerduty", "reopened"), one("pagerduty", "resolved")
    assert reopened.overrides(resolved), "a reopened incident begins anew"


def test_row_6_opsgenie_needs_an_alert_to_create() -> None:
    with pytest.raises(PayloadError, match=r"\$\.alert is null"):
        SOURCES["opsgenie"].parse({"action": "Create"}, NOON)


@pytest.mark.parametrize("cut", ["heiß 😀".encode()[:-2], b"hei\\u00df \\ud83d"])
def test_row_6_a_description_cut_within_a_character_is_marked(cut: bytes) -> None:
    whole = body("opsgenie", "firing")
    (alert,) = SOURCES["opsgenie"].parse(decode(mended(whole.replace(b"99 % for five minutes", cut))), NOON).alerts
    assert alert.annotations["description"] == "heiß …"
    assert alert.annotations["truncated"] == "description"
    assert "truncated" not in one("opsgenie", "firing").annotations


def test_mending_leaves_whole_texts_alone() -> None:
    for whole in (json.dumps("a\\ud83d 😀 \\\\"), json.dumps("😀", ensure_ascii=False), '"\\ud83d\\ude00"'):
        assert json.loads(mended(whole.encode())) == json.loads(whole)


def test_row_7_datadog_unexpanded_is_unknown_and_not_resolved() -> None:
    alert = one("datadog", "unexpanded")
    assert (alert.status, alert.starts_at) == (AlertStatus.FIRING, NOON)
    assert alert.annotations["transition"] == "unknown (missing)"
    assert alert.labels["service"] == "checkout", "tags as a list"
    assert "$" not in "".join(alert.labels.values())
    assert alert.fingerprint == one("datadog", "firing").fingerprint


def test_row_7_datadog_as_a_form() -> None:
    form = b"alert_id=4711&transition=Recovered&title=%5BRecovered%5D+High&scope=host%3Aweb-1&date=1767615000000"
    (alert,) = SOURCES["datadog"].parse(decode_form(form), NOON).alerts
    assert (alert.status, alert.ends_at) == (AlertStatus.RESOLVED, ENDED)
    wrapped = b"payload=%7B%22alert_id%22%3A%224711%22%2C%22transition%22%3A%22Triggered%22%7D"
    assert SOURCES["datadog"].parse(decode_form(wrapped), NOON).alerts[0].status is AlertStatus.FIRING
    assert decode_form(body("datadog", "firing")) == document("datadog", "firing"), "JSON under a form's type"
    for bad in (b"a=1&a=2", b"nothing", b"a=\xff", b"&".join(b"f%d=1" % n for n in range(300)), b"a%00b=1"):
        with pytest.raises(PayloadError):
            decode_form(bad)


def test_row_8_confirmations_are_told_and_hold_no_alert() -> None:
    told = read("cloudwatch", "ignored_subscription")
    assert "arn:aws:sns:eu-west-1:123456789012:alarms" in told.ignored
    assert "2336412f37f" not in told.ignored
    assert "open https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&" in told.to_do
    for url in (
        "https://evil.example/?Action=ConfirmSubscription&Token=1",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=1",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1 https://evil.example/",
        None,
    ):
        payload = {**document("cloudwatch", "ignored_subscription"), "SubscribeURL": url}
        to_do = SOURCES["cloudwatch"].parse(payload, NOON).to_do
        assert "http" not in to_do
        assert "aws sns confirm-subscription --token '2336412f37f'" in to_do
    assert read("cloudwatch", "ignored_unsubscribe").to_do == ""
    with pytest.raises(PayloadError, match="not valid JSON"):
        SOURCES["cloudwatch"].parse({"Type": "Notification", "Message": "disk full"}, NOON)


def test_no_dimension_of_a_metric_passes_for_a_namespace() -> None:
    alert = one("cloudwatch", "firing")
    assert alert.namespace == ""
    assert alert.labels["metric_namespace"] == "AWS/ApplicationELB"
    assert one("cloudwatch", "container_insights").labels["pod"] == "checkout"


def test_macros_that_were_not_expanded_say_nothing() -> None:
    assert "runbook_url" not in one("generic", "zabbix_firing").annotations
    assert one("generic", "nagios_firing").generator_url == ""


@pytest.mark.parametrize(
    ("source", "payload", "says"),
    [
        ("pagerduty", {"event": {"event_type": 7.5, "data": None}}, None),
        ("pagerduty", {"event": {"event_type": None}}, "$.event.event_type is null"),
        ("pagerduty", {"event": {"event_type": "incident.triggered", "data": {}}}, "$.event.data.id is null"),
        ("pagerduty", {"messages": []}, "$.event is null"),
        ("opsgenie", {"action": None}, "$.action is null"),
        ("opsgenie", {"action": "Close", "alert": {}}, "$.alert.alertId is null"),
        ("datadog", {"text": "x"}, "neither alert_id nor title"),
        ("cloudwatch", {"Type": "Notification"}, "$.Type"),
        ("cloudwatch", {"Type": "Notification", "Message": "[]"}, "$.Message is a list"),
        ("cloudwatch", {"Type": "Notification", "Message": '{"AlarmName": "a"}'}, "which is no alarm"),
        ("sentry", {"data": {}}, "neither event, issue nor metric_alert"),
        ("sentry", {"data": {"event": {}}}, "$.data.event.issue_id"),
        ("azure", {"schemaId": "AzureMonitorMetricAlert"}, "$.schemaId"),
        ("google", {"incident": {"state": "open"}}, "$.incident.incident_id"),
        ("google", {"version": "1.2"}, "$.incident is null"),
        ("generic", {"name": "a"}, "status null"),
        ("generic", {"alerts": [{}] * 1_001}, "holds 1001 alerts"),
        ("generic", {"name": "a", "status": "firing", "labels": {"x": "a\0b"}}, "contains NUL"),
        ("cloudevents", {"specversion": "0.3"}, "specversion"),
        ("cloudevents", {"specversion": "1.0", "id": "1", "source": "s"}, "lacks one of"),
    ],
)
def test_what_cannot_be_read_is_refused_with_place_and_value(source: str, payload: object, says: str | None) -> None:
    if says is None:
        assert SOURCES[source].parse(payload, NOON).ignored
        return
    with pytest.raises(PayloadError) as caught:
        SOURCES[source].parse(payload, NOON)
    assert says in caught.value.problem
    assert caught.value.fix
