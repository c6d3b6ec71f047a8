"""Alertmanager's payload, version "4": what is read, what is tolerated, what is refused (faults, rows 1 to 3)."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.alert import AlertStatus
from agent_sre.ingest.alertmanager import parse
from agent_sre.ingest.fields import MAX_TEXT
from agent_sre.ingest.payload import PayloadError
from tests.unit.alerts import NOON, at, message, payload


def one(**changes: Any) -> dict[str, Any]:
    """A payload whose only alert has these fields changed; a value of ... takes the field away."""
    document = payload(message(fires=0))
    for name, value in changes.items():
        if value is ...:
            del document["alerts"][0][name]
        else:
            document["alerts"][0][name] = value
    return document


def test_a_payload_becomes_alerts_in_its_order() -> None:
    sent = [message(fires=0), message(fires=1, ended=2, name="Other")]
    first, second = parse(payload(*sent), NOON)
    assert (first.name, first.status, first.starts_at, first.ends_at) == (
        "HighLatency",
        AlertStatus.FIRING,
        at(0),
        None,
    )
    assert (second.name, second.status, second.ends_at) == ("Other", AlertStatus.RESOLVED, at(2))
    assert first.received_at == NOON
    assert first.source == "alertmanager"
    assert first.receiver == "agent-sre"
    assert first.group_key == sent[0].group_key
    assert first.generator_url == "http://prometheus.example/graph"
    assert first.external_url == "http://alertmanager.example"


def test_an_empty_list_is_no_alert() -> None:
    assert parse(payload(), NOON) == ()


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (None, "$ is null, not an object"),
        ([1], "$ is a list of 1, not an object"),
        ("text", '$ is "text", not an object'),
        ({"version": "4"}, "$.alerts is missing, not a list"),
        (payload(alerts=None), "$.alerts is null, not a list"),
        (payload(alerts="firing"), '$.alerts is "firing", not a list'),
        (payload(alerts={"a": 1}), "$.alerts is an object with 1 keys, not a list"),
        (payload(alerts=[7]), "$.alerts[0] is 7, not an object"),
        (payload(version="3"), '$.version is "3", not "4"'),
        (payload(truncatedAlerts="many"), '$.truncatedAlerts is "many"'),
        (payload(truncatedAlerts=-1), "$.truncatedAlerts is -1"),
        (one(labels=["a"]), "$.alerts[0].labels is a list of 1, not an object"),
        (one(labels=...), "$.alerts[0].labels is null, not an object"),
        (one(labels={"a": 1}), '$.alerts[0].labels["a"] is 1, not a string'),
        (one(labels={"a": "x\0y"}), '$.alerts[0].labels["a"] contains NUL'),
        (one(labels={"a": "x" * 5_000}), '$.alerts[0].labels["a"] has 5001 characters'),
        (one(labels={str(n): "x" for n in range(300)}), "$.alerts[0].labels has 300 labels"),
        (one(annotations=["a"]), "$.alerts[0].annotations is a list of 1"),
        (one(annotations={"a": None}), '$.alerts[0].annotations["a"] is null'),
        (one(status="broken"), '$.alerts[0].status is "broken"'),
        (one(startsAt="yesterday"), '$.alerts[0].startsAt is "yesterday", not a time'),
        (one(endsAt=1234), "$.alerts[0].endsAt is 1234, not a time"),
    ],
)
def test_what_cannot_be_read_is_refused_with_path_and_value(document: object, says: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parse(document, NOON)
    assert says in caught.value.problem
    assert caught.value.fix


def test_hostile_values_are_shown_short_and_visible() -> None:
    with pytest.raises(PayloadError) as caught:
        parse(one(status="\u202e\x1b[2J" + "x" * 100_000), NOON)
    assert "<U+202E><U+001B>[2J" in caught.value.problem
    assert len(caught.value.problem) < 200


def test_left_out_alerts_are_counted() -> None:
    (alert,) = parse(payload(message(fires=0), truncatedAlerts=37), NOON)
    assert alert.truncated == 37


def test_offset_and_nanoseconds_become_utc_and_the_zero_time_becomes_none() -> None:
    document = one(startsAt="2026-01-05T14:00:00.123456789+02:00", endsAt="0001-01-01T00:00:00Z", fingerprint=...)
    (alert,) = parse(document, NOON)
    assert alert.starts_at == datetime(2026, 1, 5, 12, 0, 0, 123456, tzinfo=UTC)
    assert alert.starts_at.utcoffset() == UTC.utcoffset(None)
    assert alert.ends_at is None


@pytest.mark.parametrize("absent", [..., "", None, "not hexadecimal", 12, "A" * 5_000])
def test_without_a_usable_fingerprint_the_labels_give_the_same_one(absent: object) -> None:
    (sent,) = parse(one(), NOON)
    (unsent,) = parse(one(fingerprint=absent), NOON)
    assert unsent.fingerprint == sent.fingerprint


def test_what_is_missing_is_taken_from_the_message_or_the_moment_of_reception() -> None:
    firing = parse(one(status=..., startsAt=..., endsAt=..., annotations=...), NOON)[0]
    assert (firing.status, firing.starts_at, firing.annotations) == (AlertStatus.FIRING, NOON, {})
    resolved = parse(one(status="resolved", endsAt=...), NOON)[0]
    assert resolved.ends_at == NOON


def test_the_end_of_a_firing_alert_is_a_forecast_and_not_kept() -> None:
    (alert,) = parse(one(endsAt="2026-01-05T12:30:00Z"), NOON)
    assert alert.ends_at is None


def test_annotations_are_cut_and_storable() -> None:
    (alert,) = parse(one(annotations={"summary": "a\0b", "table": "x" * 50_000}), NOON)
    assert alert.annotations["summary"] == "a␀b"
    assert len(alert.annotations["table"]) == MAX_TEXT
    assert alert.annotations["table"].endswith("…")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(["labels", "annotations", "status", "startsAt", "endsAt", "fingerprint", "generatorURL"])


@given(JSON)
def test_any_document_is_read_or_refused(document: object) -> None:
    try:
        assert parse(document, NOON) == () or isinstance(document, dict)
    except PayloadError as error:
        assert error.problem.startswith("$")


@given(st.dictionaries(FIELDS, JSON, max_size=3), JSON)
def test_any_alert_is_read_or_refused(changes: dict[str, Any], truncated: object) -> None:
    document = {**one(**changes), "truncatedAlerts": truncated}
    try:
        (alert,) = parse(document, NOON)
    except PayloadError as error:
        assert error.problem.startswith("$.")
    else:
        assert alert.starts_at.tzinfo is UTC
        assert (alert.ends_at is None) == (alert.status is AlertStatus.FIRING)
