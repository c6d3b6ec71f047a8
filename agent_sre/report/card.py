"""An incident as neutral message blocks: what a person reads first, wherever that is.

One card serves the console's header, the terminal and chats: headline, who is hit since when, what changed, the leading
hypothesis with its confidence and its two strongest facts, the story in a few lines, where it stands, and what can be
pressed. A chat adapter translates the blocks; it never composes text of its own. Called by the graph's report, ``cli``
and, later, chats. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.effect import Effect, Verified
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict, VerdictStatus
from agent_sre.domain.visible import one_line

_FACTS = 2
_CHANGES = 3
_STORY = 6
_HAPPENED = ("change", "event", "onset", "error", "alert")


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line, and where to read on ("" where there is no console)."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Short pairs of a name and a value."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence and the evidence ids it cites."""

    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bullets:
    """A titled list of statements."""

    title: str
    items: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Button:
    """Something a person may press. ``action`` is approve, reject or open; ``value`` the approval's id or a link."""

    action: str
    text: str
    value: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons."""

    items: tuple[Button, ...]


Block = Headline | Fields | Statement | Bullets | Buttons


@dataclass(frozen=True, slots=True)
class Card:
    """The blocks in reading order; ``fallback`` is the whole in one line, for notifications."""

    blocks: tuple[Block, ...]
    fallback: str


_STATUS = {
    IncidentStatus.OPEN: "open, not yet looked at",
    IncidentStatus.INVESTIGATING: "investigating",
    IncidentStatus.AWAITING_APPROVAL: "waiting for a decision",
    IncidentStatus.MITIGATING: "applying the approved action",
    IncidentStatus.VERIFYING: "checking whether it helped",
    IncidentStatus.RESOLVED: "resolved",
    IncidentStatus.ESCALATED: "handed to a person",
    IncidentStatus.CLOSED: "closed",
}


def status_in_words(status: IncidentStatus) -> str:
    """The status as a person says it."""
    return _STATUS[status]


def standing_in_words(incident: Incident) -> str:
    """Where it stands, as a person says it: its status, or why it is left alone, and who looks after it."""
    hold = incident.hold
    until = f" until {hold.until:%H:%M} UTC" if hold and hold.until else ""
    who = f" by {hold.by}" if hold and hold.personal else ""
    words = f"{hold.kind}{until}{who}" if hold and incident.active else status_in_words(incident.status)
    return words + (f", {incident.owner} looks after it" if incident.owner and incident.active else "")


def build_card(
    incident: Incident,
    verdict: Verdict | None,
    timeline: Sequence[Entry] = (),
    approvals: Sequence[Approval] = (),
    effects: Sequence[Effect] = (),
    *,
    sentences: Mapping[str, str] | None = None,
    link: str = "",
) -> Card:
    """The card as of now. ``sentences`` are facts in words by evidence id; excerpts stand in where there is none."""
    headline = f"{incident.severity.upper()} · {one_line(incident.title, 140)}"
    blocks: list[Block] = [Headline(headline, link), Fields(_fields(incident, verdict))]
    lead = frozenset(verdict.hypotheses[0].evidence) if verdict and verdict.hypotheses else frozenset()
    changes = _telling([item for item in reversed(timeline) if item.kind == "change"], lead, _CHANGES)
    if changes:
        blocks.append(Bullets("What changed", changes))
    if verdict is not None:
        blocks += _cause(verdict, sentences or {})
    happened = [item for item in timeline if item.kind in _HAPPENED]
    if happened:
        shown = _telling(_one_of_each_first(happened), lead, _STORY)
        more = f", {len(happened) - len(shown)} more on the page" if len(happened) > len(shown) else ""
        blocks.append(Bullets(f"What happened{more}", shown))
    blocks += [Statement(_outcome(item)) for item in effects]
    buttons = _buttons(approvals, link)
    if buttons:
        blocks.append(Buttons(buttons))
    cause = f": {one_line(verdict.hypotheses[0].statement, 160)}" if verdict and verdict.hypotheses else ""
    return Card(tuple(blocks), f"{headline} ({standing_in_words(incident)}){cause}")


def _telling(entries: Sequence[Entry], lead: frozenset[str], most: int) -> tuple[Statement, ...]:
    """So many entries in the order of time: those that the leading hypothesis cites before others, then as given."""
    chosen = sorted(entries, key=lambda item: not lead & set(item.evidence))[:most]
    chosen.sort(key=lambda item: item.time)
    return tuple(Statement(f"{item.time:%H:%M} UTC {one_line(item.text, 140)}", item.evidence) for item in chosen)


def _one_of_each_first(entries: Sequence[Entry]) -> list[Entry]:
    """The first entry of each kind, then the others."""
    first = {item.kind: item for item in reversed(entries)}
    return [*first.values(), *(item for item in entries if first[item.kind] is not item)]


def _fields(incident: Incident, verdict: Verdict | None) -> tuple[tuple[str, str], ...]:
    since = verdict.impact.since if verdict and verdict.impact.since else f"{incident.opened_at:%Y-%m-%dT%H:%M:%SZ}"
    impact = verdict.impact.summary if verdict else ""
    where = "/".join(part for part in (incident.namespace, incident.service) if part)
    alerts = f"{incident.firing} firing" + (f", {incident.truncated} more not sent" if incident.truncated else "")
    pairs = (
        ("Status", standing_in_words(incident)),
        ("Impact", one_line(impact)),
        ("Since", since),
        ("Service", where),
        ("Alerts", alerts),
    )
    return tuple((name, value) for name, value in pairs if value)


def _cause(verdict: Verdict, sentences: Mapping[str, str]) -> list[Block]:
    if not verdict.hypotheses:
        unseen = len(verdict.gaps)
        return [
            Statement(f"No cause found; {len(verdict.ruled_out)} ruled out, {unseen} things could not be looked at.")
        ]
    first = verdict.hypotheses[0]
    lead = "Most likely" if verdict.status is VerdictStatus.CONCLUSIVE else "Inconclusive; leading candidate"
    by_id = verdict.evidence_by_id()
    facts = [
        Statement(sentences.get(key) or one_line(by_id[key].excerpt), (key,)) for key in first.evidence if key in by_id
    ]
    blocks: list[Block] = [Statement(f"{lead} ({first.confidence:.0%}): {first.statement}", first.evidence)]
    if facts:
        blocks.append(Bullets("Because", tuple(facts[:_FACTS])))
    return blocks


def _outcome(effect: Effect) -> str:
    checked = {
        Verified.RECOVERED: "recovered",
        Verified.NOT_RECOVERED: "not recovered",
        Verified.UNKNOWN: "recovery unknown",
        None: "not yet checked",
    }[effect.verified]
    detail = f": {one_line(effect.verification or effect.detail)}" if effect.verification or effect.detail else ""
    return f"Action {effect.state}, {checked}{detail}"


def _buttons(approvals: Sequence[Approval], link: str) -> tuple[Button, ...]:
    buttons = []
    for item in approvals:
        if item.state is ApprovalState.WAITING:
            what = f"{item.proposal.action.replace('_', ' ')} {item.proposal.target.name}"
            buttons.append(Button("approve", f"Approve {what}", item.id, item.digest))
            buttons.append(Button("reject", "Reject", item.id, item.digest))
    if link:
        buttons.append(Button("open", "Open incident", link))
    return tuple(buttons)
