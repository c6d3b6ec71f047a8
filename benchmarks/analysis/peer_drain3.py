"""Mines lines with drain3; run by ``peers.ask`` in drain3's own environment, so nothing of ours is imported.

Question: ``{"name": {"lines": [..], "masks": [..], "sim_th": .., "depth": ..}}``. Answer: ``{"name": {"seconds": ..,
"clusters": [id of each line]}}``. Only mining is timed, each from a new miner, without persistence or profiling.
"""

import json
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig


def main() -> None:
    """Answer the question on standard input."""
    question = json.load(sys.stdin)
    json.dump({name: _mine(**given) for name, given in question.items()}, sys.stdout)


def _mine(lines: list[str], masks: list[str], sim_th: float, depth: int) -> dict[str, object]:
    config = TemplateMinerConfig()
    config.drain_sim_th, config.drain_depth = sim_th, depth
    config.masking_instructions = [MaskingInstruction(pattern, "*") for pattern in masks]
    config.profiling_enabled = False
    miner = TemplateMiner(config=config)
    started = time.perf_counter()
    clusters = [miner.add_log_message(line)["cluster_id"] for line in lines]
    return {"seconds": time.perf_counter() - started, "clusters": clusters}


if __name__ == "__main__":
    main()
