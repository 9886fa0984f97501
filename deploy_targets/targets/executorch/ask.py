"""A .pte in ExecuTorch's own runtime: the world that `phones/asked.py` asks.

It imports PyTorch, which the runtime's bindings are linked with, and the bindings before the file
is loaded, so that what is measured of loading is the file's own.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

# Not executorch.runtime: that imports ExecuTorch's exporter, which is 16 s and 140 MB to no use.
bindings = importlib.import_module("executorch.extension.pybindings._C")

MANIFEST = "deploy-target.json"
DELEGATE = b"XnnpackBackend"


class File:
    """A .pte, loaded. `said` has the runtime, and how many parts XNNPACK has."""

    def __init__(self, model: str, threads: int) -> None:
        # Of XNNPACK and of ExecuTorch's kernels alike; a delegate takes the pool when it is loaded.
        bindings._unsafe_reset_threadpool(threads)
        if (found := bindings._threadpool_get_thread_count()) != threads:
            raise RuntimeError(f"it has {found} threads, and was to have {threads}")
        self._manifest = json.loads(Path(model).with_name(MANIFEST).read_text(encoding="utf-8"))
        self._entries = {each["name"]: each for each in self._manifest["entries"]}
        self._program = bindings._load_program(model)
        names = [self._program.get_method_name(at) for at in range(self._program.num_methods())]
        self._methods = {name: self._program.load_method(name) for name in names}
        self.said = {
            "runtime": f"ExecuTorch {importlib.metadata.version('executorch')}",
            "delegates": str(Path(model).read_bytes().count(DELEGATE)),
        }

    def ask(self, entry: str, tensors: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises ValueError where the file takes other tensors."""
        if entry not in self._methods:
            raise ValueError(f"the file has no method {entry!r}; it has {sorted(self._methods)}")
        # A .pte knows its tensors by position; the manifest beside it has their names.
        takes, gives = (self._entries[entry][side] for side in ("inputs", "outputs"))
        check([port["spec"] for port in takes], tensors, self._ranges())
        # Copied, for a method may write into what it is given.
        given = tuple(torch.from_numpy(np.array(tensors[port["spec"]["name"]])) for port in takes)
        answers = self._methods[entry](given)
        if len(answers) != len(gives):
            raise ValueError(f"the file gave {len(answers)} tensors, expected {len(gives)}")
        found = zip(gives, answers, strict=True)
        return {port["spec"]["name"]: np.array(tensor) for port, tensor in found}

    def _ranges(self) -> dict[str, tuple[int, int]]:
        axes = self._manifest["signatures"]["tensors"]["axes"]
        return {axis["name"]: (axis["minimum"], axis["maximum"]) for axis in axes}


def check(
    specs: list[dict[str, Any]], tensors: dict[str, Any], ranges: dict[str, tuple[int, int]]
) -> None:
    """Raises ValueError unless these are such tensors as the file takes.

    The runtime itself takes any shape that is not larger than what it has planned for.
    """
    takes = {spec["name"]: f"{spec['dtype']}{spec['shape']}" for spec in specs}
    given = {name: f"{array.dtype}{list(array.shape)}" for name, array in tensors.items()}
    if takes.keys() != given.keys() or not all(fits(s, tensors[s["name"]], ranges) for s in specs):
        raise ValueError(f"the file takes {takes}, and was given {given}")


def fits(spec: dict[str, Any], array: Any, ranges: dict[str, tuple[int, int]]) -> bool:
    """Whether dtype, rank and sizes are those of the spec; an axis within its range."""
    if str(array.dtype) != spec["dtype"] or array.ndim != len(spec["shape"]):
        return False
    bounds = [(dim, dim) if isinstance(dim, int) else ranges.get(dim) for dim in spec["shape"]]
    pairs = zip(array.shape, bounds, strict=True)
    return all(bound is None or bound[0] <= size <= bound[1] for size, bound in pairs)


def load(told: dict[str, Any]) -> File:
    """Raises what the runtime raises where it does not take the file."""
    return File(**told)
