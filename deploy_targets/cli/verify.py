"""deploy-target verify: a bundle is judged again, from its folder alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy_targets.cli import options
from deploy_targets.errors import ConfigError, NotRun, ParityFailed

if TYPE_CHECKING:
    from deploy_targets.parity.finding import Explanation
    from deploy_targets.pipeline import Outcome

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
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Where it fails, find where it parts from the original."),
    ] = False,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", help="With --explain: the model's deploy.toml, to look into the original."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Run a bundle in its own runtime and judge its answers again."""
    from deploy_targets import api
    from deploy_targets.bundle import as_json as plain
    from deploy_targets.cli import console, explaining

    if model is not None and not explain:
        raise ConfigError("--model is for --explain alone", hint="add --explain, or drop --model")
    outcome = api.verify(bundle, lanes=lane or (), actual=actual, progress=console.stages)
    found = _explain(outcome, lane or (), model, actual) if explain else None
    if as_json:
        said = {"bundle": str(bundle), "verdict": outcome.verdict, "report": plain(outcome.report)}
        more = {"explanation": plain(found)} if found else {}
        typer.echo(json.dumps({**said, **more}, indent=1))
    else:
        console.show_report(outcome)
        if found:
            explaining.show(found)
        console.out.print(f"{bundle}  {console.verdict(outcome.verdict)}")
    codes = {"pass": 0, "fail": ParityFailed.exit_code, "not-run": NotRun.exit_code}
    raise typer.Exit(codes[outcome.verdict])


def _explain(
    outcome: Outcome, lanes: Sequence[str], model: Path | None, actual: Path | None
) -> Explanation:
    from deploy_targets.cli import console
    from deploy_targets.explaining.explain import explain
    from deploy_targets.parity.recorded import recording

    report = outcome.report
    rows = tuple(row for row in report.rows if not lanes or row.lane in lanes)
    recorded = recording(actual, outcome.bundle) if actual else None
    return explain(
        outcome.bundle.path,
        model,
        report=replace(report, rows=rows),
        recorded=recorded,
        progress=console.stages,
    )
