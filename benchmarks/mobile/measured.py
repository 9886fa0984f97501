"""A conversion in a process of its own. In: a command. Out: what it took, and its last words.

Memory is the largest of the process and of those that it waited for, as the kernel counted it. The
kernel counts what a process was forked from as its own, so a small process starts and times it:
this file, as a script, which prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
    with tempfile.TemporaryFile() as log:
        # Without site-packages: the less it holds, the less is counted with the command.
        done = subprocess.run(
            [sys.executable, "-I", "-S", __file__, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **(environment or {})},
            check=True,
        )
        log.seek(0)
        said = log.read().decode(errors="replace").strip()
    took = json.loads(done.stdout)
    failed = said[-LAST_WORDS:] or f"exit code {took['code']}" if took["code"] else ""
    return Run(took["seconds"], took["megabytes"], failed)


def start(command: Sequence[str]) -> dict[str, float]:
    """The small process's half; what the command says goes where complaints go."""
    began = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    return {"seconds": seconds, "megabytes": used.ru_maxrss / 1024, "code": child.returncode}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(start(sys.argv[1:])))
