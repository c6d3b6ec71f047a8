"""How far what a change says fits what the incident says: shared words, named files, and edits of a fitting kind.

A guilty change and the errors that it causes name the same things. Three kinds of agreement are told apart, from weak
to strong: rare words in both; a name made of several words (a flag, a setting) whose parts a log message has, however
it writes them; a file that a stack trace names and the change edits. An edit of a kind that breaks services counts
where what is heard is of the kind it leads to. Called for recorded changes, for rollouts (whose differences are
written as a diff) and for edited ConfigMaps alike.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import departures
from agent_sre.analysis.diffs import read
from agent_sre.analysis.evidence_words import compounds, incident_files, incident_pieces, incident_words, shared
from agent_sre.analysis.origin import symptom
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.signals import about
from agent_sre.domain.telemetry import Change

_NAMED = 2.0
"""The weight of a compound name or a file that both name; that of a plain word is at most 1."""
_WORDS_FOR = {
    "guard removed": ("nil", "null", "none", "pointer", "undefined", "panic", "exception", "index", "keyerror"),
    "timeout lowered": ("timeout", "deadline", "deadlineexceeded", "canceled", "timed", "exceeded"),
    "limit lowered": ("exhausted", "pool", "limit", "rejected", "memory", "oom", "queue", "saturated", "busy"),
    "call in a loop": ("slow", "select", "query", "duration_ms", "timeout"),
    "batching dropped": ("throttl", "capacity", "rate", "exceeded", "slow"),
    "field changed": (
        "missing",
        "field",
        "required",
        "deserialize",
        "decode",
        "parse",
        "unmarshal",
        "column",
        "schema",
    ),
    "schema changed": ("column", "relation", "table", "schema", "constraint", "sqlstate"),
    "credentials changed": ("unauthorized", "401", "403", "forbidden", "denied", "authenticat", "credential", "passw"),
    "traffic denied": ("timeout", "timed", "refused", "unreachable", "denied", "rbac"),
    "route changed": ("404", "not_found", "notfound", "mapping", "route", "upstream", "unimplemented", "405", "503"),
    "dependency raised": ("nosuchmethod", "importerror", "version", "incompatible", "undefined", "symbol"),
}  # fmt: skip
_GENERIC = re.compile(r"(?:[-_.]?(?:service|svc|server|api|app|backend|worker|deployment|\d+))+$", re.IGNORECASE)
_SLOWS = frozenset({"call in a loop", "batching dropped", "limit lowered"})


@dataclass(frozen=True, slots=True)
class Content:
    """What a change and the incident have in common. ``fits``: an edit of this kind leads to what is seen."""

    words: tuple[tuple[str, float], ...]
    risks: tuple[str, ...]
    fits: bool

    @property
    def value(self) -> float:
        """How far the change's text fits the symptom, in 0..1."""
        said = 1.0 - exp(-sum(weight for _, weight in self.words) / 2.5)
        edit = 0.75 if self.risks and self.fits else 0.35 if self.risks else 0.0
        return 1.0 - (1.0 - said) * (1.0 - edit)


def content_of(case: CaseFile, change: Change, weights: Mapping[str, float]) -> Content:
    """Compare one change with the incident; ``weights`` says how telling each word is, 1 at most."""
    said = incident_words(case)
    words = dict(shared(change, said, weights))
    words |= {name: _NAMED for name in compounds(change, incident_pieces(case))}
    words |= {file: _NAMED for file in _files(change, incident_files(case))}
    ranked = sorted(words.items(), key=lambda pair: (-pair[1], pair[0]))
    risks = tuple(sorted(read(change).risks))
    return Content(tuple(ranked[:8]), risks, _fits(risks, said, case))


def _files(change: Change, named: frozenset[str]) -> list[str]:
    """The names of edited files that the incident's stack traces name."""
    edited = {path.rpartition("/")[2] for path in read(change).paths}
    return sorted(edited & named)


def _fits(risks: tuple[str, ...], said: Iterable[str], case: CaseFile) -> bool:
    """Whether an edit of this kind leads to what is seen."""
    heard = " ".join(said)
    slow = (
        symptom(case) == "latency" or any(profile.slow > 0.2 for profile in profiles(case).values()) or work_waits(case)
    )
    return any(any(word in heard for word in _WORDS_FOR.get(risk, ())) or (risk in _SLOWS and slow) for risk in risks)


def work_waits(case: CaseFile) -> bool:
    """Whether a queue grew: work waits there, whatever latency says."""
    grown = departures(case, about(case, "queue_depth", "queue"))
    return any(moved.strong and moved.after > moved.before for moved in grown)


def concerns(text: str, name: str) -> bool:
    """Whether a path or target names a workload: by a whole segment, with or without "service" and the like."""
    short = _GENERIC.sub("", name).lower()
    parts = {_GENERIC.sub("", part).lower() for part in re.split(r"[/\s]+", text) if part}
    whole = {part.lower() for part in re.split(r"[/\s]+", text) if part}
    return name.lower() in whole or (len(short) > 2 and short in parts)
