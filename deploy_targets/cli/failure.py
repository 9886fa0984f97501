"""How a failure is said: what happened, what to do next, and the exit code."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap

import typer

from deploy_targets.errors import DeployError, NotRun


def report_failure(error: DeployError, *, as_json: bool) -> int:
    """Prints the error, as JSON on stdout or in words on stderr. Returns the exit code."""
    if as_json:
        typer.echo(json.dumps({"error": failure_as_json(error)}, indent=1))
    else:
        typer.echo(_wrapped("error: ", str(error)), err=True)
        typer.echo(_wrapped(" hint: ", error.hint), err=True)
    return error.exit_code


def _wrapped(label: str, text: str) -> str:
    """By words, to the width of a terminal; as it is where nobody reads it on one."""
    first, *tables = text.split("\n")
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns - 1
        first = textwrap.fill(
            first,
            width,
            subsequent_indent=" " * len(label),
            initial_indent=" " * len(label),
            break_long_words=False,
            break_on_hyphens=False,
        ).lstrip()
    return "\n".join([label + first, *tables])


def failure_as_json(error: DeployError) -> dict[str, object]:
    """The error as a plain record."""
    return {
        "type": type(error).__name__,
        "message": str(error),
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def worst(codes: list[int]) -> int:
    """The exit code of several targets: failures come before NotRun, NotRun before success."""
    failures = [code for code in codes if code not in (0, NotRun.exit_code)]
    return max(failures) if failures else max(codes, default=0)
