"""Attributes of spans as every trace back end gives them to the domain: bounded, cleaned, and under one name each.

Programs write anything into attributes: whole statements, bodies of requests, terminal codes. Secrets in them are the
redactor's, which looks at every span before it is stored; what is too long is cut here, where it comes in.
"""

from agent_sre.domain.log_text import clean

KIND = "span.kind"
"""server, client, producer, consumer or internal; Jaeger's name for what OTLP has as a number."""
STATUS_MESSAGE = "status.message"
"""Why a span failed, in its own words."""
MAX_ATTRIBUTES = 64
_MAX_NAME = 200
_MAX_VALUE = 2_000


def bounded(name: str, value: str) -> tuple[str, str]:
    """One attribute, cleaned and cut."""
    return name[:_MAX_NAME], clean(value if len(value) <= _MAX_VALUE else value[:_MAX_VALUE] + " [cut]")
