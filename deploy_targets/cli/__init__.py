"""The command line. One file per command, each a thin layer over the Python API.

Results go to stdout, progress to stderr; every command takes --json. Nothing heavy is imported
here or at the top of a command's file: `--help` must answer at once.
"""

from __future__ import annotations

import signal
import sys

import typer
from typer.exceptions import TyperException

from deploy_targets.cli import build, doctor, init, inspect, report, serve, targets, verify
from deploy_targets.cli.failure import report_failure
from deploy_targets.errors import ConfigError, DeployError

INTERRUPTED = 130

app = typer.Typer(
    name="deploy-target",
    help="One trained model in; for each place it must run, an artifact proven to answer alike.",
    pretty_exceptions_enable=False,
    # rich would draw boxes around the help, and take as long for it as all the rest does.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = {
    command.NAME: command.run
    for command in (build, verify, report, targets, inspect, doctor, init, serve)
}
for name, run in COMMANDS.items():
    app.command(name)(run)


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
    """The entry point. A user's mistake ends in two lines and its exit code, never in a trace."""
    # A stop from outside ends like Ctrl-C: everything half-made is cleared away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    as_json = "--json" in sys.argv
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        if code == INTERRUPTED:
            typer.echo("interrupted; nothing was left half-written", err=True)
    except DeployError as error:
        code = report_failure(error, as_json=as_json)
    except TyperException as error:
        code = report_failure(_misused(error), as_json=as_json)
    sys.exit(code)


def _misused(error: TyperException) -> ConfigError:
    command = next((word for word in sys.argv[1:] if word in COMMANDS), "")
    return ConfigError(
        error.format_message(), hint=f"see deploy-target {command} --help".replace("  ", " ")
    )
