"""The first responder on call: from an alert to a proven cause, an approved reversible fix and a checked outcome.

Nothing is re-exported here, so that importing one layer never loads another; docs/architecture.md is the map.
"""

__version__ = "0.1.0"
