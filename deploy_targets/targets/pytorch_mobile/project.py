"""The folder: model.ptl, and what every bundle for a phone has around its model.

In: a prepared model and the target's options. Out: everything but golden and the seal. There is an
Android project and none for iOS, whose LibTorch-Lite has no new versions.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.converters import ptl, ptl_from_torchscript
from deploy_targets.converters.ptl import FILE, Converted, Order
from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.records import Built, Prepared, Signature
from deploy_targets.targets.pytorch_mobile import readme
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.pytorch_mobile.target import PytorchMobile

KIT = Kit("pytorch_mobile", FILE, {"android": "pytorch"})
LEGACY = (
    "legacy: PyTorch Mobile is no longer maintained, and its last runtime for Android, 2.1.0, is "
    "of 2023; --target executorch is its successor"
)


def write(target: PytorchMobile, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal. Raises UnsupportedModel, ConversionFailed."""
    # What is refused is refused before anything is converted.
    plan = project.planned(prepared.staging, KIT)
    model, made = converted(target, prepared, workspace)
    shutil.copyfile(model, folder / FILE)
    project.put(KIT, prepared, plan, folder, workspace)
    readme.write(target, prepared, made, folder)
    return Built(
        entries=(made.entry, *project.raw_entries(prepared.staging)),
        lanes=target.lanes(prepared.recipe.name),
        roles=project.roles(KIT, folder),
        tools=made.tools,
        notes=notes(prepared.signature, made),
        stages=plan.stages if plan else (),
    )


def converted(
    target: PytorchMobile, prepared: Prepared, workspace: Workspace
) -> tuple[Path, Converted]:
    """The model, and how it is called; made once. Raises UnsupportedModel, ConversionFailed."""
    order = Order(prepared.graph, prepared.signature, target.freeze)

    def make(folder: Path) -> None:
        ptl_from_torchscript.convert(order, folder, timeout=prepared.timeout)

    folder = workspace.cached(ptl.KIND, ptl.key(order), make)
    return folder / FILE, ptl.read(folder)


def notes(signature: Signature, made: Converted) -> tuple[str, ...]:
    """What the file needs of its runtime, and what the converter has to say."""
    was = {spec.name: spec.dtype for spec in (*signature.inputs, *signature.outputs)}
    cast = (
        f"{port.of} is {was[port.of]} in the model and {port.spec.dtype} in the .ptl"
        for port in (*made.entry.inputs, *made.entry.outputs)
        if was[port.of] != port.spec.dtype
    )
    needed = f"it has bytecode version {made.bytecode} and uses {len(made.operators)} operators"
    return (LEGACY, needed, *cast, *made.notes)
