"""Which of our modules a page downloads that only asks the model: not the demo, not other steps.

In: the folder of modules and the operations of the steps. Out: paths within that folder. It follows
what the modules import, by name; of what is imported while a step runs it takes all.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from pathlib import Path

REGISTRY = "steps/index.mjs"
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""")


def modules(folder: Path, runtime: str, operations: Collection[str]) -> set[str]:
    """The modules of a first visit. `runtime`: the stem of its file; no operations, no steps."""
    wanted = ["model.mjs", "worker.mjs", f"runtimes/{runtime}.mjs"]
    if operations:
        wanted += [*_of_operations(folder, operations), "steps/words.mjs", REGISTRY]
    found: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in found and (folder / name).is_file():
            found.add(name)
            wanted += _imported(folder, name, bool(operations))
    return found


def _imported(folder: Path, name: str, steps: bool) -> Iterator[str]:
    text = _COMMENT.sub("", (folder / name).read_text(encoding="utf-8"))
    for relative in _IMPORT.findall(text):
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), relative))
        if steps or path not in (REGISTRY, "around.mjs"):
            yield path


def _of_operations(folder: Path, operations: Collection[str]) -> Iterator[str]:
    """By the registry of operations: `resize: "resize",`."""
    text = (folder / REGISTRY).read_text(encoding="utf-8")
    for operation, file in re.findall(r'^\s*(\w+): "(\w+)",$', text, re.MULTILINE):
        if operation in operations:
            yield f"steps/{file}.mjs"
    yield from (f"steps/own_steps/{path.name}" for path in folder.glob("steps/own_steps/*"))
