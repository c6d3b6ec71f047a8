"""Pure judgement: Evidence becomes findings and ranked causes, one file per family of failure modes.

No I/O, no clock, no model: the same evidence always gives the same answer, which makes it the answer to fall back on.
Called by the graph's analysing and hypothesising nodes.
"""
