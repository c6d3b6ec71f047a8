"""LogQL: searches as selectors and line filters. Whatever a person or an alert wrote ends up inside a string literal.

Literals are double-quoted, with the escapes of Go, of which those of JSON are a part. Names of labels cannot be quoted,
so only real names are let through. Regular expressions on labels are anchored by Loki, those on lines are not.
"""

import json
import re
from datetime import datetime, timedelta

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_search import LogSearch
from agent_sre.domain.telemetry import LogSource
from agent_sre.outbound.stored_entry import NODES, LogFields

FIELDS = LogFields(
    namespace="namespace",
    pod="pod",
    container="container",
    message="",
    level="",
    time="",
    node="nodename",
    unit="unit",
)
"""Stream labels as Alloy and Promtail set them. Loki's lines and times have no names; levels are told from the line."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def checked(fields: LogFields) -> LogFields:
    """The labels, if all are names that LogQL can hold. Raises PermanentError naming the one that is not."""
    for label in (fields.namespace, fields.pod, fields.container, fields.node, fields.unit, fields.level or "level"):
        if not _LABEL.fullmatch(label):
            raise PermanentError(f"AGENT_SRE_LOGS_FIELDS: {label!r} cannot be a label of Loki; use the label's name")
    return fields


def source_query(source: LogSource, fields: LogFields) -> str:
    """The lines of one container, or of one unit of a node."""
    pod, container = fields.place(source.namespace)
    place = [] if source.namespace == NODES else [_equals(fields.namespace, source.namespace)]
    return _selector(*place, _equals(pod, source.pod), _equals(container, source.container))


def sources_query(namespace: str, fields: LogFields) -> str:
    """All lines of a namespace, or all that units of nodes wrote."""
    return _selector(*_place(namespace, fields))


def search_query(search: LogSearch, fields: LogFields) -> str:
    """The lines that a search admits."""
    matchers = _place(search.namespace, fields)
    if search.workload:
        matchers.append(f"{fields.place(search.namespace)[0]}=~{_literal(search.pod_pattern)}")
    parts = [_selector(*matchers)]
    if search.text:
        parts.append(f"|~ {_literal(search.text_pattern)}")
    if search.level and fields.level:
        parts.append(f"| {fields.level}=~{_literal('(?i)(?:' + '|'.join(search.level.words) + ')')}")
    elif search.level:
        parts.append(f"|~ {_literal(search.level_pattern)}")
    return " ".join(parts)


def nanoseconds(at: datetime) -> int:
    """Since the epoch; exact, which a float is not."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def _place(namespace: str, fields: LogFields) -> list[str]:
    return [f'{fields.unit}=~".+"'] if namespace == NODES else [_equals(fields.namespace, namespace)]


def _selector(*matchers: str) -> str:
    return "{" + ", ".join(matchers) + "}"


def _equals(label: str, value: str) -> str:
    return f"{label}={_literal(value)}"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
