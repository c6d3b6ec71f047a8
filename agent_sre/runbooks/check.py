"""Everything that can be wrong with a runbook, found before an incident finds it.

Beyond the form, which ``load`` checks: that fault types and actions exist, that diagnostic steps only read, that
patterns compile and placeholders are known, and that the body has the four parts an on-call engineer looks for. The
catalogue of actions belongs to another station, so a check for an offered action is handed in.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from agent_sre.domain.fault import fault_types
from agent_sre.domain.runbook import DiagnosticStep, Runbook
from agent_sre.runbooks.front_matter import FrontMatter, read_front_matter
from agent_sre.runbooks.load import read_runbook, runbook_files
from agent_sre.runbooks.match import RE_PREFIX
from agent_sre.runbooks.problem import Problem

OfferCheck = Callable[[str, Mapping[str, object]], tuple[str, ...]]
"""What is wrong with an action's name and parameters as a runbook offers them."""

SECTIONS = ("What it means", "Confirm", "Fix", "Escalate")
PLACEHOLDERS = frozenset({"$object", "$object.kind", "$object.name", "$object.namespace"})
_PLACEHOLDER = re.compile(r"\$[a-z_]+(?:\.[a-z_]+)*")
_SHELL = re.compile(r"[;&|<>`\n]|\$\(")
_READING = re.compile(
    r"kubectl (?:-n \S+ )?(?:get|describe|top|events|logs|rollout (?:history|status)|auth can-i|version)\b"
)
_Found = Iterator[tuple[tuple[str | int, ...], str, str]]


def check(path: Path, offer_problems: OfferCheck) -> tuple[Problem, ...]:
    """The problems of one file, or of all runbooks of a folder; sorted by file and line."""
    return check_all((path,), offer_problems)


def check_all(paths: Iterable[Path], offer_problems: OfferCheck) -> tuple[Problem, ...]:
    """The problems of several files and folders. Raises PermanentError where a path does not exist."""
    found = [problem for file in runbook_files(paths) for problem in _check_file(file, offer_problems)]
    return tuple(sorted(found))


def _check_file(file: Path, offer_problems: OfferCheck) -> tuple[Problem, ...]:
    runbook = read_runbook(file)
    if isinstance(runbook, tuple):
        return runbook
    front = read_front_matter(str(file), file.read_bytes())
    if isinstance(front, Problem):
        return (front,)
    found = [
        *_about_matches(runbook, file.stem),
        *_about_diagnostics(runbook),
        *_about_actions(runbook, offer_problems),
    ]
    problems = [Problem(str(file), front.line_of(path), what, fix) for path, what, fix in found]
    return (*problems, *_about_body(str(file), front))


def _about_matches(runbook: Runbook, stem: str) -> _Found:
    if runbook.id != stem:
        yield ("id",), f"id is {runbook.id!r} but the file is {stem}.md", "make them the same"
    matches = runbook.matches
    if not matches.faults and not matches.labels:
        yield ("matches",), "nothing ever matches this runbook", "name fault types or labels"
    for index, fault in enumerate(matches.faults):
        if fault not in fault_types():
            yield ("matches", "faults", index), f"there is no fault type {fault!r}", _nearest(fault)
    for name, pattern in (matches.labels or {}).items():
        if pattern.startswith(RE_PREFIX) and (error := _regex_error(pattern.removeprefix(RE_PREFIX))):
            yield ("matches", "labels", name), f"the pattern {pattern!r} does not compile: {error}", "correct it"


def _about_diagnostics(runbook: Runbook) -> _Found:
    for index, step in enumerate(runbook.diagnostics):
        path = ("diagnostics", index, "query")
        for name in _PLACEHOLDER.findall(step.query):
            if name not in PLACEHOLDERS:
                yield path, f"{name} is no placeholder", f"use one of: {', '.join(sorted(PLACEHOLDERS))}"
        wrong = _query_error(step)
        if wrong:
            yield path, *wrong


def _query_error(step: DiagnosticStep) -> tuple[str, str] | None:
    if step.source == "kubernetes":
        if _SHELL.search(step.query):
            return f"{step.query!r} holds shell syntax", "write one plain kubectl command"
        if not _READING.match(step.query):
            return f"{step.query!r} is no reading kubectl command", "use kubectl get, describe, logs, top or events"
    if step.source == "logs" and (error := _regex_error(step.query)):
        return f"the pattern does not compile: {error}", "correct it"
    if step.source == "promql" and not _balanced(step.query):
        return "brackets or quotes of the expression are not balanced", "correct the PromQL"
    return None


def _about_actions(runbook: Runbook, offer_problems: OfferCheck) -> _Found:
    for index, offer in enumerate(runbook.actions):
        for problem in offer_problems(offer.action, offer.parameters):
            what, _, fix = problem.partition("; ")
            yield ("actions", index), what, fix or "correct it"
        for place, fault in enumerate(offer.when):
            if fault not in runbook.matches.faults:
                fix = "add it to matches.faults or remove it here"
                yield ("actions", index, "when", place), f"the runbook does not match the fault type {fault!r}", fix


def _about_body(file: str, front: FrontMatter) -> Iterator[Problem]:
    headings = re.findall(r"(?m)^## +(.+?)\s*$", front.body)
    for section in SECTIONS:
        if section not in headings:
            yield Problem(file, front.body_line, f"the body has no section {section!r}", f"add `## {section}`")


def _nearest(fault: str) -> str:
    words = set(fault.split("_"))
    ranked = sorted(fault_types(), key=lambda known: (-len(words & set(known.split("_"))), known))
    return f"the nearest known ones are {', '.join(ranked[:3])}"


def _regex_error(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return ""


def _balanced(expression: str) -> bool:
    """Brackets pair up outside quoted strings, and strings end."""
    bare, strings = re.subn(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', "", expression)
    del strings
    stack: list[str] = []
    closing = {")": "(", "]": "[", "}": "{"}
    for character in bare:
        if character in "([{":
            stack.append(character)
        elif character in closing and (not stack or stack.pop() != closing[character]):
            return False
    return not stack and not set(bare) & {'"', "'"}
