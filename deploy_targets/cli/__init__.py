"""The command line. One file per command, each a thin layer over the Python API.

Results go to stdout, progress to stderr; every command takes --json. Nothing heavy is imported
here or at the top of a command's file: `--help` must answer at once.
"""

from __future__ import annotations

import sys

import typer

from deploy_targets.cli import build, doctor, init, inspect, serve, targets, verify
from deploy_targets.cli.failure import report_failure
from deploy_targets.errors import DeployError

INTERRUPTED = 130

app = typer.Typer(
    name="deploy-target",
    help="One trained model in; for each place it must run, an artifact proven to answer alike.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # rich would draw boxes around the help, and take as long for it as all the rest does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (build, verify, targets, inspect, doctor, init, serve):
    app.command(command.NAME)(command.run)


def _print_version(wanted: bool) -> None:
    if wanted:
        from deploy_targets import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """What stands before a command."""


def main() -> None:
    """The entry point. A user's mistake ends in one line and its exit code, never in a trace."""
    try:
        app()
    except DeployError as error:
        sys.exit(report_failure(error, as_json="--json" in sys.argv))
    except SystemExit as stopped:
        # Typer turns Ctrl-C into this status and says nothing.
        if stopped.code == INTERRUPTED:
            typer.echo("interrupted; nothing was left half-written", err=True)
        raise
