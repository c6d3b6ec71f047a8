"""Our matchers against Alertmanager's own program: the same matchers, the same labels, the same verdict.

One route for each matcher, all of which are tried; ``amtool`` tells which of them an alert's labels reach.
"""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.ingest.matchers import checked, matches
from tests.e2e.processes import binary

LABELS = ("alertname", "pod", "zone")
VALUES = st.sampled_from(("", "a", "b", "ab", "A", "a.b", "a-1", "x y", "é", "0", "aab", "a,b"))
PATTERNS = st.sampled_from(
    ("", ".*", ".+", "a|b", "a.*", "(a|b)+", "[a-c]*", "(?i)a", "a.b", r"a\.b", r"\d", r"\w+", "^a", "a$", "^a$", ".",
     "é", "[^a]", "a{2}b", "(?=a)", "(", "a**", r"\pL+", "b?", "x.y", r"\bab\b", "(?P<n>a)", r"(a)\1")
)  # fmt: skip
MATCHERS = st.one_of(
    st.builds(Matcher, st.sampled_from(LABELS), st.sampled_from((Operator.EQUAL, Operator.NOT_EQUAL)), VALUES),
    st.builds(Matcher, st.sampled_from(LABELS), st.sampled_from((Operator.MATCHES, Operator.NOT_MATCHES)), PATTERNS),
)


def _valid(matcher: Matcher) -> bool:
    try:
        checked(matcher)
    except PermanentError:
        return False
    return True


def _config(folder: Path, matchers: list[Matcher]) -> Path:
    """JSON is YAML."""
    routes = [{"receiver": f"r{n}", "matchers": [str(matcher)], "continue": True} for n, matcher in enumerate(matchers)]
    receivers = [{"name": "none"}, *({"name": f"r{n}"} for n in range(len(matchers)))]
    file = folder / "alertmanager.yml"
    file.write_text(json.dumps({"route": {"receiver": "none", "routes": routes}, "receivers": receivers}))
    return file


def _amtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [binary("amtool", "prometheus-alertmanager"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.timeout(170)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(
    st.lists(MATCHERS.filter(_valid), min_size=15, max_size=40),
    st.lists(st.fixed_dictionaries({}, optional={label: VALUES for label in LABELS}), min_size=1, max_size=4),
)
def test_the_same_alerts_are_meant(tmp_path: Path, matchers: list[Matcher], alerts: list[dict[str, str]]) -> None:
    file = _config(tmp_path, matchers)
    for labels in alerts:
        ours = {f"r{n}" for n, matcher in enumerate(matchers) if matches(matcher, labels)} or {"none"}
        given = [f'{name}="{value}"' for name, value in labels.items()] or ['other="x"']
        answer = _amtool("config", "routes", "test", f"--config.file={file}", *given)
        assert answer.returncode == 0, answer.stderr
        assert set(answer.stdout.strip().split(",")) == ours, (labels, [str(matcher) for matcher in matchers])


@pytest.mark.parametrize("pattern", ["(?=a)", "(", "a**", r"(a)\1", "a{1001}", "[z-a]", "(?P<n>a)", "a{2,3}", r"\pL"])
def test_the_same_patterns_are_refused(tmp_path: Path, pattern: str) -> None:
    matcher = Matcher("pod", Operator.MATCHES, pattern)
    answer = _amtool("check-config", str(_config(tmp_path, [matcher])))
    assert (answer.returncode == 0) == _valid(matcher), answer.stdout + answer.stderr
