"""From findings to a verdict: ground, rank, cite, and say what was ruled out.

The order of things: facts that do not stand are dropped (``grounding``), what is left is ranked (``ranking``), the
best five become hypotheses that cite their excerpts (``evidence_ids``). Conclusive means that the first is likelier
right than not; otherwise the answer says what was found, what was ruled out and what could not be looked at. Pure and
deterministic: equal findings give equal verdicts, whatever their order. Called by the graph's hypothesizing node.
"""

from collections.abc import Sequence
from dataclasses import replace

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.evidence_ids import Mint
from agent_sre.analysis.grounding import stands, unsupported
from agent_sre.analysis.impact import impact
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import Path, name_of, positions, text
from agent_sre.analysis.ranking import Candidate, confidence, rank
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.verdict import RuledOut, Verdict, VerdictStatus

MOST = 5
CONCLUSIVE = 0.5
_LOST_FACT = 0.8
"""What is left of a finding's strength where one of its facts, or its statement, does not stand."""


def judge(case: CaseFile, findings: Sequence[Finding]) -> Verdict:
    """Rank the findings of one case. ``gaps`` and ``seconds`` are the caller's to fill in."""
    ranked = rank(case, [item for item in (grounded(finding, case) for finding in findings) if item is not None])
    mint = Mint(case)
    hypotheses = tuple(_hypothesis(place, item, ranked, mint) for place, item in enumerate(ranked[:MOST], start=1))
    sure = bool(hypotheses) and hypotheses[0].confidence >= CONCLUSIVE
    ruled_out = (*_set_aside(ranked, mint), *_healthy_nodes(case, ranked, mint))
    hit = impact(case, ranked if sure else (), mint)
    return Verdict(
        status=VerdictStatus.CONCLUSIVE if sure else VerdictStatus.INCONCLUSIVE,
        hypotheses=hypotheses,
        evidence=mint.evidence,
        gaps=case.gaps,
        ruled_out=ruled_out,
        impact=hit,
    )


def grounded(finding: Finding, case: CaseFile) -> Finding | None:
    """The finding with the facts that stand, weaker where one did not; None where no fact for it is left."""
    facts = tuple(item for item in finding.facts if stands(item, case))
    if not facts:
        return None
    against = tuple(item for item in finding.against if stands(item, case))
    shown = "\n".join(item.excerpt for item in (*facts, *against))
    whole = len(facts) == len(finding.facts) and not unsupported(finding.statement, shown)
    return replace(finding, facts=facts, against=against, strength=finding.strength * (1.0 if whole else _LOST_FACT))


def _hypothesis(place: int, candidate: Candidate, ranked: Sequence[Candidate], mint: Mint) -> Hypothesis:
    finding = candidate.finding
    return Hypothesis(
        rank=place,
        fault=finding.fault,
        object=finding.object,
        confidence=confidence(candidate, ranked),
        statement=finding.statement,
        evidence=mint.cite(finding.facts),
        against=mint.cite(finding.against),
        change=finding.change,
        distinguish=finding.distinguish,
    )


def _set_aside(ranked: Sequence[Candidate], mint: Mint) -> tuple[RuledOut, ...]:
    """Symptoms with their cause, and what was tested and has something against it."""
    found = []
    for item in ranked[1:]:
        what = f"{item.finding.fault} at {item.finding.object}"
        if item.explained_by is not None:
            why = f"a symptom: {item.explained_by.fault} at {item.explained_by.object} explains it"
            found.append(RuledOut(what, why, mint.cite(item.explained_by.facts[:2])))
        elif item.finding.against:
            found.append(RuledOut(what, item.finding.against[0].text, mint.cite(item.finding.against)))
    return tuple(found)


def _healthy_nodes(case: CaseFile, ranked: Sequence[Candidate], mint: Mint) -> tuple[RuledOut, ...]:
    """That no node reports trouble, where all were listed and none is accused."""
    nodes = case.objects("Node")
    if not nodes or any(item.finding.object.kind == "Node" for item in ranked):
        return ()
    facts: list[Fact] = []
    for seen in nodes:
        ready = [
            place
            for place, item in positions(seen.value, "status", "conditions")
            if text(item, "type") == "Ready" and text(item, "status") == "True"
        ]
        if not ready:
            return ()
        base: Path = ("status", "conditions", ready[0])
        facts.append(fact(f"Node {name_of(seen.value)} is ready", seen, (*base, "type"), (*base, "status")))
    return (RuledOut("a node that is down", "every node reports that it is ready", mint.cite(facts[:4])),)
