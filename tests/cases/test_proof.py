"""Every statement of every answer is proven: ids exist, excerpts are stored, numbers and quotes are in them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_sre.analysis.chronicle import MOST
from agent_sre.analysis.grounding import shown_by, unsupported
from tests.cases.conftest import Answered, answered, paths

pytestmark = [pytest.mark.cases, pytest.mark.timeout(400)]
_CLOCK = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z?|(?<![\d:.])\d\d:\d\d(?::\d\d)?(?![\d:])")

HAPPENED = ("alert", "change", "event", "onset", "error")
"""Kinds of what happened to the system; the other entries of a timeline are what the product itself did."""


def claims(answer: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Every text of the answer that says something about the incident, with the evidence it cites."""
    for item in answer["hypotheses"]:
        cited = [*item["evidence"], *item["against"]]
        yield f"hypothesis {item['rank']}", item["statement"], cited
        for prediction in item["predictions"]:
            if prediction["outcome"] != "unseen":
                yield f"prediction of {item['rank']}", prediction["says"], prediction["evidence"]
    for item in answer["ruled_out"]:
        yield f"ruled out {item['what']}", item["why"], item["evidence"]
    for item in answer["timeline"]:
        if item["evidence"] and item["kind"] in HAPPENED:
            yield f"timeline {item['time']}", item["text"], item["evidence"]
    impact = answer["impact"]
    if impact["evidence"]:
        yield "impact", impact["summary"], impact["evidence"]


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.name)
def test_every_statement_resolves_to_stored_evidence(path: Path) -> None:
    found = answered(path)
    told = {alert for alert in _alert_texts(found)}
    evidence = found.answer["evidence"]
    for where, text, cited in claims(found.answer):
        assert cited, f"{where} cites nothing: {text}"
        assert set(cited) <= set(evidence), where
        own = text
        for words in told:
            own = own.replace(words, "")
        excerpts = "\n".join(evidence[key]["excerpt"] for key in cited)
        times = "\n".join(str(evidence[key]["time"]) for key in cited)
        shown = f"{excerpts}\n{times}"
        assert unsupported(_CLOCK.sub("", own), shown) == (), f"{where}: {text}\nshown by: {shown}"


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.name)
def test_every_excerpt_is_in_what_was_stored(path: Path) -> None:
    found = answered(path)
    for key, item in found.answer["evidence"].items():
        observation = found.observations.get(item["observation"])
        assert observation is not None, f"{key} cites {item['observation']}, which is not stored"
        assert shown_by(item["excerpt"], observation), f"{key} is not in {observation.id}: {item['excerpt']}"


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.name)
def test_the_timeline_is_in_order_bounded_and_shown_by_evidence(path: Path) -> None:
    found = answered(path)
    entries = found.answer["timeline"]
    times = [datetime.fromisoformat(item["time"]) for item in entries]
    assert times == sorted(times) and all(time.utcoffset() == timedelta(0) for time in times)
    happened = [item for item in entries if item["kind"] in HAPPENED]
    assert 0 < len(happened) <= MOST
    for item in happened:
        assert item["evidence"] and set(item["evidence"]) <= set(found.answer["evidence"]), item["text"]
    changes = {change.id for seen in found.observations.values() for change in seen.changes}
    told = [item for item in happened if item["kind"] == "change"]
    left_out = any("changes" in item["text"] for item in entries if item["text"].startswith("Left out"))
    assert not changes or told, "recorded changes are on the timeline whether or not one is blamed"
    assert len(told) >= len(changes) or left_out, "what is left out is told"


def _alert_texts(found: Answered) -> set[str]:
    """What the alerts themselves say: the answer repeats it as theirs."""
    summaries = (
        entry["text"].partition(" fires: ")[2] for entry in found.answer["timeline"] if entry["kind"] == "alert"
    )
    return {text for text in summaries if text}
