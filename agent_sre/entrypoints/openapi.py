"""``GET /openapi.json``: the webhooks as an OpenAPI 3.1 document, generated from the table of sources.

It says which paths there are, what each must be sent and proven with, and every answer with what it means to a sender.
Payloads of vendors are described by name only: their documentation is theirs. What is ours, the generic alert, has its
schema. Which webhooks are open on this installation is not told: that is the doctor's part.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_sre import __version__
from agent_sre.service.alert_sources import GENERIC_ALERT, SOURCES, Proof, Source

CHANGES = "changes"

_ANSWERS = {
    "202": ("committed, or ignored by name", "Accepted"),
    "400": ("cannot be read; sending it again is useless", "Problem"),
    "401": ("not proven", "Problem"),
    "403": ("forged, too old, or from a foreign network", "Problem"),
    "408": ("the body did not arrive in time", "Problem"),
    "413": ("too large", "Problem"),
    "415": ("not JSON", "Problem"),
    "429": ("over the source's quota; send it again after Retry-After seconds", "Problem"),
    "503": ("the store is down; send it again after Retry-After seconds", "Problem"),
}
_RETRY = {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}}
_SCHEMAS: Mapping[str, Any] = {
    "Accepted": {
        "type": "object",
        "required": ["accepted", "truncated"],
        "properties": {
            "accepted": {"type": "integer", "minimum": 0, "description": "how many alerts or changes were committed"},
            "truncated": {"type": "integer", "minimum": 0, "description": "how many more the sender says it left out"},
            "ignored": {"type": "string", "description": "why a message, or a part of it, is no alert"},
        },
    },
    "Problem": {
        "type": "object",
        "required": ["error", "fix"],
        "properties": {"error": {"type": "string"}, "fix": {"type": "string"}},
    },
    "Alert": GENERIC_ALERT,
    "Alerts": {
        "type": "object",
        "required": ["alerts"],
        "properties": {"alerts": {"type": "array", "maxItems": 1000, "items": {"$ref": "#/components/schemas/Alert"}}},
    },
    "CloudEvent": {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "type": {"type": "string", "description": "its last word may be firing or resolved"},
            "subject": {"type": "string", "description": "the alert's name, where data has none"},
            "time": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "properties": GENERIC_ALERT["properties"]},
        },
    },
}
_BODIES = {
    "generic": ("Alert", "Alerts"),
    "cloudevents": ("CloudEvent",),
}
"""Schemas of ours, by source."""
_SECURITY: Mapping[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "any user name, the token as password"},
    "grafana": {"type": "apiKey", "in": "header", "name": "X-Grafana-Alerting-Signature"},
    "pagerduty": {"type": "apiKey", "in": "header", "name": "X-PagerDuty-Signature"},
    "sentry": {"type": "apiKey", "in": "header", "name": "Sentry-Hook-Signature"},
    "slack": {"type": "apiKey", "in": "header", "name": "X-Slack-Signature"},
}
_SHARED = ("bearer", "basic")
_PROOFS: Mapping[Proof, tuple[str, ...]] = {
    Proof.SHARED: _SHARED,
    Proof.GRAFANA: ("grafana", *_SHARED),
    Proof.PAGERDUTY: ("pagerduty",),
    Proof.SENTRY: ("sentry",),
    Proof.SNS: (),
    Proof.SLACK: ("slack",),
}
"""Security schemes of a proof. SNS's signature is in the body, for which OpenAPI has none."""


def openapi_route() -> Route:
    """The route; its document is made once."""
    content = document()

    async def endpoint(request: Request) -> Response:
        return JSONResponse(content)

    return Route("/openapi.json", endpoint, methods=["GET"], name="openapi")


def document() -> dict[str, Any]:
    """The document as plain JSON values."""
    paths: dict[str, Any] = {}
    for source in SOURCES.values():
        paths |= _paths(source.name, source.title, _bodies(source), source.proof)
    title = "What changed, as in docs/changes.md, or as CloudEvents 1.0"
    paths |= _paths(CHANGES, title, {"application/json": {"schema": {"type": ["object", "array"]}}}, Proof.SHARED)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "agent_sre: alerts and changes in",
            "version": __version__,
            "description": "How each source is set up: docs/alerts.md.",
        },
        "paths": paths,
        "components": {"schemas": dict(_SCHEMAS), "securitySchemes": dict(_SECURITY)},
    }


def _paths(name: str, title: str, content: Mapping[str, Any], proof: Proof) -> dict[str, Any]:
    """A webhook's path, and the same with a key at its end."""
    operation: dict[str, Any] = {
        "operationId": f"post_{name}",
        "summary": title,
        "description": f"Proven by: {proof.value}.",
        "tags": ["changes" if name == CHANGES else "alerts"],
        "requestBody": {"required": True, "content": dict(content)},
        "responses": {status: _answer(status, *answer) for status, answer in _ANSWERS.items()},
        "security": [{scheme: []} for scheme in _PROOFS[proof]],
    }
    key = {
        "name": "key",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": "the source's key in AGENT_SRE_ROUTE_KEYS; enough by itself where it has no other secret",
    }
    keyed = {
        **operation,
        "operationId": f"post_{name}_with_key",
        "parameters": [key],
        "security": [{}, *operation["security"]],
    }
    return {f"/webhooks/{name}": {"post": operation}, f"/webhooks/{name}/{{key}}": {"post": keyed}}


def _bodies(source: Source) -> dict[str, Any]:
    """What may be sent, by media type."""
    ours = [{"$ref": f"#/components/schemas/{name}"} for name in _BODIES.get(source.name, ())]
    schema: dict[str, Any] = {"anyOf": ours} if ours else {"type": "object", "description": source.title}
    content = {"application/json": {"schema": schema}}
    if source.form:
        content["application/x-www-form-urlencoded"] = {"schema": {"type": "object"}}
    if source.name == "cloudevents":
        content["application/cloudevents+json"] = {"schema": schema}
        content["application/cloudevents-batch+json"] = {
            "schema": {"type": "array", "maxItems": 1000, "items": ours[0]}
        }
    return content


def _answer(status: str, meaning: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": meaning, "content": content, **({"headers": _RETRY} if status in {"429", "503"} else {})}
