"""The investigation as a LangGraph state machine; the only importer of langgraph.

Holds the wiring, the routing and thin nodes that call stations through ports. The incident's lifecycle is not here: it
is ``domain``'s table of transitions, persisted by ``service``. Called by ``service``.
"""
