"""The catalogue of actions, one per file, with policy, execution through the ledger, undo and verification.

The only station that is given writers. Not here: who may approve (``service``), and the clients that write
(``adapters``). Called by the graph's proposing, executing and verifying nodes.
"""
