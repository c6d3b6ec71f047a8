"""``make bench-ingest``: how fast alerts are taken in for good, beside Alertmanager, and what a kill or a storm does.

Every server is a real process on loopback, and all are driven by one generator (``load``) with the same alerts
(``payloads``). Ours answers once an alert is on disk and in the queue; Alertmanager, whose answer means that it is in
memory, is the peer because it is what people would otherwise post to.
"""
