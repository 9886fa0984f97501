"""deploy-target verify: a bundle is judged again, from its folder alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy_targets.cli import options
from deploy_targets.errors import NotRun, ParityFailed

NAME = "verify"


def run(
    bundle: Annotated[Path, typer.Argument(help="The folder that `build` made.")],
    lane: Annotated[
        list[str] | None, typer.Option("--lane", help="Only this lane; may be repeated.")
    ] = None,
    actual: Annotated[
        Path | None,
        typer.Option("--actual", help="Judge these answers (safetensors) instead of running it."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Run a bundle in its own runtime and judge its answers again."""
    from deploy_targets import api
    from deploy_targets.bundle import as_json as plain
    from deploy_targets.cli import console

    outcome = api.verify(bundle, lanes=lane or (), actual=actual, progress=console.stages)
    if as_json:
        said = {"bundle": str(bundle), "verdict": outcome.verdict, "report": plain(outcome.report)}
        typer.echo(json.dumps(said, indent=1))
    else:
        console.show_report(outcome)
        console.out.print(f"{bundle}  {console.verdict(outcome.verdict)}")
    codes = {"pass": 0, "fail": ParityFailed.exit_code, "not-run": NotRun.exit_code}
    raise typer.Exit(codes[outcome.verdict])
