"""Rows of a log store made into lines: which of its fields is what, and one text from the parts of a row.

A shipper names the fields, so they are configurable; what is shipped apart (a level, an error's text) is put back into
the line, because that is where people and analyzers look for it. Text is hostile here too: cleaned and cut as
``domain.log_text`` does it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_text import MAX_LINE, clean
from agent_sre.domain.telemetry import LogSource

NODES = "@nodes"


@dataclass(frozen=True, slots=True)
class LogFields:
    """Names of a store's fields (labels, for Loki). ``level`` may be "": then the text alone tells."""

    namespace: str
    pod: str
    container: str
    message: str
    level: str
    time: str
    node: str
    unit: str

    def changed(self, given: Mapping[str, str], setting: str) -> "LogFields":
        """With the site's own names. Raises PermanentError for a key that is none of these."""
        known = {item.name for item in fields(self)}
        if unknown := sorted(set(given) - known):
            raise PermanentError(f"{setting} has {', '.join(unknown)}; its keys are {', '.join(sorted(known))}")
        return replace(self, **given)

    def place(self, source_namespace: str) -> tuple[str, str]:
        """The fields that hold pod and container, or node and unit."""
        return (self.node, self.unit) if source_namespace == NODES else (self.pod, self.container)


def entry_text(message: str, level: str = "", details: Iterable[tuple[str, str]] = ()) -> str:
    """The line as a person would read it: level, message and details, of which those the message repeats are left."""
    parts = [message] if not level or level.lower() in message[:200].lower() else [f"level={level}", message]
    parts += [f"{name}={value}" for name, value in details if value and value not in message]
    text = " ".join(part for part in parts if part).rstrip("\r\n")
    return clean(text[:MAX_LINE]) + (" [line cut]" if len(text) > MAX_LINE else "")


def only_current(source: LogSource, name: str) -> None:
    """Raises PermanentError for a previous run: a store keeps the lines of all runs together."""
    if source.previous:
        raise PermanentError(f"{name} does not tell the runs of {source.pod} apart; read it without 'previous'")


def cut_note(dropped: int) -> tuple[str, ...]:
    """What to say of rows that were too long to be read."""
    return (f"{dropped} rows were too long to be read",) if dropped else ()


def sampled_by(total: int, max_lines: int) -> int:
    """Of how many lines a store should pick one, so that an even sample can be taken of what it picks."""
    return max(total // max(2 * max_lines, 1), 1)
