"""What logs say is wrong, and who only reports somebody else's trouble."""

import pytest

from agent_sre.analysis.log_errors import log_findings
from agent_sre.analysis.log_patterns import classify, outside_host
from agent_sre.analysis.log_records import severity
from agent_sre.analysis.stack_traces import exception
from tests.scenarios.telemetry_case import Incident


def findings(*lines: tuple[str, str], quiet: bool = True) -> list[tuple[str, str]]:
    incident = Incident().alert("ErrorRateHigh", "basil", "basil fails").calls(("gate", "basil"))
    for workload, text in lines:
        if quiet:
            incident.logs(workload, "INFO all is well", *range(-50, 0, 5))
        incident.logs(workload, text, *range(8))
    return [(item.fault, item.object.name) for item in log_findings(incident.case())]


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        (
            "mysql_invalid_credentials",
            "ERROR 1045 (28000): Access denied for user 'leaf'@'10.0.0.7' (using password: YES)",
        ),
        ("db_connection_exhaustion", "FATAL: remaining connection slots are reserved for superuser connections"),
        ("db_read_only", "ERROR: cannot execute INSERT in a read-only transaction"),
        ("db_lock_contention", "ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction"),
        ("db_schema_mismatch", 'ERROR: column "colour" does not exist at character 8'),
        ("index_mapping_broken", "ERROR mapper_parsing_exception: failed to parse field [colour]"),
        ("db_disk_full", 'ERROR: could not extend file "base/1/2": No space left on device'),
        ("file_descriptors_exhausted", "ERROR accept4: too many open files"),
        (
            "connection_pool_exhausted",
            "ERROR HikariPool-1 - Connection is not available, request timed out after 30000ms",
        ),
        ("thread_pool_exhausted", "ERROR java.util.concurrent.RejectedExecutionException: task rejected from pool"),
        ("deadlock", "fatal error: all goroutines are asleep - deadlock!"),
        ("gc_pressure", "ERROR java.lang.OutOfMemoryError: GC overhead limit exceeded"),
        ("certificate_expired", "ERROR x509: certificate has expired or is not yet valid"),
        (
            "rbac_forbidden",
            'ERROR pods is forbidden: User "system:serviceaccount:garden:basil" cannot list resource "pods"',
        ),
        ("config_invalid", "ERROR failed to parse basil config: yaml: line 4: mapping values are not allowed"),
        ("unhandled_exception", "panic: runtime error: invalid memory address or nil pointer dereference"),
        ("poison_message", "ERROR message moved to dead letter queue after 5 attempts"),
        ("write_capacity_exceeded", "ERROR ProvisionedThroughputExceededException: rate of requests exceeds the limit"),
    ],
)
def test_well_known_messages(fault: str, line: str) -> None:
    assert (fault, "basil") in findings(("basil", line))


def test_what_was_printed_on_healthy_days_as_often_is_no_trouble() -> None:
    incident = Incident().alert("ErrorRateHigh", "basil", "basil fails")
    incident.logs("basil", "ERROR accept4: too many open files", *range(-58, 8))
    assert list(log_findings(incident.case())) == []


def test_who_names_a_complaining_callee_is_a_witness() -> None:
    incident = Incident().alert("ErrorRateHigh", "gate", "gate fails").calls(("gate", "basil"))
    incident.logs("gate", "ERROR panic: call to basil failed", *range(8))
    incident.logs("basil", "panic: nil pointer dereference", *range(8))
    strength = {item.object.name: item.strength for item in log_findings(incident.case())}
    assert strength["basil"] > strength["gate"]


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("POST https://api.pots.example/v2 returned 503", "api.pots.example"),
        ("dial tcp: lookup pay.pots.example: no such host", "pay.pots.example"),
        ("GET http://mint.garden.svc.cluster.local/ returned 503", ""),
        ("GET http://mint:8080/ returned 503", ""),
        ("GET http://10.2.3.4/ returned 503", ""),
    ],
)
def test_hosts_outside_the_cluster(line: str, host: str) -> None:
    assert outside_host(line) == host


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("ERROR it broke", 3),
        ("INFO no errors", 1),
        ('{"severity":"error","message":"x"}', 3),
        ("level=warn msg=slow", 2),
        ("E0304 12:00:00.000 1 x.go:1] bad", 3),
        ("panic: nil map", 4),
        ("I0304 12:00:00.000 1 x.go:1] request failed over", 1),
        ("connection refused", 3),
    ],
)
def test_severity(line: str, level: int) -> None:
    assert severity(line) == level


def test_the_innermost_exception_of_a_stack_trace() -> None:
    trace = (
        "ERROR request failed\njava.lang.RuntimeException: outer\n\tat a.B.c(B.java:1)\n"
        "Caused by: java.lang.NullPointerException: leaf is null\n\tat a.B.d(B.java:2)"
    )
    assert exception(trace) == "java.lang.NullPointerException: leaf is null"
    assert classify(trace) is not None


def test_a_link_to_read_is_no_host_that_was_called() -> None:
    line = "Timeout performing GET (5000ms), please take a look at this article: https://docs.lib.example/Timeouts"
    assert outside_host(line) == ""
    assert outside_host(f"{line}; POST https://api.pay.example/v1 timed out") == "api.pay.example"
    assert outside_host("POST https://api.pay.example/v1 timed out, see https://docs.lib.example") == "api.pay.example"
