"""Callers that give up before an answer can be there: the deadline of a call against the callee's usual answer time.

How it shows: the callee takes as long as ever, or a little longer, and succeeds; the caller ends its calls at a sharp
limit that is below that. So three figures are compared, the deadline (``deadlines``), what the callee took before, and
what it takes now (``answer_times``). A callee that became much slower is the cause itself, whatever its callers'
patience; one that answers well within the deadline points at what lies between the two, the network. Where the
deadline was below the usual answer time all along, it must have been another one before: the change that lowered it is
named where one is recorded. A deadline that is only set, and at which nobody is seen to give up, proves nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent_sre.analysis.answer_times import AnswerTime, answer_time
from agent_sre.analysis.calls import calls
from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.change_content import concerns
from agent_sre.analysis.deadlines import Deadline, GivenUp, deadlines, given_up
from agent_sre.analysis.departures import number
from agent_sre.analysis.objects import object_of
from agent_sre.analysis.profiles import profiles
from agent_sre.analysis.resources import busier
from agent_sre.domain.finding import Fact, Finding

_REACHED = 0.95
"""The part of the deadline that an answer must take for calls to miss it."""
_AS_EVER = 1.6
"""A callee that takes up to so many times its usual time is not what changed."""
_KNOWN, _ONLY_NOW = 0.84, 0.6
"""Strength where the usual answer time is known, and where only the present one is."""
_CHANGED = 0.04
"""How much is added where the change that lowered the deadline is recorded."""
_TROUBLED = 0.6
"""What is left where the callee is busier than usual or fails itself."""
_FAILING = 0.02
_ALIKE = 0.05


@dataclass(frozen=True, slots=True)
class _Missed:
    """A call whose answers come after its deadline."""

    deadline: Deadline
    caller: str
    callee: str
    answer: AnswerTime


def short_deadlines(case: CaseFile) -> Iterable[Finding]:
    """One finding for each caller that gives up calls which take no longer than they usually do."""
    late = given_up(case)
    found: dict[str, _Missed] = {}
    known = list(deadlines(case, late))
    for deadline in known:
        for caller in _callers(case, deadline):
            if caller not in found and (deadline.seen or _gives_up(case, caller, late)):
                missed = next(_missed(case, deadline, caller, late), None)
                if missed is not None:
                    found[caller] = missed
    for missed in found.values():
        yield _finding(case, missed, known, late)


def _callers(case: CaseFile, deadline: Deadline) -> list[str]:
    """Whose deadline it is; of a change's target the callers that it names."""
    if deadline.seen or deadline.change is None:
        return [deadline.caller]
    return [name for name in calls(case).callees if concerns(deadline.caller, name)]


def _gives_up(case: CaseFile, caller: str, late: tuple[GivenUp, ...]) -> bool:
    """Whether a caller is seen to give up calls: by its log, or by answers that say so (504; 4 of gRPC)."""
    if any(item.statement.workload == caller for item in late):
        return True
    profile = profiles(case).get(caller)
    failed = [moved.signal for moved in profile.departures.get("traffic", ()) if moved.strong] if profile else []
    return any(
        item.labels.get("status") == "504"
        or item.labels.get("grpc_status", "").lower().replace("_", "") in ("4", "deadlineexceeded")
        for item in failed
    )


def _missed(case: CaseFile, deadline: Deadline, caller: str, late: tuple[GivenUp, ...]) -> Iterator[_Missed]:
    said = frozenset(name for item in late if item.statement.workload == caller for name in item.callees)
    named = deadline.callees or said or frozenset(calls(case).callees.get(caller, ()))
    for callee in sorted(named):
        answer = answer_time(case, callee, caller)
        if answer is None or answer.now < _REACHED * deadline.seconds:
            continue
        if answer.usual is None or answer.now <= _AS_EVER * answer.usual:
            yield _Missed(deadline, caller, callee, answer)


def _finding(case: CaseFile, missed: _Missed, known: list[Deadline], late: tuple[GivenUp, ...]) -> Finding:
    caller, callee, deadline = missed.caller, missed.callee, missed.deadline
    lowered = next((item for item in known if _lowers(item, deadline, caller)), None)
    facts: list[Fact] = [deadline.fact, missed.answer.fact]
    facts += [item.fact() for item in late if item.statement.workload == caller and not deadline.seen][:1]
    facts += [lowered.fact] if lowered is not None and lowered is not deadline else []
    profile = profiles(case).get(callee)
    troubled = profile is not None and (profile.failing > _FAILING or busier(profile) is not None)
    strength = (_KNOWN if missed.answer.usual is not None else _ONLY_NOW) * (_TROUBLED if troubled else 1.0)
    callers = calls(case).callers.get(caller, ())
    return Finding(
        analyzer="short_deadlines",
        fault="timeout_too_short",
        object=object_of(case, caller),
        strength=round(strength + _CHANGED * (lowered is not None), 3),
        statement=f"{caller} gives up its calls of {callee} before {callee} can have answered.",
        facts=tuple(dict.fromkeys(facts)),
        change=lowered.change if lowered is not None else None,
        onset=min((item.time for item in facts if item.time), default=None),
        explains=tuple(object_of(case, name) for name in callers),
        distinguish=f"a deadline of {caller} above {number(2000 * missed.answer.now)} ms: whether its calls succeed",
    )


def _lowers(item: Deadline, deadline: Deadline, caller: str) -> bool:
    """Whether this is the change that set the deadline: of the caller or something it shares, to the same time."""
    alike = abs(item.seconds - deadline.seconds) <= _ALIKE * deadline.seconds
    return item.change is not None and (item is deadline or alike or concerns(item.caller, caller))
