"""Payloads become alerts: one file per source, then the stages of ``pipeline`` that deduplicate and correlate.

Pure functions that take ``now``. Not here: HTTP and signatures (``entrypoints``), and storage (``ports``). Called by
``service`` before any graph run.
"""
