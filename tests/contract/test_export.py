"""An incident of the demo's shop, investigated over the real store, exported, and replayed to the same answer."""

import asyncio
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from agent_sre.actions.policy import Mode, Policy
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.adapters.snapshot_directory import SnapshotWriter, load_snapshot
from agent_sre.adapters.store_sql import SqlStore, open_store
from agent_sre.bootstrap import export_incident, investigate_snapshot
from agent_sre.cli import main
from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal, default_signals
from agent_sre.domain.telemetry import Change, Edge, LogLine, LogSource, LogStream, Series, Span
from agent_sre.domain.verdict import Question
from agent_sre.evidence.redaction import Redaction
from agent_sre.evidence.scope import Limits, Readers
from agent_sre.graph.build import build_graph
from agent_sre.graph.state import Context
from agent_sre.ingest.alertmanager import parse
from agent_sre.ports.export import Export
from agent_sre.runbooks.load import builtin_folder, load_runbooks
from agent_sre.service.advance_incident import advance_incident
from agent_sre.service.answer_document import answer_document
from agent_sre.service.export_incident import export_of
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.settings import Settings
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from agent_sre.testing.shop.alertmanager import payload
from agent_sre.testing.shop.rule import ShopRule
from agent_sre.testing.shop.telemetry import ShopChanges, ShopLogs, ShopTopology
from agent_sre.testing.shop.world import ShopWorld
from tests.unit.alerts import fold_ports

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
KEPT = ("status", "hypotheses", "ruled_out", "gaps", "impact", "evidence")


@dataclass
class Service:
    """The shop, the database the service keeps, and the incident."""

    store: SqlStore
    context: Context
    clock: FrozenClock
    settings: Settings
    incident: str = ""

    async def receive(self, status: str) -> None:
        now = self.clock.now()
        body = payload(status, START - timedelta(seconds=60), None if status == "firing" else now)
        await self.store.inbox.append(parse(body, now))
        store = self.store
        await fold_alerts(fold_ports(store, self.clock, self.context.ids))
        self.incident = (await store.incidents.newest(1))[0].id

    async def answer(self) -> Mapping[str, Any]:
        store = self.store
        incident = await store.incidents.get(self.incident)
        assert incident is not None
        verdict = await store.cases.verdict(incident.id, 1)
        assert verdict is not None
        stores = {name: getattr(store, name) for name in ("incidents", "approvals", "journal")}
        return await answer_document(replace(incident, run=1), verdict, **stores)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    clock, world, rule = FrozenClock(START), ShopWorld(START), ShopRule()
    metrics = SnapshotMetrics(lambda: world.series(clock.now()), clock.now, rules=rule.rules, alerts=rule.active)
    store = await open_store(f"sqlite:///{tmp_path}/data/agent_sre.sqlite")
    readers = Readers(
        cluster=world.cluster,
        metrics=metrics,
        logs=ShopLogs(world, clock),
        changes=ShopChanges(world),
        topology=ShopTopology(),
    )
    context = Context(
        incidents=store.incidents,
        cases=store.cases,
        approvals=store.approvals,
        effects=store.effects,
        journal=store.journal,
        clock=clock,
        ids=SequentialIds(),
        readers=readers,
        writer=None,
        signals=default_signals(),
        runbooks=load_runbooks([builtin_folder()]),
        policy=Policy(mode=Mode.SUGGEST),
        limits=Limits(redaction=Redaction(b"of the process")),
    )
    yield Service(store, context, clock, Settings(_env_file=None, data_dir=tmp_path / "data"))
    await store.close()


@pytest.fixture
async def investigated(service: Service) -> Service:
    await service.receive("firing")
    await advance_incident(service.incident, build_graph(InMemorySaver()), service.context)
    return service


async def test_a_replay_of_the_export_gives_the_same_answer(investigated: Service, tmp_path: Path) -> None:
    before = await investigated.answer()
    assert before["hypotheses"]
    assert before["gaps"]  # traces are not configured in the shop
    # The world goes on: the alert is resolved, another comes; the export is of what was seen then.
    await investigated.clock.sleep(1200)
    await investigated.receive("resolved")
    steps: list[str] = []
    done = await export_incident(investigated.settings, investigated.incident, tmp_path / "out", steps.append)
    after = await investigate_snapshot(tmp_path / "out")
    assert {key: after[key] for key in KEPT} == {key: before[key] for key in KEPT}
    assert after["incident"] == investigated.incident
    assert done.missing == ()
    assert steps[0] == "reading the store" and "manifest.json" in steps


