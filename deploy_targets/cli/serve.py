"""deploy-target serve: a bundle on a local HTTP port, in its own runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy_targets.cli import options

NAME = "serve"


def run(
    bundle: Annotated[Path, typer.Argument(help="The folder that `build` made.")],
    port: Annotated[int, typer.Option(help="On 127.0.0.1; 0 picks a free one.")] = 8080,
    as_json: options.Json = False,
) -> None:
    """Serve a bundle on a local port until interrupted."""
    from deploy_targets import bundle as bundles
    from deploy_targets import registry
    from deploy_targets.workspace import Workspace

    manifest = bundles.open_bundle(bundle).manifest
    target = registry.load(manifest.target, manifest.options)
    target.serve(bundle, port, Workspace(), lambda url: _say(url, as_json))


def _say(url: str, as_json: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps({"url": url}))
    else:
        typer.echo(f"serving on {url}  (Ctrl-C stops it)")
