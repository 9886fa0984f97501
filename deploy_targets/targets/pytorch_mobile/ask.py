"""A .ptl in PyTorch's lite interpreter: the world that `phones/asked.py` asks.

It imports PyTorch before the file is loaded, so that what is measured of loading is the file's own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.jit import mobile

MANIFEST = "deploy-target.json"


class File:
    """A .ptl, loaded. `said` has the runtime and the file's bytecode version."""

    def __init__(self, model: str, threads: int) -> None:
        torch.set_num_threads(threads)
        # A .ptl knows its tensors by position; the manifest beside it has their names.
        manifest = json.loads(Path(model).with_name(MANIFEST).read_text(encoding="utf-8"))
        self._entries = {each["name"]: each for each in manifest["entries"]}
        read: Any = mobile._load_for_lite_interpreter  # untyped
        self._module = read(model, map_location="cpu")
        self.said = {
            "runtime": f"PyTorch {torch.__version__.partition('+')[0]} lite interpreter",
            "bytecode": str(mobile._get_model_bytecode_version(model)),
        }

    def ask(self, entry: str, tensors: dict[str, Any]) -> dict[str, Any]:
        """The answer. Raises ValueError where the file takes other tensors."""
        if entry not in self._entries:
            raise ValueError(f"the file has no method {entry!r}; it has {sorted(self._entries)}")
        takes, gives = (self._entries[entry][side] for side in ("inputs", "outputs"))
        check([port["spec"] for port in takes], tensors)
        # Copied, for a module may write into what it is given.
        given = [torch.from_numpy(np.array(tensors[port["spec"]["name"]])) for port in takes]
        with torch.no_grad():
            answers = self._module(*given)
        if len(answers) != len(gives):
            raise ValueError(f"the file gave {len(answers)} tensors, expected {len(gives)}")
        found = zip(gives, answers, strict=True)
        return {port["spec"]["name"]: tensor.detach().numpy() for port, tensor in found}


def check(specs: list[dict[str, Any]], tensors: dict[str, Any]) -> None:
    """Raises ValueError unless these are the very names, dtypes and ranks that the file takes."""
    takes = {spec["name"]: f"{spec['dtype']} of rank {len(spec['shape'])}" for spec in specs}
    given = {name: f"{array.dtype} of rank {array.ndim}" for name, array in tensors.items()}
    if takes != given:
        raise ValueError(f"the file takes {takes}, and was given {given}")


def load(told: dict[str, Any]) -> File:
    """Raises what the interpreter raises where it does not take the file."""
    return File(**told)
