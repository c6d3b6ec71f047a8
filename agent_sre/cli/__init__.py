"""The command line: one file per command, loaded only when it is called.

``agent-sre --help`` must answer at once, so nothing heavy is imported here. Exit status: 0 done, 1 a failure of ours,
2 wrong usage or a value that must be changed first, 130 interrupted.
"""

import importlib
import sys

import click

from agent_sre import __version__
from agent_sre.domain.errors import AgentSreError

COMMANDS = {
    "serve": ("agent_sre.cli.serve:serve", "Run the service: webhooks, investigations, console."),
    "demo": ("agent_sre.cli.demo:demo", "Watch a whole incident in a simulated shop; no cluster, no key."),
    "investigate": ("agent_sre.cli.investigate:investigate", "Find the root cause in a telemetry snapshot."),
    "doctor": ("agent_sre.cli.doctor:doctor", "Check every configured dependency: reach, login, rights."),
    "export": ("agent_sre.cli.export:export", "Write an incident as a snapshot that can be replayed."),
    "maintenance": ("agent_sre.cli.maintenance:maintenance", "Add, list and end times in which alerts are expected."),
    "look-after": ("agent_sre.cli.look_after:look_after", "Acknowledge, mute, snooze or resolve an incident."),
    "runbooks": ("agent_sre.cli.runbooks:runbooks", "List and check runbooks."),
    "tools": ("agent_sre.cli.tools:tools", "Show and try the tools of MCP servers that a model may call."),
    "eval": ("agent_sre.cli.eval:evaluate", "Score the engine on a set of cases with known causes."),
    "audit": ("agent_sre.cli.audit:audit", "Verify the audit log's hash chain."),
    "settings": ("agent_sre.cli.settings:settings", "Explain all settings, or print .env.example."),
}
"""Name -> where the click command is, and its line in ``--help``."""


class LazyGroup(click.Group):
    """A click group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of COMMANDS: the most used first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog='Start with: agent-sre demo. Completion: eval "$(_AGENT_SRE_COMPLETE=bash_source agent-sre)" '
    "(or zsh_source, fish_source).",
)
@click.version_option(__version__, prog_name="agent-sre")
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """agent_sre: an incident responder that shows its evidence and acts only on approval."""
    ctx.obj = {"debug": debug}


def main() -> None:
    """Entry point of ``agent-sre``: runs a command and turns errors into one line and an exit status."""
    debug = "--debug" in sys.argv
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        error.show()
        code = 2
    except AgentSreError as error:
        click.echo(f"agent-sre: {error}", err=True)
        code = 2
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = 130
    except BrokenPipeError:
        # The reader (head, less) went away: nothing is wrong, and nothing more can be printed.
        sys.stderr.close()
        code = 141
    except Exception as error:
        if debug:
            raise
        click.echo(f"agent-sre: unexpected {type(error).__name__}: {error} (traceback: --debug)", err=True)
        code = 1
    sys.exit(code if isinstance(code, int) else 0)
