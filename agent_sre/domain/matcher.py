"""A condition on one label, as Alertmanager's matchers write it; what it means is ``ingest.matchers``'."""

from dataclasses import dataclass
from enum import StrEnum

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


class Operator(StrEnum):
    """How a label's value is compared; the regular expressions must match the whole of it."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """``label`` compared with ``value``. A label that an alert does not have counts as the empty text."""

    label: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        """``severity=~"warning|info"``, as Alertmanager prints it."""
        shown = "".join(_ESCAPES.get(letter, letter) for letter in self.value)
        return f'{self.label}{self.operator}"{shown}"'
