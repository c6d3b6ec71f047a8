"""The story of an incident: what happened when, from all sources in one order, each moment with its evidence.

Everything that the leading hypotheses cite and that has a time is in it, and beside it what they do not cite: changes
nobody blamed, alerts, warnings, first errors, signals that moved. A person reads some forty lines and no more, so the
kinds take turns, each giving what matters most of it (``happenings``), and what is left out is counted, never silently
dropped. Nothing is concluded here. Called by ``judge`` after all hypotheses have their evidence ids. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import alerted
from agent_sre.analysis.evidence_ids import Mint
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.happenings import LONGEST_TEXT, Happening, change_told, happenings
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.telemetry import Change
from agent_sre.domain.verdict import Moment
from agent_sre.domain.visible import one_line

MOST = 40
_CITED = 20
"""So many moments at most are those of the hypotheses, lest one with many facts crowd out what else happened."""
_ORDER = ("change", "event", "onset", "error", "alert", "note")
"""Causes before effects where two things share a time."""
_PLURAL = {"change": "changes", "event": "events", "onset": "onsets", "error": "errors", "alert": "alerts"}


def chronicle(case: CaseFile, leading: Sequence[Finding], mint: Mint) -> tuple[Moment, ...]:
    """At most 40 moments, oldest first, and at their end a note of what was left out. ``leading``: the best first."""
    cited = _distinct(_cited(case, leading))
    names = {ref.name for finding in leading for ref in (finding.object, *finding.explains)}
    known = {_identity(case, item) for item in cited}
    others = {
        kind: [item for item in _distinct(found) if _identity(case, item) not in known]
        for kind, found in happenings(case, alerted(case) | names).items()
    }
    order = [*cited[:_CITED], *_in_turns(others), *cited[_CITED:]]
    chosen: list[Happening] = []
    for item in order:
        if len(chosen) < MOST and (told := _standing(case, item)) is not None:
            chosen.append(told)
    moments = [_moment(item, mint) for item in chosen]
    moments.sort(key=lambda item: (item.time, _ORDER.index(item.kind), item.text))
    left = _left_out(order, chosen)
    return (*moments, *([Moment(case.now, "note", left)] if left else []))


def kind_of(observation: Observation) -> str:
    """Which kind of moment evidence makes, by what its observation holds; "" where it has no moment of its own."""
    filled = (
        ("change", observation.changes),
        ("onset", observation.series),
        ("error", observation.streams or observation.spans),
        ("alert", observation.rules),
        ("event", observation.objects),
    )
    return next((kind for kind, content in filled if content), "")


def _cited(case: CaseFile, leading: Sequence[Finding]) -> Iterable[Happening]:
    for fact in (fact for finding in leading for fact in (*finding.facts, *finding.against)):
        observation = case.observations[fact.observation]
        kind = kind_of(observation)
        if fact.time is None or not kind:
            continue
        change = _change_in(fact, observation)
        if change is not None:
            told = replace(fact, text=change_told(change))
            yield Happening(kind, change.time, told, change.author or observation.source, fact.text)
        else:
            yield Happening(kind, fact.time, fact, observation.source)


def _change_in(fact: Fact, observation: Observation) -> Change | None:
    """The recorded change that a fact is about: named by its id in the excerpt, else by its moment and target."""
    named = [item for item in observation.changes if item.id and item.id in fact.excerpt]
    named = named or [item for item in observation.changes if item.time == fact.time]
    return next((item for item in named if item.target in fact.excerpt), None)


def _identity(case: CaseFile, item: Happening) -> tuple[str, str, str]:
    """Equal for two tellings of one thing: of a change its id and target, of anything else its excerpt."""
    change = _change_in(item.fact, case.observations[item.fact.observation]) if item.kind == "change" else None
    told = f"{change.id} {change.target} {change.time}" if change is not None else item.fact.excerpt
    return item.kind, item.fact.observation, told


def _distinct(found: Iterable[Happening]) -> list[Happening]:
    """Each thing once: one excerpt, or one sentence of one moment, is one thing."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for item in found:
        keys = {(item.fact.observation, item.fact.excerpt), (item.kind, item.time, item.fact.text)}
        if not keys & seen:
            kept.append(item)
        seen |= keys
    return kept


def _in_turns(kinds: Mapping[str, Sequence[Happening]]) -> list[Happening]:
    return [item for row in zip_longest(*kinds.values()) for item in row if item is not None]


def _standing(case: CaseFile, item: Happening) -> Happening | None:
    """The happening in words that its evidence shows; None where there are none."""
    for text in (item.fact.text, item.plain):
        fact = replace(item.fact, text=text)
        if text and stands(fact, case):
            return replace(item, fact=fact)
    return None


def _moment(item: Happening, mint: Mint) -> Moment:
    return Moment(item.time, item.kind, one_line(item.fact.text, LONGEST_TEXT), mint.cite([item.fact]), item.actor)


def _left_out(order: Sequence[Happening], chosen: Sequence[Happening]) -> str:
    counts = {
        kind: sum(item.kind == kind for item in order) - sum(item.kind == kind for item in chosen) for kind in _PLURAL
    }
    words = [f"{count} {_PLURAL[kind] if count > 1 else kind}" for kind, count in counts.items() if count]
    return f"Left out of this timeline, being less telling: {', '.join(words)}" if words else ""
