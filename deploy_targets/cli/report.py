"""deploy-target report: what was found when bundles were judged, as one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from deploy_targets.cli import options

NAME = "report"


def run(
    bundles: Annotated[list[Path], typer.Argument(help="Folders that `build` made.")],
    html: Annotated[Path, typer.Option("--html", help="The page to write.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the page.")] = False,
    as_json: options.Json = False,
) -> None:
    """Write what is known of bundles as one HTML page that needs nothing else."""
    from deploy_targets.parity import page, report

    page.check_out(html, force=force)
    stories = [report.read(folder) for folder in bundles]
    page.write(stories, html, force=force)
    if as_json:
        found = [
            {"bundle": str(s.path), "name": s.manifest.name, "verdict": s.verdict} for s in stories
        ]
        typer.echo(json.dumps({"html": str(html), "bundles": found}, indent=1))
        return
    from deploy_targets.cli import console

    for story in stories:
        console.out.print(f"{story.path}  {console.verdict(story.verdict)}")
    console.out.print(f"{html}  {html.stat().st_size / 1e3:,.0f} kB")
