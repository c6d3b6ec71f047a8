"""What a log store adds to the runtime's own files: earlier runs, lines rotated away, and containers that are gone.

The Kubernetes API has the current and the previous run of containers that live; a store has everything that was
shipped to it, but cannot tell runs apart and lags a little. So the API comes first, and the store is asked for exactly
the times that the API did not cover: nothing is read twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream

_PRECISION = timedelta(milliseconds=1)
"""Stores that keep milliseconds date a line up to this much earlier than the runtime did."""
_SHORTEST = timedelta(seconds=1)


def missing(
    stored: Iterable[LogSource],
    listed: Sequence[LogSource],
    answers: Mapping[LogSource, LogStream | None],
    window: Window,
) -> dict[LogSource, tuple[Window, ...]]:
    """For each source of a store the times to ask it for.

    ``listed`` are the sources that the API has, ``answers`` what was read of those that were chosen (None: refused).
    A source that was listed but not chosen is left alone here too.
    """
    known = {_container(source) for source in listed}
    runs: dict[LogSource, list[LogStream | None]] = {}
    for source, answer in answers.items():
        runs.setdefault(_container(source), []).append(answer)
    wanted: dict[LogSource, tuple[Window, ...]] = {}
    for source in stored:
        windows = _uncovered(runs.get(source, []), window) if source in known else (window,)
        if windows:
            wanted[source] = windows
    return wanted


def _container(source: LogSource) -> LogSource:
    """The source as a store knows it, without telling runs apart."""
    return LogSource(source.namespace, source.pod, source.container)


def _uncovered(runs: Sequence[LogStream | None], window: Window) -> tuple[Window, ...]:
    """The parts of the window before and between what the API gave of one container's runs."""
    streams = [stream for stream in runs if stream is not None]
    if not streams:
        return (window,) if runs else ()
    if len(runs) == 1 and not streams[0].left_out:
        return ()  # one run only, and all of it: there was nothing before
    times = sorted((min(dated), max(dated)) for stream in streams if (dated := _times(stream)))
    found, at = [], window.start
    for first, last in times:
        if first - _PRECISION - at > _SHORTEST:
            found.append(Window(at, first - _PRECISION))
        at = max(at, last + timedelta(microseconds=1))
    return tuple(found)


def _times(stream: LogStream) -> list[datetime]:
    return [line.time for line in stream.lines if line.time is not None]
