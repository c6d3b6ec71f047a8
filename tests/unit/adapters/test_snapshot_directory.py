"""Snapshots read whole, and everything about them that can be wrong."""

import gc
import io
import tarfile
from pathlib import Path

import pytest

from agent_sre.adapters.snapshot_directory import Snapshot, load_snapshot
from agent_sre.adapters.snapshot_directory.folder import Folder, open_folder
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Edge, LogSource
from tests.unit.adapters.snapshot_files import FILES, HEADER, pack, write_snapshot

ZIPPED = ("metrics.om", "alerts.json", "logs/shop/cart-1/app.log")


@pytest.fixture(params=["directory", "zipped files", "archive", "archive with a top folder"])
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Snapshot:
    folder = write_snapshot(tmp_path / "s", zipped=ZIPPED if request.param == "zipped files" else ())
    if request.param.startswith("archive"):
        return load_snapshot(pack(folder, tmp_path / "s.tar.gz", "top/" if "top" in request.param else ""))
    return load_snapshot(folder)


def test_every_file_is_read_and_nothing_after_now(snapshot: Snapshot) -> None:
    assert (snapshot.id, snapshot.namespaces, snapshot.description) == ("case-1", ("shop",), "Carts fail.")
    assert str(snapshot.window) == "2026-03-01T11:30:00Z/2026-03-01T12:00:00Z"
    assert snapshot.alerts_payload == {"version": "4", "alerts": []}
    assert [item["metadata"]["name"] for item in snapshot.objects or ()] == ["cart-1", "e1"]
    assert [list(series.times) for series in snapshot.series or ()] == [[1772366300.0]]
    assert [change.id for change in snapshot.changes or ()] == ["c1", "c2"]
    assert [change.kind for change in snapshot.changes or ()] == ["other", "deploy"]
    assert [edge for edge in snapshot.edges or ()] == [
        Edge("web", "cart", "topology.json"),
        Edge("cart", "db", "topology.json"),
    ]
    assert [(signal.metric, signal.labels) for signal in snapshot.signals] == [("cart_ms", {"service": "workload"})]


def test_spans(snapshot: Snapshot) -> None:
    (span,) = snapshot.spans or ()
    assert (span.service, span.name, span.error, span.parent_id) == ("cart", "GET /", True, "")
    assert span.end - span.start == pytest.approx(1.5)
    assert span.attributes == {"retry": "true"}


def test_logs_are_found_by_place_and_opened_on_demand(snapshot: Snapshot) -> None:
    assert snapshot.logs is not None
    assert set(snapshot.logs) == {
        LogSource("shop", "cart-1", "app"),
        LogSource("shop", "cart-1", "app", previous=True),
        LogSource("@nodes", "worker-1", "kubelet.service"),
    }
    with snapshot.logs[LogSource("shop", "cart-1", "app")]() as file:
        assert file.read() == FILES["logs/shop/cart-1/app.log"].encode()


def test_missing_files_are_none_not_empty(tmp_path: Path) -> None:
    (tmp_path / "snapshot.yaml").write_text(HEADER)
    (tmp_path / "alerts.json").write_text("{}")
    snapshot = load_snapshot(tmp_path)
    sources = (snapshot.objects, snapshot.logs, snapshot.series, snapshot.spans, snapshot.changes, snapshot.edges)
    assert sources == (None,) * 6
    assert snapshot.signals == ()


