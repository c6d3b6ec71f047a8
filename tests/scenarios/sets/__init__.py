"""Own incidents with known causes, in sets that ``agent-sre eval`` can read: one module per set.

A scenario is a function that fills a ``Frozen`` and is registered with the truth about it. ``python -m
tests.scenarios.sets FOLDER`` writes every set below FOLDER. Scenarios are written from how systems fail, before and
apart from the analyzers they judge, so that the first score of a set says how well the engine does on what it has not
seen; docs and results keep that first score.
"""
