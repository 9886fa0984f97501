"""Byte code made ahead by the very interpreter that will run it, where nothing can be written.

In comes a folder of Python sources; out goes the same folder with .pyc files that are believed
without a look at the source (unchecked hashes), and whose tracebacks name the folder where the
files will lie. The same sources give the same bytes, in whatever folder they are compiled.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy_targets.errors import ConversionFailed
from deploy_targets.integrations.interpreters import Interpreter

# Nothing from the user's environment: PYTHONOPTIMIZE, for one, would write other byte code. And one
# process for all files in order: with several, it could depend on which met what before.
_ISOLATED = ("-I", "-S", "-B")


def byte_compile(
    interpreter: Interpreter, folder: Path, *, seen_as: str, keep_sources: bool
) -> None:
    """Writes a .pyc for every .py below `folder`; tracebacks will say `seen_as` for it.

    With the sources kept, the .pyc lies in `__pycache__` as usual. Without, it takes the source's
    place: a traceback then names file, line and function, but cannot show the line.
    Raises ConversionFailed where a source does not compile.
    """
    place = () if keep_sources else ("-b",)
    how = ("-q", "-f", *place, "--invalidation-mode", "unchecked-hash")
    names = ("-s", str(folder), "-p", seen_as, str(folder))
    command = [interpreter.executable, *_ISOLATED, "-m", "compileall", *how, *names]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise ConversionFailed(
            f"Python {interpreter.minor} could not compile {folder.name}: "
            f"{(run.stdout + run.stderr).strip()[-400:]}",
            hint=f"see that the file is valid Python {interpreter.minor}",
        )
    if not keep_sources:
        for source in folder.rglob("*.py"):
            source.unlink()
