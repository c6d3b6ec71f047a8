"""Questions about an incident, answered from what is stored, without a model.

A small fixed grammar: what a person asks first ("why", "what changed", "what else did you rule out", "logs of
checkout since 12:05"). Every answer cites the evidence it repeats and nothing is concluded that the verdict does not
say. A question outside the grammar gets the list of what can be asked, never a guess. The text of a question is only
matched against patterns; one form carries PromQL, which is judged before it is sent (``ask_live``).

Called by the console, ``cli`` and, later, chats. Series and log lines are found by ``ask_telemetry``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.evidence import Gap
from agent_sre.domain.instant import format_instant
from agent_sre.domain.verdict import VerdictStatus
from agent_sre.domain.visible import one_line
from agent_sre.service.answer_value import Answer, Line
from agent_sre.service.ask_live import FORM as LIVE_FORM, LiveMetrics, show_live
from agent_sre.service.ask_telemetry import show_logs, show_metric
from agent_sre.service.read_incident import IncidentView, Stores, read_incident

MAX_QUESTION = 300
_NO_VERDICT = "There is no verdict yet: the investigation has not come that far. Ask again in a moment."
_MAX_CHANGES = 20
_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Form:
    """One form a question may take. ``example`` is shown in the help."""

    pattern: "re.Pattern[str]"
    example: str
    meaning: str
    answer: Callable[["re.Match[str]", str, IncidentView, Stores], Answer]


async def ask(question: str, incident_id: str, stores: Stores, live: LiveMetrics | None = None) -> Answer | None:
    """Answer a question about one incident; None where the incident is unknown."""
    view = await read_incident(incident_id, stores)
    return None if view is None else await answer(question, view, stores, live)


async def answer(question: str, view: IncidentView, stores: Stores, live: LiveMetrics | None) -> Answer:
    """As ``answer_question``; an expression is asked of the metrics store where there is one."""
    asked = one_line(question, MAX_QUESTION)
    match = LIVE_FORM.fullmatch(asked)
    if match is None or live is None:
        return answer_question(question, view, stores)
    return await show_live(match, asked, view, stores, live)


def answer_question(question: str, view: IncidentView, stores: Stores) -> Answer:
    """The answer from the view alone. Questions are cut to MAX_QUESTION characters and compared without case."""
    asked = one_line(question, MAX_QUESTION)
    plain = asked.rstrip(" ?!.").strip()
    for form in FORMS:
        match = form.pattern.fullmatch(plain)
        if match is not None:
            return form.answer(match, asked, view, stores)
    heading = "I can't answer that from stored evidence. You can ask:" if plain else "You can ask:"
    return Answer(asked, heading, _forms(view), understood=not plain)


def examples(view: IncidentView) -> tuple[str, ...]:
    """One question of each form, about this incident's own service and time."""
    lead = view.verdict.hypotheses[0].object.name if view.verdict and view.verdict.hypotheses else ""
    name = (view.incident.service or lead).split() or ["checkout"]
    since = f"{view.incident.opened_at - _BEFORE:%H:%M}"
    return tuple(form.example.replace("checkout", name[0]).replace("12:05", since) for form in FORMS)


