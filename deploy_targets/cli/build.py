"""deploy-target build: a bundle for each target, proven where it can be run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deploy_targets.cli import options
from deploy_targets.cli.failure import failure_as_json, report_failure, worst
from deploy_targets.errors import ConfigError, DeployError, NotRun

if TYPE_CHECKING:
    from deploy_targets.config import Settings
    from deploy_targets.pipeline import Outcome

NAME = "build"


def run(
    source: options.Source = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", "-t", help="A target; may be given several times."),
    ] = None,
    config: options.Config = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Where the bundle goes; with several targets, their parent."
        ),
    ] = None,
    assign: Annotated[
        list[str] | None,
        typer.Option("--set", "-s", help="A target's option: arch=arm64, or lambda.arch=arm64."),
    ] = None,
    name: options.Name = None,
    inputs: options.Inputs = None,
    axes: options.Axes = None,
    outputs: options.Outputs = None,
    samples: options.SamplesOption = None,
    budget: options.Budget = None,
    precision: options.Precision = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Make everything again though nothing has changed.")
    ] = False,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=1, help="Seconds for one attempt at a capture or a conversion."
        ),
    ] = 600,
    as_json: options.Json = False,
) -> None:
    """Build a bundle for each target, proven in its own runtime."""
    flags = options.Flags(
        source,
        config,
        name,
        tuple(inputs or ()),
        tuple(axes or ()),
        tuple(outputs or ()),
        samples,
        budget,
        precision,
    )
    settings = options.settings_of(flags)
    names = target or list(settings.targets)
    if not names:
        raise ConfigError(
            "no target was named", hint="add --target lambda; `deploy-target targets` lists them"
        )
    options.check_owners(assign or [], names)
    results = [
        _one(
            settings,
            each,
            out=_place(out, each, names),
            options=options.target_options(assign or [], each),
            reuse=not fresh,
            timeout=timeout,
        )
        for each in names
    ]
    raise typer.Exit(_show(names, results, as_json))


def _place(out: Path | None, target: str, names: list[str]) -> Path | None:
    return out / target if out is not None and len(names) > 1 else out


def _one(settings: Settings, target: str, **how: Any) -> Outcome | DeployError:
    from deploy_targets import api
    from deploy_targets.cli import console

    console.err.print(f"[bold]{target}[/bold]")
    try:
        return api.build(settings, target=target, progress=console.stages, **how)
    except DeployError as error:
        return error


def _show(names: list[str], results: list[Outcome | DeployError], as_json: bool) -> int:
    if as_json:
        plain = [_plain(name, result) for name, result in zip(names, results, strict=True)]
        typer.echo(json.dumps({"results": plain}, indent=1))
    else:
        for name, result in zip(names, results, strict=True):
            _show_one(name, result)
    return worst([_code(result) for result in results])


def _show_one(name: str, result: Outcome | DeployError) -> None:
    from deploy_targets.cli import console

    if isinstance(result, DeployError):
        report_failure(result, as_json=False)
        return
    console.show_tried(result.tried)
    console.show_compared(result.compared)
    console.show_report(result)
    manifest = result.bundle.manifest
    size = sum(record.size for record in manifest.files.values())
    console.out.print(
        f"{result.bundle.path}  {size / 1e6:.1f} MB  {manifest.capture}  "
        f"{console.verdict(result.verdict)}"
    )


def _plain(name: str, result: Outcome | DeployError) -> dict[str, Any]:
    from deploy_targets.bundle import as_json as plain

    if isinstance(result, DeployError):
        return {"target": name, "error": failure_as_json(result)}
    return {
        "target": name,
        "bundle": str(result.bundle.path),
        "verdict": result.verdict,
        "cached": result.cached,
        "tried": list(result.tried),
        "compared": [plain(one) for one in result.compared],
        "report": plain(result.report),
    }


def _code(result: Outcome | DeployError) -> int:
    if isinstance(result, DeployError):
        return result.exit_code
    return 0 if result.verdict == "pass" else NotRun.exit_code
