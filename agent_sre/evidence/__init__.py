"""Read-only collectors, one per file, that turn observations of the outside world into Evidence.

They are given readers, never writers, and keep the exact query, time range and excerpt. No judgement is made here; that
is ``analysis``. Called by the graph's gathering node.
"""
