"""How adapters speak HTTP to the back ends they read: bounded, retried where that helps, never led astray.

Adapters know nothing of each other, yet a silent server, a redirect or a refused login is the same thing whatever is
behind it. What is the same lives here, below them: ``Exchange`` sends, ``Endpoint`` says where to and as whom. What an
answer means stays with each adapter.
"""

from agent_sre.outbound.endpoint import Endpoint
from agent_sre.outbound.exchange import Call, Exchange
from agent_sre.outbound.rows import rows

__all__ = ["Call", "Endpoint", "Exchange", "rows"]
