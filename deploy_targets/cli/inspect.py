"""deploy-target inspect: a model's signature, operators and size, or what a bundle holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deploy_targets.cli import options

if TYPE_CHECKING:
    from deploy_targets.inspection import Inspection
    from deploy_targets.records import Bundle, Signature, Stage

NAME, OPTION = "inspect", 60
"""The command, and the characters of one option that a table shows."""


def run(
    source: options.Source = None,
    config: options.Config = None,
    inputs: options.Inputs = None,
    axes: options.Axes = None,
    outputs: options.Outputs = None,
    as_json: options.Json = False,
) -> None:
    """Show a model or a bundle, and what targets would not take."""
    from deploy_targets import bundle as bundles

    if source is not None and (Path(source) / bundles.MANIFEST).is_file():
        _bundle(bundles.open_bundle(Path(source)), as_json)
        return
    from deploy_targets import api, inspection
    from deploy_targets.cli import console
    from deploy_targets.workspace import Workspace

    flags = options.Flags(
        source, config, None, tuple(inputs or ()), tuple(axes or ()), tuple(outputs or ())
    )
    settings = options.settings_of(flags)
    spec, steps = api.spec_of(settings), api.steps_of(settings)
    with console.stages("load and capture the model"):
        found = inspection.inspect(spec, Workspace(), steps)
    if as_json:
        typer.echo(json.dumps(bundles.as_json(found), indent=1))
    else:
        _model(found)


def _model(found: Inspection) -> None:
    from rich.markup import escape

    from deploy_targets.cli import console

    console.out.print(f"[bold]{found.name}[/bold]  {found.digest[:12]}")
    _signature(found.signature)
    _stages(found.stages)
    console.out.print(f"captures: {escape('; '.join(found.captures))}")
    if found.graph:
        operators = ", ".join(f"{name} x{count}" for name, count in found.graph.operators.items())
        console.out.print(
            f"ONNX opset {found.graph.opset}, {found.graph.parameters:,} parameters, "
            f"{found.graph.size / 1e6:.1f} MB\noperators: {operators}"
        )
    for target, problems in found.problems.items():
        console.out.print(f"{target}: {escape('; '.join(problems)) or 'nothing known against it'}")


def _bundle(bundle: Bundle, as_json: bool) -> None:
    from deploy_targets import bundle as bundles

    if as_json:
        typer.echo(json.dumps(bundles.as_json(bundle.manifest), indent=1))
        return
    from deploy_targets.cli import console

    manifest = bundle.manifest
    console.out.print(
        f"[bold]{manifest.name}[/bold] for {manifest.target}  {manifest.source[:12]}  "
        f"{manifest.capture}"
    )
    _signature(manifest.signature)
    _stages(manifest.stages)
    rows = [[name, f.role, f"{f.size:,}"] for name, f in manifest.files.items()]
    console.out.print(console.table("file", "role", "bytes", rows=rows))
    console.out.print(f"options: {json.dumps(dict(manifest.options))}")
    console.out.print(", ".join(f"{tool} {version}" for tool, version in manifest.tools.items()))


def _stages(stages: Sequence[Stage]) -> None:
    """The declared steps, in the order in which they run; where is "-" until a target chooses."""
    from rich.markup import escape

    from deploy_targets.cli import console

    if not stages:
        return
    rows = [
        [escape(s.of), s.side, escape(s.op), s.where or "-", escape(_short(s.options))]
        for s in stages
    ]
    console.out.print(console.table("of", "", "step", "where", "options", rows=rows))


def _short(options: Mapping[str, object]) -> str:
    """Options in a cell: what is not set is left out, and a thousand labels are not listed."""
    said = (f"{key} {json.dumps(value)}" for key, value in options.items() if value is not None)
    return ", ".join(one if len(one) <= OPTION else f"{one[:OPTION]}…" for one in said)


def _signature(signature: Signature) -> None:
    from rich.markup import escape

    from deploy_targets.cli import console

    rows = [
        [
            side,
            escape(spec.name),
            spec.dtype,
            escape(f"[{', '.join(map(str, spec.shape))}]"),
            spec.kind,
        ]
        for side, specs in (("in", signature.inputs), ("out", signature.outputs))
        for spec in specs
    ]
    console.out.print(console.table("", "name", "dtype", "shape", "kind", rows=rows))
    for axis in signature.axes:
        console.out.print(f"  {axis.name}: {axis.minimum} to {axis.maximum}")
