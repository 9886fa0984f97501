"""A conversion in a process of its own. In: a command. Out: what it took, and its last words.

Memory is the largest of the process and of those that it waited for, as the kernel counted it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LAST_WORDS = 300


@dataclass(frozen=True)
class Run:
    """What one command took. `failed` holds its last words where it ended badly."""

    seconds: float
    megabytes: float
    failed: str = ""


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Runs it to its end."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - began
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    failed = said[-LAST_WORDS:] or f"exit code {child.returncode}" if child.returncode else ""
    return Run(seconds, used.ru_maxrss / 1024, failed)
