"""Bundles of this target with other files in their zip: with steps that nobody declared."""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path

from deploy_targets import api
from deploy_targets import bundle as bundles
from deploy_targets.records import Bundle
from deploy_targets.stages import plan, tables
from deploy_targets.stages.variants import variants


def planted(project: Path, honest: Bundle, mistake: str, folder: Path) -> Bundle:
    """The bundle of a project, sealed anew in `folder` with one of the usual mistakes in it."""
    steps = api.steps_of(api.settings_of(project))
    signature = honest.manifest.signature
    staging = tables.staging(signature, steps.before, steps.after, steps.base, "lambda")
    (variant,) = [one for one in variants(staging.stages) if one.name == mistake]
    wrong = dataclasses.replace(staging, stages=variant.stages)
    made = folder.with_name(f"{folder.name}-files")
    made.mkdir()
    # All before the model on the host: between other steps lie other tensors.
    plan.write(plan.plan(wrong, lambda _: True), signature, made)
    return spoilt(honest, folder, {file.name: file.read_bytes() for file in made.iterdir()})


def spoilt(honest: Bundle, folder: Path, files: Mapping[str, bytes]) -> Bundle:
    """The same bundle with these files in its zip in the place of its own, sealed anew."""
    shutil.copytree(honest.path, folder)
    with zipfile.ZipFile(folder / "function.zip", "a") as archive:
        for name, raw in files.items():
            info = archive.getinfo(name)
            # Out of the directory, and written again at the end: the packages stay as they are.
            archive.filelist.remove(info)
            del archive.NameToInfo[name]
            other = zipfile.ZipInfo(name)
            other.external_attr = info.external_attr
            archive.writestr(other, raw)
    roles = {name: file.role for name, file in honest.manifest.files.items()}
    return bundles.seal(folder, honest.manifest, roles)
