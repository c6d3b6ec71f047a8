"""A small simulated shop: services, metrics, logs, Kubernetes objects and one bad deploy.

It stands behind the same ports as a real cluster, so nothing else in the product knows that it is a demo. The shop's
"Alertmanager" posts a real version 4 payload over HTTP to the real webhook. Used by ``agent-sre demo`` and by tests.
"""
