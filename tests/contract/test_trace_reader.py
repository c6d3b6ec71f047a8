"""The conformance suite of the trace port over the fake and the snapshot twin; the adapters of back ends run the same
suite in ``test_jaeger_recorded`` and ``test_tempo_recorded``."""

import pytest

from agent_sre.adapters.context_snapshot import SnapshotTraces
from agent_sre.ports.context import TraceReader
from agent_sre.testing.traces import FakeTraces
from tests.contract.trace_suite import *  # noqa: F403
from tests.contract.trace_values import spans


@pytest.fixture(params=["fake", "snapshot"])
def traces(request: pytest.FixtureRequest) -> TraceReader:
    return FakeTraces(spans()) if request.param == "fake" else SnapshotTraces(spans())
