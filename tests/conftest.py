"""What holds for every test: no test leaves this machine, and most open no socket at all.

Only tests that talk to a real server may use the network, and only loopback. A folder that is not named here is sealed,
so a new kind of test starts from the safe side. Unix sockets stay open: an event loop wakes itself through a pair.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres_server import PostgresServer, migrated_postgres_server

# How fast an example is made says more about the machine than about the code: nothing here is judged by the clock.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

TESTS = Path(__file__).parent
LOOPBACK_FOLDERS = ("contract", "e2e")
LOOPBACK = ["127.0.0.1", "::1"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in LOOPBACK_FOLDERS:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
        else:
            item.add_marker(pytest.mark.disable_socket)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the whole run; each test makes a database of its own in it. Not to be stopped by a test."""
    with migrated_postgres_server() as server:
        yield server
