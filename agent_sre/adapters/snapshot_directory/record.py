"""``observations.jsonl``: what an exported investigation saw, one observation per line, its gaps in the first.

An addition to the snapshot format, version 1: a reader that does not know it still has all the other files. It comes
from strangers like every file of a snapshot, so a line is bounded and its shape is checked.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import orjson

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Gap, Observation

RECORD = "observations.jsonl"
_FORMAT = 1
_MAX_LINE = 256 * 1024**2
_MAX_LINES = 100_000


def read_record(stream: IO[bytes], file: str) -> tuple[tuple[Observation, ...], tuple[Gap, ...]]:
    """Observations and gaps. Raises PermanentError naming the line that is not one."""
    lines = _lines(stream, file)
    observations: list[Observation] = []
    try:
        head = orjson.loads(next(lines, b"null"))
        if not isinstance(head, dict) or head.get("format") != _FORMAT:
            raise ValueError(f"its first line must hold format {_FORMAT} and the gaps")
        gaps = tuple(Gap(**{key: str(value) for key, value in gap.items()}) for gap in head["gaps"])
        for line in lines:
            observations.append(Observation.from_plain(orjson.loads(line)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = f"{file}: after {len(observations)} observations"
        raise PermanentError(f"{where}: not an observation of this version: {error}") from None
    return tuple(observations), gaps


def _lines(stream: IO[bytes], file: str) -> Iterator[bytes]:
    for number in range(_MAX_LINES + 1):
        line = stream.readline(_MAX_LINE + 1)
        if not line:
            return
        if len(line) > _MAX_LINE or number == _MAX_LINES:
            raise PermanentError(f"{file}: line {number + 1}: more than an investigation can have seen; not read")
        yield line


def record_lines(observations: Iterable[Observation], gaps: Sequence[Gap]) -> Iterator[bytes]:
    """The file's lines, each with its end."""
    yield _json({"format": _FORMAT, "gaps": list(gaps)})
    for item in observations:
        yield _json(item.to_plain())


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=dict, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
