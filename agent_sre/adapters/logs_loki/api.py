"""Loki's endpoints as this adapter uses them: lines of a range, counts of ranges and steps, series of the index.

Times are nanoseconds since the epoch. A range of lines has its start and not its end; a count of a range looks back
from an instant and has its end and not its start. Both are hidden here: ranges given are half-open, [start, end).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.outbound import Call, Exchange
from agent_sre.outbound.exchange import TooLong

PAGE = 1_000
"""Lines per request; Loki's own default limit is 5,000."""
_SMALLER = 4
_LIMIT = "max entries limit"
"""What Loki's refusal says where its own limit is lower than what was asked for."""
_MILLISECOND = 1_000_000

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line with its time in nanoseconds and its stream's labels."""

    time: int
    labels: Labels
    line: str


class LokiApi:
    """Requests to one Loki. ``warnings`` collects what it says of partial answers."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.warnings: dict[str, None] = {}

    async def entries(self, query: str, start: int, end: int, limit: int) -> tuple[list[Entry], bool]:
        """The first entries of a range, oldest first, and whether there may be more.

        Where the answer would be too long, fewer are asked for.
        """
        while True:
            fields = {"query": query, "start": str(start), "end": str(end), "limit": str(limit), "direction": "forward"}
            try:
                result = await self._result("query_range", fields, "streams")
            except PermanentError as error:
                if limit == 1 or not (isinstance(error, TooLong) or _LIMIT in str(error)):
                    raise
                limit = max(limit // _SMALLER, 1)
                continue
            with self.exchange.well_formed():
                found = [
                    Entry(int(value[0]), stream["stream"], str(value[1]))
                    for stream in result
                    for value in stream["values"]
                ]
            return sorted(found, key=lambda entry: entry.time), len(found) >= limit

    async def total(self, query: str, start: int, end: int, by: Sequence[str]) -> dict[tuple[str, ...], int]:
        """How many lines a range has, by labels."""
        span = max(-(-(end - start) // _MILLISECOND), 1)
        counted = f"sum by ({', '.join(by)}) (count_over_time({query} [{span}ms]))"
        result = await self._result("query", {"query": counted, "time": str(end - 1)}, "vector")
        with self.exchange.well_formed():
            return {
                tuple(str(row["metric"].get(label, "")) for label in by): round(float(row["value"][1]))
                for row in result
            }

    async def steps(self, query: str, start: int, step: int, number: int) -> dict[int, int]:
        """Lines per step from ``start`` on, by the number of the step; steps without lines are left out."""
        milliseconds = step // _MILLISECOND
        fields = {
            "query": f"sum(count_over_time({query} [{milliseconds}ms]))",
            "start": str(start + step - 1),
            "end": str(start + number * step - 1),
            "step": f"{milliseconds / 1000:.3f}",
        }
        result = await self._result("query_range", fields, "matrix")
        found: dict[int, int] = {}
        with self.exchange.well_formed():
            points = [(float(time), float(value)) for row in result for time, value in row["values"]]
        for time, value in points:
            # The time is cut to milliseconds; it lies at the end of its step.
            index = round((time * 1000 - start / _MILLISECOND) / milliseconds) - 1
            found[index] = found.get(index, 0) + round(value)
        return found

    async def series(self, query: str, start: int, end: int) -> list[Labels]:
        """Label sets of the streams that the index has for a range, which it may take more widely."""
        call = Call("GET", "loki/api/v1/series", params={"match[]": query, "start": str(start), "end": str(end)})
        document = await self.exchange.document(call)
        found = document.get("data") if isinstance(document, dict) else None
        if found is None and isinstance(document, dict) and document.get("status") == "success":
            return []
        if not isinstance(found, list):
            raise self._foreign(document)
        return [item for item in found if isinstance(item, dict)]

    async def _result(self, path: str, fields: Mapping[str, str], kind: str) -> list[Any]:
        document = await self.exchange.document(Call("GET", f"loki/api/v1/{path}", params=fields))
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or data.get("resultType") != kind or not isinstance(data.get("result"), list):
            raise self._foreign(document)
        for warning in [*(document.get("warnings") or ()), *(data.get("warnings") or ())]:
            self.warnings[str(warning)] = None
        found: list[Any] = data["result"]
        return found

    def _foreign(self, document: Any) -> PermanentError:
        endpoint = self.exchange.endpoint
        return PermanentError(
            f"{endpoint} is no Loki: it answered {str(document)[:200]!r}; check {endpoint.settings}_URL"
        )
