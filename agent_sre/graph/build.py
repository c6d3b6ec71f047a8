"""The investigation graph, put together. Its drawing in docs/state_machine.md is generated from this function."""

from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import RetryPolicy

from agent_sre.domain.errors import TemporaryError
from agent_sre.graph import routing
from agent_sre.graph.nodes.analyze import analyze
from agent_sre.graph.nodes.await_approval import await_approval
from agent_sre.graph.nodes.execute import execute
from agent_sre.graph.nodes.gather import gather
from agent_sre.graph.nodes.hypothesize import hypothesize
from agent_sre.graph.nodes.propose import propose
from agent_sre.graph.nodes.report import report
from agent_sre.graph.nodes.triage import triage
from agent_sre.graph.nodes.verify import verify
from agent_sre.graph.state import Context, GatherTask, State

Graph = CompiledStateGraph[State, Context, State, State]

# LangGraph's default retries a 401 and does not retry a timeout; ours retries exactly what says of itself that
# trying again is worth it.
RETRY = RetryPolicy(max_attempts=3, initial_interval=0.2, max_interval=2.0, retry_on=TemporaryError)


def build_graph(checkpointer: BaseCheckpointSaver[Any] | None) -> Graph:
    """Compile the graph. Without a checkpointer it runs in one go and cannot wait for an approval."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("triage", triage, retry_policy=RETRY)
    graph.add_node("gather", gather, input_schema=GatherTask, retry_policy=RETRY)
    graph.add_node("analyze", analyze, retry_policy=RETRY)
    graph.add_node("hypothesize", hypothesize, retry_policy=RETRY)
    graph.add_node("propose", propose, retry_policy=RETRY)
    graph.add_node("await_approval", await_approval)
    graph.add_node("execute", execute, retry_policy=RETRY)
    graph.add_node("verify", verify, retry_policy=RETRY)
    graph.add_node("report", report, retry_policy=RETRY)
    graph.add_edge(START, "triage")
    graph.add_conditional_edges("triage", routing.after_triage, ["gather", "report"])
    graph.add_edge("gather", "analyze")
    graph.add_edge("analyze", "hypothesize")
    graph.add_edge("hypothesize", "propose")
    graph.add_conditional_edges("propose", routing.after_propose, ["await_approval", "report"])
    graph.add_conditional_edges("await_approval", routing.after_approval, ["execute", "report"])
    graph.add_conditional_edges("execute", routing.after_execute, ["verify", "report"])
    graph.add_edge("verify", "report")
    graph.add_edge("report", END)
    return graph.compile(checkpointer=checkpointer)
