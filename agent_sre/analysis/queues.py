"""Queues: messages that arrive faster than they are taken, and one message that is taken again and again.

A queue that grows has a slow, a dead or a stuck consumer, or a busy producer; the consumer is what a person looks at,
so it is the object. One message that fails for ever looks the same from outside, but its own id or offset gives it
away: the same one returns in the consumer's log, many times, with an error or a redelivery. Then that is the cause and
the growing queue its consequence. Called by the engine.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile, Seen, per_case
from agent_sre.analysis.departures import LONGEST_LEAD, Departure, alerted, departures, number
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.kubernetes.reading import items, text
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.signals import about, workload_of_pod
from agent_sre.analysis.stores import dependants, stores
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.telemetry import LogLine, LogStream

_GROWN = 5.0
_DEEP = 50.0
_IDENTITY = re.compile(
    r"\boffset[=: ]+(?P<offset>\d+)|(?P<at>[\w.-]+[-@]\d+@\d+)|\bfor [\w.-]+-\d+@(?P<spring>\d+)"
    r"|\bmessage(?:[_ ]?id)?[=: ]+(?:id[=: ]+)?[\"']?(?P<message>[\w-]{4,})|\b(?:delivery|event|job|task)[_ -]?"
    r"(?:tag|id)[=: ]+[\"']?(?P<other>[\w-]{3,})",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"retr(?:y|ies|ied|ying)|redeliver|requeu|seek|back-?off|attempt|nack|dead.?letter|\bfail|\berror|exception|poison",
    re.IGNORECASE,
)
_AGAIN_HOLDS = (
    "retr", "redeliver", "requeu", "seek", "back-off", "backoff", "attempt", "nack", "dead", "fail", "error",
    "exception", "poison",
)  # fmt: skip
_GLANCE = ("ffset", "essage", "edeliver", "@", "_id", "ag=", "job", "task", "event")
_REPEATS = 8
_RARE = 10
_DEPTH_TOLD = re.compile(
    r"(?:queue|backlog)[ _-]?(?:depth|size|length)?[=: ]+(?P<depth>\d+)|(?:consumer[ _-]?)?lag[=: ]+(?P<lag>\d+)"
    r"|(?P<pending>\d+) (?:messages|jobs|tasks|events) (?:pending|waiting|queued|in (?:the )?(?:queue|backlog))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Repeated:
    """A message that one workload takes again and again: its identity, how often, and the last line about it."""

    workload: str
    namespace: str
    identity: str
    count: int
    seen: Seen[LogStream]
    line: LogLine
    first: datetime | None


def poison_message(case: CaseFile) -> Iterable[Finding]:
    """Consumers that fail at the same message for ever."""
    for item in _repeated(case):
        consumer = object_of(case, item.workload, item.namespace)
        told = f"{item.workload} comes back to message {item.identity} {item.count} times"
        shown = f"{item.seen.value.source}: {item.line.text[:300]}; {item.identity} in {item.count} lines"
        growing = [moved for moved in _grown(case) if _consumer(case, moved).name == item.workload]
        facts = [Fact(told, item.seen.observation, shown, item.first)]
        facts += [
            moved.fact(f"Its queue stands at {number(moved.after)}, usually {number(moved.before)}")
            for moved in growing[:1]
        ]
        yield Finding(
            analyzer="poison_message",
            fault="poison_message",
            object=consumer,
            strength=0.86 if growing else 0.78,
            statement=f"{told}: one message fails again and again and holds up what is behind it.",
            facts=tuple(facts),
            onset=item.first,
            explains=dependants(case, item.workload),
            distinguish="the message itself, and whether the position of its queue or partition moves",
        )


@per_case
def _repeated(case: CaseFile) -> list[Repeated]:
    """By workload, the message named most often in lines that speak of failing or trying again."""
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    last: dict[tuple[str, str, str], tuple[Seen[LogStream], LogLine]] = {}
    first: dict[tuple[str, str, str], datetime | None] = {}
    for seen in case.streams:
        source = seen.value.source
        if source.namespace == "@nodes":
            continue
        key = source.namespace, workload_of_pod(source.pod)
        for line, identity in _identities(seen.value):
            counts[key][identity] += 1
            last[(*key, identity)] = seen, line
            first.setdefault((*key, identity), line.time)
    found = []
    for (namespace, workload), counter in sorted(counts.items()):
        identity, count = counter.most_common(1)[0]
        if count >= _REPEATS and count >= 0.5 * counter.total():
            place = (namespace, workload, identity)
            found.append(Repeated(workload, namespace, identity, count, *last[place], first[place]))
    return found


def _identities(stream: LogStream) -> Iterator[tuple[LogLine, str]]:
    for place in stream.index.holding(_AGAIN_HOLDS):
        line = stream.lines[place]
        words = line.text
        if not any(part in words for part in _GLANCE) or not _AGAIN.search(words):
            continue
        match = _IDENTITY.search(words)
        identity = next((value for value in match.groups() if value), "") if match else ""
        if any(letter.isdigit() for letter in identity):
            yield line, identity.rpartition("@")[2]


def queue_backlog(case: CaseFile) -> Iterable[Finding]:
    """Queues that grew with the incident, at their consumer; weaker where one message is known to hold it up."""
    stuck = {item.workload: item for item in _repeated(case)}
    best: dict[ObjectRef, Finding] = {}
    for moved in _grown(case):
        consumer = _consumer(case, moved)
        finding = _backlog(case, moved, consumer, stuck.get(consumer.name))
        if consumer not in best or len(best[consumer].facts) < len(finding.facts):
            best[consumer] = finding
    yield from best.values()
    yield from _told(case)


def _grown(case: CaseFile) -> list[Departure]:
    items = [item for kind in ("queue", "workload") for item in about(case, "queue_depth", kind)]
    found = [moved for moved in departures(case, items) if _is_backlog(moved)]
    return sorted(found, key=lambda moved: (-moved.after, str(moved.signal.source)))


def _is_backlog(moved: Departure) -> bool:
    last = float(moved.signal.values[-1])
    return moved.highest >= _DEEP and moved.highest >= _GROWN * max(moved.before, 1.0) and last >= 0.5 * moved.highest


def _backlog(case: CaseFile, moved: Departure, consumer: ObjectRef, stuck: Repeated | None) -> Finding:
    queue = moved.signal.entity.peer or moved.signal.entity.name
    facts = [moved.fact(f"Queue {queue} stands at {number(moved.after)} messages, usually {number(moved.before)}")]
    facts += _rates(case, moved)
    against: tuple[Fact, ...] = ()
    if stuck is not None:
        shown = f"{stuck.seen.value.source}: {stuck.line.text[:300]}; {stuck.identity} in {stuck.count} lines"
        against = (Fact(f"One message, {stuck.identity}, is tried again and again", stuck.seen.observation, shown),)
    return Finding(
        analyzer="queue_backlog",
        fault="queue_backlog",
        object=consumer,
        strength=min(0.72 + 0.06 * (len(facts) - 1), 0.86),
        statement=f"Messages of {queue} arrive faster than {consumer.name} takes them.",
        facts=tuple(facts),
        against=against,
        onset=facts[0].time,
        explains=dependants(case, consumer.name),
        distinguish=f"messages a minute that {consumer.name} finishes, against those that arrive",
    )


def _rates(case: CaseFile, moved: Departure) -> list[Fact]:
    """What its consumers do, and what arrives."""
    facts = []
    for meaning, told in (
        ("queue_consumers", "consumers"),
        ("queue_out", "messages a second are taken"),
        ("queue_in", "messages a second arrive"),
    ):
        for other in departures(case, about(case, meaning, "queue")):
            changed = other.strong if meaning != "queue_in" else other.strong and other.after > other.before
            if other.signal.entity == moved.signal.entity and changed:
                facts.append(other.fact(f"{number(other.after)} {told}, usually {number(other.before)}"))
    return facts


def _consumer(case: CaseFile, moved: Departure) -> ObjectRef:
    """Who takes from a queue: named by the group or the queue, by its own log or settings, else the alerted one,
    else the broker that counts it."""
    entity = moved.signal.entity
    if entity.kind == "workload":
        return object_of(case, entity.name, entity.namespace)
    names = [ref.name for ref in cluster_of(case).workloads] or list(calls(case).callees)
    plain = [name for name in names if name not in stores(case)]
    told = [label for label in (entity.name, entity.peer) if label]
    for label in told:
        exact = [name for name in plain if name == label]
        near = [name for name in plain if label.startswith(name) or name.startswith(label)]
        for found in (exact, near, _reading(case, plain, label, moved.start)):
            if len(found) == 1:
                return object_of(case, found[0], entity.namespace)
    broker = workload_of_pod(moved.signal.source.labels.get("pod", ""))
    named = [name for name in plain if name in alerted(case)]
    for few in (named, [broker] if broker in stores(case) else []):
        if len(few) == 1:
            return object_of(case, few[0], entity.namespace)
    return object_of(case, entity.name, entity.namespace)


def _reading(case: CaseFile, names: list[str], queue: str, since: float) -> list[str]:
    """The workloads that are configured with a queue, less those that only publish to it by their log's words."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(queue)}(?![\w-])")
    found = set()
    for ref, workload in cluster_of(case).workloads.items():
        values = [text(entry, "value") for container in workload.containers for entry in items(container.spec, "env")]
        if ref.name in names and any(pattern.search(value) for value in values):
            found.add(ref.name)
    for item in statements(case):
        if (
            item.workload in names
            and pattern.search(item.sample)
            and re.search("consum|subscri|poll", item.sample, re.I)
        ):
            found.add(item.workload)
    if len(found) == 1:
        return sorted(found)
    troubled = {item.workload for item in statements(case) if item.severity >= 2 and _began(item, since)}
    brokers = {name for name, family in stores(case).items() if family == "queue"}
    using = {name for name in names if brokers & set(calls(case).callees.get(name, ()))}
    publishing = set(using) - troubled
    return sorted(found & troubled or (using & troubled if publishing else set()))


