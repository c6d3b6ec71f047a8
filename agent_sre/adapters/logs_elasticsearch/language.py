"""The query DSL: searches as JSON documents, so no text can become anything else; and the same as KQL, for links.

Exact comparison needs a field of type keyword. Where a shipper let the index guess, a string became analysed text with
a ``.keyword`` beside it; ``Terms`` holds which of the two is there.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from agent_sre.domain.log_search import LogSearch
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.outbound.stored_entry import NODES, LogFields

SCHEMAS: Mapping[str, LogFields] = {
    "ecs": LogFields(
        namespace="kubernetes.namespace",
        pod="kubernetes.pod.name",
        container="kubernetes.container.name",
        message="message",
        level="log.level",
        time="@timestamp",
        node="host.name",
        unit="systemd.unit",
    ),
    "openshift": LogFields(
        namespace="kubernetes.namespace_name",
        pod="kubernetes.pod_name",
        container="kubernetes.container_name",
        message="message",
        level="level",
        time="@timestamp",
        node="hostname",
        unit="systemd.u.SYSLOG_IDENTIFIER",
    ),
    "fluentbit": LogFields(
        namespace="kubernetes.namespace_name",
        pod="kubernetes.pod_name",
        container="kubernetes.container_name",
        message="log",
        level="level",
        time="@timestamp",
        node="_HOSTNAME",
        unit="_SYSTEMD_UNIT",
    ),
}
"""How shippers name fields: Elastic's agents (ECS), OpenShift's collector, Fluent Bit's Kubernetes filter."""

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """The fields of ``fields`` as they are compared exactly; ``level`` is "" where no document has one."""

    fields: LogFields
    namespace: str
    pod: str
    container: str
    level: str
    node: str
    unit: str

    def place(self, namespace: str) -> tuple[str, str]:
        """The fields that hold pod and container, or node and unit."""
        return (self.node, self.unit) if namespace == NODES else (self.pod, self.container)


def source_query(source: LogSource, window: Window, terms: Terms) -> Query:
    """The lines of one container, or of one unit of a node."""
    pod, container = terms.place(source.namespace)
    place = [] if source.namespace == NODES else [_term(terms.namespace, source.namespace)]
    return _all(_within(window, terms), *place, _term(pod, source.pod), _term(container, source.container))


def sources_query(namespace: str, window: Window, terms: Terms) -> Query:
    """All lines of a namespace, or all that units of nodes wrote."""
    return _all(_within(window, terms), _place(namespace, terms))


def search_query(search: LogSearch, terms: Terms) -> Query:
    """A little more than the lines that a search admits: words are compared as the index analysed them."""
    parts = [_within(search.window, terms), _place(search.namespace, terms)]
    if search.workload:
        parts.append({"regexp": {terms.place(search.namespace)[0]: {"value": search.pod_pattern}}})
    if search.text:
        phrase = {"query": search.text, "zero_terms_query": "all"}
        parts.append({"match_phrase": {terms.fields.message: phrase}})
    if search.level:
        parts.append(_level(search.level.words, terms))
    return _all(*parts)


def in_words(search: LogSearch, fields: LogFields) -> str:
    """The search as KQL, which Kibana and OpenSearch Dashboards read; the window is no part of it."""
    pod, _ = fields.place(search.namespace)
    parts = [] if search.namespace == NODES else [f"{fields.namespace}: {_quoted(search.namespace)}"]
    if search.workload:
        parts.append(f"{pod}: {re.sub(r'[^a-zA-Z0-9_.-]', '?', search.workload)}*")
    if search.text:
        parts.append(f"{fields.message}: {_quoted(search.text)}")
    if search.level:
        words = " or ".join(search.level.words)
        parts.append(f"({fields.level}: ({words}) or {fields.message}: ({words}))")
    return " and ".join(parts)


def source_in_words(source: LogSource, fields: LogFields) -> str:
    """One container's lines as KQL."""
    pod, container = fields.place(source.namespace)
    place = [] if source.namespace == NODES else [f"{fields.namespace}: {_quoted(source.namespace)}"]
    return " and ".join([*place, f"{pod}: {_quoted(source.pod)}", f"{container}: {_quoted(source.container)}"])


def _level(words: tuple[str, ...], terms: Terms) -> Query:
    in_text = {"match": {terms.fields.message: {"query": " ".join(words), "operator": "or"}}}
    if not terms.level:
        return in_text
    spelled = [form for word in words for form in (word, word.upper(), word.capitalize())]
    unnamed = {"bool": {"must_not": [{"exists": {"field": terms.level}}], "filter": [in_text]}}
    return {"bool": {"should": [{"terms": {terms.level: spelled}}, unnamed], "minimum_should_match": 1}}


def _all(*parts: Query) -> Query:
    return {"bool": {"filter": list(parts)}}


def _within(window: Window, terms: Terms) -> Query:
    return {"range": {terms.fields.time: {"gte": _instant(window.start), "lte": _instant(window.end)}}}


def _place(namespace: str, terms: Terms) -> Query:
    return {"exists": {"field": terms.unit}} if namespace == NODES else _term(terms.namespace, namespace)


def _term(field: str, value: str) -> Query:
    return {"term": {field: {"value": value}}}


def _instant(at: datetime) -> str:
    """To the microsecond: parts that are not given would be filled up, at an end with the latest there are."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
