"""What a saver of checkpoints raises when its database is away, as the error that the worker waits and tries again for.

LangGraph writes checkpoints between the nodes, where no node's retry policy reaches; a run that stops there goes on
from the checkpoint before.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)


class TranslatingSaver(BaseCheckpointSaver[Any]):
    """Stands before a real saver among a class's bases; ``translated`` is what its calls run in."""

    def translated(self) -> AbstractContextManager[None]:
        """Raises TemporaryError for what the database raises inside."""
        raise NotImplementedError

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """See BaseCheckpointSaver."""
        with self.translated():
            return await super().aget_tuple(config)

    async def alist(self, config: RunnableConfig | None, **how: Any) -> AsyncIterator[CheckpointTuple]:
        """See BaseCheckpointSaver."""
        with self.translated():
            async for item in super().alist(config, **how):
                yield item

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """See BaseCheckpointSaver."""
        with self.translated():
            return await super().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """See BaseCheckpointSaver."""
        with self.translated():
            await super().aput_writes(config, writes, task_id, task_path)
