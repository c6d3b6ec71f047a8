"""From findings to a verdict: ground, merge, rank, and say how sure.

Ranking follows three rules. A cause counts by what its facts prove (``Finding.strength``), less what speaks against it.
A finding about an object that another finding explains is a symptom and stands behind it. The nearer the runner-up, the
less sure the first. Pure and deterministic: equal findings give equal verdicts, whatever their order.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.grounding import stands
from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.evidence import Evidence
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.verdict import Impact, RuledOut, Verdict, VerdictStatus

MOST = 5
CONCLUSIVE = 0.5
_AGAINST = 0.75
"""What one fact against a cause leaves of its score."""
_SYMPTOM = 0.55
"""What is left of a finding that another, stronger one explains."""
_LEAST = 0.05


@dataclass(frozen=True, slots=True)
class _Candidate:
    finding: Finding
    score: float


def judge(case: CaseFile, findings: Sequence[Finding]) -> Verdict:
    """Rank the findings of one case. ``gaps`` and ``seconds`` are the caller's to fill in."""
    merged = _merged([item for item in (_grounded(finding, case) for finding in findings) if item is not None])
    ranked = sorted(_scored(merged), key=_order)
    mint = _Mint(case)
    hypotheses = tuple(
        _hypothesis(rank, candidate, ranked, mint) for rank, candidate in enumerate(ranked[:MOST], start=1)
    )
    sure = bool(hypotheses) and hypotheses[0].confidence >= CONCLUSIVE
    ruled_out = _ruled_out(ranked, mint)
    return Verdict(
        status=VerdictStatus.CONCLUSIVE if sure else VerdictStatus.INCONCLUSIVE,
        hypotheses=hypotheses,
        evidence=tuple(mint.evidence.values()),
        gaps=case.gaps,
        ruled_out=ruled_out,
        impact=_impact(case, ranked),
    )


class _Mint:
    """Gives evidence its ids, in the order of first citation; the same excerpt gets one id."""

    def __init__(self, case: CaseFile) -> None:
        self._case = case
        self.evidence: dict[tuple[str, str], Evidence] = {}

    def cite(self, facts: Sequence[Fact]) -> tuple[str, ...]:
        """The ids of these facts' excerpts, each once."""
        ids: dict[str, None] = {}
        for fact in facts:
            key = (fact.observation, fact.excerpt)
            if key not in self.evidence:
                seen = self._case.observations[fact.observation]
                self.evidence[key] = Evidence(
                    id=f"E{len(self.evidence) + 1}",
                    observation=fact.observation,
                    source=seen.source,
                    query=seen.query,
                    excerpt=fact.excerpt,
                    time=fact.time,
                    window=seen.window,
                    link=seen.link,
                )
            ids[self.evidence[key].id] = None
        return tuple(ids)


def _grounded(finding: Finding, case: CaseFile) -> Finding | None:
    """The finding with the facts that stand; None where no fact for it does."""
    facts = tuple(fact for fact in finding.facts if stands(fact, case))
    if not facts:
        return None
    against = tuple(fact for fact in finding.against if stands(fact, case))
    lost = 1.0 if len(facts) == len(finding.facts) else 0.8
    return replace(finding, facts=facts, against=against, strength=finding.strength * lost)


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One finding for each fault at each object: facts together, independent strengths combined."""
    groups: defaultdict[tuple[str, ObjectRef], list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.fault, finding.object].append(finding)
    return [_together(sorted(group, key=lambda item: -item.strength)) for group in groups.values()]


def _together(group: Sequence[Finding]) -> Finding:
    first = group[0]
    doubt = 1.0
    for item in group:
        doubt *= 1.0 - min(item.strength, 0.99)
    return replace(
        first,
        strength=max(first.strength, 1.0 - doubt),
        facts=tuple(dict.fromkeys(fact for item in group for fact in item.facts)),
        against=tuple(dict.fromkeys(fact for item in group for fact in item.against)),
        explains=tuple(dict.fromkeys(ref for item in group for ref in item.explains)),
        change=next((item.change for item in group if item.change), None),
        onset=min((item.onset for item in group if item.onset), default=None),
    )


def _scored(findings: Sequence[Finding]) -> list[_Candidate]:
    plain = {id(item): item.strength * _AGAINST ** len(item.against) for item in findings}
    candidates = []
    for item in findings:
        score = plain[id(item)]
        explained = any(
            item.object in other.explains and other.object != item.object and plain[id(other)] >= 0.8 * score
            for other in findings
        )
        candidates.append(_Candidate(item, score * _SYMPTOM if explained else score))
    return [item for item in candidates if item.score >= _LEAST]


def _order(item: _Candidate) -> tuple[float, int, str, ObjectRef]:
    return (-round(item.score, 6), -len(item.finding.explains), item.finding.fault, item.finding.object)


def _hypothesis(rank: int, candidate: _Candidate, ranked: Sequence[_Candidate], mint: _Mint) -> Hypothesis:
    finding = candidate.finding
    rival = max((other.score for other in ranked if other is not candidate), default=0.0)
    share = candidate.score / (candidate.score + 0.5 * rival)
    return Hypothesis(
        rank=rank,
        fault=finding.fault,
        object=finding.object,
        confidence=round(min(0.97, candidate.score * share), 4),
        statement=finding.statement,
        evidence=mint.cite(finding.facts),
        against=mint.cite(finding.against),
        change=finding.change,
        distinguish=finding.distinguish,
    )


def _ruled_out(ranked: Sequence[_Candidate], mint: _Mint) -> tuple[RuledOut, ...]:
    """What was tested and has more against it than for it, outside the answer."""
    return tuple(
        RuledOut(
            what=f"{item.finding.fault} at {item.finding.object}",
            why=item.finding.against[0].text,
            evidence=mint.cite(item.finding.against),
        )
        for item in ranked[MOST:]
        if item.finding.against
    )


def _impact(case: CaseFile, ranked: Sequence[_Candidate]) -> Impact:
    firing = [alert for alert in case.alerts if alert.status is AlertStatus.FIRING]
    services = {alert.service for alert in firing if alert.service}
    services |= {ref.name for item in ranked[:1] for ref in (item.finding.object, *item.finding.explains)}
    since = min(
        [alert.starts_at for alert in firing] + [o for o in [ranked[0].finding.onset if ranked else None] if o],
        default=None,
    )
    summary = firing[0].summary if firing else ""
    return Impact(tuple(sorted(services)), format_instant(since) if since else "", summary)
