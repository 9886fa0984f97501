"""A module with plain tensors in and a plain tuple of tensors out, for exporters.

Imported in the child process alone: it needs PyTorch to be defined at all.
"""

from __future__ import annotations

import torch

from deploy_targets.frontends.flatten import flatten
from deploy_targets.frontends.torch import Callee


class Flat(torch.nn.Module):
    """Whatever the model takes and returns, nested or by keyword, exporters see neither."""

    def __init__(self, callee: Callee) -> None:
        super().__init__()
        self.model = callee.module
        self._arrange = callee.arrange
        self.training = False

    def train(self, mode: bool = True) -> Flat:
        """Nothing: its mode is right, and an exported module refuses to be put into one."""
        return self

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs in the order of the model's Signature."""
        args, kwargs = self._arrange(tensors)
        return tuple(tensor for _, tensor in flatten(self.model(*args, **kwargs)))
