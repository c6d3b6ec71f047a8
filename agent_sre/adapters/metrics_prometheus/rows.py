"""A query's answer read row by row, so that memory holds what is kept and not what was sent.

A careless selector can match 100,000 series; an answer of that size, decoded whole, takes several hundred megabytes.
Every row of a result begins with ``{"metric":``. Inside a JSON string a quote is always escaped, so these bytes never
occur in a label's value: a row can be cut out without reading what is in it, and decoded on its own.
"""

import json
import re
from array import array
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import orjson

from agent_sre.domain.telemetry import Series

_ROW = re.compile(rb'\{\s*"metric"\s*:')
_MARK = 64
"""More bytes than the beginning of a row takes: where the search for it goes on."""


@dataclass(slots=True)
class Result:
    """What was read: the answer around its rows (``document``), the rows kept, and how many there were.

    ``cut``: the answer was longer than allowed and its rest, warnings included, was not read.
    """

    document: Any = None
    series: list[Series] = field(default_factory=list)
    total: int = 0
    histograms: bool = False
    cut: bool = False


async def read_result(parts: AsyncIterator[bytes], max_series: int, max_bytes: int) -> Result:
    """Read a body to its end or to ``max_bytes``. Raises ValueError, KeyError or TypeError where it is malformed."""
    result, held, searched, size = Result(), bytearray(), 0, 0
    head: bytes | None = None
    async for part in parts:
        size += len(part)
        held += part
        begins = [match.start() for match in _ROW.finditer(held, searched)]
        if head is None and begins:
            head = bytes(held[: begins[0]])
        elif head is not None:
            begins = [0, *(begin for begin in begins if begin)]
        for begin, end in pairwise(begins):
            _take(result, held[begin:end].rstrip(b", \r\n\t"), max_series)
        if begins:
            del held[: begins[-1]]
        searched = max(len(held) - _MARK, 1 if head is not None else 0)
        if size > max_bytes:
            result.cut = True
            break
    if head is None:
        result.document = None if result.cut else orjson.loads(held)
        for other in _other_rows(result.document):
            _take(result, orjson.dumps(other), max_series)
    elif result.cut:
        result.document = orjson.loads(head + b"]}}")
    else:
        text = held.decode()
        row, end = json.JSONDecoder().raw_decode(text)
        _take(result, orjson.dumps(row), max_series)
        result.document = orjson.loads(head + text[end:].encode())
    return result


def _other_rows(document: Any) -> list[Any]:
    """Rows that begin with another key than the API's own servers write first."""
    data = document.get("data") if isinstance(document, dict) else None
    found = data.get("result") if isinstance(data, dict) and data.get("resultType") in ("vector", "matrix") else None
    return found if isinstance(found, list) else []


def _take(result: Result, row: bytes | bytearray, max_series: int) -> None:
    result.total += 1
    if result.total > max_series:
        return
    decoded = orjson.loads(row)
    result.histograms |= "histogram" in decoded or "histograms" in decoded
    if "value" in decoded or "values" in decoded:
        result.series.append(_plain(decoded))


def _plain(row: Mapping[str, Any]) -> Series:
    labels = {str(key): str(value) for key, value in row["metric"].items()}
    points = row["values"] if "values" in row else [row["value"]]
    times = array("d", [float(point[0]) for point in points])
    values = array("d", [float(point[1]) for point in points])
    return Series(labels.pop("__name__", ""), labels, times, values)
