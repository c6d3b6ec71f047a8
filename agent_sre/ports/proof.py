"""Whether a message comes from the service it names, where telling needs more than a shared secret."""

from typing import Protocol


class MessageProof(Protocol):
    """Checks the signature that a message carries in itself."""

    async def check(self, body: bytes) -> str:
        """Return "" where the message is its source's own, else in a sentence why it is not taken for it.

        Raises TemporaryError where that cannot be told at the moment. Nothing that the message names is contacted
        before everything is right that can be checked without.
        """
        ...
