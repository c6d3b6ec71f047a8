"""Metrics as a snapshot holds them: MetricsReader over raw series, with a small PromQL of its own.

There is no Prometheus behind a snapshot, but alert conditions and verification are PromQL; so the part of the language
that such expressions use is evaluated here with Prometheus' own semantics (lookback, counter resets, extrapolation,
vector matching). What is not understood is refused by name, never guessed at. A parser from a package was considered
(``promql-parser``): it parses but does not evaluate, and the grammar is the smaller half; see the decision record.
"""

from agent_sre.adapters.metrics_snapshot.reader import SnapshotMetrics

__all__ = ["SnapshotMetrics"]
