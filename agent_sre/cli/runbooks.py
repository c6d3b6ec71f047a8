"""``agent-sre runbooks``: check, list, and the JSON Schema of their front matter.

The one place where runbooks and the catalogue of actions meet outside the graph: the stations do not know each other.
"""

from pathlib import Path

import click

from agent_sre.actions.catalogue import offer_problems
from agent_sre.domain.errors import PermanentError
from agent_sre.runbooks.check import check_all
from agent_sre.runbooks.load import builtin_folder, load_runbooks, runbook_files
from agent_sre.runbooks.schema import schema_text


@click.group()
def runbooks() -> None:
    """Check and list runbooks."""


@runbooks.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def check_command(paths: tuple[Path, ...]) -> None:
    """Check runbooks: files or folders; without PATHS those that are shipped.

    Prints file, line, what is wrong and the fix. Exit status 1 where there is a problem, 2 where a path is wrong.
    """
    chosen = paths or (builtin_folder(),)
    try:
        files, problems = runbook_files(chosen), check_all(chosen, offer_problems)
    except PermanentError as error:
        raise click.UsageError(str(error)) from None
    for problem in problems:
        click.echo(str(problem))
    bad = len({problem.file for problem in problems})
    click.echo(f"{len(files)} runbooks checked, {f'{bad} with problems' if bad else 'all good'}")
    if problems:
        raise SystemExit(1)


@runbooks.command("list")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def list_command(paths: tuple[Path, ...]) -> None:
    """List runbooks with what they are for and the actions they offer."""
    try:
        loaded = load_runbooks(paths or (builtin_folder(),))
    except PermanentError as error:
        raise click.UsageError(str(error)) from None
    width = max((len(item.id) for item in loaded), default=0)
    for item in loaded:
        offered = ", ".join(dict.fromkeys(offer.action for offer in item.actions))
        click.echo(f"{item.id:<{width}}  {item.title}" + (f"  [{offered}]" if offered else ""))


@runbooks.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of the front matter."""
    click.echo(schema_text(), nl=False)
