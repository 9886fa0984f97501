"""Small seeded PyTorch models. In: the name of an architecture and a seed. Out: a SourceSpec.

A seed draws the weights, the widths and the scale of the outputs (from logits of 1e-3 to values in
the hundreds). To add one: a function with its `Architecture` line in tuning.py or scored.py, and
its name in split.toml.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import DynamicAxis

from .boundary import BOUNDARIES

if TYPE_CHECKING:
    from torch import nn

AXES = {"batch": DynamicAxis("batch", 1, 8), "time": DynamicAxis("time", 8, 32)}


def spec(name: str, seed: int) -> SourceSpec:
    """What `deploy_targets.frontends.load` takes; run from a path on which this package is."""
    boundary = BOUNDARIES[name]
    used = [dim for tensor in boundary.inputs for dim in tensor.shape]
    return SourceSpec(
        f"{__package__}:{name}_{seed}",
        name=f"{name}-{seed}",
        inputs=boundary.inputs,
        axes=tuple(axis for key, axis in AXES.items() if key in used),
        outputs=boundary.outputs,
        batch="batch",
    )


def build(name: str, seed: int) -> nn.Module:
    """The module itself, ready for inference; the same weights every time."""
    import torch

    from . import scored, tuning
    from .draw import Draw

    make = getattr(tuning, name, None) or getattr(scored, name)
    with torch.random.fork_rng():
        torch.manual_seed(seed * 1000 + len(name))
        draw = Draw(f"{name}-{seed}")
        module: nn.Module = make(draw)
        draw.weights(module)
    return module.eval()


def __getattr__(attribute: str) -> nn.Module:
    """`mlp_3` is the mlp of seed 3, so that a source can name it."""
    name, _, seed = attribute.rpartition("_")
    if name not in BOUNDARIES or not seed.isdigit():
        raise AttributeError(attribute)
    return build(name, int(seed))
