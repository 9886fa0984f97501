"""The folder: model.tflite, the steps around it, and the Android and iOS projects that use both.

In: a prepared model and the target's options. Out: everything but golden and the seal. The model
lies there once: the Gradle project copies it from the folder's root into its assets, and the Swift
package, whose Package.swift is at the root, has it as a resource. `naming.py` writes what the
projects know of this one model.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.binding import identity
from deploy_targets.converters.tflite import FILE, Converted
from deploy_targets.errors import UnsupportedModel
from deploy_targets.records import BYTES, Built, Entry, Prepared, Staging
from deploy_targets.resources import resource
from deploy_targets.stages import own
from deploy_targets.stages import plan as plans
from deploy_targets.stages.plan import Plan
from deploy_targets.targets.tflite import naming, readme
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.tflite.target import Tflite

STEPS = "steps.json"
APPS = ("android", "ios")
UNSHIPPED = ("build", ".gradle", ".kotlin", ".build", ".swiftpm", ".idea", "local.properties")
"""What building an app leaves behind in its source tree."""
HERE_ALONE = (
    "android/core/src/harness",
    "android/core/src/test",
    "ios/Package.swift",
    "ios/Tests/Answers",
    "ios/Tests/DeployTargetCoreTests",
)
"""Tests of the plain code, which need files that are only in this project's source tree."""


def write(target: Tflite, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    from deploy_targets.targets.tflite import conversion

    if prepared.staging:
        planned(prepared.staging)  # what is refused is refused before a minute is spent
    model, made = conversion.converted(target, prepared, workspace)
    return built(target, prepared, model, made, folder, workspace)


def built(
    target: Tflite,
    prepared: Prepared,
    model: Path,
    made: Converted,
    folder: Path,
    workspace: Workspace,
) -> Built:
    """The same of a model that is converted. Raises UnsupportedModel."""
    plan = planned(prepared.staging) if prepared.staging else None
    put(target, prepared, model, made, folder)
    if plan:
        _steps(plan, prepared, folder, workspace)
    return Built(
        entries=(*made.entries, *_raw(prepared.staging)),
        lanes=target.lanes(prepared.recipe.name),
        roles={name: _role(name) for name in _names(folder)},
        tools=made.tools,
        notes=made.notes,
        stages=plan.stages if plan else (),
    )


def put(target: Tflite, prepared: Prepared, model: Path, made: Converted, folder: Path) -> None:
    """A converted model, both projects, and what people read."""
    _model(prepared, made, model, folder / FILE)
    _apps(folder)
    naming.write(prepared, folder)
    shutil.copyfile(resource("LICENSE"), folder / "LICENSE")
    readme.write(target, prepared, made, folder)


def planned(staging: Staging) -> Plan:
    """Every step runs in Kotlin and in Swift. Raises UnsupportedModel where one cannot."""
    for stage in staging.stages:
        if stage.op not in (own.MODULE, own.FUNCTION):
            continue
        raise UnsupportedModel(
            f"the step {stage.op} of {stage.of} is your own, and a tflite bundle has only the "
            "declared steps, in Kotlin and in Swift",
            hint="declare it by other steps, or make it a part of the model",
        )
    return plans.plan(staging, lambda stage: True)


def _model(prepared: Prepared, made: Converted, model: Path, file: Path) -> None:
    """A copy of the model, with what the common tools read of it inside."""
    from deploy_targets.converters import tflite_metadata

    shutil.copyfile(model, file)
    tflite_metadata.write(file, tflite_metadata.about(prepared, made.entries))


def _steps(plan: Plan, prepared: Prepared, folder: Path, workspace: Workspace) -> None:
    with workspace.scratch() as scratch:
        plans.write(plan, prepared.signature, scratch)
        shutil.copyfile(scratch / plans.FILE, folder / STEPS)


def _apps(folder: Path) -> None:
    """Both projects as they lie in the source tree, but for tests that do not travel."""
    home = resource("mobile")

    def ignored(at: str, names: Sequence[str]) -> set[str]:
        within = Path(at).relative_to(home)
        return {n for n in names if n in UNSHIPPED or (within / n).as_posix() in HERE_ALONE}

    for app in APPS:
        shutil.copytree(home / app, folder / app, ignore=ignored)


def _raw(staging: Staging | None) -> tuple[Entry, ...]:
    """`predict`: from raw bytes to words."""
    if staging is None:
        return ()
    return (replace(identity(staging.signature, "predict"), golden=BYTES),)


def _role(name: str) -> str:
    if name == FILE:
        return "model"
    if name.endswith(".md"):
        return "doc"
    return "licence" if name == "LICENSE" else "code"


def _names(folder: Path) -> list[str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files)
