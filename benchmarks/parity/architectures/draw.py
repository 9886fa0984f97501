"""Draws widths, weights and statistics for a module, so that no layer of it is trivial.

Zero biases, unit variances and LayerNorms of ones would hide the very faults that are planted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")

SCALES = (1e-3, 1.0, 1.0, 1.0, 100.0)
"""Of the outputs: most models are near 1; some have tiny logits, some answer in the hundreds."""


class Draw:
    """The choices of one seed."""

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)
        self._heads: list[tuple[nn.Module, float]] = []

    def one(self, choices: Sequence[T]) -> T:
        """One of the choices."""
        return self._random.choice(choices)

    def head(self, module: nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) -> nn.Module:
        """The last layer: its outputs get one of the SCALES once the weights are drawn."""
        self._heads.append((module, self.one(SCALES)))
        return module

    @torch.no_grad()
    def weights(self, module: nn.Module) -> None:
        """Fills the whole module. Call it under a seeded generator."""
        for part in module.modules():
            _fill(part)
        for head, scale in self._heads:
            for parameter in head.parameters():
                parameter.mul_(scale)


def _fill(part: nn.Module) -> None:
    if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        assert part.running_mean is not None
        assert part.running_var is not None
        part.running_mean.normal_(0.0, 0.3)
        part.running_var.uniform_(0.3, 2.0)
        _affine(part.weight, part.bias)
    elif isinstance(part, nn.LayerNorm | nn.GroupNorm):
        _affine(part.weight, part.bias)
    elif isinstance(part, nn.RNNBase):
        for name, parameter in part.named_parameters():
            parameter.normal_(0.0, 0.2 if name.startswith("bias") else part.hidden_size**-0.5)
    elif isinstance(part, nn.Embedding):
        part.weight.normal_()
    elif isinstance(weight := getattr(part, "weight", None), Tensor) and weight.ndim >= 2:
        fan = weight[0].numel()
        weight.normal_(0.0, (1.6 / fan) ** 0.5)
        if isinstance(bias := getattr(part, "bias", None), Tensor):
            bias.normal_(0.0, 0.1)
    if isinstance(part, nn.MultiheadAttention):
        part.in_proj_weight.normal_(0.0, (1.6 / part.embed_dim) ** 0.5)
        part.in_proj_bias.normal_(0.0, 0.1)


def _affine(weight: Tensor, bias: Tensor) -> None:
    weight.uniform_(0.6, 1.4)
    bias.normal_(0.0, 0.2)
