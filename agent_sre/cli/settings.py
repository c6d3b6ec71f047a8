"""``agent-sre settings``: what can be configured."""

import click

from agent_sre.settings import PREFIX, Settings, example, load_settings


@click.command()
@click.option("--example", "as_example", is_flag=True, help="Print the text of .env.example.")
def settings(as_example: bool) -> None:
    """Show every setting with its value in force; secrets are masked."""
    if as_example:
        click.echo(example(), nl=False)
        return
    values = load_settings()
    for name, field in Settings.model_fields.items():
        click.echo(f"{PREFIX}{name.upper()}={getattr(values, name)}")
        click.echo(f"    {field.description}")
