"""Runs one function in an interpreter of its own. In: a JSON file. Out: another, beside it.

The child's half of `worker.py`. It is started as a file and imports the standard library alone,
so that any interpreter can run it, whatever is installed there.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any


def answer(function: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What the function returned, or what it raised: its class, its message, its hint."""
    module, _, name = function.partition(":")
    try:
        return {"value": getattr(importlib.import_module(module), name)(**arguments)}
    except Exception as error:
        # The trace goes to the log; the message is for the person.
        traceback.print_exc()
        return {
            "error": type(error).__name__,
            "message": str(error),
            "hint": getattr(error, "hint", None),
        }


def main(folder: Path) -> None:
    """Reads question.json, writes answer.json, whole or not at all."""
    question = json.loads((folder / "question.json").read_text(encoding="utf-8"))
    sys.path[:] = [*question["path"], *(p for p in sys.path if p not in question["path"])]
    said = json.dumps(answer(question["function"], question["arguments"]))
    unfinished = folder / "answer.unfinished"
    unfinished.write_text(said, encoding="utf-8")
    unfinished.replace(folder / "answer.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
