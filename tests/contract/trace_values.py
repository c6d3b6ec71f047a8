"""The traces that the conformance suite of the trace port is run on.

A front calls a basket, which asks a store outside of any namespace and a bank in another one. Every ten seconds of an
hour a request comes in; a few of them fail or take long, and before and after the window there are some more.
"""

from datetime import UTC, datetime, timedelta

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span

WINDOW = Window(datetime(2026, 3, 1, 11, 0, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
START = WINDOW.start.timestamp()
EVERY = 10.0
REQUESTS = 360
FAILED = frozenset({100, 200, 205, 210, 300})
SLOW = frozenset({150, 250, 350})
REFUSED = "connection refused by the store"


def request(number: int, at: float) -> list[Span]:
    """The spans of one request that came in ``at`` seconds since the epoch."""
    trace = f"{number + 1:032x}"
    long = 3.0 if number in SLOW else 0.2
    failed = number in FAILED
    message = {"status.message": REFUSED} if failed else {}
    shop = {"k8s.namespace.name": "shop", "k8s.pod.name": "front-0"}
    basket = {"k8s.namespace.name": "shop", "k8s.pod.name": "basket-0"}
    asked = {"peer.service": "store", "db.system": "redis", "span.kind": "client"}
    return [
        Span(trace, _id(number, 1), "", "front", "GET /", at, at + long, False, {**shop, "span.kind": "server"}),
        Span(trace, _id(number, 2), _id(number, 1), "basket", "Add", at + 0.01, at + long - 0.01, failed,
             {**basket, "span.kind": "server", "http.route": "/add", **message}),
        Span(trace, _id(number, 3), _id(number, 2), "store", "SET", at + 0.02, at + 0.03, False, asked),
        Span(trace, _id(number, 4), _id(number, 2), "bank", "Pay", at + 0.03, at + 0.05, False,
             {"k8s.namespace.name": "vault"}),
    ]  # fmt: skip


def _id(number: int, place: int) -> str:
    return f"{number * 16 + place + 16:016x}"


def spans() -> list[Span]:
    """All of them, those outside of the window included."""
    inside = [span for number in range(REQUESTS) for span in request(number, START + 5 + EVERY * number)]
    early = request(REQUESTS + 1, (WINDOW.start - timedelta(minutes=5)).timestamp())
    late = request(REQUESTS + 2, (WINDOW.end + timedelta(minutes=5)).timestamp())
    return [*early, *inside, *late]
