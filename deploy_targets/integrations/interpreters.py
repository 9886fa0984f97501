"""Finds CPython interpreters of other minor versions on this machine.

In comes a minor version ("3.13"); out goes an `Interpreter` that was run once to see that it works,
or None. The first that works is taken: the running interpreter, PATH, pyenv, uv, the usual folders.
To look in one more place, add it to `_candidates`.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROBE = """
import json, os, platform, sys
print(json.dumps({
    "executable": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
    "version": platform.python_version(),
    "implementation": sys.implementation.name,
    "base_prefix": os.path.realpath(sys.base_prefix),
    "stdlib": os.path.realpath(os.path.dirname(os.__file__)),
}))
"""
_SECONDS_TO_START = 20


@dataclass(frozen=True)
class Interpreter:
    """A CPython that works here, outside of any virtual environment."""

    executable: Path
    version: str
    """In full: "3.13.0"."""
    base_prefix: Path
    stdlib: Path
    """The folder of os.py; site-packages may lie in it."""

    @property
    def minor(self) -> str:
        """Its version as the wheels call it: "3.13"."""
        return ".".join(self.version.split(".")[:2])


def newest(minors: Iterable[str]) -> Interpreter | None:
    """The interpreter of the highest of these versions that is on this machine."""
    by_age = sorted(minors, key=lambda minor: [int(part) for part in minor.split(".")])
    found = (find(minor) for minor in reversed(by_age))
    return next((interpreter for interpreter in found if interpreter), None)


@functools.lru_cache
def find(minor: str) -> Interpreter | None:
    """A working CPython of this minor version, or None."""
    tried: set[str] = set()
    for candidate in _candidates(minor):
        # By os.path, which takes a folder that we may not read for one that is not there.
        real = os.path.realpath(candidate)
        if real in tried or not os.path.isfile(real):
            continue
        tried.add(real)
        # A shim on PATH may well fail: each is run before it is believed.
        interpreter = _probe(candidate)
        if interpreter and interpreter.minor == minor:
            return interpreter
    return None


def _candidates(minor: str) -> Iterator[Path]:
    name = f"python{minor}" + (".exe" if os.name == "nt" else "")
    if sys.version_info[:2] == tuple(int(part) for part in minor.split(".")):
        yield Path(sys.executable)
    for folder in os.get_exec_path():
        if on_path := shutil.which(name, path=folder):
            yield Path(on_path)
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv")
    yield from _newest_first(pyenv / "versions", f"{minor}.*/bin/{name}")
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    yield from _newest_first(uv, f"cpython-{minor}.*/bin/{name}")
    for prefix in ("/usr", "/usr/local", "/opt/homebrew", "/var/lang"):
        yield Path(prefix, "bin", name)


def _newest_first(folder: Path, pattern: str) -> list[Path]:
    def patch(path: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", path.parts[-3])]

    try:
        return sorted(folder.glob(pattern), key=patch, reverse=True)
    except PermissionError:
        return []


def _probe(executable: Path) -> Interpreter | None:
    # -S: a .pth file in somebody's site-packages must not decide what we find.
    command = [str(executable), "-I", "-S", "-c", _PROBE]
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS_TO_START, check=False
        )
        facts = json.loads(ran.stdout) if ran.returncode == 0 else {}
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    if facts.get("implementation") != "cpython":
        return None
    return Interpreter(
        executable=Path(facts["executable"]),
        version=facts["version"],
        base_prefix=Path(facts["base_prefix"]),
        stdlib=Path(facts["stdlib"]),
    )
