"""What one entry says, in every form that programs write: its text, whether it answers 5xx, and how bad it is."""

import pytest

from agent_sre.analysis.log_records import plain, severity


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"level":"error","msg":"order failed","order":7}', "level=error msg=order failed order=7"),
        ('{"level": "info", "msg": "ok", "error": {"code": 3}}', "level=info msg=ok error.code=3"),
        ('level=warn msg="cache is cold" key=a', "level=warn msg=cache is cold key=a"),
        (r'{"msg":"no host \"leaf\"","n":1}', "msg=no host 'leaf' n=1"),
        ("plain text stays", "plain text stays"),
        ('he said "hello"', 'he said "hello"'),
    ],
)
def test_structured_lines_become_words(line: str, text: str) -> None:
    assert plain(line) == text


@pytest.mark.parametrize(
    "line",
    [
        '10.0.0.1 - - [04/Mar/2026:11:00:00 +0000] "GET /leaf HTTP/1.1" 503 91 "-" "curl/8"',
        '[2026-03-04T11:00:00.000Z] "POST /leaf HTTP/2" 502 UF upstream_reset_before_response_started 0 91',
        '{"method":"GET","path":"/leaf","response_code":503,"response_flags":"UH"}',
        'level=info msg="request served" status=500 path=/leaf',
        "[GIN] 2026/03/04 - 11:00:00 | 500 |  1.2ms |  10.0.0.1 | GET /leaf",
    ],
)
def test_answers_of_5xx_are_errors_and_told_apart_from_others(line: str) -> None:
    assert severity(plain(line)) == 3
    calm = line.replace(" 503", " 200").replace(" 502", " 200").replace("=500", "=200").replace(":503", ":200")
    assert severity(plain(calm.replace("| 500 |", "| 200 |"))) == 1


def test_a_number_that_only_looks_like_a_status_is_none() -> None:
    assert severity(plain("level=info msg=done duration=512 size=503")) == 1


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("E0304 11:00:00.000000       1 server.go:12] cannot sync", 3),
        ("W0304 11:00:00.000000       1 server.go:12] slow", 2),
        ("F0304 11:00:00.000000       1 server.go:12] gone", 4),
        ("I0304 11:00:00.000000       1 server.go:12] retry after error", 1),
        ('{"level":"error","ts":1772622000.1,"caller":"a/b.go:7","msg":"boom"}', 3),
        ("2026-03-04T11:00:00.000Z\tERROR\ta/b.go:7\tboom", 3),
        ("11:00:00.000 [main] WARN  c.e.Leaf - low", 2),
        ("11:00:00.000 [http-1] ERROR c.e.Leaf - boom", 3),
        ("CRITICAL:leaf:boom", 4),
        ("2026-03-04 11:00:00,000 - leaf - ERROR - boom", 3),
        ("INFO:     10.0.0.1:5 - GET /error", 1),
        ("fail: Leaf.Api[0]", 3),
        ("2026-03-04T11:00:00.1Z [warning  ] low [leaf]", 2),
        ("2026-03-04T11:00:00.1Z [error    ] boom [leaf]", 3),
        ("2026-03-04T11:00:00.1Z [info     ] retry after error [leaf]", 1),
        ("crit: Leaf.Api[0]", 4),
        ("info: Leaf.Api[0] error budget is full", 1),
        ("E, [2026-03-04T11:00:00.1 #1] ERROR -- : boom", 3),
        ('{"level":50,"time":1772622000,"msg":"boom"}', 3),
        ('{"level":30,"time":1772622000,"msg":"an error was avoided"}', 1),
        ('{"@t":"2026-03-04T11:00:00Z","@l":"Error","@m":"boom"}', 3),
        ('{"t":{"$date":"2026-03-04T11:00:00Z"},"s":"E","c":"STORAGE","id":1,"msg":"boom"}', 3),
        ('{"severity_text":"WARN","body":"slow"}', 2),
        ("2026/03/04 11:00:00 [error] 7#7: *1 upstream timed out", 3),
        ("2026/03/04 11:00:00 [emerg] 1#1: no live upstreams", 4),
        ("[2026-03-04 11:00:00.000][1][critical][main] gone", 4),
        ("2026-03-04 11:00:00.000 UTC [7] FATAL:  sorry, too many clients already", 4),
        ("2026-03-04 11:00:00.000 UTC [7] LOG:  checkpoint complete", 1),
        ("2026-03-04T11:00:00.0Z 0 [ERROR] [MY-012592] [InnoDB] boom", 3),
        ("could not reach the leaf", 3),
        ("completed with 0 errors", 1),
        ("all is well", 1),
    ],
)
def test_levels_of_the_usual_libraries(line: str, level: int) -> None:
    assert severity(plain(line)) == level
