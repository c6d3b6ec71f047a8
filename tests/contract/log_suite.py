"""What every LogReader does. Each test module that imports these tests has a fixture ``logs`` over ``log_values``."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_search import Level, LogSearch
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource
from agent_sre.ports.logs import LogAnswer, LogReader
from tests.contract.log_values import AILING, MANY, SIDECAR, SOURCES, TALKING, WINDOW

EVERYTHING = LogSearch("shop", WINDOW)
SPECIAL = 'GET /orders?id=7&"quoted" \\back it\'s `tick` {brace} [1] | stats #x 100%'


def texts(answer: LogAnswer) -> list[str]:
    return [line.text for stream in answer.streams for line in stream.lines]


def search(**fields: object) -> LogSearch:
    return LogSearch(**{"namespace": "shop", "window": WINDOW, **fields})  # type: ignore[arg-type]


async def test_sources_are_the_containers_of_a_namespace(logs: LogReader) -> None:
    assert await logs.sources("shop", WINDOW) == SOURCES
    assert await logs.sources("nowhere", WINDOW) == ()
    assert await logs.sources("@nodes", WINDOW) == ()


async def test_both_ends_of_the_window_belong_to_it(logs: LogReader) -> None:
    (stream,) = (await logs.read(TALKING, WINDOW, 100)).streams
    assert stream.source == TALKING
    assert [line.text for line in stream.lines] == ["first", SPECIAL, "red grün 雪", "last"]
    assert stream.lines[1].time == datetime(2026, 3, 1, 11, 40, 0, 123456, UTC)
    assert stream.left_out == 0


async def test_a_window_without_lines_is_an_empty_stream(logs: LogReader) -> None:
    quiet = Window(WINDOW.end + timedelta(hours=1), WINDOW.end + timedelta(hours=2))
    (stream,) = (await logs.read(SIDECAR, quiet, 100)).streams
    assert (stream.source, stream.lines, stream.left_out) == (SIDECAR, (), 0)


async def test_every_answer_names_its_query(logs: LogReader) -> None:
    assert "api-0" in (await logs.read(AILING, WINDOW, 10)).query
    assert "shop" in (await logs.search(EVERYTHING, 10)).query
    assert "shop" in (await logs.counts(EVERYTHING, timedelta(minutes=1))).query


async def test_of_too_many_lines_a_sample_of_the_whole_window_is_kept_and_the_rest_counted(logs: LogReader) -> None:
    (stream,) = (await logs.read(MANY, WINDOW, 50)).streams
    numbers = [int(line.text.split()[1]) for line in stream.lines]
    assert len(numbers) == 50
    assert stream.left_out == 550
    assert numbers == sorted(set(numbers))
    assert {number // 60 for number in numbers} == set(range(10))  # each minute of the ten


async def test_a_search_covers_all_containers_and_samples_them_together(logs: LogReader) -> None:
    answer = await logs.search(EVERYTHING, 10_000)
    assert {stream.source for stream in answer.streams} == set(SOURCES)
    assert len(texts(answer)) == 610
    few = await logs.search(EVERYTHING, 61)
    assert len(texts(few)) == 61
    assert sum(len(stream.lines) + stream.left_out for stream in few.streams) == 610


async def test_a_workload_is_all_of_its_pods(logs: LogReader) -> None:
    answer = await logs.search(search(workload="web"), 100)
    assert [stream.source for stream in answer.streams] == [TALKING, SIDECAR]
    assert [stream.source for stream in (await logs.search(search(workload="api"), 100)).streams] == [AILING]
    assert (await logs.search(search(workload="we"), 100)).streams == ()
    assert (await logs.search(search(workload=".*"), 100)).streams == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("line 7", ["line 7"]),
        ("LINE 599", ["line 599"]),
        ("connect error", ["upstream connect error"]),
        ("onnect", []),
        (SPECIAL, [SPECIAL]),
        ('"quoted" \\back', [SPECIAL]),
        ("`tick`", [SPECIAL]),
        ("grün", ["red grün 雪"]),
        ("雪", ["red grün 雪"]),
        ('" or *', []),
        (".*", []),
        ('"} or {namespace=~".+"} |= "', []),
        ("x) OR (*:*", []),
    ],
)
async def test_text_is_found_as_written_as_whole_words_in_any_case(
    logs: LogReader, text: str, found: list[str]
) -> None:
    assert texts(await logs.search(search(text=text), 100)) == found


async def test_a_level_admits_it_and_what_is_worse(logs: LogReader) -> None:
    warnings = ["WARN slow answer", 'level=error msg="cannot connect"', "Fatal: gone", "upstream connect error"]
    assert texts(await logs.search(search(level=Level.WARNING), 100)) == warnings
    assert texts(await logs.search(search(level=Level.ERROR), 100)) == warnings[1:]
    assert texts(await logs.search(search(level=Level.CRITICAL), 100)) == ["Fatal: gone"]
    assert texts(await logs.search(search(level=Level.ERROR, workload="api", text="connect"), 100)) == warnings[1:2]


async def test_counts_have_a_step_for_every_time_of_the_window(logs: LogReader) -> None:
    minute = timedelta(minutes=1)
    counts = await logs.counts(search(workload="cart"), minute)
    assert counts.series.name == "log_lines"
    assert list(counts.series.values) == [60.0] * 10 + [0.0] * 21
    assert counts.series.times[0] == WINDOW.start.timestamp()
    bad = (await logs.counts(search(level=Level.WARNING, workload="api"), minute)).series
    assert {time: value for time, value in zip(bad.times, bad.values, strict=True) if value} == {
        WINDOW.start.timestamp() + 20 * 60: 2.0,
        WINDOW.start.timestamp() + 21 * 60: 1.0,
    }


async def test_counts_and_search_agree(logs: LogReader) -> None:
    for asked in (EVERYTHING, search(text="line"), search(level=Level.ERROR), search(workload="web")):
        found = len(texts(await logs.search(asked, 10_000)))
        assert sum((await logs.counts(asked, timedelta(minutes=7))).series.values) == found


async def test_too_many_steps_are_refused(logs: LogReader) -> None:
    with pytest.raises(PermanentError, match="at most 2000"):
        await logs.counts(EVERYTHING, timedelta(milliseconds=1))


async def test_another_namespace_is_not_looked_into(logs: LogReader) -> None:
    everything = texts(await logs.search(EVERYTHING, 10_000))
    assert "error of another namespace" not in everything
    (stream,) = (await logs.search(search(namespace="bank"), 10)).streams
    assert stream.source == LogSource("bank", "web-7d9f8c6b5-abcde", "app")
