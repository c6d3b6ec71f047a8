"""A kill switch in a file, such as a key of a mounted ConfigMap: set for every replica at once, without a restart.

Only the word ``off`` (or false, no, 0) in a file that can be read lets actions through. A file that is missing, empty,
unreadable or says anything else stops them: somebody who is in a hurry will not look up the right word.
"""

import asyncio
from pathlib import Path

from agent_sre.domain.visible import one_line

_OFF = frozenset({"off", "false", "no", "0"})
_MAX_BYTES = 1000


class FileKillSwitch:
    """Reads the file at every question; nothing is remembered."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def engaged(self) -> str:
        """The sentence, with what the file says."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> str:
        try:
            with self._file.open("rb") as opened:
                text = opened.read(_MAX_BYTES).decode(errors="replace").strip()
        except OSError as error:
            return f"The kill switch {self._file} cannot be read ({error.strerror}), so nothing is changed."
        if text.lower() in _OFF:
            return ""
        said = f"says {one_line(text, 80)!r}" if text else "is empty"
        return f"The kill switch {self._file} {said}, so nothing is changed; write off into it to allow actions."
