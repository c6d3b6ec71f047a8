"""The story has what nobody cites too, in order, from all sources, within bounds, and every moment shows its proof."""

from datetime import timedelta

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.chronicle import MOST
from agent_sre.analysis.engine import analyze
from agent_sre.analysis.grounding import shown_by, unsupported
from agent_sre.analysis.judge import judge
from agent_sre.domain.evidence import Observation
from agent_sre.domain.instant import format_instant
from agent_sre.domain.verdict import Moment, Verdict
from tests.scenarios.telemetry_case import FAULT, NAMESPACE, Incident


def event(minute: int, reason: str, words: str, kind: str = "Warning", pod: str = "mint-5d8f7c9b6-x2x4z") -> object:
    first, last = FAULT + timedelta(minutes=minute), FAULT + timedelta(minutes=minute + 2)
    return {
        "kind": "Event", "type": kind, "reason": reason, "message": words, "count": 4,
        "metadata": {"name": f"{reason}{minute}", "namespace": NAMESPACE},
        "involvedObject": {"kind": "Pod", "namespace": NAMESPACE, "name": pod},
        "firstTimestamp": format_instant(first), "lastTimestamp": format_instant(last),
    }  # fmt: skip


def with_alerts(case: CaseFile, *events: object) -> CaseFile:
    """The case with its alerts kept as received, as the collector keeps them, and with Events."""
    rules = tuple({"name": alert.name, "alerts": [{"labels": dict(alert.labels)}]} for alert in case.alerts)
    kept = Observation("alerts_received/1", "alerts_received", "alerts", "alerts as received", case.now, rules=rules)
    listed = Observation("events/1", "events", "kubernetes", "list events kind=Event", case.now, objects=tuple(events))  # type: ignore[arg-type]
    return CaseFile(
        now=case.now, window=case.window, namespaces=case.namespaces, alerts=case.alerts, signals=case.signals,
        observations=(*case.observations.values(), kept, listed),
    )  # fmt: skip


def incident() -> Incident:
    made = Incident().alert("LatencyHigh", "mint", "p95 of mint above 200 ms").latency("mint", 20, 300)
    made.logs("mint", "INFO ready", -50, -40, -30).logs("mint", "ERROR cannot reach ledger", 1, 2, 3)
    made.change("c-1", -30, "deploy", "basil", "basil 1.2 to 1.3")
    return made.change("c-2", -3, "deploy", "mint", "mint 4.1 to 4.2", "-timeout: 30\n+timeout: 1")


def verdict_of(case: CaseFile) -> Verdict:
    return judge(case, analyze(case))


def kinds(story: tuple[Moment, ...]) -> set[str]:
    return {item.kind for item in story}


def test_every_source_is_told_and_a_change_that_nobody_blames_too() -> None:
    case = with_alerts(incident().case(), event(1, "Unhealthy", "Readiness probe failed: timeout"))
    story = verdict_of(case).story
    assert kinds(story) == {"change", "alert", "onset", "event", "error"}
    assert [item.time for item in story] == sorted(item.time for item in story)
    texts = [item.text for item in story]
    assert "deploy of basil: basil 1.2 to 1.3" in texts
    assert "LatencyHigh fires: p95 of mint above 200 ms" in texts
    assert any(text.startswith("Unhealthy on Pod mint-5d8f7c9b6-x2x4z") for text in texts)
    assert any("ERROR cannot reach ledger" in text for text in texts)


def test_every_moment_is_shown_by_the_evidence_that_it_cites() -> None:
    case = with_alerts(incident().case(), event(1, "Unhealthy", 'Get "http://10.0.0.1:8080/": refused'))
    verdict = verdict_of(case)
    cited = verdict.evidence_by_id()
    for item in verdict.story:
        shown = [cited[key] for key in item.evidence]
        assert shown
        assert unsupported(item.text, "\n".join(found.excerpt for found in shown)) == ()
        assert all(shown_by(found.excerpt, case.observations[found.observation]) for found in shown)


def test_one_warning_for_each_reason_and_workload_as_of_its_first_and_no_normal_events() -> None:
    events = [event(minute, "BackOff", f"Back-off {minute}") for minute in (3, 1, 2)]
    events += [event(1, "Pulled", "Container image present", kind="Normal"), event(-300, "Failed", "long ago")]
    found = [item for item in verdict_of(with_alerts(incident().case(), *events)).story if item.kind == "event"]
    assert [(item.time, item.text) for item in found] == [
        (FAULT + timedelta(minutes=1), "BackOff on Pod mint-5d8f7c9b6-x2x4z: Back-off 1")
    ]


def test_a_long_story_is_bounded_tells_what_is_left_out_and_keeps_one_of_each_kind() -> None:
    made = incident()
    for number in range(120):
        made.change(f"d-{number}", -50 + number / 4, "deploy", f"other-{number}", f"release {number}")
    events = [event(1, f"Reason{number}", "it failed") for number in range(60)]
    story = verdict_of(with_alerts(made.case(), *events)).story
    happened = [item for item in story if item.kind != "note"]
    assert len(happened) == MOST
    assert kinds(story) == {"change", "alert", "onset", "event", "error", "note"}
    assert story[-1].kind == "note" and "changes" in story[-1].text and "events" in story[-1].text
    assert any("mint 4.1 to 4.2" in item.text for item in happened), "what is blamed is never left out"


def test_a_change_that_is_blamed_is_told_once() -> None:
    story = verdict_of(with_alerts(incident().case())).story
    assert [item.text for item in story if "mint 4.1 to 4.2" in item.text] == ["deploy of mint: mint 4.1 to 4.2"]
