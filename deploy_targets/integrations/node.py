"""Runs a program of ours in Node.js. In: a script and its arguments. Out: the JSON that it printed.

The program is a child with a time limit; what it says besides goes into the error.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy_targets.errors import ConversionFailed, ToolMissing

TIMEOUT = 120.0
"""Seconds that a program may take unless told otherwise."""
_LAST_WORDS = 600


def find(program: str = "node") -> str:
    """The path of Node.js, or of what comes with it. Raises ToolMissing."""
    found = shutil.which(program)
    if found is None:
        raise ToolMissing(
            f"{program} was not found, and files of the web are made and checked with it",
            hint="install Node.js 18 or newer, with npm (Debian: apt-get install nodejs npm)",
        )
    return found


def ask(
    script: Path,
    arguments: Sequence[str],
    *,
    who: str,
    flags: Sequence[str] = (),
    timeout: float = TIMEOUT,
) -> Any:
    """What the script printed, read as JSON. `who` names it in errors, `flags` are Node.js's own.

    Raises ToolMissing; ConversionFailed where it crashed, printed no JSON or took too long.
    """
    command = [find(), *flags, str(script), *arguments]
    try:
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise ConversionFailed(
            f"{who} took longer than {timeout:g} s and was stopped",
            hint="try again when the machine is less busy, or make the model smaller",
        ) from error
    try:
        if ran.returncode:
            raise ValueError(f"ended with exit code {ran.returncode}")
        return json.loads(ran.stdout)
    except ValueError as error:
        words = (ran.stderr.strip() or ran.stdout.strip())[-_LAST_WORDS:]
        raise ConversionFailed(
            f"{who} failed in Node.js: {error}; its last words: {words}",
            hint="the last words say what went wrong; Node.js 18 or newer is expected",
        ) from error
