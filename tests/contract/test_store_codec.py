"""Whatever domain value is stored comes back equal, or is refused before it is stored."""

import json
from datetime import UTC, datetime
from math import nan
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from agent_sre.adapters.store_sql.codec import (
    decode,
    decode_detail,
    decode_observation,
    encode,
    encode_detail,
    encode_observation,
)
from agent_sre.domain.action import Proposal
from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval
from agent_sre.domain.effect import Effect
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.incident import Incident
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict, VerdictStatus
from tests.contract.store_strategies import TEXT, values_of
from tests.contract.store_values import NOON, alert, content, observation

# The time limit is per test: a first example pays for building pydantic's validators, on a machine that may be busy.
UNHURRIED = settings(deadline=None)
SURROGATES = st.text(st.characters(categories=["Cs"]), min_size=1, max_size=3)
SMALL = (Alert, Incident, Approval, Effect, Entry, Finding, Verdict)


@pytest.mark.parametrize("kind", SMALL, ids=lambda kind: kind.__name__)
@UNHURRIED
@given(data=st.data())
def test_small_values_come_back_equal(kind: type[Any], data: st.DataObject) -> None:
    value = data.draw(values_of(kind))
    again = decode(kind, encode(value))
    assert again == value
    assert encode(again) == encode(value)


@UNHURRIED
@given(values_of(Proposal))
def test_a_proposal_keeps_its_digest(value: Proposal) -> None:
    assert decode(Proposal, encode(value)).digest == value.digest


@UNHURRIED
@given(values_of(Observation))
def test_observations_come_back_equal(value: Observation) -> None:
    assert content(decode_observation(encode_observation(value))) == content(value)


@UNHURRIED
@given(st.dictionaries(TEXT, TEXT, max_size=4))
def test_audit_details_come_back_equal(detail: dict[str, str]) -> None:
    assert decode_detail(encode_detail(detail)) == detail


@UNHURRIED
@given(SURROGATES, st.sampled_from(["label", "value", "fingerprint"]))
def test_lone_surrogates_are_refused_wherever_they_are(text: str, place: str) -> None:
    changes: dict[str, dict[str, Any]] = {
        "label": {"labels": {text: "x"}},
        "value": {"annotations": {"x": text}},
        "fingerprint": {"fingerprint": text},
    }
    with pytest.raises(PermanentError, match="Alert cannot be stored"):
        encode(alert(**changes[place]))
    with pytest.raises(PermanentError, match="observation 'o/1' cannot be stored"):
        encode_observation(observation("o/1", objects=({"kind": "Pod", place: text},)))
    with pytest.raises(PermanentError, match="observation 'o/1' cannot be stored"):
        encode_observation(observation("o/1", streams=(LogStream(LogSource("a", "b", "c"), (LogLine(NOON, text),)),)))
    with pytest.raises(PermanentError, match="audit detail cannot be stored"):
        encode_detail({text: ""})


def test_what_could_not_be_read_back_is_refused() -> None:
    with pytest.raises(PermanentError, match=r"Verdict cannot be stored: seconds\.gather"):
        encode(Verdict(VerdictStatus.INCONCLUSIVE, (), (), (), seconds={"gather": nan}))
    with pytest.raises(PermanentError, match=r"Alert cannot be stored: fingerprint: .*met 5"):
        encode(alert(fingerprint=5))
    with pytest.raises(PermanentError, match=r"observation 'o/1' cannot be stored: .*set"):
        encode_observation(observation("o/1", objects=({"kind": {1, 2}},)))


def test_read_only_mappings_are_as_good_as_dictionaries() -> None:
    labels = MappingProxyType({"alertname": "A"})
    assert decode(Alert, encode(alert(labels=labels))).labels == labels
    frozen = observation(objects=(MappingProxyType({"metadata": MappingProxyType({})}),))
    assert decode_observation(encode_observation(frozen)).objects == ({"metadata": {}},)


def test_times_are_kept_in_utc() -> None:
    stored = json.loads(encode(alert(starts_at=datetime.fromisoformat("2026-03-01T14:00:00.000001+02:00"))))
    assert datetime.fromisoformat(stored["starts_at"]) == datetime(2026, 3, 1, 12, 0, 0, 1, UTC)
    assert json.loads(encode(alert(starts_at=NOON)))["starts_at"] == "2026-03-01T12:00:00.123456Z"
