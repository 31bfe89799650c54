"""The command `latent-audit`."""

from pathlib import Path
from typing import Annotated

import typer

from latent_audit.errors import reported

app = typer.Typer(
    help="When may you sample from a latent space? Run the study, or audit codes of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _top() -> None:
    pass


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="an overlay in params/, without .yaml")],
    set_param: Annotated[
        list[str] | None, typer.Option("-S", "--set-param", help="key=value, after the overlay")
    ] = None,
    scratch: Annotated[bool, typer.Option(help="run in .workspaces/NAME and leave this checkout as it is")] = False,
) -> None:
    """Run another study: params/NAME.yaml on top of params.yaml, as a DVC experiment called NAME."""
    from latent_audit import studies

    root = Path.cwd()
    overlay = studies.read_overlay(root, name)
    if scratch:
        studies.merge(overlay, studies.parse_settings(set_param or []))
        report = studies.run_scratch(root, name, overlay)
        typer.echo(f"report: {report.relative_to(root)}")
    else:
        studies.run_experiment(root, name, overlay, set_param or [])


def main() -> None:
    """Entry point: a wrong input is one message and exit code 2."""
    with reported():
        app()


if __name__ == "__main__":
    main()
