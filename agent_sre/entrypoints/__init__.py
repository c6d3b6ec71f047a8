"""The driving side: webhooks, Slack interactions, the console, the worker and health probes.

Each translates what arrives into a call of ``service`` and its answer back, nothing more: no decision is made here, and
neither the graph nor a station is imported. Called by ``cli`` through ``bootstrap``.
"""
