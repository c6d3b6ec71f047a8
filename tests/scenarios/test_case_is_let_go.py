"""A service investigates for months: nothing that was worked out of a case may keep the case alive."""

import gc
import weakref

from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from tests.scenarios.builders import Shop


def test_a_case_is_let_go_when_its_verdict_is_there() -> None:
    case = Shop().case()
    judge(case, analyze(case))
    gone = weakref.ref(case)
    del case
    gc.collect()
    assert gone() is None
