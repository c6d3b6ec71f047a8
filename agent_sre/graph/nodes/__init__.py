"""One node per file, named by its verb; unaware of each other.

A node reads ids from the state, calls one station through the ports in its runtime, and returns the ids it added.
A node that interrupts runs again from its top, so it has no effect before the interrupt. Wired by ``graph.build``.
"""
