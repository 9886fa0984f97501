"""Runs one function in a fresh interpreter, so that its crash costs one job and not the build.

In: "module:function" and arguments that JSON can hold. Out: what it returned, through JSON. What
the job prints goes to a log, never to the console. Exporters and converters run here; another
interpreter (a toolchain of its own) is another `python`. It works the same on every platform:
nothing is forked, and a job that outlives its time is killed with what it started.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy_targets import errors
from deploy_targets.errors import ConversionFailed, DeployError

TIMEOUT = 600.0
"""Seconds that a job may take unless told otherwise."""
LAST_WORDS = 1200
"""Characters of a job's log that an error quotes."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def call(
    function: str,
    arguments: Mapping[str, object],
    *,
    who: str,
    timeout: float = TIMEOUT,
    python: str = sys.executable,
    path: Sequence[str] | None = None,
    log: Path | None = None,
) -> Any:
    """What the function returns in a child process. `who` names it in errors.

    `path` is the child's sys.path (by default this one's), `log` where its output is kept.
    Raises the DeployError that the function raised; ConversionFailed for any other end.
    """
    with tempfile.TemporaryDirectory(prefix="deploy-target-") as temporary:
        folder = Path(temporary)
        question = {"function": function, "arguments": dict(arguments)}
        question["path"] = [os.path.abspath(p) for p in (sys.path if path is None else path)]
        (folder / "question.json").write_text(json.dumps(question), encoding="utf-8")
        try:
            code = _run(folder, python, timeout)
        finally:
            if log is not None and (folder / "log").is_file():
                shutil.copyfile(folder / "log", log)
        return _read(folder, code, who, timeout)


def _run(folder: Path, python: str, timeout: float) -> int | None:
    """The exit code of the job; None where it was killed for taking too long."""
    command = [python, "-P", str(Path(__file__).with_name("job.py")), str(folder)]
    # Exporters walk sets of strings: a fixed hash seed makes their output the same every time.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=os.name == "posix",
        )
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kills a job that still runs, and on POSIX whatever it started."""
    if child.poll() is None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
        child.wait()


def _read(folder: Path, code: int | None, who: str, timeout: float) -> Any:
    file = folder / "answer.json"
    if code == 0 and file.is_file():
        said = json.loads(file.read_text(encoding="utf-8"))
        if "error" not in said:
            return said["value"]
        raise _raised(who, **said)
    log = (folder / "log").read_text(encoding="utf-8", errors="replace").strip()
    words = f"; its last words: {log[-LAST_WORDS:]}" if log else ""
    raise ConversionFailed(f"{who} {_end_of(code, timeout)}{words}", hint=_hint(code, timeout))


def _raised(who: str, error: str, message: str, hint: str | None) -> DeployError:
    kind = getattr(errors, error, None)
    if isinstance(kind, type) and issubclass(kind, DeployError) and hint:
        return kind(message, hint=hint)
    plain = _COLOUR.sub("", message)
    # Exporters say what they did first, and why it failed last.
    half = LAST_WORDS // 2
    short = plain if len(plain) <= LAST_WORDS else f"{plain[:half]} … {plain[-half:]}"
    reason = "ran out of memory: " if error == "MemoryError" else "failed: "
    return ConversionFailed(
        f"{who} {reason}{error}: {short}".rstrip(": "),
        hint="another way of conversion may work; if it is the last, change what the message names",
    )


def _end_of(code: int | None, timeout: float) -> str:
    if code is None:
        return f"took longer than {timeout:g} s and was stopped"
    if code == 0:
        return "ended without an answer"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        memory = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"was killed by {name}{memory}"
    return f"crashed with exit code {code}"


def _hint(code: int | None, timeout: float) -> str:
    if code is None:
        return f"give it more time, for example --timeout {2 * timeout:g}, or try another dialect"
    if code == -9:
        return "free some memory, or try another dialect"
    return "try another dialect; the last words say what went wrong"
