"""Which routes fail, by the access lines in the logs: the method, the path and the status that a server writes.

Two forms cover most servers: the common log format (``"GET /pay HTTP/1.1" 502``, also of nginx, Envoy and Apache), and
structured entries with a path and a status of their own. Identifiers in a path are masked, so that a route is counted
once. Only lines since the incident began are looked at, up to a bound. Routes from metrics are better where there are
any.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_sre.analysis.casefile import CaseFile, Seen
from agent_sre.analysis.departures import clock
from agent_sre.analysis.log_entries import parting
from agent_sre.analysis.log_records import plain
from agent_sre.analysis.request_share import Hit
from agent_sre.analysis.signals import workload_of_pod
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import LogLine, LogStream
from agent_sre.domain.visible import one_line

_COMMON = re.compile(
    r'"?(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) (?P<path>/[^\s"?]*)\S* HTTP/[\d.]+"? (?P<status>\d{3})\b'
)
_PATH = re.compile(r"(?:^|[\s{.])(?:http[._]route|route|url[._]path|request_path|path|uri)=(?P<path>/[^\s?,]*)")
_STATUS = re.compile(
    r"(?:^|[\s{.])(?:http[._])?(?:response[._])?(?:status|status_?code|statusCode|code)=(?P<status>\d{3})\b"
)
_IDENTIFIER = re.compile(r"(?<=/)(?:\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[0-9a-fA-F]{12,}|[\w-]*\d[\w-]{15,})(?=/|$)")
_MOST_LINES = 20_000
_LEAST_FAILED, _LEAST_SHARE = 3, 0.02


@dataclass(slots=True)
class _Route:
    asked: int = 0
    failed: int = 0
    first: tuple[Seen[LogStream], LogLine] | None = None


def access_hits(case: CaseFile, names: Iterable[str]) -> list[Hit]:
    """Routes of these workloads that answer 5xx since the incident began, the worst share first."""
    start, wanted = datetime.fromtimestamp(parting(case), UTC), frozenset(names)
    routes: dict[tuple[str, str], _Route] = defaultdict(_Route)
    looked = 0
    for seen in case.streams:
        name = workload_of_pod(seen.value.source.pod)
        if name not in wanted or seen.value.source.namespace == "@nodes":
            continue
        for line in reversed(seen.value.lines):
            if line.time is None or line.time < start or looked >= _MOST_LINES:
                break
            looked += 1
            _count(routes, name, seen, line)
    found = list(_failing(routes, start))
    return sorted(found, key=lambda hit: (-(hit.failing or 0.0), hit.service, hit.route))


def request_of(text: str) -> tuple[str, int] | None:
    """Route and status that an access line tells, or None for any other line."""
    match = _COMMON.search(text)
    if match is not None:
        return _IDENTIFIER.sub(":id", match["path"]), int(match["status"])
    if "/" not in text or ("tatus" not in text and "code" not in text):
        return None
    words = plain(text)
    path, status = _PATH.search(words), _STATUS.search(words)
    return (_IDENTIFIER.sub(":id", path["path"]), int(status["status"])) if path and status else None


def _count(routes: dict[tuple[str, str], _Route], name: str, seen: Seen[LogStream], line: LogLine) -> None:
    request = request_of(line.text)
    if request is None:
        return
    route = routes[name, request[0]]
    route.asked += 1
    if request[1] >= 500:
        route.failed += 1
        route.first = seen, line


def _failing(routes: dict[tuple[str, str], _Route], start: datetime) -> Iterator[Hit]:
    for (name, path), route in routes.items():
        if route.first is None or route.failed < _LEAST_FAILED or route.failed < _LEAST_SHARE * route.asked:
            continue
        seen, line = route.first
        text = f"{route.failed} of {route.asked} requests to {path} of {name} were answered 5xx"
        shown = f"{seen.value.source}: {one_line(line.text, 300)}; {text} since {clock(start.timestamp())}"
        yield Hit(name, path, route.failed / route.asked, Fact(text, seen.observation, shown, line.time))
