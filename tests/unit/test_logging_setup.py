"""The service's own log: one JSON line an event, whoever logs, and nothing hidden or endless in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from agent_sre.entrypoints.logging_setup import MAX_VALUE, configure_logging


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers, root.level)
    yield
    root.handlers, level = before
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_every_record_is_one_json_line() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out)
    structlog.get_logger("agent_sre.worker").info("folded", alerts=3)
    structlog.get_logger().debug("not at this level")
    logging.getLogger("uvicorn.error").warning("port %d is taken", 80)
    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["event"], first["alerts"], first["level"]) == ("folded", 3, "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["logger"]) == ("port 80 is taken", "uvicorn.error")


@pytest.mark.usefixtures("restored")
def test_values_are_visible_and_bounded_and_tracebacks_show_no_variables() -> None:
    out = io.StringIO()
    configure_logging("info", "json", out)
    password = "hunter2-in-a-local-variable"
    try:
        raise ValueError("\x1b[2J" + "x" * 10_000)
    except ValueError:
        structlog.get_logger().exception("failed", text="\u202e" + "y" * 10_000)
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert "ValueError: <U+001B>[2J" in line["exception"]
    assert line["text"].startswith("<U+202E>")
    assert len(line["text"]) == MAX_VALUE
    assert password not in out.getvalue()


@pytest.mark.usefixtures("restored")
def test_on_a_terminal_it_is_text() -> None:
    out = io.StringIO()
    configure_logging("info", "console", out)
    try:
        raise ValueError("the reason")
    except ValueError:
        structlog.get_logger().exception("failed", incident="INC-1")
    text = out.getvalue()
    assert "failed" in text
    assert "incident=INC-1" in text
    assert "ValueError: the reason" in text
