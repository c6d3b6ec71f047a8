"""The card has what a person reads first, in every state, and buttons only where something can be decided."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.verdict import Verdict, VerdictStatus
from agent_sre.report.card import Bullets, Buttons, Card, Fields, Headline, Statement, build_card
from agent_sre.report.timeline import facts_in_words, merge
from agent_sre.testing.sample_incident import sample_incident


def card_of(status: IncidentStatus = IncidentStatus.AWAITING_APPROVAL, verdict: Verdict | None = None) -> Card:
    sample = sample_incident(status)
    verdict = verdict or sample.verdict
    sentences = facts_in_words(verdict, sample.findings)
    timeline = merge(sample.incident.id, sample.entries, sample.alerts, verdict)
    return build_card(
        sample.incident,
        verdict,
        timeline,
        sample.approvals,
        sample.effects,
        sentences=sentences,
        link="https://sre.example/incidents/inc-checkout",
    )


def block(card: Card, kind: type) -> list[object]:
    return [item for item in card.blocks if isinstance(item, kind)]


def test_headline_impact_change_and_cause_in_this_order() -> None:
    card = card_of()
    assert isinstance(card.blocks[0], Headline) and card.blocks[0].text.startswith("CRITICAL · CheckoutErrorRate")
    fields = card.blocks[1]
    assert isinstance(fields, Fields)
    shown = dict(fields.pairs)
    assert shown["Status"] == "waiting for a decision" and shown["Service"] == "shop/checkout"
    assert shown["Impact"].startswith("About 31 %")
    changed, because, happened = block(card, Bullets)
    assert isinstance(changed, Bullets) and "deploy of checkout" in changed.items[0].text
    assert isinstance(because, Bullets) and [item.evidence for item in because.items] == [("E1",), ("E2",)]
    assert because.items[0].text == "The error ratio of checkout rose from 0.4 % to 31 %"
    assert isinstance(happened, Bullets) and happened.title == "What happened"
    assert [item.text[:20] for item in happened.items][:2] == ["13:42 UTC deploy of ", "13:42 UTC Pods of re"]
    cause = block(card, Statement)[0]
    assert isinstance(cause, Statement) and cause.text.startswith("Most likely (87%)")


def test_buttons_carry_the_digest_and_vanish_once_decided() -> None:
    buttons = block(card_of(), Buttons)[0]
    assert isinstance(buttons, Buttons)
    assert [item.action for item in buttons.items] == ["approve", "reject", "open"]
    assert buttons.items[0].digest == sample_incident().approvals[0].digest
    decided = block(card_of(IncidentStatus.RESOLVED), Buttons)[0]
    assert isinstance(decided, Buttons) and [item.action for item in decided.items] == ["open"]


@pytest.mark.parametrize("status", IncidentStatus)
def test_every_state_has_a_card_and_a_line(status: IncidentStatus) -> None:
    card = card_of(status)
    assert card.fallback.startswith("CRITICAL · ")
    assert isinstance(card.blocks[0], Headline)


def test_the_outcome_of_an_action_is_told() -> None:
    said = [item.text for item in block(card_of(IncidentStatus.RESOLVED), Statement) if isinstance(item, Statement)]
    assert any(text.startswith("Action done, recovered: the alert's condition is false") for text in said)


def test_an_inconclusive_verdict_never_sounds_certain() -> None:
    verdict = sample_incident().verdict
    assert verdict is not None
    unsure = card_of(verdict=replace(verdict, status=VerdictStatus.INCONCLUSIVE))
    assert any("Inconclusive; leading candidate" in str(item) for item in unsure.blocks)
    empty = card_of(verdict=replace(verdict, status=VerdictStatus.INCONCLUSIVE, hypotheses=()))
    assert any("No cause found; 2 ruled out, 2 things could not be looked at" in str(item) for item in empty.blocks)


def test_a_long_story_is_cut_to_what_the_cause_cites_and_one_of_each_kind() -> None:
    sample = sample_incident()
    timeline = merge(sample.incident.id, sample.entries, sample.alerts, sample.verdict)
    others = tuple(
        replace(timeline[0], time=timeline[0].time + timedelta(seconds=n), text=f"deploy of other {n}", evidence=())
        for n in range(1, 20)
    )
    card = build_card(sample.incident, sample.verdict, (*timeline, *others))
    changed, _, happened = (item for item in block(card, Bullets) if isinstance(item, Bullets))
    assert "deploy of checkout" in changed.items[0].text, "the change that is blamed, however many came after it"
    assert len(changed.items) == 3
    assert happened.title == "What happened, 19 more on the page"
    assert any("fires" in item.text for item in happened.items)
