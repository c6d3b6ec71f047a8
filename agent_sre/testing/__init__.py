"""Shipped fakes, one per port, for this project's tests and for those of anyone who extends it.

They pass the same conformance suites as the real adapters. Not here: pytest fixtures and recorded incidents. Called by
tests, and by ``bootstrap`` for the demo.
"""
