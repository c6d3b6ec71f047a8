"""Exemplars as ``/api/v1/query_exemplars`` gives them: by series, each with labels, value and time.

The API is marked experimental by Prometheus, and only some products beside it have it. So an answer is either read
whole or refused whole; an exemplar that names no trace is of no use to anybody and is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import TRACE_LABELS, Exemplar


def read_exemplars(data: Any) -> tuple[Exemplar, ...]:
    """Oldest first. Raises PermanentError where the data is not of that form."""
    try:
        return tuple(sorted((item for row in data for item in _row(row)), key=lambda item: item.time))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PermanentError(f"Prometheus' answer of exemplars is not well formed: {error!r}") from None


def _row(row: Mapping[str, Any]) -> Iterator[Exemplar]:
    labels = {str(key): str(value) for key, value in row["seriesLabels"].items()}
    name = labels.pop("__name__", "")
    for item in row["exemplars"]:
        trace = next((str(item["labels"][label]) for label in TRACE_LABELS if item["labels"].get(label)), "")
        if trace:
            yield Exemplar(name, labels, trace, float(item["value"]), float(item["timestamp"]))
