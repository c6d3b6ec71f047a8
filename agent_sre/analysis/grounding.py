"""Nothing is said that the evidence does not show: facts are checked against their excerpts by code.

A fact stands when its observation exists, and every number and every quoted word of its text occurs in its excerpt.
``unsupported`` says what is missing; a fact with something missing is dropped before ranking, whoever wrote it. That
the excerpt itself occurs in the stored observation is checked by ``excerpt_of``.
"""

import json
import re

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.evidence import Observation
from agent_sre.domain.finding import Fact

_NUMBER = re.compile(r"(?<![\w.:/-])\d+(?:\.\d+)?(?![\w]|[.:/-]\d)")
_QUOTED = re.compile(r"'([^']{2,200})'|\"([^\"]{2,200})\"|`([^`]{2,200})`")


def unsupported(text: str, excerpts: str) -> tuple[str, ...]:
    """The numbers and quoted words of ``text`` that do not occur in ``excerpts``; empty when all do."""
    missing = [number for number in _NUMBER.findall(text) if number not in excerpts]
    for groups in _QUOTED.findall(text):
        quote = next(group for group in groups if group)
        if quote not in excerpts:
            missing.append(quote)
    return tuple(missing)


def stands(fact: Fact, case: CaseFile) -> bool:
    """Whether the fact's observation exists and its excerpt shows what its text says."""
    return fact.observation in case.observations and not unsupported(fact.text, fact.excerpt)


def excerpt_of(excerpt: str, observation: Observation) -> bool:
    """Whether every word of the excerpt occurs in what was observed (or in the query that observed it)."""
    seen = _text(observation)
    return all(word in seen for word in re.findall(r"[\w.-]{4,}", excerpt))


def _text(observation: Observation) -> str:
    parts: list[str] = [observation.query, observation.source]
    parts += [json.dumps(item, ensure_ascii=False) for item in (*observation.objects, *observation.rules)]
    parts += [f"{stream.source}\\n" + "\\n".join(line.text for line in stream.lines) for stream in observation.streams]
    parts += [str(item) for item in (*observation.changes, *observation.edges, *observation.spans, *observation.series)]
    return "\\n".join(parts)
