"""A .tflite in an interpreter of TensorFlow Lite: the world that `phones/asked.py` asks.

It imports the standard library and numpy alone, and is plain enough for Python 3.9.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import Any

import numpy as np


class File:
    """A .tflite, loaded. `said` has the runtime, and into how many parts XNNPACK was put."""

    def __init__(self, model: str, threads: int, module: str) -> None:
        interpreter = importlib.import_module(module).Interpreter
        self._runners: dict[str, Any] = {}
        self._file = interpreter(model, num_threads=threads)
        self._file.allocate_tensors()
        self.said = {"runtime": version(module), "delegated": str(self._delegated())}

    def _delegated(self) -> int:
        """Parts of the graph that were given away; only XNNPACK is there to take them."""
        return sum(op["op_name"] == "DELEGATE" for op in self._file._get_ops_details())

    def ask(self, entry: str, tensors: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises ValueError where the file takes other tensors."""
        runner = self._runners.get(entry)
        if runner is None:
            known = sorted(self._file.get_signature_list())
            if entry not in known:
                raise ValueError(f"the file has no signature {entry!r}; it has {known}")
            runner = self._runners[entry] = self._file.get_signature_runner(entry)
        # What does not fit would be resized to fit, and then it would be another file.
        check(runner.get_input_details(), tensors)
        answer: dict[str, Any] = runner(**tensors)
        return answer


def check(wanted: dict[str, Any], tensors: dict[str, Any]) -> None:
    """Raises ValueError unless these are the very names, shapes and dtypes that the file takes."""
    takes = {name: f"{np.dtype(d['dtype'])}{d['shape'].tolist()}" for name, d in wanted.items()}
    given = {name: f"{array.dtype}{list(array.shape)}" for name, array in tensors.items()}
    if takes != given:
        raise ValueError(f"the file takes {takes}, and was given {given}")


def version(module: str) -> str:
    """What is installed of it: "ai-edge-litert 2.3.0"."""
    name = module.partition(".")[0].replace("_", "-")
    return f"{name} {importlib.metadata.version(name)}"


def load(told: dict[str, Any]) -> File:
    """Raises what the interpreter raises where it does not take the file."""
    return File(**told)
