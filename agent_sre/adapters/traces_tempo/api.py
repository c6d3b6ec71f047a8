"""Tempo's endpoints as this adapter uses them: search for ids, one trace by its id, values of a tag.

Search takes whole seconds. A trace by its id is looked for in blocks of a range of time that is wider than the window,
since without one every block of the store would be opened. The second version of that endpoint says what is partial and
is missing in older Tempos: then the first one is used, whose answer has no such word.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span
from agent_sre.outbound import Call, Exchange
from agent_sre.outbound.exchange import Absent, TooLong
from agent_sre.outbound.otlp import parse_otlp

MAX_BYTES = 8 * 1024 * 1024
_MARGIN = 1800
_PARTIAL = frozenset({"PARTIAL", 1, "1"})


@dataclass(frozen=True, slots=True)
class Range:
    """Seconds since the epoch, both ends included."""

    start: int
    end: int

    @classmethod
    def around(cls, window: Window) -> "Range":
        """The window in whole seconds; Tempo wants the end to be later than the start."""
        start, end = math.floor(window.start.timestamp()), math.ceil(window.end.timestamp())
        return cls(start, max(end, start + 1))

    def parts(self, number: int) -> list["Range"]:
        """At most so many parts of about the same length, none shorter than a second."""
        number = max(min(number, self.end - self.start), 1)
        ends = [self.start + (self.end - self.start) * place // number for place in range(number + 1)]
        return [Range(start, end) for start, end in itertools.pairwise(ends)]

    def params(self, margin: int = 0) -> dict[str, str]:
        """As parameters of a request."""
        return {"start": str(max(self.start - margin, 0)), "end": str(self.end + margin)}


class TempoApi:
    """Requests to one Tempo. ``notes`` collects what it says of partial answers."""

    def __init__(self, exchange: Exchange, notes: dict[str, None]) -> None:
        self.exchange = exchange
        self.notes = notes
        self.second = True
        """Whether traces are read over the second version of their endpoint."""

    async def ids(self, query: str, span: Range, limit: int) -> list[str]:
        """Ids of at most ``limit`` traces, oldest first."""
        params = {"q": query, "limit": str(limit), "spss": "1", **span.params()}
        document = await self._document("api/search", params)
        found = document.get("traces") or []
        if not isinstance(found, list):
            raise self._foreign("api/search", document)
        metrics = document.get("metrics") or {}
        with self.exchange.well_formed():
            jobs = int(metrics.get("totalJobs") or 0)
            done = int(metrics.get("completedJobs", jobs))
            if done < jobs and len(found) < limit:
                self.notes[f"a search that finished {done} of {jobs} parts"] = None
            self._partial(document)
            dated = sorted((int(item.get("startTimeUnixNano") or 0), str(item["traceID"])) for item in found)
        return [identity for _, identity in dated]

    async def trace(self, identity: str, span: Range) -> list[Span]:
        """The spans of one trace; none, with a note, where it is too long or gone meanwhile."""
        try:
            document = await self._trace(identity, span)
        except TooLong:
            self.notes[f"traces of more than {MAX_BYTES // 1024**2} MB, which are too long to be read"] = None
            return []
        except Absent:
            self.notes["traces that were found but could not be read any more"] = None
            return []
        self._partial(document)
        told = document.get("trace", document)
        if not isinstance(told, dict) or not ({"resourceSpans", "batches"} & set(told)):
            return []
        return list(parse_otlp(told, f"{self.exchange.endpoint}, trace {identity}", float("inf")))

    async def services(self, query: str, span: Range) -> tuple[str, ...]:
        """Values of the service's name on spans that the filter admits, sorted."""
        params = {"q": query, **span.params()}
        document = await self._document("api/v2/search/tag/resource.service.name/values", params)
        values = document.get("tagValues") or []
        with self.exchange.well_formed():
            return tuple(sorted({str(item["value"]) for item in values}))

    async def _trace(self, identity: str, span: Range) -> Mapping[str, Any]:
        # Ids of a search lack leading zeros.
        number, params = identity.rjust(32, "0"), span.params(_MARGIN)
        if self.second:
            try:
                return await self._document(f"api/v2/traces/{number}", params)
            except Absent:
                pass  # an older Tempo, or a trace that is gone: the first version tells which
        found = await self._document(f"api/traces/{number}", params)
        self.second = False
        return found

    async def _document(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        document = await self.exchange.document(Call("GET", path, params=params), MAX_BYTES)
        if not isinstance(document, dict):
            raise self._foreign(path, document)
        return document

    def _partial(self, document: Mapping[str, Any]) -> None:
        if document.get("status") in _PARTIAL:
            message = str(document.get("message") or "no reason given")
            self.notes[f"parts of traces: Tempo answered with a part and said: {message}"] = None

    def _foreign(self, path: str, document: Any) -> PermanentError:
        endpoint = self.exchange.endpoint
        return PermanentError(
            f"{endpoint} is no Tempo: {path} answered {str(document)[:200]!r}; check {endpoint.settings}_URL"
        )
