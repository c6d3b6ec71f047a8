"""Loads, matches and checks runbooks; their content is data, in the top-level ``runbooks/`` folder.

A runbook names actions of the catalogue and their parameters, and can do nothing else. Not here: running a step
(``actions``). Called by the graph's proposing node and the ``runbooks`` command.
"""
