"""A Prometheus API over real sockets, in front of any MetricsReader.

Speaks the JSON of ``/api/v1``: forms and query strings, string values, error types, warnings. What goes wrong in life
can be played: an error status with any body, silence, a cut connection, an endless answer. Every request is recorded.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series
from agent_sre.ports.metrics import MetricsAnswer, MetricsReader


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What the next request is answered with. Status 0 cuts the connection; ``endless`` repeats the body for ever."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    endless: bool = False


class PrometheusServer:
    """Serves one MetricsReader. ``faults`` are used up one per request, before anything else."""

    def __init__(self, metrics: MetricsReader) -> None:
        self.metrics = metrics
        self.url = ""
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.warnings: list[str] = []
        self.build: dict[str, Any] | None = {"version": "2.42.0", "revision": "unknown"}
        self.targets: list[dict[str, Any]] = [{"health": "up", "labels": {"job": "shop"}}]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["PrometheusServer"]:
        """Listen on a free loopback port while the block runs; ``url`` says where."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; a server that serves other things too calls it for those that are meant for this one."""
        form = await request.post() if request.method == "POST" else {}
        fields = {**dict(request.query), **{key: str(value) for key, value in form.items()}}
        self.requests.append(Request(request.method, request.path, fields, dict(request.headers)))
        if self.faults:
            return await _play(self.faults.pop(0), request)
        try:
            return self._success(await self._answer(request.path.removeprefix("/api/v1/"), fields))
        except PermanentError as error:
            return _error(422, "execution", str(error))
        except ValueError as error:
            return _error(400, "bad_data", f"invalid parameter: {error}")
        except LookupError:
            return web.Response(status=404, text="404 page not found")

    async def _answer(self, path: str, fields: Mapping[str, str]) -> Any:
        if path == "query":
            at = _instant(fields["time"])
            kind = "matrix" if fields["query"].rstrip().endswith("]") else "vector"
            return _data(await self.metrics.query(fields["query"], at), kind)
        if path == "query_range":
            window = Window(_instant(fields["start"]), _instant(fields["end"]))
            step = timedelta(seconds=float(fields["step"]))
            return _data(await self.metrics.query_range(fields["query"], window, step), "matrix")
        if path == "label/__name__/values":
            return sorted(await self.metrics.metric_names(Window(_instant(fields["start"]), _instant(fields["end"]))))
        if path == "query_exemplars":
            window = Window(_instant(fields["start"]), _instant(fields["end"]))
            return [_exemplar(item) for item in await self.metrics.exemplars(fields["query"], window)]
        if path == "rules":
            return {"groups": [{"name": "shop", "file": "rules.yml", "rules": list(await self.metrics.rules())}]}
        if path == "alerts":
            return {"alerts": list(await self.metrics.alerts())}
        if path == "status/buildinfo" and self.build is not None:
            return self.build
        if path == "targets":
            return {"activeTargets": self.targets, "droppedTargets": []}
        raise LookupError(path)

    def _success(self, data: Any) -> web.Response:
        document = {"status": "success", "data": data}
        if self.warnings:
            document["warnings"] = self.warnings
        return web.json_response(document)


async def _play(fault: Fault, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(fault.delay)
    if fault.status == 0:
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if not fault.endless:
        return web.Response(status=fault.status, text=fault.body, headers=fault.headers)
    response = web.StreamResponse(status=fault.status, headers=fault.headers)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:  # until the client has had enough
            await response.write(fault.body.encode() * 1000)
    return response


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": message}, status=status)


def _instant(text: str) -> datetime:
    return datetime.fromtimestamp(float(text), UTC)


def _data(answer: MetricsAnswer, kind: str) -> dict[str, Any]:
    rows = [_row(series, kind) for series in answer.series]
    return {"resultType": kind, "result": rows}


def _exemplar(item: Exemplar) -> dict[str, Any]:
    """As Prometheus gives it; its rows hold all exemplars of a series, which a reader must not rely on."""
    found = {"labels": {"trace_id": item.trace_id}, "value": str(item.value), "timestamp": item.time}
    return {"seriesLabels": {"__name__": item.metric, **item.labels}, "exemplars": [found]}


def _row(series: Series, kind: str) -> dict[str, Any]:
    metric = {"__name__": series.name, **series.labels} if series.name else dict(series.labels)
    points = [[time, _number(value)] for time, value in zip(series.times, series.values, strict=True)]
    return {"metric": metric, "value": points[0]} if kind == "vector" else {"metric": metric, "values": points}


def _number(value: float) -> str:
    """As Go's strconv prints floats: special values by name."""
    special = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
    text = repr(value)
    return special.get(text, json.dumps(value) if text not in special else text)
