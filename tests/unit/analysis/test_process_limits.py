"""What a process says when it runs into a limit: the cheap glance lets every wording through to its pattern."""

import pytest

from agent_sre.analysis.process_limits import analyze_process_limits
from tests.scenarios.builders import Shop

SAID = {
    "accept4: too many open files": "file_descriptors_exhausted",
    "Error: spawn EMFILE": "file_descriptors_exhausted",
    "socket: ENFILE": "file_descriptors_exhausted",
    "no file descriptors available": "file_descriptors_exhausted",
    "Found one Java-level deadlock:": "deadlock",
    "fatal error: all goroutines are asleep - deadlock!": "deadlock",
    "WARNING: lock order inversion": "deadlock",
    "- waiting to lock monitor 0x00007f (object 0x1)": "deadlock",
    "goroutine 7 [semacquire, 12 minutes]:": "deadlock",
    "no requests were completed in the last 90 s": "deadlock",
    "Worker pool-3 has been blocked for more than 60 seconds": "deadlock",
    "java.util.concurrent.RejectedExecutionException: Task rejected": "thread_pool_exhausted",
    "WARNING: [pool www] server reached pm.max_children setting (5)": "thread_pool_exhausted",
    "AH00484: server reached MaxRequestWorkers setting": "thread_pool_exhausted",
    'listen queue of socket ":8000" (fd: 3) is full': "thread_pool_exhausted",
    "busy: there are 0 idle, 10 total children": "thread_pool_exhausted",
    "RuntimeError: can't start new thread": "thread_pool_exhausted",
}


@pytest.mark.parametrize("line", SAID)
def test_every_wording_is_heard(line: str) -> None:
    shop = Shop()
    shop.log("basket", "INFO served GET /cart in 4 ms", line, line)
    assert {item.fault for item in analyze_process_limits(shop.case())} == {SAID[line]}


def test_everyday_lines_are_not() -> None:
    shop = Shop()
    shop.log("basket", "INFO worker 3 took the lock for 2 ms", "INFO thread pool has 12 idle of 16")
    assert list(analyze_process_limits(shop.case())) == []
