"""Which traces are read of a store that has too many of them, and what is said of the rest."""

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Span
from agent_sre.domain.trace_search import TraceSearch
from agent_sre.evidence.traces import named, slow_from
from agent_sre.ports.context import TraceAnswer
from agent_sre.testing.traces import FakeTraces
from tests.unit.evidence.worlds import NOW, WINDOW, Refusing, alert, readers, run, scope

START = WINDOW.start.timestamp()


def trace(
    number: int, *, service: str = "cart", seconds: float = 0.1, error: bool = False, size: int = 3
) -> list[Span]:
    """One request every ten seconds: its front, and a service below."""
    begin = START + 10 * number
    identity = f"{service}-{number}"
    parts = [Span(identity, "0", "", "front", "GET", begin, begin + seconds, False, {})]
    return [
        *parts,
        *(Span(identity, str(n), "0", service, f"op{n}", begin, begin + seconds, error, {}) for n in range(1, size)),
    ]


def busy(failed: frozenset[int] = frozenset(range(3, 180, 40)), slow: frozenset[int] = frozenset({150})) -> list[Span]:
    cart = [trace(n, error=n in failed, seconds=2.0 if n in slow else 0.1) for n in range(180)]
    return [span for spans in (*cart, *(trace(n, service="mail") for n in range(180))) for span in spans]


async def test_few_traces_are_all_read_with_one_question() -> None:
    reader = FakeTraces(busy())
    found = await run("traces", scope(alert(service="cart")), readers(traces=reader))
    assert len(reader.searches) == 1
    (observation,) = found.observations
    assert len(observation.spans) == len(busy())
    assert observation.left_out == ()


async def test_of_many_the_failed_slow_and_usual_ones_of_the_alerts_service_are_read_too() -> None:
    reader = FakeTraces(busy(), most=60)
    found = await run("traces", scope(alert(service="cart")), readers(traces=reader))
    asked = [(item.service, item.errors, item.at_least > 0) for item in reader.searches]
    assert asked == [("", False, False), ("cart", True, False), ("cart", False, False), ("cart", False, True)]
    assert [item.query for item in found.observations] == [
        "cart: errors", "cart: at least 0.2 s", "cart: any", "all services: any"]  # fmt: skip
    errors, slow, usual, everything = found.observations
    assert {span.trace_id for span in errors.spans} == {f"cart-{n}" for n in range(3, 180, 40)}
    assert {span.trace_id for span in slow.spans} == {"cart-150"}
    assert usual.left_out
    assert everything.left_out


async def test_every_trace_is_in_one_observation_only() -> None:
    found = await run("traces", scope(alert(service="cart")), readers(traces=FakeTraces(busy(), most=60)))
    traces = [{span.trace_id for span in item.spans} for item in found.observations]
    assert sum(map(len, traces)) == len(set().union(*traces))


async def test_failed_traces_have_half_of_the_room() -> None:
    everything = busy(failed=frozenset(range(180)))
    found = await run("traces", scope(alert(service="cart"), spans=240), readers(traces=FakeTraces(everything)))
    errors = found.observations[0]
    assert 110 <= len(errors.spans) <= 120
    assert sum(len(item.spans) for item in found.observations) <= 240
    sixths = {int(span.start - START) // 300 for span in errors.spans}
    assert sixths == set(range(6))
    assert errors.left_out


async def test_alerts_that_name_no_known_service_ask_about_all() -> None:
    reader = FakeTraces(busy(), most=60)
    await run("traces", scope(alert(service="nobody")), readers(traces=reader))
    assert [(item.service, item.errors, item.at_least > 0) for item in reader.searches] == [
        ("", False, False), ("", True, False), ("", False, True)]  # fmt: skip


async def test_a_refusal_is_a_gap_that_names_the_fix() -> None:
    found = await run("traces", scope(), readers(traces=Refusing(PermanentError("no org id"))))
    (gap,) = found.gaps
    assert (gap.source, gap.what, gap.reason) == ("traces", "traces", "no org id")
    assert "AGENT_SRE_TRACES_" in gap.fix


async def test_a_question_that_is_refused_does_not_lose_the_others() -> None:
    class Half(FakeTraces):
        async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
            if search.errors:
                raise PermanentError("errors cannot be searched for")
            return await super().search(search, max_spans)

    found = await run("traces", scope(alert(service="cart")), readers(traces=Half(busy(), most=60)))
    assert [gap.what for gap in found.gaps] == ["failed traces of cart"]
    assert [item.query for item in found.observations][-1] == "all services: any"


async def test_secrets_in_attributes_never_leave_the_door() -> None:
    at = NOW.timestamp() - 1
    held = {"db.statement": "login password=hunter22 now", "http.request.header.authorization": "Bearer abc.def.ghi123"}
    spans = [Span("t", "s", "", "cart", "GET /?token=s3cr3tvalue", at, at + 0.1, True, held)]
    found = await run("traces", scope(), readers(traces=FakeTraces(spans)))
    text = repr(found.observations[0].spans)
    assert not any(secret in text for secret in ("hunter22", "abc.def.ghi123", "s3cr3tvalue"))
    assert "[redacted:" in text


def test_services_are_named_by_labels_pods_and_with_their_namespace() -> None:
    known = ("Cart", "ledger.shop", "shop/mail", "web", "zebra")
    assert named([alert(service="cart")], known) == ["Cart"]
    assert named([alert(deployment="ledger"), alert(app="mail")], known) == ["ledger.shop", "shop/mail"]
    assert named([alert(pod="web-7d9f8c6b5-x2x4z")], known) == ["web"]
    assert named([alert()], known) == []


def test_slow_is_what_usual_spans_of_the_service_hardly_are() -> None:
    usual = [span for number in range(100) for span in trace(number, seconds=1.0 if number % 5 == 0 else 0.1)]
    since = [span for number in range(170, 180) for span in trace(number, seconds=50.0)]
    wanted = scope(alert(service="cart"))
    assert slow_from("cart", [*usual, *since], wanted) == 1.0
    assert slow_from("nobody", usual, wanted) == 1.0  # nothing to compare with
    assert 0.19 < slow_from("cart", [span for n in range(20) for span in trace(n)], wanted) < 0.21
