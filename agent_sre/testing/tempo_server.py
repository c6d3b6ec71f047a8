"""A Tempo over real sockets, written from its public API documents: a recorded protocol, not the real program.

Speaks ``search``, traces by id in both versions, values of the service name and ``buildinfo`` over spans it is given;
of TraceQL one span filter: strings compared with ``=``, the status, a least duration, ``&&``, and alternatives in
parentheses. Ids are in base64 and ids of a search lack leading zeros, as Tempo gives them. A search takes the first
traces that it meets, in no order. Anything else is a parse error in Tempo's words.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web

from agent_sre.domain.telemetry import Span
from agent_sre.testing.otlp_answer import resource_spans
from agent_sre.testing.recorded_server import Recorded, Request

_STRING = r'"(?:[^"\\]|\\.)*"'
_EQUAL = re.compile(rf"resource\.([\w.]+) = ({_STRING})")
_DURATION = re.compile(r"duration >= (\d+)us")
_OLD = "404 page not found"


@dataclass(slots=True)
class TempoServer:
    """``spans`` are what it holds; ``tenants`` who may ask (empty: anybody); ``most`` its limit of traces per search.

    ``second`` says whether it has the second version of traces by id, ``partial`` what it says is missing of each.
    """

    spans: list[Span] = field(default_factory=list)
    tenants: frozenset[str] = frozenset()
    most: int = 1_000
    longest: int = 168 * 3600
    second: bool = True
    partial: str = ""
    unfinished: int = 0
    lost: frozenset[str] = frozenset()
    """Ids of traces that a search still finds and that cannot be read any more."""
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if self.tenants and request.headers.get("X-Scope-OrgID") not in self.tenants:
            return web.Response(status=401, text="no org id")
        path = request.path.removeprefix("/api/")
        if path == "status/buildinfo":
            return web.json_response({"version": "2.8.1", "revision": "recorded", "goVersion": "go1.24"})
        if path == "v2/search/tag/resource.service.name/values":
            return self._values(request.fields)
        if path == "search":
            return self._search(request.fields)
        version, _, identity = path.rpartition("traces/")
        if version == "v2/" and self.second:
            return self._second_trace(identity)
        if version == "":
            return self._first_trace(identity)
        return web.Response(status=404, text=_OLD)

    def _search(self, fields: Mapping[str, str]) -> web.Response:
        start, end, limit = int(fields["start"]), int(fields["end"]), int(fields.get("limit", "20"))
        if end <= start:
            return web.Response(status=400, text=f"http parameter start must be before end. received start={start}")
        if end - start > self.longest:
            text = f"range specified by start and end exceeds {self.longest}s. received start={start} end={end}"
            return web.Response(status=400, text=text)
        if limit > self.most:
            return web.Response(status=400, text=f"limit {limit} exceeds max limit {self.most}")
        try:
            wanted = _parsed(fields["q"])
        except ValueError as error:
            return web.Response(status=400, text=f"invalid TraceQL query: parse error at line 1, col 3: {error}")
        traces: dict[str, list[Span]] = {}
        for span in self.spans:
            if start <= span.start <= end and wanted(span):
                traces.setdefault(span.trace_id, []).append(span)
        met = sorted(traces, key=lambda trace: sha256(trace.encode()).digest())[:limit]
        metrics: dict[str, object] = {"inspectedBytes": "4096", "totalBlocks": 3, "totalJobs": 4}
        metrics["completedJobs"] = 4 - self.unfinished
        return web.json_response({"traces": [self._row(trace, traces[trace]) for trace in met], "metrics": metrics})

    def _row(self, trace: str, matched: list[Span]) -> dict[str, object]:
        root = min((span for span in self.spans if span.trace_id == trace), key=lambda span: span.start)
        spans = [{"spanID": span.span_id, "startTimeUnixNano": str(round(span.start * 1e9))} for span in matched[:1]]
        return {
            "traceID": trace.lstrip("0"),
            "rootServiceName": root.service,
            "rootTraceName": root.name,
            "startTimeUnixNano": str(round(root.start * 1e9)),
            "durationMs": round((root.end - root.start) * 1000),
            "spanSets": [{"spans": spans, "matched": len(matched)}],
        }

    def _spans(self, identity: str) -> list[Span]:
        known = [span for span in self.spans if span.trace_id == identity.rjust(32, "0")]
        return [] if identity in self.lost else known

    def _second_trace(self, identity: str) -> web.Response:
        spans = self._spans(identity)
        if not spans:
            return web.Response(status=404, text="trace not found")
        document: dict[str, object] = {"trace": {"resourceSpans": resource_spans(spans, base64=True)}, "metrics": {}}
        if self.partial:
            document |= {"status": "PARTIAL", "message": self.partial}
        return web.json_response(document)

    def _first_trace(self, identity: str) -> web.Response:
        spans = self._spans(identity)
        if not spans:
            return web.Response(status=404, text="trace not found")
        return web.json_response({"batches": resource_spans(spans, base64=True)})

    def _values(self, fields: Mapping[str, str]) -> web.Response:
        try:
            wanted = _parsed(fields.get("q", "{ }"))
        except ValueError:
            wanted = _parsed("{ }")  # a filter that is no query is left out, the documents say
        start, end = int(fields.get("start", "0")), int(fields.get("end", "99999999999"))
        names = sorted({span.service for span in self.spans if start <= span.start <= end and wanted(span)})
        values = [{"type": "string", "value": name} for name in names]
        return web.json_response({"tagValues": values, "metrics": {"inspectedBytes": "377"}})


def _parsed(query: str) -> Callable[[Span], bool]:
    text = query.strip()
    if not (text.startswith("{") and text.endswith("}")):
        raise ValueError(f"syntax error: unexpected {text[:20]!r}, expecting {{")
    inner = text[1:-1].strip()
    conditions = [_condition(term) for term in _split(inner, "&&")] if inner else []
    return lambda span: all(condition(span) for condition in conditions)


def _condition(term: str) -> Callable[[Span], bool]:
    if term.startswith("(") and term.endswith(")"):
        either = [_condition(part) for part in _split(term[1:-1], "||")]
        return lambda span: any(condition(span) for condition in either)
    if term == "status = error":
        return lambda span: span.error
    if length := _DURATION.fullmatch(term):
        least = int(length[1]) / 1e6
        return lambda span: span.end - span.start >= least - 1e-9
    equal = _EQUAL.fullmatch(term)
    if equal is None:
        raise ValueError(f"syntax error: unexpected {term[:30]!r}")
    name, value = equal[1], json.loads(equal[2])
    if name == "service.name":
        return lambda span: span.service == value
    return lambda span: span.attributes.get(name) == value


def _split(text: str, operator: str) -> list[str]:
    """The operands of an operator; one inside a string or parentheses is none."""
    parts, depth, start, position = [], 0, 0, 0
    while position < len(text):
        quoted = re.compile(_STRING).match(text, position)
        if quoted:
            position = quoted.end()
            continue
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0 and text.startswith(operator, position):
            parts.append(text[start:position].strip())
            position += len(operator)
            start = position
            continue
        position += 1
    return [*parts, text[start:].strip()]
