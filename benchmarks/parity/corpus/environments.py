"""Environments of their own for tools that do not live in the project's. Each is made once.

In: a name and the cache. Out: a python, or a folder for sys.path. What goes in lies pinned in
requirements/<name>.txt. It is pip that installs, as the project's own set-up does: whoever chose
a build of PyTorch without CUDA told pip where it is.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[1] / "requirements"


def python(name: str, cache: Path) -> Path:
    """The interpreter of an environment; the first call takes minutes."""
    home = cache / "environments" / name
    found = home / "bin" / "python"
    if not (home / "ready").is_file():
        venv.create(home, clear=True, with_pip=True)
        _install(found, name)
        (home / "ready").touch()
    return found


def packages(name: str, cache: Path) -> Path:
    """A folder for sys.path with the packages of a list, and nothing that they depend on."""
    home = cache / "environments" / name
    if not (home / "ready").is_file():
        shutil.rmtree(home, ignore_errors=True)
        _install(Path(sys.executable), name, "--no-deps", "--target", str(home))
        (home / "ready").touch()
    return home


def _install(found: Path, name: str, *options: str) -> None:
    wanted = str(REQUIREMENTS / f"{name}.txt")
    command = [
        str(found),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        *options,
        "-r",
        wanted,
    ]
    # A newer pip is no news here, and stdout belongs to the figures.
    subprocess.run([*command, "--disable-pip-version-check"], check=True, stdout=sys.stderr)
