"""Measurements. Every file here prints a table and writes ``results/<name>.json``; see ``figures``."""
