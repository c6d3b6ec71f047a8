"""LogsQL: searches as filters. Whatever a person or an alert wrote ends up inside a string literal.

Literals are double-quoted, with the escapes of Go, of which those of JSON are a part. Names of fields are quoted too.
"""

import json
from datetime import UTC, datetime

from agent_sre.domain.log_search import LogSearch
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.outbound.stored_entry import NODES, LogFields

FIELDS = LogFields(
    namespace="kubernetes.pod_namespace",
    pod="kubernetes.pod_name",
    container="kubernetes.container_name",
    message="_msg",
    level="level",
    time="_time",
    node="_HOSTNAME",
    unit="_SYSTEMD_UNIT",
)
"""As vlagent and Vector name them; units as journald does."""


def literal(text: str) -> str:
    """A string literal. Surrogates, which JSON would escape in a way that Go does not read, are refused earlier."""
    return json.dumps(text, ensure_ascii=False)


def window_filter(window: Window) -> str:
    """To the nanosecond, since a coarser end would include all of its second."""
    return f"_time:[{_instant(window.start)}, {_instant(window.end)}]"


def source_filter(source: LogSource, window: Window, fields: LogFields) -> str:
    """The lines of one container, or of one unit of a node."""
    pod, container = fields.place(source.namespace)
    place = [] if source.namespace == NODES else [_equals(fields.namespace, source.namespace)]
    return " ".join([window_filter(window), *place, _equals(pod, source.pod), _equals(container, source.container)])


def sources_filter(namespace: str, window: Window, fields: LogFields) -> str:
    """All lines of a namespace, or all that units of nodes wrote."""
    if namespace == NODES:
        return f"{window_filter(window)} {literal(fields.unit)}:*"
    return f"{window_filter(window)} {_equals(fields.namespace, namespace)}"


def search_filter(search: LogSearch, fields: LogFields) -> str:
    """The lines that a search admits."""
    parts = [sources_filter(search.namespace, search.window, fields)]
    if search.workload:
        parts.append(_matches(fields.place(search.namespace)[0], f"^(?:{search.pod_pattern})$"))
    if search.text:
        parts.append(_matches(fields.message, search.text_pattern))
    if search.level:
        parts.append(_level_filter(search, fields))
    return " ".join(parts)


def _level_filter(search: LogSearch, fields: LogFields) -> str:
    in_text = _matches(fields.message, search.level_pattern)
    if not fields.level or not search.level:
        return in_text
    named = _matches(fields.level, f"(?i)^(?:{'|'.join(search.level.words)})$")
    return f'({named} or ({literal(fields.level)}:"" {in_text}))'


def _equals(field: str, value: str) -> str:
    return f"{literal(field)}:={literal(value)}"


def _matches(field: str, pattern: str) -> str:
    return f"{literal(field)}:~{literal(pattern)}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