async def test_the_export_has_the_files_of_the_format_and_says_what_it_is(
    investigated: Service, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    await export_incident(investigated.settings, investigated.incident, out, lambda step: None)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["incident"] == investigated.incident
    assert manifest["missing"] == []
    assert manifest["in_the_record_only"] == ["alert_conditions"]
    assert any(text.startswith("traces") for text in manifest["could_not_be_looked_at"])
    snapshot = load_snapshot(out)
    assert snapshot.now == START
    assert snapshot.namespaces == ("shop",)
    assert snapshot.spans is None  # a source that was not there is not in the folder
    assert snapshot.objects and snapshot.logs and snapshot.series and snapshot.changes and snapshot.edges
    assert len(snapshot.objects) == manifest["files"]["kubernetes.json"]
    assert len(snapshot.series) == manifest["files"]["metrics.om"]
    assert snapshot.recorded is not None
    assert len(snapshot.recorded[0]) == manifest["files"]["observations.jsonl.gz"]


async def test_the_files_alone_lead_to_the_same_cause(investigated: Service, tmp_path: Path) -> None:
    before = await investigated.answer()
    out = tmp_path / "out"
    await export_incident(investigated.settings, investigated.incident, out, lambda step: None)
    (out / "observations.jsonl.gz").unlink()
    after = await investigate_snapshot(out)
    first, again = before["hypotheses"][0], after["hypotheses"][0]
    assert {key: again[key] for key in ("fault", "object", "change")} == {
        key: first[key] for key in ("fault", "object", "change")
    }


async def test_an_unknown_incident_names_those_that_are_known(investigated: Service, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=rf"no incident 'x'; the newest are: {investigated.incident}"):
        await export_incident(investigated.settings, "x", tmp_path / "out", lambda step: None)
    assert not (tmp_path / "out").exists()


async def test_an_incident_without_an_answer_is_refused(service: Service, tmp_path: Path) -> None:
    await service.receive("firing")
    with pytest.raises(PermanentError, match="has no finished investigation yet"):
        await export_incident(service.settings, service.incident, tmp_path / "out", lambda step: None)


async def test_a_folder_with_something_in_it_is_left_alone(investigated: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    mine = out / "mine"
    out.mkdir()
    mine.write_text("mine")
    with pytest.raises(PermanentError, match="not an empty folder"):
        await export_incident(investigated.settings, investigated.incident, out, lambda step: None)
    assert os.listdir(out) == ["mine"]
    mine.unlink()
    await export_incident(investigated.settings, investigated.incident, out, lambda step: None)
    assert (out / "snapshot.yaml").exists()
    assert sorted(os.listdir(tmp_path)) == ["data", "out"]


async def test_a_write_that_fails_leaves_nothing(investigated: Service, tmp_path: Path) -> None:
    def full(step: str) -> None:
        if step == "metrics.om":
            raise OSError(28, "No space left on device", "metrics.om")

    with pytest.raises(PermanentError, match=r"metrics\.om cannot be written: No space left on device"):
        await export_incident(investigated.settings, investigated.incident, tmp_path / "out", full)
    assert os.listdir(tmp_path) == ["data"]


async def test_an_answer_of_an_earlier_version_says_what_it_lacks(investigated: Service) -> None:
    cases = investigated.store.cases
    verdict = await cases.verdict(investigated.incident, 1)
    assert verdict is not None and verdict.question is not None
    await cases.save_verdict(investigated.incident, 1, replace(verdict, question=None))
    export = await export_of(investigated.incident, investigated.store.incidents, cases)
    assert export.question.now == START
    assert export.missing == (
        "the moment, window and namespaces of the investigation: they are taken from its observations",
    )


async def test_alerts_are_put_back_as_they_were(investigated: Service) -> None:
    await investigated.clock.sleep(600)
    await investigated.receive("resolved")
    (now,) = await investigated.store.incidents.alerts(investigated.incident)
    assert now.status is AlertStatus.RESOLVED
    export = await export_of(investigated.incident, investigated.store.incidents, investigated.store.cases)
    (then,) = export.alerts
    assert (then.status, then.ends_at, then.starts_at) == (AlertStatus.FIRING, None, START - timedelta(seconds=60))
    assert then.fingerprint == now.fingerprint


WINDOW = Window(START - timedelta(hours=1), START)


def odd_export() -> Export:
    """Everything that is hard to write down."""
    at = START.timestamp()

    def seen(collector: str, **fields: Any) -> Observation:
        return Observation(f"{collector}/1", collector, collector, "q", START, WINDOW, **fields)

    lines = (LogLine(None, "no time"), LogLine(START, "one\n  two \u00fc"), LogLine(START - timedelta(seconds=1), "z"))
    series = (
        Series.of("x_total", {"a": 'q"\\\n'}, [(at - 60.5, 1.0), (at, float("nan"))], "counter"),
        Series.of("y", {}, [(at, float("inf"))], "gauge"),
        Series.of("odd.name", {}, [(at, 1.0)]),
    )
    return Export(
        incident_id="i-1",
        run=2,
        title="title: with # signs",
        question=Question(START, WINDOW, ("shop",)),
        alerts=(),
        observations=(
            seen("metrics_signals", series=series),
            seen(
                "pod_logs",
                streams=(
                    LogStream(LogSource("shop", "web-1", "app"), lines),
                    LogStream(LogSource("shop", "web-1", "app", previous=True), lines[1:]),
                    LogStream(LogSource("..", "../../etc", "cron"), lines),
                ),
            ),
            seen(
                "traces", spans=(Span("t", "s", "", "web", "GET /", at - 2.5, at - 2, True, {"k8s.pod.name": "web-1"}),)
            ),
            seen("changes", changes=(Change("c", START, "deploy", "web", "s", "ann", "+x"),)),
            seen("topology", edges=(Edge("a", "b", "traces"), Edge("a", "b", "mesh"))),
        ),
        gaps=(Gap("kubernetes", "pods", "forbidden", "grant it"),),
        signals=(Signal("y", "memory", "bytes", {"p": "pod"}),),
        engine="deterministic",
    )


def test_what_is_hard_to_write_down_comes_back(tmp_path: Path) -> None:
    export = odd_export()
    missing = SnapshotWriter("0").write(export, tmp_path / "out", lambda step: None)
    assert len(missing) == 2, missing
    assert "metrics.om: 1 series" in missing[0]
    assert "logs/: 1 sources" in missing[1]
    back = load_snapshot(tmp_path / "out")
    assert back.objects is None
    assert back.series is not None
    assert [(str(item), item.kind, list(item.times)) for item in back.series] == [
        (str(item), item.kind, list(item.times)) for item in export.observations[0].series[:2]
    ]
    assert back.logs is not None
    assert {str(source) for source in back.logs} == {"shop/web-1/app", "shop/web-1/app (previous)"}
    assert list(back.spans or ()) == list(export.observations[2].spans)
    assert back.changes == export.observations[3].changes
    assert [(edge.caller, edge.callee) for edge in back.edges or ()] == [("a", "b")]
    assert back.signals == export.signals
    assert back.description == export.title
    assert back.recorded is not None
    observations, gaps = back.recorded
    assert gaps == export.gaps
    assert [item.to_plain()["streams"] for item in observations] == [
        item.to_plain()["streams"] for item in export.observations
    ]


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"{}\n",
        b'{"format": 2, "gaps": []}\n',
        b'{"format": 1, "gaps": [5]}\n',
        b'{"format": 1, "gaps": []}\nnot json\n',
        b'{"format": 1, "gaps": []}\n{"id": "x"}\n',
        b'{"format": 1, "gaps": []}\n[]\n',
    ],
)
def test_a_record_that_is_none_is_refused_by_name(tmp_path: Path, lines: bytes) -> None:
    SnapshotWriter("0").write(odd_export(), tmp_path / "out", lambda step: None)
    (tmp_path / "out" / "observations.jsonl.gz").write_bytes(gzip.compress(lines))
    with pytest.raises(PermanentError, match=r"observations\.jsonl"):
        load_snapshot(tmp_path / "out")


