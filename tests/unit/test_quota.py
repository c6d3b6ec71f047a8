"""A source may send a burst at once and its rate in the long run, and is told when to come back."""

from hypothesis import given, strategies as st

from agent_sre.entrypoints.quota import Quota


class Hand:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate() -> None:
    hand = Hand()
    quota = Quota(rate=2, burst=3, monotonic=hand)
    assert [quota.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    hand.now += 0.5
    assert (quota.take(), quota.take()) == (0.0, 0.5)
    hand.now += 1_000
    assert [quota.take() for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_without_a_rate_nothing_is_refused() -> None:
    quota = Quota(rate=0, burst=1, monotonic=Hand())
    assert {quota.take() for _ in range(100)} == {0.0}


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.1, 20), st.integers(1, 10))
def test_never_more_than_burst_and_rate_allow(pauses: list[float], rate: float, burst: int) -> None:
    hand = Hand()
    quota = Quota(rate, burst, hand)
    taken = 0
    for pause in pauses:
        hand.now += pause
        wait = quota.take()
        taken += wait == 0.0
        assert 0 <= wait <= 1 / rate + 1e-9
    assert taken <= burst + sum(pauses) * rate + 1e-6
