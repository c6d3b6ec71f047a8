"""Adapters for a live Kubernetes API: reader, writer, pod logs, probe (being written)."""
