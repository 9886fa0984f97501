"""The folder: model.pte, what became of the model in it, and what every bundle for a phone has.

In: a prepared model and the target's options. Out: everything but golden and the seal.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.converters.pte import FILE, REPORT, Converted
from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.records import Built, Prepared
from deploy_targets.targets.executorch import readme
from deploy_targets.targets.executorch.places import lanes
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from deploy_targets.targets.executorch.target import Executorch

KIT = Kit("executorch", FILE, {"android": "executorch", "ios": "executorch"})


def write(target: Executorch, prepared: Prepared, folder: Path, workspace: Workspace) -> Built:
    """Everything but golden and the seal.

    Raises UnsupportedModel, ConversionFailed, ToolMissing.
    """
    from deploy_targets.targets.executorch import conversion

    # What is refused is refused before a minute is spent.
    project.planned(prepared.staging, KIT)
    model, made = conversion.converted(target, prepared, workspace)
    return built(prepared, model, made, folder, workspace)


def built(
    prepared: Prepared, model: Path, made: Converted, folder: Path, workspace: Workspace
) -> Built:
    """The same of a model that is converted. Raises UnsupportedModel."""
    plan = project.planned(prepared.staging, KIT)
    asked = lanes(prepared.recipe.name, delegated=bool(made.report["delegates"]))
    shutil.copyfile(model, folder / FILE)
    (folder / REPORT).write_text(_report(made.report), encoding="utf-8")
    project.put(KIT, prepared, plan, folder, workspace)
    readme.write(prepared, made, asked, folder)
    return Built(
        entries=(*made.entries, *project.raw_entries(prepared.staging)),
        lanes=asked,
        roles={**project.roles(KIT, folder), REPORT: "doc"},
        tools=made.tools,
        notes=made.notes,
        stages=plan.stages if plan else (),
    )


def _report(report: Mapping[str, Any]) -> str:
    """Without what the converter asked of the file itself: the verdict is parity.json's."""
    kept = {name: said for name, said in report.items() if name != "asked"}
    return json.dumps(kept, indent=1) + "\n"
