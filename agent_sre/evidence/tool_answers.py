"""A call of somebody else's tool as evidence: budgeted, redacted, kept whole, and read by no analyzer.

Called where a model asks for it, not in the catalogue of collectors: the deterministic engine has no use for answers
that anybody may have written. What a model concludes from them is checked against the stored text like everything else.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from agent_sre.evidence.reading import Reading
from agent_sre.evidence.run import redacted
from agent_sre.evidence.scope import Collected, Scope
from agent_sre.ports.tools import ToolSource

NAME = "tool_answers"


async def call_tool(source: ToolSource, tool: str, arguments: Mapping[str, Any], scope: Scope) -> Collected:
    """One observation, or a gap where the tool was refused, failed or the budget is used up. Never raises for it."""
    reading = Reading(f"{NAME}/{source.name}/{tool}", f"tools of {source.name}", scope)
    fix = f"agent-sre tools list {source.name} shows what is offered"
    answer = await reading.look(tool, partial(source.call, tool, arguments), fix)
    if answer is not None and answer.failed:
        reading.gap(tool, f"the tool says that it failed: {answer.text[:300]}", fix)
    elif answer is not None:
        query = f"{tool} {orjson.dumps(dict(arguments), option=orjson.OPT_SORT_KEYS).decode()}"
        reading.observe(query, answers=(answer.text,), left_out=answer.left_out, window=None)
    return redacted(scope.limits.redaction.redactor(), reading.done())
