"""``python -m tests.scenarios.sets FOLDER [SET ...]``: write the sets, for ``agent-sre eval FOLDER/SET``."""

import sys
from pathlib import Path

from tests.scenarios.sets.registry import SETS, write_set

if __name__ == "__main__":
    target = Path(sys.argv[1])
    for name in sys.argv[2:] or SETS:
        write_set(name, target / name)
        print(target / name)
