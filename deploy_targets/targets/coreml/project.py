"""The folder: model.mlpackage, and what every bundle for a phone has around its model.

In: a prepared model and the target's options. Out: everything but golden and the seal. There is a
Swift package alone: no other system has Core ML.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.converters.coreml import FOLDER, Minimum
from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.records import Built, Prepared
from deploy_targets.targets.coreml import readme
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.coreml.target import Coreml

KIT = Kit("coreml", FOLDER, {"ios": "coreml"})
SYSTEMS: Mapping[Minimum, str] = {
    "iOS16": ".iOS(.v16), .macOS(.v13)",
    "iOS17": ".iOS(.v17), .macOS(.v14)",
    # Newer than the tools version of Package.swift, which has no name for them.
    "iOS18": '.iOS("18.0"), .macOS("15.0")',
}
"""The oldest systems, as Package.swift says them."""


def write(target: Coreml, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    from deploy_targets.targets.coreml import conversion

    # What is refused is refused before anything is converted.
    plan = project.planned(prepared.staging, KIT)
    package, made = conversion.converted(target, prepared, workspace)
    shutil.copytree(package, folder / FOLDER)
    project.put(KIT, prepared, plan, folder, workspace)
    demand(target.minimum, folder / "Package.swift")
    readme.write(target, prepared, made, folder)
    return Built(
        entries=(*made.entries, *project.raw_entries(prepared.staging)),
        lanes=target.lanes(prepared.recipe.name),
        roles=project.roles(KIT, folder),
        tools=made.tools,
        notes=made.notes,
        stages=plan.stages if plan else (),
    )


def demand(minimum: Minimum, swift: Path) -> None:
    """Has Package.swift ask for the systems that take the model."""
    text = swift.read_text(encoding="utf-8")
    before, _, behind = text.partition(SYSTEMS["iOS16"])
    assert behind, f"Package.swift says no {SYSTEMS['iOS16']}"
    swift.write_text(before + SYSTEMS[minimum] + behind, encoding="utf-8")
