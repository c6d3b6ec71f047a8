"""An incident becomes neutral message blocks, a timeline and a postmortem.

Pure rendering of what was stored: nothing is concluded here, and no statement without evidence is printed. Not here:
any chat service's format (``adapters``). Called by the graph's reporting node and by ``service``.
"""
