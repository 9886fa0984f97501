"""deploy-target init: a first deploy.toml, by looking at the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy_targets.cli import options
from deploy_targets.errors import ConfigError

NAME = "init"


def run(
    source: Annotated[
        str,
        typer.Argument(
            help="file.py:callable, package.module:callable, a .pt2, .onnx, .keras, .h5 or "
            ".joblib file, or the folder of a SavedModel."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")] = Path(
        "deploy.toml"
    ),
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help="What is done before the model: file.py:thing, or NAME=file.py:thing for an "
            "input; a transform, an image processor, a scaler, or a function that returns one."
        ),
    ] = None,
    name: options.Name = None,
    as_json: options.Json = False,
) -> None:
    """Write a first deploy.toml by looking at the model."""
    if out.absolute().parent != Path.cwd() and ":" in source and not Path(source).is_absolute():
        raise ConfigError(
            f"{source} would not be found from {out.parent}", hint="run init in that folder"
        )
    if out.exists():
        raise ConfigError(
            f"{out} exists and will not be replaced", hint="remove it, or choose another --out"
        )
    from deploy_targets import drafting
    from deploy_targets.cli import console
    from deploy_targets.frontends.source import SourceSpec
    from deploy_targets.recognising import named

    with console.stages("look at the model"):
        transforms = named.parsed(transform or [])
        made = drafting.draft(SourceSpec(source, Path.cwd(), name), transforms)
    try:
        out.write_text(made.text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written: {error.strerror}", hint="choose another --out"
        ) from error
    if as_json:
        steps = {of: {"said": one.said, "same": one.same} for of, one in made.steps.items()}
        typer.echo(json.dumps({"file": str(out), "checked": made.checked, "steps": steps}))
        return
    for of, one in made.steps.items():
        typer.echo(f"{of}: {one.said}")
    if made.checked:
        typer.echo(f"{out}: the model ran with it; `deploy-target build` is next")
    else:
        typer.echo(f"{out}: inputs are a guess that did not run; correct them, then build")
