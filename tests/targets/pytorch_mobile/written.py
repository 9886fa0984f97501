"""A small network as a TorchScript file, in which a wrong weight can be planted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import DynamicAxis, TensorSpec

IMAGE = TensorSpec("image", "float32", ("batch", 3, 8, 8))


class ConvNet(nn.Module):
    """f32[batch,3,8,8] -> logits [batch,5], features [batch,8,8,8]"""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 5)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = self.second(torch.relu(self.norm(self.first(image))))
        return {"logits": self.head(features.mean((2, 3))), "features": features}


def convnet(folder: Path) -> SourceSpec:
    """convnet.pt there, scripted."""
    torch.manual_seed(0)
    with quiet():
        torch.jit.save(torch.jit.script(ConvNet().eval()), folder / "convnet.pt")
    axes = (DynamicAxis("batch", 1, 8),)
    return SourceSpec(str(folder / "convnet.pt"), folder, inputs=(IMAGE,), axes=axes, batch="batch")


def one_weight_changed(file: Path, to: Path) -> None:
    """A copy of a TorchScript file in which one weight of the first layer is off by a twentieth."""
    with quiet(), torch.no_grad():
        load: Any = torch.jit.load
        module = load(file)
        weight = max(module.parameters(), key=lambda each: each.ndim)
        weight.view(-1)[weight.abs().argmax()] *= 1.05
        torch.jit.save(module, to)


@contextmanager
def quiet() -> Iterator[None]:
    """That TorchScript is deprecated is known."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r".*torch\.jit\.", DeprecationWarning)
        yield
