"""The terminal's report says everything the answer says, without colour too, and no telemetry drives the terminal."""

import io
import re
from dataclasses import replace
from typing import Any

from rich.console import Console

from agent_sre.cli.render import render_report
from agent_sre.domain.verdict import Verdict, VerdictStatus
from agent_sre.report.answer import answer
from agent_sre.testing.sample_incident import sample_incident


def document(verdict: Verdict | None = None) -> dict[str, Any]:
    sample = sample_incident()
    assert sample.verdict is not None
    proposals = [item.proposal for item in sample.approvals]
    return answer(sample.incident.id, verdict or sample.verdict, proposals, sample.entries)


def rendered(plain: dict[str, Any], *, width: int = 100, color: bool = False) -> str:
    out = io.StringIO()
    render_report(plain, Console(file=out, width=width, force_terminal=color, highlight=False))
    return out.getvalue()


def test_cause_evidence_gaps_action_and_timeline_are_told() -> None:
    text = rendered(document())
    for words in (
        "conclusive",
        "About 31 % of checkout requests fail",
        "1. The rollout of checkout 2.15.0 broke it",
        "██████████░░  87%  bad_deploy · Deployment shop/checkout · change dep-42",
        "E2 dep-42 deploy checkout 2.14.3 to 2.15.0",
        "kubernetes logs: shop/checkout-7d9f-x2x/app  2026-03-04T13:42:50Z",
        "what would settle it: compare the error ratio",
        "2. checkout's pool of connections",
        "- traffic surge: the request rate of checkout stayed within 4 %",
        "- kubernetes, list nodes: forbidden: nodes is not readable (grant list on nodes",
        "- rollout_undo on Deployment shop/checkout (to_revision=41)  medium risk",
        "undo: roll out revision 42 again",
        "CheckoutErrorRate fires",
        "deterministic engine, 2.5 s, no model, 6 pieces of evidence",
    ):
        assert words in text
    assert "\x1b" not in text


def test_colour_changes_no_word() -> None:
    plain, coloured = rendered(document()), rendered(document(), color=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_an_inconclusive_answer_without_hypotheses_is_still_a_report() -> None:
    verdict = sample_incident().verdict
    assert verdict is not None
    text = rendered(document(replace(verdict, status=VerdictStatus.INCONCLUSIVE, hypotheses=(), evidence=())))
    assert "inconclusive" in text and "No cause was found that the evidence supports" in text
    assert "Could not be looked at" in text


def test_telemetry_neither_drives_the_terminal_nor_rich() -> None:
    plain = document()
    plain["hypotheses"][0]["statement"] = "[bold red]boo[/] \x1b[2J\u202egnp"
    plain["evidence"]["E1"]["excerpt"] = "\x1b]0;title\x07[link=http://evil]x[/link]"
    text = rendered(plain)
    assert "\x1b" not in text and "\u202e" not in text and "\x07" not in text
    assert "[bold red]boo[/] <U+001B>[2J<U+202E>gnp" in text and "[link=http://evil]" in text


def test_a_narrow_terminal_is_kept_to() -> None:
    assert max(len(line) for line in rendered(document(), width=60).splitlines()) <= 60
