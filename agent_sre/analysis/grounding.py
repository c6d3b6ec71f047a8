"""Nothing is said that the evidence does not show: facts and statements are checked by code, whoever wrote them.

A fact stands when its observation exists, its excerpt is in that observation, and every number and every quoted word of
its text occurs in its excerpt. What does not stand is dropped before ranking; a statement with something unsupported
costs its hypothesis. Excerpts of objects and logs are literal and checked to the letter; those of series, traces and
changes hold figures computed from samples, so there it is checked that they name what the observation holds.
"""

import json
import re

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.kubernetes.excerpts import resolves
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact

_NUMBER = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w]|[.:/-]\d)")
_QUOTED = re.compile(r"'([^']{2,200})'|\"([^\"]{2,200})\"|`([^`]{2,200})`")
_WORD = re.compile(r"[\w.-]{4,}")


def unsupported(text: str, excerpts: str) -> tuple[str, ...]:
    """The numbers and quoted words of ``text`` that do not occur in ``excerpts``; empty when all do."""
    missing = [number for number in _NUMBER.findall(text) if number not in excerpts]
    for groups in _QUOTED.findall(text):
        quote = next(group for group in groups if group)
        if quote not in excerpts:
            missing.append(quote)
    return tuple(missing)


def stands(fact: Fact, case: CaseFile) -> bool:
    """Whether the fact's observation exists and holds its excerpt, and the excerpt shows what its text says."""
    observation = case.observations.get(fact.observation)
    if observation is None or unsupported(fact.text, fact.excerpt):
        return False
    return shown_by(fact.excerpt, observation)


def shown_by(excerpt: str, observation: Observation) -> bool:
    """Whether the excerpt is in the observation: to the letter, or for computed ones by what it names."""
    if resolves(excerpt, observation) or _names_telemetry(excerpt, observation):
        return True
    if is_empty(observation):
        return excerpt == empty_answer(observation)
    return bool(observation.objects) and _words_occur(excerpt, observation)


def is_empty(observation: Observation) -> bool:
    """Whether a query was answered with nothing."""
    content = (observation.objects, observation.streams, observation.series, observation.changes, observation.edges)
    return not any((*content, observation.spans, observation.exemplars, observation.rules))


def empty_answer(observation: Observation) -> str:
    """The excerpt of an observation that was answered with nothing: what was asked, and that nothing came."""
    return f"{observation.query[:300]}: nothing"


def _names_telemetry(excerpt: str, observation: Observation) -> bool:
    """Whether the excerpt names a series, stream, change, span, edge or rule that the observation brought."""
    return (
        any(str(stream.source) in excerpt for stream in observation.streams)
        or any(series.name in excerpt and str(series) in excerpt for series in observation.series)
        or any(change.id in excerpt or (change.target and change.target in excerpt) for change in observation.changes)
        or any(edge.caller in excerpt and edge.callee in excerpt for edge in observation.edges)
        or any(str(rule.get("name", rule.get("labels"))) in excerpt for rule in observation.rules)
        or any(span.service in excerpt for span in observation.spans)
        or any(str(item) in excerpt for item in observation.exemplars)
    )


def _words_occur(excerpt: str, observation: Observation) -> bool:
    """For an excerpt of objects in another form: every longer word of it occurs in what was observed."""
    text = json.dumps([*observation.objects], ensure_ascii=False, default=str)
    return all(word in text for word in _WORD.findall(excerpt))
