"""Packages for a child process alone: a folder of their own, behind what is installed already.

In: the name of a lock in locks/. Out: a folder to put at the end of the child's `path`, made once
by the workspace. This is for tools that ask for older versions of what the user has: installed
among the rest they would change it, and an environment of their own would hold a second PyTorch,
which may not read what the first wrote. To add one: NAME.in and NAME.txt in locks/; the first line
of the latter says how it is made.
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import distributions
from pathlib import Path

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import wheels
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

LOCKS = Path(__file__).parent / "locks"
PLATFORMS = {
    ("Linux", "x86_64"): "x86_64-manylinux_2_28",
    ("Linux", "aarch64"): "aarch64-manylinux_2_28",
    ("Darwin", "arm64"): "aarch64-apple-darwin",
}
"""This machine -> what uv calls it."""


def folder(name: str, workspace: Workspace) -> Path:
    """The folder of the packages that the lock of that name lists. Raises ToolMissing."""
    lock = LOCKS / f"{name}.txt"
    kind = PLATFORMS.get((platform.system(), platform.machine()))
    if kind is None:
        raise ToolMissing(
            f"{name.replace('_', '-')} is not made for {platform.system()} {platform.machine()}",
            hint=f"build on one of: {', '.join(' '.join(each) for each in PLATFORMS)}",
        )
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return workspace.cached(
        "packages",
        digest_of(name, digest_of_file(lock), kind, python),
        lambda home: wheels.install(lock, home, platform=kind, python=python),
    )


def versions(home: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Which versions of these packages the folder holds."""
    found = {each.name: each.version for each in distributions(path=[str(home)])}
    return {name: found[name] for name in names}
