"""What lies around an artifact: the steps, and the Android and iOS projects that use both.

In: a prepared model, and a target's Kit. Out: files in the bundle's folder, where the artifact lies
once: the Gradle project copies it from the folder's root into its assets, and the Swift package,
whose Package.swift is at the root, has it as a resource. `naming.py` writes what the projects know
of this one model.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy_targets.binding import identity
from deploy_targets.errors import UnsupportedModel
from deploy_targets.phones import naming
from deploy_targets.phones.kit import Kit
from deploy_targets.records import BYTES, Entry, Prepared, Staging
from deploy_targets.resources import resource
from deploy_targets.stages import own
from deploy_targets.stages import plan as plans
from deploy_targets.stages.plan import Plan
from deploy_targets.workspace import Workspace

STEPS = "steps.json"
RUNTIMES = "runtimes"
"""The folder of an app's source tree that holds what is of one runtime alone."""
UNSHIPPED = ("build", ".gradle", ".kotlin", ".build", ".swiftpm", ".idea", "local.properties")
"""What building an app leaves behind in its source tree."""
HERE_ALONE = (
    "android/core/src/harness",
    "android/core/src/test",
    f"android/{RUNTIMES}",
    "ios/Package.swift",
    "ios/Tests/Answers",
    "ios/Tests/DeployTargetCoreTests",
    f"ios/{RUNTIMES}",
)
"""What does not travel: tests of the plain code, which need files that are only in this project's
source tree, and other runtimes."""


def planned(staging: Staging | None, kit: Kit) -> Plan | None:
    """Every step runs in Kotlin and in Swift. Raises UnsupportedModel where one cannot."""
    if staging is None:
        return None
    for stage in staging.stages:
        if stage.op not in (own.MODULE, own.FUNCTION):
            continue
        raise UnsupportedModel(
            f"the step {stage.op} of {stage.of} is your own, and a {kit.target} bundle has only "
            "the declared steps, in Kotlin and in Swift",
            hint="declare it by other steps, or make it a part of the model",
        )
    return plans.plan(staging, lambda stage: True)


def put(
    kit: Kit, prepared: Prepared, plan: Plan | None, folder: Path, workspace: Workspace
) -> None:
    """Both projects, what they know of this model, the steps and the licence."""
    for app, runtime in kit.runtimes.items():
        _app(app, runtime, folder)
    naming.write(kit, prepared, folder)
    shutil.copyfile(resource("LICENSE"), folder / "LICENSE")
    if plan:
        with workspace.scratch() as scratch:
            plans.write(plan, prepared.signature, scratch)
            shutil.copyfile(scratch / plans.FILE, folder / STEPS)


def raw_entries(staging: Staging | None) -> tuple[Entry, ...]:
    """`predict`: from raw bytes to words."""
    if staging is None:
        return ()
    return (replace(identity(staging.signature, "predict"), golden=BYTES),)


def roles(kit: Kit, folder: Path) -> dict[str, str]:
    """What each file of the folder is for."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    return {name: _role(name, kit) for name in names}


def _app(app: str, runtime: str, folder: Path) -> None:
    """A project as it lies in the source tree, with the files of one runtime."""
    home = resource("mobile")

    def ignored(at: str, names: Sequence[str]) -> set[str]:
        within = Path(at).relative_to(home)
        return {n for n in names if n in UNSHIPPED or (within / n).as_posix() in HERE_ALONE}

    shutil.copytree(home / app, folder / app, ignore=ignored)
    shutil.copytree(home / app / RUNTIMES / runtime, folder / app, dirs_exist_ok=True)


def _role(name: str, kit: Kit) -> str:
    if name == kit.model or name.startswith(f"{kit.model}/"):
        return "model"
    if name.endswith(".md"):
        return "doc"
    return "licence" if name == "LICENSE" else "code"
