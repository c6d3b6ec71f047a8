"""A Loki over real sockets, written from its public API documents: a recorded protocol, not the real program.

Speaks ``query_range``, ``query``, ``series``, ``labels`` and ``buildinfo`` over rows it is given, and of LogQL what a
log reader needs: a selector with ``=`` and ``=~`` (anchored), line filters with ``|~``, a label filter, and ``sum by``
over ``count_over_time``. Ranges of lines have their start and not their end, counts their end and not their start, as
the documents say. Anything else is a parse error in Loki's words.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from agent_sre.testing.recorded_server import Recorded, Request

_STRING = r'"(?:[^"\\]|\\.)*"'
_MATCHER = re.compile(rf"\s*([a-zA-Z_]\w*)\s*(=~|=)\s*({_STRING})\s*(,|$)")
_SELECTOR = re.compile(rf"\{{((?:[^\"{{}}]|{_STRING})*)\}}")
_STAGE = re.compile(rf"\s*(?:\|~\s*({_STRING})|\|\s*([a-zA-Z_]\w*)=~({_STRING}))")
_COUNT = re.compile(r"sum(?: by \(([\w, ]*)\))? ?\(count_over_time\((.*) \[(\d+)ms\]\)\)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One stored line; ``time`` in nanoseconds since the epoch."""

    time: int
    labels: Mapping[str, str]
    text: str


@dataclass(slots=True)
class LokiServer:
    """``lines`` are what it holds; ``tenants`` who may ask (empty: anybody); ``most`` its limit of lines per answer."""

    lines: list[Line] = field(default_factory=list)
    tenants: frozenset[str] = frozenset()
    most: int = 5_000
    warnings: tuple[str, ...] = ()
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if self.tenants and request.headers.get("X-Scope-OrgID") not in self.tenants:
            return web.Response(status=401, text="no org id")
        handlers = {"query_range": self._query_range, "query": self._query, "series": self._series}
        name = request.path.removeprefix("/loki/api/v1/")
        if name == "status/buildinfo":
            return web.json_response({"version": "3.5.1", "revision": "recorded", "goVersion": "go1.24"})
        if name == "labels":
            return _success(sorted({label for line in self.lines for label in line.labels}))
        if name not in handlers:
            return web.Response(status=404, text="404 page not found")
        try:
            return handlers[name](request.fields)
        except ValueError as error:
            return web.Response(status=400, text=f"parse error at line 1, col 1: {error}")

    def _query_range(self, fields: Mapping[str, str]) -> web.Response:
        start, end = int(fields["start"]), int(fields["end"])
        counted = _COUNT.fullmatch(fields["query"])
        if counted:
            step = round(float(fields["step"]) * 1000) * 1_000_000
            found = self._selected(counted[2])
            span = int(counted[3]) * 1_000_000
            points = []
            for at in range(start, end + 1, step):
                number = sum(at - span < line.time <= at for line in found)
                if number:
                    points.append([at // 1_000_000 / 1000, str(number)])
            return self._result("matrix", [{"metric": {}, "values": points}] if points else [])
        limit = int(fields.get("limit", "100"))
        if limit > self.most:
            text = f"max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {self.most})"
            return web.Response(status=400, text=text)
        found = sorted(self._selected(fields["query"]), key=lambda line: line.time)
        inside = [line for line in found if start <= line.time < end]
        kept = inside[:limit] if fields.get("direction") == "forward" else inside[::-1][:limit]
        return self._result("streams", _streams(kept))

    def _query(self, fields: Mapping[str, str]) -> web.Response:
        counted = _COUNT.fullmatch(fields["query"])
        if not counted:
            raise ValueError("log queries are not supported as an instant query type")
        at, span = int(fields["time"]), int(counted[3]) * 1_000_000
        labels = [label.strip() for label in (counted[1] or "").split(",") if label.strip()]
        number = Counter(
            tuple((label, line.labels[label]) for label in labels if label in line.labels)
            for line in self._selected(counted[2])
            if at - span < line.time <= at
        )
        rows = [{"metric": dict(key), "value": [at / 1e9, str(count)]} for key, count in number.items()]
        return self._result("vector", rows)

    def _series(self, fields: Mapping[str, str]) -> web.Response:
        # The index knows chunks, which are an hour long here: it lists more than has lines in the range.
        hour = 3_600 * 10**9
        start, end = int(fields["start"]) // hour * hour, -(-int(fields["end"]) // hour) * hour
        found = {
            tuple(sorted(line.labels.items()))
            for line in self._selected(fields["match[]"])
            if start <= line.time <= end
        }
        return _success([dict(labels) for labels in sorted(found)])

    def _result(self, kind: str, result: Sequence[object]) -> web.Response:
        document: dict[str, object] = {"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}}
        if self.warnings:
            document["warnings"] = list(self.warnings)
        return web.json_response(document)

    def _selected(self, query: str) -> list[Line]:
        selector = _SELECTOR.match(query)
        if selector is None:
            raise ValueError("syntax error: unexpected IDENTIFIER, expecting {")
        found = [line for line in self.lines if _admits(line, selector[1])]
        position = selector.end()
        while position < len(query):
            stage = _STAGE.match(query, position)
            if stage is None:
                raise ValueError(f"syntax error: unexpected {query[position : position + 20]!r}")
            if stage[1]:
                wanted = re.compile(json.loads(stage[1]), re.ASCII)
                found = [line for line in found if wanted.search(line.text)]
            else:
                wanted = re.compile(json.loads(stage[3]))
                found = [line for line in found if wanted.fullmatch(line.labels.get(stage[2], ""))]
            position = stage.end()
        return found


def _admits(line: Line, matchers: str) -> bool:
    position, admitted = 0, True
    while position < len(matchers):
        found = _MATCHER.match(matchers, position)
        if found is None:
            raise ValueError(f"syntax error: unexpected {matchers[position:]!r}")
        value, wanted = line.labels.get(found[1], ""), json.loads(found[3])
        admitted = admitted and (value == wanted if found[2] == "=" else re.fullmatch(wanted, value) is not None)
        position = found.end()
    return admitted


def _streams(lines: Iterable[Line]) -> list[object]:
    found: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
    for line in lines:
        found.setdefault(tuple(sorted(line.labels.items())), []).append([str(line.time), line.text])
    return [{"stream": dict(labels), "values": values} for labels, values in found.items()]


def _success(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data})
