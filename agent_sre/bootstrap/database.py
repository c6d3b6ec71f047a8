"""Which database the settings name, and the investigation graph with its checkpoints in the same place."""

from __future__ import annotations

import asyncio
import importlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from agent_sre.adapters.store_sql import Location
from agent_sre.bootstrap.garbage import collecting_rarely
from agent_sre.domain.errors import AgentSreError, PermanentError
from agent_sre.settings import PREFIX, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent_sre.graph.build import Graph

DATABASE = "agent_sre.sqlite"
CHECKPOINTS = "checkpoints.sqlite"


def database_url(settings: Settings) -> str:
    """The database's URL, password included: never to be shown (``Location`` shows it)."""
    return settings.database_url.get_secret_value() or f"sqlite:///{settings.data_dir.resolve() / DATABASE}"


def existing_database(settings: Settings) -> str:
    """The same; raises PermanentError where it is a file that is not there, which opening it would make."""
    url = database_url(settings)
    file = Location.parse(url).file
    if file is not None and not file.exists():
        raise PermanentError(
            f"there is no database {file}; set {PREFIX}DATA_DIR or {PREFIX}DATABASE_URL as the service has it"
        )
    return url


def _checkpoints_beside(file: Path) -> Path:
    # Two databases in one folder have two of them.
    return file.with_name(CHECKPOINTS if file.name == DATABASE else f"{file.stem}.{CHECKPOINTS}")


class Investigations:
    """The graph with its checkpoints, loaded in the background; ``graph`` waits for it."""

    def __init__(self, settings: Settings, fence: Callable[[], None]) -> None:
        self._settings = settings
        self._fence = fence
        self._stack = AsyncExitStack()
        self._loading: asyncio.Future[Callable[[], Graph]] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load. Called once the web server is up: the import takes the interpreter's time from it."""
        self._task = asyncio.create_task(self._load(), name="load the graph")

    async def _load(self) -> None:
        location = Location.parse(database_url(self._settings))
        try:
            # Importing the graph holds up nothing but this thread (and, piecewise, the interpreter).
            if location.file is not None:
                module = await asyncio.to_thread(importlib.import_module, "agent_sre.graph.checkpoints")
                opened = module.graph_over_sqlite(_checkpoints_beside(location.file))
            else:
                module = await asyncio.to_thread(importlib.import_module, "agent_sre.graph.checkpoints_postgresql")
                opened = module.graph_over_postgresql(location.connection_parameters(), str(location), self._fence)
            make = await self._stack.enter_async_context(opened)
            self._stack.enter_context(collecting_rarely())
            self._loading.set_result(make)
        except AgentSreError as error:
            self._loading.set_exception(error)

    async def graph(self) -> Graph:
        """The graph, once it is there: one for each run that is carried on."""
        return (await asyncio.shield(self._loading))()

    async def close(self) -> None:
        """Close the checkpoints' database."""
        if self._task is not None:
            await self._task
        await self._stack.aclose()
