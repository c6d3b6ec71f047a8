"""An alert message in a Slack channel, as Slack's Events API delivers it, for sources that can post nowhere else.

Known are the forms that Alertmanager, Grafana, Datadog, PagerDuty and CloudWatch (AWS Chatbot, Amazon Q) post, and a
line of text such as ``[FIRING:1] HighLatency``. Such a message has no id of its alert, so an alert is known by its
channel and what the message says but its state: labels where they are told (Grafana), else the headline. A message
that is edited is taken at its new state; the same message, delivered again or by two subscriptions, once. Replies in
threads, messages of people about alerts and our own app's messages are none. Which channels count is the site's
setting, checked by who takes the reading in.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, section, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.slack_text import Part, parts
from agent_sre.ingest.told import Reading, Told

SOURCE = "slack"
MOST = 50
"""Alerts in one message."""

_FIX = "point the Event Subscriptions of a Slack app here, with the bot event message.channels or message.groups"
_KINDS = frozenset({"", "bot_message", "message_changed"})
_FIRING = frozenset({"firing", "alerting", "triggered", "re-triggered", "warn", "re-warn", "alarm", "no data"})
_RESOLVED = frozenset({"resolved", "ok", "recovered", "normal"})
_NO_DATA = frozenset({"no data"})
_BRACKET = re.compile(
    r"\[(FIRING|ALERTING|RESOLVED|OK|NORMAL|NO DATA)(?::\s?\d+)?(?:\s*,\s*RESOLVED:\s?\d+)?\]\s*(\S.*)", re.IGNORECASE
)
_DATADOG = re.compile(
    r"(?:\[(P[1-5])\]\s*)?\[?(Re-Triggered|Triggered|Re-Warn|Warn|Recovered|No Data)"
    r"(?: on \{([^}]*)\})?(?:\]|:)\s*(\S.*)",
    re.IGNORECASE,
)
_PAGERDUTY = re.compile(r"https://[a-z0-9.-]+\.pagerduty\.com/incidents/([A-Z0-9]{4,40})\b")
_PAGERDUTY_STATE = re.compile(r"\b(Triggered|Acknowledged|Resolved|Re-?opened)\b", re.IGNORECASE)
_CLOUDWATCH = re.compile(r"CloudWatch Alarm \| (.{1,255}?) \| ([a-z0-9-]{5,30}) \| Account: (\d{12})")
_CLOUDWATCH_STATE = re.compile(r"(?:→|->|to|state(?: is)?:?)\s*(ALARM|OK|INSUFFICIENT_DATA)\b")
_GOOD = frozenset({"good", "#2eb886", "2eb886", "#36a64f", "36a64f", "#1d8102", "1d8102"})
_LABELS = re.compile(r"^Labels:\s*$((?:\n\s*[-•] .*)+)", re.MULTILINE)
_LABEL = re.compile(r"^\s*[-•] ([A-Za-z_][\w.]*) ?[=:] ?(.*)$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,60}")
_SEVERITY = re.compile(r"\b(critical|page|emergency|error|warning|info)\b", re.IGNORECASE)
_PRIORITY = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "info", "P5": "info"}


@dataclass(frozen=True, slots=True)
class _Post:
    """Where and when: ``ts`` names the message in its channel; ``edited`` is the moment of its newest form."""

    channel: str
    ts: str
    edited: str

    def told(self, key: str, firing: bool, name: str, part: Part) -> Told:
        """An alert of this message, which ``key`` tells from others of the channel."""
        posted, changed = instant(self.ts), instant(self.edited)
        return Told(
            identity=f"{self.channel}/{key}",
            firing=firing,
            name=one_line(name, 200),
            labels={**_labels_of_fields(part), "slack_channel": self.channel},
            annotations={"summary": part.headline, "description": part.text},
            starts_at=posted if firing else None,
            ends_at=None if firing else changed or posted,
            group=f"{self.channel}/{key}",
            url=part.link,
        )


def parse(payload: object, received_at: datetime) -> Reading:
    """The alerts of one message; none for any other event. Raises PayloadError."""
    envelope = mapping(payload, "$", _FIX)
    kind = word(envelope.get("type"))
    if kind == "url_verification":
        challenge = one_line(word(envelope.get("challenge")))
        return Reading(ignored="Slack asks whether this is its address", challenge=challenge)
    if kind != "event_callback":
        if not kind:
            raise PayloadError(f"$.type is {shown(envelope.get('type'))}, not the type of an envelope", _FIX)
        return Reading(ignored=f"{one_line(kind, 80)} is no event")
    event = mapping(envelope.get("event"), "$.event", _FIX)
    channel, message, why_not = _message(envelope, event)
    if why_not:
        return Reading(ignored=why_not, place=channel)
    edited = first(section(message, "edited").get("ts"), event.get("event_ts") if message is not event else "")
    post = _Post(channel, word(message.get("ts")), edited)
    found: dict[tuple[str, bool], Told] = {}
    for told in _alerts(message, post):
        found.setdefault((told.identity, told.firing), told)
    alerts = tuple(
        replace(told, message_id=f"{channel}/{post.ts}/{edited}/{number}").alert(SOURCE, received_at)
        for number, told in enumerate(list(found.values())[:MOST])
    )
    return Reading(alerts, "" if alerts else "the message is no alert in a form that is known", place=channel)


def _message(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> tuple[str, Mapping[str, Any], str]:
    """The channel, the message as it is now, and why it is none of interest, else ""."""
    channel, subtype = word(event.get("channel")), word(event.get("subtype"))
    if word(event.get("type")) != "message" or subtype not in _KINDS:
        return channel, event, f"{one_line(subtype or word(event.get('type')), 80)} is no new message"
    message = event
    if subtype == "message_changed":
        message = mapping(event.get("message"), "$.event.message", _FIX)
    if not channel or instant(message.get("ts")) is None:
        raise PayloadError(f"$.event has channel {shown(channel)}, ts {shown(message.get('ts'))}", _FIX)
    ours = word(envelope.get("api_app_id"))
    posted_by = first(message.get("app_id"), section(message, "bot_profile").get("app_id"))
    if ours and posted_by == ours:
        return channel, message, "it is our own app's message"
    thread = word(message.get("thread_ts"))
    if thread and thread != word(message.get("ts")):
        return channel, message, "it is a reply in a thread"
    return channel, message, ""


def _alerts(message: Mapping[str, Any], post: _Post) -> Iterator[Told]:
    """What the first form that knows a part makes of it."""
    for part in parts(message):
        for form in _FORMS:
            found = tuple(form(part, post))
            if found:
                yield from found
                break


def _grafana(part: Part, post: _Post) -> Iterator[Told]:
    """Grafana lists every alert with its labels, below a headline for those that fire and those that are over."""
    headline = _BRACKET.match(part.headline)
    if headline is None:
        return
    firing = headline[1].lower() in _FIRING
    position = 0
    for block in _LABELS.finditer(part.text):
        before = part.text[position : block.start()]
        for word_ in re.findall(r"^(Firing|Resolved)\s*$", before, re.MULTILINE):
            firing = word_ == "Firing"
        position = block.end()
        labels = {name: value.strip() for name, value in _LABEL.findall(block[1])}
        if not labels:
            continue
        name = labels.pop("alertname", "") or _without_detail(headline[2])
        told = post.told(repr((name, sorted(labels.items()))), firing, name, part)
        no_data = name in {"DatasourceNoData", "DatasourceError"}
        yield replace(told, labels={**labels, **told.labels}, severity=labels.get("severity", ""), no_data=no_data)


def _bracket(part: Part, post: _Post) -> Iterator[Told]:
    """Alertmanager's default template, its common variants, and what people type: ``[FIRING:1] Name (details)``."""
    found = _BRACKET.match(part.headline)
    if found is None:
        return
    state, name = found[1].lower(), _without_detail(found[2])
    severity = _SEVERITY.search(part.fields.get("Severity", "") or found[2])
    told = post.told(name, state in _FIRING, name, part)
    yield replace(told, severity=severity[1].lower() if severity else "", no_data=state in _NO_DATA)