def _began(item: Statement, since: float) -> bool:
    """Whether a complaint is new, or rare and made while the queue began to grow."""
    if item.first is None:
        return False
    lead = since - item.first.timestamp()
    return bool(item.since and not item.before) or (0 <= lead <= LONGEST_LEAD and item.before + item.since <= _RARE)


def _told(case: CaseFile) -> Iterable[Finding]:
    """Backlogs that a consumer's own log reports, its numbers rising."""
    for item in statements(case):
        if not item.since or not _DEPTH_TOLD.search(item.sample):
            continue
        depths = list(_depths(case, item.workload))
        if len(depths) < 3 or depths[-1] < _DEEP or depths[-1] < 2 * depths[0]:
            continue
        consumer = object_of(case, item.workload, item.namespace)
        fact = item.fact(f"{item.workload} reports a growing queue")
        yield Finding(
            analyzer="queue_log",
            fault="queue_backlog",
            object=consumer,
            strength=0.66,
            statement=f"The queue that {item.workload} works off grows.",
            facts=(fact,),
            onset=item.first,
            explains=dependants(case, item.workload),
            distinguish=f"messages a minute that {item.workload} finishes, against those that arrive",
        )


def _depths(case: CaseFile, workload: str) -> Iterator[float]:
    for seen in case.streams:
        if workload_of_pod(seen.value.source.pod) == workload:
            for line in seen.value.lines:
                match = _DEPTH_TOLD.search(line.text)
                if match:
                    yield float(next(value for value in match.groups() if value))
