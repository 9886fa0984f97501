"""deploy-target serve: a bundle on a local HTTP port, in its own runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy_targets.cli import options
from deploy_targets.errors import ParityFailed

NAME = "serve"


def run(
    bundle: Annotated[Path, typer.Argument(help="The folder that `build` made.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 picks a free one.")
    ] = 8080,
    force: Annotated[
        bool, typer.Option("--force", help="Serve it though it was judged to be wrong.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Serve a bundle on a local port until interrupted."""
    from deploy_targets import bundle as bundles
    from deploy_targets import registry
    from deploy_targets.workspace import Workspace

    opened = bundles.open_bundle(bundle)
    manifest, report = opened.manifest, bundles.read_report(opened)
    if report and not force and any(row.verdict == "fail" for row in report.rows):
        raise ParityFailed(
            f"{bundle} was judged not to answer as {manifest.name} does",
            hint=f"see its {bundles.PARITY}; --force serves it all the same",
        )
    target = registry.load(manifest.target, manifest.options)
    target.serve(bundle, port, Workspace(), lambda url: _say(url, as_json))


def _say(url: str, as_json: bool) -> None:
    import json

    if as_json:
        typer.echo(json.dumps({"url": url}))
    else:
        typer.echo(f"serving on {url}  (Ctrl-C stops it)")
