"""The service's own log: one line an event, JSON where a machine reads it, aligned and coloured on a terminal.

Everything goes the same way, uvicorn's and the libraries' records included. What is logged are ids, counts, fixed
words and our own errors' messages: never a payload, a header, a label or a setting's secret. As a second line of
defence long values are cut and hidden characters written out, so that a log line cannot drive the terminal of who
reads it; tracebacks come without local variables. Called once, by the command that starts the service.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from agent_sre.domain.visible import visible

MAX_VALUE = 2_000
MAX_TRACEBACK = 20_000
_QUIET = {
    "uvicorn.access": logging.CRITICAL,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "aiosqlite": logging.INFO,
}


def configure_logging(level: str = "info", form: str = "auto", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to ``stream`` (standard error).

    ``level``: debug, info, warning or error. ``form``: json, console, or auto (console on a terminal).
    """
    out = stream or sys.stderr
    console = form == "console" or (form == "auto" and out.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _bounded,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if console else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(least)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(max(quiet, least))


def _bounded(logger: WrappedLogger, method: str, event: EventDict) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            limit = MAX_TRACEBACK if key == "exception" else MAX_VALUE
            text = visible(value)
            event[key] = text if len(text) <= limit else text[: limit - 1] + "…"
    return event
