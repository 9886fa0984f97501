"""A small network as a program of torch.export, with two outputs and a batch that moves."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from deploy_targets.frontends.source import SourceSpec


class ConvNet(nn.Module):
    """f32[batch,3,8,8] -> logits [batch,5], features [batch,8,8,8]"""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 5)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = torch.relu(self.norm(self.first(image)))
        return {"logits": self.head(features.mean((2, 3))), "features": features}


def convnet(folder: Path) -> SourceSpec:
    """convnet.pt2 there."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        # torch.export's own use of what PyTorch deprecates.
        warnings.simplefilter("ignore")
        axes = {"image": {0: torch.export.Dim("batch", min=1, max=8)}}
        image = torch.zeros(2, 3, 8, 8)
        program = torch.export.export(ConvNet().eval(), (image,), dynamic_shapes=axes)
        torch.export.save(program, folder / "convnet.pt2")
    return SourceSpec(str(folder / "convnet.pt2"), folder, batch="image_dim_0")
