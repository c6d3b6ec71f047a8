"""Reading PromQL, without which an expression from outside could not be judged before it is sent."""

from typing import Protocol

from agent_sre.domain.promql import Expression


class PromqlParser(Protocol):
    """Understands an expression and sends nothing anywhere."""

    def parse(self, text: str) -> Expression:
        """What the expression selects. Raises PermanentError, naming the place, for anything that is not PromQL."""
        ...