def _datadog(part: Part, post: _Post) -> Iterator[Told]:
    found = _DATADOG.match(part.headline)
    if found is None or not (found[1] or found[3] or "datadoghq" in part.link):
        return
    state = found[2].lower()
    scope = sorted(item.strip() for item in (found[3] or "").split(",") if item.strip())
    tags = dict(item.split(":", 1) for item in scope if ":" in item)
    told = post.told(repr((found[4], scope)), state in _FIRING, found[4], part)
    severity = _PRIORITY.get((found[1] or "").upper(), "warning" if "warn" in state else "")
    yield replace(told, labels={**tags, **told.labels}, severity=severity, no_data=state in _NO_DATA)


def _pagerduty(part: Part, post: _Post) -> Iterator[Told]:
    link, state = _PAGERDUTY.search(part.link), _PAGERDUTY_STATE.search(part.text)
    if link is None or state is None:
        return
    name = re.sub(r"^\s*\[?#\d+\]?:?\s*", "", _PAGERDUTY_STATE.sub("", part.headline, count=1)).strip(" :-")
    urgency = part.fields.get("Urgency", "").lower()
    severity = {"high": "critical", "low": "warning"}.get(urgency, "")
    told = post.told(link[1], state[1].lower() != "resolved", name or link[1], part)
    yield replace(told, severity=severity)


def _cloudwatch(part: Part, post: _Post) -> Iterator[Told]:
    found = _CLOUDWATCH.search(part.text)
    if found is None:
        return
    state = _CLOUDWATCH_STATE.findall(part.text)
    over = state[-1] == "OK" if state else part.color.lower() in _GOOD or ":white_check_mark:" in part.emoji
    told = post.told("/".join(found.groups()), not over, found[1], part)
    places = {"region": found[2], "account": found[3]}
    yield replace(told, labels={**places, **told.labels}, no_data=bool(state) and state[-1] == "INSUFFICIENT_DATA")


_FORMS: tuple[Callable[[Part, _Post], Iterator[Told]], ...] = (_grafana, _bracket, _datadog, _pagerduty, _cloudwatch)
"""In the order in which a part is tried."""


def _without_detail(title: str) -> str:
    """Alertmanager puts what all alerts of a group share into brackets at the end; that changes with the alerts."""
    return re.sub(r"\s*\([^()]*\)\s*$", "", title).strip() or title.strip()


def _labels_of_fields(part: Part) -> dict[str, str]:
    return {name.lower(): value for name, value in part.fields.items() if _NAME.fullmatch(name) and "\n" not in value}
