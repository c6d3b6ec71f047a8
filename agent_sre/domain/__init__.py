"""Frozen values of the product, in the order of an incident's life.

Nothing here does I/O or knows a client library: only the standard library and earlier files of ``ORDER`` may be
imported, which tests/architecture holds to. Every layer speaks in these values; adapters translate to and from them.
"""

ORDER = (
    "errors",
    "instant",
    "visible",
    "reference",
    "merge_patch",
    "alert",
    "alert_rule",
    "footprint",
    "placement",
    "priority",
    "incident",
    "line_index",
    "repository",
    "field_selector",
    "telemetry",
    "trace_search",
    "promql",
    "log_sample",
    "log_search",
    "log_text",
    "signal",
    "evidence",
    "tool",
    "fault",
    "finding",
    "hypothesis",
    "runbook",
    "action",
    "approval",
    "effect",
    "verdict",
    "timeline",
    "audit",
)
