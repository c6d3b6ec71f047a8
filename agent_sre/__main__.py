"""``python -m agent_sre`` is the ``agent-sre`` command."""

from agent_sre.cli import main

if __name__ == "__main__":
    main()
