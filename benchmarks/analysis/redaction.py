"""Redaction of logs beside the plain way, which is to run every pattern over every line.

The lines are those of loghub's samples, which come from eight systems and know no passwords, with new numbers and ids
in each repetition; between them stand lines of web services with addresses, keys and tokens in their usual places, one
in fifty with a secret. The plain way has fewer kinds of secrets than ours; it is the pass that most log shippers are
configured with. Both replace in the same streams in the same process, one core.
"""

import random
import re
import time
from datetime import UTC, datetime
from pathlib import Path

from agent_sre.domain.evidence import Observation
from agent_sre.domain.telemetry import LogLine, LogSource, LogStream
from agent_sre.evidence.redaction import Redactor
from benchmarks.analysis.log_mining import SETTINGS, labelled_sample, varied
from benchmarks.figures import Figure

_LINES = 100_000
_STREAM = 2_000
_GOAL = 150_000.0
_ROUNDS = 3
_NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
_SERVICE = (
    "GET http://stock:8080/items/{n}?page=2 answered 200 in {n} ms",
    'level=info msg="cache hit" key=item:{n} age={n}s',
    "token of session {n} renewed, expires in 3600 s",
    "published to https://queue.example/parcels partition {n}",
    "WARN slow call to stock took {n} ms, retrying",
)
_SECRETS = (
    "connecting to postgres://app:s3cret{n}@db.shop:5432/app",
    "DB_PASSWORD=hunter{n}x",
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ7{n}In0.c2lnbmF0dXJl{n}",
    "using key AKIAIOSFODNN7EXAMPLE for upload {n}",
)
_PLAIN_WAY = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?i)\b[\w-]*(?:password|passwd|pwd|secret|token|credential)[\w-]*[\"']?\s*[=:]\s*[\"']?([^\s\"',;&]+)",
        r"(?i)\b[\w-]*(?:api|access|private|signing|auth)[_-]?key[\w-]*[\"']?\s*[=:]\s*[\"']?([^\s\"',;&]+)",
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*",
        r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}",
        r"\bxox[a-z]-[\w-]{8,}",
        r"\bsk-[\w-]{16,}|\b[srp]k_(?:live|test)_\w{10,}|\bAIza[\w-]{30,}",
        r"://[^\s:/@]*:([^\s/@]+)@",
        r"(?i)\bauthorization[\"']?\s*[:=]\s*(?:\w+\s+)?([\w+/=.~-]{6,})",
        r"(?i)\bbearer\s+([\w+/=.~-]{8,})",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    )
)


def measure(data: Path) -> list[Figure]:
    """Lines per second of both."""
    streams = _streams(data)
    count = sum(len(stream.lines) for stream in streams)
    ours = theirs = float("inf")
    for _ in range(_ROUNDS):
        fresh = tuple(LogStream(stream.source, stream.lines) for stream in streams)  # what a stream has worked out goes
        found = Observation("log/1", "logs", "benchmark", "all", _NOW, streams=fresh)
        started = time.process_time()
        Redactor(b"benchmark").observation(found)
        ours = min(ours, time.process_time() - started)
        started = time.process_time()
        _plainly(streams)
        theirs = min(theirs, time.process_time() - started)
    speed, beside = count / ours, count / theirs
    goal, met = f">= {_GOAL:g} lines/s", speed >= _GOAL
    return [Figure("lines redacted, one core", speed, "lines/s", "every pattern on every line", beside, goal, met)]


def _streams(data: Path) -> list[LogStream]:
    chance, each = random.Random(11), _LINES // (2 * len(SETTINGS))
    lines: list[str] = []
    for name in SETTINGS:
        entries, _ = labelled_sample(data, name)
        lines += varied(entries, each)[:each]
    for number in range(len(lines)):
        kinds = _SECRETS if number % 25 == 0 else _SERVICE
        lines.append(chance.choice(kinds).format(n=chance.randrange(1000, 9999)))
    chance.shuffle(lines)
    sources = range(0, len(lines), _STREAM)
    return [
        LogStream(
            LogSource("shop", f"pod-{at}", "app"), tuple(LogLine(_NOW, line) for line in lines[at : at + _STREAM])
        )
        for at in sources
    ]


def _plainly(streams: list[LogStream]) -> list[str]:
    redacted = []
    for stream in streams:
        for line in stream.lines:
            text = line.text
            for pattern in _PLAIN_WAY:
                text = pattern.sub("[redacted]", text)
            redacted.append(text)
    return redacted
