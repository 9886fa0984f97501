"""Wheels by way of uv: a lock is made from requirements, a folder is filled from a lock.

In come a requirements file or a lock; out go a lock that names every file by its SHA-256, or a
folder of packages for a machine that need not be this one. Nothing is ever built from source.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy_targets.errors import ToolMissing


def install(lock: Path, folder: Path, *, platform: str, python: str) -> None:
    """Fills `folder` with exactly the files that the lock names, for another platform.

    `platform` is uv's name for it ("x86_64-manylinux_2_28"), `python` a minor version ("3.13").
    Raises ToolMissing where uv is absent or the wheels cannot be had.
    """
    where = ("--target", str(folder), "--python-platform", platform, "--python-version", python)
    # What the lock names is complete; a copy, because a link would lead into uv's own cache.
    exact = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--link-mode", "copy")
    plain = ("--no-progress", "--no-compile-bytecode")
    _uv("pip", "install", *where, *exact, *plain, "-r", str(lock))


def lock(
    requirements: Path,
    output: Path,
    *,
    python: str,
    without: Sequence[str] = (),
    command: str,
    upgrade: bool = False,
) -> None:
    """Writes a lock for every platform and every Python from `python` on.

    Packages in `without` are left out, though others ask for them. `command` is what the lock's
    first lines tell a maintainer to run. Pins already in `output` are kept unless `upgrade`.
    """
    scope = ("--universal", "--generate-hashes", "--python-version", python)
    left_out = tuple(word for name in without for word in ("--no-emit-package", name))
    quiet = ("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", command)
    fresh = ("--upgrade",) if upgrade else ()
    # Relative to its folder, so that no path of this machine is written into the comments.
    names = ("-o", output.name, requirements.name)
    _uv("pip", "compile", *scope, *left_out, *quiet, *fresh, *names, folder=output.parent)


def _uv(*arguments: str, folder: Path | None = None) -> None:
    # Left alone, uv would fetch a whole Python of the wanted version; any will do for its work.
    any_python = ("--python", sys.executable, "--no-python-downloads")
    command = [_program(), *arguments, *any_python]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if run.returncode:
        raise ToolMissing(
            f"uv could not do its part: {_last_words(run.stderr)}",
            hint="wheels come from the package index that uv is set up for (UV_DEFAULT_INDEX); "
            "see that it can be reached: once fetched, they come from uv's cache",
        )


def _program() -> str:
    try:
        from uv import find_uv_bin

        return find_uv_bin()
    except (ImportError, FileNotFoundError):
        raise ToolMissing(
            "uv was not found beside this Python",
            hint='pip install "deploy-targets[lambda]" (or: pip install uv)',
        ) from None


def _last_words(stderr: str) -> str:
    return "\n".join(stderr.strip().splitlines()[-8:]) or "it said nothing"
