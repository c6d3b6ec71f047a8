"""What is wrong with a runbook, so that its author can mend it without reading our code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem: the file, the line (from 1), what was met, and the fix."""

    file: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        """``file:line: what; fix``, as compilers print, so that editors can jump there."""
        return f"{self.file}:{self.line}: {self.what}; {self.fix}"
