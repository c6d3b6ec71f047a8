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
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from agent_sre.domain.errors import AgentSreError, PermanentError
from agent_sre.service.evaluate import Answer, Outcome, Scored, read_truth, score

Investigate = Callable[[Path], Answer]


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
    ``investigate`` and ``prepare`` must be importable functions where ``jobs`` is not 0. Raises PermanentError where
    a truth is none.
    """
    if jobs == 0:
        for path in paths:
            yield path, _judge(path, answer_one(path, investigate))
        return
    with _processes(jobs, prepare) as pool:
        futures = _submit(pool, paths, investigate)
        for future in as_completed(futures):
            # A defect in one case is that case's result, not the end of the evaluation.
            broken = future.exception()
            path = futures[future]
            yield path, _judge(path, future.result() if broken is None else _broken(path, broken))


def _judge(path: Path, outcome: Outcome) -> Scored:
    return score(outcome, read_truth(path.parents[1] / "truth" / f"{outcome.id}.yaml"))


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


def _submit(pool: ProcessPoolExecutor, paths: Sequence[Path], investigate: Investigate) -> dict[Future[Outcome], Path]:
    # A terminal sends Ctrl-C to the children too. They inherit the blocked signal, so only this process hears it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return {pool.submit(answer_one, path, investigate): path for path in paths}
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
