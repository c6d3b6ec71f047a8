"""A snapshot directory (or its ``.tar.gz``) read into one frozen value.

The files hold what an on-call engineer could have read at the moment ``now``; the twins of the live adapters answer the
ports from this value, and bootstrap composes the two. Everything is read and checked here, once, so that a snapshot
that cannot be read says so before an investigation starts. Logs are the exception: they may be large, so they are only
found here, and read when somebody asks. Nothing later than ``now`` leaves this package.
"""

from agent_sre.adapters.snapshot_directory.documents import read_signals
from agent_sre.adapters.snapshot_directory.load import Snapshot, load_snapshot
from agent_sre.adapters.snapshot_directory.write import SnapshotWriter

__all__ = ["Snapshot", "SnapshotWriter", "load_snapshot", "read_signals"]
