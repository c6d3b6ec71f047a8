"""The answer to a question about an incident, as a value every surface can show. Made by ``ask``."""

from dataclasses import dataclass

from agent_sre.service.read_incident import ChartView


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an answer and the evidence ids it repeats; ``quote`` marks text shown exactly as it was stored."""

    text: str
    evidence: tuple[str, ...] = ()
    quote: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to ``question``. ``understood`` is False where the question is outside the grammar."""

    question: str
    heading: str
    lines: tuple[Line, ...] = ()
    charts: tuple[ChartView, ...] = ()
    understood: bool = True
