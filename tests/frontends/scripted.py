"""Modules that TorchScript takes, and the files that they are saved in."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import DynamicAxis, TensorSpec

X = TensorSpec("x", "float32", ("batch", 4))
SCALE = TensorSpec("scale", "float32", ("batch", 1))
BATCH = DynamicAxis("batch", 1, 8)


class Found(NamedTuple):
    """Outputs that have names."""

    scores: torch.Tensor
    steps: torch.Tensor


class Shrinks(nn.Module):
    """A branch and a loop that depend on values, two inputs, a number that has a default."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor, scale: torch.Tensor, most: int = 20) -> Found:
        y = self.fc(x) * scale
        if bool(y.sum() > 0):
            y = y * 2
        i = 0
        while bool(y.abs().max() > 0.5) and i < most:
            y = y * 0.7
            i += 1
        return Found(y, torch.tensor(i))


class Listed(nn.Module):
    """A list inside of a dictionary, and a branch on values."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fc = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> dict[str, list[torch.Tensor]]:
        y = self.fc(x)
        y = y * 2 if bool(y.sum() > 0) else y - 1
        return {"low": [y, y + 1], "high": [y.sum(1)]}


def save(folder: Path, module: nn.Module, *, how: str = "script", name: str = "model.pt") -> Path:
    """Scripts, traces or freezes a module into a file."""
    path = folder / name
    with warnings.catch_warnings():
        # What is deprecated here is the subject.
        warnings.simplefilter("ignore", DeprecationWarning)
        if how == "trace":
            made = torch.jit.trace(module, torch.ones(2, 4), check_trace=False)
        else:
            made = torch.jit.script(module)
        if how == "freeze":
            made = torch.jit.freeze(made)
        if path.suffix == ".ptl":
            made._save_for_lite_interpreter(str(path))
        else:
            torch.jit.save(made, path)
    return path


def spec(path: Path, *inputs: TensorSpec) -> SourceSpec:
    """The file as a source with a dynamic batch; of `Shrinks` where nothing is said."""
    return SourceSpec(path.name, path.parent, inputs=inputs or (X, SCALE), axes=(BATCH,))
