"""A Python on an emulated 64-bit ARM, with packages from a lock; no root, no sandbox.

In: a lock whose wheels are for ARM, the CPU to stand for, and what will be imported. Out:
the command line that runs such a Python. The system is Debian's (`qemu.rootfs`), and is made once;
so is the byte code of all that is imported, for compiling it takes an emulated processor longest.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import NotRun
from deploy_targets.integrations import qemu, wheels
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

PYTHONS = {"trixie": "3.13", "bookworm": "3.11", "bullseye": "3.9"}
"""Release of Debian -> the version that it has."""
PLATFORM = "aarch64-manylinux_2_28"
_SECONDS_TO_IMPORT = 600.0


@dataclass(frozen=True)
class EmulatedPython:
    """How it is run."""

    command: tuple[str, ...]
    """A script and its arguments are to follow."""
    environment: Mapping[str, str]
    """All that it shall see: settings for this machine's Python are none for that one."""
    where: str


def python(
    lock: Path,
    cpu: str,
    imports: Sequence[str],
    workspace: Workspace,
    folder: Path,
    *,
    suite: str = "trixie",
) -> EmulatedPython:
    """Puts it together; `folder`, which is new, holds its small files while it runs.

    Raises ToolMissing without an emulator or apt, NotRun where packages cannot be fetched.
    """
    emulator, minor = qemu.find(), PYTHONS[suite]
    needed = (f"python{minor}-minimal", f"libpython{minor}-stdlib", "libstdc++6")
    root = qemu.rootfs(needed, suite, workspace).resolve()
    packages = _packages(lock, minor, workspace).resolve()
    version = qemu.package_version(root, needed[0]).partition("-")[0]
    program = str(root / "usr/bin" / f"python{minor}")
    prefix = qemu.prefix(root, cpu, folder.resolve())
    # -P came with 3.11; before, what lies beside the script is found first, and nothing does.
    alone = ("-P", "-S") if minor != PYTHONS["bullseye"] else ("-S",)
    command = emulator.command(cpu, [program, *alone], prefix=prefix)
    environment = {"PYTHONPATH": str(packages)}
    compiled = _compiled(program, command, environment, imports, workspace)
    return EmulatedPython(
        (*command, "-B", "-X", f"pycache_prefix={compiled}"),
        environment,
        f"Python {version}, arm64 emulated by qemu-aarch64 {emulator.version} as {cpu}",
    )


def _packages(lock: Path, minor: str, workspace: Workspace) -> Path:
    return workspace.cached(
        "packages",
        digest_of(lock.stem, digest_of_file(lock), PLATFORM, minor),
        lambda home: wheels.install(lock, home, platform=PLATFORM, python=minor),
    )


def _compiled(
    program: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    imports: Sequence[str],
    workspace: Workspace,
) -> Path:
    """The byte code of these modules and all that they import, below their sources' paths."""

    def make(home: Path) -> None:
        code = f"import {', '.join(imports)}"
        run = [*command, "-X", f"pycache_prefix={home.resolve()}", "-c", code]
        ran = subprocess.run(
            run, capture_output=True, text=True, timeout=_SECONDS_TO_IMPORT, env=environment
        )
        if ran.returncode:
            raise NotRun(
                f"an emulated Python could not import {', '.join(imports)}: {ran.stderr.strip()}",
                hint="another version of QEMU may run it (qemu-user-static)",
            )

    # Each file of byte code knows the very source that it was made of, and where that lies.
    key = digest_of("emulated python 1", program, dict(environment), [*imports])
    return workspace.cached("emulated-bytecode", key, make).resolve()
