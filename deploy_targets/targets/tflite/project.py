"""The folder: model.tflite, and what every bundle for a phone has around its model.

In: a prepared model and the target's options. Out: everything but golden and the seal.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.converters.tflite import FILE, Converted
from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.records import Built, Prepared
from deploy_targets.targets.tflite import readme
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.tflite.target import Tflite

KIT = Kit("tflite", FILE, {"android": "litert", "ios": "litert"})


def write(target: Tflite, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    from deploy_targets.targets.tflite import conversion

    # What is refused is refused before a minute is spent.
    project.planned(prepared.staging, KIT)
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
    plan = project.planned(prepared.staging, KIT)
    _model(prepared, made, model, folder / FILE)
    project.put(KIT, prepared, plan, folder, workspace)
    readme.write(target, prepared, made, folder)
    return Built(
        entries=(*made.entries, *project.raw_entries(prepared.staging)),
        lanes=target.lanes(prepared.recipe.name),
        roles=project.roles(KIT, folder),
        tools=made.tools,
        notes=made.notes,
        stages=plan.stages if plan else (),
    )


def _model(prepared: Prepared, made: Converted, model: Path, file: Path) -> None:
    """A copy of the model, with what the common tools read of it inside."""
    from deploy_targets.converters import tflite_metadata

    shutil.copyfile(model, file)
    tflite_metadata.write(file, tflite_metadata.about(prepared, made.entries))