def test_times_may_be_unquoted_and_the_window_ends_by_now(tmp_path: Path) -> None:
    header = "version: 1\nid: 7\nnow: 2026-03-01T12:00:00Z\nwindow: {start: 2026-03-01, end: 2026-03-02T00:00:00Z}\n"
    with pytest.raises(PermanentError, match=r"window\.start"):
        load_snapshot(write_snapshot(tmp_path / "a", snapshot__yaml=header))
    header = header.replace("start: 2026-03-01,", "start: 2026-03-01T11:00:00+01:00,")
    snapshot = load_snapshot(write_snapshot(tmp_path / "b", snapshot__yaml=header))
    assert str(snapshot.window) == "2026-03-01T10:00:00Z/2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("snapshot.yaml", None, "is missing"),
        ("snapshot.yaml", "version: 2\n", "version is 2; this program reads version 1"),
        ("snapshot.yaml", "a: [", "not valid YAML"),
        ("snapshot.yaml", "- " * 200_000 + "a", "nested deeper than 50"),
        ("snapshot.yaml", "- 1\n", "expected a mapping"),
        ("snapshot.yaml", "version: 1\nid: x\nnow: yesterday\n", "now: 'yesterday' is not an RFC 3339 time"),
        ("snapshot.yaml", HEADER.replace("11:30", "13:30"), "before it starts"),
        ("snapshot.yaml", HEADER.replace("[shop]", "shop"), "namespaces is 'shop'"),
        ("snapshot.yaml", HEADER.replace("case-1", "[1]"), "id is"),
        ("alerts.json", None, "is missing"),
        ("alerts.json", '{"alerts": [', "not valid JSON"),
        ("alerts.json", '{"a": NaN}', "not valid JSON"),
        ("kubernetes.json", "[]", "no list 'items'"),
        ("kubernetes.json", '{"items": [{"kind": "Pod"}]}', r"items\[0\] has no kind or no metadata"),
        ("metrics.om", "x 1\n# EOF\n", "line 1: .*no timestamp"),
        ("traces.json", "{}", "resourceSpans"),
        ("traces.json", '{"resourceSpans": [{"scopeSpans": [{"spans": [{}]}]}]}', r"resourceSpans\[0\].*traceId"),
        ("changes.json", "{}", "expected a list"),
        ("changes.json", '[{"id": "x"}]', r"\[0\]\.time"),
        ("topology.json", '{"edges": [["a"]]}', r"edges\[0\]"),
        ("signals.yaml", "signals: [{}]", r"signals\[0\] has no metric"),
    ],
)
def test_an_unreadable_file_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, text: str | None, words: str
) -> None:
    folder = write_snapshot(tmp_path / "s", **{name.replace(".", "__"): text})
    with pytest.raises(PermanentError, match=f"{name}: .*{words}") as caught:
        load_snapshot(folder)
    assert "\n" not in str(caught.value)


def test_a_path_with_nothing_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no such snapshot"):
        load_snapshot(tmp_path / "nowhere")


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "s", zipped=("metrics.om",), metrics__om="x 1 1\n" * 5000)
    path = folder / "metrics.om.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(PermanentError, match=r"metrics\.om\.gz: cannot be read"):
        load_snapshot(folder)


def test_a_document_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    write_snapshot(tmp_path, zipped=("alerts.json",), alerts__json="[" + " " * 100_000 + "]")
    assert (tmp_path / "alerts.json.gz").stat().st_size < 1000
    with pytest.raises(PermanentError, match=r"alerts\.json\.gz: more than 50000 bytes"):
        Folder(tmp_path, "s", max_document=50_000).read("alerts.json")


def test_a_link_out_of_the_directory_is_refused(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "s", alerts__json=None)
    secret = tmp_path / "secret.json"
    secret.write_text("{}")
    (folder / "alerts.json").symlink_to(secret)
    with pytest.raises(PermanentError, match="leads out of the snapshot"):
        load_snapshot(folder)


def archive_with(path: Path, member: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["../snapshot.yaml", "/etc/snapshot.yaml", "logs/../../x", "a\\b"])
def test_members_that_lead_out_of_an_archive_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PermanentError, match="leads out of the snapshot"):
        load_snapshot(archive_with(tmp_path / "bad.tar.gz", tarfile.TarInfo(name), b"x"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tar.gz"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_an_archive_are_refused(tmp_path: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("snapshot.yaml")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(PermanentError, match="link or device"):
        load_snapshot(archive_with(tmp_path / "bad.tar.gz", member))


@pytest.mark.parametrize(
    ("limit", "words"), [({"max_members": 10}, "more than 10 members"), ({"max_unpacked": 900}, "more than 900 bytes")]
)
def test_an_archive_with_too_much_in_it_is_refused(tmp_path: Path, limit: dict[str, int], words: str) -> None:
    path = pack(write_snapshot(tmp_path / "s"), tmp_path / "s.tar.gz")
    with pytest.raises(PermanentError, match=words):
        open_folder(path, **limit)


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_bytes(b"hello")
    with pytest.raises(PermanentError, match=r"x\.tar\.gz: not a readable"):
        load_snapshot(path)


def test_unpacked_files_go_with_the_snapshot(tmp_path: Path) -> None:
    snapshot = load_snapshot(pack(write_snapshot(tmp_path / "s"), tmp_path / "s.tar.gz"))
    assert snapshot.logs is not None
    opener = snapshot.logs[LogSource("shop", "cart-1", "app")]
    opener().close()
    del snapshot
    gc.collect()
    with pytest.raises(FileNotFoundError):
        opener()
