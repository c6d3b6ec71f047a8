"""From findings to a verdict: ground, rank, cite, and say what was ruled out.

The order of things: facts that do not stand are dropped (``grounding``), what is left is ranked (``ranking``), the
leading ones are put to the test by what else they predict (``predictions``) and ranked anew, the best five become
hypotheses that cite their excerpts (``evidence_ids``). Conclusive means that the first is likelier
right than not; otherwise the answer says what was found, what was ruled out and what could not be looked at. Pure and
deterministic: equal findings give equal verdicts, whatever their order. Called by the graph's hypothesizing node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agent_sre.analysis.calibration import calibration
from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.chronicle import chronicle
from agent_sre.analysis.evidence_ids import Mint
from agent_sre.analysis.grounding import stands, unsupported
from agent_sre.analysis.impact import impact
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import Path, name_of, positions, text
from agent_sre.analysis.predictions import Tested, failed, settling, test
from agent_sre.analysis.ranking import Candidate, confidence, order, rank, rival_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.hypothesis import Hypothesis, Prediction
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.verdict import RuledOut, Verdict, VerdictStatus

MOST = 5
_TESTED = MOST + 3
"""So many leading causes are put to the test."""
_FAILED = 0.88
"""What a failed prediction leaves of a score: cases exist in which what is predicted happened out of sight."""
_LOST_FACT = 0.8
"""What is left of a finding's strength where one of its facts, or its statement, does not stand."""


def judge(case: CaseFile, findings: Sequence[Finding]) -> Verdict:
    """Rank the findings of one case. ``gaps`` and ``seconds`` are the caller's to fill in."""
    standing = [item for item in (grounded(finding, case) for finding in findings) if item is not None]
    ranked, tests = put_to_test(case, rank(case, standing))
    mint = Mint(case)
    hypotheses = tuple(_hypothesis(case, place, ranked, tests, mint) for place in range(min(MOST, len(ranked))))
    hypotheses = _sharing(hypotheses)
    sure = bool(hypotheses) and hypotheses[0].confidence >= calibration().conclusive
    ruled_out = (*_set_aside(ranked, mint), *_healthy_nodes(case, ranked, mint))
    hit = impact(case, ranked if sure else (), mint)
    story = chronicle(case, [item.finding for item in ranked[:MOST]], mint)
    return Verdict(
        status=VerdictStatus.CONCLUSIVE if sure else VerdictStatus.INCONCLUSIVE,
        hypotheses=hypotheses,
        evidence=mint.evidence,
        gaps=case.gaps,
        ruled_out=ruled_out,
        impact=hit,
        story=story,
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


def _sharing(hypotheses: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
    """Only one cause is right: what the first leaves is the most that another can have."""
    left = round(1.0 - hypotheses[0].confidence, 4) if hypotheses else 0.0
    return hypotheses[:1] + tuple(replace(item, confidence=min(item.confidence, left)) for item in hypotheses[1:])


_WAY = 3
"""Of the way from an alert to a cause, so many of the last calls are cited."""
Tests = Mapping[tuple[str, ObjectRef], tuple[Tested, ...]]


def put_to_test(case: CaseFile, ranked: Sequence[Candidate]) -> tuple[list[Candidate], Tests]:
    """The leading causes with their failed predictions against them, ranked anew, and what was tested of each."""
    tests: dict[tuple[str, ObjectRef], tuple[Tested, ...]] = {}
    judged: list[Candidate] = []
    for item in ranked[:_TESTED]:
        finding = item.finding
        tested = tests[finding.fault, finding.object] = test(case, finding)
        wrong = tuple(fact for fact in failed(tested) if stands(fact, case))
        told = replace(finding, against=(*finding.against, *wrong))
        judged.append(replace(item, finding=told, score=item.score * _FAILED ** len(wrong)))
    return [*sorted(judged, key=order), *ranked[_TESTED:]], tests


def _hypothesis(case: CaseFile, place: int, ranked: Sequence[Candidate], tests: Tests, mint: Mint) -> Hypothesis:
    candidate = ranked[place]
    finding = candidate.finding
    tested = tests.get((finding.fault, finding.object), ())
    return Hypothesis(
        rank=place + 1,
        fault=finding.fault,
        object=finding.object,
        confidence=confidence(candidate, ranked),
        statement=finding.statement,
        evidence=mint.cite((*finding.facts, *_way(case, finding))),
        against=mint.cite(finding.against),
        change=finding.change,
        distinguish=settling(finding, rival_of(candidate, ranked), tested),
        predictions=tuple(
            Prediction(item.check.says, str(item.outcome.state), mint.cite(item.outcome.facts), item.outcome.missing)
            for item in tested
        ),
    )


def _way(case: CaseFile, finding: Finding) -> list[Fact]:
    """How the cause is reached from what the alerts name: for each call on the way, the best word there is for it."""
    named = {alert.service for alert in case.alerts if alert.service}
    if finding.object.name in named:
        return []
    way = calls(case).way(named, finding.object.name)[-_WAY:]
    return [edge.witnesses[0].fact for edge in way if stands(edge.witnesses[0].fact, case)]


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