def _why(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    if view.verdict is None:
        return Answer(asked, _NO_VERDICT)
    if not view.verdict.hypotheses:
        return Answer(asked, "No cause was found that the evidence supports.", _unseen(view))
    first = view.verdict.hypotheses[0]
    sure = "Most likely" if view.verdict.status is VerdictStatus.CONCLUSIVE else "Not certain; the leading candidate"
    lines = [Line(f"for: {_fact(view, key)}", (key,)) for key in first.evidence]
    lines += [Line(f"against: {_fact(view, key)}", (key,)) for key in first.against]
    if first.distinguish:
        lines.append(Line(f"what would settle it: {first.distinguish}"))
    return Answer(asked, f"{sure} ({first.confidence:.0%}): {first.statement}", tuple(lines))


def _what_else(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    if view.verdict is None:
        return Answer(asked, _NO_VERDICT)
    lines = [
        Line(
            f"less likely ({item.confidence:.0%}): {item.statement}"
            + "".join(f" Against it: {_fact(view, key)}." for key in item.against[:2]),
            (*item.evidence, *item.against),
        )
        for item in view.verdict.hypotheses[1:]
    ]
    lines += [Line(f"ruled out: {item.what}: {item.why}", item.evidence) for item in view.verdict.ruled_out]
    heading = f"{len(view.verdict.hypotheses[1:])} less likely, {len(view.verdict.ruled_out)} ruled out."
    return Answer(asked, heading, tuple(lines) or (Line("Nothing else was considered that left a trace."),))


def _what_changed(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    cited = {entry.time: entry.evidence for entry in view.timeline if entry.kind == "change"}
    changes = sorted(
        {item.id: item for seen in view.observations.values() for item in seen.changes}.values(),
        key=lambda item: item.time,
    )
    lines = [
        Line(
            f"{format_instant(item.time)} {item.kind} of {item.target}: {item.summary}"
            f"{f' (by {item.author})' if item.author else ''} [{item.id}]",
            cited.get(item.time, ()),
        )
        for item in changes[-_MAX_CHANGES:]
    ]
    known = {item.time for item in changes}
    lines += [
        Line(f"{format_instant(entry.time)} {entry.text}", entry.evidence)
        for entry in view.timeline
        if entry.kind == "change" and entry.time not in known
    ]
    if lines:
        left_out = f", the newest {_MAX_CHANGES} shown" if len(changes) > _MAX_CHANGES else ""
        count = max(len(changes), len(lines))
        return Answer(asked, f"{count} changes in the window{left_out}, oldest first.", tuple(lines))
    blind = [gap for gap in view.gaps if "change" in f"{gap.source} {gap.what}".lower()]
    if blind:
        return Answer(asked, "Changes could not be looked at.", _gap_lines(blind))
    return Answer(asked, "No change is recorded in the window that was looked at.")


def _not_seen(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    if not view.gaps:
        return Answer(asked, "Everything that was asked for could be read.")
    return Answer(asked, f"{len(view.gaps)} things could not be looked at:", _unseen(view))


def _status(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    incident = view.incident
    lines = [
        Line(f"severity {incident.severity}, open since {format_instant(incident.opened_at)}"),
        Line(f"{incident.firing} alerts firing, {incident.alerts} messages received"),
    ]
    if view.verdict and view.verdict.impact.summary:
        lines.append(Line(f"impact: {view.verdict.impact.summary}", view.verdict.impact.evidence))
    for item in view.approvals:
        until = f" until {format_instant(item.expires_at)}" if item.state is ApprovalState.WAITING else ""
        who = f" by {item.decided_by}" if item.decided_by else ""
        lines.append(Line(f"{item.proposal.action} on {item.proposal.target}: {item.state}{who}{until}"))
        effect = view.effects.get(item.id)
        if effect is not None:
            checked = f", {effect.verified}" if effect.verified else ""
            lines.append(Line(f"effect: {effect.state}{checked}. {effect.verification or effect.detail}"))
    if view.timeline:
        lines.append(Line(f"last: {format_instant(view.timeline[-1].time)} {view.timeline[-1].text}"))
    return Answer(asked, f"{incident.title}: {view.status}.", tuple(lines))


def _evidence(match: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    key = match["id"].upper()
    item = view.evidence.get(key)
    if item is None:
        known = ", ".join(view.evidence) or "none yet"
        return Answer(asked, f"There is no evidence {key}.", (Line(f"known: {known}"),))
    when = f" at {format_instant(item.time)}" if item.time else ""
    lines = (Line(item.excerpt, (key,), quote=True), Line(f"query: {item.query}"))
    window = (Line(f"window: {item.window}"),) if item.window else ()
    return Answer(asked, f"{key}, from {item.source}{when}: {_fact(view, key)}", lines + window)


def _no_store(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    return Answer(asked, "No metrics store is configured that could be asked now.")


def _help(_: "re.Match[str]", asked: str, view: IncidentView, stores: Stores) -> Answer:
    return Answer(asked, "You can ask:", _forms(view))


def _fact(view: IncidentView, key: str) -> str:
    item = view.evidence.get(key)
    excerpt = one_line(item.excerpt) if item else "this evidence is no longer stored"
    return view.sentences.get(key) or excerpt


def _unseen(view: IncidentView) -> tuple[Line, ...]:
    return _gap_lines(view.gaps)


def _gap_lines(gaps: Sequence[Gap]) -> tuple[Line, ...]:
    return tuple(
        Line(f"{gap.source}: {gap.what}: {gap.reason}" + (f" To change that: {gap.fix}" if gap.fix else ""))
        for gap in gaps
    )


def _forms(view: IncidentView) -> tuple[Line, ...]:
    return tuple(Line(f"{example}: {form.meaning}") for example, form in zip(examples(view), FORMS, strict=True))


def _words(text: str) -> "re.Pattern[str]":
    return re.compile(text, re.IGNORECASE)


FORMS: tuple[Form, ...] = (
    Form(
        _words(r"why(?: .*)?|what happened|(?:what is |what's )?(?:the )?(?:root )?cause"),
        "why",
        "the leading cause, with the evidence for and against it",
        _why,
    ),
    Form(
        _words(r"what else.*|(?:what )?(?:did you |have you )?rule[d]? out.*|other (?:causes|hypotheses)"),
        "what else did you rule out",
        "less likely causes and those that were tested and are not it",
        _what_else,
    ),
    Form(_words(r"what(?: has|'s)? changed.*|changes"), "what changed", "changes in the window", _what_changed),
    Form(
        _words(r"(?:show |what is )?(?:evidence )?(?P<id>e\d{1,4})"),
        "show E1",
        "one piece of evidence with its exact query",
        _evidence,
    ),
    Form(
        _words(r"(?:show |get )?logs? (?:of|from|for) (?P<name>\S+)(?: since (?P<since>\d{1,2}:\d\d))?(?: utc)?"),
        "logs of checkout since 12:05",
        "log lines of a service or pod, from a UTC time",
        show_logs,
    ),
    Form(
        _words(r"(?:show|graph|plot|chart) (?:the )?(?P<what>\S+(?: \S+)?)(?: (?:of|for) (?P<name>\S+))?"),
        "show latency of checkout",
        "a chart by meaning (latency, errors, traffic, cpu, memory) or metric name",
        show_metric,
    ),
    Form(
        _words(r"what (?:could(?: you)?(?: not|n't)|can(?:'t|not)|couldn't)(?: you)? (?:not )?(?:see|look at).*|gaps?"),
        "what could you not see",
        "what could not be looked at, why, and how to change that",
        _not_seen,
    ),
    Form(_words(r"(?:what is the |what's the )?status|where are we"), "status", "where the incident stands", _status),
    Form(
        LIVE_FORM,
        "query sum(up) over 1h",
        "PromQL asked of the metrics store now, within bounds; not stored",
        _no_store,
    ),
    Form(_words(r"help|what can i ask"), "help", "this list", _help),
)
"""Tried in order; the first form that matches the whole question answers it."""
