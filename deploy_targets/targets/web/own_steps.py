"""A user's own steps in JavaScript: files that are copied into the bundle, one by one.

In: the declared steps. Out: the files by the name that each gets in steps/own_steps/. What they
import has to lie in the bundle as well, and the function that is named has to be exported.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.integrations import node
from deploy_targets.records import Stage
from deploy_targets.resources import resource
from deploy_targets.stages import own, plan
from deploy_targets.stages.plan import Plan

FOLDER = "steps/own_steps"
SUFFIXES = (".mjs", ".js")


def files(planned: Plan) -> dict[str, Path]:
    """Path among our modules -> the user's file. Raises UnsupportedModel, ToolMissing."""
    stages = own.functions(planned.staging)
    for stage in stages:
        _check_name(stage)
    found = plan.own_files(planned)
    if found:
        said = node.ask(
            resource("web", "tools", "exported.mjs"),
            [str(resource("web", "src", "steps")), *map(str, found.values())],
            who="reading the own steps",
            flags=("--experimental-vm-modules", "--no-warnings"),
        )
        modules = dict(zip(found, said, strict=True))
        for stage in stages:
            _check(stage, found, modules)
    return {f"{FOLDER}/{name}": path for name, path in found.items()}


def _check_name(stage: Stage) -> None:
    counterpart = str(stage.options["counterpart"])
    if not counterpart.rpartition(":")[0].endswith(SUFFIXES):
        raise UnsupportedModel(
            f"[inputs.{stage.of}.preprocess]: web = {counterpart!r} is no JavaScript",
            hint='name a module and a function that it exports: web = "steps.mjs:deskew"',
        )


def _check(stage: Stage, found: dict[str, Path], modules: dict[str, Any]) -> None:
    file, _, function = str(stage.options["counterpart"]).rpartition(":")
    module = modules[Path(file).name]
    path = found[Path(file).name]
    if foreign := module.get("foreign"):
        raise UnsupportedModel(
            f"{path} imports {', '.join(foreign)}, which the bundle does not have",
            hint="import nothing but our own steps, such as ../refused.mjs, and other own steps",
        )
    if error := module.get("error"):
        raise UnsupportedModel(
            f"{path} is no module that a browser can load: {error}",
            hint=f"check it: node --check {path}",
        )
    if function not in module["exports"]:
        exports = ", ".join(sorted(module["exports"])) or "nothing"
        raise UnsupportedModel(
            f"{path} does not export {function}; it exports {exports}",
            hint=f"write `export function {function}(value) {{ … }}`, or name another in web = …",
        )
