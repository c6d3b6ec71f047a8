"""``make bench-analysis``: the deterministic engine's parts beside the tools that are known for them, in one run.

One file per comparison. Ours and the peer's get the same files in the same run, turn by turn, so that the ratio means
something on a shared machine; each runs on one core. A peer lives in an environment of its own under
``build/bench-peers/<peer>``, made by the Makefile from ``requirements/peers/<peer>.lock``, so that its old pins stay
out of the product's.

To add a comparison: ``requirements/peers/<peer>.in`` with the peer's pinned version and ``make lock`` for its lock; a
script ``peer_<peer>.py`` here that imports nothing of ours, reads one JSON document on standard input and prints one
(``peers.ask`` starts it); a module with ``measure(data: Path) -> list[Figure]``; one line in ``COMPARISONS`` of
``benchmarks/bench_analysis.py``.
"""
