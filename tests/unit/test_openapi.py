"""The OpenAPI document is whole, follows from the table of sources, and says of our own payloads what is true."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.routing import Route

from agent_sre.entrypoints.openapi import document, openapi_route
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.entrypoints.webhook_auth import WebhookAuth
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.entrypoints.webhooks import Webhooks
from agent_sre.service.accept_payload import Accepted, Delivery
from agent_sre.service.alert_sources import SOURCES
from tests.unit.recorded_payloads import document as recorded, shapes

DOCUMENT = document()
OPERATIONS = [(path, method, found) for path, item in DOCUMENT["paths"].items() for method, found in item.items()]


def values(node: Any) -> Iterator[Any]:
    yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from values(inner)


def resolved(reference: str) -> Any:
    found: Any = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_is_an_openapi_document_of_version_3_1() -> None:
    assert re.fullmatch(r"3\.1\.\d", DOCUMENT["openapi"])
    assert {"title", "version"} <= set(DOCUMENT["info"])
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def test_every_reference_leads_somewhere() -> None:
    references = [node["$ref"] for node in values(DOCUMENT) if isinstance(node, dict) and "$ref" in node]
    assert references
    assert all(isinstance(resolved(reference), dict) for reference in references)


@pytest.mark.parametrize(("path", "method", "found"), OPERATIONS, ids=[path for path, _, _ in OPERATIONS])
def test_every_operation_is_whole(path: str, method: str, found: dict[str, Any]) -> None:
    assert path.startswith("/")
    assert method == "post"
    assert {"operationId", "summary", "requestBody", "responses", "security"} <= set(found)
    assert found["requestBody"]["content"]
    named = {item["name"] for item in found.get("parameters", ()) if item["in"] == "path" and item["required"]}
    assert named == set(re.findall(r"\{(\w+)\}", path))
    for status, answer in found["responses"].items():
        assert re.fullmatch(r"[245]\d\d", status)
        assert answer["description"]
        assert ("headers" in answer) == (status in {"429", "503"})
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert all(set(requirement) <= set(schemes) for requirement in found["security"])


def test_operations_have_names_of_their_own() -> None:
    names = [found["operationId"] for _, _, found in OPERATIONS]
    assert len(names) == len(set(names))


def test_it_lists_exactly_the_routes_that_are_served() -> None:
    async def accept(delivery: Delivery) -> Accepted:
        return Accepted(0)

    doors = {name: Door(WebhookAuth()) for name in (*SOURCES, "changes")}
    routes = Webhooks(accept, lambda: None, doors, Telemetry()).routes()
    assert {route.path for route in routes} == set(DOCUMENT["paths"])
    assert isinstance(openapi_route(), Route)


@pytest.mark.parametrize("shape", [shape for source, shape in shapes() if source == "generic"])
def test_our_own_payloads_are_as_the_schema_says(shape: str) -> None:
    payload = recorded("generic", shape)
    schema = DOCUMENT["components"]["schemas"]["Alert"]
    for alert in payload.get("alerts", [payload]):
        assert set(schema["required"]) <= set(alert) <= set(schema["properties"])
