"""An environment of its own for tools that fit no common one. In: a lock. Out: its interpreter.

Made once per lock and kept in the workspace; it appears by a rename, so its own scripts, which
hold the folder of their making, are not to be called: `worker.call(..., python=...)` is. To add
one: NAME.in and NAME.txt in locks/, the latter as its first lines say.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import interpreters
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

LOCKS = Path(__file__).parent / "locks"


def python(
    name: str,
    workspace: Workspace,
    *,
    minors: Sequence[str],
    without: Sequence[str] = (),
    locks: Path = LOCKS,
) -> Path:
    """The interpreter of the environment that the lock NAME.txt describes.

    `minors`: the versions of Python that it can have, the running one before newer ones. `without`:
    folders in its site-packages that nobody needs ("tensorflow/include"). Raises ToolMissing.
    """
    lock = locks / f"{name}.txt"
    base = _base(name, minors)
    machine = (platform.system(), platform.machine())
    key = digest_of(digest_of_file(lock), base.version, str(base.executable), machine, [*without])

    def make(home: Path) -> None:
        _uv(name, "venv", "--python", str(base.executable), "--no-project", str(home / "env"))
        _fill(name, home / "env", lock)
        for unwanted in without:
            for folder in (home / "env").glob(f"lib/python*/site-packages/{unwanted}"):
                shutil.rmtree(folder)

    return workspace.cached("toolchain", key, make) / "env" / "bin" / "python"


def _base(name: str, minors: Sequence[str]) -> Interpreter:
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = interpreters.newest([m for m in minors if m == running]) or interpreters.newest(minors)
    if found is None:
        wanted = ", ".join(minors)
        raise ToolMissing(
            f"the toolchain {name} needs Python {wanted}, and none of them is on this machine",
            hint=f"install one (uv python install {minors[-1]})",
        )
    return found


def _fill(name: str, environment: Path, lock: Path) -> None:
    # What the lock names is complete; a copy, because a link would lead into uv's own cache.
    exact = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy")
    into = ("--python", str(environment / "bin" / "python"), "--no-progress")
    _uv(name, "pip", "install", *into, *exact, "-r", str(lock))


def _uv(name: str, *arguments: str) -> None:
    from deploy_targets.integrations.wheels import _program as program

    # What the shell has activated is another environment than the one that is made.
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    command = [program(), *arguments, "--no-python-downloads"]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if ran.returncode:
        said = "\n".join(ran.stderr.strip().splitlines()[-8:]) or "uv said nothing"
        raise ToolMissing(
            f"the toolchain {name} could not be made: {said}",
            hint="its packages come from the index that uv is set up for (UV_DEFAULT_INDEX); see "
            "that it can be reached and that the disk has room",
        )
