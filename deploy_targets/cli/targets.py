"""deploy-target targets: what is installed, and what one target takes."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from deploy_targets.cli import options

NAME = "targets"


def run(
    name: Annotated[str | None, typer.Argument(help="Show this target's options.")] = None,
    as_json: options.Json = False,
) -> None:
    """List the installed targets, or the options of one."""
    if name is None:
        _list(as_json)
    else:
        _describe(name, as_json)


def _list(as_json: bool) -> None:
    from deploy_targets import registry

    known = {point.name: point.value for point in registry.installed().values()}
    if as_json:
        typer.echo(json.dumps({"targets": known}, indent=1))
        return
    from deploy_targets.cli import console

    console.out.print(console.table("target", "from", rows=[[n, v] for n, v in known.items()]))


def _describe(name: str, as_json: bool) -> None:
    from deploy_targets import registry

    cls = registry.target_class(name)
    options_of: list[dict[str, Any]] = [
        {
            "option": field,
            "takes": _readable(cls.model_json_schema()["properties"][field]),
            "default": info.get_default(call_default_factory=True),
            "means": info.description or "",
        }
        for field, info in cls.model_fields.items()
    ]
    if as_json:
        said = {"target": name, "accepts": list(cls.accepts), "recipes": sorted(cls.recipes)}
        typer.echo(json.dumps({**said, "options": options_of}, indent=1, default=str))
        return
    from deploy_targets.cli import console

    console.out.print(f"[bold]{name}[/bold]: {cls.__doc__} Takes {', '.join(cls.accepts)}.")
    console.out.print(f"precisions: {', '.join(sorted(cls.recipes))}")
    headers = ("option", "takes", "default", "means")
    rows = [[str(option[header]) for header in headers] for option in options_of]
    console.out.print(console.table(*headers, rows=rows))


def _readable(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = f" {low}..{high}" if low is not None else ""
    return f"{schema.get('type', 'value')}{limits}"
