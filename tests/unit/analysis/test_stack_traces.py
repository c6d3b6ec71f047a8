"""Stack traces: put together from stamped lines, and told apart by where they were thrown."""

from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.analysis.stack_traces import joined, trace_of
from agent_sre.domain.telemetry import LogLine

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
JAVA = """11:00:00 [http-1] ERROR c.e.Leaf - order failed
java.lang.RuntimeException: outer
\tat com.example.Shop.order(Shop.java:10)
\tat org.springframework.web.Servlet.service(Servlet.java:1)
Caused by: java.lang.IllegalStateException: leaf 7 is gone
\tat java.base/java.util.Optional.get(Optional.java:143)
\tat com.example.Leaf.pick(Leaf.java:42)
\t... 23 more"""
PYTHON = """ERROR order failed
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 9, in dispatch
    return f()
  File "/app/shop/leaf.py", line 42, in pick
    return stock[name]
  File "/usr/lib/python3.11/collections/__init__.py", line 9, in __getitem__
    raise KeyError(key)
KeyError: 'mint'"""
GO = """panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]
goroutine 7 [running]:
runtime.gopanic(0xc000)
\t/usr/local/go/src/runtime/panic.go:914 +0x21f
example.com/shop/leaf.(*Store).Pick(0x0, {0xc0, 0x4})
\t/src/leaf/store.go:42 +0x1d"""
NODE = """Error: order failed
TypeError: Cannot read properties of undefined (reading 'price')
    at Array.map (<anonymous>)
    at /app/node_modules/express/lib/router.js:1:2
    at pickLeaf (/app/src/leaf.js:42:7)"""
DOTNET = """fail: Shop.Api[0]
System.InvalidOperationException: Sequence contains no elements
   at System.Linq.ThrowHelper.ThrowNoElementsException()
   at Shop.Leaf.Pick(String name) in /src/Leaf.cs:line 42"""
RUBY = """NoMethodError: undefined method `price' for nil
\tfrom /usr/local/bundle/gems/rack-3.0/lib/rack.rb:1:in `call'
\tfrom /app/leaf.rb:42:in `pick'"""


@pytest.mark.parametrize("text", [JAVA, PYTHON, GO, NODE])
def test_lines_with_a_stamp_each_become_one_entry(text: str) -> None:
    rows = ["before", *text.split("\n"), "INFO after"]
    lines = [LogLine(NOON + timedelta(milliseconds=place), row) for place, row in enumerate(rows)]
    shown = [line.text for line in joined(lines)]
    assert shown[0] == "before"
    assert shown[-1] == "INFO after"
    assert text.rsplit("\n", maxsplit=1)[-1] in shown[-2]
    assert len(shown) <= 4


def test_a_log_without_traces_stays_as_it_is() -> None:
    lines = [LogLine(NOON, "one"), LogLine(NOON, "Traceback is a word"), LogLine(None, "two")]
    assert joined(lines) is lines


def test_a_pause_ends_a_trace() -> None:
    lines = [LogLine(NOON, "ERROR x"), LogLine(NOON + timedelta(minutes=1), "\tat a.B.c(B.java:1)")]
    assert len(joined(lines)) == 2


@pytest.mark.parametrize(
    ("text", "name", "message", "frame"),
    [
        (JAVA, "java.lang.IllegalStateException", "leaf 7 is gone", "com.example.Leaf.pick"),
        (PYTHON, "KeyError", "'mint'", "leaf.py:pick"),
        (GO, "panic", "runtime error: invalid memory address or nil pointer dereference", "leaf.(*Store).Pick"),
        (NODE, "TypeError", "Cannot read properties of undefined (reading 'price')", "pickLeaf"),
        (DOTNET, "System.InvalidOperationException", "Sequence contains no elements", "Shop.Leaf.Pick"),
        (RUBY, "NoMethodError", "undefined method `price' for nil", "leaf.rb:pick"),
    ],
)
def test_the_innermost_exception_and_own_frame(text: str, name: str, message: str, frame: str) -> None:
    found = trace_of(text)
    assert found is not None
    assert (found.name, found.text, found.frame) == (name, message, frame)


def test_no_exception_no_trace() -> None:
    assert trace_of("INFO all is well\n\tindented") is None
