"""One client among many, told by who is named in the request lines; a caller from inside is none."""

import pytest

from agent_sre.analysis.clients import client_abuse, identities
from tests.scenarios.telemetry_case import Incident

MANY = tuple(n / 20 for n in range(1, 130))


def busy(line: str = "", *, requests: float = 400) -> Incident:
    """basil gets this many requests a second instead of 20, and prints a line over and over."""
    incident = Incident().alert("LatencyHigh", "basil", "basil is slow").calls(("gate", "basil"), ("basil", "mint"))
    incident.requests("basil", 20, requests).requests("gate", 20, 20).latency("basil", 50, 900)
    return incident.logs("basil", line, *MANY) if line else incident


def found(incident: Incident) -> list[str]:
    return [item.object.name for item in client_abuse(incident.case())]


def test_the_client_that_had_few_of_the_lines_before_and_most_of_them_since() -> None:
    incident = busy("INFO search client_id=tenant-8 q=*")
    for n in range(50):
        incident.logs("basil", f"INFO search client_id=tenant-{n % 9} q=leaf", n - 55)
    assert found(incident) == ["basil"]
    (item,) = client_abuse(incident.case())
    assert {"gate", "mint"} <= {ref.name for ref in item.explains}


def test_many_clients_that_send_more_are_a_surge() -> None:
    incident = busy()
    for n, minute in enumerate(MANY):
        incident.logs("basil", f"INFO search client_id=tenant-{n % 40} q=leaf", minute, minute - 30)
    assert found(incident) == []


def test_the_only_one_that_is_named_where_requests_multiplied() -> None:
    line = "WARN rate high client_ip=203.0.113.77 path=/all status=429"
    assert found(busy(line)) == ["basil"]
    assert found(busy(line, requests=20)) == []


def test_a_caller_from_inside_has_other_reasons() -> None:
    assert found(busy("WARN rate high caller=gate path=/all status=429")) == []


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ('203.0.113.9 - - "GET /a HTTP/1.1" 200 5', ("address", "203.0.113.9")),
        ('{"client_ip":"203.0.113.9","path":"/a"}', ("client_ip", "203.0.113.9")),
        ("INFO served tenant_id=acme in 4 ms", ("tenant_id", "acme")),
        ("127.0.0.1 - - health", None),
        ("INFO nothing of a client", None),
    ],
)
def test_whom_a_request_line_names(line: str, seen: tuple[str, str] | None) -> None:
    assert next(iter(identities(line)), None) == seen
