"""Facts about Kubernetes objects and log lines, with excerpts that can be checked against what was stored.

The excerpt of an object is its reference on the first line and then ``path=value`` lines, each value literally from
the object; that of a log is its source and the line. ``resolves`` is the inverse: it tells whether such an excerpt is
really in an observation. Here alone is known what excerpts look like, so nothing can be cited that the check does not
know.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.reading import Path, dig, instant, ref_of, text
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import LogLine, LogStream

_MOST = 400
_CUT = "…"


def show_path(path: Path) -> str:
    """``spec.containers[0].image``."""
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return shown.lstrip(".")


def show_value(value: Any) -> str:
    """Text as it is, anything else as compact JSON; one line, cut after 400 characters."""
    shown = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), sort_keys=True, default=str)
    flat = shown.replace("\n", "\\n")
    return flat if len(flat) <= _MOST else flat[:_MOST] + _CUT


def excerpt(value: K8sObject, paths: Iterable[Path]) -> str:
    """The reference and the named fields; a field that is not there is left out."""
    lines = [str(ref_of(value))]
    lines += [f"{show_path(path)}={show_value(found)}" for path in paths if (found := dig(value, *path)) is not None]
    return "\n".join(lines)


def fact(sentence: str, seen: Seen[K8sObject], *paths: Path, time: datetime | None = None) -> Fact:
    """A fact that the named fields of one object show."""
    return Fact(sentence, seen.observation, excerpt(seen.value, paths), time)


def part_fact(sentence: str, seen: Seen[K8sObject], path: Path, part: str) -> Fact:
    """A fact that one line of a long text field shows, such as a setting in a ConfigMap: ``path~=line``."""
    return Fact(sentence, seen.observation, f"{ref_of(seen.value)}\n{show_path(path)}~={show_value(part)}")


def event_time(event: K8sObject) -> datetime | None:
    """When the event was last seen."""
    for path in (("lastTimestamp",), ("series", "lastObservedTime"), ("eventTime",), ("deprecatedLastTimestamp",)):
        found = instant(event, *path)
        if found is not None:
            return found
    return instant(event, "metadata", "creationTimestamp")


def event_fact(seen: Seen[K8sObject], sentence: str = "") -> Fact:
    """A fact that one Event shows; without a sentence the event's own words."""
    event = seen.value
    if not sentence:
        kind = "involvedObject" if "involvedObject" in event else "regarding"
        subject = f"{text(event, kind, 'kind')} {text(event, kind, 'name')}".strip()
        sentence = f"Event {text(event, 'reason')} on {subject}: {show_value(message(event))}"
    paths: tuple[Path, ...] = (("reason",), ("message",), ("note",), ("count",), ("lastTimestamp",))
    paths += (("involvedObject", "kind"), ("involvedObject", "name"), ("regarding", "name"), ("regarding", "kind"))
    return Fact(sentence, seen.observation, excerpt(event, paths), event_time(event))


def message(event: K8sObject) -> str:
    """What the event says, in either API version."""
    return text(event, "message") or text(event, "note")


def log_fact(sentence: str, seen: Seen[LogStream], line: LogLine) -> Fact:
    """A fact that one log line shows."""
    return Fact(sentence, seen.observation, f"logs {seen.value.source}\n{show_value(line.text)}", line.time)


def resolves(shown: str, observation: Observation) -> bool:
    """Whether every line of an object's or a log's excerpt is really in the observation."""
    head, _, rest = shown.partition("\n")
    lines = rest.split("\n") if rest else []
    if head.startswith("logs "):
        return _in_logs(head.removeprefix("logs "), lines, observation)
    found = [item for item in observation.objects if str(ref_of(item)) == head]
    return any(all(_in_object(line, item) for line in lines) for item in found)


def _in_logs(source: str, lines: list[str], observation: Observation) -> bool:
    streams = [stream for stream in observation.streams if str(stream.source) == source]
    shown = {show_value(line.text) for stream in streams for line in stream.lines}
    return bool(lines) and all(line in shown for line in lines)


def _in_object(line: str, item: Mapping[str, Any]) -> bool:
    for path, value in _fields(item, ""):
        if line == f"{path}={show_value(value)}":
            return True
        if line.startswith(f"{path}~=") and line.removeprefix(f"{path}~=").rstrip(_CUT) in show_whole(value):
            return True
    return False


def show_whole(value: Any) -> str:
    """A text field on one line, uncut."""
    return value.replace("\n", "\\n") if isinstance(value, str) else ""


def _fields(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    """Every field at every depth as (shown path, value)."""
    if path:
        yield path, value
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _fields(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for place, entry in enumerate(value):
            yield from _fields(entry, f"{path}[{place}]")
