"""Sets of cases given to the engine, one after the other or in processes, and each answer judged.

A case's truth is opened only after its answer is final, so nothing that investigates can have read it. An evaluation
takes minutes, so two things must not cost what was answered: a case that breaks is a result (a miss with its error),
and whoever stops listening, by Ctrl-C for example, stops the processes at once and keeps what came so far. How a case
is investigated is handed in.
"""

import gc
import multiprocessing
import resource
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from agent_sre.domain.errors import AgentSreError, PermanentError
from agent_sre.service.evaluate import Answer, Outcome, Scored, broken_truth, read_truth, score

Investigate = Callable[[Path], Answer]
_DIED = "the process that investigated it was killed, for its memory perhaps; run it alone with agent-sre investigate"


def case_paths(folder: Path) -> list[Path]:
    """The cases of a set, by id. Raises PermanentError where the folder is no set."""
    cases, truths = folder / "cases", folder / "truth"
    if not cases.is_dir() or not truths.is_dir():
        raise PermanentError(f"{folder} is no set of cases: it needs the folders cases/ and truth/")
    found = sorted(path for path in cases.iterdir() if path.is_dir() or path.name.endswith(".tar.gz"))
    if not found:
        raise PermanentError(f"{cases} holds no case: each is a folder or a .tar.gz")
    for path in found:
        truth = truths / f"{case_id(path)}.yaml"
        if not truth.is_file():
            raise PermanentError(f"{truth} is missing: every case needs its truth, {path} has none")
    return found


def run(
    folder: Path, investigate: Investigate, *, jobs: int = 1, prepare: Callable[[], None] | None = None
) -> list[Scored]:
    """Every case of a set, scored, by id; see ``judged``."""
    found = list(judged(case_paths(folder), investigate, jobs=jobs, prepare=prepare))
    return [item for _, item in sorted(found, key=lambda pair: pair[0])]


def judged(
    paths: Sequence[Path], investigate: Investigate, *, jobs: int = 1, prepare: Callable[[], None] | None = None
) -> Generator[tuple[Path, Scored], None, None]:
    """Investigate and score cases, in the order in which they are answered. Closing it ends the processes at once.

    ``jobs`` processes (0: this one, where an error of a case is raised); ``prepare`` loads what is slow to import.
    ``investigate`` and ``prepare`` must be importable functions where ``jobs`` is not 0. A process that dies takes
    its case with it and no other: where several were at work, each of their cases is tried again alone.
    """
    if jobs == 0:
        for path in paths:
            yield path, _judge(path, answer_one(path, investigate))
        return
    todo = deque(paths)
    while todo:
        with _processes(jobs, prepare) as pool:
            lost = yield from _answered(pool, todo, investigate, jobs)
        if len(lost) == 1 and jobs == 1:
            yield lost[0], _judge(lost[0], _broken(lost[0], PermanentError(_DIED)))
        else:
            for path in lost:
                yield from judged([path], investigate, prepare=prepare)


def _answered(
    pool: ProcessPoolExecutor, todo: deque[Path], investigate: Investigate, jobs: int
) -> Generator[tuple[Path, Scored], None, list[Path]]:
    """Take cases from ``todo``, as many at a time as there are processes; returns those that a dead one was at."""
    running: dict[Future[Outcome], Path] = {}
    while todo or running:
        while todo and len(running) < jobs:
            path = todo.popleft()
            running[_submit(pool, path, investigate)] = path
        wait(running, return_when=FIRST_COMPLETED)
        if any(future.done() and isinstance(future.exception(), BrokenProcessPool) for future in running):
            wait(running)
        lost = []
        for future, path in [(future, path) for future, path in running.items() if future.done()]:
            # A defect in one case is that case's result, not the end of the evaluation.
            broken = future.exception()
            if isinstance(broken, BrokenProcessPool):
                lost.append(path)
            else:
                yield path, _judge(path, future.result() if broken is None else _broken(path, broken))
            del running[future]
        if lost:
            return lost
    return []


def _judge(path: Path, outcome: Outcome) -> Scored:
    try:
        truth = read_truth(path.parents[1] / "truth" / f"{outcome.id}.yaml")
    except PermanentError as error:
        return broken_truth(outcome, str(error))
    return score(outcome, truth)


@contextmanager
def _processes(jobs: int, prepare: Callable[[], None] | None) -> Iterator[ProcessPoolExecutor]:
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=jobs, mp_context=context, initializer=prepare)
    done = False
    try:
        yield pool
        done = True
    finally:
        if not done:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
        pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, path: Path, investigate: Investigate) -> Future[Outcome]:
    # A terminal sends Ctrl-C to the children too. They inherit the blocked signal, so only this process hears it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return pool.submit(answer_one, path, investigate)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def answer_one(path: Path, investigate: Investigate) -> Outcome:
    """Investigate one case and measure it, without what the case before has left behind."""
    gc.collect()
    begun = perf_counter()
    answer = investigate(path)
    seconds = perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Outcome(case_id(path), answer, seconds, peak)


def case_id(path: Path) -> str:
    """The case's id: its folder's or archive's name."""
    return path.name.removesuffix(".tar.gz")


def _broken(path: Path, error: BaseException) -> Outcome:
    kind = "" if isinstance(error, AgentSreError) else f"{type(error).__name__}: "
    told = " ".join(f"{kind}{error}".split())
    return Outcome(case_id(path), {"status": "error", "hypotheses": []}, 0.0, 0.0, told)
