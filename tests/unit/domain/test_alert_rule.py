"""What an alert's link and expression say of the rule behind it."""

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, strategies as st

from agent_sre.domain.alert_rule import MAX_EXPRESSION, comparison_in, expression_in_link

EXPRESSION = 'sum by (pod) (rate(http_requests_total{code=~"5..",path="/a%20b"}[5m])) / 100 > 0.05'
QUERY = {"refId": "A", "expr": EXPRESSION}


def explore(state: object, name: str = "panes") -> str:
    return f"https://grafana.example/explore?schemaVersion=1&{name}={quote(json.dumps(state))}&orgId=1"


@pytest.mark.parametrize(
    "link",
    [
        f"http://prometheus:9090/graph?g0.expr={quote_plus(EXPRESSION)}&g0.tab=1",
        f"http://prometheus:9090/query?g0.tab=1&g0.expr={quote(EXPRESSION)}&g1.expr=up",
        f"http://prometheus:9090/graph?g0.expr={quote(quote(EXPRESSION))}",
        f"http://vmselect:8481/select/0/vmui/#/?g0.expr={quote(EXPRESSION)}&g0.range_input=1h",
        explore({"x1": {"datasource": "uid", "queries": [QUERY], "range": {"from": "now-1h", "to": "now"}}}),
        explore({"x1": {"queries": [{**QUERY, "datasource": {"type": "prometheus", "uid": "u"}}]}}),
        explore(
            {"logs": {"queries": [{"expr": '{app="x"}', "datasource": {"type": "loki"}}]}, "b": {"queries": [QUERY]}}
        ),
        explore({"datasource": "VictoriaMetrics", "queries": [QUERY], "range": {}}, "left"),
        explore(["now-1h", "now", "VictoriaMetrics", QUERY, {"mode": "Metrics"}], "left"),
        f'http://grafana/explore?orgId=1&left={{"datasource":"VM","queries":[{{"expr":{quote_plus(json.dumps(EXPRESSION))},'
        f'"refId":"A"}}],"range":{{"from":"now-1h","to":"now"}}}}',
    ],
)
def test_the_expression_is_found_in_every_form_of_link(link: str) -> None:
    assert expression_in_link(link) == EXPRESSION


@pytest.mark.parametrize(
    "link",
    [
        "",
        "http://[bad",
        "http://vmalert:8880/vmalert/alert?group_id=1036955090143761274&alert_id=1074584496268461589",
        "https://grafana.example/alerting/grafana/abc/view?orgId=1",
        explore({"a": {"datasource": {"type": "loki"}, "queries": [{"expr": '{app="x"}'}]}}),
        explore({"datasource": "VictoriaLogs", "queries": [{"expr": "_time:5m error"}]}, "left"),
        explore({"a": {"queries": [{"expr": 5}, "x", None]}, "b": 7}),
        "http://x/explore?panes=%7Bbroken",
        "http://x/explore?panes=" + "[" * 9000,
        f"http://x/graph?g0.expr={'a' * (MAX_EXPRESSION + 1)}",
        f"http://x/graph?g0.expr={'%61' * 9000}",
    ],
)
def test_a_link_without_an_expression_of_metrics_gives_none(link: str) -> None:
    assert expression_in_link(link) == ""


def test_a_remainder_is_not_taken_for_an_encoding() -> None:
    assert expression_in_link("http://p/graph?g0.expr=" + quote("up %20 == 3")) == "up %20 == 3"


@given(st.text(max_size=300))
def test_no_text_is_too_odd_for_a_link(text: str) -> None:
    for link in (text, f"http://x/?g0.expr={text}", f"http://x/explore?panes={text}", f"http://x/#/?left={text}"):
        assert len(expression_in_link(link)) <= MAX_EXPRESSION


@pytest.mark.parametrize(
    ("expression", "operator", "threshold"),
    [
        (EXPRESSION, ">", 0.05),
        ("(1 - avg(up)) * 100 >= bool 1e1 ", ">=", 10.0),
        ("(sum(free) < -5)", "<", -5.0),
        ("rate(x[5m]) <= 0.5", "<=", 0.5),
    ],
)
def test_the_threshold_of_an_expression(expression: str, operator: str, threshold: float) -> None:
    found = comparison_in(expression)
    assert found is not None
    assert (found.operator, found.threshold) == (operator, threshold)
    assert found.words in expression


@pytest.mark.parametrize(
    "expression", ["", "up", "a > b", "absent(up)", "up == 0", "a > 5 unless b", "x[5m] > 5 offset 1h"]
)
def test_an_expression_that_compares_with_no_number(expression: str) -> None:
    assert comparison_in(expression) is None