def run_command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["agent-sre", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_says_what_is_wrong_and_ends_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AGENT_SRE_DATA_DIR", str(tmp_path / "nowhere"))
    assert run_command(monkeypatch, "export", "x", "--out", str(tmp_path / "out")) == 2
    assert "there is no database" in capsys.readouterr().err
    assert run_command(monkeypatch, "export", "x") == 2
    assert "--out" in capsys.readouterr().err


async def test_an_archive_of_the_export_is_read_too(investigated: Service, tmp_path: Path) -> None:
    out = tmp_path / "out"
    await export_incident(investigated.settings, investigated.incident, out, lambda step: None)
    archive = shutil.make_archive(str(tmp_path / "packed"), "gztar", out)
    packed = load_snapshot(Path(archive))
    assert packed.recorded is not None
    assert len(packed.recorded[0]) > 5


async def test_the_command_writes_the_folder_and_does_not_write_it_twice(investigated: Service, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "agent_sre", "export", investigated.incident, "--out", str(tmp_path / "out")]
    given = {**os.environ, "AGENT_SRE_DATA_DIR": str(investigated.settings.data_dir)}

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, env=given, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)

    first = await asyncio.to_thread(run)
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.endswith(f"observations of incident {investigated.incident}\n")
    again = await asyncio.to_thread(run)
    assert again.returncode == 2
    assert "is there and not an empty folder" in again.stderr
    assert len(again.stderr.splitlines()) == 1
