"""Small PyTorch modules, each with one trap that real models set. `zoo.py` names and builds them.

Imported only where PyTorch is: it needs it to define them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn


class ThreeInputs(nn.Module):
    """Three inputs of three dtypes, two outputs, one dynamic batch."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)
        self.mix = nn.Linear(4 + 3, 8)
        self.classify = nn.Linear(8, 5)

    def forward(self, image: Tensor, token: Tensor, use: Tensor) -> dict[str, Tensor]:
        known = torch.where(use[:, None], self.embed(token), torch.zeros(()))
        features = torch.relu(self.mix(torch.cat([known, image.mean((2, 3))], 1)))
        return {"logits": self.classify(features), "features": features}


class Internal(nn.Module):
    """An output that is named like an internal value of the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Linear(4, 3)
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        embedding = self.embedding(x)
        return {"relu": self.head(embedding.relu()), "linear": embedding}


class Recurrent(nn.Module):
    """A recurrent network whose time axis is dynamic."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 6, batch_first=True, bidirectional=True)
        self.head = nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(self.lstm(x)[0]))


class Crop(nn.Module):
    """A crop computed from the shape by way of a Python number: tracing burns the example's in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        keep = math.floor(x.shape[2] / 2)
        return torch.as_tensor(self.conv(x)[:, :, keep:])


class Reshapes(nn.Module):
    """Multiplies sizes of its input: an export from one row burns the one in."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(x).reshape(x.shape[0] * x.shape[1], 2))


class BurnsIn(nn.Module):
    """Makes a Python number of a size, with which every exporter fixes it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(x)[:, : int(x.shape[1]) - 1])


class Branches(nn.Module):
    """Looks at its numbers to decide: no exporter of shapes can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.head(x) if x.sum() > 0 else self.head(-x))


class Corner(NamedTuple):
    """A named part of a nested output."""

    low: Tensor
    high: Tensor


class Nested(nn.Module):
    """Outputs in every kind of container, a scalar, a flag, and a None among them."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> dict[str, object]:
        y = self.head(x)
        return {
            "corner": Corner(y - 1, y + 1),
            "levels": [y, (y[:, :1],)],
            "positive": y > 0,
            "count": torch.tensor(y.shape[1]),
            "unused": None,
        }
