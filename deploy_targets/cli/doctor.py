"""deploy-target doctor: each tool that a target uses, found or how to get it."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from typing import Any

import typer

from deploy_targets.cli import options

NAME = "doctor"


def run(as_json: options.Json = False) -> None:
    """Show what this machine has, what it lacks, and how to get it."""
    rows = _rows()
    if as_json:
        typer.echo(json.dumps({"platform": platform.platform(), "needs": rows}, indent=1))
        return
    typer.echo(f"{platform.platform()}, Python {platform.python_version()}")
    for row in rows:
        typer.echo(f"{row['target']:<9}{row['tool']:<30}{row['found'] or 'missing'}")
        typer.echo(f"         {row['purpose']}")
        if not row["found"]:
            typer.echo(f"         get it: {row['hint']}")
    missing = sum(not row["found"] for row in rows)
    typer.echo(f"{missing} missing" if missing else "everything is here")


def _rows() -> list[dict[str, Any]]:
    from deploy_targets import registry
    from deploy_targets.errors import DeployError
    from deploy_targets.frontends.needs import needs
    from deploy_targets.stages.needs import needs as of_steps

    rows = [{"target": "(models)", **asdict(need)} for need in needs()]
    rows += [{"target": "(steps)", **asdict(need)} for need in of_steps()]
    for name in registry.installed():
        try:
            found = registry.target_class(name).needs()
        except DeployError as error:
            rows.append(
                {
                    "target": name,
                    "tool": "the target itself",
                    "found": None,
                    "purpose": str(error),
                    "hint": error.hint,
                }
            )
            continue
        rows += [{"target": name, **asdict(need)} for need in found]
    return rows
