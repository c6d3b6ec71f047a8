"""``/healthz``, ``/readyz`` and ``/metrics``: for the orchestrator and for Prometheus.

Healthy means that the process answers: a restart would not mend a database that is down, so nothing else is asked.
Ready means that alerts can be taken in and are worked on: the store answers and the worker's loop goes round.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.incident import IncidentStatus
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.ports.health import Check, CheckState

READY_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Health:
    """What the routes need. ``ready`` looks at the store and the worker; ``count`` gives incidents by status."""

    ready: Callable[[], Awaitable[Sequence[Check]]]
    count: Callable[[], Awaitable[Mapping[IncidentStatus, int]]]
    telemetry: Telemetry

    def routes(self) -> list[Route]:
        """The three routes."""
        return [
            Route("/healthz", self._healthz),
            Route("/readyz", self._readyz),
            Route("/metrics", self._metrics),
        ]

    async def _healthz(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _readyz(self, request: Request) -> Response:
        checks = await self._checks()
        ready = all(check.state is not CheckState.FAILED for check in checks)
        content = {"ready": ready, "checks": [asdict(check) for check in checks]}
        return JSONResponse(content, 200 if ready else 503)

    async def _checks(self) -> Sequence[Check]:
        try:
            async with asyncio.timeout(READY_SECONDS):
                return await self.ready()
        except TimeoutError:
            detail = f"no answer within {READY_SECONDS:g} seconds"
        except (TemporaryError, PermanentError) as error:
            detail = str(error)
        return (Check("store", CheckState.FAILED, detail, "see agent-sre doctor"),)

    async def _metrics(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                self.telemetry.incidents(await self.count())
        except (TimeoutError, TemporaryError, PermanentError):
            # A scrape must not fail with the database: the other metrics are what tells about it.
            self.telemetry.unforeseen("count_incidents")
        return Response(self.telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)
